#include "explore/space_parts.h"

#include "base/text.h"
#include "model/types.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ----------------------------------------------------------------------------------------- */

static const sim_axis_kind kinds[] = {
    {"arch", SIM_AXIS_ARCH, false, 0, 0, NULL},
    {"workload", SIM_AXIS_WORKLOAD, false, 0, 0, NULL},
    {"phase", SIM_AXIS_WORKLOAD, false, 0, 0, sim_phase_names + 1},
    {"mla", SIM_AXIS_WORKLOAD, false, 0, 0, sim_mla_names},
    {"tp", SIM_AXIS_WORKLOAD, true, 1, INT64_MAX, NULL},
    {"pp", SIM_AXIS_WORKLOAD, true, 1, INT64_MAX, NULL},
    {"batch", SIM_AXIS_WORKLOAD, true, 1, INT64_MAX, NULL},
    {"context", SIM_AXIS_WORKLOAD, true, 1, INT64_MAX, NULL},
    {"prompt", SIM_AXIS_WORKLOAD, true, 1, INT64_MAX, NULL},
    {"new", SIM_AXIS_WORKLOAD, true, 1, INT64_MAX, NULL},
    {"chunk", SIM_AXIS_WORKLOAD, true, 1, INT64_MAX, NULL},
    {"draft", SIM_AXIS_WORKLOAD, true, 1, INT64_MAX, NULL},
    {"policy", SIM_AXIS_POLICY, false, 0, 0, NULL},
    {"objective", SIM_AXIS_OBJECTIVE, false, 0, 0, sim_objective_names},
    {"w", SIM_AXIS_BITS, true, 1, 16, NULL},
    {"a", SIM_AXIS_BITS, true, 1, 16, NULL},
    {"kv", SIM_AXIS_BITS, true, 1, 16, NULL},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* Of a key of the arch file: NULL. */
const sim_axis_kind *sim_axis_kind_of(const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* Slowest first: keys of the arch between the files and what a model is used for. */
int sim_axis_rank(const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return i < 1 ? 0 : i + 1;
    return 1;
}

sim_status sim_space_slip(sim_space_place place, sim_err *err, const char *format, ...)
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

static bool push(sim_space *space, sim_axis *a, sim_stretch s)
{
    sim_stretch *copy = sim_arena_alloc(space->arena, 1, sizeof *copy);

    if (!copy)
        return false;
    *copy = s;
    copy->start = a->count;
    a->stretch_count++;
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
static bool read_range(sim_axis *a, const char *part, const char *dots, sim_stretch *out, sim_err *err)
{
    char low[48], high[48];
    const char *colon = strchr(dots, ':');
    double last;

    *out = (sim_stretch){.step = 1};
    snprintf(low, sizeof low, "%.*s", (int)(dots - part), part);
    snprintf(high, sizeof high, "%.*s", colon ? (int)(colon - dots - 2) : 47, dots + 2);
    out->multiply = colon && colon[1] == 'x';
    if (!sim_parse_real(low, &out->first) || !sim_parse_real(high, &last) ||
        (colon && !sim_parse_real(colon + 1 + out->multiply, &out->step))) {
        sim_space_slip(a->place, err, "axis '%s': '%s' is no range of numbers", a->name, part);
        sim_hint(err, "2..8, 0.5..2:0.5 or 1..64:x2");
        return false;
    }
    if (out->first > last) {
        sim_space_slip(a->place, err, "axis '%s': the range '%s' is empty", a->name, part);
        return false;
    }
    if (out->multiply ? !(out->step > 1 && out->first > 0) : !(out->step > 0)) {
        sim_space_slip(a->place, err, "axis '%s': '%s' never gets to its end", a->name, part);
        sim_hint(err, "a step is above 0; a factor above 1, from a number above 0");
        return false;
    }
    out->whole = is_whole(out->first) && is_whole(out->step);
    /* A hair more than the quotient, so that 0.1 + 0.1 + 0.1 still reaches 0.3. */
    last = out->multiply ? log(last / out->first) / log(out->step) : (last - out->first) / out->step;
    if (!(last < SIM_SPACE_VALUES_MAX)) {
        sim_space_slip(a->place, err, "axis '%s': '%s' has more than %d values", a->name, part,
                       SIM_SPACE_VALUES_MAX);
        return false;
    }
    out->count = (int64_t)floor(last * (1 + 1e-12) + 1e-9) + 1;
    return true;
}

static bool check_number(const sim_axis *a, const sim_axis_kind *kind, const char *part, sim_err *err)
{
    int64_t number;

    if (!kind || !kind->number)
        return true;
    if (sim_parse_int(part, &number) && number >= kind->least && number <= kind->most)
        return true;
    if (kind->most < INT64_MAX)
        sim_space_slip(a->place, err, "axis '%s': '%s' is no integer from %" PRId64 " to %" PRId64, a->name,
                       part, kind->least, kind->most);
    else
        sim_space_slip(a->place, err, "axis '%s': '%s' is no integer of at least %" PRId64, a->name, part,
                       kind->least);
    return false;
}

static bool check_range(const sim_axis *a, const sim_axis_kind *kind, const char *part, const sim_stretch *s,
                        sim_err *err)
{
    double last = s->multiply ? s->first * pow(s->step, (double)(s->count - 1))
                              : s->first + s->step * (double)(s->count - 1);

    if (kind && kind->number &&
        (!s->whole || s->first < (double)kind->least ||
         (kind->most < INT64_MAX && last > (double)kind->most))) {
        sim_space_slip(a->place, err, "axis '%s': the range '%s' leaves the integers %s %" PRId64, a->name,
                       part, kind->most < INT64_MAX ? "from 1 to" : "from",
                       kind->most < INT64_MAX ? kind->most : kind->least);
        return false;
    }
    return true;
}

static const char *word_list(const char *const *words, char *list, size_t size)
{
    *list = '\0';
    for (int i = 0; words[i]; i++) {
        strncat(list, i ? ", " : "", size - strlen(list) - 1);
        strncat(list, words[i], size - strlen(list) - 1);
    }
    return list;
}

static bool check_word(const sim_axis *a, const sim_axis_kind *kind, const char *part, sim_err *err)
{
    char list[160];
    const char *near;

    if (!kind || !kind->words)
        return true;
    for (int i = 0; kind->words[i]; i++)
        if (strcmp(kind->words[i], part) == 0)
            return true;
    sim_space_slip(a->place, err, "axis '%s': unknown %s '%s'", a->name, a->name, part);
    near = sim_nearest(part, kind->words);
    if (near)
        sim_hint(err, "did you mean '%s'?", near);
    else
        sim_hint(err, "known: %s", word_list(kind->words, list, sizeof list));
    return false;
}

/* One value, or one range. False after an error. */
static bool read_part(sim_space *space, sim_axis *a, const sim_axis_kind *kind, const char *part,
                      sim_err *err)
{
    const char *dots = strstr(part, "..");
    bool words = kind && !kind->number;
    sim_stretch s = {.word = part, .count = 1};

    if (!*part) {
        sim_space_slip(a->place, err, "axis '%s': a value is missing", a->name);
        return false;
    }
    if (dots && !words && (*part == '-' || *part == '.' || (*part >= '0' && *part <= '9'))) {
        if (!read_range(a, part, dots, &s, err) || !check_range(a, kind, part, &s, err))
            return false;
    } else if (!check_number(a, kind, part, err) || !check_word(a, kind, part, err)) {
        return false;
    } else {
        s.word_is_number = sim_parse_real(part, &s.number);
    }
    if (a->count + s.count > SIM_SPACE_VALUES_MAX) {
        sim_space_slip(a->place, err, "axis '%s' has more than %d values", a->name, SIM_SPACE_VALUES_MAX);
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
    sim_axis *a = &space->axes[space->axis_count];

    if (space->axis_count == SIM_SPACE_AXES_MAX)
        return sim_space_slip(place, err, "more than %d axes", SIM_SPACE_AXES_MAX);
    if (!*name)
        return sim_space_slip(place, err, "an axis needs a name");
    if (sim_space_find(space, name) >= 0)
        return sim_space_slip(place, err, "axis '%s' is there twice", name);
    *a = (sim_axis){.name = sim_arena_text(space->arena, name, strlen(name)),
                    .kind = sim_axis_kind_of(name),
                    .place = place};
    a->tail = &a->values;
    if (!a->name)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (const char *at = values; at;) {
        size_t length = strcspn(at, ",");
        char *part = sim_arena_text(space->arena, at, length);

        if (!part)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        read_part(space, a, a->kind, part, err);
        at = at[length] ? at + length + 1 : NULL;
    }
    space->axis_count++; /* also a bad one: its name is known to what comes */
    a->bad = err->count + err->dropped > before;
    return a->bad ? sim_err_status(err) : SIM_OK;
}
