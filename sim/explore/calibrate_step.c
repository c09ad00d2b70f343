#include "explore/calibrate_step.h"

#include "explore/calibrate_solve.h"
#include "model/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static sim_status out_of_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- what is fitted ------------------------------------------------------------------------------- */

/* Parameters of the solver: of the step, then five for each precision. */
enum { T0, VECTOR_C, COMMON };
enum { C, ES, EM, ATTENTION_ES, MAC_FJ, PER_PRECISION };

/* Where the common ones start: a few launches' worth of embedding, copies and idling; a launch within a
 * stream that is filled ahead. Spreads and bounds of logarithms as in the fit of kernels; that of t0 is wide
 * since engines differ, that of e_mac since only boards at their cap show it. */
static const double start_t0_us = 20, start_vector_c_us = 3, vector_em = .75;
static const double t0_sd = 1.5, vector_c_sd = .7, attention_sd = .7, mac_sd = 1;
static const double least_t0_us = .1, most_t0_us = 1e5, least_mac_fj = 1, most_mac_fj = 1e6;

/* Rows that differ in nothing but session and latency are one point. */
typedef struct point {
    const sim_step_row *row;
    sim_workload workload;
    double log_us;
} point;

typedef struct subject {
    const sim_arch *arch;
    const sim_engine_steps *steps; /* of this GPU and engine */
    const char *impl;
    int attention;
    sim_number numbers[SIM_STEP_PRECISIONS_MAX];
    sim_gpu_math maths[SIM_STEP_PRECISIONS_MAX];
    sim_gpu_kernel starts[SIM_STEP_PRECISIONS_MAX];
    int precisions;
    point *points;
    int64_t point_count;
    int64_t *point_of; /* each row's */
    bool *used;        /* points that the rows being fitted need */
    int64_t *rows;     /* those being fitted */
    int64_t row_count;
    sim_status status; /* of the first prediction that failed */
    sim_err *err;
} subject;

/* ---- one prediction ------------------------------------------------------------------------------- */

static sim_status run_point(const sim_arch *arch, const sim_workload *workload, sim_number number,
                            double *out_us, sim_err *err)
{
    const sim_policy policy = {
        .name = "steps", .overrides_own = true, .base = {.w = number, .a = number, .kv = number}};
    sim_arena arena;
    sim_result result;
    sim_status status;

    sim_arena_init(&arena, NULL);
    status = sim_run_model(arch, workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &result, err);
    if (status == SIM_OK)
        *out_us = result.totals.latency_s * 1e6;
    sim_arena_free(&arena);
    return status;
}

/* The arch as an engine runs it: step after step, with a calibration of its own. */
static sim_arch engine_arch(const sim_arch *arch, const sim_gpu_calibration *calibration)
{
    sim_arch out = *arch;

    out.calibration = calibration;
    out.gpu.engine = calibration && calibration->step ? calibration->step->impl : NULL;
    out.gpu.regime = arch->gpu.power_cap_w > 0 ? SIM_REGIME_SUSTAINED : SIM_REGIME_BURST;
    out.gpu.dispatch = SIM_DISPATCH_GRAPH;
    return out;
}

sim_status sim_step_predict(const sim_arch *arch, const sim_gpu_calibration *calibration,
                            const sim_step_row *row, double *out_us, sim_err *err)
{
    sim_arch engine = engine_arch(arch, calibration);
    sim_workload workload;
    sim_arena arena;
    sim_status status;

    if (!engine.gpu.engine) { /* nothing says what an engine does: its outputs are of its operands' width */
        engine.gpu.attention = row->attention;
        engine.output_bits = row->number.bits;
    }
    sim_arena_init(&arena, NULL);
    status = sim_encoder_workload(&row->shape, row->batch, row->tokens, &arena, &workload, err);
    if (status == SIM_OK)
        status = run_point(&engine, &workload, row->number, out_us, err);
    sim_arena_free(&arena);
    return status;
}

/* ---- parameters <-> calibration ------------------------------------------------------------------- */

static void fit_of(const subject *s, const double *p, sim_step_fit *out)
{
    sim_gpu_kernel *vector = &out->kernels[0];

    out->step = (sim_gpu_step){.impl = s->impl, .attention = s->attention, .t0_us = p[T0], .source = ""};
    out->step.mape_pct = out->step.held_out_mape_pct = NAN;
    sim_gpu_kernel_start(SIM_KERNEL_RMSNORM, vector);
    vector->parameter[SIM_GPU_C] = p[VECTOR_C];
    vector->parameter[SIM_GPU_EM] = vector_em;
    out->kernel_count = 1;
    for (int i = 0; i < s->precisions; i++) {
        const double *own = &p[COMMON + i * PER_PRECISION];
        sim_gpu_kernel *k = &out->kernels[out->kernel_count++];

        *k = s->starts[i];
        k->residuals = NULL;
        k->residual_count = 0;
        memset(k->from_prior, 0, sizeof k->from_prior);
        k->parameter[SIM_GPU_C] = own[C];
        k->parameter[SIM_GPU_ES] = own[ES];
        k->parameter[SIM_GPU_EM] = own[EM];
        out->step.attention_es[s->maths[i]] = own[ATTENTION_ES];
        out->step.mac_fj[s->maths[i]] = s->arch->gpu.power_cap_w > 0 ? own[MAC_FJ] : 0;
    }
    for (int i = 0; i < out->kernel_count; i++) {
        out->kernels[i].impl = s->impl;
        out->kernels[i].regime = SIM_REGIME_SUSTAINED;
        out->kernels[i].dispatch = SIM_DISPATCH_GRAPH;
        out->kernels[i].is_default = true;
        out->kernels[i].floor_us = 0;
        out->kernels[i].mape_pct = out->kernels[i].held_out_mape_pct = NAN;
    }
}

static void predict(void *user, const double *p, double *log_us)
{
    subject *s = user;
    sim_step_fit fit = {0};
    sim_gpu_calibration calibration = {.name = "", .file = "", .arch_clock_mhz = s->arch->clock_mhz};
    sim_arch arch;

    fit_of(s, p, &fit);
    calibration.kernels = fit.kernels;
    calibration.kernel_count = fit.kernel_count;
    calibration.step = &fit.step;
    arch = engine_arch(s->arch, &calibration);
    for (int64_t i = 0; i < s->point_count; i++) {
        double us = 1;

        if (s->used[i] && s->status == SIM_OK)
            s->status = run_point(&arch, &s->points[i].workload, s->points[i].row->number, &us, s->err);
        s->points[i].log_us = log(us);
    }
    for (int64_t i = 0; i < s->row_count; i++)
        log_us[i] = s->points[s->point_of[s->rows[i]]].log_us;
}

static sim_solve_problem problem_of(subject *s)
{
    sim_solve_problem p = {
        .parameters = COMMON + s->precisions * PER_PRECISION, .predict = predict, .user = s};

    p.centre[T0] = start_t0_us;
    p.sd[T0] = t0_sd;
    p.least[T0] = least_t0_us;
    p.most[T0] = most_t0_us;
    p.centre[VECTOR_C] = start_vector_c_us;
    p.sd[VECTOR_C] = vector_c_sd;
    p.least[VECTOR_C] = sim_gpu_least[SIM_GPU_C];
    p.most[VECTOR_C] = sim_gpu_most[SIM_GPU_C];
    for (int i = 0; i < s->precisions; i++) {
        static const int law[] = {[C] = SIM_GPU_C, [ES] = SIM_GPU_ES, [EM] = SIM_GPU_EM};
        int at = COMMON + i * PER_PRECISION;

        for (int j = C; j <= EM; j++) {
            p.centre[at + j] = s->starts[i].parameter[law[j]];
            p.sd[at + j] = sim_gpu_prior_sd[law[j]];
            p.least[at + j] = sim_gpu_least[law[j]];
            p.most[at + j] = sim_gpu_most[law[j]];
        }
        p.centre[at + ATTENTION_ES] = s->starts[i].parameter[SIM_GPU_ES];
        p.sd[at + ATTENTION_ES] = attention_sd;
        p.least[at + ATTENTION_ES] = sim_gpu_least[SIM_GPU_ES];
        p.most[at + ATTENTION_ES] = sim_gpu_most[SIM_GPU_ES];
        p.centre[at + MAC_FJ] = s->arch->gpu.mac_fj[s->maths[i]];
        p.sd[at + MAC_FJ] = s->arch->gpu.power_cap_w > 0 ? mac_sd : 0;
        p.least[at + MAC_FJ] = least_mac_fj;
        p.most[at + MAC_FJ] = most_mac_fj;
    }
    return p;
}

/* ---- the rows ------------------------------------------------------------------------------------- */

static bool same_point(const sim_step_row *a, const sim_step_row *b)
{
    return a->batch == b->batch && a->tokens == b->tokens && a->number.bits == b->number.bits &&
           a->number.format == b->number.format && a->shape.layers == b->shape.layers &&
           a->shape.hidden == b->shape.hidden && a->shape.heads == b->shape.heads &&
           a->shape.ffn == b->shape.ffn;
}

static sim_status add_precision(subject *s, const sim_step_row *row, sim_err *err)
{
    sim_gpu_kernel_kind kind;
    sim_gpu_math math;

    for (int i = 0; i < s->precisions; i++)
        if (s->numbers[i].format == row->number.format && s->numbers[i].bits == row->number.bits)
            return SIM_OK;
    if (!sim_gpu_kernel_of(s->arch, row->number, row->number, &kind, &math))
        return sim_fail(err, SIM_BAD_INPUT, s->steps->file, row->line, "'%s' does not multiply %s",
                        s->arch->name, sim_step_precision(row->number));
    if (s->precisions == SIM_STEP_PRECISIONS_MAX)
        return sim_fail(err, SIM_BAD_INPUT, s->steps->file, row->line,
                        "a third precision: steps are fitted in at most %d", SIM_STEP_PRECISIONS_MAX);
    s->numbers[s->precisions] = row->number;
    s->maths[s->precisions] = math;
    sim_gpu_kernel_on(s->arch, kind, &s->starts[s->precisions]);
    s->precisions++;
    return SIM_OK;
}

static sim_status add_point(subject *s, int64_t row, sim_arena *arena, sim_err *err)
{
    const sim_step_row *r = &s->steps->rows[row];

    for (int64_t i = 0; i < s->point_count; i++)
        if (same_point(s->points[i].row, r)) {
            s->point_of[row] = i;
            return SIM_OK;
        }
    s->point_of[row] = s->point_count;
    s->points[s->point_count].row = r;
    return sim_encoder_workload(&r->shape, r->batch, r->tokens, arena, &s->points[s->point_count++].workload,
                                err);
}

/* Of one engine; the others are counted. */
static sim_status subject_of(const sim_arch *arch, const sim_engine_steps *steps, sim_arena *arena,
                             subject *s, sim_err *err)
{
    size_t count = (size_t)steps->count;
    sim_status status = SIM_OK;

    *s = (subject){.arch = arch, .steps = steps, .err = err};
    if (arch->gpu.sms <= 0) {
        sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "'%s' is no GPU: its back end is '%s'", arch->name,
                 arch->backend_name);
        return SIM_BAD_INPUT;
    }
    s->impl = steps->rows[0].impl;
    s->attention = steps->rows[0].attention;
    s->points = sim_arena_alloc(arena, count, sizeof *s->points);
    s->point_of = sim_arena_alloc(arena, count, sizeof *s->point_of);
    s->used = sim_arena_alloc(arena, count, sizeof *s->used);
    s->rows = sim_arena_alloc(arena, count, sizeof *s->rows);
    if (!s->points || !s->point_of || !s->used || !s->rows)
        return out_of_memory(err);
    for (int64_t i = 0; i < steps->count && status == SIM_OK; i++) {
        const sim_step_row *row = &steps->rows[i];

        if (strcmp(row->impl, s->impl) != 0 || row->attention != s->attention) {
            status = sim_fail(err, SIM_BAD_INPUT, steps->file, row->line,
                              "steps of another engine ('%s', attention %s) than those before ('%s', %s)",
                              row->impl, sim_gpu_attention_names[row->attention], s->impl,
                              sim_gpu_attention_names[s->attention]);
            break;
        }
        status = add_precision(s, row, err);
        if (status == SIM_OK)
            status = add_point(s, i, arena, err);
    }
    return status;
}

/* ---- fits ----------------------------------------------------------------------------------------- */

/* Key of the group that a row is held out with: the row's number of the first of its group. */
static int64_t group_of(const sim_engine_steps *steps, int64_t row, sim_step_groups by)
{
    const sim_step_row *r = &steps->rows[row];

    for (int64_t i = 0; i < row; i++) {
        const sim_step_row *o = &steps->rows[i];
        bool same_model = strcmp(o->model, r->model) == 0;

        if (by == SIM_STEP_BY_BATCH ? o->batch == r->batch
                                    : same_model && (by == SIM_STEP_BY_MODEL || o->tokens == r->tokens))
            return i;
    }
    return row;
}

/* Fits to all rows but those of group `held_out` (-1: to all). */
static sim_status fit_rows(subject *s, sim_step_groups by, int64_t held_out, sim_arena *arena,
                           sim_solution *out, sim_err *err)
{
    sim_solve_problem p = problem_of(s);
    double *log_us = sim_arena_alloc(arena, (size_t)s->steps->count, sizeof *log_us);
    sim_status status;

    if (!log_us)
        return out_of_memory(err);
    s->row_count = 0;
    memset(s->used, 0, (size_t)s->point_count * sizeof *s->used);
    for (int64_t i = 0; i < s->steps->count; i++) {
        if (held_out >= 0 && group_of(s->steps, i, by) == held_out)
            continue;
        log_us[s->row_count] = log(s->steps->rows[i].latency_us);
        s->used[s->point_of[i]] = true;
        s->rows[s->row_count++] = i;
    }
    p.rows = s->row_count;
    p.log_us = log_us;
    status = sim_solve(&p, arena, out, err);
    return status == SIM_OK ? s->status : status;
}

/* log us of all rows. */
static void predict_all(subject *s, const double *p, double *log_us)
{
    s->row_count = s->steps->count;
    for (int64_t i = 0; i < s->point_count; i++)
        s->used[i] = true;
    for (int64_t i = 0; i < s->row_count; i++)
        s->rows[i] = i;
    predict(s, p, log_us);
}

static sim_status hold_out(subject *s, sim_step_groups by, sim_arena *arena, double *log_us, int *folds,
                           sim_err *err)
{
    double *all = sim_arena_alloc(arena, (size_t)s->steps->count, sizeof *all);
    sim_status status = SIM_OK;
    int64_t groups = 0;

    *folds = 0;
    if (!all)
        return out_of_memory(err);
    for (int64_t i = 0; i < s->steps->count; i++)
        groups += group_of(s->steps, i, by) == i;
    if (groups < 2)
        return SIM_OK;
    for (int64_t g = 0; g < s->steps->count && status == SIM_OK; g++) {
        sim_solution solution;

        if (group_of(s->steps, g, by) != g)
            continue;
        status = fit_rows(s, by, g, arena, &solution, err);
        if (status != SIM_OK)
            break;
        predict_all(s, solution.p, all);
        status = s->status;
        for (int64_t i = 0; i < s->steps->count; i++)
            if (group_of(s->steps, i, by) == g)
                log_us[i] = all[i];
        ++*folds;
    }
    return status;
}

sim_status sim_step_hold_out(const sim_arch *arch, const sim_engine_steps *steps, sim_step_groups by,
                             sim_arena *arena, double *log_us, int *folds, sim_err *err)
{
    subject s;
    sim_status status = subject_of(arch, steps, arena, &s, err);

    return status == SIM_OK ? hold_out(&s, by, arena, log_us, folds, err) : status;
}

/* ---- what to expect ------------------------------------------------------------------------------- */

static const char *parameter_name(const subject *s, int parameter, sim_arena *arena)
{
    static const char *const own[] = {"c_us", "es", "em", "attention es", "mac_fj"};

    if (parameter == T0)
        return "t0_us";
    if (parameter == VECTOR_C)
        return "vector c_us";
    parameter -= COMMON;
    return sim_arena_printf(arena, "%s %s", sim_gpu_math_names[s->maths[parameter / PER_PRECISION]],
                            own[parameter % PER_PRECISION]);
}

static sim_status score(subject *s, const sim_solution *solution, sim_arena *arena, sim_step_fit *out,
                        sim_err *err)
{
    size_t count = (size_t)s->steps->count;
    double *measured = sim_arena_alloc(arena, count, sizeof *measured);
    double *predicted = sim_arena_alloc(arena, count, sizeof *predicted);
    sim_status status;
    int folds;

    if (!measured || !predicted)
        return out_of_memory(err);
    for (int64_t i = 0; i < s->steps->count; i++)
        measured[i] = log(s->steps->rows[i].latency_us);
    predict_all(s, solution->p, predicted);
    status = s->status;
    if (status == SIM_OK)
        status = sim_fit_score_of(predicted, measured, s->steps->count, arena, &out->fitted, err);
    if (status == SIM_OK)
        status = hold_out(s, SIM_STEP_BY_SHAPE, arena, predicted, &out->folds, err);
    if (status == SIM_OK)
        status = sim_fit_score_of(predicted, measured, out->folds ? s->steps->count : 0, arena,
                                  &out->held_out, err);
    if (status == SIM_OK)
        status = hold_out(s, SIM_STEP_BY_BATCH, arena, predicted, &folds, err);
    if (status == SIM_OK)
        status =
            sim_fit_score_of(predicted, measured, folds ? s->steps->count : 0, arena, &out->by_batch, err);
    return status;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Which of the kernels' parameters the steps left where they were. */
static void mark(const subject *s, const sim_solution *solution, sim_step_fit *out)
{
    static const double pinned_frac = 0.8;
    static const int law[] = {[C] = SIM_GPU_C, [ES] = SIM_GPU_ES, [EM] = SIM_GPU_EM};

    for (int i = 0; i < s->precisions; i++) {
        sim_gpu_kernel *k = &out->kernels[1 + i];

        for (int p = 0; p < SIM_GPU_PARAMETERS; p++)
            k->from_prior[p] = true;
        for (int j = C; j <= EM; j++)
            k->from_prior[law[j]] = solution->shrink_frac[COMMON + i * PER_PRECISION + j] > pinned_frac;
    }
    out->kernels[0].from_prior[SIM_GPU_EM] = true;
}

sim_status sim_calibrate_steps(const sim_arch *arch, const sim_engine_steps *steps, sim_arena *arena,
                               sim_step_fit *out, sim_err *err)
{
    sim_engine_steps *own = sim_arena_alloc(arena, 1, sizeof *own);
    sim_solution solution = {.cost = 0};
    sim_status status;
    subject s;

    *out = (sim_step_fit){0};
    if (!own)
        return out_of_memory(err);
    status = sim_engine_steps_of(arch, steps, arena, own, &out->left_out_gpus, err);
    if (status == SIM_OK)
        status = subject_of(arch, own, arena, &s, err);
    if (status == SIM_OK)
        status = fit_rows(&s, SIM_STEP_BY_SHAPE, -1, arena, &solution, err);
    if (status != SIM_OK)
        return status;
    fit_of(&s, solution.p, out);
    out->left_out = steps->count - own->count;
    mark(&s, &solution, out);
    out->parameter_count = COMMON + s.precisions * PER_PRECISION;
    for (int i = 0; i < out->parameter_count; i++) {
        out->parameters[i] =
            (sim_step_parameter){parameter_name(&s, i, arena), solution.p[i], solution.shrink_frac[i]};
        if (!out->parameters[i].name)
            return out_of_memory(err);
    }
    status = score(&s, &solution, arena, out, err);
    out->step.rows = own->count;
    for (int64_t i = 0; i < own->count; i++)
        out->step.groups += group_of(own, i, SIM_STEP_BY_SHAPE) == i;
    out->step.mape_pct = out->fitted.mape_pct;
    out->step.held_out_mape_pct = out->held_out.mape_pct;
    out->step.source = *own->rows[0].source ? own->rows[0].source : base_of(steps->file);
    for (int i = 0; i < out->kernel_count; i++) {
        out->kernels[i].rows = own->count;
        out->kernels[i].groups = out->step.groups;
        out->kernels[i].source = out->step.source;
    }
    return status;
}

sim_status sim_step_calibration(const sim_arch *arch, const sim_step_fit *fit, sim_arena *arena,
                                sim_gpu_calibration *out, sim_err *err)
{
    const sim_gpu_calibration *base = arch->calibration;
    int64_t had = base ? base->kernel_count : 0;
    sim_gpu_kernel *kernels = sim_arena_alloc(arena, (size_t)(had + fit->kernel_count), sizeof *kernels);
    sim_gpu_step *step = sim_arena_alloc(arena, 1, sizeof *step);

    if (!kernels || !step)
        return out_of_memory(err);
    *out = base ? *base
                : (sim_gpu_calibration){.name = arch->name,
                                        .gpu = arch->name,
                                        .source = fit->step.source,
                                        .arch_clock_mhz = arch->clock_mhz};
    *step = fit->step;
    out->step = step;
    out->kernels = kernels;
    out->kernel_count = 0;
    for (int64_t i = 0; i < had; i++)
        if (strcmp(base->kernels[i].impl, fit->step.impl) != 0)
            kernels[out->kernel_count++] = base->kernels[i];
    for (int i = 0; i < fit->kernel_count; i++) {
        sim_gpu_kernel *k = &kernels[out->kernel_count];

        *k = fit->kernels[i];
        for (int64_t j = 0; j < out->kernel_count; j++)
            if (kernels[j].kind == k->kind && kernels[j].regime == k->regime && kernels[j].is_default)
                k->is_default = false;
        out->kernel_count++;
    }
    return SIM_OK;
}
