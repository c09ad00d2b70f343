#include "base/text.h"

#include <criterion/criterion.h>

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
