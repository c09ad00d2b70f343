/* Architecture files (libconfig) -> sim_arch. */
#ifndef SIM_INPUT_ARCH_H
#define SIM_INPUT_ARCH_H

#include "base/arena.h"
#include "base/err.h"
#include "input/cfg_shelf.h"
#include "model/backend.h"
#include "model/types.h"

/* A key=value override, as given by --set. */
typedef struct sim_arch_setting {
    const char *key, *value;
} sim_arch_setting;

/* Reads `path`, applies the settings, resolves `tech` and `dram.type`, checks everything. All errors of the
 * file are reported together. Everything lives in `arena`. */
sim_status sim_arch_load(const char *path, const sim_arch_setting *settings, int count, sim_arena *arena,
                         sim_arch *out, sim_err *err);

/* The same, with files from a shelf (NULL: none), which must outlive the arch. */
sim_status sim_arch_load_shelved(const char *path, const sim_arch_setting *settings, int count,
                                 sim_cfg_shelf *shelf, sim_arena *arena, sim_arch *out, sim_err *err);

/* The shared keys, for help and tests. */
extern const sim_param sim_arch_params[];
extern const int sim_arch_param_count;

#endif
