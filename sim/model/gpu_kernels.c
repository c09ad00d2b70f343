/* Kernels of GPUs: their names, where their parameters start, and which one runs a product. */
#include "model/gpu.h"

#include <math.h>
#include <string.h>

const char *const sim_gpu_math_names[] = {"fp32", "fp16", "bf16", "fp8", "int8", "int4", NULL};
const char *const sim_gpu_kernel_names[] = {"gemm_fp16", "gemm_bf16", "gemm_fp32", "gemm_w8a8", "gemm_w4a16",
                                            "gemm_fp8",  "softmax",   "rmsnorm",   "quantize",  "residual",
                                            "copy",      "empty",     NULL};
const char *const sim_gpu_regime_names[] = {"burst", "sustained", NULL};
const char *const sim_gpu_dispatch_names[] = {"graph", "host", NULL};
const char *const sim_gpu_attention_names[] = {"auto", "flash", "per_head", "unfused", NULL};
const char *const sim_gpu_parameter_names[] = {"c_us", "es", "em", "q", "lam", "k0", "al", "rr", "th", NULL};

/* ---- starting values ----------------------------------------------------------------------------- */

/* In the order of sim_gpu_parameter. Centres, spreads and bounds of a comparison of laws on published
 * measurements of T4, A100 and H100 (DeepBench, vidur, NeuSight, vLLM; README, "GPU"). */
const double sim_gpu_prior_sd[SIM_GPU_PARAMETERS] = {.7, .25, .2, .35, .4, .8, .5, .8, .7};
const double sim_gpu_least[SIM_GPU_PARAMETERS] = {.05, .05, .1, 1, .01, 1, .05, .01, .005};
const double sim_gpu_most[SIM_GPU_PARAMETERS] = {60, 1.1, 1.2, 12, 2, 600, 1, 5, 3};

static const double start[SIM_GPU_PARAMETERS] = {5, .62, .8, 2.4, .45, 120, .5, .3, .25};

/* Tensor cores: the tiles that libraries choose among from the largest to what m of a few tokens needs. */
static const sim_gpu_tile tensor_tiles[] = {{256, 128}, {128, 256}, {128, 128},
                                            {64, 128},  {64, 64},   {32, 128}};
/* Weight-only kernels are made for few rows. */
static const sim_gpu_tile weight_only_tiles[] = {{256, 128}, {128, 256}, {128, 128}, {64, 128},
                                                 {32, 128},  {16, 128},  {16, 64}};
/* Widening an element, in multiply-accumulates: two to four instructions for a pair at 64 lanes a cycle would
 * be 16 of the 512 to 1024 that the tensor cores do, most of it overlapped. With 4 the published times of
 * Marlin on an RTX 2080 Ti (vLLM PR 29901, W4A16 g128, 1024 x 2048) are met within 25% from m = 32 to 4096;
 * below that what is missed is the launch. */
static const double widening = 4;

/* Fused multiply-adds: small tiles, since a block has no tensor core to feed. */
static const sim_gpu_tile scalar_tiles[] = {{128, 128}, {128, 64}, {64, 128}, {64, 64}, {128, 32},
                                            {32, 128},  {64, 32},  {32, 64},  {32, 32}};

static void set_tiles(sim_gpu_kernel *kernel, const sim_gpu_tile *tiles, size_t size)
{
    memcpy(kernel->tiles, tiles, size);
    kernel->tile_count = (int)(size / sizeof *tiles);
}

void sim_gpu_kernel_start(sim_gpu_kernel_kind kind, sim_gpu_kernel *out)
{
    *out = (sim_gpu_kernel){
        .kind = kind, .impl = "", .is_default = true, .tau_us = 200, .k_step = 32, .source = ""};
    out->occupancy_least = 1;
    out->occupancy_most = 4;
    out->residual_weight_frac = .7;
    out->mape_pct = out->held_out_mape_pct = NAN;
    memcpy(out->parameter, start, sizeof start);
    switch (kind) {
    case SIM_KERNEL_GEMM_FP32:
        out->parameter[SIM_GPU_ES] = .5;
        out->k_step = 8;
        out->occupancy_least = 2;
        out->occupancy_most = 8;
        set_tiles(out, scalar_tiles, sizeof scalar_tiles);
        break;
    case SIM_KERNEL_GEMM_W4A16:
        out->dequant_frac = widening;
        set_tiles(out, weight_only_tiles, sizeof weight_only_tiles);
        break;
    case SIM_KERNEL_GEMM_W8A8:
    case SIM_KERNEL_GEMM_FP8:
        out->k_step = 64;
        out->dequant_frac = widening;
        set_tiles(out, tensor_tiles, sizeof tensor_tiles);
        break;
    case SIM_KERNEL_GEMM_FP16:
    case SIM_KERNEL_GEMM_BF16:
        out->dequant_frac = widening;
        set_tiles(out, tensor_tiles, sizeof tensor_tiles);
        break;
    default: /* vector kernels */
        break;
    }
}

/* ---- which kernel -------------------------------------------------------------------------------- */

const sim_gpu_kernel *sim_gpu_kernel_find(const sim_gpu_calibration *calibration, sim_gpu_kernel_kind kind,
                                          const char *impl, sim_gpu_regime regime)
{
    const sim_gpu_kernel *best = NULL;
    int best_score = -1;

    for (int64_t i = 0; calibration && i < calibration->kernel_count; i++) {
        const sim_gpu_kernel *k = &calibration->kernels[i];
        int score;

        if (k->kind != kind)
            continue;
        score = (k->regime == regime ? 2 : 0) + (k->is_default ? 1 : 0);
        if (impl && *impl && strcmp(k->impl, impl) == 0)
            score += 4;
        if (score > best_score) {
            best_score = score;
            best = k;
        }
    }
    return best;
}

/* Kernels that load the same units in the same way, nearest first; SIM_KERNEL_COUNT ends a list. */
enum { RELATIVES = 4 };

static const sim_gpu_kernel_kind relatives[SIM_KERNEL_COUNT][RELATIVES] = {
    [SIM_KERNEL_GEMM_FP16] = {SIM_KERNEL_GEMM_BF16, SIM_KERNEL_COUNT},
    [SIM_KERNEL_GEMM_BF16] = {SIM_KERNEL_GEMM_FP16, SIM_KERNEL_COUNT},
    [SIM_KERNEL_GEMM_FP32] = {SIM_KERNEL_COUNT},
    [SIM_KERNEL_GEMM_W8A8] = {SIM_KERNEL_GEMM_FP8, SIM_KERNEL_GEMM_FP16, SIM_KERNEL_COUNT},
    [SIM_KERNEL_GEMM_W4A16] = {SIM_KERNEL_GEMM_FP16, SIM_KERNEL_GEMM_BF16, SIM_KERNEL_COUNT},
    [SIM_KERNEL_GEMM_FP8] = {SIM_KERNEL_GEMM_W8A8, SIM_KERNEL_GEMM_FP16, SIM_KERNEL_COUNT},
    [SIM_KERNEL_SOFTMAX] = {SIM_KERNEL_RMSNORM, SIM_KERNEL_RESIDUAL, SIM_KERNEL_COPY, SIM_KERNEL_COUNT},
    [SIM_KERNEL_RMSNORM] = {SIM_KERNEL_SOFTMAX, SIM_KERNEL_RESIDUAL, SIM_KERNEL_COPY, SIM_KERNEL_COUNT},
    [SIM_KERNEL_QUANTIZE] = {SIM_KERNEL_RESIDUAL, SIM_KERNEL_COPY, SIM_KERNEL_COUNT},
    [SIM_KERNEL_RESIDUAL] = {SIM_KERNEL_COPY, SIM_KERNEL_QUANTIZE, SIM_KERNEL_COUNT},
    [SIM_KERNEL_COPY] = {SIM_KERNEL_RESIDUAL, SIM_KERNEL_COUNT},
    [SIM_KERNEL_EMPTY] = {SIM_KERNEL_COUNT},
};

/* A time taken from the host holds the dispatch too. A graph saves the floor, and of c_us what is above an
 * ordinary launch: c_us of norms measured in PyTorch on a T4 is 42 us, in a TensorRT engine 3. */
static void dispatch(const sim_arch *arch, const sim_gpu_kernel *start_of_kind, sim_gpu_kernel *kernel)
{
    double launch_us = start_of_kind->parameter[SIM_GPU_C];

    if (kernel->dispatch != SIM_DISPATCH_HOST || arch->gpu.dispatch != SIM_DISPATCH_GRAPH)
        return;
    kernel->floor_us = 0;
    kernel->parameter[SIM_GPU_C] = fmin(kernel->parameter[SIM_GPU_C], launch_us);
}

/* Of a kind, or of one that uses the device alike, as the engine has it. */
static const sim_gpu_kernel *of_engine(const sim_arch *arch, sim_gpu_kernel_kind kind)
{
    const sim_gpu_kernel *known =
        sim_gpu_kernel_find(arch->calibration, kind, arch->gpu.engine, (sim_gpu_regime)arch->gpu.regime);

    return known && strcmp(known->impl, arch->gpu.engine) == 0 ? known : NULL;
}

/* The engine's own kernel or its nearest relative, before what others have of the kind. */
static const sim_gpu_kernel *engine_kernel(const sim_arch *arch, sim_gpu_kernel_kind kind, bool *relative)
{
    const sim_gpu_kernel *known = sim_gpu_step_of(arch) ? of_engine(arch, kind) : NULL;

    *relative = false;
    for (int i = 0;
         !known && sim_gpu_step_of(arch) && i < RELATIVES && relatives[kind][i] != SIM_KERNEL_COUNT; i++) {
        known = of_engine(arch, relatives[kind][i]);
        *relative = known != NULL;
    }
    return known;
}

sim_gpu_basis sim_gpu_kernel_on(const sim_arch *arch, sim_gpu_kernel_kind kind, sim_gpu_kernel *out)
{
    sim_gpu_regime regime = (sim_gpu_regime)arch->gpu.regime;
    const char *impl = kind < SIM_KERNEL_GEMM_COUNT ? arch->gpu.impl[kind] : NULL;
    bool relative = false;
    const sim_gpu_kernel *known = impl && *impl ? NULL : engine_kernel(arch, kind, &relative);
    sim_gpu_kernel own;

    sim_gpu_kernel_start(kind, &own);
    if (!known)
        known = sim_gpu_kernel_find(arch->calibration, kind, impl, regime);
    if (known && !relative) {
        *out = *known;
        dispatch(arch, &own, out);
        return SIM_GPU_CALIBRATED;
    }
    for (int i = 0; i < RELATIVES && relatives[kind][i] != SIM_KERNEL_COUNT && !known; i++)
        known = sim_gpu_kernel_find(arch->calibration, relatives[kind][i], NULL, regime);
    if (!known) {
        *out = own;
        return SIM_GPU_STARTING;
    }
    *out = *known;
    dispatch(arch, &own, out);
    out->kind = kind;
    out->k_step = own.k_step;
    out->dequant_frac = own.dequant_frac;
    if (kind == SIM_KERNEL_GEMM_W4A16)
        set_tiles(out, own.tiles, (size_t)own.tile_count * sizeof *own.tiles);
    out->residual_count = 0; /* of its own shapes, not of this kernel's */
    return SIM_GPU_RELATIVE;
}

sim_gpu_kernel_kind sim_gpu_vector_kernel(sim_op op)
{
    switch (op) {
    case SIM_OP_SOFTMAX:
        return SIM_KERNEL_SOFTMAX;
    case SIM_OP_NORM:
        return SIM_KERNEL_RMSNORM;
    case SIM_OP_EMBEDDING:
        return SIM_KERNEL_COPY;
    case SIM_OP_QUANTIZE:
        return SIM_KERNEL_QUANTIZE;
    default:
        return SIM_KERNEL_RESIDUAL;
    }
}

/* ---- engines ------------------------------------------------------------------------------------- */

const sim_gpu_step *sim_gpu_step_of(const sim_arch *arch)
{
    const sim_gpu_step *step = arch->calibration ? arch->calibration->step : NULL;

    return step && arch->gpu.engine && strcmp(arch->gpu.engine, step->impl) == 0 ? step : NULL;
}

sim_gpu_attention sim_gpu_attention_of(const sim_arch *arch, int64_t m)
{
    const sim_gpu_step *step = sim_gpu_step_of(arch);
    sim_gpu_attention way = (sim_gpu_attention)arch->gpu.attention;

    if (way == SIM_ATTENTION_AUTO && step)
        way = (sim_gpu_attention)step->attention;
    if (way == SIM_ATTENTION_AUTO || (way == SIM_ATTENTION_PER_HEAD && m > SIM_GPU_HEAD_ROWS_MAX))
        way = SIM_ATTENTION_FLASH;
    return way;
}

double sim_gpu_mac_fj(const sim_arch *arch, sim_gpu_math math)
{
    const sim_gpu_step *step = sim_gpu_step_of(arch);

    return step && step->mac_fj[math] > 0 ? step->mac_fj[math] : arch->gpu.mac_fj[math];
}

/* ---- which math ---------------------------------------------------------------------------------- */

/* Whether a second operand of this format can be widened to `math` in registers: float weights exactly,
 * integer ones scaled and rounded to the float, at any width below 16 bits, as every weight-only kernel does.
 */
static bool holds(sim_gpu_math math, sim_number x)
{
    bool integer = x.format == SIM_FORMAT_INT;

    switch (math) {
    case SIM_GPU_INT4:
        return integer && x.bits <= 4;
    case SIM_GPU_INT8:
        return integer && x.bits <= 8;
    case SIM_GPU_FP8:
        return x.format == SIM_FORMAT_FP8;
    case SIM_GPU_FP16:
        return (integer && x.bits < 16) || x.format == SIM_FORMAT_FP8 ||
               (x.format == SIM_FORMAT_FP && x.bits == 16);
    case SIM_GPU_BF16:
        return (integer && x.bits < 16) || x.format == SIM_FORMAT_FP8 || x.format == SIM_FORMAT_BF;
    case SIM_GPU_FP32:
        return (integer && x.bits < 16) || x.format == SIM_FORMAT_FP8 || x.format == SIM_FORMAT_BF ||
               (x.format == SIM_FORMAT_FP && x.bits <= 32);
    default:
        return false;
    }
}

/* Whether activations of this format may be multiplied in `math`: floats in their own alone; integers also as
 * floats, where the other operand is one (an fp16 KV cache under a8), exactly up to 8 bits. */
static bool takes(sim_gpu_math math, sim_number a, bool integers)
{
    switch (math) {
    case SIM_GPU_INT4:
    case SIM_GPU_INT8:
        return integers && holds(math, a);
    case SIM_GPU_FP8:
        return a.format == SIM_FORMAT_FP8;
    case SIM_GPU_FP16:
        return (a.format == SIM_FORMAT_FP && a.bits == 16) ||
               (a.format == SIM_FORMAT_INT && a.bits <= 8 && !integers);
    case SIM_GPU_BF16:
        return a.format == SIM_FORMAT_BF || (a.format == SIM_FORMAT_INT && a.bits <= 8 && !integers);
    case SIM_GPU_FP32:
        return (a.format == SIM_FORMAT_FP && a.bits == 32) ||
               (a.format == SIM_FORMAT_INT && a.bits <= 8 && !integers);
    default:
        return false;
    }
}

bool sim_gpu_kernel_of(const sim_arch *arch, sim_number w, sim_number a, sim_gpu_kernel_kind *kind,
                       sim_gpu_math *math)
{
    /* Narrowest first. */
    static const struct {
        sim_gpu_math math;
        sim_gpu_kernel_kind kind;
    } ways[] = {
        {SIM_GPU_INT4, SIM_KERNEL_GEMM_W8A8}, {SIM_GPU_INT8, SIM_KERNEL_GEMM_W8A8},
        {SIM_GPU_FP8, SIM_KERNEL_GEMM_FP8},   {SIM_GPU_FP16, SIM_KERNEL_GEMM_FP16},
        {SIM_GPU_BF16, SIM_KERNEL_GEMM_BF16}, {SIM_GPU_FP32, SIM_KERNEL_GEMM_FP32},
    };
    bool integers = w.format == SIM_FORMAT_INT && a.format == SIM_FORMAT_INT;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        sim_gpu_math at = ways[i].math;

        if (arch->gpu.mac_per_cycle_sm[at] <= 0 || !holds(at, w) || !takes(at, a, integers))
            continue;
        *math = at;
        *kind = ways[i].kind;
        /* Weight-only, of any width and integer or not. */
        if ((at == SIM_GPU_FP16 || at == SIM_GPU_BF16) && a.bits == 16 && w.bits < 16)
            *kind = SIM_KERNEL_GEMM_W4A16;
        return true;
    }
    return false;
}
