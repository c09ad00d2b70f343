/* Spaces: what axes hold, how points are numbered, what is zipped and filtered, and what is refused. */
#include "explore/space.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

typedef struct fixture {
    sim_arena arena;
    sim_err err;
    sim_space *space;
} fixture;

static const sim_space_place here = {"sweep.cfg", 7};

static void begin(fixture *f)
{
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    f->space = sim_space_new(&f->arena);
    cr_assert_not_null(f->space);
}

static void end(fixture *f)
{
    sim_arena_free(&f->arena);
}

static void axis(fixture *f, const char *name, const char *values)
{
    cr_assert_eq(sim_space_axis(f->space, name, values, here, &f->err), SIM_OK, "%s=%s: %s", name, values,
                 f->err.items[0].text);
}

static const char *value(fixture *f, int64_t point, const char *name, char *buffer)
{
    int64_t index[SIM_SPACE_AXES_MAX];

    sim_space_split(f->space, point, index);
    return sim_space_value(f->space, index, sim_space_find(f->space, name), buffer, 48);
}

Test(space, values_of_an_axis)
{
    static const struct {
        const char *name, *values, *all;
    } cases[] = {
        {"w", "2..5", "2 3 4 5"},
        {"w", "8,2..3,16", "8 2 3 16"},
        {"a", "4", "4"},
        {"batch", "1..64:x2", "1 2 4 8 16 32 64"},
        {"batch", "1..60:x2", "1 2 4 8 16 32"},
        {"context", "100..1000:300", "100 400 700 1000"},
        {"dram.bandwidth_gb_s", "0.1..0.5:0.1", "0.1 0.2 0.3 0.4 0.5"},
        {"dram.bandwidth_gb_s", "12.8,25.6", "12.8 25.6"},
        {"clock_mhz", "1..1000:x10", "1 10 100 1000"},
        {"array.dataflow", "ws,os", "ws os"},
        {"policy", "w4a8,p/..mine.json", "w4a8 p/..mine.json"},
        {"phase", "decode,prefill", "decode prefill"},
        {"vector.lanes", "-2..2:2", "-2 0 2"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char all[200] = "", buffer[48];
        fixture f;

        begin(&f);
        axis(&f, cases[i].name, cases[i].values);
        cr_assert_eq(sim_space_finish(f.space, &f.err), SIM_OK);
        for (int64_t p = 0; p < sim_space_size(f.space); p++) {
            strcat(all, p ? " " : "");
            strcat(all, value(&f, p, cases[i].name, buffer));
        }
        cr_expect_str_eq(all, cases[i].all, "%s=%s", cases[i].name, cases[i].values);
        end(&f);
    }
}

Test(space, what_is_refused)
{
    static const struct {
        const char *name, *values, *text;
    } cases[] = {
        {"w", "8..2", "axis 'w': the range '8..2' is empty"},
        {"w", "0", "axis 'w': '0' is no integer from 1 to 16"},
        {"w", "2..17", "axis 'w': the range '2..17' leaves the integers from 1 to 16"},
        {"w", "2..8:0.5", "axis 'w': the range '2..8:0.5' leaves the integers from 1 to 16"},
        {"a", "four", "axis 'a': 'four' is no integer from 1 to 16"},
        {"a", "", "axis 'a': a value is missing"},
        {"a", "4,,8", "axis 'a': a value is missing"},
        {"batch", "0..4", "axis 'batch': the range '0..4' leaves the integers from 1"},
        {"batch", "1..4:x1", "axis 'batch': '1..4:x1' never gets to its end"},
        {"batch", "1..4:0", "axis 'batch': '1..4:0' never gets to its end"},
        {"batch", "1..4:-1", "axis 'batch': '1..4:-1' never gets to its end"},
        {"clock_mhz", "0..8:x2", "axis 'clock_mhz': '0..8:x2' never gets to its end"},
        {"clock_mhz", "1..b", "axis 'clock_mhz': '1..b' is no range of numbers"},
        {"clock_mhz", "1..1e30", "axis 'clock_mhz': '1..1e30' has more than 1000000 values"},
        {"phase", "decoding", "axis 'phase': unknown phase 'decoding'"},
        {"objective", "speed", "axis 'objective': unknown objective 'speed'"},
        {"", "1", "an axis needs a name"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;

        begin(&f);
        cr_expect_eq(sim_space_axis(f.space, cases[i].name, cases[i].values, here, &f.err), SIM_BAD_INPUT);
        cr_expect_str_eq(f.err.items[0].text, cases[i].text);
        cr_expect_str_eq(f.err.items[0].file, "sweep.cfg");
        cr_expect_eq(f.err.items[0].line, 7);
        end(&f);
    }
}

Test(space, hardware_varies_slowest_and_bits_fastest)
{
    fixture f;
    char buffer[48];

    begin(&f);
    axis(&f, "w", "2..4");
    axis(&f, "context", "1024,2048");
    axis(&f, "array.rows", "8,16");
    axis(&f, "arch", "one.cfg,two.cfg");
    cr_assert_eq(sim_space_finish(f.space, &f.err), SIM_OK);
    cr_expect_eq(sim_space_size(f.space), 24);
    cr_expect_eq(sim_space_per_arch(f.space), 6);
    cr_expect_str_eq(value(&f, 0, "arch", buffer), "one.cfg");
    cr_expect_str_eq(value(&f, 11, "arch", buffer), "one.cfg");
    cr_expect_str_eq(value(&f, 12, "arch", buffer), "two.cfg");
    cr_expect_str_eq(value(&f, 5, "array.rows", buffer), "8");
    cr_expect_str_eq(value(&f, 6, "array.rows", buffer), "16");
    cr_expect_str_eq(value(&f, 2, "context", buffer), "1024");
    cr_expect_str_eq(value(&f, 3, "context", buffer), "2048");
    cr_expect_str_eq(value(&f, 4, "w", buffer), "3");
    end(&f);
}

/* No point is enumerated: the last of 10^15 is as near as the first. */
Test(space, numbers_go_back_and_forth)
{
    fixture f;
    int64_t size, index[SIM_SPACE_AXES_MAX];
    char buffer[48];

    begin(&f);
    axis(&f, "array.rows", "1..100000");
    axis(&f, "array.cols", "1..100000");
    axis(&f, "clock_mhz", "1..100000");
    cr_assert_eq(sim_space_finish(f.space, &f.err), SIM_OK);
    size = sim_space_size(f.space);
    cr_assert_eq(size, INT64_C(1000000000000000));
    cr_expect_str_eq(value(&f, size - 1, "array.rows", buffer), "100000");
    for (int64_t p = 1; p < size; p = p * 7 + 3) {
        sim_space_split(f.space, p, index);
        cr_expect_eq(sim_space_join(f.space, index), p);
    }
    end(&f);
}

Test(space, a_list_of_many_words_is_found_by_halves)
{
    fixture f;
    static char list[60000];
    char buffer[48];

    begin(&f);
    for (int i = 0; i < 5000; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%d", i ? "," : "", 3 * i + 1);
    axis(&f, "clock_mhz", list);
    cr_assert_eq(sim_space_finish(f.space, &f.err), SIM_OK);
    for (int64_t p = 0; p < 5000; p += 7) {
        char expected[48];

        snprintf(expected, sizeof expected, "%d", (int)(3 * p + 1));
        cr_expect_str_eq(value(&f, p, "clock_mhz", buffer), expected);
    }
    end(&f);
}

Test(space, zipped_axes_advance_together)
{
    fixture f;
    char buffer[48];

    begin(&f);
    axis(&f, "array.rows", "8,16,32");
    axis(&f, "array.cols", "9..11");
    axis(&f, "a", "4,8");
    cr_assert_eq(sim_space_zip(f.space, "array.rows,array.cols", here, &f.err), SIM_OK);
    cr_assert_eq(sim_space_finish(f.space, &f.err), SIM_OK);
    cr_expect_eq(sim_space_size(f.space), 6);
    cr_expect_str_eq(value(&f, 2, "array.rows", buffer), "16");
    cr_expect_str_eq(value(&f, 2, "array.cols", buffer), "10");
    cr_expect_str_eq(value(&f, 3, "array.cols", buffer), "10");
    cr_expect_str_eq(value(&f, 5, "array.rows", buffer), "32");
    end(&f);
}

Test(space, zips_that_do_not_fit)
{
    fixture f;

    begin(&f);
    axis(&f, "w", "2..4");
    axis(&f, "a", "4,8");
    cr_expect_eq(sim_space_zip(f.space, "w,a", here, &f.err), SIM_BAD_INPUT);
    cr_expect_str_eq(f.err.items[0].text, "zipped axes need equally many values: 'a' has 2, not 3");
    cr_expect_eq(sim_space_zip(f.space, "kv", here, &f.err), SIM_BAD_INPUT);
    cr_expect_str_eq(f.err.items[1].text, "'kv' is no axis of this sweep");
    cr_expect_eq(sim_space_axis(f.space, "w", "4", here, &f.err), SIM_BAD_INPUT);
    cr_expect_str_eq(f.err.items[2].text, "axis 'w' is there twice");
    end(&f);
}

static int64_t kept(const char *filter)
{
    fixture f;
    int64_t count = 0, index[SIM_SPACE_AXES_MAX];

    begin(&f);
    axis(&f, "w", "1..8");
    axis(&f, "a", "1..8");
    axis(&f, "phase", "decode,prefill");
    cr_assert_eq(sim_space_filter(f.space, filter, here, &f.err), SIM_OK, "%s: %s", filter,
                 f.err.items[0].text);
    cr_assert_eq(sim_space_finish(f.space, &f.err), SIM_OK);
    for (int64_t p = 0; p < sim_space_size(f.space); p++) {
        sim_space_split(f.space, p, index);
        count += sim_space_keeps(f.space, index);
    }
    end(&f);
    return count;
}

Test(space, filters)
{
    cr_expect_eq(kept("w <= a"), 72);
    cr_expect_eq(kept("w == a && phase == \"decode\""), 8);
    cr_expect_eq(kept("w + a == 9"), 16);
    cr_expect_eq(kept("!(w < 8)"), 16);
    cr_expect_eq(kept("w * 2 > a - 1 || phase != \"decode\""), 64 + 52);
    cr_expect_eq(kept("w >= 7 || a >= 7 && w >= 7"), 32, "&& binds tighter than ||");
    cr_expect_eq(kept("w - 1 - 1 == 2"), 16, "- goes from left to right");
    cr_expect_eq(kept("-w < -6"), 32);
    cr_expect_eq(kept("w / 2 == 3"), 16);
    cr_expect_eq(kept("phase == 3"), 0, "a text is no number");
    cr_expect_eq(kept("w / 0 > 1"), 0, "what is not known is false");
}

Test(space, filters_that_are_none)
{
    static const char *const filters[] = {
        "w <", "w <= a)", "(w",    "w = a", "rows < 3", "",         "w a",      "w == \"x",
        "1 2", "w & a",   "w || ", "&& w",  "#",        "w <= a <", "\"a\"<3&", "((((((((((w",
    };

    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        fixture f;

        begin(&f);
        axis(&f, "w", "1..8");
        axis(&f, "a", "1..8");
        cr_expect_eq(sim_space_filter(f.space, filters[i], here, &f.err), SIM_BAD_INPUT, "%s", filters[i]);
        cr_expect_eq(f.err.count, 1, "%s", filters[i]);
        cr_expect_eq(f.err.items[0].line, 7);
        end(&f);
    }
}

/* Parentheses as deep as a file allows must not end the stack. */
Test(space, a_deep_filter_is_refused_or_read)
{
    static char deep[200002];
    fixture f;

    begin(&f);
    axis(&f, "w", "1..8");
    memset(deep, '(', 100000);
    deep[100000] = 'w';
    memset(deep + 100001, ')', 100000);
    sim_space_filter(f.space, deep, here, &f.err);
    memset(deep, '!', 100000);
    deep[100001] = '\0';
    sim_space_filter(f.space, deep, here, &f.err);
    end(&f);
}
