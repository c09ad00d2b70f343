/* SmoothQuant's OPT in PyTorch on an A100: memory by what PyTorch holds, and what INT8 gains over FP16.
 *
 * A block as the two implementations of the paper run it, kernel by kernel from the host: q, k, v, scores,
 * mask, clamp, softmax in fp32, values, projection, norms, two additions, two feed-forward products. W8A8
 * products are int8 with int8 keys and values; scores leave their product in fp32 and go back to int8 in
 * steps of PyTorch's own (scale, round, convert). Attention is full: PyTorch masks, it does not skip. */
#include "explore/ledger_gpu.h"

#include "explore/calibrate_solve.h"
#include "input/vector_ops.h"
#include "model/run.h"

#include <math.h>
#include <string.h>

enum { VOCABULARY = 50272, POSITIONS = 2050, FFN = 4, POINTS_MAX = 32, BLOCK_MAX = 32 };

typedef struct run_point {
    const char *model;
    int64_t layers, hidden, heads, batch, tokens;
    bool int8;
    double latency_ms, memory_gib;
} run_point;

typedef struct points {
    const sim_ledger_context *context;
    sim_arch arch;
    run_point at[POINTS_MAX];
    int count;
} points;

static sim_status no_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

static sim_status read_points(points *p, sim_err *err)
{
    sim_csv csv;
    sim_status status = sim_ledger_csv(p->context, "smoothquant_pytorch.csv", &csv, err);

    if (status == SIM_OK && csv.row_count > POINTS_MAX)
        status = sim_fail(err, SIM_BAD_INPUT, csv.file, 0, "more than %d rows", POINTS_MAX);
    for (int64_t i = 0; status == SIM_OK && i < csv.row_count; i++) {
        run_point *x = &p->at[p->count++];

        *x = (run_point){.model = sim_csv_text(&csv, i, sim_csv_column(&csv, "model"))};
        x->int8 = strcmp(sim_csv_text(&csv, i, sim_csv_column(&csv, "precision")), "w8a8") == 0;
        status = sim_csv_int(&csv, i, "layers", &x->layers, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "hidden", &x->hidden, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "heads", &x->heads, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "batch", &x->batch, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "tokens", &x->tokens, err);
        if (status == SIM_OK)
            status = sim_csv_real(&csv, i, "latency_ms", &x->latency_ms, err);
        if (status == SIM_OK)
            status = sim_csv_real(&csv, i, "memory_gib", &x->memory_gib, err);
    }
    return status;
}

/* ---- the kernels ------------------------------------------------------------------------------------ */

typedef struct list {
    sim_layer layers[BLOCK_MAX];
    int64_t count, repeat, rows;
} list;

static const sim_number fp16 = {SIM_FORMAT_FP, 16}, fp32 = {SIM_FORMAT_FP, 32}, int8 = {SIM_FORMAT_INT, 8};

static sim_layer *add(list *l, sim_layer layer, sim_number number)
{
    sim_layer *to = &l->layers[l->count++];

    *to = layer;
    to->repeat = l->repeat;
    to->own = (sim_precision){.w = number, .a = number, .kv = number};
    if (to->batch == 0)
        to->batch = 1;
    return to;
}

static void add_linear(list *l, const char *name, int64_t n, int64_t k, sim_number number)
{
    add(l,
        (sim_layer){.name = name,
                    .op = SIM_OP_MATMUL,
                    .m = l->rows,
                    .n = n,
                    .k = k,
                    .weights = SIM_WEIGHTS_STATIC,
                    .param_elements = n},
        number);
}

static void add_vector(list *l, const char *name, sim_op op, int64_t m, int64_t n, int64_t batch, int inputs,
                       double ops, sim_number number)
{
    add(l,
        (sim_layer){.name = name,
                    .op = op,
                    .m = m,
                    .n = n,
                    .batch = batch,
                    .inputs = inputs,
                    .ops_per_element = ops,
                    .param_elements = op == SIM_OP_NORM ? 2 * n : 0},
        number);
}

/* Passes over the scores, by the width that they have at each. */
static void add_softmax(list *l, const run_point *x, int64_t heads)
{
    sim_number scores = x->int8 ? fp32 : fp16;
    int64_t s = x->tokens;

    add_vector(l, "mask", SIM_OP_ELEMENTWISE, s, s, heads, 1, SIM_OPS_ADD, scores);
    add_vector(l, "clamp", SIM_OP_ELEMENTWISE, s, s, heads, 1, SIM_OPS_RELU, scores);
    add_vector(l, "softmax", SIM_OP_SOFTMAX, s, s, heads, 1, SIM_OPS_SOFTMAX, scores);
    if (x->int8) {
        add_vector(l, "scale", SIM_OP_ELEMENTWISE, s, s, heads, 1, SIM_OPS_MULTIPLY, fp32);
        add_vector(l, "round", SIM_OP_ELEMENTWISE, s, s, heads, 1, SIM_OPS_ADD, fp32);
        add_vector(l, "convert", SIM_OP_QUANTIZE, s, s, heads, 1, SIM_OPS_ADD, int8);
    } else {
        add_vector(l, "convert", SIM_OP_ELEMENTWISE, s, s, heads, 1, SIM_OPS_ADD, fp32);
    }
}

static void kernels_of(const run_point *x, list *l)
{
    int64_t h = x->hidden, d = h / x->heads, heads = x->batch * x->heads;
    sim_number number = x->int8 ? int8 : fp16;

    *l = (list){.repeat = 1, .rows = x->batch * x->tokens};
    add(l, (sim_layer){.name = "embed", .op = SIM_OP_EMBEDDING, .m = l->rows, .n = h, .k = VOCABULARY}, fp16);
    add(l, (sim_layer){.name = "positions", .op = SIM_OP_EMBEDDING, .m = l->rows, .n = h, .k = POSITIONS},
        fp16);
    l->repeat = x->layers;
    add_vector(l, "input_norm", SIM_OP_NORM, l->rows, h, 1, 1, SIM_OPS_LAYER_NORM, fp16);
    add_linear(l, "q_proj", h, h, number);
    add_linear(l, "k_proj", h, h, number);
    add_linear(l, "v_proj", h, h, number);
    add(l,
        (sim_layer){.name = "qk",
                    .op = SIM_OP_MATMUL,
                    .m = x->tokens,
                    .n = x->tokens,
                    .k = d,
                    .batch = heads,
                    .weights = SIM_WEIGHTS_KV,
                    .kv_row_elements = d,
                    .cache_rows = heads * x->tokens,
                    .cache_row_elements = d},
        number);
    add_softmax(l, x, heads);
    add(l,
        (sim_layer){.name = "pv",
                    .op = SIM_OP_MATMUL,
                    .m = x->tokens,
                    .n = d,
                    .k = x->tokens,
                    .batch = heads,
                    .weights = SIM_WEIGHTS_KV,
                    .kv_row_elements = d,
                    .cache_rows = heads * x->tokens,
                    .cache_row_elements = d},
        number);
    add_linear(l, "o_proj", h, h, number);
    add_vector(l, "attn_residual", SIM_OP_ELEMENTWISE, l->rows, h, 1, 2, SIM_OPS_ADD, fp16);
    add_vector(l, "post_norm", SIM_OP_NORM, l->rows, h, 1, 1, SIM_OPS_LAYER_NORM, fp16);
    add_linear(l, "fc1", FFN * h, h, number);
    if (!x->int8) /* else in the product's epilogue */
        add_vector(l, "relu", SIM_OP_ELEMENTWISE, l->rows, FFN * h, 1, 1, SIM_OPS_RELU, fp16);
    add_linear(l, "fc2", h, FFN * h, number);
    add_vector(l, "ffn_residual", SIM_OP_ELEMENTWISE, l->rows, h, 1, 2, SIM_OPS_ADD, fp16);
    l->repeat = 1;
    add_vector(l, "final_norm", SIM_OP_NORM, l->rows, h, 1, 1, SIM_OPS_LAYER_NORM, fp16);
    add_linear(l, "lm_head", VOCABULARY, h, fp16);
    l->layers[l->count - 1].tied = true;
    l->layers[l->count - 1].param_elements = 0;
}

static sim_status run(const points *p, const sim_arch *arch, const run_point *x, sim_result *out,
                      sim_err *err)
{
    list *l = sim_arena_alloc(p->context->arena, 1, sizeof *l);

    if (!l)
        return no_memory(err);
    kernels_of(x, l);
    return sim_ledger_run(p->context, arch, l->layers, l->count, SIM_LEDGER_OWN_BITS, out, err);
}

/* ---- memory ----------------------------------------------------------------------------------------- */

/* PyTorch's caching allocator takes tensors of 10 MiB and more from the device in whole 2 MiB. */
static double held_bytes(double bytes)
{
    static const double large = 10 * 1048576.0, unit = 2 * 1048576.0;

    return bytes < large ? bytes : ceil(bytes / unit) * unit;
}

/* What rounding adds to the weights and the cache: a tensor for each linear, keys and values for each layer.
 */
static double rounding_bytes(const run_point *x)
{
    double element = x->int8 ? 1 : 2, h = (double)x->hidden;
    double square = h * h * element, cache = (double)(x->batch * x->tokens) * h * element, each;

    each = 4 * (held_bytes(square) - square) + 2 * (held_bytes(FFN * square) - FFN * square) +
           2 * (held_bytes(cache) - cache);
    return (double)x->layers * each;
}

/* Live at once: in attention, beside residual, normed input and queries, fp16 scores with their softmax in
 * fp32 and that in fp16 again, or fp32 scores with their softmax and that in int8; or else, at the end, the
 * hidden states and the logits. */
static double activation_bytes(const run_point *x)
{
    double hidden = 2 * (double)(x->batch * x->tokens) * (double)x->hidden;
    double elements = (double)(x->batch * x->heads) * (double)x->tokens * (double)x->tokens;
    double mask = held_bytes(2.0 * (double)x->batch * (double)x->tokens * (double)x->tokens);
    double logits = held_bytes(2.0 * (double)(x->batch * x->tokens) * VOCABULARY) + 2 * held_bytes(hidden);
    double attention;

    if (x->int8)
        attention = 2 * held_bytes(4 * elements) + held_bytes(elements) + held_bytes(hidden) +
                    2 * held_bytes(hidden / 2);
    else
        attention = 2 * held_bytes(2 * elements) + held_bytes(4 * elements) + 3 * held_bytes(hidden);
    return mask + fmax(attention, logits);
}

sim_status sim_check_smoothquant_memory(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    points p = {.context = context};
    double sum = 0, worst = 0, unrounded = 0;
    sim_status status = read_points(&p, err);

    if (status == SIM_OK)
        status = sim_ledger_gpu_arch(context, "a100.cfg", &p.arch, err);
    for (int i = 0; i < p.count && status == SIM_OK; i++) {
        const run_point *x = &p.at[i];
        double counted, gib, error;
        sim_result result = {0};

        status = run(&p, &p.arch, x, &result, err);
        if (status != SIM_OK)
            break;
        counted =
            (double)result.totals.weight_bytes + (double)result.totals.kv_cache_bytes + activation_bytes(x);
        gib = (counted + rounding_bytes(x)) / 1073741824;
        error = fabs(gib / x->memory_gib - 1) * 100;
        sum += error / p.count;
        unrounded += fabs(counted / 1073741824 / x->memory_gib - 1) * 100 / p.count;
        worst = fmax(worst, error);
    }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "SmoothQuant's OPT in PyTorch: memory",
        .target = "within 1%",
        .result = sim_ledger_text(
            context, "%.2f%% on %d rows, at worst %.2f%%; without the allocator's rounding %.2f%%", sum,
            p.count, worst, unrounded),
        .source = "SmoothQuant figure 8",
        .met = sum <= 1,
    };
    return SIM_OK;
}

/* ---- latency ---------------------------------------------------------------------------------------- */

/* What differs from the calibrated PyTorch of another lab: efficiency of fp16 and int8 products, of passes
 * over memory, and the time between int8 products. For each of those the host reads two scales back and
 * launches: three operations, of some 30 us each (the floor of PyTorch's kernels on a T4, arch/calib/t4.cfg).
 */
static const double host_operation_us = 30;

enum { FP16_ES, INT8_ES, VECTOR_EM, INT8_FLOOR, PARAMETERS };

enum { KERNELS_MAX = 64 };

typedef struct subject {
    const points *p;
    const sim_gpu_calibration *base;
    const char *model;
    sim_gpu_kernel kernels[KERNELS_MAX];
    sim_gpu_calibration calibration;
    sim_status status;
    sim_err *err;
} subject;

static sim_arch arch_of(subject *s, const double *v)
{
    sim_arch arch = s->p->arch;
    sim_gpu_kernel int8_kernel, *k;

    s->calibration = *s->base;
    s->calibration.step = NULL;
    s->calibration.kernel_count = 0;
    s->calibration.kernels = s->kernels;
    for (int64_t i = 0; i < s->base->kernel_count && s->calibration.kernel_count < KERNELS_MAX - 1; i++) {
        if (s->base->kernels[i].regime == SIM_REGIME_SUSTAINED) /* an engine's */
            continue;
        k = &s->kernels[s->calibration.kernel_count++];
        *k = s->base->kernels[i];
        if (k->kind == SIM_KERNEL_GEMM_FP16)
            k->parameter[SIM_GPU_ES] = v[FP16_ES];
        else if (k->kind >= SIM_KERNEL_GEMM_COUNT)
            k->parameter[SIM_GPU_EM] *= v[VECTOR_EM];
    }
    arch.calibration = &s->calibration;
    arch.gpu.dispatch = SIM_DISPATCH_HOST;
    sim_gpu_kernel_on(&arch, SIM_KERNEL_GEMM_W8A8, &int8_kernel);
    k = &s->kernels[s->calibration.kernel_count++];
    *k = int8_kernel;
    k->impl = "torch_int";
    k->is_default = true;
    k->parameter[SIM_GPU_ES] = v[INT8_ES];
    k->floor_us = v[INT8_FLOOR];
    return arch;
}

static sim_status latency_ms(subject *s, const double *v, const run_point *x, double *out)
{
    sim_arch arch = arch_of(s, v);
    sim_result result = {0};
    sim_status status = run(s->p, &arch, x, &result, s->err);

    *out = status == SIM_OK ? result.totals.latency_s * 1e3 : 1;
    return status;
}

/* The rows of the one model that is fitted. */
static void predict(void *user, const double *v, double *log_us)
{
    subject *s = user;
    int row = 0;

    for (int i = 0; i < s->p->count; i++) {
        double ms = 1;

        if (strcmp(s->p->at[i].model, s->model) != 0)
            continue;
        if (s->status == SIM_OK)
            s->status = latency_ms(s, v, &s->p->at[i], &ms);
        log_us[row++] = log(ms * 1e3);
    }
}

static sim_status fit_model(subject *s, double v[PARAMETERS], sim_err *err)
{
    sim_solve_problem problem = {.parameters = PARAMETERS, .predict = predict, .user = s};
    double measured[POINTS_MAX];
    sim_solution solution;
    sim_gpu_kernel gemm;
    sim_status status;

    sim_gpu_kernel_on(&s->p->arch, SIM_KERNEL_GEMM_FP16, &gemm);
    problem.centre[FP16_ES] = gemm.parameter[SIM_GPU_ES];
    problem.sd[FP16_ES] = .1;
    problem.centre[INT8_ES] = gemm.parameter[SIM_GPU_ES];
    problem.sd[INT8_ES] = sim_gpu_prior_sd[SIM_GPU_ES];
    problem.centre[VECTOR_EM] = 1;
    problem.sd[VECTOR_EM] = sim_gpu_prior_sd[SIM_GPU_EM];
    problem.centre[INT8_FLOOR] = 3 * host_operation_us;
    problem.sd[INT8_FLOOR] = .7;
    for (int i = 0; i < PARAMETERS; i++) {
        problem.least[i] = i == INT8_FLOOR ? 1 : .05;
        problem.most[i] = i == INT8_FLOOR ? 1000 : i == VECTOR_EM ? 2 : 1.1;
    }
    for (int i = 0; i < s->p->count; i++)
        if (strcmp(s->p->at[i].model, s->model) == 0)
            measured[problem.rows++] = log(s->p->at[i].latency_ms * 1e3);
    problem.log_us = measured;
    status = sim_solve(&problem, s->p->context->arena, &solution, err);
    memcpy(v, solution.p, PARAMETERS * sizeof *v);
    return status == SIM_OK ? s->status : status;
}

/* INT8 over FP16 of the same model and tokens: the row of the other precision. */
static const run_point *twin_of(const points *p, const run_point *x)
{
    for (int i = 0; i < p->count; i++)
        if (!p->at[i].int8 && p->at[i].tokens == x->tokens && strcmp(p->at[i].model, x->model) == 0)
            return &p->at[i];
    return NULL;
}

/* Errors of the ratio, on the models that were not fitted: of simacc, and of the mean ratio of the one that
 * was. */
static sim_status score_others(subject *s, const double *v, sim_ledger_error *own, sim_ledger_error *constant,
                               sim_err *err)
{
    double log_mean = 0, fitted = 0;
    sim_status status = SIM_OK;

    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < s->p->count && status == SIM_OK; i++) {
            const run_point *x = &s->p->at[i], *twin = x->int8 ? twin_of(s->p, x) : NULL;
            bool is_fitted = strcmp(x->model, s->model) == 0;
            double measured, int8_ms, fp16_ms;

            if (!x->int8)
                continue;
            if (!twin)
                return sim_fail(err, SIM_BAD_INPUT, "smoothquant_pytorch.csv", 0,
                                "%s: no fp16 row at %lld tokens", x->model, (long long)x->tokens);
            measured = log(x->latency_ms / twin->latency_ms);
            if (pass == 0 && is_fitted) {
                log_mean += measured;
                fitted++;
            }
            if (pass == 0 || is_fitted)
                continue;
            status = latency_ms(s, v, x, &int8_ms);
            if (status == SIM_OK)
                status = latency_ms(s, v, twin, &fp16_ms);
            if (status == SIM_OK) {
                sim_ledger_add(own, log(int8_ms / fp16_ms), measured);
                sim_ledger_add(constant, log_mean / fitted, measured);
            }
        }
    return status;
}

sim_status sim_check_smoothquant_latency(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    /* The first is the claim's: the middle one. */
    static const char *const models[] = {"OPT-13B", "OPT-6.7B", "OPT-30B"};
    enum { MODELS = sizeof models / sizeof *models };
    double own_pct[MODELS], constant_pct[MODELS];
    points *p = sim_arena_alloc(context->arena, 1, sizeof *p);
    subject *s = sim_arena_alloc(context->arena, 1, sizeof *s);
    sim_status status;

    if (!p || !s)
        return no_memory(err);
    p->context = context;
    status = read_points(p, err);
    if (status == SIM_OK)
        status = sim_ledger_arch(context, "a100.cfg", &p->arch, err);
    for (int i = 0; i < MODELS && status == SIM_OK; i++) {
        sim_ledger_error own = {0, 0}, constant = {0, 0};
        double v[PARAMETERS];

        *s = (subject){.p = p, .base = p->arch.calibration, .model = models[i], .err = err};
        status = fit_model(s, v, err);
        if (status == SIM_OK)
            status = score_others(s, v, &own, &constant, err);
        own_pct[i] = sim_ledger_mean_pct(&own);
        constant_pct[i] = sim_ledger_mean_pct(&constant);
    }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "SmoothQuant's OPT in PyTorch: INT8 over FP16 latency, from OPT-13B",
        .target = "ratio within 8%, better than a constant",
        .result = sim_ledger_text(
            context,
            "%.1f%% on OPT-6.7B and 30B, a constant ratio %.1f%%; from OPT-6.7B %.1f%% (%.1f%%), "
            "from 30B %.1f%% (%.1f%%)",
            own_pct[0], constant_pct[0], own_pct[1], constant_pct[1], own_pct[2], constant_pct[2]),
        .source = "SmoothQuant figure 8",
        .met = own_pct[0] <= 8 && own_pct[0] < constant_pct[0],
    };
    return SIM_OK;
}
