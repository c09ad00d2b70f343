#include "explore/calibrate_roofline.h"

#include "explore/calibrate_solve.h"

#include <math.h>

const sim_roofline sim_roofline_ideal = {.c_us = 0, .ec = 1, .em = 1};

double sim_roofline_us(const sim_fit_row *row, const sim_roofline *r)
{
    const sim_gpu_gemm *g = &row->gemm;
    double m = (double)g->m, n = (double)g->n, k = (double)g->k, batch = (double)g->batch;
    double bytes = row->bytes, compute_us = 0, us;

    if (g->m > 0) {
        bytes = batch * ((m * g->a_bytes + n * g->w_bytes) * k + m * n * g->out_bytes);
        compute_us = 2 * batch * m * n * k / (row->rates.flop_per_us * r->ec);
    }
    us = r->c_us + fmax(compute_us, bytes / (row->rates.byte_per_us * r->em));
    if (r->floor_us > 0) {
        double most = fmax(us, r->floor_us), least = fmin(us, r->floor_us);

        us = most * pow(1 + pow(least / most, 8), 1.0 / 8);
    }
    return us;
}

static void predict_roofline(void *user, const double *p, double *log_us)
{
    const sim_fit_sample *rows = user;
    const sim_roofline r = {p[0], p[1], p[2], p[3]};

    for (int64_t i = 0; i < rows->count; i++)
        log_us[i] = log(sim_roofline_us(rows->rows[i], &r));
}

sim_status sim_fit_roofline(const sim_fit_set *set, int held_out, double floor_us, sim_arena *arena,
                            sim_roofline *out, sim_err *err)
{
    /* The hard corner has local minima: several starts, hardly any prior. */
    static const double starts[][3] = {{5, .6, .8}, {2, .4, .6}, {20, .3, .9}};
    sim_fit_sample rows;
    double best = INFINITY;
    sim_status status = sim_fit_sample_of(set, held_out, SIM_FIT_ROWS_MAX, arena, &rows, err);

    for (size_t s = 0; s < sizeof starts / sizeof *starts && status == SIM_OK; s++) {
        sim_solve_problem p = {.parameters = 4,
                               .centre = {starts[s][0], starts[s][1], starts[s][2], floor_us},
                               .sd = {2, 2, 2, floor_us > 0 ? .5 : 0},
                               .least = {1e-3, 1e-3, 1e-3, 0},
                               .most = {1e4, 2, 2, INFINITY},
                               .rows = rows.count,
                               .log_us = rows.log_us,
                               .predict = predict_roofline,
                               .user = &rows};
        sim_solution solution;

        status = sim_solve(&p, arena, &solution, err);
        if (status == SIM_OK && solution.cost < best) {
            best = solution.cost;
            *out = (sim_roofline){solution.p[0], solution.p[1], solution.p[2], solution.p[3]};
        }
    }
    return status;
}
