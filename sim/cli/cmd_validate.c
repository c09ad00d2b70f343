/* simacc validate: reruns every claim against the rows shipped under tests/validation/. */
#include "base/data.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "explore/validate.h"
#include "output/grid.h"

static const char *const operands[] = {NULL};

static const sim_opt options[] = {
    {"--json", NULL, "The ledger as one JSON object."},
    {"-o", "FILE", "Write the answer to FILE, whole or not at all, instead of stdout."},
};

static const char text[] =
    "Each row is a claim, the target it has to meet, and what comes out when it is rerun here.\n"
    "Exit code 0 when every target is met, 1 otherwise.\n";

static void put_table(const sim_ledger *ledger, int width, bool colour, sim_text *out)
{
    static const sim_grid_column columns[] = {{"", false, 0, 0, 0, false},
                                              {"claim", false, 0, 16, 24, true},
                                              {"target", false, 0, 12, 20, true},
                                              {"result", false, 0, 12, 20, true},
                                              {"source", false, 1, 12, 20, true}};
    sim_grid grid;
    int met = 0;

    sim_grid_init(&grid, columns, sizeof columns / sizeof columns[0], NULL);
    for (int i = 0; i < ledger->count; i++) {
        const sim_ledger_row *row = &ledger->rows[i];

        met += row->met;
        sim_grid_cell(&grid, row->met ? SIM_PAINT_GREEN : SIM_PAINT_RED, "%s", row->met ? "met" : "MISSED");
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", row->claim);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", row->target);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", row->result);
        sim_grid_cell(&grid, SIM_PAINT_DIM, "%s", row->source);
    }
    sim_grid_print(&grid, 0, width, colour, out);
    sim_grid_free(&grid);
    sim_text_printf(out, "\n%d of %d targets met\n", met, ledger->count);
}

static void put_json(const sim_ledger *ledger, sim_text *out)
{
    sim_json_writer w = {.out = out, .first = true};

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_int(&w, "schema", 1);
    sim_json_put_bool(&w, "all_met", ledger->all_met);
    sim_json_begin(&w, "rows", '[', false);
    for (int i = 0; i < ledger->count; i++) {
        const sim_ledger_row *row = &ledger->rows[i];

        sim_json_begin(&w, NULL, '{', false);
        sim_json_put_text(&w, "claim", row->claim);
        sim_json_put_text(&w, "target", row->target);
        sim_json_put_text(&w, "result", row->result);
        sim_json_put_bool(&w, "met", row->met);
        sim_json_put_text(&w, "source", row->source);
        sim_json_end(&w, '}');
    }
    sim_json_end(&w, ']');
    sim_json_end(&w, '}');
    sim_text_add(out, "\n");
}

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    const char *file = sim_opt_value(opts, "-o");
    const char *rows = sim_data_path(arena, "tests/validation"), *archs = sim_data_path(arena, "arch");
    sim_text out = {.length = 0};
    sim_ledger ledger;
    sim_status status;

    if (!rows || !archs)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = sim_validate(rows, archs, arena, &ledger, err);
    if (status != SIM_OK)
        return status;
    if (sim_opt_has(opts, "--json"))
        put_json(&ledger, &out);
    else
        put_table(&ledger, file ? 100 : term->width, term->colour && !file, &out);
    status = sim_cmd_answer(&out, file, err);
    if (status != SIM_OK)
        return status;
    return ledger.all_met ? 0 : 1;
}

const sim_command sim_cmd_validate = {
    .name = "validate",
    .operands = operands,
    .summary = "How far to trust the figures: reruns each claim against published and measured rows.",
    .text = text,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
