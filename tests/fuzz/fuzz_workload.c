/* Workloads: what is accepted has counts that fit 63 bits, names, and sizes of at least 1. */
#include "base/text.h"
#include "input/workload.h"

#include <stdlib.h>
#include <string.h>

static void promise(bool kept)
{
    if (!kept)
        abort();
}

static void check_layer(const sim_layer *l)
{
    int64_t work = l->m;

    promise(l->name && l->name[0] && l->op >= 0 && l->op < SIM_OP_COUNT);
    promise(l->m >= 1 && l->n >= 1 && l->k >= 0 && l->batch >= 1 && l->repeat >= 1);
    promise(!__builtin_mul_overflow(work, l->n, &work) && !__builtin_mul_overflow(work, l->batch, &work) &&
            !__builtin_mul_overflow(work, l->repeat, &work));
    if (l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D) {
        promise(l->k >= 1 && !__builtin_mul_overflow(work, l->k, &work));
        promise(l->needed_macs >= 0 && l->needed_macs <= work && l->map_n <= l->n && l->map_k <= l->k);
    } else {
        promise(l->inputs >= 1 && (l->line == 0 || l->inputs <= 8) && l->ops_per_element >= 0);
    }
    promise(l->own.group >= 0 && l->param_elements >= 0);
}

/* As the command line might ask: the first byte decides, so that all phases are reached. */
static sim_workload_request request_of(uint8_t byte)
{
    sim_workload_request request = {0};

    request.batch = byte & 16 ? 3 : 0; /* of a list of layers: images */
    if (byte & 1) {
        request.phase = byte & 2 ? SIM_PHASE_PREFILL : SIM_PHASE_DECODE;
        request.prompt_tokens = byte & 4 ? 7 : 0;
        request.context_tokens = byte & 8 ? 7 : 0;
        request.full_attention = byte & 32;
    }
    return request;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sim_workload_request request = request_of(size > 0 ? data[0] : 0);
    sim_arena arena;
    sim_err err = {0};
    sim_workload workload;
    sim_status status;

    if (size > 0) {
        data++;
        size--;
    }
    sim_arena_init(&arena, NULL);
    /* no such folder: a model that the text names is not found */
    status = sim_workload_read((const char *)data, size, "/nonexistent/fuzz.json", &request, &arena,
                               &workload, &err);
    promise(status == sim_err_status(&err));
    if (status == SIM_OK) {
        promise(workload.name && workload.file && workload.layers && workload.layer_count > 0);
        for (int64_t i = 0; i < workload.layer_count; i++)
            check_layer(&workload.layers[i]);
    }
    sim_arena_free(&arena);
    return 0;
}
