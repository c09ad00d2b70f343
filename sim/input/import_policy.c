/* What a checkpoint's weights are stored in -> a policy file: rules by layer, blocks in ranges. */
#include "input/import_workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES = 400 }; /* of block numbers in one rule: names are matched up to 511 */

/* One layer that does not have the default precision. */
typedef struct item {
    const char *leaf; /* "q_proj" of "layers.3.q_proj", or the whole name */
    int64_t block;    /* -1: none */
    sim_precision p;
    int place; /* among all layers */
} item;

static bool same_number(sim_number a, sim_number b)
{
    return a.format == b.format && a.bits == b.bits;
}

static bool same(const sim_precision *a, const sim_precision *b)
{
    return same_number(a->w, b->w) && same_number(a->a, b->a) && same_number(a->kv, b->kv) &&
           a->group == b->group && a->group_bits == b->group_bits;
}

static bool has_bits(const sim_layer *l)
{
    return l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D || l->op == SIM_OP_EMBEDDING;
}

/* ---- the default ----------------------------------------------------------------------------------- */

/* The format that a config names; bits 0: none. */
static sim_number format_of_config(const sim_json *config)
{
    static const struct {
        const char *name;
        sim_number number;
    } known[] = {{"bfloat16", {SIM_FORMAT_BF, 16}},
                 {"float16", {SIM_FORMAT_FP, 16}},
                 {"float32", {SIM_FORMAT_FP, 32}}};
    const sim_json *dtype = sim_json_get(config, "torch_dtype"), *inner = sim_json_get(config, "text_config");

    if (!dtype)
        dtype = sim_json_get(config, "dtype");
    for (size_t i = 0; dtype && dtype->type == SIM_JSON_TEXT && i < sizeof known / sizeof *known; i++)
        if (strcmp(dtype->text, known[i].name) == 0)
            return known[i].number;
    return inner && inner->type == SIM_JSON_OBJECT ? format_of_config(inner) : (sim_number){SIM_FORMAT_FP, 0};
}

/* The format of most elements that are not quantized, else what the config says, else floats of 16 bits. */
static sim_number default_of(const sim_json *config, const sim_import_sizes *sizes)
{
    int64_t bf = 0, fp = 0, full = 0;
    sim_number said = format_of_config(config);

    for (int64_t i = 0; i < sizes->layer_count; i++) {
        const sim_import_layer *r = &sizes->layers[i];

        if (r->number.bits == 16 && r->number.format == SIM_FORMAT_BF)
            bf += r->elements;
        else if (r->number.bits == 16 && r->number.format == SIM_FORMAT_FP)
            fp += r->elements;
        else if (r->number.bits == 32 && !sim_import_is_quantized(sizes))
            full += r->elements; /* beside quantized weights these are small tables */
    }
    if (bf + fp + full > 0)
        return bf > fp && bf > full ? (sim_number){SIM_FORMAT_BF, 16}
               : full > fp          ? (sim_number){SIM_FORMAT_FP, 32}
                                    : (sim_number){SIM_FORMAT_FP, 16};
    return said.bits > 0 ? said : (sim_number){SIM_FORMAT_FP, 16};
}

static const char *default_name(sim_number n)
{
    if (n.format == SIM_FORMAT_BF)
        return "bf16";
    return n.bits == 32 ? "fp32" : "fp16";
}

/* ---- layers ---------------------------------------------------------------------------------------- */

/* What a layer has: weights from the headers, the rest from the config's own words. */
static sim_precision precision_of(const sim_layer *l, const sim_import_layer *record,
                                  const sim_precision *base)
{
    sim_precision p = *base;

    if (l->from_checkpoint) {
        if (l->own.w.bits > 0)
            p.w = l->own.w, p.group = l->own.group, p.group_bits = l->own.group_bits;
        if (l->own.a.bits > 0)
            p.a = l->own.a;
        if (l->own.kv.bits > 0)
            p.kv = l->own.kv;
    }
    if (record && record->number.bits > 0) {
        p.w = record->number;
        p.group = record->group;
        p.group_bits = record->group_bits;
    }
    /* Only what is quantized differs: a table in full precision is too small to matter. */
    if (p.w.bits >= 16 && !same_number(p.w, base->w) && base->w.bits == 16)
        p.w = base->w;
    if (l->weights != SIM_WEIGHTS_KV && l->kv_outputs == 0 && l->cache_rows == 0)
        p.kv = base->kv;
    if (l->op != SIM_OP_EMBEDDING && l->weights != SIM_WEIGHTS_STATIC)
        p.w = base->w, p.group = p.group_bits = 0;
    return p;
}

/* "layers.12.q_proj" -> 12 and "q_proj". */
static void split(const char *name, item *out)
{
    const char *p = name + strlen("layers.");
    int64_t block = 0;

    out->leaf = name;
    out->block = -1;
    if (strncmp(name, "layers.", strlen("layers.")) != 0)
        return;
    for (; *p >= '0' && *p <= '9'; p++)
        block = 10 * block + (*p - '0');
    if (*p == '.') {
        out->leaf = p + 1;
        out->block = block;
    }
}

/* Rules come in the order in which their first layers run; blocks rise within one. */
static int by_place(const void *a, const void *b)
{
    const item *x = a, *y = b;

    return (x->place > y->place) - (x->place < y->place);
}

/* ---- rules ----------------------------------------------------------------------------------------- */

static void put_number(sim_json_writer *w, const char *bits_key, const char *format_key, sim_number n)
{
    sim_json_put_int(w, bits_key, n.bits);
    if (n.format != SIM_FORMAT_INT)
        sim_json_put_text(w, format_key, sim_format_names[n.format]);
}

static void put_rule(sim_json_writer *w, const char *name, const sim_precision *p, const sim_precision *base)
{
    sim_json_begin(w, NULL, '{', true);
    sim_json_put_text(w, "layer", name);
    if (!same_number(p->w, base->w))
        put_number(w, "w_bits", "w_format", p->w);
    if (!same_number(p->a, base->a))
        put_number(w, "a_bits", "a_format", p->a);
    if (!same_number(p->kv, base->kv))
        put_number(w, "kv_bits", "kv_format", p->kv);
    if (p->group > 0)
        sim_json_put_int(w, "group", p->group);
    if (p->group > 0 && p->group_bits != 16 + p->w.bits)
        sim_json_put_int(w, "group_bits", p->group_bits);
    sim_json_end(w, '}');
}

/* One rule for all items from `first` on that are alike, or for as many as a name holds; they are marked by a
 * leaf of NULL. */
static void put_alike(sim_json_writer *w, item *items, int64_t count, int64_t first,
                      const sim_precision *base)
{
    const item head = items[first];
    char list[LIST_BYTES + 64] = "", name[LIST_BYTES + 256];
    size_t length = 0;
    int64_t begin = head.block, end = head.block;

    for (int64_t i = first; head.block >= 0 && i <= count; i++) {
        const bool alike = i < count && items[i].leaf && strcmp(items[i].leaf, head.leaf) == 0 &&
                           same(&items[i].p, &head.p) && items[i].block >= 0;

        if (i < count && !alike)
            continue;
        if (i < count && items[i].block <= end + 1) {
            end = items[i].block;
            items[i].leaf = NULL;
            continue;
        }
        length += (size_t)snprintf(list + length, sizeof list - length,
                                   end > begin ? "%s%" PRId64 "-%" PRId64 : "%s%" PRId64, length ? "," : "",
                                   begin, end);
        if (i == count || length > LIST_BYTES)
            break;
        begin = end = items[i].block;
        items[i].leaf = NULL;
    }
    items[first].leaf = NULL;
    if (head.block >= 0)
        snprintf(name, sizeof name, "layers.%s.%s", list, head.leaf);
    else
        snprintf(name, sizeof name, "%s", head.leaf);
    put_rule(w, name, &head.p, base);
}

sim_status sim_import_policy(const sim_import *import, const sim_workload *workload,
                             const sim_import_sizes *sizes, sim_arena *arena, sim_text *out, sim_err *err)
{
    const sim_number plain = default_of(import->root, sizes);
    const sim_precision base = {.w = plain, .a = plain, .kv = plain};
    item *items = sim_arena_alloc(arena, (size_t)workload->layer_count, sizeof *items);
    sim_json_writer w = {.out = out};
    int64_t count = 0;

    if (!items)
        return sim_fail(err, SIM_NO_MEMORY, import->path, 0, "out of memory");
    for (int64_t i = 0; i < workload->layer_count; i++) {
        const sim_layer *l = &workload->layers[i];
        const sim_import_layer *r = i < sizes->layer_count ? &sizes->layers[sizes->layers[i].leader] : NULL;
        item *next = &items[count];

        if (!has_bits(l))
            continue;
        *next = (item){.p = precision_of(l, r, &base), .place = (int)i};
        split(l->name, next);
        count += !same(&next->p, &base);
    }
    qsort(items, (size_t)count, sizeof *items, by_place);
    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_text(&w, "name", import->name);
    sim_json_put_text(&w, "source", import->path);
    sim_json_put_text(&w, "default", default_name(plain));
    sim_json_begin(&w, "policy", '[', false);
    for (int64_t i = 0; i < count; i++)
        if (items[i].leaf)
            put_alike(&w, items, count, i, &base);
    sim_json_end(&w, ']');
    sim_json_end(&w, '}');
    sim_text_add(out, "\n");
    return SIM_OK;
}
