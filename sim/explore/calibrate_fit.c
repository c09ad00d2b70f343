#include "explore/calibrate_fit.h"

#include "explore/calibrate_solve.h"

#include <math.h>
#include <string.h>

/* A parameter is not pinned down when its spread stays above this part of the prior's, and the rows did not
 * pull it away: then they at least say on which side it is, although its exact place no longer matters. */
static const double pinned_frac = 0.8, moved_frac = 0.5;

/* Launch and all that does not overlap: layout transforms can take more than the law's usual bound. */
static const double most_c_us = 1000;

/* Parameters of the solver: those of the law, then the floor, then the serial part of a row. */
enum { FLOOR = SIM_GPU_PARAMETERS, ROW, COUNT };

sim_fit_prior sim_fit_prior_usual(sim_gpu_kernel_kind kind)
{
    sim_fit_prior prior = {{0}};

    memcpy(prior.sd, sim_gpu_prior_sd, sizeof prior.sd);
    /* A library that changes layouts first can add many launches' worth. */
    if (sim_gpu_kernel_is_gemm(kind))
        prior.sd[SIM_GPU_C] = 1.5;
    /* On tensor cores q came out alike on three GPUs: 2.6 (T4), 2.6 (A100), 2.9 (H100). */
    if (sim_gpu_kernel_is_gemm(kind) && kind != SIM_KERNEL_GEMM_FP32)
        prior.sd[SIM_GPU_Q] = 0.1;
    return prior;
}

sim_fit_prior sim_fit_prior_session(sim_gpu_kernel_kind kind)
{
    sim_fit_prior usual = sim_fit_prior_usual(kind), prior = {{0}};

    prior.sd[SIM_GPU_C] = usual.sd[SIM_GPU_C];
    prior.sd[SIM_GPU_ES] = usual.sd[SIM_GPU_ES];
    prior.sd[SIM_GPU_EM] = usual.sd[SIM_GPU_EM];
    return prior;
}

/* ---- predictions ---------------------------------------------------------------------------------- */

double sim_fit_log_us(const sim_fit_row *row, const sim_gpu_kernel *kernel)
{
    sim_gpu_time time;

    if (!sim_gpu_kernel_is_gemm(kernel->kind))
        return log(sim_gpu_vector_us(&row->rates, kernel, row->of->m, row->of->n, row->bytes));
    sim_gpu_gemm_time(&row->rates, kernel, &row->gemm, &time);
    return log(time.us);
}

void sim_fit_predict(const sim_fit_set *set, const sim_gpu_kernel *kernel, double *log_us)
{
    for (int64_t i = 0; i < set->count; i++)
        log_us[i] = sim_fit_log_us(&set->rows[i], kernel);
}

/* What the solver varies. */
typedef struct subject {
    const sim_fit_sample *sample;
    const sim_gpu_kernel *start;
} subject;

static void kernel_of(const sim_gpu_kernel *start, const double *p, sim_gpu_kernel *out)
{
    *out = *start;
    memcpy(out->parameter, p, sizeof out->parameter);
    out->floor_us = p[FLOOR];
    out->row_us = p[ROW];
}

static void predict(void *user, const double *p, double *log_us)
{
    const subject *s = user;
    sim_gpu_kernel kernel;

    kernel_of(s->start, p, &kernel);
    for (int64_t i = 0; i < s->sample->count; i++)
        log_us[i] = sim_fit_log_us(s->sample->rows[i], &kernel);
}

/* ---- one solution --------------------------------------------------------------------------------- */

typedef struct answer {
    sim_solution solution;
    bool from_prior[COUNT];
} answer;

static bool uses(sim_gpu_kernel_kind kind, int parameter)
{
    if (sim_gpu_kernel_is_gemm(kind))
        return true;
    return parameter == SIM_GPU_C || (parameter == SIM_GPU_EM && kind != SIM_KERNEL_EMPTY);
}

/* Vector kernels that reduce along rows. */
static bool has_row_part(sim_gpu_kernel_kind kind)
{
    return kind == SIM_KERNEL_SOFTMAX || kind == SIM_KERNEL_RMSNORM;
}

static sim_solve_problem problem_of(subject *s, const sim_fit_prior *prior)
{
    const sim_gpu_kernel *start = s->start;
    sim_solve_problem p = {.parameters = COUNT,
                           .rows = s->sample->count,
                           .log_us = s->sample->log_us,
                           .predict = predict,
                           .user = s};

    for (int i = 0; i < SIM_GPU_PARAMETERS; i++) {
        p.least[i] = sim_gpu_least[i];
        p.most[i] = i == SIM_GPU_C ? most_c_us : sim_gpu_most[i];
        p.centre[i] = start->parameter[i];
        p.sd[i] = uses(start->kind, i) ? prior->sd[i] : 0;
    }
    p.centre[FLOOR] = start->floor_us;
    p.most[FLOOR] = INFINITY;
    p.centre[ROW] = start->row_us;
    p.most[ROW] = 1;
    if (has_row_part(start->kind) && start->row_us <= 0) {
        p.centre[ROW] = 1e-3; /* a thread's pass over a cached element takes about a nanosecond */
        p.sd[ROW] = 2;
    } else if (has_row_part(start->kind)) {
        p.sd[ROW] = .7;
    }
    return p;
}

/* Solves, then once more with what is not pinned down kept at its start. */
static sim_status solve(const sim_solve_problem *problem, sim_arena *arena, answer *out, sim_err *err)
{
    sim_solve_problem p = *problem;
    sim_solution first;
    sim_status status = sim_solve(&p, arena, &first, err);
    int kept = 0;

    *out = (answer){.solution = first};
    for (int i = 0; i < COUNT && status == SIM_OK; i++) {
        out->from_prior[i] = p.sd[i] > 0 && first.shrink_frac[i] > pinned_frac &&
                             fabs(log(first.p[i] / p.centre[i])) < moved_frac * p.sd[i];
        if (out->from_prior[i]) {
            p.sd[i] = 0;
            if (i == ROW)
                p.centre[i] = 0; /* its centre is a guess; without evidence there is no such part */
            kept++;
        }
    }
    if (status != SIM_OK || kept == 0)
        return status;
    status = sim_solve(&p, arena, &out->solution, err);
    for (int i = 0; i < COUNT; i++)
        if (out->from_prior[i])
            out->solution.shrink_frac[i] = first.shrink_frac[i];
    return status;
}

/* ---- the fit -------------------------------------------------------------------------------------- */

/* A floor of the host is there only if it explains what nothing else does: many times at one value. */
static sim_status try_floor(subject *s, const sim_fit_prior *prior, sim_arena *arena, answer *best,
                            sim_err *err)
{
    sim_solve_problem p = problem_of(s, prior);
    answer with;
    int64_t near = 0;
    sim_status status = sim_fit_quantile_us(s->sample, 0.02, arena, &p.centre[FLOOR], err);

    for (int64_t i = 0; i < s->sample->count; i++)
        near += s->sample->log_us[i] < log(p.centre[FLOOR]) + 0.25;
    if (status != SIM_OK || (near < 4 || near * 20 < s->sample->count))
        return status;
    status = sim_fit_quantile_us(s->sample, 0.5, arena, &p.most[FLOOR], err);
    if (s->start->floor_us > 0)
        p.centre[FLOOR] = s->start->floor_us;
    p.sd[FLOOR] = 0.5;
    if (status == SIM_OK)
        status = solve(&p, arena, &with, err);
    if (status == SIM_OK && !with.from_prior[FLOOR] && with.solution.cost < 0.95 * best->solution.cost - 10)
        *best = with;
    return status;
}

sim_status sim_fit_law(const sim_fit_set *set, int held_out, const sim_gpu_kernel *start,
                       const sim_fit_prior *prior, sim_arena *arena, sim_gpu_kernel *out,
                       sim_fit_report *report, sim_err *err)
{
    sim_fit_sample sample;
    subject s = {&sample, start};
    answer best;
    sim_status status = sim_fit_sample_of(set, held_out, SIM_FIT_ROWS_MAX, arena, &sample, err);

    *report = (sim_fit_report){.cost = 0};
    if (status == SIM_OK) {
        sim_solve_problem p = problem_of(&s, prior);

        status = solve(&p, arena, &best, err);
    }
    if (status == SIM_OK && sample.count >= 8)
        status = try_floor(&s, prior, arena, &best, err);
    if (status != SIM_OK)
        return status;
    kernel_of(start, best.solution.p, out);
    memcpy(out->from_prior, best.from_prior, sizeof out->from_prior);
    report->cost = best.solution.cost;
    memcpy(report->shrink_frac, best.solution.shrink_frac, sizeof report->shrink_frac);
    for (int i = 0; i < COUNT; i++)
        report->parameters += best.solution.shrink_frac[i] > 0 && !best.from_prior[i];
    return SIM_OK;
}
