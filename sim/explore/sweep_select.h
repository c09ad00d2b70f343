/* Which points a process runs, and in which blocks. Private to sweep*.c. */
#ifndef SIM_EXPLORE_SWEEP_SELECT_H
#define SIM_EXPLORE_SWEEP_SELECT_H

#include "explore/sweep.h"

enum { SIM_BLOCK_MAX = 256 };

/* Neighbouring points share what is expensive to prepare, so points are dealt in blocks. Of each group of as
 * many blocks as there are shards, every shard gets one, a different one each time: shards of a space with a
 * period finish together all the same. A function of the space, the sample and the number of shards alone. */
typedef struct sim_selection {
    const sim_sweep *sweep;
    bool named;
    const int64_t *sample; /* the points themselves, rising; NULL: all of the space */
    int64_t count;         /* of the space or the sample */
    int64_t block_points;  /* of a block, at most SIM_BLOCK_MAX */
    int64_t blocks;        /* of this shard */
} sim_selection;

/* SIM_NO_MEMORY. */
sim_status sim_select(const sim_sweep *sweep, sim_arena *arena, sim_selection *out, sim_err *err);
/* Points that are named one by one, in blocks of a few, all in this process. */
sim_selection sim_select_named(const sim_sweep *sweep, const int64_t *points, int64_t count);

/* Points of the space after Sobol, whether they are kept or not. In `arena`, but for what GSL holds. NULL:
 * out of memory. */
typedef struct sim_sequence sim_sequence;
sim_sequence *sim_sequence_new(const sim_space *space, uint64_t seed, sim_arena *arena);
int64_t sim_sequence_next(sim_sequence *sequence);
void sim_sequence_free(sim_sequence *sequence);

/* The points of a block of this shard, in rising order; returns how many. */
int sim_select_block(const sim_selection *s, int64_t block, int64_t points[SIM_BLOCK_MAX]);
/* Threads that a sweep runs on. */
int sim_sweep_threads(const sim_sweep *sweep);
/* Points of this shard, filtered ones included. */
int64_t sim_selected(const sim_selection *s);

#endif
