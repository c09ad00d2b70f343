#include "format/csv.h"
#include "reference/failing.h"

#include <criterion/criterion.h>
#include <string.h>

static sim_status parse(const char *text, sim_arena *arena, sim_csv *out, sim_err *err)
{
    memset(err, 0, sizeof *err);
    sim_arena_init(arena, NULL);
    return sim_csv_parse(text, strlen(text), "t.csv", arena, out, err);
}

Test(csv, cells_by_name)
{
    sim_arena arena;
    sim_csv csv;
    sim_err err;
    int64_t n;
    double x;

    cr_assert_eq(
        parse("# source: here\n\na,\"b, c\",d\r\n1,\"x \"\"y\"\"\nz\",2.5\n\n7,,1e3", &arena, &csv, &err),
        SIM_OK);
    cr_assert_eq(csv.row_count, 2);
    cr_assert_eq(csv.column_count, 3);
    cr_assert_str_eq(csv.columns[1], "b, c");
    cr_assert_str_eq(sim_csv_text(&csv, 0, 1), "x \"y\"\nz");
    cr_assert_eq(sim_csv_int(&csv, 0, "a", &n, &err), SIM_OK);
    cr_assert_eq(n, 1);
    cr_assert_eq(sim_csv_real(&csv, 1, "d", &x, &err), SIM_OK);
    cr_assert_eq(x, 1000);
    cr_assert_eq(csv.lines[0], 4);
    cr_assert_eq(csv.lines[1], 7, "a quoted line break counts");
    cr_assert_eq(sim_csv_int(&csv, 1, "b, c", &n, &err), SIM_BAD_INPUT);
    cr_assert_eq(err.items[0].line, 7);
    cr_assert_eq(sim_csv_real(&csv, 0, "e", &x, &err), SIM_BAD_INPUT);
    sim_arena_free(&arena);
}

Test(csv, errors_have_lines)
{
    static const struct {
        const char *text;
        int line;
        const char *says;
    } cases[] = {
        {"", 1, "no header line"},
        {"# only a comment\n", 2, "no header line"},
        {"a,b,a\n1,2,3\n", 1, "duplicate column 'a'"},
        {"a,,b\n1,2,3\n", 1, "column 2 has no name"},
        {"a,b\n1,2\n1\n", 3, "1 cells, but the header has 2 columns"},
        {"a,b\n1,2,3\n", 2, "3 cells, but the header has 2 columns"},
        {"a,b\n1,\"2\n3\n", 2, "a quoted cell is not closed"},
        {"a,b\n1,\"2\"3\n", 2, "text behind a closing quote"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        sim_csv csv;
        sim_err err;

        cr_expect_eq(parse(cases[i].text, &arena, &csv, &err), SIM_BAD_INPUT, "%s", cases[i].text);
        cr_expect_str_eq(err.items[0].text, cases[i].says);
        cr_expect_eq(err.items[0].line, cases[i].line, "%s: line %d", cases[i].says, err.items[0].line);
        sim_arena_free(&arena);
    }
}

Test(csv, refuses_binary)
{
    sim_arena arena;
    sim_csv csv;
    sim_err err = {0};

    sim_arena_init(&arena, NULL);
    cr_expect_eq(sim_csv_parse("a,b\n1\0,2\n", 9, "t.csv", &arena, &csv, &err), SIM_BAD_INPUT);
    cr_expect(strstr(err.items[0].text, "NUL"));
    sim_arena_free(&arena);
}

Test(csv, survives_every_failing_allocation)
{
    static const char text[] = "a,b\n1,2\n3,4\n";
    sim_status status = SIM_NO_MEMORY;

    for (int n = 1; status != SIM_OK && n < 20; n++) {
        failing state = {.fail_at = n};
        sim_allocator allocator = failing_allocator(&state);
        sim_arena arena;
        sim_csv csv;
        sim_err err = {0};

        sim_arena_init(&arena, &allocator);
        status = sim_csv_parse(text, sizeof text - 1, "t.csv", &arena, &csv, &err);
        cr_expect(status == SIM_OK || status == SIM_NO_MEMORY);
        sim_arena_free(&arena);
        cr_expect_eq(state.live, 0);
    }
    cr_expect_eq(status, SIM_OK);
}
