#include "input/cfg_shelf.h"

#include <string.h>

struct sim_cfg_shelved {
    const char *path;
    sim_cfg cfg;
    struct sim_cfg_shelved *next;
};

sim_status sim_cfg_load_shelved(sim_cfg_shelf *shelf, const char *path, sim_arena *arena, sim_cfg *out,
                                sim_err *err)
{
    struct sim_cfg_shelved *one;
    sim_status status;

    if (!shelf)
        return sim_cfg_load(path, arena, out, err);
    for (one = shelf->first; one; one = one->next)
        if (strcmp(one->path, path) == 0) {
            *out = one->cfg;
            return SIM_OK;
        }
    status = sim_cfg_load(path, shelf->arena, out, err);
    if (status != SIM_OK)
        return status;
    one = sim_arena_alloc(shelf->arena, 1, sizeof *one);
    if (one)
        one->path = sim_arena_text(shelf->arena, path, strlen(path));
    if (!one || !one->path)
        return sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    one->cfg = *out;
    one->next = shelf->first;
    shelf->first = one;
    return SIM_OK;
}
