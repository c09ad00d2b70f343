/* The terminal: colour and width decided once, answers to stdout, everything else to stderr. */
#ifndef SIM_CLI_TERM_H
#define SIM_CLI_TERM_H

#include "base/err.h"
#include "base/text.h"

typedef struct sim_term {
    bool colour; /* stdout is a terminal that wants it: not NO_COLOR, not TERM=dumb */
    int width;   /* columns of stdout, 100 when it is no terminal; between 60 and 160 */
} sim_term;

/* Also makes descriptors 0 to 2 safe to use when the caller closed them. */
void sim_term_init(sim_term *term);

/* Writes to stdout and closes it, so that a delayed failure is seen too. A pipe that was closed, a full
 * disk: SIM_IO. Call once, last. */
sim_status sim_term_answer(const char *data, size_t length, sim_err *err);

/* The errors, formatted, to stderr. */
void sim_term_errors(const sim_err *err);

#endif
