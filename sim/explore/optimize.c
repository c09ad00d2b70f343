#include "explore/optimize.h"

#include "base/text.h"
#include "explore/sweep_rows.h"
#include "explore/sweep_run.h"
#include "explore/sweep_select.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points of a generation; children that were there before are tried again so often; of all moves of a
 * dimension, one in FAR goes anywhere. */
enum { GENERATION = 64, TRIES = 200, FAR = 4 };

/* ---- goals ------------------------------------------------------------------------------------------ */

static bool read_goal(const char *name, const char *option, sim_optimize_goals *out, sim_err *err)
{
    const bool largest = name[0] == '-';
    const char *near;
    int figure = sim_sweep_figure(name + largest);

    if (figure < 0) {
        sim_fail(err, SIM_USAGE, NULL, 0, "%s: unknown figure '%s'", option, name + largest);
        near = sim_nearest(name + largest, sim_sweep_figures);
        if (near)
            sim_hint(err, "did you mean '%s'?", near);
        else
            sim_hint(err, "e.g. latency_s,energy_j");
        return false;
    }
    if (out->count == SIM_OPTIMIZE_GOALS_MAX) {
        sim_fail(err, SIM_USAGE, NULL, 0, "%s: more than %d figures", option, SIM_OPTIMIZE_GOALS_MAX);
        return false;
    }
    out->figure[out->count] = figure;
    out->largest[out->count++] = largest;
    return true;
}

sim_status sim_optimize_read_goals(const char *text, const char *option, sim_optimize_goals *out,
                                   sim_err *err)
{
    *out = (sim_optimize_goals){0};
    for (const char *at = text; at;) {
        size_t length = strcspn(at, ",");
        char name[64];

        if (length >= sizeof name)
            length = sizeof name - 1;
        memcpy(name, at, length);
        name[length] = '\0';
        if (!read_goal(name, option, out, err))
            return SIM_USAGE;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return SIM_OK;
}

/* ---- the front so far ------------------------------------------------------------------------------- */

typedef struct member {
    int64_t point;
    double value[SIM_OPTIMIZE_GOALS_MAX]; /* the least is best */
    double room;                          /* distance of its neighbours on the front; ends have no end */
} member;

typedef struct search {
    const sim_sweep *sweep;
    const sim_optimize_goals *goals;
    sim_arena *arena;
    gsl_rng *random;
    member *front;
    int64_t front_count, front_capacity;
    int64_t *seen; /* open addressing, -1: empty; twice as large as there are evaluations */
    int64_t seen_size, seen_count;
} search;

/* Whether a is nowhere worse than b. */
static bool covers(const sim_optimize_goals *g, const member *a, const member *b)
{
    for (int i = 0; i < g->count; i++)
        if (a->value[i] > b->value[i])
            return false;
    return true;
}

static void take_row(void *user, const sim_point_row *row)
{
    search *s = user;
    member m = {.point = row->point};
    int64_t kept = 0;

    if (row->status != SIM_POINT_OK)
        return;
    for (int i = 0; i < s->goals->count; i++) {
        double x = row->figures[s->goals->figure[i]];

        if (isnan(x))
            return;
        m.value[i] = s->goals->largest[i] ? -x : x;
    }
    for (int64_t i = 0; i < s->front_count; i++)
        if (covers(s->goals, &s->front[i], &m))
            return;
    for (int64_t i = 0; i < s->front_count; i++)
        if (!covers(s->goals, &m, &s->front[i]))
            s->front[kept++] = s->front[i];
    s->front[kept++] = m;
    s->front_count = kept;
}

/* Which value the sort goes by stands first. */
static int by_first_value(const void *a, const void *b)
{
    const member *x = a, *y = b;

    if (x->value[0] != y->value[0])
        return x->value[0] < y->value[0] ? -1 : 1;
    return (x->point > y->point) - (x->point < y->point);
}

static void swap_values(search *s, int goal)
{
    for (int64_t i = 0; i < s->front_count; i++) {
        double first = s->front[i].value[0];

        s->front[i].value[0] = s->front[i].value[goal];
        s->front[i].value[goal] = first;
    }
}

/* Crowding distance of NSGA-II (Deb et al., IEEE Trans. Evolutionary Computation 6 (2002) 182). */
static void measure_room(search *s)
{
    member *f = s->front;
    const int64_t n = s->front_count;

    for (int64_t i = 0; i < n; i++)
        f[i].room = 0;
    for (int g = s->goals->count - 1; g >= 0 && n > 0; g--) { /* the first last: that order stays */
        double span;

        swap_values(s, g);
        qsort(f, (size_t)n, sizeof *f, by_first_value);
        span = f[n - 1].value[0] - f[0].value[0];
        f[0].room = f[n - 1].room = INFINITY;
        for (int64_t i = 1; i + 1 < n && span > 0; i++)
            f[i].room += (f[i + 1].value[0] - f[i - 1].value[0]) / span;
        swap_values(s, g);
    }
}

/* ---- children --------------------------------------------------------------------------------------- */

/* Below `limit`, which may exceed what the generator gives at once. */
static int64_t random_below(search *s, int64_t limit)
{
    int64_t x = (int64_t)(gsl_rng_uniform(s->random) * (double)limit);

    return x < limit ? x : limit - 1;
}

/* False: it was there. */
static bool see(search *s, int64_t point)
{
    uint64_t at = (uint64_t)point * UINT64_C(0x9e3779b97f4a7c15) % (uint64_t)s->seen_size;

    for (; s->seen[at] >= 0; at = (at + 1) % (uint64_t)s->seen_size)
        if (s->seen[at] == point)
            return false;
    s->seen[at] = point;
    s->seen_count++;
    return true;
}

static const member *parent(search *s)
{
    const member *a = &s->front[random_below(s, s->front_count)];
    const member *b = &s->front[random_below(s, s->front_count)];

    return a->room >= b->room ? a : b;
}

/* Mostly a step or two away, the further the rarer. */
static int64_t moved(search *s, int64_t index, int64_t extent)
{
    int64_t step = 1;

    if (extent < 2)
        return index;
    if (random_below(s, FAR) == 0)
        return random_below(s, extent);
    while (step < extent / 2 && random_below(s, 2) == 0)
        step *= 2;
    index += random_below(s, 2) == 0 ? step : -step;
    return index < 0 ? 0 : index >= extent ? extent - 1 : index;
}

static int64_t child(search *s)
{
    const sim_space *space = s->sweep->space;
    const int dimensions = sim_space_dimensions(space);
    int64_t index[SIM_SPACE_AXES_MAX], other[SIM_SPACE_AXES_MAX];

    sim_space_split(space, parent(s)->point, index);
    sim_space_split(space, parent(s)->point, other);
    for (int d = 0; d < dimensions; d++) {
        if (random_below(s, 2) == 0)
            index[d] = other[d];
        if (random_below(s, dimensions) == 0)
            index[d] = moved(s, index[d], sim_space_extent(space, d));
    }
    return sim_space_join(space, index);
}

static bool keeps(const sim_space *space, int64_t point)
{
    int64_t index[SIM_SPACE_AXES_MAX];

    sim_space_split(space, point, index);
    return sim_space_keeps(space, index);
}

static int by_point(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* New points, of the sequence or children of the front, neighbours together; fewer when no more are found. */
static int64_t next_points(search *s, sim_sequence *sequence, int64_t *points, int64_t wanted)
{
    int64_t count = 0;

    for (int64_t tries = 0; count < wanted && tries < TRIES * wanted; tries++) {
        bool spread = s->front_count == 0 || s->seen_count < GENERATION || tries > TRIES * wanted / 2;
        int64_t point = spread ? sim_sequence_next(sequence) : child(s);

        if (keeps(s->sweep->space, point) && see(s, point))
            points[count++] = point;
    }
    qsort(points, (size_t)count, sizeof *points, by_point);
    return count;
}

/* ---- the whole -------------------------------------------------------------------------------------- */

/* Progress over all generations. */
typedef struct relay {
    const sim_sweep_listener *to;
    const sim_sweep_report *report;
    int64_t before, total;
} relay;

static bool tell(void *user, const sim_sweep_progress *p)
{
    const relay *r = user;
    const sim_sweep_progress all = {
        .done = r->before + p->done, .total = r->total, .elapsed_s = r->report->elapsed_s + p->elapsed_s};

    return !r->to || !r->to->tell || r->to->tell(r->to->user, &all);
}

static bool stop(void *user)
{
    const relay *r = user;

    return r->to && r->to->stop && r->to->stop(r->to->user);
}

static bool make_search(search *s, int64_t evaluations, uint64_t seed)
{
    s->front = sim_arena_alloc(s->arena, (size_t)evaluations + 1, sizeof *s->front);
    s->seen_size = 2 * evaluations + 1;
    s->seen = sim_arena_alloc(s->arena, (size_t)s->seen_size, sizeof *s->seen);
    s->random = gsl_rng_alloc(gsl_rng_mt19937);
    if (!s->front || !s->seen || !s->random)
        return false;
    memset(s->seen, -1, (size_t)s->seen_size * sizeof *s->seen);
    gsl_rng_set(s->random, (unsigned long)seed);
    return true;
}

static sim_status search_front(search *s, sim_sequence *sequence, int64_t evaluations, sim_store *store,
                               relay *r, sim_sweep_report *report, sim_err *err)
{
    const sim_sweep_listener listener = {.tell = tell, .stop = stop, .user = r};
    sim_status status = SIM_OK;

    while (status == SIM_OK && !report->interrupted && s->seen_count < evaluations) {
        int64_t points[GENERATION], left = evaluations - s->seen_count;
        sim_sweep_points named = {.points = points, .priced = take_row, .user = s};

        r->before = s->seen_count;
        named.count = next_points(s, sequence, points, left < GENERATION ? left : GENERATION);
        if (named.count == 0)
            break;
        status = sim_sweep_run_points(s->sweep, &named, store, &listener, s->arena, report, err);
        measure_room(s);
    }
    return status;
}

sim_status sim_optimize_run(const sim_sweep *sweep, const sim_optimize_goals *goals, int64_t evaluations,
                            sim_store *store, const sim_sweep_listener *listener, sim_arena *arena,
                            sim_sweep_report *report, int64_t *front, sim_err *err)
{
    const int64_t size = sim_space_size(sweep->space), most = evaluations < size ? evaluations : size;
    search s = {.sweep = sweep, .goals = goals, .arena = arena};
    relay r = {.to = listener, .report = report, .total = most};
    sim_sequence *sequence;
    sim_status status = sim_sweep_open_columns(sweep, store, err);

    *report = (sim_sweep_report){0};
    gsl_set_error_handler_off();
    sequence = sim_sequence_new(sweep->space, sweep->seed, arena);
    if (status == SIM_OK && (!sequence || !make_search(&s, most, sweep->seed)))
        status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (status == SIM_OK)
        status = search_front(&s, sequence, most, store, &r, report, err);
    *front = s.front_count;
    sim_sequence_free(sequence);
    if (s.random)
        gsl_rng_free(s.random);
    return status;
}
