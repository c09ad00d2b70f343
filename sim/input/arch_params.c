/* The keys that every array back end shares, each declared once. */
#include "input/arch.h"

static const char *const dataflow_names[] = {"ws", "os", "is", "auto", NULL};
static const char *const timing_names[] = {"pipelined", "serial", "scalesim", NULL};
static const char *const tiles_names[] = {"any", "pow2_padded", NULL};
static const char *const latency_names[] = {"pipeline", "overlap", "roofline", NULL};
static const char *const conv_names[] = {"auto", "implicit_gemm", "direct", "im2col", NULL};
static const char *const layout_names[] = {"tiled", "row_major", NULL};
static const char *const activations_names[] = {"dram", "on_chip", NULL};
static const char *const curve_names[] = {"curve", NULL};

#define AT(field) offsetof(sim_arch, field)

const sim_param sim_arch_params[] = {
    {"name", "", SIM_PARAM_TEXT, AT(name), 0, 0, NULL, NULL, "Name for reports."},
    {"backend", "", SIM_PARAM_TEXT, AT(backend_name), 0, 0, NULL, NULL,
     "Model of the compute array: see `simacc list backends`."},
    {"clock_mhz", "MHz", SIM_PARAM_REAL, AT(clock_mhz), 0.001, 100000, NULL, NULL,
     "Clock of array, buffers and vector unit."},
    {"array.rows", "", SIM_PARAM_INT, AT(array_rows), 1, 65536, NULL, NULL,
     "Rows of PEs: input features, where weights are stationary."},
    {"array.cols", "", SIM_PARAM_INT, AT(array_cols), 1, 65536, NULL, NULL,
     "Columns of PEs: output features."},
    {"array.count", "", SIM_PARAM_INT, AT(array_count), 1, 4096, "1", NULL,
     "Equal arrays that share the buffers."},
    {"array.dataflow", "", SIM_PARAM_ENUM, AT(array_dataflow), 0, 0, "auto", dataflow_names,
     "What stays in the PEs: weights, outputs or inputs; auto takes the best for each layer."},
    {"array.timing", "", SIM_PARAM_ENUM, AT(array_timing), 0, 0, "pipelined", timing_names,
     "How folds follow each other: overlapped, one by one, or as SCALE-Sim counts them."},
    {"array.w_bits", "bits", SIM_PARAM_INT, AT(array_w_bits), 1, 32, "8", NULL,
     "Native weight width of a PE; of a fusion unit, the widest."},
    {"array.a_bits", "bits", SIM_PARAM_INT, AT(array_a_bits), 1, 32, "8", NULL,
     "Native activation width of a PE; of a fusion unit, the widest."},
    {"array.acc_bits", "bits", SIM_PARAM_INT, AT(array_acc_bits), 1, 64, "32", NULL,
     "Width of accumulators and of partial sums in buffers and DRAM."},
    {"array.port_bits", "bits", SIM_PARAM_INT, AT(array_port_bits), 0, 1 << 30, "0", NULL,
     "Weight bits that enter an array per cycle; 0: no limit."},
    {"array.conv", "", SIM_PARAM_ENUM, AT(array_conv), 0, 0, "auto", conv_names,
     "How convolutions run: over kernel positions and channels together, position by position, as a product "
     "with the expanded input, or as the back end does."},
    {"output_bits", "bits", SIM_PARAM_INT, AT(output_bits), 1, 64, "8", NULL,
     "Width at which finished outputs are stored."},
    {"output_read_first", "", SIM_PARAM_BOOL, AT(output_read_first), 0, 0, "false", NULL,
     "Partial outputs are read on the first pass too."},
    {"buffers.weight_kib", "KiB", SIM_PARAM_REAL, AT(buffer_weight_kib), 0.001, 1 << 30, "", NULL,
     "Weight buffer, of a split design."},
    {"buffers.input_kib", "KiB", SIM_PARAM_REAL, AT(buffer_input_kib), 0.001, 1 << 30, "", NULL,
     "Input buffer, of a split design."},
    {"buffers.output_kib", "KiB", SIM_PARAM_REAL, AT(buffer_output_kib), 0.001, 1 << 30, "", NULL,
     "Output buffer, of a split design."},
    {"buffers.unified_kib", "KiB", SIM_PARAM_REAL, AT(buffer_unified_kib), 0.001, 1 << 30, "", NULL,
     "One buffer for all operands, instead of the three."},
    {"buffers.double_buffered", "", SIM_PARAM_FLAGS, AT(double_buffered), 0, 0, "weight,input,output",
     sim_operand_names, "Operands that are loaded or stored under compute: their tiles take twice the room."},
    {"buffers.activations", "", SIM_PARAM_ENUM, AT(activations), 0, 0, "dram", activations_names,
     "on_chip: inputs and outputs that fit their buffers never cross DRAM."},
    {"mapper.tiles", "", SIM_PARAM_ENUM, AT(mapper_tiles), 0, 0, "any", tiles_names,
     "Tile sizes the machine can run: any, or a power of two or the whole dimension, ragged ones being moved "
     "and computed in full."},
    {"mapper.latency", "", SIM_PARAM_ENUM, AT(mapper_latency), 0, 0, "pipeline", latency_names,
     "Latency of a tiling: the tile pipeline; the larger of all compute (with first loads and last store) "
     "and all transfers, where padded tiles fill whole folds and operands stay on chip over as many of them "
     "as fit; or the larger of the two sums alone, for arrays that compute on what streams in."},
    {"mapper.slack_frac", "", SIM_PARAM_REAL, AT(mapper_slack_frac), 0, 1, "0.01", NULL,
     "Latency given up for energy by the balanced objective."},
    {"dram.type", "", SIM_PARAM_TEXT, AT(dram_type), 0, 0, "lpddr4", NULL,
     "Kind of DRAM: its energy and efficiency curve, from arch/tech/dram.cfg."},
    {"dram.bandwidth_gb_s", "GB/s", SIM_PARAM_REAL, AT(dram_bandwidth_gb_s), 1e-6, 1e6, NULL, NULL,
     "Peak bandwidth, 10^9 bytes per second."},
    {"dram.capacity_gib", "GiB", SIM_PARAM_REAL, AT(dram_capacity_gib), 1e-6, 1e6, "8", NULL, "Capacity."},
    {"dram.efficiency", "", SIM_PARAM_REAL, AT(dram_efficiency_frac), 0.001, 1, "curve", curve_names,
     "Share of peak bandwidth reached: a number, or the curve of the kind."},
    {"dram.layout", "", SIM_PARAM_ENUM, AT(dram_layout), 0, 0, "tiled", layout_names,
     "tiled: a tile is one contiguous run; row_major: each of its rows is one."},
    {"vector.lanes", "", SIM_PARAM_INT, AT(vector_lanes), 1, 1 << 20, "16", NULL,
     "Elements per cycle of the vector unit."},
    {"link.devices", "", SIM_PARAM_INT, AT(link.devices), 1, 65536, "1", NULL,
     "Most devices like this one that may work together."},
    {"link.topology", "", SIM_PARAM_ENUM, AT(link.topology), 0, 0, "none", sim_topology_names,
     "What joins them: none, a ring, or a switch that gives each its full bandwidth to any other."},
    {"link.bandwidth_gb_s", "GB/s", SIM_PARAM_REAL, AT(link.bandwidth_gb_s), 1e-6, 1e6, "", NULL,
     "Peak of one device, in each direction, 10^9 bytes per second."},
    {"link.efficiency_frac", "", SIM_PARAM_REAL, AT(link.efficiency_frac), 0.001, 1, "0.8", NULL,
     "Share of that bandwidth reached by large messages."},
    {"link.launch_us", "us", SIM_PARAM_REAL, AT(link.launch_us), 0, 1e6, "0", NULL,
     "Start of any exchange between devices."},
    {"link.latency_us", "us", SIM_PARAM_REAL, AT(link.latency_us), 0, 1e6, "1", NULL,
     "Latency of each step of an exchange: an all-reduce on a ring of p devices has 2 (p-1)."},
    {"link.pj_per_bit", "pJ", SIM_PARAM_REAL, AT(link.pj_per_bit), 0, 1e6, "10", NULL,
     "Energy of a bit sent to another device."},
    {"tech", "", SIM_PARAM_TEXT, AT(tech_name), 0, 0, "45nm", NULL,
     "Technology table: tech/NAME.cfg beside the file or among the shipped ones, or a group of its own."},
};
const int sim_arch_param_count = sizeof sim_arch_params / sizeof *sim_arch_params;
