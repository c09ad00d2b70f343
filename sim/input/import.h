/* What people have on disk -> a workload: configs and checkpoints of HF and llama.cpp, topologies of
 * SCALE-Sim.
 *
 *   config.json                       the fields of a transformer, as they are
 *   a folder                          its config.json, and the checkpoint beside it
 *   *.safetensors, *.index.json       the config.json beside it; without one, a list of its matrices
 *   *.gguf                            metadata, as fields of a config.json
 *   *.csv                             a topology of SCALE-Sim: convolutions, or GEMMs, as a list of layers
 *
 * ONNX is refused: shapes there follow from an inference over the graph, for which there is no library in C
 * that would not outweigh this program. */
#ifndef SIM_INPUT_IMPORT_H
#define SIM_INPUT_IMPORT_H

#include "base/json.h"
#include "format/checkpoint.h"
#include "model/types.h"

typedef struct sim_import {
    const char *path, *name; /* as given; of the workload */
    const char *file;        /* that `root` is of, for messages */
    const sim_json *root;    /* an object of config.json fields, or a workload with "layers" */
    bool is_list;            /* the latter */
    sim_checkpoint checkpoint;
    const char *assumed; /* what was taken for granted, a sentence; NULL */
} sim_import;

/* Whether `path` is one of the above, a bare config.json excepted: what only this reads. */
bool sim_import_wants(const char *path);

/* Reads `path`. The headers of a checkpoint that lies beside a config.json are read only for `headers`. A
 * list of matrices is a product of `tokens` rows with each. SIM_BAD_INPUT: anything wrong with a file, each
 * slip with its line or byte; nothing in it that could be a workload. SIM_NO_MEMORY. On failure nothing is
 * open. */
sim_status sim_import_open(const char *path, bool headers, int64_t tokens, sim_arena *arena, sim_import *out,
                           sim_err *err);
void sim_import_close(sim_import *import);

/* ---- the parts; private to import*.c ------------------------------------------------------------------ */

/* Metadata of a GGUF file -> fields of a config.json (import_gguf.c). */
sim_status sim_import_gguf(const sim_checkpoint *checkpoint, sim_arena *arena, const sim_json **root,
                           sim_err *err);
/* A topology -> {"name", "layers"} (import_topology.c). */
sim_status sim_import_topology(const char *path, sim_arena *arena, sim_import *out, sim_err *err);
/* The matrices of a checkpoint -> {"name", "layers"} (import_matrices.c). */
sim_status sim_import_matrices(int64_t tokens, sim_arena *arena, sim_import *out, sim_err *err);

#endif
