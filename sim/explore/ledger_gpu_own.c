/* GPU GEMMs with few rows: of the user's own layers, and of another session. */
#include "explore/ledger_gpu.h"

#include "explore/calibrate_fit.h"

#include <math.h>
#include <string.h>

static sim_status no_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- own layers ----------------------------------------------------------------------------------- */

/* Four linears of one model, each measured at a few m: they refit c, es and em of a calibration that never
 * saw their (n, k), and leave residuals. Scored on the other m of the same linears. */
enum { LINEARS = 4 };

/* Rows of one model and (n, k), in order of m. */
typedef struct linear {
    const char *model;
    const sim_fit_row *rows;
    int64_t count;
    bool *picked;
} linear;

/* Of the model names, as the file has them, what stands before a character of `end` counts (NULL: all). */
static bool same_model(const char *a, const char *b, const char *end)
{
    size_t length = end ? strcspn(a, end) : strlen(a);

    return strncmp(a, b, length) == 0 && (end ? strcspn(b, end) : strlen(b)) == length;
}

/* Distinct m nearest to `count` points spread evenly in log m, from the least to the largest; false: too few.
 */
static bool pick_m(linear *l, int count)
{
    double least = log((double)l->rows[0].of->m), most = log((double)l->rows[l->count - 1].of->m);
    int64_t distinct = 0;

    for (int64_t i = 0; i < l->count; i++)
        distinct += i == 0 || l->rows[i].of->m != l->rows[i - 1].of->m;
    if (distinct < count + LINEARS)
        return false;
    for (int p = 0; p < count; p++) {
        double at = least + (most - least) * p / (count - 1), nearest = INFINITY;
        int64_t m = 0;

        for (int64_t i = 0; i < l->count; i++) {
            double distance = fabs(log((double)l->rows[i].of->m) - at);

            if (!l->picked[i] && distance < nearest) {
                nearest = distance;
                m = l->rows[i].of->m;
            }
        }
        for (int64_t i = 0; i < l->count; i++)
            l->picked[i] |= l->rows[i].of->m == m;
    }
    return true;
}

/* A set of the rows for which `wanted` says so. */
typedef struct own {
    const sim_ledger_context *context;
    const sim_fit_row *all;
    int64_t count;
    linear *linears;
} own;

static bool is_own_shape(const own *o, const sim_fit_row *row)
{
    for (int l = 0; l < LINEARS; l++)
        if (o->linears[l].rows[0].of->n == row->of->n && o->linears[l].rows[0].of->k == row->of->k)
            return true;
    return false;
}

/* The law on all other weight shapes. */
static sim_status fit_others(const own *o, sim_gpu_kernel *out, sim_err *err)
{
    sim_fit_row *rows = sim_arena_alloc(o->context->arena, (size_t)o->count, sizeof *rows);
    sim_fit_prior prior = sim_fit_prior_usual(SIM_KERNEL_GEMM_FP16);
    sim_fit_report report;
    sim_gpu_kernel start;
    sim_fit_set set;
    int64_t used = 0;
    sim_status status;

    if (!rows)
        return no_memory(err);
    for (int64_t i = 0; i < o->count; i++)
        if (!is_own_shape(o, &o->all[i]))
            rows[used++] = o->all[i];
    status = sim_fit_set_of(SIM_KERNEL_GEMM_FP16, rows, used, o->context->arena, &set, err);
    sim_gpu_kernel_start(SIM_KERNEL_GEMM_FP16, &start);
    if (status == SIM_OK)
        status = sim_fit_law(&set, SIM_FIT_ALL, &start, &prior, o->context->arena, out, &report, err);
    return status;
}

static sim_status score_own(const own *o, sim_ledger_error *error, sim_err *err)
{
    sim_fit_prior prior = sim_fit_prior_session(SIM_KERNEL_GEMM_FP16);
    sim_fit_row *rows;
    sim_gpu_kernel base, kernel;
    sim_fit_report report;
    sim_fit_set set;
    int64_t used = 0, room = 0;
    sim_status status = fit_others(o, &base, err);

    for (int l = 0; l < LINEARS; l++)
        room += o->linears[l].count;
    rows = sim_arena_alloc(o->context->arena, (size_t)room, sizeof *rows);
    if (!rows)
        return no_memory(err);
    for (int l = 0; l < LINEARS; l++)
        for (int64_t i = 0; i < o->linears[l].count; i++)
            if (o->linears[l].picked[i])
                rows[used++] = o->linears[l].rows[i];
    if (status == SIM_OK)
        status = sim_fit_set_of(SIM_KERNEL_GEMM_FP16, rows, used, o->context->arena, &set, err);
    if (status == SIM_OK)
        status = sim_fit_law(&set, SIM_FIT_ALL, &base, &prior, o->context->arena, &kernel, &report, err);
    if (status == SIM_OK)
        status = sim_fit_residuals_of(&set, SIM_FIT_ALL, o->context->arena, &kernel, err);
    for (int l = 0; l < LINEARS && status == SIM_OK; l++)
        for (int64_t i = 0; i < o->linears[l].count; i++) {
            const sim_fit_row *row = &o->linears[l].rows[i];

            if (!o->linears[l].picked[i])
                sim_ledger_add(error,
                               sim_fit_log_us(row, &kernel) +
                                   sim_gpu_residual_of(&kernel, row->of->n, row->of->k, row->of->m),
                               row->log_us);
        }
    return status;
}

/* The linears of the file, by model and then (n, k). The reader keeps the order of rows; the column `model`
 * is the file's own. */
static sim_status read_linears(const sim_ledger_context *context, const sim_measurements *measured,
                               const char *model_end, const sim_fit_row *rows, int64_t count, linear **out,
                               int64_t *linears, sim_err *err)
{
    sim_csv csv;
    linear *all = sim_arena_alloc(context->arena, (size_t)count, sizeof *all);
    bool *picked = sim_arena_alloc(context->arena, (size_t)count, sizeof *picked);
    sim_fit_row *sorted = sim_arena_alloc(context->arena, (size_t)count, sizeof *sorted);
    const char **model = sim_arena_alloc(context->arena, (size_t)count, sizeof *model);
    int64_t used = 0;
    int column;
    sim_status status = sim_csv_load(measured->file, context->arena, &csv, err);

    *linears = 0;
    *out = all;
    if (!all || !picked || !sorted || !model)
        return no_memory(err);
    if (status != SIM_OK)
        return status;
    column = sim_csv_column(&csv, "model");
    if (column < 0 || csv.row_count != count)
        return sim_fail(err, SIM_BAD_INPUT, csv.file, csv.header_line,
                        "no column 'model', or rows of several GPUs");
    /* Rows come in order of n, k and m: those of a model and shape are gathered in that order. */
    for (int64_t i = 0; i < count; i++) {
        const char *of = sim_csv_text(&csv, i, column);
        linear *l = NULL;

        if (model[i])
            continue;
        l = &all[(*linears)++];
        *l = (linear){.model = of, .rows = &sorted[used], .picked = &picked[used]};
        for (int64_t j = i; j < count; j++) {
            if (rows[j].of->n != rows[i].of->n || rows[j].of->k != rows[i].of->k)
                break;
            if (model[j] || !same_model(of, sim_csv_text(&csv, j, column), model_end))
                continue;
            model[j] = of;
            sorted[used++] = rows[j];
            l->count++;
        }
    }
    return SIM_OK;
}

/* `per_linear` m of each; model_end: what of the file's model names tells models apart. */
static sim_status own_layers(const sim_ledger_context *context, const char *arch_name, const char *file,
                             int per_linear, const char *model_end, sim_ledger_error *error, int *models,
                             sim_err *err)
{
    sim_measurements measured;
    const char *unused;
    sim_fit_row *rows;
    linear *linears;
    int64_t count = 0, linear_count = 0;
    sim_arch arch;
    sim_status status = sim_ledger_gpu(context, arch_name, file, &arch, &measured, err);

    *models = 0;
    if (status == SIM_OK)
        status = sim_fit_rows_of(&arch, &measured, context->arena, &rows, &count, &unused, err);
    if (status == SIM_OK)
        status = read_linears(context, &measured, model_end, rows, count, &linears, &linear_count, err);
    for (int64_t i = 0; i < linear_count && status == SIM_OK; i++) {
        linear four[LINEARS];
        int got = 0;

        if (!linears[i].model || !pick_m(&linears[i], per_linear)) {
            linears[i].model = NULL;
            continue;
        }
        four[got++] = linears[i];
        for (int64_t j = i + 1; j < linear_count && got < LINEARS; j++)
            if (linears[j].model && same_model(linears[i].model, linears[j].model, model_end)) {
                if (pick_m(&linears[j], per_linear))
                    four[got++] = linears[j];
                linears[j].model = NULL;
            }
        linears[i].model = NULL;
        if (got == LINEARS) {
            const own o = {context, rows, count, four};

            status = score_own(&o, error, err);
            ++*models;
        }
    }
    return status;
}

sim_status sim_check_gpu_a100_own(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    enum { PER_LINEAR = 6 };
    sim_ledger_error error = {0, 0};
    int models;
    sim_status status =
        own_layers(context, "a100.cfg", "a100_linear.csv", PER_LINEAR, NULL, &error, &models, err);

    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "A100: own layers, other m, after 24 shapes",
        .target = "MAPE < 4%",
        .result = sim_ledger_text(context, "%.1f%% on %.0f rows of %d models", sim_ledger_mean_pct(&error),
                                  error.count, models),
        .source = "vidur (MIT)",
        .met = sim_ledger_mean_pct(&error) < 4,
    };
    return SIM_OK;
}

sim_status sim_check_gpu_h100_own(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    enum { PER_LINEAR = 24 };
    sim_ledger_error error = {0, 0};
    int models;
    sim_status status =
        own_layers(context, "h100.cfg", "h100_linear.csv", PER_LINEAR, "/", &error, &models, err);

    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "H100: own layers, other m, after 96 shapes",
        .target = "MAPE < 6.5%",
        .result = sim_ledger_text(context, "%.1f%% on %.0f rows of %d models", sim_ledger_mean_pct(&error),
                                  error.count, models),
        .source = "vidur (MIT)",
        .met = sim_ledger_mean_pct(&error) < 6.5,
    };
    return SIM_OK;
}

/* ---- another session ------------------------------------------------------------------------------ */

/* 20 rows are fitted, all are predicted, for five choices of the 20. */
sim_status sim_check_gpu_session(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    enum { ROWS = 20, DRAWS = 5 };
    static const sim_calibrate_options how = {.no_residuals = true, .name = "ledger"};
    double worst = 0, sum = 0;
    sim_measurements all, host;
    sim_arch arch;
    sim_status status = sim_ledger_gpu(context, "t4.cfg", "t4_gemm.csv", &arch, &all, err);

    if (status == SIM_OK)
        status = sim_ledger_select(context, &all, SIM_KERNEL_GEMM_FP32, "torch_host", &host, err);
    for (int draw = 0; draw < DRAWS && status == SIM_OK; draw++) {
        int64_t stride = host.count / ROWS;
        sim_measurement few[ROWS];
        sim_measurements sample = {host.file, few, ROWS};
        sim_calibration_check check;
        sim_calibration_fit fit;

        for (int64_t i = 0; i < ROWS; i++)
            few[i] = host.rows[i * stride + draw * stride / DRAWS];
        status = sim_calibrate(&arch, &sample, &how, context->arena, &fit, err);
        /* The 20 rows are among those scored: a hundredth of them. */
        if (status == SIM_OK)
            status = sim_calibration_score(&arch, &fit.calibration, &host, context->arena, &check, err);
        if (status == SIM_OK) {
            sum += check.score.mape_pct / DRAWS;
            worst = fmax(worst, check.score.mape_pct);
        }
    }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "T4 fp32 linears dispatched from the host, from 20 rows alone",
        .target = "MAPE < 15%",
        .result = sim_ledger_text(context, "%.1f%%, at worst %.1f%% over %d choices of the rows", sum, worst,
                                  DRAWS),
        .source = "NeuSight (MIT)",
        .met = sum < 15,
    };
    return SIM_OK;
}
