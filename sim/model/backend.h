/* The back-end interface: what a model of an accelerator must say, and nothing more.
 *
 * A back end counts: cycles, operations, bits. energy.c prices the counts and the mapper chooses tiles; no
 * back end knows a joule or a tile search. An array back end describes each way it can run a GEMM (a
 * dataflow, possibly in several regimes) by a cost that is affine in the tile counts and the fold sums of
 * the three dimensions; that form is all the exact search relies on (see mapper.h). */
#ifndef SIM_MODEL_BACKEND_H
#define SIM_MODEL_BACKEND_H

#include "base/err.h"
#include "model/gpu.h" /* the law that the back end of GPUs counts with */
#include "model/types.h"

/* ---- configuration keys ----------------------------------------------------------------------- */

typedef enum sim_param_type {
    SIM_PARAM_INT,   /* int64_t */
    SIM_PARAM_REAL,  /* double; one of `names`, if given, is accepted as 0 ("curve") */
    SIM_PARAM_BOOL,  /* bool */
    SIM_PARAM_TEXT,  /* const char * */
    SIM_PARAM_ENUM,  /* int, index into `names` */
    SIM_PARAM_FLAGS, /* bool[], one per entry of `names`, set by a list such as ["weight", "input"] */
} sim_param_type;

/* One configuration key, declared once: the row drives parsing, ranges, did-you-mean, `simacc help arch`,
 * --set, sweep axes and the canonical text. */
typedef struct sim_param {
    const char *key;  /* "array.rows" */
    const char *unit; /* "" when it has none */
    sim_param_type type;
    size_t offset;        /* of the field in sim_arch */
    double min, max;      /* INT and REAL, inclusive */
    const char *fallback; /* default as text; NULL: required; "": optional, zero when not given */
    const char *const *names;
    const char *help; /* one sentence */
} sim_param;

/* ---- a GEMM as the array sees it -------------------------------------------------------------- */

typedef enum sim_dim { SIM_M, SIM_N, SIM_K, SIM_DIMS } sim_dim;

/* What makes a product a convolution: the rows of `out` are the positions of images, and what a tile of them
 * reads of the input overlaps what its neighbours read. Then, of one group,
 *   extent[M] = images * rows_out * cols_out,  extent[N] = output channels,  extent[K] = input channels,
 * every element of (m, n, k) stands for taps = kernel_h * kernel_w multiply-accumulates, and tiles of M are
 * runs of positions in raster order: part of a row, whole rows, or whole images (model/window.h). */
typedef struct sim_window {
    int64_t rows_out, cols_out; /* positions of one image */
    int64_t kernel_h, kernel_w; /* both 0: no convolution, a plain product */
    int64_t stride;
    int64_t pad_rows, pad_cols; /* of the rows and columns that an image's positions cover, those that are
                                   padding and never in DRAM */
    bool direct;                /* kernel positions one after another: folds over channels alone */
} sim_window;

typedef struct sim_gemm {
    int64_t extent[SIM_DIMS]; /* m, n, k of one product */
    int64_t batch;
    int w_bits, a_bits;     /* operand widths that compute */
    int w_group;            /* elements of w per scale and zero point; 0: none */
    int out_bits, acc_bits; /* of the final outputs and of partial sums */
    /* Stored bits of one product's operands, rows padded to bytes and scales included. */
    int64_t w_stored_bits, a_stored_bits, out_stored_bits;
    int64_t w_once_bits; /* further bits of w, read once whatever the tiles: under a causal mask w has the
                            mean number of rows that a query sees, and the first pass over all queries needs
                            every row */
    /* Operands that never reach DRAM (fused attention, on-chip activations, resident weights). */
    bool on_chip[SIM_OPERAND_COUNT];
    sim_window window; /* of a convolution; a_stored_bits then counts each input position once */
} sim_gemm;

static inline bool sim_is_conv(const sim_gemm *gemm)
{
    return gemm->window.kernel_h > 0;
}

/* Multiply-accumulates per element of (m, n, k): 1 for a plain product. */
static inline int64_t sim_taps(const sim_gemm *gemm)
{
    return sim_is_conv(gemm) ? gemm->window.kernel_h * gemm->window.kernel_w : 1;
}

/* Bits that an element of the second operand takes in memory, its share of scale and zero point included. */
static inline double sim_weight_element_bits(const sim_gemm *gemm)
{
    return gemm->w_bits + (gemm->w_group > 0 ? (16.0 + gemm->w_bits) / gemm->w_group : 0);
}

/* Positions along one side of a convolution's input of `size` elements. */
static inline int64_t sim_conv_positions(int64_t size, int64_t kernel, int64_t padding, int64_t stride)
{
    return (size + 2 * padding - kernel) / stride + 1;
}

/* ---- counts ----------------------------------------------------------------------------------- */

/* What can be counted, and therefore priced. All in single events or bits. */
typedef enum sim_event {
    SIM_EVENT_MAC,          /* a multiply-accumulate on a fixed PE */
    SIM_EVENT_UNIT_CYCLE,   /* a fusion unit clocked for a cycle */
    SIM_EVENT_LANE_CYCLE,   /* a lane of a bit-serial dot-product unit clocked for a cycle */
    SIM_EVENT_REGISTER_BIT, /* a bit moved through a register outside the PE figure: preload and drain chains
                             */
    SIM_EVENT_WEIGHT_READ,  /* bits read from the weight buffer */
    SIM_EVENT_WEIGHT_WRITE,
    SIM_EVENT_INPUT_READ,
    SIM_EVENT_INPUT_WRITE,
    SIM_EVENT_OUTPUT_READ,
    SIM_EVENT_OUTPUT_WRITE,
    SIM_EVENT_DRAM_READ, /* bits */
    SIM_EVENT_DRAM_WRITE,
    SIM_EVENT_VECTOR_OP, /* a vector-lane operation */
    SIM_EVENT_LINK_BIT,  /* sent to another device */
    SIM_EVENT_COUNT,
} sim_event;

typedef struct sim_counts {
    double of[SIM_EVENT_COUNT];
} sim_counts;

/* ---- fold sums and ways ------------------------------------------------------------------------ */

/* The fold sum of a dimension of extent X cut into ceil(X/t) tiles of t, the last one ragged, is the sum
 * over its tiles t_i of
 *   SIDE    ceil(t_i * per_num / per_den)             (a side of the array: per_den PEs, per_num passes)
 *   STREAM  max(ceil(t_i * per_num / per_den), least) (the streamed dimension: least = interval of a fold)
 *   FLAT    t_i, i.e. X whatever the tiles            (nothing is lost by tiling it)
 *   WHOLE   the STREAM term of X, whatever the tiles  (tiles of it chain in place) */
typedef enum sim_fold_kind { SIM_FOLD_SIDE, SIM_FOLD_STREAM, SIM_FOLD_FLAT, SIM_FOLD_WHOLE } sim_fold_kind;

typedef struct sim_fold {
    sim_fold_kind kind;
    int64_t per_num, per_den; /* SIDE, STREAM, WHOLE; both >= 1 */
    int64_t least;            /* STREAM, WHOLE */
} sim_fold;

/* a / b, rounded up; a >= 0, b >= 1. */
static inline int64_t sim_ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Greatest common divisor; a, b >= 0, not both 0. */
static inline int64_t sim_gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* The term of one tile of size t; for WHOLE of the whole dimension of size t. */
int64_t sim_fold_of(const sim_fold *fold, int64_t t);
/* The sum over the tiles of a dimension of extent x. */
int64_t sim_fold_sum(const sim_fold *fold, int64_t x, int64_t t);

/* One way to run a GEMM on the array. Of one product (of `batch`), with c_d tiles and fold sum f_d along
 * dimension d:
 *   busy cycles = cycles_per_fold * f_m * f_n * f_k
 *   counts      = fixed + sum over d of (per_tile[d] * c_d + per_fold[d] * f_d) + per_cycle * busy cycles
 * All coefficients are >= 0 except in `fixed`. SRAM accesses by the array belong here; buffer fills and
 * drains and DRAM traffic are added by memory.c, for every back end alike. */
typedef struct sim_way {
    sim_dataflow dataflow;
    sim_fold fold[SIM_DIMS];
    double cycles_per_fold;
    int64_t tile_max[SIM_DIMS];    /* this way holds for tiles up to here; INT64_MAX: no limit */
    bool innermost_only[SIM_DIMS]; /* allowed innermost (stationary) loops; all false: any */
    bool accumulates_in_array; /* k tiles of an output accumulate in place: partial sums leave the array once
                                */
    sim_counts fixed, per_tile[SIM_DIMS], per_fold[SIM_DIMS], per_cycle;
} sim_way;

enum { SIM_WAYS_MAX = 8 };

/* The compute side of a chosen mapping, as reported. */
typedef struct sim_compute {
    int64_t cycles;      /* of all `batch` products, array fill and drain included */
    int64_t fill_cycles; /* of these, the part before the first and after the last fold's interval */
    bool port_limited;   /* the weight port, not the PEs, sets the pace of most folds */
} sim_compute;

typedef struct sim_tiling {
    int64_t tile[SIM_DIMS];
    sim_dim order[SIM_DIMS]; /* outermost first */
} sim_tiling;

/* What multiplies. */
typedef enum sim_pe_kind {
    SIM_PE_FIXED,  /* w_bits x a_bits multiplier and accumulator */
    SIM_PE_FUSION, /* fusion unit of widest operands w_bits, a_bits */
    SIM_PE_SERIAL, /* bit-serial dot-product unit of `depth` lanes, w_bits x a_bits each per cycle */
    SIM_PE_GPU,    /* tensor cores: prices and static power are keys of the arch, not of a technology */
} sim_pe_kind;

/* What static power and area depend on. */
typedef struct sim_hardware {
    int64_t pes;
    sim_pe_kind kind;
    int w_bits, a_bits;
    int64_t depth;                    /* SERIAL: lanes of a unit */
    int64_t banks[SIM_OPERAND_COUNT]; /* each buffer is that many equal memories, at least 1: an access is
                                         priced at a bank's size, leakage and area at all of them */
} sim_hardware;

/* ---- machines that are priced kernel by kernel ------------------------------------------------- */

/* Time and counts of one kernel, all its products together. */
typedef struct sim_kernel_cost {
    double cycles, compute_cycles, memory_cycles, launch_cycles; /* of the arch's clock */
    sim_counts counts;
    sim_gpu_math math;          /* what multiplies: sets the price of a MAC */
    double peak_macs_per_cycle; /* of that math; 0 for a vector operation */
} sim_kernel_cost;

/* A vector operation as a kernel. */
typedef struct sim_vector_work {
    sim_op op;
    int64_t rows, row_elements;
    double ops, read_bits, written_bits;
} sim_vector_work;

/* A back end whose kernels have laws of their own instead of tiles to be searched (GPUs). */
typedef struct sim_kernels {
    /* `w` and `a` are formats that the back end supports. */
    sim_status (*product)(const sim_arch *arch, const sim_gemm *gemm, sim_number w, sim_number a,
                          sim_kernel_cost *out, sim_err *err);
    void (*vector)(const sim_arch *arch, const sim_vector_work *work, sim_number a, sim_kernel_cost *out);
    /* The time of a whole step of `cycles` and dynamic energy `dynamic_j` when it goes on for long: what a
     * power cap makes of it; `cycles` in a burst. */
    double (*step_cycles)(const sim_arch *arch, double cycles, double dynamic_j);
} sim_kernels;

typedef struct sim_backend {
    const char *name;
    const char *summary; /* one line for `simacc list backends` */

    /* Keys of its own, beside the shared ones of arch.c; and shared keys that it does not take. */
    const sim_param *params;
    int param_count;
    const char *const *refused_keys; /* NULL-terminated; NULL: none */

    /* How it runs a convolution of `channels` input channels per group; never SIM_CONV_AUTO. NULL: implicit
     * GEMM. array.conv overrides it. */
    sim_conv_method (*convolution)(const sim_arch *arch, int64_t channels);
    /* Consistency across keys, after all keys have been read. */
    sim_status (*check)(const sim_arch *arch, sim_err *err);
    /* Whether a product of these operands can run; a false answer fills `why` (what is supported). */
    bool (*supports)(const sim_arch *arch, sim_number w, sim_number a, char *why, size_t why_size);
    /* The ways to run `gemm`, at most SIM_WAYS_MAX; returns how many (0 never). */
    int (*ways)(const sim_arch *arch, const sim_gemm *gemm, sim_way ways[SIM_WAYS_MAX]);
    /* Compute cycles of a mapping that the search chose. Exact where the model is. */
    sim_status (*compute)(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                          const sim_tiling *tiling, sim_compute *out, sim_err *err);
    /* Most multiply-accumulates per cycle at these widths, all arrays together. */
    double (*peak_macs_per_cycle)(const sim_arch *arch, int w_bits, int a_bits);
    void (*hardware)(const sim_arch *arch, sim_hardware *out);
    /* Not NULL: priced by kernels; then ways, compute and convolution are not called. */
    const sim_kernels *kernels;
    /* What a plain number of bits means where no format is given (16 and 32 bits are floats on a GPU); NULL:
     * an integer. */
    sim_number (*plain)(int bits);
} sim_backend;

/* All back ends, NULL-terminated, and look-up by name (NULL when unknown). */
extern const sim_backend *const sim_backends[];
const sim_backend *sim_backend_find(const char *name);

#endif
