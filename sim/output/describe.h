/* What exists and what it means: keys of an architecture file, back ends, shipped files -> text. */
#ifndef SIM_OUTPUT_DESCRIBE_H
#define SIM_OUTPUT_DESCRIBE_H

#include "base/err.h"
#include "base/text.h"

/* Every architecture key with unit, type, range, default and help, generated from the parameter tables. */
void sim_describe_arch_keys(int width, sim_text *out);
void sim_describe_backends(sim_text *out);
/* One line for each arch (*.cfg) or workload (*.json) in `folder`: file and what is in it. */
sim_status sim_describe_archs(const char *folder, sim_text *out, sim_err *err);
sim_status sim_describe_workloads(const char *folder, sim_text *out, sim_err *err);

#endif
