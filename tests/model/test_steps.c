/* Sums over the steps of a growing context against all steps one by one. */
#include "base/text.h"
#include "model/reach.h"
#include "model/steps.h"
#include "reference/steps_case.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>

/* ---- the plan ------------------------------------------------------------------------------------ */

Test(steps, every_step_is_in_one_block_and_the_middle_of_it_is_priced)
{
    static const int64_t counts[] = {
        1,     2,      3,        SIM_STEPS_EXACT - 1, SIM_STEPS_EXACT, SIM_STEPS_EXACT + 1, 2000, 4096,
        99999, 100000, 123456789};

    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        sim_step_plan plan;
        int64_t next = 0, length;

        sim_steps_plan(counts[c], &plan);
        length = plan.blocks[plan.block_count > 1].count;
        cr_assert_eq(plan.steps, counts[c]);
        cr_assert_leq(plan.block_count, SIM_STEPS_EXACT + 3);
        cr_expect(counts[c] > SIM_STEPS_EXACT ? length > 1 : plan.block_count == counts[c]);
        for (int64_t i = 0; i < plan.block_count; i++) {
            const sim_step_block *b = &plan.blocks[i];

            cr_assert_eq(b->first, next);
            cr_assert(b->count % 2 == 1 && b->step == b->first + b->count / 2);
            cr_assert(b->count == length || i == 0 || i >= plan.block_count - 2);
            next += b->count;
        }
        cr_assert_eq(next, counts[c]);
        for (int64_t d = 2; d * d <= length && length < 1000000; d++)
            cr_assert_neq(length % d, 0, "%lld steps: blocks of %lld", (long long)counts[c],
                          (long long)length);
    }
}

/* ---- sums ---------------------------------------------------------------------------------------- */

static const sim_reach full = {.past_tokens = 100, .new_tokens = 1, .masked = true};

static steps_difference difference(const char *arch, int bits, const sim_reach *reach, int64_t steps,
                                   int which)
{
    sim_layer layers[3];
    steps_difference d = {0};
    steps_case c;
    sim_err err = {0};

    cr_assert_eq(steps_case_open(&c, arch, bits, &err), SIM_OK, "%s", err.items[0].text);
    steps_case_attention(reach, steps, layers);
    cr_assert_eq(steps_case_compare(&c, &layers[which], &d, &err), SIM_OK, "%s", err.items[0].text);
    steps_case_close(&c);
    return d;
}

Test(steps, few_are_summed_exactly)
{
    for (int which = 0; which < 3; which++) {
        steps_difference d = difference(SIMACC_SOURCE_DIR "/arch/edge.cfg", 8, &full, SIM_STEPS_EXACT, which);

        cr_expect(d.cycles == 0 && d.compute_cycles == 0 && d.memory_cycles == 0 && fabs(d.energy) < 1e-12);
        cr_expect(d.macs == 0 && d.read_bytes == 0 && d.write_bytes == 0);
    }
}

/* On every machine. Traffic is exact where the cache is read once, as on all but the GPUs, whose L2 filters
 * re-reads, and a few small arrays. */
Test(steps, many_are_summed_closely)
{
    glob_t found;

    cr_assert_eq(glob(SIMACC_SOURCE_DIR "/arch/*.cfg", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        for (int which = 0; which < 3; which++) {
            const char *arch = found.gl_pathv[i];
            steps_difference d = difference(arch, 8, &full, 5000 / SIMACC_TEST_REDUCE + 900, which);

            cr_expect_lt(fabs(d.cycles), 3e-4, "%s %d: cycles off by %g", arch, which, d.cycles);
            cr_expect_lt(fabs(d.energy), 3e-4, "%s %d: energy off by %g", arch, which, d.energy);
            cr_expect_eq(d.macs, 0, "%s %d: macs off by %lld", arch, which, (long long)d.macs);
        }
    cr_expect_gt(found.gl_pathc, 10);
    globfree(&found);
}

/* Bends in the growth, and steps of several tokens: MACs and bytes to the last one. */
Test(steps, bends_are_exact)
{
    static const sim_reach reaches[] = {
        {.past_tokens = 100, .new_tokens = 1, .masked = true},
        {.past_tokens = 100, .new_tokens = 1, .masked = true, .window = 1024},
        {.past_tokens = 0, .new_tokens = 1, .masked = true, .window = 3},
        {.past_tokens = 700, .new_tokens = 1, .masked = true, .chunk = 512},
        {.past_tokens = 10, .new_tokens = 1, .masked = true, .chunk = 1000, .window = 777},
        {.past_tokens = 300, .new_tokens = 1, .masked = true, .stride = 4},
        {.past_tokens = 0, .new_tokens = 1, .masked = true, .stride = 128, .top_k = 16},
        {.past_tokens = 5, .new_tokens = 1, .masked = true, .top_k = 512},
        {.past_tokens = 0, .new_tokens = 4, .masked = true},
        {.past_tokens = 64, .new_tokens = 8, .masked = true, .window = 1000},
        {.past_tokens = 0, .new_tokens = 3, .masked = false, .window = 100},
    };

    for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++)
        for (int which = 0; which < 3; which++) {
            steps_difference d = difference(SIMACC_SOURCE_DIR "/arch/edge.cfg", 8, &reaches[i], 2500, which);

            cr_expect_lt(fabs(d.cycles), 1e-4, "%zu %d: cycles off by %g", i, which, d.cycles);
            cr_expect_lt(fabs(d.energy), 1e-4, "%zu %d: energy off by %g", i, which, d.energy);
            cr_expect_eq(d.macs, 0, "%zu %d: macs off by %lld", i, which, (long long)d.macs);
            cr_expect_eq(d.write_bytes, 0, "%zu %d: written off by %lld", i, which, (long long)d.write_bytes);
            cr_expect_eq(d.read_bytes, 0, "%zu %d: read off by %lld", i, which, (long long)d.read_bytes);
        }
}
