/* One layer of an explicit list: which keys an operation has, what they may be, and what they mean. */
#include "input/layers.h"

#include "base/hash.h"
#include "base/text.h"
#include "input/images.h"
#include "input/number.h"
#include "input/vector_ops.h"

#include <stdio.h>
#include <string.h>

enum { DEVICES_MAX = 65536 };
enum { INPUTS_MAX = 8, NAME_MAX_BYTES = 200, WHERE_BYTES = NAME_MAX_BYTES + 32 };

#define OPS_PER_ELEMENT_MAX 1e6

/* Operations per element, as vector_ops.h counts. Quantizing scales and rounds; a reduction adds. */
enum { OPS_QUANTIZE = 2, OPS_ALLREDUCE = 1 };

static const char *const matmul_keys[] = {"name",     "op",       "m",       "n",      "k",
                                          "batch",    "repeat",   "weights", "w_bits", "a_bits",
                                          "w_format", "a_format", "group",   NULL};
static const char *const conv2d_keys[] = {"name",     "op",       "images",   "h_in",     "w_in",
                                          "c_in",     "c_out",    "kernel_h", "kernel_w", "stride",
                                          "padding",  "groups",   "repeat",   "w_bits",   "a_bits",
                                          "w_format", "a_format", "group",    NULL};
static const char *const vector_keys[] = {
    "name", "op", "m", "n", "batch", "repeat", "a_bits", "a_format", "ops_per_element", NULL};
static const char *const elementwise_keys[] = {
    "name", "op", "m", "n", "batch", "repeat", "a_bits", "a_format", "inputs", "ops_per_element", NULL};
static const char *const embedding_keys[] = {"name",     "op",     "m",      "n",      "k",
                                             "batch",    "repeat", "w_bits", "a_bits", "w_format",
                                             "a_format", "group",  NULL};

static const char *const exchange_keys[] = {
    "name", "op", "m", "n", "batch", "repeat", "devices", "a_bits", "a_format", "ops_per_element", NULL};

static const char *const *keys_of(sim_op op)
{
    switch (op) {
    case SIM_OP_MATMUL:
        return matmul_keys;
    case SIM_OP_CONV2D:
        return conv2d_keys;
    case SIM_OP_ELEMENTWISE:
        return elementwise_keys;
    case SIM_OP_EMBEDDING:
        return embedding_keys;
    case SIM_OP_ALLREDUCE:
    case SIM_OP_ALLTOALL:
    case SIM_OP_SEND:
    case SIM_OP_ALLGATHER:
        return exchange_keys;
    default:
        return vector_keys;
    }
}

static bool multiply(int64_t *value, int64_t by)
{
    return !__builtin_mul_overflow(*value, by, value);
}

/* ---- the operations ------------------------------------------------------------------------------- */

typedef struct layer_reader {
    sim_json_reader *r;
    const sim_json *json;
    const char *where; /* "layer 'fc1'" */
} layer_reader;

static bool count(const layer_reader *in, const char *key, bool required, int64_t *out)
{
    return sim_json_read_int(in->r, in->json, key, required ? in->where : NULL, 1, INT64_MAX, out);
}

/* Where `key` stands, else the layer. */
static int line_of(const layer_reader *in, const char *key)
{
    const sim_json *value = sim_json_get(in->json, key);

    return value ? value->line : in->json->line;
}

/* h_out or w_out; 0 when the kernel does not fit (reported) or a size is missing. */
static int64_t positions(const layer_reader *in, const char *size_key, int64_t size, const char *kernel_key,
                         int64_t kernel, const sim_conv2d *c)
{
    int64_t padded;

    if (size == 0 || kernel == 0)
        return 0;
    if (__builtin_mul_overflow(c->padding, INT64_C(2), &padded) ||
        __builtin_add_overflow(padded, size, &padded)) {
        sim_json_error(in->r, SIM_OVERFLOW, line_of(in, "padding"),
                       "the padded '%s' of %s does not fit 63 bits", size_key, in->where);
        return 0;
    }
    if (kernel > padded) {
        sim_json_error(in->r, SIM_BAD_INPUT, line_of(in, kernel_key),
                       "'%s' of %s is larger than its padded input: %lld against %lld", kernel_key, in->where,
                       (long long)kernel, (long long)padded);
        sim_hint(in->r->err, "supported: '%s' up to %s + 2 * padding = %lld", kernel_key, size_key,
                 (long long)padded);
        return 0;
    }
    return (padded - kernel) / c->stride + 1;
}

static bool divides(const layer_reader *in, const char *key, int64_t groups, int64_t channels)
{
    if (channels == 0 || channels % groups == 0)
        return true;
    sim_json_error(in->r, SIM_BAD_INPUT, line_of(in, "groups"),
                   "'groups' of %s does not divide '%s': %lld and %lld", in->where, key, (long long)groups,
                   (long long)channels);
    sim_hint(in->r->err,
             "supported: any 'groups' that divides both c_in and c_out; groups = c_in is a depthwise "
             "convolution");
    return false;
}

/* Leaves m, n and k at 0 when something is wrong, which has then been reported. */
static void read_conv2d(const layer_reader *in, sim_layer *out)
{
    sim_conv2d *c = &out->conv;
    int64_t h_out, w_out;

    *c = (sim_conv2d){.images = 1, .stride = 1, .groups = 1};
    count(in, "images", false, &c->images);
    count(in, "h_in", true, &c->h_in);
    count(in, "w_in", true, &c->w_in);
    count(in, "c_in", true, &c->c_in);
    count(in, "c_out", true, &c->c_out);
    count(in, "kernel_h", true, &c->kernel_h);
    count(in, "kernel_w", true, &c->kernel_w);
    count(in, "stride", false, &c->stride);
    sim_json_read_int(in->r, in->json, "padding", NULL, 0, INT64_MAX, &c->padding);
    count(in, "groups", false, &c->groups);
    h_out = positions(in, "h_in", c->h_in, "kernel_h", c->kernel_h, c);
    w_out = positions(in, "w_in", c->w_in, "kernel_w", c->kernel_w, c);
    if (!divides(in, "c_in", c->groups, c->c_in))
        return;
    if (!divides(in, "c_out", c->groups, c->c_out))
        return;
    if (h_out == 0 || w_out == 0 || c->c_in == 0 || c->c_out == 0)
        return;
    out->m = c->images;
    out->n = c->c_out / c->groups;
    out->k = c->kernel_h;
    out->batch = c->groups;
    if (!multiply(&out->m, h_out) || !multiply(&out->m, w_out) || !multiply(&out->k, c->kernel_w) ||
        !multiply(&out->k, c->c_in / c->groups)) {
        sim_json_error(in->r, SIM_OVERFLOW, in->json->line, "the work of %s does not fit 63 bits", in->where);
        out->m = 0;
    }
}

static void read_product(const layer_reader *in, sim_layer *out)
{
    static const char *const weights[] = {"static", "dynamic", NULL};
    int chosen = SIM_WEIGHTS_STATIC;
    int64_t group = 0;

    if (out->op == SIM_OP_MATMUL) {
        count(in, "m", true, &out->m);
        count(in, "n", true, &out->n);
        count(in, "k", true, &out->k);
        count(in, "batch", false, &out->batch);
        sim_json_read_word(in->r, in->json, "weights", NULL, weights, &chosen);
        out->weights = (sim_weights)chosen;
    } else {
        read_conv2d(in, out);
    }
    sim_json_read_number(in->r, in->json, "w_bits", "w_format", &out->own.w);
    sim_json_read_int(in->r, in->json, "group", NULL, 1, SIM_GROUP_MAX, &group);
    out->own.group = (int)group;
}

static void read_vector(const layer_reader *in, sim_layer *out)
{
    int64_t inputs = 1, group = 0;

    count(in, "m", true, &out->m);
    count(in, "n", true, &out->n);
    count(in, "batch", false, &out->batch);
    switch (out->op) {
    case SIM_OP_SOFTMAX:
        out->ops_per_element = SIM_OPS_SOFTMAX;
        break;
    case SIM_OP_NORM: /* RMSNorm, with a weight per element */
        out->ops_per_element = SIM_OPS_RMS_NORM;
        out->param_elements = out->n;
        break;
    case SIM_OP_ELEMENTWISE: /* operands are combined pairwise; a single one is mapped */
        sim_json_read_int(in->r, in->json, "inputs", NULL, 1, INPUTS_MAX, &inputs);
        out->ops_per_element = inputs > 1 ? (double)(inputs - 1) * SIM_OPS_ADD : SIM_OPS_ADD;
        break;
    case SIM_OP_QUANTIZE:
        out->ops_per_element = OPS_QUANTIZE;
        break;
    case SIM_OP_ALLREDUCE: /* without devices: what one device does of it, the additions */
        sim_json_read_int(in->r, in->json, "devices", NULL, 1, DEVICES_MAX, &out->devices);
        out->ops_per_element = OPS_ALLREDUCE;
        break;
    case SIM_OP_ALLTOALL:
    case SIM_OP_ALLGATHER:
        sim_json_read_int(in->r, in->json, "devices", in->where, 2, DEVICES_MAX, &out->devices);
        break;
    case SIM_OP_SEND: /* each of so many to another one */
        sim_json_read_int(in->r, in->json, "devices", NULL, 1, DEVICES_MAX, &out->devices);
        break;
    default: /* embedding: rows are only copied */
        count(in, "k", true, &out->k);
        sim_json_read_number(in->r, in->json, "w_bits", "w_format", &out->own.w);
        sim_json_read_int(in->r, in->json, "group", NULL, 1, SIM_GROUP_MAX, &group);
        out->own.group = (int)group;
        out->keep_float = out->own.w.bits == 0;
        break;
    }
    out->inputs = (int)inputs;
    if (out->op != SIM_OP_EMBEDDING)
        sim_json_read_real(in->r, in->json, "ops_per_element", 0, OPS_PER_ELEMENT_MAX, &out->ops_per_element);
}

bool sim_layer_fits(const sim_layer *layer)
{
    int64_t work = layer->m, table = layer->n;

    if (!multiply(&work, layer->n) || !multiply(&work, layer->batch) || !multiply(&work, layer->repeat))
        return false;
    if (layer->op == SIM_OP_EMBEDDING)
        return multiply(&table, layer->k);
    return layer->k == 0 || multiply(&work, layer->k);
}

static void read_layer(sim_json_reader *r, const sim_json *json, sim_layer *out)
{
    char where[WHERE_BYTES] = "a layer";
    layer_reader in = {.r = r, .json = json, .where = where};
    const char *name = "";
    sim_status before = r->status; /* here only slips of this layer count */
    int op;

    *out = (sim_layer){.name = name, .line = json->line, .repeat = 1, .batch = 1};
    if (json->type != SIM_JSON_OBJECT) {
        sim_json_error(r, SIM_BAD_INPUT, json->line, "a layer must be an object, not %s",
                       sim_json_type_name(json->type));
        return;
    }
    r->status = SIM_OK;
    if (sim_json_read_text(r, json, "name", "a layer", &name)) {
        if (strlen(name) > NAME_MAX_BYTES) {
            sim_json_error(r, SIM_BAD_INPUT, sim_json_get(json, "name")->line,
                           "the name of a layer has at most %d bytes, not %zu", NAME_MAX_BYTES, strlen(name));
        } else {
            snprintf(where, sizeof where, "layer '%s'", name);
            out->name = name;
        }
    }
    if (sim_json_read_word(r, json, "op", where, sim_op_names, &op)) {
        char keys_of_what[WHERE_BYTES + 24];

        out->op = (sim_op)op;
        snprintf(keys_of_what, sizeof keys_of_what, "%s (%s)", where, sim_op_names[op]);
        sim_json_check_keys(r, json, keys_of_what, keys_of(out->op));
        if (op == SIM_OP_MATMUL || op == SIM_OP_CONV2D)
            read_product(&in, out);
        else
            read_vector(&in, out);
        count(&in, "repeat", false, &out->repeat);
        sim_json_read_number(r, json, "a_bits", "a_format", &out->own.a);
        if (r->status == SIM_OK && !sim_layer_fits(out))
            sim_json_error(r, SIM_OVERFLOW, json->line, "the work of %s does not fit 63 bits", where);
    }
    if (before != SIM_OK)
        r->status = before;
}

/* ---- the list ------------------------------------------------------------------------------------- */

/* Reports layers with the same name: policies and loss tables tell layers apart by it. */
static bool check_names(sim_json_reader *r, const sim_layer *layers, int64_t layer_count, sim_arena *arena)
{
    uint64_t slots = 16, slot;
    int64_t *table; /* open addressing, at most half full; layers counted from 1, 0: free */

    while (slots < 2 * (uint64_t)layer_count)
        slots *= 2;
    table = sim_arena_alloc(arena, slots, sizeof *table);
    if (!table)
        return false;
    for (int64_t i = 0; i < layer_count; i++) {
        const sim_layer *layer = &layers[i];

        if (layer->name[0] == '\0')
            continue;
        slot = sim_hash(SIM_HASH_START, layer->name, strlen(layer->name)) & (slots - 1);
        while (table[slot] && strcmp(layers[table[slot] - 1].name, layer->name) != 0)
            slot = (slot + 1) & (slots - 1);
        if (table[slot])
            sim_json_error(r, SIM_BAD_INPUT, layer->line, "a second layer '%s'; the first is on line %d",
                           layer->name, layers[table[slot] - 1].line);
        else
            table[slot] = i + 1;
    }
    return true;
}

void sim_layers_read(sim_json_reader *r, const sim_json *list, int64_t images, sim_arena *arena,
                     sim_workload *out)
{
    sim_layer *layers;
    int64_t i = 0;

    if (list->type != SIM_JSON_ARRAY) {
        sim_json_error(r, SIM_BAD_INPUT, list->line, "'layers' must be an array, not %s",
                       sim_json_type_name(list->type));
        return;
    }
    if (list->count == 0) {
        sim_json_error(r, SIM_BAD_INPUT, list->line, "'layers' is empty");
        return;
    }
    layers = sim_arena_alloc(arena, (size_t)list->count, sizeof *layers);
    if (!layers) {
        sim_json_error(r, SIM_NO_MEMORY, 0, "out of memory");
        return;
    }
    for (const sim_json *layer = list->child; layer; layer = layer->next)
        read_layer(r, layer, &layers[i++]);
    if (!check_names(r, layers, list->count, arena))
        sim_json_error(r, SIM_NO_MEMORY, 0, "out of memory");
    if (images > 0 && r->status == SIM_OK)
        sim_layers_set_images(r, layers, list->count, images);
    out->layers = layers;
    out->layer_count = list->count;
    for (i = 0; i < list->count; i++) {
        int64_t devices = layers[i].op == SIM_OP_SEND ? 2 : layers[i].devices;

        out->devices = devices > out->devices ? devices : out->devices;
    }
    out->batch = sim_layers_images(layers, list->count);
}
