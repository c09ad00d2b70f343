#include "model/reach.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- sums, exact or false ------------------------------------------------------------------------ */

static bool add(int64_t *sum, int64_t value)
{
    return !__builtin_add_overflow(*sum, value, sum);
}

static bool add_product(int64_t *sum, int64_t a, int64_t b)
{
    int64_t product;

    return !__builtin_mul_overflow(a, b, &product) && add(sum, product);
}

/* Adds `times` times min(i, cap) for i = first .. first + count - 1; first >= 0. */
static bool add_ramp(int64_t *sum, int64_t first, int64_t count, int64_t cap, int64_t times)
{
    int64_t rising = cap > first ? least(cap - first, count) : 0; /* terms below the cap */
    int64_t part = 0;

    if (rising > 0) {
        /* rising first + rising (rising - 1) / 2, the even one of the two factors halved */
        int64_t odd = rising % 2 != 0, one = odd ? rising : rising / 2, other = odd ? rising / 2 : rising - 1;

        if (!add_product(&part, rising, first) || !add_product(&part, one, other))
            return false;
    }
    return add_product(&part, count - rising, cap) && add_product(sum, part, times);
}

/* ---- keys and pairs ------------------------------------------------------------------------------ */

/* Positions of a step; false: they do not fit. */
static bool span_of(const sim_reach *reach, int64_t step, int64_t *past, int64_t *end)
{
    *past = reach->past_tokens;
    return add_product(past, step, reach->new_tokens) &&
           !__builtin_add_overflow(*past, reach->new_tokens, end);
}

/* Keys in sight of the tokens at past .. end-1 together, before top_k picks. */
static int64_t keys_in_sight(const sim_reach *reach, int64_t past, int64_t end)
{
    int64_t first = 0; /* the earliest position that the first token sees */

    if (reach->stride > 0)
        return end / reach->stride;
    if (reach->window > 0 && past + 1 > reach->window)
        first = past + 1 - reach->window;
    if (reach->chunk > 0 && past - past % reach->chunk > first)
        first = past - past % reach->chunk;
    return end - first;
}

/* Sum of min(floor((p + 1) / R), cap) over p = past .. end-1: a group begun before, whole groups, one begun.
 */
static bool strided_pairs(int64_t stride, int64_t cap, int64_t past, int64_t end, int64_t *out)
{
    int64_t next = (past + 1) / stride; /* of i = p + 1: the group it is in */
    int64_t in_first = stride - (past + 1) % stride, tokens = end - past;

    *out = 0;
    if (in_first < stride) {
        if (!add_product(out, least(in_first, tokens), least(next, cap)))
            return false;
        tokens -= least(in_first, tokens);
        next++;
    }
    return add_ramp(out, next, tokens / stride, cap, stride) &&
           add_product(out, tokens % stride, least(next + tokens / stride, cap));
}

/* Sum of min((p mod C) + 1, cap) over p = past .. end-1: the rest of a chunk, whole chunks, one begun. */
static bool chunked_pairs(int64_t chunk, int64_t cap, int64_t past, int64_t end, int64_t *out)
{
    int64_t in_chunk = past % chunk, tokens = end - past, head = least(chunk - in_chunk, tokens);

    *out = 0;
    return add_ramp(out, in_chunk + 1, head, cap, 1) &&
           add_ramp(out, 1, chunk, cap, (tokens - head) / chunk) &&
           add_ramp(out, 1, (tokens - head) % chunk, cap, 1);
}

static bool masked_pairs(const sim_reach *reach, int64_t past, int64_t end, int64_t *out)
{
    int64_t cap = INT64_MAX;

    if (reach->top_k > 0)
        cap = reach->top_k;
    if (reach->stride > 0)
        return strided_pairs(reach->stride, cap, past, end, out);
    if (reach->window > 0)
        cap = least(cap, reach->window);
    if (reach->chunk > 0)
        return chunked_pairs(reach->chunk, cap, past, end, out);
    *out = 0;
    return add_ramp(out, past + 1, end - past, cap, 1);
}

static bool count(const sim_reach *reach, int64_t step, int64_t *keys, int64_t *pairs)
{
    int64_t past, end;

    if (!span_of(reach, step, &past, &end))
        return false;
    *keys = keys_in_sight(reach, past, end);
    if (reach->masked) {
        if (!masked_pairs(reach, past, end, pairs))
            return false;
    } else {
        *pairs = 0;
        if (!add_product(pairs, reach->new_tokens, reach->top_k > 0 ? least(*keys, reach->top_k) : *keys))
            return false;
    }
    if (reach->top_k > 0)
        *keys = least(*keys, *pairs);
    if (*keys < 1)
        *keys = 1;
    if (*pairs < 1)
        *pairs = 1;
    return true;
}

int64_t sim_reach_keys(const sim_reach *reach, int64_t step)
{
    int64_t keys, pairs;

    return count(reach, step, &keys, &pairs) ? keys : -1;
}

int64_t sim_reach_pairs(const sim_reach *reach, int64_t step)
{
    int64_t keys, pairs;

    return count(reach, step, &keys, &pairs) ? pairs : -1;
}

int64_t sim_cache_kept(const sim_cache_law *law, int64_t tokens)
{
    if (!law->grows)
        return 1;
    if (law->stride > 0)
        return tokens / law->stride;
    if (law->window > 0)
        tokens = least(tokens, law->window);
    return law->chunk > 0 ? least(tokens, law->chunk) : tokens; /* room for a whole chunk */
}

/* ---- layers -------------------------------------------------------------------------------------- */

/* What the mask leaves of a product whose `other` extent is neither m nor the keys. */
static bool needed_macs(const sim_layer *l, int64_t pairs, int64_t other, int64_t *out)
{
    *out = pairs;
    return !__builtin_mul_overflow(*out, l->m / l->reach.new_tokens, out) &&
           !__builtin_mul_overflow(*out, l->batch, out) && !__builtin_mul_overflow(*out, other, out);
}

bool sim_layer_at_step(const sim_layer *layer, int64_t step, sim_layer *out)
{
    int64_t keys, pairs, all, mean = 0;
    bool product = layer->op == SIM_OP_MATMUL;

    *out = *layer;
    out->steps = 1;
    if (!layer->attends)
        return true;
    if (!count(&layer->reach, step, &keys, &pairs) ||
        !add_product(&out->reach.past_tokens, step, layer->reach.new_tokens) ||
        __builtin_mul_overflow(keys, layer->reach.new_tokens, &all))
        return false;
    if (layer->along == SIM_ALONG_M)
        return !__builtin_mul_overflow(layer->m / sim_reach_keys(&layer->reach, 0), keys, &out->m);
    out->needed_macs = 0;
    if (pairs < all) {
        mean = (pairs - 1) / layer->reach.new_tokens + 1;
        if (product &&
            !needed_macs(layer, pairs, layer->along == SIM_ALONG_N ? layer->k : layer->n, &out->needed_macs))
            return false;
    }
    if (layer->along == SIM_ALONG_N) {
        out->n = keys;
        out->map_n = mean;
    } else {
        out->k = keys;
        out->map_k = mean;
    }
    return true;
}
