#include "reference/failing.h"

#include <stdlib.h>

static void *failing_alloc(void *user, size_t bytes)
{
    failing *f = user;

    f->calls++;
    if (f->fail_at > 0 && (f->calls == f->fail_at || (f->for_good && f->calls > f->fail_at)))
        return NULL;
    f->live++;
    return malloc(bytes);
}

static void failing_free(void *user, void *block)
{
    failing *f = user;

    if (block)
        f->live--;
    free(block);
}

sim_allocator failing_allocator(failing *state)
{
    return (sim_allocator){failing_alloc, failing_free, state};
}
