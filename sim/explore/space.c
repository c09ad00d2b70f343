#include "explore/space_parts.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

sim_space *sim_space_new(sim_arena *arena)
{
    sim_space *space = sim_arena_alloc(arena, 1, sizeof *space);

    if (space)
        space->arena = arena;
    return space;
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
            return sim_space_slip(place, err, "'%s' is no axis of this sweep", name);
        if (space->axes[i].zipped)
            return sim_space_slip(place, err, "axis '%s' is zipped twice", name);
        if (extent >= 0 && space->axes[i].count != extent && !space->axes[i].bad)
            return sim_space_slip(place, err,
                                  "zipped axes need equally many values: '%s' has %" PRId64 ", not %" PRId64,
                                  name, space->axes[i].count, extent);
        extent = space->axes[i].bad ? extent : space->axes[i].count;
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
    const sim_axis *x = a, *y = b;
    int rx = sim_axis_rank(x->name), ry = sim_axis_rank(y->name);

    return rx != ry ? rx - ry : strcmp(x->name, y->name);
}

static bool list_stretches(sim_axis *a, sim_arena *arena)
{
    int64_t count = 0;

    a->stretches = sim_arena_alloc(arena, (size_t)a->stretch_count, sizeof(sim_stretch *));
    for (const sim_stretch *s = a->values; s && a->stretches; s = s->next)
        a->stretches[count++] = s;
    return a->stretches != NULL;
}

sim_status sim_space_finish(sim_space *space, sim_err *err)
{
    int of_zip[SIM_SPACE_AXES_MAX + 1] = {0};

    qsort(space->axes, (size_t)space->axis_count, sizeof *space->axes, by_rank);
    space->size = 1;
    for (int i = 0; i < space->axis_count; i++) {
        sim_axis *a = &space->axes[i];
        int d = a->zipped ? of_zip[a->zipped] - 1 : -1;

        if (d < 0) {
            d = space->dimension_count++;
            space->dimensions[d] = (sim_dimension){.extent = a->count};
            if (a->zipped)
                of_zip[a->zipped] = d + 1;
            if (__builtin_mul_overflow(space->size, a->count, &space->size) || space->size > INT64_C(1) << 62)
                return sim_space_slip(a->place, err, "with axis '%s' there are more than 2^62 points",
                                      a->name);
        }
        a->dimension = d;
        if (!list_stretches(a, space->arena))
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        space->dimensions[d].of |= 1U << sim_space_of(space, i);
    }
    return SIM_OK;
}

/* ---- what there is ---------------------------------------------------------------------------------- */

int64_t sim_space_size(const sim_space *space)
{
    return space->size;
}

int sim_space_axes(const sim_space *space)
{
    return space->axis_count;
}

const char *sim_space_name(const sim_space *space, int axis)
{
    return space->axes[axis].name;
}

int64_t sim_space_values(const sim_space *space, int axis)
{
    return space->axes[axis].count;
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

sim_axis_of sim_space_of(const sim_space *space, int axis)
{
    return space->axes[axis].kind ? space->axes[axis].kind->of : SIM_AXIS_ARCH;
}

bool sim_space_is_key(const sim_space *space, int axis)
{
    return !space->axes[axis].kind;
}

sim_space_place sim_space_place_of(const sim_space *space, int axis)
{
    return space->axes[axis].place;
}

int sim_space_dimensions(const sim_space *space)
{
    return space->dimension_count;
}

int64_t sim_space_extent(const sim_space *space, int d)
{
    return space->dimensions[d].extent;
}

int sim_space_dimension(const sim_space *space, int axis)
{
    return space->axes[axis].dimension;
}

/* ---- points ----------------------------------------------------------------------------------------- */

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

int64_t sim_space_part(const sim_space *space, const int64_t *index, unsigned of)
{
    int64_t part = 0;

    for (int d = 0; d < space->dimension_count; d++)
        if (space->dimensions[d].of & of)
            part = part * space->dimensions[d].extent + index[d];
    return part;
}

int64_t sim_space_per_arch(const sim_space *space)
{
    int64_t points = 1;

    for (int d = space->dimension_count - 1; d >= 0; d--) {
        if (space->dimensions[d].of & 1U << SIM_AXIS_ARCH)
            break;
        points *= space->dimensions[d].extent;
    }
    return points;
}

/* The stretch that holds the value; *index becomes which of its values that is. */
static const sim_stretch *stretch_at(const sim_axis *a, int64_t *index)
{
    int64_t low = 0, high = a->stretch_count - 1;

    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;

        if (a->stretches[middle]->start <= *index)
            low = middle;
        else
            high = middle - 1;
    }
    *index -= a->stretches[low]->start;
    return a->stretches[low];
}

static double number_at(const sim_stretch *s, int64_t index)
{
    return s->multiply ? s->first * pow(s->step, (double)index) : s->first + s->step * (double)index;
}

/* As it will be read back: what --set, a filter and the store see is the same number. */
static const char *text_at(const sim_stretch *s, int64_t index, char *buffer, int size)
{
    double x = number_at(s, index);

    if (s->whole)
        snprintf(buffer, (size_t)size, "%" PRId64, (int64_t)llround(x));
    else
        snprintf(buffer, (size_t)size, "%.12g", x);
    return buffer;
}

const char *sim_space_value(const sim_space *space, const int64_t *index, int axis, char *buffer, int size)
{
    const sim_axis *a = &space->axes[axis];
    int64_t at = index[a->dimension];
    const sim_stretch *s = stretch_at(a, &at);

    return s->word ? s->word : text_at(s, at, buffer, size);
}

bool sim_space_real(const sim_space *space, const int64_t *index, int axis, double *out)
{
    const sim_axis *a = &space->axes[axis];
    int64_t at = index[a->dimension];
    const sim_stretch *s = stretch_at(a, &at);
    char buffer[48];

    if (s->word) {
        *out = s->number;
        return s->word_is_number;
    }
    *out = number_at(s, at);
    if (s->whole)
        *out = (double)llround(*out);
    else
        sim_parse_real(text_at(s, at, buffer, sizeof buffer), out);
    return true;
}

typedef struct at_point {
    const sim_space *space;
    const int64_t *index;
} at_point;

static bool look_up(void *user, const char *name, double *number, const char **text)
{
    const at_point *p = user;
    int i = sim_space_find(p->space, name);

    if (i < 0)
        return false;
    *text = sim_space_real(p->space, p->index, i, number) ? NULL
                                                          : sim_space_value(p->space, p->index, i, NULL, 0);
    return true;
}

bool sim_space_keeps(const sim_space *space, const int64_t *index)
{
    at_point p = {space, index};

    return !space->filter || sim_expression_true(space->filter, look_up, &p);
}
