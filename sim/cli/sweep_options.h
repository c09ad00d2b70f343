/* What the command line of `sweep` asks for. */
#ifndef SIM_CLI_SWEEP_OPTIONS_H
#define SIM_CLI_SWEEP_OPTIONS_H

#include "cli/opt.h"
#include "explore/sweep.h"

/* From ARCH and WORKLOAD with options, or from a sweep file. What is wrong goes into `err`. */
sim_status sim_sweep_options_read(const sim_opts *opts, sim_arena *arena, sim_sweep *sweep, sim_err *err);

/* A store's name with %d replaced by the shard; NULL: out of memory. */
const char *sim_sweep_store_name(const char *name, int64_t shard, sim_arena *arena, sim_err *err);

#endif
