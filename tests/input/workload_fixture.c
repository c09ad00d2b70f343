#include "input/workload_fixture.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void workload_read_for(workload_fixture *f, const char *text, const char *path,
                       const sim_workload_request *request)
{
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    f->status = sim_workload_read(text, strlen(text), path, request, &f->arena, &f->workload, &f->err);
}

void workload_read_text(workload_fixture *f, const char *text)
{
    workload_read_for(f, text, "dir/w.json", NULL);
}

/* A list of one layer, `rest` being its members after the name. */
const sim_layer *workload_read_layer(workload_fixture *f, const char *rest)
{
    char text[600];

    snprintf(text, sizeof text, "{\"layers\": [\n{\"name\": \"x\", %s}]}", rest);
    workload_read_text(f, text);
    return f->status == SIM_OK ? &f->workload.layers[0] : NULL;
}

void workload_check_error(const workload_fixture *f, int i, int line, const char *text, const char *hint)
{
    const sim_err_item *item = &f->err.items[i];

    cr_assert_lt(i, f->err.count, "no error %d: '%s'", i, text);
    cr_expect_eq(item->line, line, "'%s' on line %d", item->text, item->line);
    cr_expect_str_eq(item->text, text);
    cr_expect_str_eq(item->hint, hint);
    cr_expect_str_eq(item->file, "dir/w.json");
}

void workload_check_shape(const sim_layer *l, sim_op op, int64_t m, int64_t n, int64_t k, int64_t batch,
                          int64_t repeat)
{
    cr_assert_not_null(l);
    cr_expect(l->op == op && l->m == m && l->n == n && l->k == k && l->batch == batch && l->repeat == repeat,
              "op %d m %" PRId64 " n %" PRId64 " k %" PRId64 " batch %" PRId64 " repeat %" PRId64, (int)l->op,
              l->m, l->n, l->k, l->batch, l->repeat);
}
