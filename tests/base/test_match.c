#include "base/text.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

/* ---- did you mean --------------------------------------------------------------------------------- */

static const char *const words[] = {"rows",   "cols",           "dataflow", "w_bits",
                                    "a_bits", "bandwidth_gb_s", "k",        NULL};

static void assert_nearest(const char *word, const char *expected)
{
    const char *got = sim_nearest(word, words);

    if (expected)
        cr_expect(got && strcmp(got, expected) == 0, "%s: got %s, expected %s", word, got ? got : "none",
                  expected);
    else
        cr_expect_null(got, "%s: got %s", word, got);
}

Test(nearest, slips)
{
    assert_nearest("rows", "rows");
    assert_nearest("ROWS", "rows");
    assert_nearest("rosw", "rows");   /* swapped neighbours are one slip */
    assert_nearest("row", "rows");    /* lost */
    assert_nearest("rrows", "rows");  /* doubled */
    assert_nearest("colums", "cols"); /* two slips in six letters */
    assert_nearest("datafolw", "dataflow");
    assert_nearest("data_flow", "dataflow");
    assert_nearest("wbits", "w_bits");
    assert_nearest("bandwith_gbs", "bandwidth_gb_s");
    assert_nearest("K", "k");
}

Test(nearest, strangers)
{
    assert_nearest("", NULL);
    assert_nearest("x", NULL); /* one letter replaced is another word */
    assert_nearest("frequency", NULL);
    assert_nearest("xxws", NULL);
    assert_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                   NULL);
}

Test(nearest, the_first_of_equals)
{
    static const char *const equals[] = {"w8a8", "w4a8", "w4a4", NULL};
    static const char *const none[] = {NULL};

    cr_assert_str_eq(sim_nearest("w6a8", equals), "w8a8");
    cr_assert_null(sim_nearest("w6a8", none));
}

/* ---- globs ---------------------------------------------------------------------------------------- */

static void check_glob(const char *pattern, const char *string, bool expected)
{
    cr_expect_eq(sim_glob(pattern, string), expected, "'%s' and '%s'", pattern, string);
}

Test(glob, layer_names)
{
    check_glob("layers.*.q_proj", "layers.12.q_proj", true);
    check_glob("layers.*.q_proj", "layers.12.k_proj", false);
    check_glob("layers.?.q_proj", "layers.1.q_proj", true);
    check_glob("layers.?.q_proj", "layers.12.q_proj", false);
    check_glob("layers.[0-3].*", "layers.3.fc1", true);
    check_glob("layers.[0-3].*", "layers.4.fc1", false);
    check_glob("layers.[!0-3].*", "layers.4.fc1", true);
    check_glob("layers.[^0-3].*", "layers.3.fc1", false);
    check_glob("lm_head", "lm_head", true);
    check_glob("lm_head", "lm_head2", false);
    check_glob("lm_head", "lm_hea", false);
    check_glob("*", "anything at all", true);
    check_glob("*", "", true);
    check_glob("", "", true);
    check_glob("", "a", false);
    check_glob("?", "", false);
}

Test(glob, stars_backtrack)
{
    check_glob("*proj", "o_proj.q_proj", true);
    check_glob("a*b*c", "aXbYbZc", true);
    check_glob("a*b*c", "aXbYbZ", false);
    check_glob("**a", "ba", true);
    check_glob("a**", "a", true);
    check_glob("*aab", "aaaaaaab", true);
}

/* A pattern made to explode where each star tries everything. */
Test(glob, hostile_patterns_take_no_time, .timeout = 5)
{
    char pattern[4001], string[20001];

    for (int i = 0; i < 4000; i += 2)
        memcpy(pattern + i, "*a", 3);
    memset(string, 'a', sizeof string - 1);
    string[20000] = '\0';
    check_glob(pattern, string, true);
    string[19999] = 'b';
    check_glob(pattern, string, false);
}

Test(glob, sets_and_quotes)
{
    check_glob("[]a]", "]", true);
    check_glob("[]a]", "a", true);
    check_glob("[!]a]", "b", true);
    check_glob("[!]a]", "]", false);
    check_glob("[a-]", "-", true);
    check_glob("[-a]", "-", true);
    check_glob("[a\\]b]", "]", true);
    check_glob("[z-a]", "m", false);
    check_glob("[abc", "[abc", true); /* never closed: itself */
    check_glob("[", "[", true);
    check_glob("\\*", "*", true);
    check_glob("\\*", "a", false);
    check_glob("\\[0]", "[0]", true);
    check_glob("a\\", "a\\", true); /* quotes nothing: itself */
}

Test(glob, characters_not_bytes)
{
    check_glob("?", "\xc3\xa4", true);
    check_glob("[\xc3\xa4-\xc3\xbc]", "\xc3\xb6", true);
    check_glob("[\xc3\xa4-\xc3\xbc]", "z", false);
    check_glob("?", "\xff", true); /* no UTF-8: a character of its own */
    check_glob("\xff*", "\xff\xfe", true);
    check_glob("\xff", "\xfe", false);
}

/* ---- names with numbers --------------------------------------------------------------------------- */

static void check_name(const char *pattern, const char *name, bool expected)
{
    cr_expect_eq(sim_match_name(pattern, name), expected, "'%s' and '%s'", pattern, name);
}

Test(match_name, ranges_and_lists)
{
    for (int i = 0; i < 40; i++) {
        char name[40];

        snprintf(name, sizeof name, "layers.%d.q_proj", i);
        check_name("layers.0-31.q_proj", name, i <= 31);
        check_name("layers.3,5-7,20.q_proj", name, i == 3 || (i >= 5 && i <= 7) || i == 20);
        check_name("layers.10-10.q_proj", name, i == 10);
        check_name("*.8-12.*", name, i >= 8 && i <= 12);
        check_name("*2-3*", name, i == 2 || i == 3); /* a whole number, not a digit of one */
        check_name("layers.31-0.q_proj", name, false);
    }
    check_name("layers.0-3,8.mlp_*", "layers.8.mlp_up", true);
    check_name("layers.0-3,8.mlp_*", "layers.8.attention", false);
    check_name("0-3", "2", true);
    check_name("0-3", "", false);
    check_name("0-3", "2x", false);
    check_name("b1-2.c0,4", "b2.c4", true);
    check_name("b1-2.c0,4", "b3.c4", false);
    check_name("b1-2.c0,4", "b2.c04", true); /* a value, not a spelling */
    check_name("*.1-2*.3-4*", "x.9.1.y.3z.4.2", true);
    check_name("*.1-2.*.3-4", "x.2.y.3.z.4", true);
    check_name("*.1-2.*.3-4", "x.2.y.5", false);
    check_name("layers.99999999999999999998-99999999999999999999", "layers.99999999999999999999", true);
    check_name("layers.1-9", "layers.18446744073709551617", false);
}

/* What only looks like a list, and names that are spelt like one. */
Test(match_name, literally)
{
    check_name("block0-3.fc", "block0-3.fc", true);
    check_name("block1,2", "block1,2", true);
    check_name("block0-3.1-2", "block0-3.2", true); /* one of the two lists is a name */
    check_name("block0-3.1-2", "block2.1-2", true);
    check_name("block0-3.1-2", "block0-3.1-2", true);
    check_name("block0-3.1-2", "block0-3.3", false);
    check_name("a0-b", "a0-b", true);
    check_name("a0-b", "a0", false);
    check_name("a0-", "a0-", true);
    check_name("a0,", "a0,", true);
    check_name("a-1", "a-1", true);
    check_name("a-1", "a1", false);
    check_name("a0-3-5", "a0-3-5", true);
    check_name("a0-3-5", "a2-5", true); /* a list, and a name that goes on */
    check_name("a0-3-5", "a2-6", false);
    check_name("[0-3]", "2", true); /* a set of characters */
    check_name("[0-3]", "0-3", false);
    check_name("x[0-3].0-3", "x2.3", true);
    check_name("x\\0-3", "x2", false);
    check_name("x\\0-3", "x0-3", true);
    check_name("layers.?.0-3", "layers.7.1", true);
    check_name("q_proj", "q_proj", true);
}

Test(match_name, characters_not_bytes)
{
    check_name("?.0-3", "\xc3\xa4.2", true);
    check_name("??.0-3", "\xc3\xa4.2", false);
    check_name("*?.0-3", "\xc3\xa4.2", true);
    check_name("*??.0-3", "\xc3\xa4.2", false);
}

/* A name beyond the length of any layer's: as a glob. */
Test(match_name, long_names)
{
    char name[1000];

    memset(name, 'a', sizeof name);
    memcpy(name + sizeof name - 5, ".0-3", 5);
    check_name("*.0-3", name, true);
    memcpy(name + sizeof name - 3, "2", 2);
    check_name("*.0-3", name, false);
    memmove(name, name + sizeof name - 400, 400);
    check_name("*.0-3", name, true);
}

Test(match_name, hostile_patterns_take_no_time, .timeout = 5)
{
    char pattern[4004], name[401];

    for (int i = 0; i < 4000; i += 2)
        memcpy(pattern + i, "*1", 3);
    memcpy(pattern + 4000, "0-3", 4);
    memset(name, '1', sizeof name - 1);
    name[400] = '\0';
    check_name(pattern, name, false);
}
