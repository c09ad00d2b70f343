/* What can be said of a sweep before it runs: that its axes are right, and how long it may take. */
#include "explore/sweep.h"

#include "base/hash.h"
#include "explore/sweep_point.h"
#include "explore/sweep_select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- axes ------------------------------------------------------------------------------------------- */

enum { VALUES_CHECKED = 64 }; /* of an axis, beside its ends */

/* Whether an error is about the value of a key, as `--set KEY=value` in place of a file. */
static bool is_about(const sim_err_item *e, const char *key)
{
    static const char set[] = "--set ";
    const size_t skip = sizeof set - 1, length = strlen(key);

    return strncmp(e->file, set, skip) == 0 && strncmp(e->file + skip, key, length) == 0 &&
           e->file[skip + length] == '=';
}

/* The axis whose value it is; -1: none. */
static int axis_of(const sim_space *space, const sim_err_item *e)
{
    for (int i = 0; i < sim_space_axes(space); i++)
        if (sim_space_is_key(space, i) && is_about(e, sim_space_name(space, i)))
            return i;
    return -1;
}

/* Where a fixed setting of a sweep file stands; line 0: it is none. */
static sim_space_place place_of_setting(const sim_sweep_base *base, const sim_err_item *e)
{
    for (int i = 0; i < base->setting_count; i++)
        if (is_about(e, base->settings[i].key))
            return base->settings[i].place;
    return (sim_space_place){NULL, 0};
}

/* An error about a value, where the axis stands. */
static void pass_on(const sim_space *space, int axis, const sim_err_item *e, sim_err *err)
{
    const sim_space_place place = sim_space_place_of(space, axis);
    const char *name = sim_space_name(space, axis);
    const bool of_file = e->file[0] && axis_of(space, e) < 0; /* that the axis names */
    char where[SIM_ERR_FILE + 16] = "";

    if (of_file && e->line > 0)
        snprintf(where, sizeof where, "%s:%d: ", e->file, e->line);
    else if (of_file)
        snprintf(where, sizeof where, "%s: ", e->file);
    if (place.line > 0)
        sim_fail(err, SIM_BAD_INPUT, place.what, place.line, "axis '%s': %s%s", name, where, e->text);
    else
        sim_fail(err, SIM_USAGE, NULL, 0, "%s: axis '%s': %s%s", place.what, name, where, e->text);
    if (e->hint[0])
        sim_hint(err, "%s", e->hint);
}

/* The first point: whatever is wrong with it is an error. */
static sim_status check_first(sim_point_worker *worker, const sim_sweep *sweep, sim_err *err)
{
    const sim_space *space = sweep->space;
    sim_err found = {0};

    if (sim_point_check(worker, 0, &found) == SIM_OK)
        return SIM_OK;
    for (int i = 0; i < found.count; i++) {
        const sim_err_item *e = &found.items[i];
        const sim_space_place place = place_of_setting(&sweep->base, e);
        int axis = axis_of(space, e);

        if (axis >= 0) {
            pass_on(space, axis, e, err);
            continue;
        }
        if (place.line > 0)
            sim_fail(err, e->status, place.what, place.line, "%s", e->text);
        else
            sim_fail(err, e->status, e->file[0] ? e->file : NULL, e->line, "%s", e->text);
        if (e->hint[0])
            sim_hint(err, "%s", e->hint);
    }
    return sim_err_status(err);
}

static bool is_file(sim_axis_of of, bool key)
{
    return of == SIM_AXIS_ARCH ? !key : of == SIM_AXIS_WORKLOAD || of == SIM_AXIS_POLICY;
}

/* One value of an axis, all others at their first: errors about this value, or about the file that it is.
 * What a combination of values makes of an arch is seen at the point. */
static void check_value(sim_point_worker *worker, const sim_space *space, int axis, int64_t value,
                        sim_err *err)
{
    int64_t index[SIM_SPACE_AXES_MAX] = {0};
    const bool file = is_file(sim_space_of(space, axis), sim_space_is_key(space, axis));
    sim_err found = {0};

    index[sim_space_dimension(space, axis)] = value;
    if (sim_point_check(worker, sim_space_join(space, index), &found) == SIM_OK)
        return;
    for (int i = 0; i < found.count; i++) {
        const sim_err_item *e = &found.items[i];

        if (axis_of(space, e) == axis || (file && e->status != SIM_INFEASIBLE && axis_of(space, e) < 0))
            pass_on(space, axis, e, err);
    }
}

sim_status sim_sweep_check(const sim_sweep *sweep, sim_err *err)
{
    const sim_space *space = sweep->space;
    sim_point_worker *worker = sim_point_worker_new(sweep, err);
    sim_status status = worker ? check_first(worker, sweep, err) : SIM_NO_MEMORY;

    for (int i = 0; i < sim_space_axes(space) && status == SIM_OK; i++) {
        const int64_t values = sim_space_values(space, i);

        for (int64_t v = 1; v < values && v < VALUES_CHECKED; v++)
            check_value(worker, space, i, v, err);
        if (values > VALUES_CHECKED)
            check_value(worker, space, i, values - 1, err);
    }
    sim_point_worker_free(worker);
    return sim_err_status(err);
}

/* ---- time ------------------------------------------------------------------------------------------- */

enum { COUNT_EXACTLY = 10000000, COUNT_TRIES = 100000, BLOCK_TRIES = 16 };

static const double trial_s = 1.0;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int64_t random_of(int64_t i, int64_t size)
{
    const uint64_t bits = (uint64_t)i;

    return (int64_t)(sim_hash_words(SIM_HASH_START, &bits, sizeof bits) % (uint64_t)size);
}

static void count_kept(const sim_space *space, sim_sweep_estimate *out)
{
    const int64_t tries = out->exact ? out->points : COUNT_TRIES;
    int64_t kept = 0;

    for (int64_t i = 0; i < tries; i++) {
        int64_t index[SIM_SPACE_AXES_MAX];

        sim_space_split(space, out->exact ? i : random_of(i, out->points), index);
        kept += sim_space_keeps(space, index);
    }
    out->kept = (double)kept / (double)tries * (double)out->points;
}

static sim_status try_block(sim_point_worker *worker, const sim_selection *points, int64_t block,
                            sim_arena *arena, int64_t *priced, sim_err *err)
{
    int64_t numbers[SIM_BLOCK_MAX];
    int count = sim_select_block(points, block, numbers);
    sim_status status = SIM_OK;

    for (int i = 0; i < count && status == SIM_OK; i++) {
        int64_t index[SIM_SPACE_AXES_MAX];
        sim_point_row row;

        sim_space_split(points->sweep->space, numbers[i], index);
        if (!sim_space_keeps(points->sweep->space, index))
            continue;
        status = sim_point_identify(worker, numbers[i], arena, &row, err);
        if (status == SIM_OK)
            status = sim_point_price(worker, arena, &row, err);
        ++*priced;
    }
    return status;
}

/* Whole blocks here and there, as they will be run. */
static sim_status time_points(const sim_sweep *sweep, sim_arena *arena, sim_sweep_estimate *out, sim_err *err)
{
    sim_point_worker *worker = sim_point_worker_new(sweep, err);
    sim_selection points;
    int64_t priced = 0;
    double start_s, spent_s = 0;
    sim_status status = worker ? sim_select(sweep, arena, &points, err) : SIM_NO_MEMORY;

    start_s = now_s();
    for (int i = 0; i < BLOCK_TRIES && status == SIM_OK && points.blocks > 0 && spent_s < trial_s; i++) {
        status = try_block(worker, &points, random_of(i, points.blocks), arena, &priced, err);
        spent_s = now_s() - start_s;
    }
    if (spent_s > 0)
        out->points_per_s = (double)priced / spent_s * sim_sweep_threads(sweep);
    sim_point_worker_free(worker);
    return status;
}

sim_status sim_sweep_estimate_of(const sim_sweep *sweep, sim_sweep_estimate *out, sim_err *err)
{
    sim_arena arena;
    sim_status status;

    *out = (sim_sweep_estimate){.points = sim_space_size(sweep->space)};
    out->exact = out->points <= COUNT_EXACTLY;
    count_kept(sweep->space, out);
    sim_arena_init(&arena, NULL);
    status = time_points(sweep, &arena, out, err);
    sim_arena_free(&arena);
    return status;
}
