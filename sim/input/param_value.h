/* One value against one row: type, range, names; and text as a value. For param.c. */
#ifndef SIM_INPUT_PARAM_VALUE_H
#define SIM_INPUT_PARAM_VALUE_H

#include "input/param.h"

/* Where a value comes from, for messages. */
typedef struct sim_param_origin {
    const char *file;
    int line;
} sim_param_origin;

/* The field of the set's target that a row describes. */
void *sim_param_field(const sim_param_set *set, const sim_param *row);

/* Checks `value` against the row and stores it. */
sim_status sim_param_set_value(const sim_param_set *set, const sim_param *row, const sim_cfg_value *value,
                               sim_param_origin at, sim_err *err);

/* The same for text. What does not parse as the row's type fails as text would. */
sim_status sim_param_set_text(const sim_param_set *set, const sim_param *row, const char *text,
                              sim_param_origin at, sim_err *err);

/* Appends "key=value\n". */
void sim_param_print(const sim_param_set *set, const sim_param *row, sim_text *out);

/* "a, b, c" of a NULL-terminated list into `out`, cut with "..." when it does not fit. */
const char *sim_param_join(const char *const *names, char *out, size_t size);

#endif
