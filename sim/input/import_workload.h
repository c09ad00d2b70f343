/* Imported files -> sim_workload, and -> the text of a workload file and of a policy. */
#ifndef SIM_INPUT_IMPORT_WORKLOAD_H
#define SIM_INPUT_IMPORT_WORKLOAD_H

#include "base/text.h"
#include "input/import.h"
#include "input/import_layers.h"
#include "input/workload.h"

/* sim_workload_load for a path that sim_import_wants. The layers of a GGUF file have as their own what its
 * tensors are stored in, where these are quantized; request->batch is the tokens of a list of matrices. */
sim_status sim_import_load(const char *path, const sim_workload_request *request, sim_arena *arena,
                           sim_workload *out, sim_err *err);

/* Imports `path` (also a config.json) and writes a workload file into `workload`, the policy that the files
 * imply into `policy` (NULL: not wanted), and into `notes` what was found and assumed, each of status SIM_OK.
 *
 * A model becomes a workload with its config inside; a request without a phase is a decode step (of an
 * encoder: prefill), one without tokens has 2048 of them, or as many as the model has positions. */
sim_status sim_import_convert(const char *path, const sim_workload_request *request, sim_text *workload,
                              sim_text *policy, sim_err *notes, sim_err *err);

/* Private to import_write.c: the policy file of a model; `sizes` has no layers where there was no checkpoint.
 * SIM_NO_MEMORY. */
sim_status sim_import_policy(const sim_import *import, const sim_workload *workload,
                             const sim_import_sizes *sizes, sim_arena *arena, sim_text *out, sim_err *err);

#endif
