/* Numbers as a libconfig file writes them, checked before libconfig reads them. */
#ifndef SIM_INPUT_CFG_LITERAL_H
#define SIM_INPUT_CFG_LITERAL_H

#include "base/err.h"

/* The end of the literal that starts at `start` with a sign, a digit or a point. Past `start`. */
const char *sim_cfg_number_end(const char *start, const char *end);

/* Refuses an integer that needs more than 32 bits without an L, or more than 63 with one (libconfig 1.5 reads
 * 5000000000 as 705032704 and 0xffffffff as -1), and what is no number. Reals are left to strtod. */
sim_status sim_cfg_check_number(const char *start, const char *end, const char *file, int line, sim_err *err);

/* Refuses NaN and infinity, whatever the case and sign. */
sim_status sim_cfg_check_word(const char *start, const char *end, const char *file, int line, sim_err *err);

#endif
