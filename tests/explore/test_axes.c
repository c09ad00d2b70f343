/* --bits: sets of widths along named axes. What is wrong with it is said in tests/bad/table/. */
#include "explore/axes.h"

#include <criterion/criterion.h>

#include <string.h>

/* Bit b-1 for each b in the text: "248". Widths above 9 as letters: a for 10 to g for 16. */
static sim_bit_set set(const char *widths)
{
    sim_bit_set bits = 0;

    for (; *widths; widths++)
        bits |= (sim_bit_set)1 << ((*widths >= 'a' ? *widths - 'a' + 10 : *widths - '0') - 1);
    return bits;
}

Test(axes, what_is_understood)
{
    static const struct {
        const char *spec, *w, *a, *kv;
    } cases[] = {
        {NULL, "12345678", "12345678", ""},
        {"w=4", "4", "12345678", ""},
        {"a=8", "12345678", "8", ""},
        {"kv=4", "12345678", "12345678", "4"},
        {"w=2..8,a=4,8", "2345678", "48", ""},
        {"a=4,8,w=2..8", "2345678", "48", ""},
        {"w=1,3..5,16,a=16", "1345g", "g", ""},
        {"w=1..16,a=9..10,kv=2,4", "123456789abcdefg", "9a", "24"},
        {"w=8,4,4,3..5", "3458", "12345678", ""},
        {"w=4..4", "4", "12345678", ""},
        {"w=04", "4", "12345678", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_err err = {0};
        sim_axes axes;

        cr_assert_eq(sim_axes_parse(cases[i].spec, &axes, &err), SIM_OK, "%s: %s", cases[i].spec,
                     err.items[0].text);
        cr_expect_eq(axes.bits[SIM_AXIS_W], set(cases[i].w), "w of %s", cases[i].spec);
        cr_expect_eq(axes.bits[SIM_AXIS_A], set(cases[i].a), "a of %s", cases[i].spec);
        cr_expect_eq(axes.bits[SIM_AXIS_KV], set(cases[i].kv), "kv of %s", cases[i].spec);
    }
}

Test(axes, what_is_not)
{
    static const char *const cases[] = {
        "",         ",",       "w",       "w=",
        "w=,",      "=",       "=4",      "4",
        "w=0",      "w=17",    "w=8..2",  "w=4,w=4",
        "x=4",      "w=4x",    "w=x4",    "w=4 ",
        "w= 4",     "w=+4",    "w=4..",   "w=..4",
        "w=..",     "w=4...8", "w=4.8",   "w=1..2..3",
        "w=4,,a=4", "w=4;a=4", "kv",      "w=4,a=8,",
        "w==4",     "w=a=4",   "w=1..17", "w=99999999999999999999999999999999999999999999999999"};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_err err = {0};
        sim_axes axes;

        cr_expect_eq(sim_axes_parse(cases[i], &axes, &err), SIM_USAGE, "'%s'", cases[i]);
        cr_expect_eq(sim_err_status(&err), SIM_USAGE, "'%s'", cases[i]);
        cr_expect(strncmp(err.items[0].text, "option '--bits': ", 17) == 0, "%s", err.items[0].text);
    }
}

/* Even when the list of errors was full before. */
Test(axes, errors_beyond_the_last_one_kept)
{
    sim_err err = {0};
    sim_axes axes;

    for (int i = 0; i < SIM_ERR_MAX; i++)
        sim_fail(&err, SIM_USAGE, NULL, 0, "another");
    cr_expect_eq(sim_axes_parse("w=0", &axes, &err), SIM_USAGE);
    cr_expect_eq(sim_axes_parse("w=1", &axes, &err), SIM_OK);
}
