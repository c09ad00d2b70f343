/* Sweeps: every point of a space (space.h) priced and stored (store.h), resumable, on any number of threads,
 * processes and machines.
 *
 * A point is an arch file with settings, a workload with options, a policy and an objective. Its key is a
 * hash of what these turn out to be, not of how they were named: whoever asks for the same point finds it.
 * Rows do not depend on the number of threads, nor on the shard.
 *
 * Threads take blocks of neighbouring points, price them, and whichever finds a batch of finished blocks
 * waiting stores it, in the order of the points, while the others go on. What lies in memory is a window of
 * some thousand points, however many there are. */
#ifndef SIM_EXPLORE_SWEEP_H
#define SIM_EXPLORE_SWEEP_H

#include "explore/expression.h"
#include "explore/space.h"
#include "explore/store.h"
#include "input/workload.h"
#include "model/types.h"

/* A key of the arch file and its value, as --set has them. */
typedef struct sim_sweep_setting {
    const char *key, *value;
    sim_space_place place; /* in a sweep file; line 0: --set */
} sim_sweep_setting;

/* What stays the same at all points; axes of the same name win. */
typedef struct sim_sweep_base {
    const char *arch, *workload; /* files; NULL where an axis says */
    const sim_sweep_setting *settings;
    int setting_count;
    sim_workload_request request;
    const char *policy; /* NULL: the layers' own bits, else w8a8 */
    sim_objective objective;
} sim_sweep_base;

typedef struct sim_sweep {
    sim_sweep_base base;
    sim_space *space;
    const sim_expression *constraint; /* over axes and figures: points that miss it are stored as excluded;
                                         NULL: none */
    bool layers;                      /* rows per layer too */
    int jobs;                         /* threads; 0: as many as there are cores */
    int64_t shard, shards;            /* this process takes shard `shard` of `shards`; shards 0: all */
    int64_t sample; /* so many points of a low-discrepancy sequence (Sobol); 0: all points */
    uint64_t seed;
} sim_sweep;

/* One value per figure of sim_totals, under the names that `run` has for them: NaN where unknown. */
enum { SIM_SWEEP_FIGURES = 29 };
extern const char *const sim_sweep_figures[SIM_SWEEP_FIGURES + 1];
int sim_sweep_figure(const char *name); /* its index; -1 */

/* Whether a name is an axis of `user` (a sim_space) or a figure: for constraints. */
bool sim_sweep_knows(void *user, const char *name);

typedef struct sim_sweep_progress {
    int64_t done, total; /* points of this shard, the stored ones among them */
    int64_t stored;      /* that were there before */
    double elapsed_s;
} sim_sweep_progress;

typedef struct sim_sweep_report {
    int64_t points, stored, priced, infeasible, excluded, filtered;
    double elapsed_s;
    bool interrupted;
    const char *first_infeasible; /* why; NULL: none was */
} sim_sweep_report;

/* Called from one thread at a time, after each batch; false stops the sweep, with what is finished stored. */
typedef bool sim_sweep_tell(void *user, const sim_sweep_progress *progress);
/* Asked before each point, from any thread: true stops the sweep likewise. */
typedef bool sim_sweep_stop(void *user);

typedef struct sim_sweep_listener {
    sim_sweep_tell *tell; /* NULL: nobody wants to know */
    sim_sweep_stop *stop; /* NULL: never */
    void *user;
} sim_sweep_listener;

/* Reads the files of the sweep with the first and last value of each axis (and every word), so that a key
 * that does not exist or a value out of range is an error of its axis: SIM_BAD_INPUT, or SIM_USAGE for an
 * option. Combinations of values that no machine has are infeasible points, not errors. */
sim_status sim_sweep_check(const sim_sweep *sweep, sim_err *err);

/* Runs the points that the store lacks; a point that cannot be run is stored as infeasible with its reason.
 * SIM_IO: the store cannot be written; what was committed before stays. */
sim_status sim_sweep_run(const sim_sweep *sweep, sim_store *store, const sim_sweep_listener *listener,
                         sim_arena *arena, sim_sweep_report *report, sim_err *err);

/* How many points there are after the filter (exact up to ten million, then from a sample), and what they may
 * take, from pricing some. */
typedef struct sim_sweep_estimate {
    int64_t points; /* of the space */
    double kept;    /* of these, by the filter */
    bool exact;
    double points_per_s; /* of all threads; 0: none could be tried */
} sim_sweep_estimate;

sim_status sim_sweep_estimate_of(const sim_sweep *sweep, sim_sweep_estimate *out, sim_err *err);

#endif
