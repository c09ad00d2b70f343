/* Arbitrary bytes as a GGUF file: whatever is taken keeps its promises, and what it says of a model is either
 * a workload or an error. */
#include "input/import_workload.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept)
{
    if (!kept)
        abort();
}

static void check_values(const sim_gguf *g)
{
    for (int64_t i = 0; i < g->pair_count; i++) {
        const sim_gguf_pair *pair = &g->pairs[i];
        int64_t n;
        double x;
        bool b;

        promise(sim_gguf_get(g, pair->key) == pair && pair->type != SIM_GGUF_ARRAY && pair->count >= 0);
        promise((pair->text != NULL) == (pair->type == SIM_GGUF_TEXT && !pair->is_array));
        for (int64_t e = 0; e < pair->count && e < 100; e++) {
            bool integer = sim_gguf_int(pair, e, &n), real = sim_gguf_real(pair, e, &x);

            promise(!integer || real);
            promise(!sim_gguf_bool(pair, e, &b) || !integer);
        }
        promise(!sim_gguf_int(pair, pair->count, &n) && !sim_gguf_int(pair, -1, &n));
    }
}

static void check_model(const sim_gguf *g, sim_arena *arena)
{
    static const sim_workload_request request = {.phase = SIM_PHASE_DECODE, .batch = 2, .context_tokens = 10};
    const sim_checkpoint c = {.kind = SIM_CHECKPOINT_GGUF,
                              .name = "fuzz.gguf",
                              .tensors = g->tensors,
                              .tensor_count = g->tensor_count,
                              .gguf = *g};
    const sim_gguf_pair *blocks = sim_gguf_get(g, "llama.block_count");
    const sim_json *root;
    sim_import_sizes sizes;
    sim_workload w;
    sim_err err = {0};
    int64_t n;

    if (sim_import_gguf(&c, arena, &root, &err) != SIM_OK) {
        promise(err.count > 0);
        return;
    }
    if (!sim_gguf_int(blocks, 0, &n) || n > 100) /* larger ones only take time */
        return;
    if (sim_workload_of(root, "fuzz.gguf", &request, arena, &w, &err) == SIM_OK &&
        sim_import_measure(&c, &w, arena, &sizes, &err) == SIM_OK) {
        promise(sizes.missing >= 0 && sizes.strangers <= g->tensor_count);
        sim_import_apply(&sizes, (sim_layer *)w.layers, &w.quantized_by);
    } else {
        promise(err.count > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sim_arena arena;
    sim_err err = {0};
    sim_gguf g;

    sim_arena_init(&arena, NULL);
    if (sim_gguf_parse(data, (int64_t)size, "fuzz.gguf", &arena, &g, &err) == SIM_OK) {
        promise(err.count == 0 && (g.alignment_bytes & (g.alignment_bytes - 1)) == 0);
        for (int64_t i = 0; i < g.tensor_count; i++) {
            const sim_tensor *t = &g.tensors[i];

            promise(t->dtype && t->rank <= 4 && t->elements >= 0 && t->bytes >= 0);
            promise(t->offset >= g.data_offset && t->offset % g.alignment_bytes == 0);
            promise(t->offset + t->bytes <= (int64_t)size || t->bytes == 0);
            promise(i == 0 || strcmp(g.tensors[i - 1].name, t->name) < 0);
        }
        check_values(&g);
        check_model(&g, &arena);
    } else {
        promise(err.count > 0 && err.items[0].text[0] && g.tensor_count == 0);
    }
    promise(arena.used_bytes < 64 * size + (1 << 24)); /* the model's layers apart, what the file justifies */
    sim_arena_free(&arena);
    return 0;
}
