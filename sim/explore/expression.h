/* Conditions over named values, as filters and constraints of sweeps are written:
 *
 *   array.rows * array.cols <= 4096 && (w <= a || phase == "decode")
 *
 * Operators by rising precedence: ||, &&, comparisons == != < <= > >=, + -, * /, ! and unary -; parentheses.
 * Names are letters, digits, '_' and '.'. Texts are in double quotes and may be compared by == and != alone.
 * A name without a value is unknown; what depends on an unknown value is false. */
#ifndef SIM_EXPLORE_EXPRESSION_H
#define SIM_EXPLORE_EXPRESSION_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

typedef struct sim_expression sim_expression;

/* A value by name: a number, or a text where that is not NULL. False: there is none. */
typedef bool sim_expression_value(void *user, const char *name, double *number, const char **text);

/* Whether a name may stand in the expression; NULL `known`: any. What is wrong is one error of file `what`,
 * line `line`, with the place in the text. `status`: what it counts as. */
sim_status sim_expression_parse(const char *text, bool (*known)(void *user, const char *name), void *user,
                                const char *what, int line, sim_status status, sim_arena *arena,
                                const sim_expression **out, sim_err *err);

bool sim_expression_true(const sim_expression *expression, sim_expression_value *value, void *user);

#endif
