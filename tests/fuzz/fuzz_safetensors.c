/* Arbitrary bytes as a safetensors file: whatever is taken keeps its promises, and every name can be read. */
#include "format/safetensors.h"
#include "input/tensor_names.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that was broken is a crash, which the fuzzer keeps. */
static void promise(bool kept)
{
    if (!kept)
        abort();
}

static void check_name(const char *name)
{
    sim_tensor_name read;

    sim_tensor_name_read(name, &read);
    promise(read.block >= -1 && read.layer_count >= 0 && read.layer_count <= SIM_TENSOR_LAYERS_MAX);
    for (int i = 0; i < read.layer_count; i++)
        promise(strlen(read.layers[i]) < SIM_TENSOR_NAME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sim_arena arena;
    sim_err err = {0};
    sim_safetensors s;
    int64_t sum = 0;

    sim_arena_init(&arena, NULL);
    if (sim_safetensors_parse(data, (int64_t)size, "fuzz.safetensors", &arena, &s, &err) == SIM_OK) {
        promise(err.count == 0 && s.data_offset >= 8 && s.data_offset <= (int64_t)size);
        for (int64_t i = 0; i < s.tensor_count; i++) {
            const sim_tensor *t = &s.tensors[i];

            promise(t->dtype && t->elements >= 0 && t->bytes >= 0 && t->offset >= s.data_offset);
            promise(t->offset + t->bytes <= (int64_t)size);
            promise(i == 0 || strcmp(s.tensors[i - 1].name, t->name) < 0);
            promise(sim_tensors_find(s.tensors, s.tensor_count, t->name) == t);
            sum += t->bytes;
            check_name(t->name);
        }
        promise(sum == (int64_t)size - s.data_offset); /* no holes, no overlaps */
    } else {
        promise(err.count > 0 && err.items[0].text[0] && s.tensor_count == 0);
    }
    sim_arena_free(&arena);
    return 0;
}
