/* A checkpoint without a config -> its matrices, each a product of so many tokens with it. What has no
 * weights (attention, norms) is not in it, and neither are convolutions, whose inputs a checkpoint does not
 * know. */
#include "input/import.h"

#include "input/json_tree.h"
#include "input/tensor_names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Where a matrix stands in a model. */
typedef enum place { PLACE_FIRST, PLACE_BLOCK, PLACE_LAST } place;

typedef struct matrix {
    const sim_tensor *tensor;
    const char *name; /* of the layer */
    place at;
    int64_t block;
    int64_t batch, n, k; /* as a layer has them */
    int64_t repeat;
} matrix;

static int by_place(const void *a, const void *b)
{
    const matrix *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->block != y->block)
        return x->block < y->block ? -1 : 1;
    if (x->tensor->file != y->tensor->file)
        return x->tensor->file < y->tensor->file ? -1 : 1;
    return (x->tensor->offset > y->tensor->offset) - (x->tensor->offset < y->tensor->offset);
}

static bool is_embedding(const matrix *m)
{
    return m->at == PLACE_FIRST;
}

/* "layers.3.q_proj", or the tensor's own name where that is more than one layer. NULL: memory is out. */
static const char *name_of(const sim_tensor *t, const sim_tensor_name *read, sim_arena *arena)
{
    size_t length = strlen(t->name), tail = strlen(".weight");

    if (read->layer_count == 0 || read->together) {
        if (length > tail && strcmp(t->name + length - tail, ".weight") == 0)
            length -= tail;
        return sim_arena_text(arena, t->name, length);
    }
    if (read->block < 0)
        return sim_arena_text(arena, read->layers[0], strlen(read->layers[0]));
    return sim_arena_printf(arena, "layers.%" PRId64 ".%s", read->block, read->layers[0]);
}

/* Whether a tensor is a matrix, or a stack of them. Its name is NULL when memory is out. */
static bool as_matrix(const sim_tensor *t, sim_arena *arena, matrix *out)
{
    sim_tensor_name read;

    sim_tensor_name_read(t->name, &read);
    if (t->rank < 2 || t->rank > 3 || t->elements == 0 || !t->dtype->format || read.part != SIM_TENSOR_WEIGHT)
        return false;
    *out = (matrix){.tensor = t,
                    .block = read.block,
                    .batch = t->rank == 3 ? t->shape[0] : 1,
                    .n = t->shape[t->rank - 2],
                    .k = t->shape[t->rank - 1],
                    .repeat = 1};
    out->name = name_of(t, &read, arena);
    out->at = read.block >= 0                                                ? PLACE_BLOCK
              : read.layer_count && strncmp(read.layers[0], "embed", 5) == 0 ? PLACE_FIRST
                                                                             : PLACE_LAST;
    return true;
}

/* The experts of a layer have one name: they become one matrix, repeated. One name for two shapes is the
 * tensors' own again. */
static int64_t merge(matrix *all, int64_t count)
{
    int64_t kept = 0;

    for (int64_t i = 0; i < count; i++) {
        matrix *m = &all[i];
        int64_t j = kept;

        /* Same block, hence near. */
        while (j > 0 && all[j - 1].at == m->at && all[j - 1].block == m->block &&
               strcmp(all[j - 1].name, m->name) != 0)
            j--;
        if (j > 0 && strcmp(all[j - 1].name, m->name) == 0) {
            matrix *first = &all[j - 1];

            if (first->n == m->n && first->k == m->k && first->batch == m->batch) {
                first->repeat++;
                continue;
            }
            m->name = m->tensor->name;
        }
        all[kept++] = *m;
    }
    return kept;
}

static void write_layer(sim_json_maker *make, sim_json_open *layers, const matrix *m, int64_t tokens)
{
    sim_json_open layer = sim_json_make(make, layers, NULL, SIM_JSON_OBJECT);
    const bool embedding = is_embedding(m);

    sim_json_make_text(make, &layer, "name", m->name);
    sim_json_make_text(make, &layer, "op", embedding ? "embedding" : "matmul");
    sim_json_make_int(make, &layer, "m", tokens);
    sim_json_make_int(make, &layer, "n", embedding ? m->k : m->n); /* rows of k elements are looked up */
    sim_json_make_int(make, &layer, "k", embedding ? m->n : m->k);
    if (m->batch > 1)
        sim_json_make_int(make, &layer, "batch", m->batch);
    if (m->repeat > 1)
        sim_json_make_int(make, &layer, "repeat", m->repeat);
}

sim_status sim_import_matrices(int64_t tokens, sim_arena *arena, sim_import *out, sim_err *err)
{
    const sim_checkpoint *c = &out->checkpoint;
    matrix *all = sim_arena_alloc(arena, (size_t)c->tensor_count, sizeof *all);
    sim_json_maker make = {.arena = arena};
    sim_json_open root, layers;
    int64_t count = 0;

    if (!all)
        return sim_fail(err, SIM_NO_MEMORY, out->file, 0, "out of memory");
    for (int64_t i = 0; i < c->tensor_count; i++)
        if (as_matrix(&c->tensors[i], arena, &all[count]) && !all[count++].name)
            return sim_fail(err, SIM_NO_MEMORY, out->file, 0, "out of memory");
    if (count == 0) {
        sim_fail(err, SIM_BAD_INPUT, out->file, 0, "has no config.json beside it, and no matrices to list");
        sim_hint(err, "put the model's config.json into the same folder");
        return SIM_BAD_INPUT;
    }
    qsort(all, (size_t)count, sizeof *all, by_place);
    count = merge(all, count);
    root = sim_json_make(&make, NULL, NULL, SIM_JSON_OBJECT);
    sim_json_make_text(&make, &root, "name", out->name);
    layers = sim_json_make(&make, &root, "layers", SIM_JSON_ARRAY);
    for (int64_t i = 0; i < count; i++)
        write_layer(&make, &layers, &all[i], tokens);
    if (make.failed)
        return sim_fail(err, SIM_NO_MEMORY, out->file, 0, "out of memory");
    out->root = root.value;
    out->is_list = true;
    out->assumed = "there is no config.json: each matrix is a product, and what has no weights is left out";
    return SIM_OK;
}
