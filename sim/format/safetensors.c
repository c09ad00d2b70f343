#include "format/safetensors.h"

#include "format/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH_BYTES = 8, RANK_MAX = 64 };

typedef struct reader {
    const char *name;
    sim_arena *arena;
    sim_err *err;
    int64_t data_offset, data_bytes;
    sim_status status; /* of the first error */
} reader;

static void wrong(reader *r, sim_status status, const char *tensor, const char *what)
{
    sim_fail(r->err, status, r->name, 0, "tensor '%s' %s", tensor, what);
    if (r->status == SIM_OK)
        r->status = status;
}

static bool is_list(const sim_json *value, sim_json_type of)
{
    if (!value || value->type != SIM_JSON_ARRAY)
        return false;
    for (const sim_json *e = value->child; e; e = e->next)
        if (e->type != of)
            return false;
    return true;
}

/* False after an error. */
static bool read_shape(reader *r, const sim_json *entry, sim_tensor *out)
{
    const sim_json *shape = sim_json_get(entry, "shape");
    int64_t *sizes;

    if (!is_list(shape, SIM_JSON_INT) || shape->count > RANK_MAX) {
        wrong(r, SIM_BAD_INPUT, entry->key, "needs a 'shape', a list of at most 64 integers");
        return false;
    }
    sizes = sim_arena_alloc(r->arena, (size_t)shape->count, sizeof *sizes);
    if (!sizes) {
        wrong(r, SIM_NO_MEMORY, entry->key, "does not fit memory");
        return false;
    }
    for (const sim_json *e = shape->child; e; e = e->next)
        sizes[out->rank++] = e->integer;
    out->shape = sizes;
    return true;
}

static bool read_dtype(reader *r, const sim_json *entry, sim_tensor *out)
{
    const sim_json *dtype = sim_json_get(entry, "dtype");
    char what[80];

    if (!dtype || dtype->type != SIM_JSON_TEXT) {
        wrong(r, SIM_BAD_INPUT, entry->key, "needs a 'dtype', a text");
        return false;
    }
    out->dtype = sim_dtype_of_safetensors(dtype->text);
    if (!out->dtype) {
        snprintf(what, sizeof what, "is of unknown dtype '%.24s'", dtype->text);
        wrong(r, SIM_BAD_INPUT, entry->key, what);
        sim_hint(r->err,
                 "known: BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 I16 U16 F16 BF16 I32 U32 "
                 "F32 C64 F64 I64 U64");
    }
    return out->dtype != NULL;
}

/* The bytes that the offsets name against those that shape and dtype need. */
static void read_offsets(reader *r, const sim_json *entry, sim_tensor *out)
{
    const sim_json *offsets = sim_json_get(entry, "data_offsets");
    int64_t begin, end;
    char what[160];

    if (!is_list(offsets, SIM_JSON_INT) || offsets->count != 2) {
        wrong(r, SIM_BAD_INPUT, entry->key, "needs 'data_offsets', a list of two integers");
        return;
    }
    begin = offsets->child->integer;
    end = offsets->child->next->integer;
    if (begin < 0 || end < begin || end > r->data_bytes) {
        snprintf(what, sizeof what,
                 "has the offsets [%" PRId64 ", %" PRId64 "], but the file has %" PRId64 " bytes of data",
                 begin, end, r->data_bytes);
        wrong(r, SIM_BAD_INPUT, entry->key, what);
    } else if (end - begin != out->bytes) {
        snprintf(what, sizeof what,
                 "has %" PRId64 " bytes by shape and dtype, but %" PRId64 " by its offsets", out->bytes,
                 end - begin);
        wrong(r, SIM_BAD_INPUT, entry->key, what);
    }
    out->offset = r->data_offset + begin;
}

static void read_tensor(reader *r, const sim_json *entry, sim_tensor *out)
{
    const char *slip;

    out->name = entry->key;
    if (!sim_is_name(entry->key, (int64_t)strlen(entry->key))) {
        wrong(r, SIM_BAD_INPUT, entry->key, "has a name that is empty or has control characters");
        return;
    }
    if (entry->type != SIM_JSON_OBJECT) {
        wrong(r, SIM_BAD_INPUT, entry->key, "must be an object of dtype, shape and data_offsets");
        return;
    }
    if (!read_dtype(r, entry, out) || !read_shape(r, entry, out))
        return;
    slip = sim_tensor_measure(out, false);
    if (slip)
        wrong(r, SIM_BAD_INPUT, entry->key, slip);
    else
        read_offsets(r, entry, out);
}

/* The tensors, in order, fill the data from its first byte to its last. */
static void check_holes(reader *r, const sim_tensor *tensors, int64_t count)
{
    int64_t end = r->data_offset;

    for (int64_t i = 0; i < count; i++) {
        if (tensors[i].offset > end) {
            sim_fail(r->err, SIM_BAD_INPUT, r->name, 0,
                     "bytes %" PRId64 " to %" PRId64 " belong to no tensor", end, tensors[i].offset - 1);
            r->status = SIM_BAD_INPUT;
        }
        end = tensors[i].offset + tensors[i].bytes;
    }
    if (end != r->data_offset + r->data_bytes) {
        sim_fail(r->err, SIM_BAD_INPUT, r->name, 0, "bytes %" PRId64 " to %" PRId64 " belong to no tensor",
                 end, r->data_offset + r->data_bytes - 1);
        r->status = SIM_BAD_INPUT;
    }
}

static void read_header(reader *r, const sim_json *root, sim_safetensors *out)
{
    int64_t count = 0;

    for (const sim_json *entry = root->child; entry; entry = entry->next)
        count += strcmp(entry->key, "__metadata__") != 0;
    out->tensors = sim_arena_alloc(r->arena, (size_t)count, sizeof *out->tensors);
    if (!out->tensors) {
        r->status = sim_fail(r->err, SIM_NO_MEMORY, r->name, 0, "out of memory");
        return;
    }
    for (const sim_json *entry = root->child; entry; entry = entry->next)
        if (strcmp(entry->key, "__metadata__") != 0)
            read_tensor(r, entry, &out->tensors[out->tensor_count++]);
        else
            out->metadata = entry;
    if (out->metadata && out->metadata->type != SIM_JSON_OBJECT)
        r->status = sim_fail(r->err, SIM_BAD_INPUT, r->name, 0, "'__metadata__' must be an object of texts");
    if (r->status == SIM_OK)
        r->status = sim_tensors_check_overlap(out->tensors, out->tensor_count, r->name, r->err);
    if (r->status == SIM_OK)
        check_holes(r, out->tensors, out->tensor_count);
    if (r->status == SIM_OK)
        r->status = sim_tensors_sort(out->tensors, out->tensor_count, r->name, r->err);
}

/* The header's text; NULL after an error. */
static const char *find_header(const unsigned char *data, int64_t bytes, const char *name, int64_t *length,
                               sim_err *err)
{
    if (bytes < LENGTH_BYTES) {
        sim_fail(err, SIM_BAD_INPUT, name, 0,
                 "is no safetensors file: it has %" PRId64 " bytes, and 8 give the header's length", bytes);
        return NULL;
    }
    *length = sim_bytes_i64(data);
    if (*length < 0 || *length > bytes - LENGTH_BYTES) {
        sim_fail(err, SIM_BAD_INPUT, name, 0,
                 "byte 0: the header is said to have %" PRIu64 " bytes, but the file has %" PRId64
                 " behind that number",
                 (uint64_t)*length, bytes - LENGTH_BYTES);
        return NULL;
    }
    if (*length > SIM_SAFETENSORS_HEADER_MAX) {
        sim_fail(err, SIM_BAD_INPUT, name, 0, "byte 0: a header has at most 100 MB, not %" PRId64 " bytes",
                 *length);
        return NULL;
    }
    if (*length == 0 || data[LENGTH_BYTES] != '{') {
        sim_fail(err, SIM_BAD_INPUT, name, 0, "byte 8: a header begins with '{'");
        return NULL;
    }
    return (const char *)data + LENGTH_BYTES;
}

sim_status sim_safetensors_parse(const unsigned char *data, int64_t bytes, const char *name, sim_arena *arena,
                                 sim_safetensors *out, sim_err *err)
{
    reader r = {.name = name, .arena = arena, .err = err};
    const sim_json *root;
    const char *text;
    int64_t length;

    *out = (sim_safetensors){.tensors = NULL};
    text = find_header(data, bytes, name, &length, err);
    if (!text)
        return SIM_BAD_INPUT;
    r.status = sim_json_parse(text, (size_t)length, name, arena, &root, err);
    if (r.status != SIM_OK)
        return r.status;
    r.data_offset = out->data_offset = LENGTH_BYTES + length;
    r.data_bytes = bytes - r.data_offset;
    read_header(&r, root, out);
    if (r.status != SIM_OK)
        *out = (sim_safetensors){.tensors = NULL};
    return r.status;
}
