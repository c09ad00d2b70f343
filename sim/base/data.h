/* Where the shipped data (arch/, workloads/, plots/, tests/validation/) is found. */
#ifndef SIM_BASE_DATA_H
#define SIM_BASE_DATA_H

#include "base/arena.h"

/* The root of the shipped data: the environment's SIMACC_DATA when set and not empty, else the folder that
 * the library was built from. Never NULL; no trailing check that it exists. */
const char *sim_data_folder(void);

/* "<data folder>/<relative>", e.g. of "arch/tech/28nm.cfg"; NULL when memory is out. */
char *sim_data_path(sim_arena *arena, const char *relative);

#endif
