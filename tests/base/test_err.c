#include "base/err.h"
#include "base/text.h"

#include <criterion/criterion.h>

#include <string.h>

/* The list as text; the caller frees it. */
static sim_text formatted(const sim_err *err)
{
    sim_text text = {0};

    sim_err_format(err, &text);
    return text;
}

#define ASSERT_FORMAT(err, expected)                                                                         \
    do {                                                                                                     \
        sim_text text_ = formatted(err);                                                                     \
        cr_assert_str_eq(text_.data, expected);                                                              \
        sim_text_free(&text_);                                                                               \
    } while (0)

Test(err, an_empty_list_is_ok)
{
    sim_err err = {0};
    sim_text text = formatted(&err);

    cr_assert_eq(sim_err_status(&err), SIM_OK);
    cr_assert_eq(text.length, 0);
    sim_hint(&err, "no error to hint at");
    cr_assert_eq(err.count, 0);
    sim_text_free(&text);
}

Test(err, file_line_and_hint)
{
    sim_err err = {0};

    cr_assert_eq(sim_fail(&err, SIM_BAD_INPUT, "edge.cfg", 5, "unknown key '%s' in 'array'", "colums"),
                 SIM_BAD_INPUT);
    sim_hint(&err, "did you mean '%s'?", "cols");
    sim_fail(&err, SIM_MISSING, NULL, 0, "no gnuplot");
    sim_fail(&err, SIM_IO, "out.csv", 0, "100%% full");
    cr_assert_eq(sim_err_status(&err), SIM_BAD_INPUT, "the first error decides");
    ASSERT_FORMAT(&err, "edge.cfg:5: error: unknown key 'colums' in 'array'\n"
                        "  hint: did you mean 'cols'?\n"
                        "error: no gnuplot\n"
                        "out.csv: error: 100% full\n");
}

Test(err, what_does_not_fit_is_counted)
{
    sim_err err = {0};
    sim_text text;

    for (int i = 0; i < SIM_ERR_MAX + 3; i++)
        sim_fail(&err, SIM_OVERFLOW, NULL, 0, "error %d", i);
    sim_hint(&err, "of an error that was not kept");
    cr_assert_eq(err.count, SIM_ERR_MAX);
    cr_assert_eq(err.dropped, 3);
    text = formatted(&err);
    cr_assert_null(strstr(text.data, "hint"));
    cr_assert_str_eq(strstr(text.data, "error: error 19"), "error: error 19\n... and 3 more errors\n");
    sim_text_free(&text);
    err.dropped = 1;
    text = formatted(&err);
    cr_assert_not_null(strstr(text.data, "... and 1 more error\n"));
    sim_text_free(&text);
}

Test(err, nothing_drives_the_terminal)
{
    sim_err err = {0};

    sim_fail(&err, SIM_BAD_INPUT, "a\033[2Jb", 1, "x\ny\tz\x7f \xc2\x9b \xe2\x80\xae %s", "\x80\xff\xc3");
    sim_hint(&err, "\a");
    cr_assert_str_eq(err.items[0].file, "a?[2Jb");
    cr_assert_str_eq(err.items[0].text, "x?y?z? ? ? ???");
    cr_assert_str_eq(err.items[0].hint, "?");
}

Test(err, text_is_kept_as_it_is)
{
    sim_err err = {0};

    sim_fail(&err, SIM_BAD_INPUT, "größe.json", 1, "\xe2\x82\xac \xf0\x9f\x98\x80");
    cr_assert_str_eq(err.items[0].file, "größe.json");
    cr_assert_str_eq(err.items[0].text, "\xe2\x82\xac \xf0\x9f\x98\x80");
}

/* Cut between characters at every offset: never inside one, never more than a character short. */
Test(err, long_text_is_cut_at_a_character)
{
    for (int shift = 0; shift < 4; shift++) {
        sim_err err = {0};
        char text[1300];
        size_t length;

        memset(text, 'x', (size_t)shift);
        for (int i = 0; i < 400; i++)
            memcpy(text + shift + 3 * i, "\xe2\x82\xac", 4);
        sim_fail(&err, SIM_BAD_INPUT, NULL, 0, "%s", text);
        length = strlen(err.items[0].text);
        cr_assert_lt(length, (size_t)SIM_ERR_TEXT);
        cr_assert_geq(length, (size_t)SIM_ERR_TEXT - 3);
        cr_assert_eq((length - (size_t)shift) % 3, 0);
        cr_assert_eq(strncmp(err.items[0].text, text, length), 0);
    }
}

Test(err, of_a_long_path_the_end_is_kept)
{
    sim_err err = {0};
    char path[400];

    memset(path, 'd', sizeof path);
    strcpy(path + sizeof path - 11, "/edge.json");
    sim_fail(&err, SIM_BAD_INPUT, path, 7, "x");
    cr_assert_eq(strlen(err.items[0].file), (size_t)SIM_ERR_FILE - 1);
    cr_assert_eq(strncmp(err.items[0].file, "...ddd", 6), 0);
    cr_assert_str_eq(strrchr(err.items[0].file, '/'), "/edge.json");
}
