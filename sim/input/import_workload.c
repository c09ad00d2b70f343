/* Imported files straight into memory: `run` on a checkpoint. */
#include "input/import_workload.h"

static sim_status load(const sim_import *import, const sim_workload_request *request, sim_arena *arena,
                       sim_workload *out, sim_err *err)
{
    static const sim_workload_request nothing = {0};
    sim_workload_request asked = request ? *request : nothing;
    sim_import_sizes sizes;
    sim_status status;

    if (import->is_list && import->checkpoint.kind != SIM_CHECKPOINT_NONE)
        asked.batch = 0; /* is in its layers */
    status = sim_workload_of(import->root, import->file, &asked, arena, out, err);
    if (status != SIM_OK)
        return status;
    out->name = import->name;
    if (import->is_list || import->checkpoint.kind != SIM_CHECKPOINT_GGUF)
        return SIM_OK;
    status = sim_import_measure(&import->checkpoint, out, arena, &sizes, err);
    if (status == SIM_OK)
        sim_import_apply(&sizes, (sim_layer *)out->layers, &out->quantized_by);
    return status;
}

sim_status sim_import_load(const char *path, const sim_workload_request *request, sim_arena *arena,
                           sim_workload *out, sim_err *err)
{
    int64_t tokens = request && request->batch > 0 ? request->batch : 1;
    sim_import import;
    sim_status status = sim_import_open(path, false, tokens, arena, &import, err);

    if (status != SIM_OK)
        return status;
    status = load(&import, request, arena, out, err);
    sim_import_close(&import);
    return status;
}
