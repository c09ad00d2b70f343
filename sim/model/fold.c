#include "model/fold.h"

#include "base/hash.h"
#include "model/run.h"

#include <string.h>

/* Entries of a block at most; three times in a row at least to be worth it. */
enum { PERIOD_MAX = 1024, TIMES_LEAST = 3, BASES = 2, CHAINS = 1024 };

/* What tells an entry from others, compared as bytes. Padding may make two differ that are equal: then less
 * is folded. */
typedef struct key {
    sim_layer layer;
    sim_precision precision[BASES]; /* under two uniform policies: equal under both is equal under any */
    bool by_rule[BASES];
} key;

typedef struct kind {
    key key;
    int64_t number;
    struct kind *next_in_chain;
} kind;

static void key_of(const sim_layer *layer, const sim_policy *policy, key *out)
{
    memset(out, 0, sizeof *out);
    memcpy(&out->layer, layer, sizeof *layer);
    out->layer.name = NULL;
    out->layer.line = layer->line > 0;
    for (int b = 0; b < BASES && policy->rule_count > 0; b++) {
        sim_policy uniform = *policy;
        const sim_number bits = {SIM_FORMAT_INT, b + 1};

        uniform.base.w = uniform.base.a = uniform.base.kv = bits;
        uniform.base.group = b;
        out->by_rule[b] = sim_precision_of(&uniform, layer, -1, &out->precision[b]);
    }
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

/* Numbers entries such that equal ones have equal numbers; NULL: out of memory. */
static int64_t *numbers_of(const sim_workload *workload, const sim_policy *policy, sim_arena *arena)
{
    int64_t *numbers = sim_arena_alloc(arena, (size_t)workload->layer_count, sizeof *numbers), count = 0;
    kind **chains = sim_arena_alloc(arena, CHAINS, sizeof(kind *));

    if (!numbers || !chains)
        return NULL;
    for (int64_t i = 0; i < workload->layer_count; i++) {
        kind *k, **chain;
        key one;

        key_of(&workload->layers[i], policy, &one);
        chain = &chains[sim_hash_words(SIM_HASH_START, &one, sizeof one) % CHAINS];
        for (k = *chain; k && !same_bytes(&k->key, &one, sizeof one);)
            k = k->next_in_chain;
        if (!k) {
            k = sim_arena_alloc(arena, 1, sizeof *k);
            if (!k)
                return NULL;
            memcpy(&k->key, &one, sizeof one);
            k->number = count++;
            k->next_in_chain = *chain;
            *chain = k;
        }
        numbers[i] = k->number;
    }
    return numbers;
}

/* A stretch of `period` entries that stands `times` times in a row. */
typedef struct block {
    int64_t period, times;
} block;

static int64_t times_of(const int64_t *numbers, int64_t count, int64_t period)
{
    int64_t same = 0;

    while (same + period < count && numbers[same] == numbers[same + period])
        same++;
    return 1 + same / period;
}

/* The block at the front that covers most; of those, the shortest. */
static block block_at(const int64_t *numbers, int64_t count)
{
    block best = {1, 1};

    for (int64_t period = 1; period <= PERIOD_MAX && period * TIMES_LEAST <= count; period++) {
        int64_t times = times_of(numbers, count, period);

        if (times >= TIMES_LEAST && times * period > best.times * best.period)
            best = (block){period, times};
    }
    return best;
}

/* All but the first time of a block, as one. False: the count overflows. */
static bool append_rest(const sim_layer *first, block b, sim_layer *out)
{
    for (int64_t i = 0; i < b.period; i++) {
        out[i] = first[b.period + i];
        out[i].scattered = b.period > 1 && out[i].repeat <= 1;
        if (__builtin_mul_overflow(out[i].repeat, b.times - 1, &out[i].repeat))
            return false;
    }
    return true;
}

sim_status sim_fold_blocks(const sim_workload *workload, const sim_policy *policy, sim_arena *arena,
                           sim_workload *out, sim_err *err)
{
    const int64_t count = workload->layer_count;
    sim_layer *layers = sim_arena_alloc(arena, (size_t)count, sizeof *layers);
    int64_t *numbers = numbers_of(workload, policy, arena), kept = 0;

    *out = *workload;
    if (!layers || !numbers)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < count && policy->position_count == 0;) {
        block b = block_at(numbers + i, count - i);

        memcpy(layers + kept, workload->layers + i, (size_t)b.period * sizeof *layers);
        kept += b.period;
        if (b.times > 1) {
            if (!append_rest(workload->layers + i, b, layers + kept))
                return SIM_OK; /* the run says so */
            kept += b.period;
        }
        i += b.period * b.times;
    }
    if (kept > 0) {
        out->layers = layers;
        out->layer_count = kept;
    }
    return SIM_OK;
}
