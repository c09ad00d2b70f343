/* TPU v1's published throughput, and measured GEMMs of a TPU v4. */
#include "explore/ledger.h"
#include "model/backend.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit.h>

#include <math.h>
#include <string.h>

/* ---- TPU v1 -------------------------------------------------------------------------------------- */

static const double v1_target = 0.10;

sim_status sim_check_tpu_v1(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_csv csv;
    sim_arch arch;
    sim_status status = sim_ledger_csv(context, "tpu_v1.csv", &csv, err);
    double worst = 0;
    const char *text = "";
    int name_column;

    if (status == SIM_OK)
        status = sim_ledger_arch(context, "tpu_v1.cfg", &arch, err);
    if (status != SIM_OK)
        return status;
    name_column = sim_csv_column(&csv, "workload");
    if (name_column < 0)
        return sim_fail(err, SIM_BAD_INPUT, csv.file, 1, "no column 'workload'");
    for (int64_t i = 0; i < csv.row_count; i++) {
        int64_t layers, weights, batch, side;
        double tops, achieved;
        sim_layer *layer = sim_arena_alloc(context->arena, 1, sizeof *layer);
        sim_result result;

        if (!layer)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        status = sim_csv_int(&csv, i, "layers", &layers, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "weights", &weights, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "batch", &batch, err);
        if (status == SIM_OK)
            status = sim_csv_real(&csv, i, "achieved_tops", &tops, err);
        if (status != SIM_OK)
            return status;
        if (layers < 1 || weights < layers || batch < 1 || !(tops > 0))
            return sim_fail(err, SIM_BAD_INPUT, csv.file, csv.lines[i], "values must be positive");
        /* Square, equal layers: shapes are not published. */
        side = (int64_t)llround(sqrt((double)weights / (double)layers));
        *layer = (sim_layer){.name = "fc",
                             .op = SIM_OP_MATMUL,
                             .repeat = layers,
                             .m = batch,
                             .n = side,
                             .k = side,
                             .batch = 1};
        status = sim_ledger_run(context, &arch, layer, 1, 8, &result, err);
        if (status != SIM_OK)
            return status;
        achieved = 2 * (double)result.totals.macs / result.totals.latency_s / 1e12;
        worst = fmax(worst, fabs(achieved / tops - 1));
        text = sim_ledger_text(context, "%s%s%s %+.1f%%", text, i > 0 ? ", " : "",
                               sim_csv_text(&csv, i, name_column), (achieved / tops - 1) * 100);
    }
    *out = (sim_ledger_row){
        .claim = "TPU v1 achieved TOPS (square layers assumed)",
        .target = "within 10%",
        .result = text,
        .source = "Jouppi et al., ISCA 2017; one DDR3 efficiency fitted",
        .met = csv.row_count > 0 && worst <= v1_target,
    };
    return SIM_OK;
}

/* ---- TPU v4 -------------------------------------------------------------------------------------- */

/* time = launch + cycles / clock + bytes / bandwidth, in two regimes (smallest dimension below 1024 or not),
 * fitted to relative errors and scored on rows that the fit has not seen. */
enum { TERMS = 3, FOLDS = 5, REGIMES = 2, REGIME_EDGE = 1024 };

static const double v4_target = 0.07;

typedef struct sample {
    double term[TERMS], time_us;
    int regime, fold;
} sample;

/* Fewest cycles with either operand stationary: a matrix unit may hold either. */
static sim_status least_cycles(const sim_arch *base, const int64_t extent[SIM_DIMS], double *out,
                               sim_err *err)
{
    *out = INFINITY;
    for (int dataflow = SIM_DATAFLOW_WS; dataflow <= SIM_DATAFLOW_IS; dataflow++) {
        sim_arch arch = *base;
        sim_gemm gemm = {.extent = {extent[0], extent[1], extent[2]},
                         .batch = 1,
                         .w_bits = 16,
                         .a_bits = 16,
                         .out_bits = 16,
                         .acc_bits = 32};
        sim_tiling tiling = {.tile = {extent[0], extent[1], extent[2]}, .order = {SIM_M, SIM_N, SIM_K}};
        sim_way ways[SIM_WAYS_MAX];
        sim_compute compute;
        sim_status status;

        if (dataflow == SIM_DATAFLOW_OS)
            continue;
        arch.array_dataflow = dataflow;
        arch.backend->ways(&arch, &gemm, ways);
        status = arch.backend->compute(&arch, &gemm, &ways[0], &tiling, &compute, err);
        if (status != SIM_OK)
            return status;
        *out = fmin(*out, (double)compute.cycles);
    }
    return SIM_OK;
}

/* Least squares of relative errors over the samples of a regime outside `held_out` (-1: none). */
static bool fit(const sample *samples, int64_t count, int regime, int held_out, double coefficients[TERMS])
{
    gsl_matrix *x;
    gsl_vector *y, *c;
    gsl_matrix *covariance;
    gsl_multifit_linear_workspace *work;
    size_t used = 0, row = 0;
    double residual;
    bool good = false;

    for (int64_t i = 0; i < count; i++)
        used += samples[i].regime == regime && samples[i].fold != held_out;
    if (used <= TERMS)
        return false;
    x = gsl_matrix_alloc(used, TERMS);
    y = gsl_vector_alloc(used);
    c = gsl_vector_alloc(TERMS);
    covariance = gsl_matrix_alloc(TERMS, TERMS);
    work = gsl_multifit_linear_alloc(used, TERMS);
    if (x && y && c && covariance && work) {
        for (int64_t i = 0; i < count; i++) {
            if (samples[i].regime != regime || samples[i].fold == held_out)
                continue;
            for (size_t t = 0; t < TERMS; t++)
                gsl_matrix_set(x, row, t, samples[i].term[t] / samples[i].time_us);
            gsl_vector_set(y, row++, 1);
        }
        good = gsl_multifit_linear(x, y, c, covariance, &residual, work) == GSL_SUCCESS;
        for (size_t t = 0; good && t < TERMS; t++)
            coefficients[t] = gsl_vector_get(c, t);
    }
    if (work)
        gsl_multifit_linear_free(work);
    gsl_matrix_free(covariance);
    gsl_vector_free(c);
    gsl_vector_free(y);
    gsl_matrix_free(x);
    return good;
}

/* Held-out groups by shape, so that no row of an equal shape is fitted and scored at once. */
static int fold_of(const int64_t extent[SIM_DIMS])
{
    uint64_t mix =
        (uint64_t)extent[0] * 73856093 ^ (uint64_t)extent[1] * 19349663 ^ (uint64_t)extent[2] * 83492791;

    return (int)((mix ^ mix >> 17) % FOLDS);
}

sim_status sim_check_tpu_v4(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_csv csv;
    sim_arch arch;
    sim_status status = sim_ledger_csv(context, "tpu_v4_gemm.csv", &csv, err);
    sample *samples;
    double error = 0, clock_mhz = 0;
    gsl_error_handler_t *handler;

    if (status == SIM_OK)
        status = sim_ledger_arch(context, "tpu_v4.cfg", &arch, err);
    if (status != SIM_OK)
        return status;
    samples = sim_arena_alloc(context->arena, (size_t)csv.row_count, sizeof *samples);
    if (!samples)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < csv.row_count; i++) {
        static const char *const names[] = {"m", "n", "k"};
        sample *s = &samples[i];
        int64_t extent[SIM_DIMS] = {0}, least = INT64_MAX;

        for (int d = 0; d < SIM_DIMS && status == SIM_OK; d++) {
            status = sim_csv_int(&csv, i, names[d], &extent[d], err);
            if (status == SIM_OK && (extent[d] < 1 || extent[d] > INT32_MAX))
                status = sim_fail(err, SIM_BAD_INPUT, csv.file, csv.lines[i], "column '%s' is out of range",
                                  names[d]);
            least = extent[d] < least ? extent[d] : least;
        }
        if (status == SIM_OK)
            status = sim_csv_real(&csv, i, "time_us", &s->time_us, err);
        if (status == SIM_OK && !(s->time_us > 0))
            status =
                sim_fail(err, SIM_BAD_INPUT, csv.file, csv.lines[i], "column 'time_us' must be positive");
        if (status == SIM_OK)
            status = least_cycles(&arch, extent, &s->term[1], err);
        if (status != SIM_OK)
            return status;
        s->term[0] = 1;
        s->term[2] = 2 * ((double)extent[0] * (double)extent[2] + (double)extent[1] * (double)extent[2] +
                          (double)extent[0] * (double)extent[1]);
        s->regime = least >= REGIME_EDGE;
        s->fold = fold_of(extent);
    }

    handler = gsl_set_error_handler_off(); /* GSL would abort the process */
    for (int regime = 0; regime < REGIMES; regime++) {
        double c[TERMS];

        for (int held = 0; held < FOLDS; held++) {
            if (!fit(samples, csv.row_count, regime, held, c)) {
                gsl_set_error_handler(handler);
                return sim_fail(err, SIM_BAD_INPUT, csv.file, 0, "too few rows to fit");
            }
            for (int64_t i = 0; i < csv.row_count; i++)
                if (samples[i].regime == regime && samples[i].fold == held) {
                    double time_us = 0;

                    for (int t = 0; t < TERMS; t++)
                        time_us += c[t] * samples[i].term[t];
                    error += fabs(time_us / samples[i].time_us - 1);
                }
        }
        if (regime == 0 && fit(samples, csv.row_count, regime, -1, c))
            clock_mhz = 1 / c[1];
    }
    gsl_set_error_handler(handler);
    error /= (double)csv.row_count;
    *out = (sim_ledger_row){
        .claim = "TPU v4 GEMM times: launch + cycles + bytes",
        .target = "MAPE <= 7% held out",
        .result =
            sim_ledger_text(context, "MAPE %.1f%% on %lld rows held out by shape; fitted clock %.0f MHz",
                            error * 100, (long long)csv.row_count, clock_mhz),
        .source = "yutation/SCALE-SIM_Validation (chip inferred)",
        .met = error <= v4_target,
    };
    return SIM_OK;
}
