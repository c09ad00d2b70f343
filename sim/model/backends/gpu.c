/* GPUs: tensor cores behind libraries of kernels. Each product and each vector operation is a kernel with
 * a launch, timed by the law of model/gpu.h with the parameters of the arch's calibration.
 *
 * Choices of this model:
 *  - Float activations are multiplied in their own format, integers on the narrowest integer math that
 *    holds both operands; the narrower operand is widened in registers. Attention too: qk and pv are integer
 *    when activations and KV cache are, and float when either is.
 *  - Fused attention is one kernel: its launch is counted with qk. Inside it tiles of few rows exist (decode
 *    has one query per head), and keys follow each other without a prologue.
 *  - A convolution is an implicit GEMM whose input is read once. Grouped ones, whose groups leave most of a
 *    tile empty, may also run as a direct kernel on the fp32 lanes, as libraries run depthwise layers: the
 *    faster of the two.
 *  - In an engine activations that the kernel before left in L2 are not fetched, as far as they fit; weights
 *    and the KV cache always are. A step starts and ends in DRAM.
 *  - A kernel is never faster than peak rate or peak bandwidth, whatever was fitted. */
#include "model/backend.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- keys ---------------------------------------------------------------------------------------- */

#define AT(field)  offsetof(sim_arch, field)
#define GPU(field) offsetof(sim_arch, gpu.field)

#define MATH(name, index, where, fallback)                                                                   \
    {"gpu." name "_mac_per_cycle_sm",                                                                        \
     "MAC/cycle",                                                                                            \
     SIM_PARAM_REAL,                                                                                         \
     GPU(mac_per_cycle_sm) + (index) * sizeof(double),                                                       \
     0,                                                                                                      \
     1 << 20,                                                                                                \
     fallback,                                                                                               \
     NULL,                                                                                                   \
     "Multiply-accumulates of " name " per cycle of a multiprocessor, " where "; 0: it has none."},          \
    {                                                                                                        \
        "gpu." name "_mac_fj", "fJ", SIM_PARAM_REAL, GPU(mac_fj) + (index) * sizeof(double), 0, 1e9, "",     \
            NULL, "Energy of a multiply-accumulate of " name ", moving its operands on chip included."       \
    }

#define IMPL(name, index)                                                                                    \
    {                                                                                                        \
        "gpu." name "_impl", "", SIM_PARAM_TEXT, GPU(impl) + (index) * sizeof(char *), 0, 0, "", NULL,       \
            "Implementation whose calibration " name " kernels use; none: the calibration's default."        \
    }

static const sim_param params[] = {
    {"gpu.sms", "", SIM_PARAM_INT, GPU(sms), 1, 4096, NULL, NULL, "Streaming multiprocessors."},
    MATH("fp32", SIM_GPU_FP32, "on the vector lanes", NULL),
    MATH("fp16", SIM_GPU_FP16, "on tensor cores", NULL),
    MATH("bf16", SIM_GPU_BF16, "on tensor cores", ""),
    MATH("fp8", SIM_GPU_FP8, "on tensor cores", ""),
    MATH("int8", SIM_GPU_INT8, "on tensor cores or, as dp4a, on the lanes", ""),
    MATH("int4", SIM_GPU_INT4, "on tensor cores", ""),
    {"gpu.l2_mib", "MiB", SIM_PARAM_REAL, GPU(l2_mib), 0.001, 1 << 20, NULL, NULL, "L2 cache."},
    {"gpu.regime", "", SIM_PARAM_ENUM, GPU(regime), 0, 0, "burst", sim_gpu_regime_names,
     "burst: a step from a cool start; sustained: step after step, under the power cap."},
    {"gpu.power_cap_w", "W", SIM_PARAM_REAL, GPU(power_cap_w), 0.1, 1e5, "", NULL,
     "Board power limit; none: never reached."},
    {"gpu.static_w", "W", SIM_PARAM_REAL, GPU(static_w), 0, 1e5, "0", NULL,
     "Board power at clocks under load when nothing runs: leakage, standby of the DRAM, regulators."},
    {"gpu.cap_sharpness", "", SIM_PARAM_REAL, GPU(cap_sharpness), 1, 100, "6", NULL,
     "Sharpness of the blend of a step's free time with what the power cap makes of it."},
    {"gpu.energy_provenance", "", SIM_PARAM_ENUM, GPU(energy_provenance), 0, 0, "assumed",
     sim_provenance_names, "How mac_fj and static_w were obtained."},
    {"gpu.vector_gop_s", "Gop/s", SIM_PARAM_REAL, GPU(vector_gop_s), 0.001, 1e9, "", NULL,
     "Vector operations per second; none: one per fp32 lane and cycle."},
    {"gpu.engine", "", SIM_PARAM_TEXT, GPU(engine), 0, 0, "", NULL,
     "Engine whose calibrated kernels and steps count, e.g. tensorrt; none: kernels as measured one by one."},
    {"gpu.dispatch", "", SIM_PARAM_ENUM, GPU(dispatch), 0, 0, "graph", sim_gpu_dispatch_names,
     "graph: kernels follow each other as in an engine or a captured graph; host: launched one by one."},
    {"gpu.attention", "", SIM_PARAM_ENUM, GPU(attention), 0, 0, "auto", sim_gpu_attention_names,
     "Attention kernel: flash, per_head (a block per head, to 512 tokens) or unfused; auto: the engine's."},
    {"gpu.l2_handoff", "", SIM_PARAM_BOOL, GPU(l2_handoff), 0, 0, "true", NULL,
     "With an engine: whether a kernel finds in L2 what the kernel before it left there."},
    /* The field of the shared key, with another default: later rows win. */
    {"gpu.output_bits", "bits", SIM_PARAM_INT, AT(output_bits), 1, 64, "16", NULL,
     "Width at which kernels leave their outputs; fp32 products leave 32."},
    {"calibration", "", SIM_PARAM_TEXT, AT(calibration_name), 0, 0, "none", NULL,
     "Fitted parameters: calib/NAME.cfg beside the file or among the shipped ones, a path, or none."},
    IMPL("gemm_fp16", SIM_KERNEL_GEMM_FP16),
    IMPL("gemm_bf16", SIM_KERNEL_GEMM_BF16),
    IMPL("gemm_fp32", SIM_KERNEL_GEMM_FP32),
    IMPL("gemm_w8a8", SIM_KERNEL_GEMM_W8A8),
    IMPL("gemm_w4a16", SIM_KERNEL_GEMM_W4A16),
    IMPL("gemm_fp8", SIM_KERNEL_GEMM_FP8),
};

static const char *const refused_keys[] = {"array.rows",
                                           "array.cols",
                                           "array.count",
                                           "array.dataflow",
                                           "array.timing",
                                           "array.w_bits",
                                           "array.a_bits",
                                           "array.acc_bits",
                                           "array.port_bits",
                                           "array.conv",
                                           "output_bits",
                                           "output_read_first",
                                           "buffers.weight_kib",
                                           "buffers.input_kib",
                                           "buffers.output_kib",
                                           "buffers.unified_kib",
                                           "buffers.double_buffered",
                                           "buffers.activations",
                                           "mapper.tiles",
                                           "mapper.latency",
                                           "mapper.slack_frac",
                                           "dram.efficiency",
                                           "dram.layout",
                                           "vector.lanes",
                                           "tech",
                                           NULL};

/* ---- consistency --------------------------------------------------------------------------------- */

/* An implementation that was asked for must be one that was measured. */
static void check_impl(const sim_arch *arch, int kind, sim_err *err)
{
    const sim_gpu_calibration *c = arch->calibration;
    const char *impl = arch->gpu.impl[kind], *name = sim_gpu_kernel_names[kind];
    char known[SIM_ERR_HINT] = "";

    if (!impl || !*impl)
        return;
    for (int64_t i = 0; c && i < c->kernel_count; i++) {
        const sim_gpu_kernel *k = &c->kernels[i];
        size_t used = strlen(known);

        if ((int)k->kind != kind || !*k->impl)
            continue;
        if (strcmp(k->impl, impl) == 0)
            return;
        if (!strstr(known, k->impl))
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", k->impl);
    }
    if (!c)
        sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "'gpu.%s_impl' needs a 'calibration'", name);
    else
        sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "'gpu.%s_impl': '%s' has no %s of '%s'", name, c->file,
                 name, impl);
    if (*known)
        sim_hint(err, "known: %s", known);
}

/* An engine that was asked for must be one whose steps were measured. */
static void check_engine(const sim_arch *arch, sim_err *err)
{
    const sim_gpu_calibration *c = arch->calibration;
    const char *engine = arch->gpu.engine;

    if (!engine || !*engine || sim_gpu_step_of(arch))
        return;
    if (!c) {
        sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "'gpu.engine' needs a 'calibration'");
        return;
    }
    sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "'gpu.engine': '%s' has no steps of '%s'", c->file, engine);
    if (c->step)
        sim_hint(err, "known: %s", c->step->impl);
    else
        sim_hint(err, "steps are calibrated by 'simacc calibrate --steps'");
}

static sim_status check(const sim_arch *arch, sim_err *err)
{
    const sim_gpu_device *gpu = &arch->gpu;
    int before = err->count + err->dropped;

    for (int i = 0; i < SIM_GPU_MATHS; i++)
        if (gpu->mac_per_cycle_sm[i] > 0 && gpu->mac_fj[i] <= 0) {
            sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "missing key 'gpu.%s_mac_fj'", sim_gpu_math_names[i]);
            sim_hint(err, "the device has a rate for it: 'gpu.%s_mac_per_cycle_sm'", sim_gpu_math_names[i]);
        }
    if (gpu->mac_per_cycle_sm[SIM_GPU_FP32] <= 0 || gpu->mac_per_cycle_sm[SIM_GPU_FP16] <= 0)
        sim_fail(err, SIM_BAD_INPUT, arch->file, 0,
                 "'gpu.fp32_mac_per_cycle_sm' and 'gpu.fp16_mac_per_cycle_sm' must be above 0");
    if (gpu->regime == SIM_REGIME_SUSTAINED && gpu->power_cap_w <= 0)
        sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "'gpu.regime' sustained needs 'gpu.power_cap_w'");
    if (gpu->power_cap_w > 0 && gpu->power_cap_w <= gpu->static_w)
        sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "'gpu.power_cap_w' must be above 'gpu.static_w'");
    for (int i = 0; i < SIM_KERNEL_GEMM_COUNT; i++)
        check_impl(arch, i, err);
    check_engine(arch, err);
    return err->count + err->dropped > before ? SIM_BAD_INPUT : SIM_OK;
}

/* ---- what it multiplies -------------------------------------------------------------------------- */

static sim_number plain(int bits)
{
    return (sim_number){bits == 16 || bits == 32 ? SIM_FORMAT_FP : SIM_FORMAT_INT, bits};
}

static bool supports(const sim_arch *arch, sim_number w, sim_number a, char *why, size_t why_size)
{
    const double *rate = arch->gpu.mac_per_cycle_sm;
    sim_gpu_kernel_kind kind;
    sim_gpu_math math;

    if (sim_gpu_kernel_of(arch, w, a, &kind, &math))
        return true;
    snprintf(why, why_size, "activations may be fp32, fp16%s%s%s; weights the same, or of fewer bits",
             rate[SIM_GPU_BF16] > 0 ? ", bf16" : "", rate[SIM_GPU_FP8] > 0 ? ", fp8" : "",
             rate[SIM_GPU_INT8] > 0 ? " or integers of at most 8 bits" : "");
    return false;
}

static double peak_of(const sim_arch *arch, sim_gpu_math math)
{
    return arch->gpu.mac_per_cycle_sm[math] * (double)arch->gpu.sms;
}

static double peak_macs_per_cycle(const sim_arch *arch, int w_bits, int a_bits)
{
    sim_gpu_kernel_kind kind;
    sim_gpu_math math;

    return sim_gpu_kernel_of(arch, plain(w_bits), plain(a_bits), &kind, &math) ? peak_of(arch, math) : 0;
}

static void hardware(const sim_arch *arch, sim_hardware *out)
{
    *out = (sim_hardware){
        .pes = arch->gpu.sms, .kind = SIM_PE_GPU, .w_bits = 16, .a_bits = 16, .banks = {1, 1, 1}};
}

static double vector_ops_per_us(const sim_arch *arch)
{
    return arch->gpu.vector_gop_s > 0 ? arch->gpu.vector_gop_s * 1e3
                                      : peak_of(arch, SIM_GPU_FP32) * arch->clock_mhz;
}

/* ---- products ------------------------------------------------------------------------------------ */

static bool is_as_wide(sim_number x, sim_gpu_math math)
{
    static const sim_number native[SIM_GPU_MATHS] = {
        [SIM_GPU_FP32] = {SIM_FORMAT_FP, 32}, [SIM_GPU_FP16] = {SIM_FORMAT_FP, 16},
        [SIM_GPU_BF16] = {SIM_FORMAT_BF, 16}, [SIM_GPU_FP8] = {SIM_FORMAT_FP8, 8},
        [SIM_GPU_INT8] = {SIM_FORMAT_INT, 8}, [SIM_GPU_INT4] = {SIM_FORMAT_INT, 4},
    };

    return x.format == native[math].format && x.bits == native[math].bits;
}

static void shape_of(const sim_gemm *g, sim_number w, sim_number a, sim_gpu_math math, sim_gpu_gemm *out)
{
    double m = (double)g->extent[SIM_M], n = (double)g->extent[SIM_N], k;

    *out = (sim_gpu_gemm){.m = g->extent[SIM_M],
                          .n = g->extent[SIM_N],
                          .k = g->extent[SIM_K] * sim_taps(g),
                          .batch = g->batch,
                          .dequantized = !is_as_wide(w, math),
                          .widened_a = !is_as_wide(a, math)};
    k = (double)out->k;
    /* What is stored, scales and padding included, spread over the elements. */
    if (!g->on_chip[SIM_OPERAND_INPUT])
        out->a_bytes = (double)g->a_stored_bits / 8 / (m * k);
    if (!g->on_chip[SIM_OPERAND_WEIGHT])
        out->w_bytes = ((double)g->w_stored_bits + (double)g->w_once_bits) / 8 / (n * k);
    if (!g->on_chip[SIM_OPERAND_OUTPUT])
        out->out_bytes = (double)g->out_stored_bits / 8 / (m * n);
}

/* Kernels calibrated one by one were timed with whatever their caches held: that is in their efficiencies. An
 * engine's were fitted within steps. */
static bool hands_on(const sim_arch *arch)
{
    return arch->gpu.l2_handoff && sim_gpu_step_of(arch) != NULL;
}

/* What L2 hands on from kernel to kernel is not fetched. */
static void hand_on(const sim_arch *arch, const sim_gpu_rates *rates, const sim_gemm *g, sim_gpu_gemm *shape)
{
    double batch = (double)g->batch, m = (double)shape->m;
    double in = m * (double)shape->k * shape->a_bytes, out = m * (double)shape->n * shape->out_bytes;
    double cold = sim_gpu_cold_frac(rates->l2_bytes, batch * (in + out));

    if (!hands_on(arch))
        return;
    shape->a_cold_frac = g->handed_in ? cold : 1;
    shape->out_cold_frac = g->handed_on ? cold : 1;
}

/* Efficiency of an attention kernel's products: the engine's, else as of any product. */
static double attention_es(const sim_arch *arch, sim_gpu_math math, const sim_gpu_kernel *kernel)
{
    const sim_gpu_step *step = sim_gpu_step_of(arch);

    return step && step->attention_es[math] > 0 ? step->attention_es[math] : kernel->parameter[SIM_GPU_ES];
}

/* Inside a fused attention kernel. */
static void fuse(const sim_gemm *g, sim_gpu_kernel *kernel)
{
    static const sim_gpu_tile tiles[] = {{128, 128}, {64, 128}, {64, 64}, {32, 64}, {16, 64}};

    kernel->parameter[SIM_GPU_K0] = 0;
    memcpy(kernel->tiles, tiles, sizeof tiles);
    kernel->tile_count = sizeof tiles / sizeof *tiles;
    if (g->on_chip[SIM_OPERAND_INPUT])
        kernel->parameter[SIM_GPU_C] = kernel->floor_us = 0;
}

/* A grouped convolution, straight on the fp32 lanes: launch, then all operands once or all operations. */
static void direct_time(const sim_arch *arch, const sim_gpu_rates *rates, const sim_gpu_kernel *kernel,
                        const sim_gpu_gemm *g, double macs, sim_gpu_time *time)
{
    double m = (double)g->m, n = (double)g->n, k = (double)g->k;
    double bytes = (double)g->batch * ((m * g->a_bytes + n * g->w_bytes) * k + m * n * g->out_bytes);
    double memory_us = bytes / (rates->byte_per_us * kernel->parameter[SIM_GPU_EM]);
    double compute_us = macs / (vector_ops_per_us(arch) * kernel->parameter[SIM_GPU_ES]);
    double us = kernel->parameter[SIM_GPU_C] + fmax(memory_us, compute_us);

    if (us < time->us)
        *time = (sim_gpu_time){
            .us = us, .compute_us = compute_us, .memory_us = memory_us, .bytes = bytes, .split = 1};
}

static sim_status product(const sim_arch *arch, const sim_gemm *gemm, sim_number w, sim_number a,
                          sim_kernel_cost *out, sim_err *err)
{
    double macs = (double)gemm->extent[SIM_M] * (double)gemm->extent[SIM_N] * (double)gemm->extent[SIM_K] *
                  (double)sim_taps(gemm) * (double)gemm->batch;
    double written, measured, least_us;
    sim_gpu_kernel_kind kind;
    sim_gpu_kernel kernel;
    sim_gpu_rates rates;
    sim_gpu_gemm shape;
    sim_gpu_time time;

    *out = (sim_kernel_cost){0};
    if (!sim_gpu_kernel_of(arch, w, a, &kind, &out->math))
        return sim_fail(err, SIM_INTERNAL, arch->file, 0, "no kernel for these operands");
    sim_gpu_kernel_on(arch, kind, &kernel);
    sim_gpu_rates_for(arch, &kernel, out->math, &rates);
    shape_of(gemm, w, a, out->math, &shape);
    hand_on(arch, &rates, gemm, &shape);
    if (gemm->on_chip[SIM_OPERAND_INPUT] || gemm->on_chip[SIM_OPERAND_OUTPUT])
        fuse(gemm, &kernel);
    if ((gemm->on_chip[SIM_OPERAND_INPUT] || gemm->on_chip[SIM_OPERAND_OUTPUT]) &&
        sim_gpu_attention_of(arch, shape.m) == SIM_ATTENTION_PER_HEAD)
        sim_gpu_head_time(&rates, &kernel, attention_es(arch, out->math, &kernel), &shape, &time);
    else
        sim_gpu_gemm_time(&rates, &kernel, &shape, &time);
    if (sim_is_conv(gemm) && gemm->batch > 1)
        direct_time(arch, &rates, &kernel, &shape, macs, &time);
    written = (double)gemm->batch * (double)shape.m * (double)shape.n * shape.out_bytes * 8 *
              (shape.out_cold_frac > 0 ? shape.out_cold_frac : 1);
    measured = exp(sim_gpu_residual_of(&kernel, shape.n, shape.k, shape.m));

    out->peak_macs_per_cycle = peak_of(arch, out->math);
    least_us = fmax(macs / (out->peak_macs_per_cycle * arch->clock_mhz), time.bytes / rates.byte_per_us);
    out->cycles = fmax(time.us * measured, least_us) * arch->clock_mhz;
    out->compute_cycles = fmin(time.compute_us * measured * arch->clock_mhz, out->cycles);
    out->memory_cycles = fmin(time.memory_us * measured * arch->clock_mhz, out->cycles);
    out->launch_cycles = kernel.parameter[SIM_GPU_C] * measured * arch->clock_mhz;
    out->counts.of[SIM_EVENT_MAC] = macs;
    out->counts.of[SIM_EVENT_DRAM_READ] = fmax(time.bytes * 8 - written, 0);
    out->counts.of[SIM_EVENT_DRAM_WRITE] = written;
    return SIM_OK;
}

/* ---- vector operations --------------------------------------------------------------------------- */

/* How much longer heads take that are not shared among multiprocessors than such that are. */
static double whole_heads(const sim_arch *arch, int64_t heads)
{
    double x = (double)heads / (double)arch->gpu.sms;
    sim_gpu_kernel gemm;

    sim_gpu_kernel_on(arch, SIM_KERNEL_GEMM_FP16, &gemm);
    return sim_gpu_waves(x, gemm.parameter[SIM_GPU_AL]) / x;
}

static void vector(const sim_arch *arch, const sim_vector_work *work, sim_number a, sim_kernel_cost *out)
{
    double compute_us = work->ops / vector_ops_per_us(arch);
    double moved = (work->read_bits + work->written_bits) / 8, cold = 1, read, written, bytes, us, memory_us;
    sim_gpu_kernel kernel;
    sim_gpu_rates rates;

    (void)a;
    sim_gpu_kernel_on(arch, sim_gpu_vector_kernel(work->op), &kernel);
    sim_gpu_rates_for(arch, &kernel, SIM_GPU_FP32, &rates);
    if (hands_on(arch))
        cold = sim_gpu_cold_frac(rates.l2_bytes, moved);
    read = work->read_bits * (work->handed_in ? cold : 1);
    written = work->written_bits * (work->handed_on ? cold : 1);
    bytes = (read + written) / 8;
    if (work->heads > 0 && sim_gpu_attention_of(arch, work->rows / work->heads) == SIM_ATTENTION_PER_HEAD)
        compute_us *= whole_heads(arch, work->heads);
    if (moved > 0) {
        us = sim_gpu_vector_us(&rates, &kernel, work->rows, work->row_elements, bytes);
        us = fmax(us, kernel.parameter[SIM_GPU_C] + compute_us);
        us = fmax(us, bytes / rates.byte_per_us);
    } else { /* inside a fused kernel: neither a launch nor DRAM */
        kernel.parameter[SIM_GPU_C] = 0;
        us = compute_us;
    }
    memory_us = fmin(us, bytes / (rates.byte_per_us * kernel.parameter[SIM_GPU_EM]));
    *out = (sim_kernel_cost){
        .cycles = us * arch->clock_mhz,
        .compute_cycles = compute_us * arch->clock_mhz,
        .memory_cycles = memory_us * arch->clock_mhz,
        .launch_cycles = kernel.parameter[SIM_GPU_C] * arch->clock_mhz,
        .math = SIM_GPU_FP32,
    };
    out->counts.of[SIM_EVENT_VECTOR_OP] = work->ops;
    out->counts.of[SIM_EVENT_DRAM_READ] = read;
    out->counts.of[SIM_EVENT_DRAM_WRITE] = written;
}

/* ---- the whole step ------------------------------------------------------------------------------ */

/* An engine's step takes t0 beside its kernels. Under a cap P on board power, of which static power takes P0,
 * dynamic energy E takes at least E / (P - P0): T = (T_free^q + (E / (P - P0))^q)^(1/q). Fitted on BERT end
 * to end on a T4, q about 6; it belongs to the step, since the governor reacts in milliseconds, not to its
 * kernels. */
static double step_cycles(const sim_arch *arch, double cycles, double dynamic_j)
{
    const sim_gpu_device *gpu = &arch->gpu;
    const sim_gpu_step *step = sim_gpu_step_of(arch);
    double capped, longer;

    if (step)
        cycles += step->t0_us * arch->clock_mhz;
    if (gpu->regime != SIM_REGIME_SUSTAINED || gpu->power_cap_w <= 0)
        return cycles;
    capped = dynamic_j / (gpu->power_cap_w - gpu->static_w) * arch->clock_mhz * 1e6;
    longer = fmax(cycles, capped);
    if (longer <= 0)
        return cycles;
    return longer * pow(1 + pow(fmin(cycles, capped) / longer, gpu->cap_sharpness), 1 / gpu->cap_sharpness);
}

static const sim_kernels kernels = {.product = product, .vector = vector, .step_cycles = step_cycles};

const sim_backend sim_backend_gpu = {
    .name = "gpu",
    .summary = "GPU with tensor cores: kernels by a fitted law of launch, compute, memory and L2.",
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .refused_keys = refused_keys,
    .check = check,
    .supports = supports,
    .peak_macs_per_cycle = peak_macs_per_cycle,
    .hardware = hardware,
    .kernels = &kernels,
    .plain = plain,
};
