/* The memory side of a tiled GEMM: which tiles fit, what moves, how long it takes.
 *
 * One resident tile per operand. The traffic rule is checked against a loop-nest simulation
 * (tests/reference/loopnest.c), the pipeline latency against an event simulation
 * (tests/reference/tilepipe.c).
 */
#ifndef SIM_MODEL_MEMORY_H
#define SIM_MODEL_MEMORY_H

#include "model/window.h"

/* ---- capacity ---- */

/* Room for tiles, in fixed-point bits (1/1024 bit, so that scales of groups count exactly enough).
 * A double-buffered operand occupies its tile twice. Split buffers or one unified. Elements are
 *   weights k * n (of a convolution, the kernel positions of a pair of channels together)
 *   inputs  m * k (of a convolution, the input positions that m output positions read, times k)
 *   outputs m * n */
typedef struct sim_capacity {
    bool unified, conv;
    int64_t room[SIM_OPERAND_COUNT];  /* split: 1/1024 bits of each buffer; unified: the one buffer, thrice */
    int64_t word[SIM_OPERAND_COUNT];  /* 1/1024 bits that one element of a tile occupies, copies included */
    int64_t words[SIM_OPERAND_COUNT]; /* room / word: elements that fit when alone */
    sim_window_stage stages[SIM_WINDOW_STAGES]; /* of a convolution */
} sim_capacity;

void sim_capacity_of(const sim_arch *arch, const sim_gemm *gemm, sim_capacity *out);
bool sim_capacity_fits(const sim_capacity *capacity, const int64_t tile[SIM_DIMS]);
int64_t sim_gemm_room(const sim_capacity *capacity, sim_dim d, const int64_t tile[SIM_DIMS]);
int64_t sim_conv_room(const sim_capacity *capacity, sim_dim d, const int64_t tile[SIM_DIMS]);

/* The largest tile of dimension `d` (of the chain, for positions of a convolution) that fits beside the tiles
 * of the two others; 0: none. Inline, for the search asks for nothing else as often. */
static inline int64_t sim_capacity_room(const sim_capacity *capacity, sim_dim d, const int64_t tile[SIM_DIMS])
{
    return capacity->conv ? sim_conv_room(capacity, d, tile) : sim_gemm_room(capacity, d, tile);
}

/* ---- traffic ---- */

/* DRAM bits of one product by operand and direction, given tile counts c, the overlap of the tiles of M
 * (sim_window_overlap(); 1 for plain products) and the innermost loop that has more than one iteration
 * (`stationary`):
 *   weights  stored * (c_m unless stationary == M), and w_once_bits
 *   inputs   stored * overlap * (c_n unless stationary == N)
 *   outputs  written: the final stored bits once, and partial sums m*n*acc bits * (c_k - 1 unless stationary
 *            == K); read back: as many partial sums (one full set more with output_read_first)
 * Operands that stay on chip move nothing. What tiles read in common they read each for itself. */
typedef struct sim_traffic {
    double weight_read, input_read, partial_read, partial_write, final_write; /* bits */
} sim_traffic;

void sim_traffic_of(const sim_arch *arch, const sim_gemm *gemm, const int64_t count[SIM_DIMS], double overlap,
                    sim_dim stationary, sim_traffic *out);

/* What the memory system itself does to the counts of one product, affine in the tile counts c:
 * counts = fixed + sum over d of per_tile[d] * c_d. A word filled from DRAM is one buffer write, a word
 * drained one buffer read; elements cross the buffers at their operand's width, outputs at accumulator width.
 * Inputs are moved `overlap` times per pass; padding is made up on chip and written nowhere. */
void sim_memory_counts(const sim_arch *arch, const sim_gemm *gemm, double overlap, sim_dim stationary,
                       sim_counts *fixed, sim_counts per_tile[SIM_DIMS]);

/* ---- DRAM time ---- */

/* DRAM time of tiles of given size. A contiguous run shorter than a burst costs as much as a burst, and every
 * bit of the rarer direction pays a share of the bus turn-arounds:
 *   cycles = cycles_per_bit * sum over streams of bits * max(1, burst bits / run bits)
 *            + turnaround * min(bits read, bits written)
 * A run is a whole tile (layout tiled), or a tile's row (row_major): along k for weights (stored by output
 * feature) and inputs (of a convolution, the channels of an input position), along n for outputs; its bits
 * are as stored, padding and scales included. Tiles count with their mean size, extent / number of tiles, so
 * that ragged ends are in it; each input position is stored once, in the run of one of the tiles that read
 * it. Source of the two effects:
 * DRAMsim3 runs, see arch/tech/dram.cfg. With a fixed dram.efficiency both vanish. */
typedef struct sim_dram_rates {
    double cycles_per_bit;                /* long runs, one direction */
    double weight, input, partial, final; /* factors >= 1 of the streams */
    double turnaround;                    /* cycles per bit of the rarer direction */
} sim_dram_rates;

void sim_dram_rates_of(const sim_arch *arch, const sim_gemm *gemm, const int64_t tile[SIM_DIMS],
                       sim_dram_rates *out);

/* Factors of the streams as functions of the tile counts: max(1, scale * c[one] * c[other]). */
typedef struct sim_runs {
    double scale;
    sim_dim one, other; /* SIM_DIMS: no further count */
} sim_runs;

typedef enum sim_stream {
    SIM_STREAM_WEIGHT,
    SIM_STREAM_INPUT,
    SIM_STREAM_PARTIAL,
    SIM_STREAM_FINAL,
    SIM_STREAMS
} sim_stream;

void sim_runs_of(const sim_arch *arch, const sim_gemm *gemm, sim_runs out[SIM_STREAMS]);
/* Cycles of the DRAM channel for `traffic`. */
double sim_dram_cycles(const sim_dram_rates *rates, const sim_traffic *traffic);

/* ---- pipeline ---- */

/* Latency of the tile pipeline, one DRAM channel, stores before loads. With C_i the compute cycles of tile
 * i, L_i the loads of its operand tiles that are not resident (of double-buffered operands, and of others,
 * which cannot be loaded under compute), S_i the store of an output tile released after i:
 *   output single-buffered  L_0 + sum [S_(i-1) + max(C_i, L_(i+1))] + S_last
 *   output double-buffered  L_0 + sum  max(C_i, L_(i+1) + S_(i-1))  + S_last
 * Summed per class of tile (full or ragged, which loop advances), so the cost does not grow with the number
 * of tiles. All cycles are double; the caller rounds up once. */
typedef struct sim_pipeline {
    double cycles;     /* the latency above; array fill not included */
    double first_load; /* L_0 */
    double
        first_weight_load; /* the part of L_0 that is weights for a double buffer, which can be prefetched */
    double last_idle;      /* DRAM idle cycles under the last tile's compute: room for a prefetch */
    double last_store;     /* S_last */
} sim_pipeline;

void sim_pipeline_of(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way, const sim_tiling *tiling,
                     sim_pipeline *out);

#endif
