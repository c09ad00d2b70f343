/* Sweeps: every point of a space (space.h) priced and stored (store.h), resumable, on any number of threads,
 * processes and machines.
 *
 * A point is an arch file with settings, a workload with options, a policy and an objective. Its id is a hash
 * of what these turn out to be, not of how they were named: whoever asks for the same point finds it. Rows do
 * not depend on the number of threads, nor on the shard. */
#ifndef SIM_EXPLORE_SWEEP_H
#define SIM_EXPLORE_SWEEP_H

#include "explore/expression.h"
#include "explore/space.h"
#include "explore/store.h"
#include "model/types.h"

/* A key of the arch file and its value, as --set has them. */
typedef struct sim_sweep_setting {
    const char *key, *value;
} sim_sweep_setting;

/* What stays the same at all points; axes of the same name win. */
typedef struct sim_sweep_base {
    const char *arch, *workload; /* files */
    const sim_sweep_setting *settings;
    int setting_count;
    sim_phase phase; /* of a model; 0 in what follows: as the file has it */
    int64_t batch, context_tokens, prompt_tokens;
    bool full_attention;
    const char *policy; /* NULL: the layers' own bits, else w8a8 */
    int objective;      /* sim_objective */
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

/* One value per figure: NaN where unknown. Names, and their place in a row of the store after the columns
 * version, arch, workload, policy, objective, status, why and the axes. */
enum { SIM_SWEEP_FIGURES = 23 };
extern const char *const sim_sweep_figures[SIM_SWEEP_FIGURES + 1];

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

/* Called from one thread, after each batch; false stops the sweep, with what is finished stored. */
typedef bool sim_sweep_tell(void *user, const sim_sweep_progress *progress);

/* Runs the points that the store lacks. Errors are those of files that all points share; a point whose
 * machine cannot run it is stored as infeasible with its reason. */
sim_status sim_sweep_run(const sim_sweep *sweep, sim_store *store, sim_sweep_tell *tell, void *user,
                         sim_arena *arena, sim_sweep_report *report, sim_err *err);

/* How many points there are after the filter (exact up to ten million, then from a sample), and what they may
 * take, from pricing some. */
typedef struct sim_sweep_estimate {
    int64_t points; /* of the space */
    double kept;    /* of these, by the filter */
    bool exact;
    double points_per_s;
} sim_sweep_estimate;

sim_status sim_sweep_estimate_of(const sim_sweep *sweep, sim_arena *arena, sim_sweep_estimate *out,
                                 sim_err *err);

/* Whether a name is an axis of `user` (a sim_space) or a figure: for constraints. */
bool sim_sweep_knows(void *user, const char *name);

#endif
