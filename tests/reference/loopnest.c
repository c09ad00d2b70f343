#include "reference/loopnest.h"

#include "reference/pe_machine.h"

#include <stdlib.h>

enum { M, N, K };

typedef struct walker {
    const loopnest *nest;
    int64_t tiles[3];
    /* Resident tiles, as their indices along the two dimensions of the operand; -1: none. */
    int64_t input_m, input_k, weight_k, weight_n, output_m, output_n;
    int64_t *k_done;       /* by output tile: k tiles already added */
    loopnest_step pending; /* a step whose output tile has not been asked to leave yet */
    bool has_pending;
    void (*visit)(void *user, const loopnest_step *step);
    void *user;
} walker;

static int64_t tiles_of(const loopnest *nest, int d)
{
    return d == M && nest->m_rows ? nest->m_count : (nest->extent[d] + nest->tile[d] - 1) / nest->tile[d];
}

static int64_t size_of(const loopnest *nest, int d, int64_t index)
{
    if (d == M && nest->m_rows)
        return nest->m_rows[index];
    const int64_t rest = nest->extent[d] - index * nest->tile[d];
    return rest < nest->tile[d] ? rest : nest->tile[d];
}

/* The resident output tile leaves. */
static void evict_output(walker *walk)
{
    if (walk->output_m < 0)
        return;
    const int64_t words = size_of(walk->nest, M, walk->output_m) * size_of(walk->nest, N, walk->output_n);
    if (walk->k_done[walk->output_m * walk->tiles[N] + walk->output_n] == walk->tiles[K])
        walk->pending.final_write = words;
    else
        walk->pending.partial_write = words;
}

static void flush(walker *walk)
{
    if (walk->has_pending)
        walk->visit(walk->user, &walk->pending);
    walk->has_pending = false;
}

static void visit_tile(walker *walk, const int64_t at[3])
{
    loopnest_step step = {{0}, 0, 0, 0, 0, 0};
    for (int d = 0; d < 3; d++)
        step.size[d] = size_of(walk->nest, d, at[d]);
    if (at[M] != walk->output_m || at[N] != walk->output_n) {
        evict_output(walk);
        walk->output_m = at[M];
        walk->output_n = at[N];
        if (walk->k_done[at[M] * walk->tiles[N] + at[N]] > 0 || walk->nest->output_read_first)
            step.partial_read = step.size[M] * step.size[N];
    }
    flush(walk);
    if (at[M] != walk->input_m || at[K] != walk->input_k) {
        walk->input_m = at[M];
        walk->input_k = at[K];
        step.input_read = (walk->nest->m_rows ? walk->nest->m_reads[at[M]] : step.size[M]) * step.size[K];
    }
    if (at[K] != walk->weight_k || at[N] != walk->weight_n) {
        walk->weight_k = at[K];
        walk->weight_n = at[N];
        step.weight_read = step.size[K] * step.size[N];
    }
    walk->k_done[at[M] * walk->tiles[N] + at[N]]++;
    walk->pending = step;
    walk->has_pending = true;
}

void loopnest_walk(const loopnest *nest, void (*visit)(void *user, const loopnest_step *step), void *user)
{
    walker walk = {.nest = nest, .visit = visit, .user = user};
    walk.input_m = walk.input_k = walk.weight_k = walk.weight_n = walk.output_m = walk.output_n = -1;
    for (int d = 0; d < 3; d++)
        walk.tiles[d] = tiles_of(nest, d);
    walk.k_done = pe_alloc(walk.tiles[M] * walk.tiles[N], sizeof *walk.k_done);
    const int outer = nest->order[0], middle = nest->order[1], inner = nest->order[2];
    int64_t at[3];
    for (at[outer] = 0; at[outer] < walk.tiles[outer]; at[outer]++) {
        for (at[middle] = 0; at[middle] < walk.tiles[middle]; at[middle]++) {
            for (at[inner] = 0; at[inner] < walk.tiles[inner]; at[inner]++)
                visit_tile(&walk, at);
        }
    }
    evict_output(&walk);
    flush(&walk);
    free(walk.k_done);
}

static void add(void *user, const loopnest_step *step)
{
    loopnest_step *sum = user;
    sum->input_read += step->input_read;
    sum->weight_read += step->weight_read;
    sum->partial_read += step->partial_read;
    sum->partial_write += step->partial_write;
    sum->final_write += step->final_write;
}

loopnest_step loopnest_sum(const loopnest *nest)
{
    loopnest_step sum = {{0}, 0, 0, 0, 0, 0};
    loopnest_walk(nest, add, &sum);
    return sum;
}

typedef struct list {
    loopnest_step *steps;
    int64_t count;
} list;

static void append(void *user, const loopnest_step *step)
{
    list *all = user;
    all->steps[all->count++] = *step;
}

loopnest_step *loopnest_steps(const loopnest *nest, int64_t *count)
{
    int64_t steps = 1;
    for (int d = 0; d < 3; d++)
        steps *= tiles_of(nest, d);
    list all = {pe_alloc(steps, sizeof *all.steps), 0};
    loopnest_walk(nest, append, &all);
    *count = all.count;
    return all.steps;
}
