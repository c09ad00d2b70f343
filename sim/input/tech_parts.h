/* The parts of tech.c, not for others. */
#ifndef SIM_INPUT_TECH_PARTS_H
#define SIM_INPUT_TECH_PARTS_H

#include "input/param.h"
#include "input/tech.h"

/* The path of NAME.cfg, in the folder `kind` beside the arch file or among the shipped ones; when there is
 * none, an error with the nearest of those that hold a group `group`. */
sim_status sim_named_file(const char *arch_file, const char *kind, const char *group, const sim_named *named,
                          sim_arena *arena, const char **path, sim_err *err);

/* Loads the file of the technology `query->tech.name` and says which it was. */
sim_status sim_tech_load_file(const sim_tech_query *query, sim_arena *arena, sim_cfg *cfg, const char **file,
                              sim_err *err);

/* Reports that there is no `what` of that name, with the nearest of `names` and all of them. Sorts `names`,
 * which has room for one more. Returns SIM_BAD_INPUT. */
sim_status sim_tech_unknown_name(const char *what, const sim_named *named, const char **names, int count,
                                 sim_err *err);

/* Applies the settings whose key begins with the set's prefix. */
void sim_tech_apply_settings(sim_param_set *set, const sim_tech_query *query, sim_err *err);

/* The kind `query->dram.name`: of the technology's file, overridden by the arch file and by settings. */
sim_status sim_tech_read_dram(const sim_tech_query *query, const sim_cfg *tech_cfg, const char *file,
                              sim_arena *arena, sim_dram_kind *out, sim_text *canonical, sim_err *err);

#endif
