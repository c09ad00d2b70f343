/* A result built by hand: a product, a product of the KV cache, a convolution and a vector operation, with
 * names that need quoting and values that do not apply. */
#ifndef TEST_RESULT_FIXTURE_H
#define TEST_RESULT_FIXTURE_H

#include "model/backend.h"

enum { FIXTURE_LAYERS = 5 };

typedef struct fixture {
    sim_arch arch;
    sim_workload workload;
    sim_layer instances[8];
    sim_policy policy;
    sim_layer_result layers[FIXTURE_LAYERS];
    sim_result result;
} fixture;

/* `f` refers to itself: it must not be copied. */
void fixture_init(fixture *f);

#endif
