/* simacc list: what is shipped. */
#include "cli/cmd.h"
#include "output/describe.h"

#include <string.h>

static const char *const operands[] = {"arch|workloads|backends", NULL};

static const char text[] =
    "Without an operand it lists all three. SIMACC_DATA names another folder to look in.\n";

static sim_status list_files(const char *kind, sim_status (*describe)(const char *, sim_text *, sim_err *),
                             sim_arena *arena, sim_text *out, sim_err *err)
{
    const char *folder = sim_cmd_folder(kind, arena);

    if (!folder)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return describe(folder, out, err);
}

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    static const char *const kinds[] = {"arch", "workloads", "backends", NULL};
    const char *wanted = opts->operand_count > 0 ? opts->operands[0] : NULL;
    sim_text out = {.length = 0};
    bool known = false;

    (void)term;
    for (int i = 0; kinds[i]; i++) {
        if (wanted && strcmp(wanted, kinds[i]) != 0)
            continue;
        if (!wanted)
            sim_text_printf(&out, "%s%s:\n", i ? "\n" : "", kinds[i]);
        known = true;
        if (i == 0)
            list_files(kinds[i], sim_describe_archs, arena, &out, err);
        else if (i == 1)
            list_files(kinds[i], sim_describe_workloads, arena, &out, err);
        else
            sim_describe_backends(&out);
    }
    if (!known) {
        const char *nearest = sim_nearest(wanted, kinds);

        sim_fail(err, SIM_USAGE, NULL, 0, "list: unknown kind '%s'", wanted);
        sim_hint(err, nearest ? "did you mean '%s'?" : "one of: arch workloads backends", nearest);
    }
    if (err->count > 0) {
        sim_text_free(&out);
        return sim_err_status(err);
    }
    return sim_cmd_answer(&out, NULL, err);
}

const sim_command sim_cmd_list = {
    .name = "list",
    .operands = operands,
    .summary = "The accelerators, workloads and back ends that are shipped.",
    .text = text,
    .run = run,
};
