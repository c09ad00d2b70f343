#include "explore/sweep_select.h"

#include "base/hash.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_qrng.h>
#include <math.h>
#include <stdlib.h>

/* Blocks of a shard at least, where there are as many points: so much can one shard have more than another.
 */
enum { BLOCKS_LEAST = 64, TRIES_PER_POINT = 64, NAMED_POINTS = 4 };

/* ---- samples ---------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

struct sim_sequence {
    const sim_space *space;
    gsl_qrng *sobol;
    double shift[SIM_SPACE_AXES_MAX]; /* in [0, 1) */
    bool begun;
};

sim_sequence *sim_sequence_new(const sim_space *space, uint64_t seed, sim_arena *arena)
{
    sim_sequence *s = sim_arena_alloc(arena, 1, sizeof *s);
    const int dimensions = sim_space_dimensions(space);

    gsl_set_error_handler_off();
    if (!s)
        return NULL;
    s->space = space;
    s->sobol = gsl_qrng_alloc(gsl_qrng_sobol, dimensions > 0 ? (unsigned)dimensions : 1);
    if (!s->sobol)
        return NULL;
    for (int d = 0; d < dimensions; d++) {
        const uint64_t parts[2] = {seed, (uint64_t)d};

        s->shift[d] = (double)(sim_hash_words(SIM_HASH_START, parts, sizeof parts) >> 11) * 0x1p-53;
    }
    return s;
}

void sim_sequence_free(sim_sequence *s)
{
    if (s)
        gsl_qrng_free(s->sobol);
}

/* The sequence is shifted by the seed (Cranley and Patterson's rotation). It begins at the origin, which GSL
 * leaves out: only with it do the first 2^k points fall evenly into each 2^k-th of every axis. */
int64_t sim_sequence_next(sim_sequence *s)
{
    double x[SIM_SPACE_AXES_MAX] = {0};
    int64_t index[SIM_SPACE_AXES_MAX];

    if (s->begun)
        gsl_qrng_get(s->sobol, x);
    s->begun = true;
    for (int d = 0; d < sim_space_dimensions(s->space); d++) {
        int64_t extent = sim_space_extent(s->space, d);

        x[d] += s->shift[d];
        x[d] -= floor(x[d]);
        index[d] = (int64_t)(x[d] * (double)extent);
        if (index[d] >= extent)
            index[d] = extent - 1;
    }
    return sim_space_join(s->space, index);
}

/* Points that come twice count once: a sample of a small space has fewer than was asked for. */
static int64_t sort_out_doubles(int64_t *points, int64_t count)
{
    int64_t kept = 0;

    qsort(points, (size_t)count, sizeof *points, by_number);
    for (int64_t i = 0; i < count; i++)
        if (i == 0 || points[i] != points[i - 1])
            points[kept++] = points[i];
    return kept;
}

static sim_status draw_sample(const sim_sweep *sweep, sim_arena *arena, sim_selection *out, sim_err *err)
{
    int64_t *points = sim_arena_alloc(arena, (size_t)sweep->sample, sizeof *points), drawn = 0;
    sim_sequence *sequence = sim_sequence_new(sweep->space, sweep->seed, arena);

    if (!points || !sequence) {
        sim_sequence_free(sequence);
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    for (int64_t tries = 0; drawn < sweep->sample && tries / TRIES_PER_POINT < sweep->sample; tries++) {
        int64_t point = sim_sequence_next(sequence), index[SIM_SPACE_AXES_MAX];

        sim_space_split(sweep->space, point, index);
        if (sim_space_keeps(sweep->space, index))
            points[drawn++] = point;
    }
    sim_sequence_free(sequence);
    out->sample = points;
    out->count = sort_out_doubles(points, drawn);
    return SIM_OK;
}

/* ---- blocks ----------------------------------------------------------------------------------------- */

static int64_t shards_of(const sim_sweep *sweep)
{
    return sweep->shards > 0 ? sweep->shards : 1;
}

/* By how much the deal of a group is turned. */
static int64_t turn_of(int64_t group, int64_t shards)
{
    uint64_t bits = (uint64_t)group;

    bits = sim_hash_words(SIM_HASH_START, &bits, sizeof bits);
    return (int64_t)((bits >> 32) % (uint64_t)shards);
}

/* The block of a group that is this shard's. */
static int64_t place_in(const sim_sweep *sweep, int64_t group)
{
    int64_t shards = shards_of(sweep);

    return (sweep->shard + turn_of(group, shards)) % shards;
}

/* As many whole archs as fit a block, where one does. */
static int64_t block_points_of(const sim_selection *s)
{
    int64_t per_arch = sim_space_per_arch(s->sweep->space);
    int64_t points = s->count / shards_of(s->sweep) / BLOCKS_LEAST;

    if (points > SIM_BLOCK_MAX)
        points = SIM_BLOCK_MAX;
    if (points > per_arch && !s->sample)
        points -= points % per_arch;
    return points > 1 ? points : 1;
}

sim_status sim_select(const sim_sweep *sweep, sim_arena *arena, sim_selection *out, sim_err *err)
{
    const int64_t shards = shards_of(sweep);
    int64_t blocks, rest;

    *out = (sim_selection){.sweep = sweep, .count = sim_space_size(sweep->space)};
    if (sweep->sample > 0 && sweep->sample < out->count) {
        sim_status status = draw_sample(sweep, arena, out, err);

        if (status != SIM_OK)
            return status;
    }
    out->block_points = block_points_of(out);
    blocks = out->count / out->block_points + (out->count % out->block_points > 0);
    rest = blocks % shards;
    out->blocks = blocks / shards + (place_in(sweep, blocks / shards) < rest);
    return SIM_OK;
}

sim_selection sim_select_named(const sim_sweep *sweep, const int64_t *points, int64_t count)
{
    const int64_t size = NAMED_POINTS;

    return (sim_selection){.sweep = sweep,
                           .named = true,
                           .sample = points,
                           .count = count,
                           .block_points = size,
                           .blocks = count / size + (count % size > 0)};
}

int sim_select_block(const sim_selection *s, int64_t block, int64_t points[SIM_BLOCK_MAX])
{
    int64_t whole = s->named ? block : block * shards_of(s->sweep) + place_in(s->sweep, block);
    int64_t first = whole * s->block_points;
    int count = 0;

    for (int64_t i = first; i < s->count && count < s->block_points; i++)
        points[count++] = s->sample ? s->sample[i] : i;
    return count;
}

int64_t sim_selected(const sim_selection *s)
{
    int64_t points[SIM_BLOCK_MAX], sum = 0;

    /* Only the last block can be short. */
    if (s->blocks > 0)
        sum = (s->blocks - 1) * s->block_points + sim_select_block(s, s->blocks - 1, points);
    return sum;
}
