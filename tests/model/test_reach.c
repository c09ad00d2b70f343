/* Keys, pairs and steps against loops over tokens and keys, on random reaches with a fixed seed. */
#include "model/reach.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

enum { CASES = 20000 / SIMACC_TEST_REDUCE, KEYS_MAX = 512 };

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
static int64_t draw(int64_t low, int64_t high)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return low + (int64_t)(z % (uint64_t)(high - low + 1));
}

/* Whether the token at position p sees key `key` of a masked reach. With a stride, key j stands for the
 * positions j R .. (j + 1) R - 1. */
static bool sees(const sim_reach *r, int64_t p, int64_t key)
{
    if (r->stride > 0)
        return (key + 1) * r->stride - 1 <= p;
    if (key > p)
        return false;
    if (r->window > 0 && key <= p - r->window)
        return false;
    return r->chunk == 0 || key / r->chunk == p / r->chunk;
}

typedef struct counted {
    int64_t keys, pairs;
} counted;

/* Marks every key that some token sees, and counts pairs one by one. */
static counted by_loops(const sim_reach *r, int64_t step)
{
    bool seen[KEYS_MAX] = {false};
    int64_t past = r->past_tokens + step * r->new_tokens, end = past + r->new_tokens;
    counted c = {0, 0};
    int64_t sight = 0;

    for (int64_t p = past; p < end; p++)
        for (int64_t key = 0; key < end; key++)
            seen[key] |= sees(r, p, key);
    for (int64_t key = 0; key < end; key++)
        sight += seen[key];
    if (!r->masked && r->window == 0 && r->chunk == 0 && r->stride == 0)
        cr_assert_eq(sight, end);
    for (int64_t p = past; p < end; p++) {
        int64_t own = 0;

        for (int64_t key = 0; key < end; key++)
            own += r->masked ? sees(r, p, key) : seen[key];
        c.pairs += r->top_k > 0 && own > r->top_k ? r->top_k : own;
    }
    c.keys = r->top_k > 0 && sight > c.pairs ? c.pairs : sight;
    c.keys = c.keys > 0 ? c.keys : 1;
    c.pairs = c.pairs > 0 ? c.pairs : 1;
    return c;
}

static sim_reach random_reach(void)
{
    sim_reach r = {.past_tokens = draw(0, 80), .new_tokens = draw(1, draw(0, 1) ? 3 : 60)};

    r.masked = draw(0, 3) > 0;
    if (draw(0, 3) == 0) {
        r.stride = draw(1, 12);
    } else {
        r.window = draw(0, 1) ? draw(1, 90) : 0;
        r.chunk = draw(0, 2) ? 0 : draw(1, 50);
    }
    r.top_k = draw(0, 2) ? 0 : draw(1, 40);
    return r;
}

Test(reach, keys_and_pairs_as_counted_one_by_one)
{
    state = 11;
    for (int i = 0; i < CASES; i++) {
        sim_reach r = random_reach();
        int64_t step = draw(0, 5);
        counted expected = by_loops(&r, step);

        cr_assert(sim_reach_keys(&r, step) == expected.keys && sim_reach_pairs(&r, step) == expected.pairs,
                  "past %" PRId64 " new %" PRId64 " window %" PRId64 " chunk %" PRId64 " stride %" PRId64
                  " top_k %" PRId64 " masked %d step %" PRId64 ": %" PRId64 " keys (%" PRId64 "), %" PRId64
                  " pairs (%" PRId64 ")",
                  r.past_tokens, r.new_tokens, r.window, r.chunk, r.stride, r.top_k, r.masked, step,
                  sim_reach_keys(&r, step), expected.keys, sim_reach_pairs(&r, step), expected.pairs);
    }
}

/* Of single tokens, and of tokens with a window, as the header states. */
Test(reach, stated_forms)
{
    sim_reach r = {.past_tokens = 99, .new_tokens = 1, .window = 40, .masked = true};

    cr_expect_eq(sim_reach_keys(&r, 0), 40);
    cr_expect_eq(sim_reach_pairs(&r, 0), 40);
    r.new_tokens = 8;
    cr_expect_eq(sim_reach_keys(&r, 0), 47);
    cr_expect_eq(sim_reach_pairs(&r, 0), 8 * 40);
    r.past_tokens = 0;
    cr_expect_eq(sim_reach_keys(&r, 0), 8);
    cr_expect_eq(sim_reach_pairs(&r, 0), 36);
    r.masked = false;
    cr_expect_eq(sim_reach_pairs(&r, 0), 64);
}

/* Large numbers: exact where the result fits, refused where it does not. */
Test(reach, large_numbers)
{
    const int64_t million = 1000000;
    sim_reach r = {.past_tokens = 0, .new_tokens = INT64_C(4000000000), .masked = true};

    cr_expect_eq(sim_reach_pairs(&r, 0), INT64_C(8000000002000000000));
    r.new_tokens = INT64_C(5000000000);
    cr_expect_eq(sim_reach_pairs(&r, 0), -1);
    cr_expect_eq(sim_reach_keys(&r, 0), -1);
    r.window = 100;
    cr_expect_eq(sim_reach_pairs(&r, 0), INT64_C(5000000000) * 100 - 99 * 50);
    r = (sim_reach){.past_tokens = INT64_MAX - 5, .new_tokens = 1, .window = 7, .masked = true};
    cr_expect_eq(sim_reach_keys(&r, 0), 7);
    cr_expect_eq(sim_reach_keys(&r, 5), -1);
    r = (sim_reach){.past_tokens = million * million * million, .new_tokens = 5, .stride = 4, .top_k = 3};
    r.masked = true;
    cr_expect_eq(sim_reach_pairs(&r, 0), 15);
    r.top_k = 0;
    cr_expect_eq(sim_reach_pairs(&r, 0),
                 3 * (million * million * million / 4) + 2 * (million * million * million / 4 + 1));
}

/* ---- layers ------------------------------------------------------------------------------------------- */

static sim_layer attending(sim_op op, sim_along along, const sim_reach *r, int64_t group)
{
    sim_layer l = {
        .name = "l", .op = op, .repeat = 1, .steps = 6, .attends = true, .along = along, .reach = *r};

    l.batch = draw(1, 6);
    l.m = group * (along == SIM_ALONG_M ? sim_reach_keys(r, 0) : r->new_tokens);
    l.n = draw(1, 30);
    l.k = op == SIM_OP_MATMUL ? draw(1, 30) : 0;
    return l;
}

Test(reach, layers_of_steps)
{
    state = 12;
    for (int i = 0; i < CASES / 10; i++) {
        sim_reach r = random_reach();
        int64_t group = draw(1, 5), step = draw(0, 5);
        counted c = by_loops(&r, step);
        bool all = c.pairs == c.keys * r.new_tokens;
        sim_layer qk = attending(SIM_OP_MATMUL, SIM_ALONG_N, &r, group);
        sim_layer pv = attending(SIM_OP_MATMUL, SIM_ALONG_K, &r, group);
        sim_layer softmax = attending(SIM_OP_SOFTMAX, SIM_ALONG_N, &r, group);
        sim_layer wide = attending(SIM_OP_MATMUL, SIM_ALONG_M, &r, group), at;
        int64_t mean = all ? 0 : (c.pairs + r.new_tokens - 1) / r.new_tokens;

        cr_assert(sim_layer_at_step(&qk, step, &at));
        cr_assert(at.n == c.keys && at.m == qk.m && at.k == qk.k && at.map_n == mean && at.map_k == 0);
        cr_assert(at.needed_macs == (all ? 0 : c.pairs * group * qk.batch * qk.k));
        cr_assert(at.steps == 1 && at.reach.past_tokens == r.past_tokens + step * r.new_tokens);
        cr_assert(sim_layer_at_step(&pv, step, &at));
        cr_assert(at.k == c.keys && at.n == pv.n && at.map_k == mean && at.map_n == 0);
        cr_assert(at.needed_macs == (all ? 0 : c.pairs * group * pv.batch * pv.n));
        cr_assert(sim_layer_at_step(&softmax, step, &at));
        cr_assert(at.n == c.keys && at.map_n == mean && at.needed_macs == 0);
        cr_assert(sim_layer_at_step(&wide, step, &at));
        cr_assert(at.m == group * c.keys && at.n == wide.n && at.k == wide.k && at.needed_macs == 0);
        /* A step of a step is itself. */
        cr_assert(sim_layer_at_step(&qk, step, &qk) && sim_layer_at_step(&qk, 0, &at));
        cr_assert(at.n == qk.n && at.needed_macs == qk.needed_macs && at.map_n == qk.map_n);
    }
}

Test(reach, layers_that_do_not_attend_stay)
{
    const sim_layer l = {
        .name = "l", .op = SIM_OP_MATMUL, .repeat = 3, .steps = 9, .batch = 1, .m = 2, .n = 3, .k = 4};
    sim_layer at;

    cr_assert(sim_layer_at_step(&l, 7, &at));
    cr_expect(at.m == 2 && at.n == 3 && at.k == 4 && at.repeat == 3 && at.steps == 1);
}

Test(reach, layers_that_do_not_fit)
{
    sim_layer l = {.name = "l",
                   .op = SIM_OP_MATMUL,
                   .repeat = 1,
                   .batch = 1 << 30,
                   .m = 1 << 10,
                   .n = 1,
                   .k = 1 << 20,
                   .attends = true,
                   .reach = {.new_tokens = 1 << 10, .masked = true}},
              at;

    cr_expect_not(sim_layer_at_step(&l, 0, &at), "2^30 products of 2^19 pairs and 2^20 elements");
    l.batch = 1;
    cr_expect(sim_layer_at_step(&l, 0, &at));
}
