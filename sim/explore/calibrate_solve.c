#include "explore/calibrate_solve.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_multifit_nlinear.h>

#include <math.h>
#include <string.h>

static const double noise = 0.05, huber = 2;
static const double step = 3e-4; /* of z: tile switches are kinks in p, so not smaller */
enum { ITERATIONS = 60 };

typedef struct state {
    const sim_solve_problem *problem;
    int free_count, free[SIM_SOLVE_PARAMETERS_MAX]; /* free parameters, by their place in the problem */
    double *predicted, *shifted;                    /* scratch, a row each */
} state;

/* sign(r) sqrt(rho(r)), whose square the solver sums. */
static double robust(double r)
{
    double scaled = r / huber, rho = 2 * huber * huber * (sqrt(1 + scaled * scaled) - 1);

    return copysign(sqrt(rho), r);
}

static void natural(const state *s, const gsl_vector *z, double *p)
{
    const sim_solve_problem *problem = s->problem;

    memcpy(p, problem->centre, sizeof problem->centre);
    for (int i = 0; i < s->free_count; i++) {
        int at = s->free[i];

        p[at] = fmin(fmax(exp(gsl_vector_get(z, (size_t)i)), problem->least[at]), problem->most[at]);
    }
}

static void predict(const state *s, const gsl_vector *z, double *log_us)
{
    double p[SIM_SOLVE_PARAMETERS_MAX];

    natural(s, z, p);
    s->problem->predict(s->problem->user, p, log_us);
}

static int residuals(const gsl_vector *z, void *params, gsl_vector *f)
{
    const state *s = params;
    const sim_solve_problem *problem = s->problem;

    predict(s, z, s->predicted);
    for (int64_t i = 0; i < problem->rows; i++) {
        double r = robust((s->predicted[i] - problem->log_us[i]) / noise);

        if (!isfinite(r))
            return GSL_EDOM;
        gsl_vector_set(f, (size_t)i, r);
    }
    for (int i = 0; i < s->free_count; i++)
        gsl_vector_set(f, (size_t)(problem->rows + i),
                       (gsl_vector_get(z, (size_t)i) - log(problem->centre[s->free[i]])) /
                           problem->sd[s->free[i]]);
    return GSL_SUCCESS;
}

/* Forward differences. */
static int jacobian(const gsl_vector *z, void *params, gsl_matrix *j)
{
    const state *s = params;
    const sim_solve_problem *problem = s->problem;
    double at[SIM_SOLVE_PARAMETERS_MAX];
    gsl_vector_view view = gsl_vector_view_array(at, (size_t)s->free_count);

    gsl_matrix_set_zero(j);
    predict(s, z, s->predicted);
    for (int c = 0; c < s->free_count; c++) {
        gsl_vector_memcpy(&view.vector, z);
        at[c] += step;
        predict(s, &view.vector, s->shifted);
        for (int64_t i = 0; i < problem->rows; i++) {
            double here = robust((s->predicted[i] - problem->log_us[i]) / noise);
            double there = robust((s->shifted[i] - problem->log_us[i]) / noise);

            gsl_matrix_set(j, (size_t)i, (size_t)c, (there - here) / step);
        }
        gsl_matrix_set(j, (size_t)(problem->rows + c), (size_t)c, 1 / problem->sd[s->free[c]]);
    }
    return GSL_SUCCESS;
}

/* Posterior sd over prior sd: of (J'J / s^2 + diag(1 / sd^2))^-1, J of the rows alone, s their scatter. */
static bool shrink(const state *s, const gsl_matrix *j, double cost, sim_solution *out)
{
    size_t n = (size_t)s->free_count, rows = (size_t)s->problem->rows;
    double spread = fmax(1, cost / fmax(1, (double)s->problem->rows - (double)s->free_count));
    gsl_matrix *a = gsl_matrix_alloc(n, n);
    bool good;

    if (!a)
        return false;
    for (size_t c = 0; c < n; c++)
        for (size_t d = 0; d < n; d++) {
            double sum = 0;

            for (size_t i = 0; i < rows; i++)
                sum += gsl_matrix_get(j, i, c) * gsl_matrix_get(j, i, d);
            sum /= spread;
            if (c == d)
                sum += 1 / (s->problem->sd[s->free[c]] * s->problem->sd[s->free[c]]);
            gsl_matrix_set(a, c, d, sum);
        }
    good = gsl_linalg_cholesky_decomp1(a) == GSL_SUCCESS && gsl_linalg_cholesky_invert(a) == GSL_SUCCESS;
    for (size_t c = 0; c < n; c++)
        out->shrink_frac[s->free[c]] = good ? sqrt(gsl_matrix_get(a, c, c)) / s->problem->sd[s->free[c]] : 1;
    gsl_matrix_free(a);
    return true;
}

static sim_status solve(state *s, sim_solution *out, sim_err *err)
{
    const sim_solve_problem *problem = s->problem;
    gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf fdf = {.f = residuals,
                                    .df = jacobian,
                                    .n = (size_t)(problem->rows + s->free_count),
                                    .p = (size_t)s->free_count,
                                    .params = s};
    gsl_multifit_nlinear_workspace *work;
    gsl_vector *z = gsl_vector_alloc(fdf.p);
    sim_status status = SIM_OK;
    int info, code;

    how.scale = gsl_multifit_nlinear_scale_levenberg; /* priors already give all parameters a scale */
    work = gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, fdf.n, fdf.p);
    if (!z || !work) {
        status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        goto done;
    }
    for (int i = 0; i < s->free_count; i++)
        gsl_vector_set(z, (size_t)i, log(problem->centre[s->free[i]]));
    if (gsl_multifit_nlinear_init(z, &fdf, work) != GSL_SUCCESS) {
        status = sim_fail(err, SIM_INTERNAL, NULL, 0, "the fit has no finite start");
        goto done;
    }
    /* Whatever it stops for, the best point so far is the answer: a kink can keep it from converging. */
    code = gsl_multifit_nlinear_driver(ITERATIONS, 1e-4, 1e-6, 0, NULL, NULL, &info, work);
    (void)code;
    natural(s, work->x, out->p);
    for (int64_t i = 0; i < problem->rows; i++)
        out->cost += gsl_vector_get(work->f, (size_t)i) * gsl_vector_get(work->f, (size_t)i);
    if (!shrink(s, work->J, out->cost, out))
        status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
done:
    if (work)
        gsl_multifit_nlinear_free(work);
    gsl_vector_free(z);
    return status;
}

sim_status sim_solve(const sim_solve_problem *problem, sim_arena *arena, sim_solution *out, sim_err *err)
{
    state s = {.problem = problem};
    gsl_error_handler_t *handler;
    sim_status status = SIM_OK;

    *out = (sim_solution){.cost = 0};
    s.predicted = sim_arena_alloc(arena, (size_t)problem->rows, sizeof(double));
    s.shifted = sim_arena_alloc(arena, (size_t)problem->rows, sizeof(double));
    if (!s.predicted || !s.shifted)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int i = 0; i < problem->parameters; i++)
        if (problem->sd[i] > 0)
            s.free[s.free_count++] = i;
    memcpy(out->p, problem->centre, sizeof out->p);
    if (s.free_count > 0 && problem->rows > 0) {
        handler = gsl_set_error_handler_off(); /* GSL would abort the process */
        status = solve(&s, out, err);
        gsl_set_error_handler(handler);
    }
    return status;
}
