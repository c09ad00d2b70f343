/* The bits to vary, as `--bits` names them: "w=2..8,a=4,8". */
#ifndef SIM_EXPLORE_AXES_H
#define SIM_EXPLORE_AXES_H

#include "base/err.h"

#include <stdint.h>

enum { SIM_AXIS_BITS_MAX = 16 };

/* A set of widths from 1 to 16 bits: bit b-1 stands for b bits. */
typedef uint32_t sim_bit_set;

typedef enum sim_axis { SIM_AXIS_W, SIM_AXIS_A, SIM_AXIS_KV, SIM_AXES } sim_axis;

typedef struct sim_axes {
    sim_bit_set bits[SIM_AXES]; /* of w and a never empty; an empty kv follows a */
} sim_axes;

/* Axes are w, a and kv, each a list of numbers and ranges; a comma before a name starts the next axis. The
 * order of the numbers does not matter, nor that one is there twice. An axis that is left out: w and a from 1
 * to 8 bits, kv as a. `spec` NULL: all left out. SIM_USAGE, each slip reported as one of option --bits. */
sim_status sim_axes_parse(const char *spec, sim_axes *out, sim_err *err);

#endif
