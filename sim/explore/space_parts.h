/* What a space consists of. Private to space*.c. */
#ifndef SIM_EXPLORE_SPACE_PARTS_H
#define SIM_EXPLORE_SPACE_PARTS_H

#include "explore/expression.h"
#include "explore/space.h"

/* A stretch of values: one word, or numbers first, first + step, ... (or first * step, ...). */
typedef struct sim_stretch {
    const char *word; /* NULL: numbers */
    double first, step;
    bool multiply, whole;
    int64_t start, count; /* index of its first value in the axis */
    bool word_is_number;
    double number; /* of a word that is one */
    struct sim_stretch *next;
} sim_stretch;

/* How an axis of bits or tokens differs from one of words: whole numbers of at least `least`. */
typedef struct sim_axis_kind {
    const char *name;
    sim_axis_of of;
    bool number;
    int64_t least, most;
    const char *const *words; /* NULL: any */
} sim_axis_kind;

typedef struct sim_axis {
    const char *name;
    sim_stretch *values, **tail;
    const sim_stretch **stretches; /* the same in an array, after sim_space_finish */
    int64_t stretch_count, count;
    const sim_axis_kind *kind; /* NULL: a key of the arch file */
    int dimension;             /* that it belongs to, after sim_space_finish */
    int zipped;                /* group of zipped axes, from 1; 0: none */
    bool bad;                  /* had an error, which has been told */
    sim_space_place place;
} sim_axis;

typedef struct sim_dimension {
    int64_t extent;
    unsigned of; /* 1 << sim_axis_of, of each of its axes */
} sim_dimension;

struct sim_space {
    sim_arena *arena;
    sim_axis axes[SIM_SPACE_AXES_MAX];
    sim_dimension dimensions[SIM_SPACE_AXES_MAX];
    int axis_count, dimension_count, zips;
    int64_t size;
    const sim_expression *filter;
};

/* Of a key of the arch file: NULL. */
const sim_axis_kind *sim_axis_kind_of(const char *name);
/* Place among all axes: slowest first. */
int sim_axis_rank(const char *name);

sim_status sim_space_slip(sim_space_place place, sim_err *err, const char *format, ...) SIM_PRINTF(3, 4);

#endif
