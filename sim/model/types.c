#include "model/types.h"

const char *const sim_format_names[] = {"int", "fp", "bf", "fp8", "mxfp", "nvfp", NULL};
const char *const sim_op_names[] = {"matmul",   "conv2d",    "softmax",  "norm", "elementwise", "embedding",
                                    "quantize", "allreduce", "alltoall", "send", "allgather",   NULL};
const char *const sim_scales_names[] = {"", "none", "per_token", "per_tensor", "static", NULL};
const char *const sim_topology_names[] = {"none", "ring", "switch", NULL};
const char *const sim_phase_names[] = {"", "prefill", "decode", "generate", NULL};
const char *const sim_mla_names[] = {"auto", "absorbed", "plain", NULL};
const char *const sim_operand_names[] = {"weight", "input", "output", NULL};
const char *const sim_dataflow_names[] = {"ws", "os", "is", "auto", "stream", NULL};
const char *const sim_provenance_names[] = {"assumed", "measured", "published", NULL};
const char *const sim_bound_names[] = {"compute", "memory", "port", "launch", "vector", "link", NULL};
const char *const sim_objective_names[] = {"balanced", "latency", "energy", "edp", "dram", NULL};

double sim_energy_total_j(const sim_energy *energy)
{
    return energy->mac_j + energy->register_j + energy->sram_j + energy->dram_j + energy->vector_j +
           energy->static_j + energy->link_j;
}
