#include "explore/space.h"

#include "base/text.h"
#include "explore/expression.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A stretch of values: one word, or numbers first, first + step, ... (or first * step, ...). */
typedef struct stretch {
    const char *word; /* NULL: numbers */
    double first, step;
    bool multiply, whole;
    int64_t count;
    struct stretch *next;
} stretch;

typedef struct axis {
    const char *name;
    stretch *values, **tail;
    int64_t count;
    int dimension; /* that it belongs to, after sim_space_finish */
    int zipped;    /* group of zipped axes, from 1; 0: none */
    sim_space_place place;
} axis;

typedef struct dimension {
    int64_t extent;
    bool machine; /* one of its axes decides the arch or the workload */
} dimension;

struct sim_space {
    sim_arena *arena;
    axis axes[SIM_SPACE_AXES_MAX];
    dimension dimensions[SIM_SPACE_AXES_MAX];
    int axis_count, dimension_count, zips;
    int64_t size;
    const sim_expression *filter;
};

sim_space *sim_space_new(sim_arena *arena)
{
    sim_space *space = sim_arena_alloc(arena, 1, sizeof *space);

    if (space)
        space->arena = arena;
    return space;
}

/* ---- values ----------------------------------------------------------------------------------------- */

/* How an axis of bits or tokens differs from one of words: whole numbers of at least `least`. */
typedef struct axis_kind {
    const char *name;
    bool machine; /* arch and workload must be read again when it changes */
    bool number;
    int64_t least, most;
} axis_kind;

static const axis_kind kinds[] = {
    {"arch", true, false, 0, 0},
    {"workload", true, false, 0, 0},
    {"phase", true, false, 0, 0},
    {"batch", true, true, 1, INT64_MAX},
    {"context", true, true, 0, INT64_MAX},
    {"prompt", true, true, 1, INT64_MAX},
    {"new", true, true, 1, INT64_MAX},
    {"objective", false, false, 0, 0},
    {"policy", false, false, 0, 0},
    {"w", false, true, 1, 16},
    {"a", false, true, 1, 16},
    {"kv", false, true, 1, 16},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* Of a key of the arch file: NULL. */
static const axis_kind *kind_of(const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* Slowest first: keys of the arch between the files and what a model is used for. */
static int rank_of(const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return i < 1 ? 0 : i + 1;
    return 1;
}

static sim_status slip(sim_space_place place, sim_err *err, const char *format, ...) SIM_PRINTF(3, 4);

static sim_status slip(sim_space_place place, sim_err *err, const char *format, ...)
{
    char text[SIM_ERR_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (place.line > 0)
        return sim_fail(err, SIM_BAD_INPUT, place.what, place.line, "%s", text);
    return sim_fail(err, SIM_USAGE, NULL, 0, "%s: %s", place.what, text);
}

static bool push(sim_space *space, axis *a, stretch s)
{
    stretch *copy = sim_arena_alloc(space->arena, 1, sizeof *copy);

    if (!copy)
        return false;
    *copy = s;
    *a->tail = copy;
    a->tail = &copy->next;
    a->count += s.count;
    return true;
}

static bool is_whole(double x)
{
    return x == floor(x) && fabs(x) < 9e15;
}

/* "lo..hi", "lo..hi:step" or "lo..hi:xfactor"; false after an error. */
static bool read_range(axis *a, const char *part, const char *dots, stretch *out, sim_err *err)
{
    char low[48], high[48];
    const char *colon = strchr(dots, ':');
    double last;

    *out = (stretch){.step = 1};
    snprintf(low, sizeof low, "%.*s", (int)(dots - part), part);
    snprintf(high, sizeof high, "%.*s", colon ? (int)(colon - dots - 2) : 47, dots + 2);
    out->multiply = colon && colon[1] == 'x';
    if (!sim_parse_real(low, &out->first) || !sim_parse_real(high, &last) ||
        (colon && !sim_parse_real(colon + 1 + out->multiply, &out->step))) {
        slip(a->place, err, "axis '%s': '%s' is no range of numbers", a->name, part);
        sim_hint(err, "2..8, 0.5..2:0.5 or 1..64:x2");
        return false;
    }
    if (out->first > last) {
        slip(a->place, err, "axis '%s': the range '%s' is empty", a->name, part);
        return false;
    }
    if (out->multiply ? !(out->step > 1 && out->first > 0) : !(out->step > 0)) {
        slip(a->place, err, "axis '%s': '%s' never gets to its end", a->name, part);
        sim_hint(err, "a step is above 0; a factor above 1, from a number above 0");
        return false;
    }
    out->whole = is_whole(out->first) && is_whole(out->step);
    /* A hair more than the quotient, so that 0.1 + 0.1 + 0.1 still reaches 0.3. */
    last = out->multiply ? log(last / out->first) / log(out->step) : (last - out->first) / out->step;
    if (!(last < SIM_SPACE_VALUES_MAX)) {
        slip(a->place, err, "axis '%s': '%s' has more than %d values", a->name, part, SIM_SPACE_VALUES_MAX);
        return false;
    }
    out->count = (int64_t)floor(last * (1 + 1e-12) + 1e-9) + 1;
    return true;
}

static bool check_number(const axis *a, const axis_kind *kind, const char *part, sim_err *err)
{
    int64_t number;

    if (!kind || !kind->number)
        return true;
    if (sim_parse_int(part, &number) && number >= kind->least && number <= kind->most)
        return true;
    if (kind->most < INT64_MAX)
        slip(a->place, err, "axis '%s': '%s' is no integer from %" PRId64 " to %" PRId64, a->name, part,
             kind->least, kind->most);
    else
        slip(a->place, err, "axis '%s': '%s' is no integer of at least %" PRId64, a->name, part, kind->least);
    return false;
}

static bool check_range(const axis *a, const axis_kind *kind, const char *part, const stretch *s,
                        sim_err *err)
{
    double last = s->multiply ? s->first * pow(s->step, (double)(s->count - 1))
                              : s->first + s->step * (double)(s->count - 1);

    if (kind && kind->number &&
        (!s->whole || s->first < (double)kind->least ||
         (kind->most < INT64_MAX && last > (double)kind->most))) {
        slip(a->place, err, "axis '%s': the range '%s' leaves the integers %s %" PRId64, a->name, part,
             kind->most < INT64_MAX ? "from 1 to" : "from",
             kind->most < INT64_MAX ? kind->most : kind->least);
        return false;
    }
    return true;
}

/* One value, or one range. False after an error. */
static bool read_part(sim_space *space, axis *a, const axis_kind *kind, const char *part, sim_err *err)
{
    const char *dots = strstr(part, "..");
    bool words = kind && !kind->number;
    stretch s = {.word = part, .count = 1};

    if (!*part) {
        slip(a->place, err, "axis '%s': a value is missing", a->name);
        return false;
    }
    if (dots && !words && (*part == '-' || *part == '.' || (*part >= '0' && *part <= '9'))) {
        if (!read_range(a, part, dots, &s, err) || !check_range(a, kind, part, &s, err))
            return false;
    } else if (!check_number(a, kind, part, err)) {
        return false;
    }
    if (a->count + s.count > SIM_SPACE_VALUES_MAX) {
        slip(a->place, err, "axis '%s' has more than %d values", a->name, SIM_SPACE_VALUES_MAX);
        return false;
    }
    if (!push(space, a, s)) {
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        return false;
    }
    return true;
}

sim_status sim_space_axis(sim_space *space, const char *name, const char *values, sim_space_place place,
                          sim_err *err)
{
    int before = err->count + err->dropped;
    axis *a = &space->axes[space->axis_count];

    if (space->axis_count == SIM_SPACE_AXES_MAX)
        return slip(place, err, "more than %d axes", SIM_SPACE_AXES_MAX);
    if (!*name)
        return slip(place, err, "an axis needs a name");
    if (sim_space_find(space, name) >= 0)
        return slip(place, err, "axis '%s' is there twice", name);
    *a = (axis){.name = sim_arena_text(space->arena, name, strlen(name)), .place = place};
    a->tail = &a->values;
    if (!a->name)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (const char *at = values; at;) {
        size_t length = strcspn(at, ",");
        char *part = sim_arena_text(space->arena, at, length);

        if (!part)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        read_part(space, a, kind_of(name), part, err);
        at = at[length] ? at + length + 1 : NULL;
    }
    if (err->count + err->dropped > before)
        return sim_err_status(err);
    space->axis_count++;
    return SIM_OK;
}

/* ---- zips and filters ------------------------------------------------------------------------------- */

sim_status sim_space_zip(sim_space *space, const char *names, sim_space_place place, sim_err *err)
{
    int64_t extent = -1;
    int group = ++space->zips;

    for (const char *at = names; at;) {
        size_t length = strcspn(at, ",");
        char name[128];
        int i;

        snprintf(name, sizeof name, "%.*s", (int)length, at);
        i = sim_space_find(space, name);
        if (i < 0)
            return slip(place, err, "'%s' is no axis of this sweep", name);
        if (space->axes[i].zipped)
            return slip(place, err, "axis '%s' is zipped twice", name);
        if (extent >= 0 && space->axes[i].count != extent)
            return slip(place, err,
                        "zipped axes need equally many values: '%s' has %" PRId64 ", not %" PRId64, name,
                        space->axes[i].count, extent);
        extent = space->axes[i].count;
        space->axes[i].zipped = group;
        at = at[length] ? at + length + 1 : NULL;
    }
    return SIM_OK;
}

static bool is_axis(void *user, const char *name)
{
    return sim_space_find(user, name) >= 0;
}

sim_status sim_space_filter(sim_space *space, const char *text, sim_space_place place, sim_err *err)
{
    return sim_expression_parse(text, is_axis, space, place.what, place.line,
                                place.line > 0 ? SIM_BAD_INPUT : SIM_USAGE, space->arena, &space->filter,
                                err);
}

/* ---- numbering -------------------------------------------------------------------------------------- */

static int by_rank(const void *a, const void *b)
{
    const axis *x = a, *y = b;
    int rx = rank_of(x->name), ry = rank_of(y->name);

    return rx != ry ? rx - ry : strcmp(x->name, y->name);
}

sim_status sim_space_finish(sim_space *space, sim_err *err)
{
    int of_zip[SIM_SPACE_AXES_MAX + 1] = {0};

    qsort(space->axes, (size_t)space->axis_count, sizeof *space->axes, by_rank);
    space->size = 1;
    for (int i = 0; i < space->axis_count; i++) {
        axis *a = &space->axes[i];
        const axis_kind *kind = kind_of(a->name);
        int d = a->zipped ? of_zip[a->zipped] - 1 : -1;

        if (d < 0) {
            d = space->dimension_count++;
            space->dimensions[d] = (dimension){.extent = a->count};
            if (a->zipped)
                of_zip[a->zipped] = d + 1;
            if (__builtin_mul_overflow(space->size, a->count, &space->size) || space->size > INT64_C(1) << 62)
                return sim_fail(err, SIM_OVERFLOW, NULL, 0, "the sweep has more than 2^62 points");
        }
        a->dimension = d;
        space->dimensions[d].machine |= !kind || kind->machine;
    }
    return SIM_OK;
}

int64_t sim_space_size(const sim_space *space)
{
    return space->size;
}

int sim_space_axes(const sim_space *space)
{
    return space->axis_count;
}

const char *sim_space_name(const sim_space *space, int i)
{
    return space->axes[i].name;
}

int64_t sim_space_values(const sim_space *space, int i)
{
    return space->axes[i].count;
}

int sim_space_find(const sim_space *space, const char *name)
{
    for (int i = 0; i < space->axis_count; i++)
        if (strcmp(space->axes[i].name, name) == 0)
            return i;
    return -1;
}

bool sim_space_has(const sim_space *space, const char *name)
{
    return sim_space_find(space, name) >= 0;
}

int sim_space_dimensions(const sim_space *space)
{
    return space->dimension_count;
}

int64_t sim_space_extent(const sim_space *space, int d)
{
    return space->dimensions[d].extent;
}

void sim_space_split(const sim_space *space, int64_t point, int64_t *index)
{
    for (int d = space->dimension_count - 1; d >= 0; d--) {
        index[d] = point % space->dimensions[d].extent;
        point /= space->dimensions[d].extent;
    }
}

int64_t sim_space_join(const sim_space *space, const int64_t *index)
{
    int64_t point = 0;

    for (int d = 0; d < space->dimension_count; d++)
        point = point * space->dimensions[d].extent + index[d];
    return point;
}

int64_t sim_space_machine(const sim_space *space, int64_t point)
{
    int64_t index[SIM_SPACE_AXES_MAX], machine = 0;

    sim_space_split(space, point, index);
    for (int d = 0; d < space->dimension_count; d++)
        if (space->dimensions[d].machine)
            machine = machine * space->dimensions[d].extent + index[d];
    return machine;
}

static const char *value_text(const axis *a, int64_t index, char *buffer, int size)
{
    const stretch *s = a->values;
    double x;

    for (; index >= s->count; s = s->next)
        index -= s->count;
    if (s->word)
        return s->word;
    x = s->multiply ? s->first * pow(s->step, (double)index) : s->first + s->step * (double)index;
    if (s->whole)
        snprintf(buffer, (size_t)size, "%" PRId64, (int64_t)llround(x));
    else
        snprintf(buffer, (size_t)size, "%.12g", x);
    return buffer;
}

const char *sim_space_value(const sim_space *space, int64_t point, int i, char *buffer, int size)
{
    int64_t index[SIM_SPACE_AXES_MAX];

    sim_space_split(space, point, index);
    return value_text(&space->axes[i], index[space->axes[i].dimension], buffer, size);
}

typedef struct at_point {
    const sim_space *space;
    int64_t point;
    char buffer[48];
} at_point;

static bool look_up(void *user, const char *name, double *number, const char **text)
{
    at_point *p = user;
    int i = sim_space_find(p->space, name);
    const char *value;

    if (i < 0)
        return false;
    value = sim_space_value(p->space, p->point, i, p->buffer, sizeof p->buffer);
    *text = NULL;
    if (!sim_parse_real(value, number))
        *text = value;
    return true;
}

bool sim_space_keeps(const sim_space *space, int64_t point)
{
    at_point p = {.space = space, .point = point};

    return !space->filter || sim_expression_true(space->filter, look_up, &p);
}
