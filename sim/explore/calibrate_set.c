#include "explore/calibrate_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* ---- samples -------------------------------------------------------------------------------------- */

/* By the golden ratio, which resonates with no regular sweep of m. */
sim_status sim_fit_sample_of(const sim_fit_set *set, int held_out, int64_t most, sim_arena *arena,
                             sim_fit_sample *out, sim_err *err)
{
    int64_t usable = 0, seen = 0;
    double keep;

    *out = (sim_fit_sample){.set = set};
    for (int64_t i = 0; i < set->count; i++)
        usable += set->rows[i].fold != held_out;
    out->rows = sim_arena_alloc(arena, (size_t)usable, sizeof(sim_fit_row *));
    out->log_us = sim_arena_alloc(arena, (size_t)usable, sizeof(double));
    if (!out->rows || !out->log_us)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    keep = usable > most ? (double)most / (double)usable : 2;
    for (int64_t i = 0; i < set->count; i++) {
        double turn;

        if (set->rows[i].fold == held_out)
            continue;
        turn = (double)seen++ * 0.6180339887498949;
        if (turn - floor(turn) >= keep)
            continue;
        out->rows[out->count] = &set->rows[i];
        out->log_us[out->count++] = set->rows[i].log_us;
    }
    return SIM_OK;
}

sim_status sim_fit_quantile_us(const sim_fit_sample *sample, double frac, sim_arena *arena, double *out,
                               sim_err *err)
{
    double *sorted = sim_arena_alloc(arena, (size_t)sample->count, sizeof *sorted);

    *out = 0;
    if (!sorted)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (sample->count == 0)
        return SIM_OK;
    memcpy(sorted, sample->log_us, (size_t)sample->count * sizeof *sorted);
    qsort(sorted, (size_t)sample->count, sizeof *sorted, compare_doubles);
    *out = exp(sorted[(int64_t)(frac * (double)(sample->count - 1))]);
    return SIM_OK;
}

/* ---- groups and folds ----------------------------------------------------------------------------- */

enum { FOLDS = 5, LEAVE_ONE_OUT_ROWS = 40 };

static int compare_rows(const void *a, const void *b)
{
    const sim_measurement *x = ((const sim_fit_row *)a)->of, *y = ((const sim_fit_row *)b)->of;

    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    if (x->k != y->k)
        return x->k < y->k ? -1 : 1;
    if (x->m != y->m)
        return x->m < y->m ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Scatters groups over folds as a random order would, but the same on every machine. */
static uint64_t mix(uint64_t n, uint64_t k)
{
    uint64_t x = n * 0x9e3779b97f4a7c15u ^ (k + 0x632be59bd9b4e019u) * 0xbf58476d1ce4e5b9u;

    x ^= x >> 31;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 29;
}

typedef struct weight_shape {
    uint64_t order;
    int64_t first, rows; /* of the set */
} weight_shape;

static int compare_order(const void *a, const void *b)
{
    uint64_t x = ((const weight_shape *)a)->order, y = ((const weight_shape *)b)->order;

    return (x > y) - (x < y);
}

/* In the scattered order, each group goes to the fold with the fewest rows so far. */
static void place(sim_fit_set *set, weight_shape *shapes)
{
    int64_t filled[FOLDS] = {0};

    qsort(shapes, (size_t)set->groups, sizeof *shapes, compare_order);
    for (int64_t g = 0; g < set->groups; g++) {
        int fold = 0;

        for (int f = 1; f < FOLDS; f++)
            fold = filled[f] < filled[fold] ? f : fold;
        filled[fold] += shapes[g].rows;
        for (int64_t i = 0; i < shapes[g].rows; i++)
            set->rows[shapes[g].first + i].fold = fold;
    }
}

sim_status sim_fit_set_of(sim_gpu_kernel_kind kind, sim_fit_row *rows, int64_t count, sim_arena *arena,
                          sim_fit_set *out, sim_err *err)
{
    weight_shape *shapes = sim_arena_alloc(arena, (size_t)count, sizeof *shapes);

    *out = (sim_fit_set){.kind = kind, .rows = rows, .count = count};
    if (!shapes)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    qsort(rows, (size_t)count, sizeof *rows, compare_rows);
    for (int64_t i = 0; i < count; i++) {
        const sim_measurement *row = rows[i].of;

        if (i == 0 || row->n != rows[i - 1].of->n || row->k != rows[i - 1].of->k)
            shapes[out->groups++] =
                (weight_shape){.order = mix((uint64_t)row->n, (uint64_t)row->k), .first = i};
        shapes[out->groups - 1].rows++;
        rows[i].group = out->groups - 1;
        rows[i].fold = (int)rows[i].group;
    }
    if (out->groups < 2)
        return SIM_OK;
    out->folds = (int)out->groups;
    if (out->groups > FOLDS && count > LEAVE_ONE_OUT_ROWS) {
        out->folds = FOLDS;
        place(out, shapes);
    }
    return SIM_OK;
}

/* ---- scores --------------------------------------------------------------------------------------- */

sim_status sim_fit_score_of(const double *predicted, const double *measured, int64_t count, sim_arena *arena,
                            sim_fit_score *out, sim_err *err)
{
    double *ape = sim_arena_alloc(arena, (size_t)count, sizeof *ape), at;
    int64_t below;

    *out = (sim_fit_score){count, NAN, NAN, NAN, NAN};
    if (!ape)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (count == 0)
        return SIM_OK;
    out->mape_pct = out->bias_pct = 0;
    for (int64_t i = 0; i < count; i++) {
        double error = (exp(predicted[i] - measured[i]) - 1) * 100;

        ape[i] = fabs(error);
        out->mape_pct += ape[i] / (double)count;
        out->bias_pct += error / (double)count;
    }
    qsort(ape, (size_t)count, sizeof *ape, compare_doubles);
    out->median_ape_pct = (ape[(count - 1) / 2] + ape[count / 2]) / 2;
    at = 0.95 * (double)(count - 1);
    below = (int64_t)at;
    out->p95_ape_pct = ape[below];
    if (below + 1 < count)
        out->p95_ape_pct += (at - (double)below) * (ape[below + 1] - ape[below]);
    return SIM_OK;
}
