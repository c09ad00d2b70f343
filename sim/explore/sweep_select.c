#include "explore/sweep_select.h"

#include "base/hash.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_qrng.h>
#include <math.h>
#include <stdlib.h>

/* Blocks of a shard at least, where there are as many points: so much can one shard have more than another.
 */
enum { BLOCKS_LEAST = 64, TRIES_PER_POINT = 64 };

/* ---- samples ---------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* In [0, 1), of each dimension. */
static void draw_shifts(const sim_sweep *sweep, double *shift)
{
    for (int d = 0; d < sim_space_dimensions(sweep->space); d++) {
        const uint64_t parts[2] = {sweep->seed, (uint64_t)d};
        uint64_t bits = sim_hash(SIM_HASH_START, parts, sizeof parts);

        /* FNV stirs its high bits little. */
        bits = sim_hash_words(SIM_HASH_START, &bits, sizeof bits);
        shift[d] = (double)(bits >> 11) * 0x1p-53;
    }
}

/* The next point of the sequence, shifted by the seed (Cranley and Patterson's rotation). */
static int64_t draw_point(const sim_space *space, gsl_qrng *sobol, const double *shift)
{
    double x[SIM_SPACE_AXES_MAX];
    int64_t index[SIM_SPACE_AXES_MAX];

    gsl_qrng_get(sobol, x);
    for (int d = 0; d < sim_space_dimensions(space); d++) {
        int64_t extent = sim_space_extent(space, d);

        x[d] += shift[d];
        x[d] -= floor(x[d]);
        index[d] = (int64_t)(x[d] * (double)extent);
        if (index[d] >= extent)
            index[d] = extent - 1;
    }
    return sim_space_join(space, index);
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
    const sim_space *space = sweep->space;
    int64_t *points = sim_arena_alloc(arena, (size_t)sweep->sample, sizeof *points), drawn = 0;
    gsl_qrng *sobol = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)sim_space_dimensions(space));
    double shift[SIM_SPACE_AXES_MAX];

    if (!points || !sobol) {
        if (sobol)
            gsl_qrng_free(sobol);
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    draw_shifts(sweep, shift);
    for (int64_t tries = 0; drawn < sweep->sample && tries / TRIES_PER_POINT < sweep->sample; tries++) {
        int64_t point = draw_point(space, sobol, shift), index[SIM_SPACE_AXES_MAX];

        sim_space_split(space, point, index);
        if (sim_space_keeps(space, index))
            points[drawn++] = point;
    }
    gsl_qrng_free(sobol);
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
    gsl_set_error_handler_off();
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

int sim_select_block(const sim_selection *s, int64_t block, int64_t points[SIM_BLOCK_MAX])
{
    int64_t first = (block * shards_of(s->sweep) + place_in(s->sweep, block)) * s->block_points;
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
