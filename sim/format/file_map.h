/* A file as read-only memory: checkpoints are larger than what is read of them. */
#ifndef SIM_FORMAT_FILE_MAP_H
#define SIM_FORMAT_FILE_MAP_H

#include "base/err.h"

#include <stdint.h>

/* `data` is NULL for an empty file. */
typedef struct sim_file_map {
    const unsigned char *data;
    int64_t bytes;
} sim_file_map;

/* Anything that cannot be opened or is no regular file: SIM_BAD_INPUT. Whoever shortens the file while it is
 * open breaks the program that reads it, as with any mapping. */
sim_status sim_file_map_open(const char *path, sim_file_map *out, sim_err *err);
void sim_file_map_close(sim_file_map *map);

#endif
