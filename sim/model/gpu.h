/* Latency of GPU kernels: the law that calibration fits and the back end `gpu` applies.
 *
 * GEMM m x n x k, batch: bytes a_bytes per activation, w_bytes per weight (scales included), out_bytes per
 * output. Device: S multiprocessors, R peak flop/us of the math at the clock, BW byte/us, L2 bytes. For each
 * tile (tm, tn) of the kernel and split s in {1, 2, 4} of k (s > 1 only if k/s >= 128 and at most 16 S
 * tiles):
 *
 *   mt = ceil(m/tm)  nt = ceil(n/tn)  x = mt nt batch s / S     ks = ceil(k/(s step)) step
 *   W  = x <= 1 ? 1 : (1 - al) x + al ceil(x)                   partial waves
 *   e  = es (1+lam)(1+th) / (1 + lam (64/tm + 64/tn))           es: sustained, of a 128x128 tile
 *   T0 = W 2 tm tn (ks + k0) S / (R e)                          k0: prologue
 *   Tc = T0 (1 + th T0 / (T0 + tau))                            long kernels lose clock
 *   Tm = (compulsory bytes + re-reads that L2 does not catch) / (BW em)
 *   t  = c + (Tc^q + Tm^q)^(1/q) + (s > 1) 8 s m n batch rr / BW
 *   latency = least over tiles and splits; host-dispatched: (F^8 + latency^8)^(1/8)
 *
 * Re-reads: Q = S clip(32768/(tm tn), least, most) tiles run at once as a block of gm x gn,
 *   gm = min(mt, max(sqrt(Q tn/tm), Q/nt))  gn = max(min(nt, Q/max(gm,1)), 1)  w = max(mt nt/(gm gn), 1)
 *   re = max(batch (w (gm tm a + gn tn b) k - (m a + n b) k), 0) / (1 + (0.5 L2 / ((m a + n b) k))^2)
 * Weights of fewer bits than the math are turned into it tile by tile: T0 grows by
 *   W dequant_frac 2 tn (ks + k0) S / R        whatever tm: once per tile of outputs
 * and activations of fewer bits likewise by W dequant_frac 2 tm (ks + k0) S / R.
 * Inside a step the activations that the kernel before left in L2 are not fetched: of a tensor pair of b
 * bytes cold = 1 / (1 + (0.5 L2 / b)^2)     the law of the re-reads; weights always are
 *
 * Source of the form: a comparison of seven laws on published measurements of T4, A100 and H100 (see README,
 * "GPU"); a hard max() is wrong at the knee, and more parameters did not predict unseen shapes better. */
#ifndef SIM_MODEL_GPU_H
#define SIM_MODEL_GPU_H

#include "model/types.h"

/* The device as the law sees it. */
typedef struct sim_gpu_rates {
    double sms, flop_per_us, byte_per_us, l2_bytes;
} sim_gpu_rates;

/* At `clock_mhz` (0: the arch's). */
void sim_gpu_rates_of(const sim_arch *arch, sim_gpu_math math, double clock_mhz, sim_gpu_rates *out);

typedef struct sim_gpu_gemm {
    int64_t m, n, k, batch;
    double a_bytes, w_bytes, out_bytes; /* per element */
    double a_cold_frac, out_cold_frac; /* of the activations, what moves between DRAM and L2; 0 counts as 1 */
    bool dequantized;                  /* weights are narrower than the math */
    bool widened_a;                    /* activations are; same cost per element of an activation tile */
} sim_gpu_gemm;

/* One GEMM; also which part bounds it. Parameters are taken as they are (no clamping). */
typedef struct sim_gpu_time {
    double us;         /* floor included, residual not */
    double compute_us; /* Tc */
    double memory_us;  /* Tm */
    double bytes;      /* DRAM: compulsory and re-reads */
    sim_gpu_tile tile;
    int split;
} sim_gpu_time;

void sim_gpu_gemm_time(const sim_gpu_rates *rates, const sim_gpu_kernel *kernel, const sim_gpu_gemm *gemm,
                       sim_gpu_time *out);

/* Fused attention with one block for each of `heads` heads (of all sequences): the product of m queries and n
 * keys over k runs in waves of whole heads, so that small batches leave multiprocessors idle,
 *   Tc = W 2 m n k S / (R ae)   W as above of x = heads / S      t = c + (Tc^q + Tm^q)^(1/q)
 * Source: TensorRT's fused kernels for up to 512 tokens launch batch x heads blocks; with tiles shared among
 * blocks instead, BERT of 384 tokens at batch 1 comes out 15 to 25% fast on A30, L4 and L40S. */
void sim_gpu_head_time(const sim_gpu_rates *rates, const sim_gpu_kernel *kernel, double attention_es_frac,
                       const sim_gpu_gemm *gemm, sim_gpu_time *out);

/* Waves of x blocks per multiprocessor: (1 - al) x + al ceil(x), at least 1. */
double sim_gpu_waves(double x, double al);

/* The part of `bytes` of activations that L2 does not hold from one kernel to the next. */
double sim_gpu_cold_frac(double l2_bytes, double bytes);

/* A vector kernel over `rows` rows of `row_elements`, moving `bytes` in all: launch + bytes / (BW em), and
 * for kernels that reduce along rows row_us per element of a row; floor blended as above. */
double sim_gpu_vector_us(const sim_gpu_rates *rates, const sim_gpu_kernel *kernel, int64_t rows,
                         int64_t row_elements, double bytes);

/* What is added to the log time of a shape: the interpolated residual of the shape (linear in log m within
 * the same (n, k), flat beyond the ends), or of one that was not measured what near shapes leave, drawn to 0;
 * times its weight. 0 without residuals. */
double sim_gpu_residual_of(const sim_gpu_kernel *kernel, int64_t n, int64_t k, int64_t m);

/* The kernel of a kind: of `impl` when it is given and known, else the default one, else any; NULL: none. */
const sim_gpu_kernel *sim_gpu_kernel_find(const sim_gpu_calibration *calibration, sim_gpu_kernel_kind kind,
                                          const char *impl, sim_gpu_regime regime);

/* Starting values of the law (and of vector kernels) for a kind: what is used without a calibration, and what
 * the fit's priors are centred on. prior_sd: of log parameters; least, most: bounds. */
void sim_gpu_kernel_start(sim_gpu_kernel_kind kind, sim_gpu_kernel *out);
extern const double sim_gpu_prior_sd[SIM_GPU_PARAMETERS], sim_gpu_least[SIM_GPU_PARAMETERS],
    sim_gpu_most[SIM_GPU_PARAMETERS];
extern const char *const sim_gpu_parameter_names[SIM_GPU_PARAMETERS + 1]; /* "c_us" "es" "em" ... */

/* The kernel of a vector operation: norms run as rmsnorm, look-ups as copy, all else elementwise as residual.
 */
sim_gpu_kernel_kind sim_gpu_vector_kernel(sim_op op);

/* What the parameters of a kernel come from. */
typedef enum sim_gpu_basis {
    SIM_GPU_CALIBRATED, /* measurements of this kernel */
    SIM_GPU_RELATIVE,   /* measurements of another kernel that uses the device alike */
    SIM_GPU_STARTING,   /* the starting values */
} sim_gpu_basis;

/* The kernel that `arch` runs a kind with: of the implementation that gpu.<kernel>_impl or gpu.engine names,
 * calibrated; or a relative's parameters with what the relative does not know from the starting values; or
 * those alone. Of kernels measured one by one from the host, what graphs do without is left out. */
sim_gpu_basis sim_gpu_kernel_on(const sim_arch *arch, sim_gpu_kernel_kind kind, sim_gpu_kernel *out);

/* The calibrated steps of the arch's engine; NULL: none, or no engine. */
const sim_gpu_step *sim_gpu_step_of(const sim_arch *arch);

/* How it makes the scores of `m` queries: its own key, else the engine's way, else flash; kernels of one
 * block per head exist up to SIM_GPU_HEAD_ROWS_MAX queries. Never AUTO. */
enum { SIM_GPU_HEAD_ROWS_MAX = 512 };
sim_gpu_attention sim_gpu_attention_of(const sim_arch *arch, int64_t m);

/* Energy of a multiply-accumulate, fJ: the engine's calibrated one, else the device's. */
double sim_gpu_mac_fj(const sim_arch *arch, sim_gpu_math math);

/* The device as `kernel` finds it: at the clock it was measured at, as far as the arch's clock is the one it
 * was fitted with, and in proportion otherwise. */
void sim_gpu_rates_for(const sim_arch *arch, const sim_gpu_kernel *kernel, sim_gpu_math math,
                       sim_gpu_rates *out);

/* Which kernel and math a product of these operands runs on; false: not on this device. Float activations run
 * in their own format, weights of fewer bits being widened to it in registers (GEMM_W4A16, whatever their
 * width, when that is fp16 or bf16); integers on the narrowest integer math that holds both (GEMM_W8A8); an
 * integer and a float in the float's format. */
bool sim_gpu_kernel_of(const sim_arch *arch, sim_number w, sim_number a, sim_gpu_kernel_kind *kind,
                       sim_gpu_math *math);

#endif
