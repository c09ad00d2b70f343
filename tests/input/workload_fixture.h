/* A workload read from text, and what is expected of it. */
#ifndef TEST_WORKLOAD_FIXTURE_H
#define TEST_WORKLOAD_FIXTURE_H

#include "input/workload.h"

typedef struct workload_fixture {
    sim_arena arena;
    sim_workload workload;
    sim_err err;
    sim_status status;
} workload_fixture;

/* The caller frees f->arena. `path` is the file's name for messages; without one it is "dir/w.json". */
void workload_read_for(workload_fixture *f, const char *text, const char *path,
                       const sim_workload_request *request);
void workload_read_text(workload_fixture *f, const char *text);
/* A list of one layer, `rest` being its members after the name; NULL when it cannot be read. */
const sim_layer *workload_read_layer(workload_fixture *f, const char *rest);

/* Error number i, in dir/w.json. */
void workload_check_error(const workload_fixture *f, int i, int line, const char *text, const char *hint);
void workload_check_shape(const sim_layer *l, sim_op op, int64_t m, int64_t n, int64_t k, int64_t batch,
                          int64_t repeat);

#endif
