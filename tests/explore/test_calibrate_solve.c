/* The solver of fits against what is known in closed form. */
#include "explore/calibrate_solve.h"

#include "reference/failing.h"
#include "reference/random.h"

#include <criterion/criterion.h>

#include <math.h>

enum { ROWS = 60 };

/* t = a + b x; a third parameter that times do not depend on. */
typedef struct line {
    double x[ROWS], log_us[ROWS];
    int64_t rows;
} line;

static void predict(void *user, const double *p, double *log_us)
{
    const line *l = user;

    for (int64_t i = 0; i < l->rows; i++)
        log_us[i] = log(p[0] + p[1] * l->x[i]);
}

static sim_solve_problem problem_of(line *l)
{
    return (sim_solve_problem){.parameters = 3,
                               .centre = {1, 1, 7},
                               .sd = {2, 2, .5},
                               .least = {1e-3, 1e-3, 1e-3},
                               .most = {1e6, 1e6, 1e6},
                               .rows = l->rows,
                               .log_us = l->log_us,
                               .predict = predict,
                               .user = l};
}

static void fill(line *l, double a, double b)
{
    l->rows = ROWS;
    for (int i = 0; i < ROWS; i++) {
        l->x[i] = 1 + i * i;
        l->log_us[i] = log(a + b * l->x[i]);
    }
}

Test(calibrate_solve, finds_the_parameters_and_says_which_the_rows_do_not_tell)
{
    sim_arena arena;
    sim_err err = {0};
    sim_solution s;
    line l;
    sim_solve_problem p;

    sim_arena_init(&arena, NULL);
    fill(&l, 20, .3);
    p = problem_of(&l);
    cr_assert_eq(sim_solve(&p, &arena, &s, &err), SIM_OK);
    cr_expect_float_eq(s.p[0] / 20, 1, 1e-3);
    cr_expect_float_eq(s.p[1] / .3, 1, 1e-3);
    cr_expect_float_eq(s.p[2], 7, 1e-9);
    cr_expect(s.shrink_frac[0] < .05 && s.shrink_frac[1] < .05);
    cr_expect_float_eq(s.shrink_frac[2], 1, 1e-9);
    cr_expect(s.cost < 1e-2);
    sim_arena_free(&arena);
}

Test(calibrate_solve, posterior_spread_is_that_of_the_normal_equations)
{
    /* One parameter, t = b x: each row tells log b to 5%, the prior to sd. */
    sim_arena arena;
    sim_err err = {0};
    sim_solution s;
    line l;
    sim_solve_problem p;

    sim_arena_init(&arena, NULL);
    fill(&l, 0, 3);
    p = problem_of(&l);
    p.centre[0] = 1e-9; /* as good as none */
    p.least[0] = 0;
    p.sd[0] = p.sd[2] = 0;
    p.centre[1] = 3;
    p.sd[1] = .1;
    cr_assert_eq(sim_solve(&p, &arena, &s, &err), SIM_OK);
    cr_expect_float_eq(s.shrink_frac[1], 1 / sqrt(1 + ROWS * .1 * .1 / (.05 * .05)), 1e-3);
    sim_arena_free(&arena);
}

Test(calibrate_solve, outliers_hardly_move_the_answer)
{
    sim_arena arena;
    sim_err err = {0};
    sim_solution s;
    line l;
    sim_solve_problem p;

    sim_arena_init(&arena, NULL);
    fill(&l, 20, .3);
    for (int i = 5; i < ROWS; i += 10)
        l.log_us[i] += log(4);
    p = problem_of(&l);
    cr_assert_eq(sim_solve(&p, &arena, &s, &err), SIM_OK);
    cr_expect_float_eq(s.p[0] / 20, 1, .05, "%g", s.p[0]);
    cr_expect_float_eq(s.p[1] / .3, 1, .05, "%g", s.p[1]);
    sim_arena_free(&arena);
}

Test(calibrate_solve, bounds_hold_and_fixed_parameters_stay)
{
    sim_arena arena;
    sim_err err = {0};
    sim_solution s;
    line l;
    sim_solve_problem p;

    sim_arena_init(&arena, NULL);
    fill(&l, 20, .3);
    p = problem_of(&l);
    p.most[0] = 10;
    p.sd[2] = 0;
    cr_assert_eq(sim_solve(&p, &arena, &s, &err), SIM_OK);
    cr_expect(s.p[0] <= 10);
    cr_expect_eq(s.p[2], 7);
    cr_expect_eq(s.shrink_frac[2], 0);
    p.sd[0] = p.sd[1] = 0; /* nothing to do */
    cr_assert_eq(sim_solve(&p, &arena, &s, &err), SIM_OK);
    cr_expect(s.p[0] == 1 && s.p[1] == 1);
    sim_arena_free(&arena);
}

Test(calibrate_solve, priors_carry_what_one_row_leaves_open)
{
    sim_arena arena;
    sim_err err = {0};
    sim_solution s;
    line l = {.x = {100}, .log_us = {log(60)}, .rows = 1};
    sim_solve_problem p = problem_of(&l);

    sim_arena_init(&arena, NULL);
    p.centre[0] = 5;
    p.centre[1] = .4;
    p.sd[0] = p.sd[1] = .5;
    cr_assert_eq(sim_solve(&p, &arena, &s, &err), SIM_OK);
    cr_expect_float_eq((s.p[0] + 100 * s.p[1]) / 60, 1, .02, "the row is met");
    cr_expect(s.p[0] > 5 && s.p[1] > .4, "both move the same way");
    sim_arena_free(&arena);
}

Test(calibrate_solve, the_same_twice)
{
    sim_arena arena;
    sim_err err = {0};
    sim_solution a, b;
    ref_random random = {11};
    line l;
    sim_solve_problem p;

    sim_arena_init(&arena, NULL);
    fill(&l, 20, .3);
    for (int i = 0; i < ROWS; i++)
        l.log_us[i] += ref_random_real(&random, -.1, .1);
    p = problem_of(&l);
    cr_assert_eq(sim_solve(&p, &arena, &a, &err), SIM_OK);
    cr_assert_eq(sim_solve(&p, &arena, &b, &err), SIM_OK);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(a.p[i], b.p[i]);
    sim_arena_free(&arena);
}

Test(calibrate_solve, memory_running_out_is_told)
{
    line l;
    sim_solve_problem p;

    fill(&l, 20, .3);
    p = problem_of(&l);
    for (long n = 1; n <= 2; n++) {
        failing state = {.fail_at = n};
        sim_allocator allocator = failing_allocator(&state);
        sim_arena arena;
        sim_err err = {0};
        sim_solution s;

        sim_arena_init(&arena, &allocator);
        arena.block_bytes = 1;
        cr_expect_eq(sim_solve(&p, &arena, &s, &err), SIM_NO_MEMORY);
        sim_arena_free(&arena);
        cr_expect_eq(state.live, 0);
    }
}
