/* The commands: a row each, which says what the command takes and drives usage errors and help. */
#ifndef SIM_CLI_CMD_H
#define SIM_CLI_CMD_H

#include "base/arena.h"
#include "base/err.h"
#include "cli/opt.h"
#include "cli/term.h"

typedef struct sim_command {
    const char *name;
    const char *const *operands; /* names for the usage line, NULL-terminated */
    int least_operands;          /* of these; the others may be left out */
    const char *summary;         /* a line for `simacc help` */
    const char *text;            /* what `simacc help NAME` says beside the options; wrapped by hand */
    const sim_opt *options;      /* "--help" is understood everywhere and not among them */
    int option_count;
    /* Returns the exit code. Errors go into `err`, which the caller prints. */
    int (*run)(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err);
} sim_command;

extern const sim_command sim_cmd_run, sim_cmd_table, sim_cmd_sweep, sim_cmd_export, sim_cmd_merge,
    sim_cmd_plot, sim_cmd_calibrate, sim_cmd_import, sim_cmd_list, sim_cmd_validate, sim_cmd_help;

/* NULL-terminated, in the order of help. */
extern const sim_command *const sim_commands[];

/* "Usage: simacc run ARCH WORKLOAD [options]" and the rest of the help of one command. */
void sim_cmd_help_text(const sim_command *command, int width, sim_text *out);

/* What `simacc help` and `simacc --help` print. */
void sim_cmd_overview(int width, sim_text *out);

/* Prints `text` on stdout, or writes it to the file that `-o` names. Frees the text. Returns the exit code.
 */
int sim_cmd_answer(sim_text *text, const char *file, sim_err *err);

/* For a file that could not be opened: hints at one of a similar name, in the same folder or among the
 * shipped `kind` ("arch", "workloads"), `extension` with its dot. Nothing when the file is there. */
void sim_cmd_hint_file(const char *path, const char *kind, const char *extension, sim_arena *arena,
                       sim_err *err);

/* "arch" when that is a folder here, else the shipped one; NULL when memory is out. */
const char *sim_cmd_folder(const char *kind, sim_arena *arena);

#endif
