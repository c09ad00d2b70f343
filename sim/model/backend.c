#include "model/backend.h"

#include <string.h>

extern const sim_backend sim_backend_systolic, sim_backend_bitfusion, sim_backend_bitserial, sim_backend_gpu;

const sim_backend *const sim_backends[] = {&sim_backend_systolic, &sim_backend_bitfusion,
                                           &sim_backend_bitserial, &sim_backend_gpu, NULL};

const sim_backend *sim_backend_find(const char *name)
{
    for (int i = 0; sim_backends[i]; i++)
        if (strcmp(sim_backends[i]->name, name) == 0)
            return sim_backends[i];
    return NULL;
}

int64_t sim_fold_of(const sim_fold *fold, int64_t t)
{
    int64_t folds;

    if (fold->kind == SIM_FOLD_FLAT)
        return t;
    folds = sim_ceil_div(t * fold->per_num, fold->per_den);
    return fold->kind != SIM_FOLD_SIDE && folds < fold->least ? fold->least : folds;
}

int64_t sim_fold_sum(const sim_fold *fold, int64_t x, int64_t t)
{
    int64_t count;

    if (fold->kind == SIM_FOLD_FLAT)
        return x;
    if (fold->kind == SIM_FOLD_WHOLE || t >= x)
        return sim_fold_of(fold, x);
    count = sim_ceil_div(x, t);
    return (count - 1) * sim_fold_of(fold, t) + sim_fold_of(fold, x - (count - 1) * t);
}
