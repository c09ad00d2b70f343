/* An allocator whose n-th call fails, and which knows what has not been given back. */
#ifndef TESTS_REFERENCE_FAILING_H
#define TESTS_REFERENCE_FAILING_H

#include "base/arena.h"

#include <stdbool.h>

typedef struct failing {
    long calls, live;
    long fail_at;  /* from 1; 0: none fails */
    bool for_good; /* and all after it */
} failing;

sim_allocator failing_allocator(failing *state);

#endif
