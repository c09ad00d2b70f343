/* The command line: finds the command, reads its options, prints its errors, exits. */
#include "base/arena.h"
#include "base/data.h"
#include "cli/cmd.h"
#include "cli/file.h"
#include "simacc.h"

#include <string.h>

const sim_command *const sim_commands[] = {
    &sim_cmd_run,       &sim_cmd_table,  &sim_cmd_sweep, &sim_cmd_export,   &sim_cmd_merge, &sim_cmd_plot,
    &sim_cmd_calibrate, &sim_cmd_import, &sim_cmd_list,  &sim_cmd_validate, &sim_cmd_help,  NULL};

enum { COMMANDS_MAX = 32, OPTIONS_MAX = 32 };

static const sim_opt help_option = {"--help", NULL, "What this command does and takes."};

static const sim_command *find_command(const char *name, sim_err *err)
{
    const char *names[COMMANDS_MAX + 1] = {NULL};
    const char *nearest;

    for (int i = 0; sim_commands[i]; i++) {
        if (strcmp(sim_commands[i]->name, name) == 0)
            return sim_commands[i];
        names[i] = sim_commands[i]->name;
    }
    nearest = sim_nearest(name, names);
    sim_fail(err, SIM_USAGE, NULL, 0, "unknown command '%s'", name);
    if (nearest)
        sim_hint(err, "did you mean '%s'?", nearest);
    else
        sim_hint(err, "'simacc help' lists the commands");
    return NULL;
}

static int version(sim_err *err)
{
    sim_text text = {.length = 0};

    sim_text_printf(&text, "simacc %s\nshipped data: %s\n", SIMACC_VERSION, sim_data_folder());
    return sim_cmd_answer(&text, NULL, err);
}

/* Missing and surplus operands. */
static void check_operands(const sim_command *command, const sim_opts *opts, sim_err *err)
{
    int most = 0;

    while (command->operands[most] && strcmp(command->operands[most], "...") != 0)
        most++;
    if (command->operands[most]) /* and more of the last */
        most = opts->operand_count;
    if (opts->operand_count < command->least_operands)
        sim_fail(err, SIM_USAGE, NULL, 0, "%s: missing %s", command->name,
                 command->operands[opts->operand_count]);
    else if (opts->operand_count > most)
        sim_fail(err, SIM_USAGE, NULL, 0, "%s: unexpected operand '%s'", command->name, opts->operands[most]);
    else
        return;
    sim_hint(err, "see 'simacc help %s'", command->name);
}

static int run_command(const sim_command *command, int argc, char **argv, const sim_term *term,
                       sim_arena *arena, sim_err *err)
{
    sim_opt options[OPTIONS_MAX];
    int count = 0;
    sim_opts opts;

    for (; count < command->option_count && count < OPTIONS_MAX - 1; count++)
        options[count] = command->options[count];
    options[count++] = help_option;
    sim_opt_parse(options, count, argc, argv, arena, &opts, err);
    if (sim_opt_has(&opts, "--help")) {
        sim_text text = {.length = 0};

        sim_cmd_help_text(command, term->width, &text);
        *err = (sim_err){0};
        return sim_cmd_answer(&text, NULL, err);
    }
    if (err->count > 0)
        return sim_err_status(err);
    check_operands(command, &opts, err);
    if (err->count > 0)
        return sim_err_status(err);
    return command->run(&opts, term, arena, err);
}

static int dispatch(int argc, char **argv, const sim_term *term, sim_arena *arena, sim_err *err)
{
    const sim_command *command;
    sim_text text = {.length = 0};

    if (argc < 2) {
        sim_fail(err, SIM_USAGE, NULL, 0, "no command given");
        sim_hint(err, "'simacc help' lists the commands");
        return SIM_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return version(err);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        sim_cmd_overview(term->width, &text);
        return sim_cmd_answer(&text, NULL, err);
    }
    if (argv[1][0] == '-') {
        static const char *const globals[] = {"--help", "--version", NULL};
        const char *nearest = sim_nearest(argv[1], globals);

        sim_fail(err, SIM_USAGE, NULL, 0, "unknown option '%s'", argv[1]);
        if (nearest)
            sim_hint(err, "did you mean '%s'?", nearest);
        else
            sim_hint(err, "options follow the command: simacc COMMAND [options]; see 'simacc help'");
        return SIM_USAGE;
    }
    command = find_command(argv[1], err);
    return command ? run_command(command, argc - 2, argv + 2, term, arena, err) : SIM_USAGE;
}

int main(int argc, char **argv)
{
    sim_err err = {0};
    sim_arena arena;
    sim_term term;
    int code;

    sim_term_init(&term);
    sim_file_guard_signals();
    sim_arena_init(&arena, NULL);
    code = dispatch(argc, argv, &term, &arena, &err);
    sim_term_errors(&err);
    sim_arena_free(&arena);
    return code;
}
