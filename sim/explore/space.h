/* The points of a sweep: what varies, over which values, and the n-th combination without the ones before it.
 *
 * An axis is a name and a list of values. Names are w, a and kv (bits), policy, objective, arch, workload,
 * what a model is used for (phase, batch, context, prompt, new, chunk, draft, tp, pp, mla), or any key of the
 * arch file. Values are written
 *
 *   4,8          a list
 *   2..8         every integer from 2 to 8
 *   0.5..2:0.5   in steps
 *   1..64:x2     each the double of the one before
 *
 * or any words where the axis takes words. Axes that are zipped advance together and have equally many
 * values; all others are combined. Points are numbered from 0 in mixed radix, and a point is its number:
 * nothing is enumerated. Hardware varies slowest, bits fastest, so that neighbours share what is expensive to
 * prepare. */
#ifndef SIM_EXPLORE_SPACE_H
#define SIM_EXPLORE_SPACE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_space sim_space;

enum { SIM_SPACE_AXES_MAX = 32, SIM_SPACE_VALUES_MAX = 1000000 };

/* What an axis decides. */
typedef enum sim_axis_of {
    SIM_AXIS_ARCH,
    SIM_AXIS_WORKLOAD,
    SIM_AXIS_POLICY,
    SIM_AXIS_OBJECTIVE,
    SIM_AXIS_BITS
} sim_axis_of;

/* Where a slip stands: an option of the command line (line 0), or a file and its line. */
typedef struct sim_space_place {
    const char *what; /* "option '--set-axis'", or a file's name */
    int line;
} sim_space_place;

sim_space *sim_space_new(sim_arena *arena); /* NULL: out of memory */

/* Adds the axis `name` with `values` as written above. SIM_BAD_INPUT (in a file) or SIM_USAGE: an axis that
 * is there already, an empty range, a value that is no number where one is needed, too many values. Keys of
 * the arch are checked when the arch is read. */
sim_status sim_space_axis(sim_space *space, const char *name, const char *values, sim_space_place place,
                          sim_err *err);
/* Lets axes, named "a,b", advance together. */
sim_status sim_space_zip(sim_space *space, const char *names, sim_space_place place, sim_err *err);
/* Leaves out the points for which the expression (expression.h) over axes is false. */
sim_status sim_space_filter(sim_space *space, const char *text, sim_space_place place, sim_err *err);

/* Call once, after all axes: orders them and counts. More than 2^62 points are an error of the axis
 * that makes them so many. */
sim_status sim_space_finish(sim_space *space, sim_err *err);

int64_t sim_space_size(const sim_space *space); /* the filter left aside */
int sim_space_axes(const sim_space *space);
const char *sim_space_name(const sim_space *space, int axis);
int64_t sim_space_values(const sim_space *space, int axis);
int sim_space_find(const sim_space *space, const char *name); /* index of an axis; -1 */
bool sim_space_has(const sim_space *space, const char *name);
sim_axis_of sim_space_of(const sim_space *space, int axis);
bool sim_space_is_key(const sim_space *space, int axis); /* of the arch file */
sim_space_place sim_space_place_of(const sim_space *space, int axis);

/* Independent directions: an unzipped axis, or a group of zipped ones. */
int sim_space_dimensions(const sim_space *space);
int64_t sim_space_extent(const sim_space *space, int dimension);
int sim_space_dimension(const sim_space *space, int axis); /* that an axis belongs to */

/* A point as one index per dimension (index[SIM_SPACE_AXES_MAX]), and back. */
void sim_space_split(const sim_space *space, int64_t point, int64_t *index);
int64_t sim_space_join(const sim_space *space, const int64_t *index);

/* The value of an axis at a point, as text that lives in `buffer` (48 bytes hold any number) or in the space;
 * and as a number, false where it is none. */
const char *sim_space_value(const sim_space *space, const int64_t *index, int axis, char *buffer, int size);
bool sim_space_real(const sim_space *space, const int64_t *index, int axis, double *out);

/* Whether the filter keeps the point. */
bool sim_space_keeps(const sim_space *space, const int64_t *index);

/* Equal for two points that agree in all axes of these kinds: sum of 1 << sim_axis_of. */
int64_t sim_space_part(const sim_space *space, const int64_t *index, unsigned of);
/* So many points in a row, from a multiple of it on, agree in all axes of the arch. */
int64_t sim_space_per_arch(const sim_space *space);

#endif
