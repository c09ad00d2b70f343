/* Options of a command, declared once as rows: a row drives parsing, --help and did-you-mean. */
#ifndef SIM_CLI_OPT_H
#define SIM_CLI_OPT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

typedef struct sim_opt {
    const char *name;     /* "--policy", "-o" */
    const char *argument; /* "P"; NULL for a switch */
    const char *help;     /* one or two sentences; wrapped when printed */
} sim_opt;

typedef struct sim_opt_given {
    int option;        /* index of the row */
    const char *value; /* NULL for a switch */
} sim_opt_given;

/* A command line that was read. */
typedef struct sim_opts {
    const sim_opt *options;
    int option_count;
    const char **operands;
    int operand_count;
    sim_opt_given *given; /* in order */
    int given_count;
} sim_opts;

/* Reads `argc` words (the command's name not among them): --name value, --name=value, -o value, -ovalue;
 * "--" ends the options, "-" is an operand. SIM_USAGE for what fits no row; all such errors are reported. */
sim_status sim_opt_parse(const sim_opt *options, int option_count, int argc, char *const *argv,
                         sim_arena *arena, sim_opts *out, sim_err *err);

/* By name; a name that no row has is never given. */
bool sim_opt_has(const sim_opts *opts, const char *name);
const char *sim_opt_value(const sim_opts *opts, const char *name); /* the last one given; NULL: none */

/* A positive integer; *value stays as it is when the option was not given. */
sim_status sim_opt_positive(const sim_opts *opts, const char *name, int64_t *value, sim_err *err);

/* One of `words` (NULL-terminated, "" not among the choices); *index stays when the option was not given. */
sim_status sim_opt_word(const sim_opts *opts, const char *name, const char *const *words, int *index,
                        sim_err *err);

/* The rows as help text, wrapped to `width` columns. */
void sim_opt_help(const sim_opt *options, int option_count, int width, sim_text *out);

#endif
