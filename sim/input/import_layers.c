#include "input/import_layers.h"

#include "input/number.h"
#include "input/tensor_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = SIM_TENSOR_NAME_MAX + 32,
    GROUP_MAX = 1024 /* scales of more elements are those of rows, or of blocks of rows and columns */
};

/* Layers by name. */
typedef struct entry {
    const char *name;
    int layer;
} entry;

typedef struct measure {
    const sim_checkpoint *checkpoint;
    const sim_workload *workload;
    entry *names;
    sim_import_sizes *out;
} measure;

static int by_name(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : (x->layer > y->layer) - (x->layer < y->layer);
}

/* The first layer of that name; -1. */
static int find(const measure *m, const char *name)
{
    int64_t low = 0, high = m->workload->layer_count;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (strcmp(m->names[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->workload->layer_count && strcmp(m->names[low].name, name) == 0 ? m->names[low].layer : -1;
}

static int find_of(const measure *m, const sim_tensor_name *name, int index)
{
    char whole[NAME_BYTES];

    if (name->block < 0)
        return find(m, name->layers[index]);
    snprintf(whole, sizeof whole, "layers.%" PRId64 ".%s", name->block, name->layers[index]);
    return find(m, whole);
}

/* ---- layers ---------------------------------------------------------------------------------------- */

static bool has_matrix(const sim_layer *l)
{
    if (l->op == SIM_OP_EMBEDDING)
        return true;
    return (l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D) && l->weights == SIM_WEIGHTS_STATIC;
}

/* The expansion has checked that this fits 63 bits. */
static int64_t elements_of(const sim_layer *l)
{
    int64_t matrices = l->op == SIM_OP_EMBEDDING ? 1 : l->stored_batch > 0 ? l->stored_batch : l->batch;

    return has_matrix(l) && !l->later_pass ? matrices * l->n * l->k : 0;
}

/* Two layers get one record. */
static void join(measure *m, int leader, int other)
{
    sim_import_layer *a, *b;

    leader = m->out->layers[leader].leader;
    other = m->out->layers[other].leader;
    if (leader == other)
        return;
    a = &m->out->layers[leader];
    b = &m->out->layers[other];
    a->elements += b->elements;
    a->found += b->found;
    a->weight_bytes += b->weight_bytes;
    a->scale_bytes += b->scale_bytes;
    a->zero_bytes += b->zero_bytes;
    a->scales += b->scales;
    a->dtype = a->dtype ? a->dtype : b->dtype;
    a->scale_dtype = a->scale_dtype ? a->scale_dtype : b->scale_dtype;
    *b = (sim_import_layer){.leader = leader};
    for (int64_t i = 0; i < m->out->layer_count; i++) /* those that had joined the other */
        if (m->out->layers[i].leader == other)
            m->out->layers[i].leader = leader;
}

/* The record that a tensor belongs to; NULL: none. */
static sim_import_layer *record_of(measure *m, const sim_tensor_name *name)
{
    int first = -1;

    for (int i = 0; i < name->layer_count; i++) {
        int layer = find_of(m, name, i);

        if (layer < 0)
            continue;
        if (first < 0)
            first = layer;
        else if (name->together)
            join(m, first, layer);
        if (!name->together)
            break;
    }
    return first < 0 ? NULL : &m->out->layers[m->out->layers[first].leader];
}

/* ---- tensors --------------------------------------------------------------------------------------- */

static void add_stranger(measure *m, const sim_tensor *t)
{
    if (m->out->strangers++ == 0)
        m->out->stranger_name = t->name;
    m->out->stranger_bytes += t->bytes;
}

static void add_tensor(measure *m, const sim_tensor *t)
{
    sim_tensor_name name;
    sim_import_layer *record;

    sim_tensor_name_read(t->name, &name);
    record = record_of(m, &name);
    switch (name.part) {
    case SIM_TENSOR_WEIGHT:
        if (record && record->elements > 0 && t->rank > 1) {
            record->found += t->elements;
            record->weight_bytes += t->bytes;
            record->dtype = t->dtype;
        } else {
            m->out->parameters += t->elements;
            if (!record && t->rank > 1)
                add_stranger(m, t);
        }
        break;
    case SIM_TENSOR_BIAS:
        m->out->parameters += t->elements;
        break;
    case SIM_TENSOR_SCALE:
        if (record) {
            record->scales += t->elements;
            record->scale_bytes += t->bytes;
            record->scale_dtype = t->dtype;
        }
        break;
    case SIM_TENSOR_ZERO:
        if (record)
            record->zero_bytes += t->bytes;
        break;
    default:
        break;
    }
}

/* ---- numbers --------------------------------------------------------------------------------------- */

static sim_format format_of(const char *name)
{
    int i = 0;

    while (i < SIM_FORMAT_COUNT && strcmp(sim_format_names[i], name) != 0)
        i++;
    return (sim_format)i;
}

/* Bits of packed elements; 0: the bytes are those of no whole number of bits. */
static int packed_bits(const sim_import_layer *r)
{
    int64_t bits = r->elements > 0 && r->weight_bytes < INT64_MAX / 8 ? r->weight_bytes * 8 / r->elements : 0;

    return bits >= 1 && bits <= 8 && r->weight_bytes * 8 == bits * r->elements ? (int)bits : 0;
}

/* What 4 bits are, by what scales them: NVFP4 by FP8, MXFP4 by exponents of 8 bits, integers by the rest. */
static sim_format packed_format(const sim_import_layer *r, int bits)
{
    const char *scale = r->scale_dtype ? r->scale_dtype->name : "";

    if (bits != 4)
        return SIM_FORMAT_INT;
    if (strncmp(scale, "F8_E4M3", 7) == 0)
        return SIM_FORMAT_NVFP;
    return strcmp(scale, "F8_E8M0") == 0 || strcmp(scale, "U8") == 0 ? SIM_FORMAT_MXFP : SIM_FORMAT_INT;
}

/* Groups along k from the number of scales. Scales of whole rows and of blocks over rows and columns are too
 * few to count. */
static void set_group(sim_import_layer *r)
{
    int64_t k = r->layer->op == SIM_OP_EMBEDDING ? r->layer->n : r->layer->k;
    int64_t group = r->scales > 0 ? r->elements / r->scales : 0;

    if (group < 2 || group >= k || group > GROUP_MAX || r->elements % r->scales != 0)
        return;
    r->group = (int)group;
    r->group_bits = (int)((r->scale_bytes + r->zero_bytes) * 8 / r->scales);
}

/* False: the tensors are not of the layer's size. */
static bool settle(sim_import_layer *r)
{
    int bits = packed_bits(r);

    if (r->found == r->elements && r->dtype->format) {
        r->number = (sim_number){format_of(r->dtype->format), r->dtype->bits};
        r->group = r->dtype->group;
        r->group_bits = r->dtype->group_bits;
        if (r->dtype->group == 0)
            set_group(r);
        return true;
    }
    /* A container of several elements: the same number of them in fewer bytes. */
    if (r->found == r->elements || bits == 0 || r->dtype->block_elements > 1)
        return false;
    r->number = (sim_number){packed_format(r, bits), bits};
    set_group(r);
    return true;
}

/* GGUF files of Phi-3 and GLM-4 keep gate and up together, under the name of up. */
static void join_gates(measure *m)
{
    sim_import_layer *all = m->out->layers;

    for (int i = 0; i < (int)m->out->layer_count; i++) {
        char gate[NAME_BYTES];
        const char *name = m->workload->layers[i].name, *up = strstr(name, "up_proj");
        int other;

        if (!up || strcmp(up, "up_proj") != 0 || all[i].leader != i || all[i].found != 2 * all[i].elements)
            continue;
        snprintf(gate, sizeof gate, "%.*sgate_proj", (int)(up - name), name);
        other = find(m, gate);
        if (other >= 0 && all[other].found == 0 && all[other].elements == all[i].elements)
            join(m, i, other);
    }
}

static void finish(measure *m)
{
    sim_import_sizes *out = m->out;

    join_gates(m);
    for (int64_t i = 0; i < out->layer_count; i++) {
        sim_import_layer *r = &out->layers[i];

        if (!r->layer || r->elements == 0 || (r->found == 0 && r->layer->tied))
            continue;
        if (r->found == 0) {
            if (out->missing++ == 0)
                out->missing_name = r->layer->name;
            continue;
        }
        if (!settle(r) && out->misfits++ == 0)
            out->misfit_name = r->layer->name;
        if (!r->layer->tied) /* a tied head that is stored all the same is no parameter more */
            out->parameters += r->number.bits > 0 ? r->elements : r->found;
    }
}

/* ---- the whole ------------------------------------------------------------------------------------- */

sim_status sim_import_measure(const sim_checkpoint *checkpoint, const sim_workload *workload,
                              sim_arena *arena, sim_import_sizes *out, sim_err *err)
{
    size_t count = (size_t)workload->layer_count;
    measure m = {.checkpoint = checkpoint, .workload = workload, .out = out};

    *out = (sim_import_sizes){.layer_count = workload->layer_count};
    m.names = sim_arena_alloc(arena, count, sizeof *m.names);
    out->layers = sim_arena_alloc(arena, count, sizeof *out->layers);
    if (!m.names || !out->layers)
        return sim_fail(err, SIM_NO_MEMORY, checkpoint->name, 0, "out of memory");
    for (int i = 0; i < (int)count; i++) {
        const sim_layer *l = &workload->layers[i];

        m.names[i] = (entry){l->name, i};
        out->layers[i] = (sim_import_layer){.layer = l, .elements = elements_of(l), .leader = i};
    }
    if (count > 0)
        qsort(m.names, count, sizeof *m.names, by_name);
    for (int64_t i = 0; i < checkpoint->tensor_count; i++)
        add_tensor(&m, &checkpoint->tensors[i]);
    finish(&m);
    return SIM_OK;
}

bool sim_import_is_quantized(const sim_import_sizes *sizes)
{
    for (int64_t i = 0; i < sizes->layer_count; i++)
        if (sizes->layers[i].number.bits > 0 && sizes->layers[i].number.bits < 16)
            return true;
    return false;
}

void sim_import_apply(const sim_import_sizes *sizes, sim_layer *layers, const char **method)
{
    const sim_number half = {SIM_FORMAT_FP, 16};
    int64_t most = 0;

    if (!sim_import_is_quantized(sizes))
        return;
    for (int64_t i = 0; i < sizes->layer_count; i++) {
        const sim_import_layer *r = &sizes->layers[sizes->layers[i].leader];
        sim_layer *l = &layers[i];

        if (l->keep_float)
            continue; /* has a rule of its own */
        l->from_checkpoint = true;
        l->own = (sim_precision){.w = half, .a = half, .kv = half};
        if (r->number.bits == 0 || !has_matrix(l))
            continue;
        l->own.w = r->number;
        l->own.group = r->group;
        l->own.group_bits = r->group_bits;
        if (r->elements > most) {
            most = r->elements;
            *method = r->dtype->name;
        }
    }
}
