/* Number formats: which bits each has. */
#ifndef SIM_INPUT_NUMBER_H
#define SIM_INPUT_NUMBER_H

#include "model/types.h"

#include <stdbool.h>

enum { SIM_INT_BITS_MAX = 16, SIM_GROUP_MAX = 65536 };

/* The bits of formats of one width; 0: it has several, and they must be given. */
int sim_format_bits(sim_format format);

bool sim_number_exists(sim_format format, int64_t bits);

/* "integers have 1 to 16 bits", for hints. */
const char *sim_format_widths(sim_format format);

#endif
