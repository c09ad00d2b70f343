/* A checkpoint, in whatever files: its tensors, and where their bytes are.
 *
 *   model.safetensors              one file
 *   model.safetensors.index.json   shards beside it, {"weight_map": {"tensor": "file", ...}}
 *   model.gguf                     one file, or the first of a split one (...-00001-of-00003.gguf)
 *   a folder                       what it has of these, in this order */
#ifndef SIM_FORMAT_CHECKPOINT_H
#define SIM_FORMAT_CHECKPOINT_H

#include "format/file_map.h"
#include "format/gguf.h"
#include "format/safetensors.h"

typedef enum sim_checkpoint_kind {
    SIM_CHECKPOINT_NONE, /* a folder without any */
    SIM_CHECKPOINT_SAFETENSORS,
    SIM_CHECKPOINT_INDEX,
    SIM_CHECKPOINT_GGUF,
} sim_checkpoint_kind;

typedef struct sim_checkpoint {
    sim_checkpoint_kind kind;
    const char *name; /* of the file that was opened: the index, the first of a split one */
    const char **files;
    sim_file_map *maps; /* of each file */
    int file_count;
    sim_tensor *tensors; /* of all files, sorted by name */
    int64_t tensor_count, tensor_room;
    sim_gguf gguf; /* metadata of the first file; no pairs where it is no GGUF */
} sim_checkpoint;

/* By the end of its name; SIM_CHECKPOINT_NONE: none of these, or a folder. */
sim_checkpoint_kind sim_checkpoint_kind_of(const char *path);

/* The file of `folder` that sim_checkpoint_open would take; NULL: it has none. *out is in the arena. Several
 * that could be meant are SIM_BAD_INPUT. */
sim_status sim_checkpoint_in(const char *folder, sim_arena *arena, const char **out, sim_err *err);

/* Opens a file of one of the kinds above (no folder) and reads all headers. SIM_BAD_INPUT: anything wrong
 * with a file, a shard that is missing, a tensor that is twice there or not where the index says, a part of a
 * split file that is not the one its name says. On failure nothing is open. */
sim_status sim_checkpoint_open(const char *path, sim_arena *arena, sim_checkpoint *out, sim_err *err);
void sim_checkpoint_close(sim_checkpoint *checkpoint);

const sim_tensor *sim_checkpoint_find(const sim_checkpoint *checkpoint, const char *name); /* NULL: absent */
/* The tensor's bytes, in the file's layout; readable until the checkpoint is closed. */
const unsigned char *sim_checkpoint_data(const sim_checkpoint *checkpoint, const sim_tensor *tensor);

#endif
