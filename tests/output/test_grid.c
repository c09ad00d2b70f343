/* Columns within a width: which go, which shrink, where text breaks. And every report survives running out of
 * memory at any allocation. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "output/grid.h"
#include "output/report.h"
#include "output/trace.h"
#include "reference/failing.h"
#include "result_fixture.h"

static const char *print(const sim_grid_column *columns, int count, const char *const *cells, int width,
                         sim_text *out)
{
    sim_grid grid;

    sim_grid_init(&grid, columns, count, NULL);
    for (int i = 0; cells[i]; i++)
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", cells[i]);
    sim_grid_print(&grid, 0, width, false, out);
    sim_grid_free(&grid);
    cr_assert_not(out->failed);
    return out->data;
}

Test(grid, drops_by_rank_and_takes_back_what_fits)
{
    static const sim_grid_column columns[] = {{"name", false, 0, 0, 0, false},
                                              {"wide", false, 2, 0, 0, false},
                                              {"a", true, 3, 0, 0, false},
                                              {"b", true, 1, 0, 0, false}};
    static const char *const cells[] = {"x", "0123456789", "1", "22", NULL};
    sim_text all = {.length = 0}, some = {.length = 0}, few = {.length = 0};

    cr_assert_str_eq(print(columns, 4, cells, 23, &all),
                     "name  wide        a   b\nx     0123456789  1  22\n");
    /* "a" goes first and "wide" after it; then there is room for "a" again. */
    cr_assert_str_eq(print(columns, 4, cells, 18, &some), "name  a   b\nx     1  22\n");
    cr_assert_str_eq(print(columns, 4, cells, 1, &few), "name\nx\n");
    sim_text_free(&all);
    sim_text_free(&some);
    sim_text_free(&few);
}

Test(grid, cuts_or_wraps_what_shrinks)
{
    static const sim_grid_column cut[] = {{NULL, false, 0, 4, 0, false}, {NULL, true, 0, 0, 0, false}};
    static const sim_grid_column wrap[] = {{NULL, false, 0, 4, 0, true}, {NULL, true, 0, 0, 0, false}};
    static const char *const cells[] = {"one two three", "9", "ab", "10", NULL};
    static const char *const word[] = {"abcdefghijk", "1", NULL};
    sim_text text = {.length = 0}, wrapped = {.length = 0}, broken = {.length = 0};

    cr_assert_str_eq(print(cut, 2, cells, 12, &text), "one two~   9\nab        10\n");
    cr_assert_str_eq(print(wrap, 2, cells, 12, &wrapped), "one two    9\nthree\nab        10\n");
    cr_assert_str_eq(print(wrap, 2, word, 8, &broken), "abcde  1\nfghij\nk\n");
    sim_text_free(&text);
    sim_text_free(&wrapped);
    sim_text_free(&broken);
}

Test(grid, cuts_between_characters)
{
    static const sim_grid_column columns[] = {{NULL, false, 0, 2, 0, false}};
    static const char *const cells[] = {"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", NULL};
    sim_text text = {.length = 0};

    cr_assert_eq(sim_text_columns(cells[0]), 4);
    cr_assert_str_eq(print(columns, 1, cells, 3, &text), "\xc3\xa4\xc3\xb6~\n");
    sim_text_free(&text);
}

static void table(const sim_result *result, sim_text *out)
{
    sim_report_table(result, NULL, out);
}

Test(reports, survive_every_failing_allocation)
{
    static void (*const reports[])(const sim_result *, sim_text *) = {table, sim_report_json, sim_report_csv,
                                                                      sim_trace};
    static fixture f;

    fixture_init(&f);
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        long count = 0;

        for (;; count++) {
            failing state = {.fail_at = count + 1, .for_good = true};
            sim_text out = {.allocator = failing_allocator(&state)};
            bool failed;

            reports[i](&f.result, &out);
            failed = out.failed;
            sim_text_free(&out);
            cr_assert_eq(state.live, 0, "report %zu leaks after %ld allocations", i, count);
            if (state.calls < state.fail_at) {
                cr_assert_not(failed);
                break;
            }
            cr_assert(failed, "report %zu hides that allocation %ld failed", i, count);
        }
        cr_assert_gt(count, 0);
    }
}
