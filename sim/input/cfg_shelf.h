/* Configuration files as they were read, for those who read the same again and again: a sweep loads one arch
 * file, and the tables that it names, with thousands of settings. */
#ifndef SIM_INPUT_CFG_SHELF_H
#define SIM_INPUT_CFG_SHELF_H

#include "input/cfg.h"

typedef struct sim_cfg_shelf {
    sim_arena *arena; /* of what stands on it */
    struct sim_cfg_shelved *first;
} sim_cfg_shelf;

/* sim_cfg_load(), or what it returned for this path before. Without a shelf (NULL) everything lives in
 * `arena`. Files that could not be read are tried again. */
sim_status sim_cfg_load_shelved(sim_cfg_shelf *shelf, const char *path, sim_arena *arena, sim_cfg *out,
                                sim_err *err);

#endif
