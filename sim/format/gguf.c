#include "format/gguf.h"

#include "format/bytes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION_MIN = 2,
    VERSION_MAX = 3,
    RANK_MAX = 4,        /* GGML_MAX_DIMS */
    NAME_MAX_BYTES = 63, /* GGML_MAX_NAME, less the NUL */
    KEY_MAX_BYTES = 65535,
    ALIGNMENT_BYTES = 32, /* where the file does not say */
    ALIGNMENT_MAX = 1 << 20,
    PAIR_BYTES_MIN = 8 + 1 + 4 + 1,       /* length, key, type, value */
    TENSOR_BYTES_MIN = 8 + 1 + 4 + 4 + 8, /* length, name, rank, type, offset */
    TENSOR_ERRORS_MAX = SIM_ERR_MAX
};

typedef struct reader {
    const unsigned char *data;
    int64_t bytes, at;
    const char *name;
    sim_arena *arena;
    sim_err *err;
    sim_status status; /* of the first error */
} reader;

static void fail_at(reader *r, sim_status status, int64_t at, const char *format, ...) SIM_PRINTF(4, 5);

static void fail_at(reader *r, sim_status status, int64_t at, const char *format, ...)
{
    char text[SIM_ERR_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_fail(r->err, status, r->name, 0, "byte %" PRId64 ": %s", at, text);
    if (r->status == SIM_OK)
        r->status = status;
}

/* ---- primitives ------------------------------------------------------------------------------------- */

/* The next `count` bytes, behind which the reader then stands; NULL, reported, when the file ends before. */
static const unsigned char *take(reader *r, int64_t count, const char *what)
{
    const unsigned char *p;

    if (r->status != SIM_OK)
        return NULL;
    if (count > r->bytes - r->at) {
        fail_at(r, SIM_BAD_INPUT, r->at, "the file ends inside %s", what);
        return NULL;
    }
    p = r->data + r->at;
    r->at += count;
    return p;
}

static int64_t take_u32(reader *r, const char *what)
{
    const unsigned char *p = take(r, 4, what);

    return p ? (int64_t)sim_bytes_u32(p) : 0;
}

/* A count: what is beyond 63 bits is an error. */
static int64_t take_count(reader *r, const char *what)
{
    int64_t at = r->at;
    const unsigned char *p = take(r, 8, what);
    int64_t value = p ? sim_bytes_i64(p) : 0;

    if (value < 0) {
        fail_at(r, SIM_BAD_INPUT, at, "%s is %" PRIu64 ", beyond 63 bits", what, (uint64_t)value);
        return 0;
    }
    return value;
}

/* A text in the file; NULL after an error. */
static const unsigned char *take_text(reader *r, int64_t *length, const char *what)
{
    int64_t at = r->at;
    const unsigned char *p = take(r, 8, what);
    uint64_t size;

    if (!p)
        return NULL;
    size = sim_bytes_u64(p);
    if (size > (uint64_t)(r->bytes - r->at)) {
        fail_at(r, SIM_BAD_INPUT, at,
                "%s is said to have %" PRIu64 " bytes, but the file ends after %" PRId64, what, size,
                r->bytes - r->at);
        return NULL;
    }
    *length = (int64_t)size;
    return take(r, *length, what);
}

/* A copy of a name; NULL after an error. */
static const char *take_name(reader *r, int64_t max_bytes, const char *what)
{
    int64_t at = r->at, length;
    const unsigned char *p = take_text(r, &length, what);
    char *copy;

    if (!p)
        return NULL;
    if (length > max_bytes || !sim_is_name((const char *)p, length)) {
        fail_at(r, SIM_BAD_INPUT, at,
                length > max_bytes ? "%s has more than %" PRId64 " bytes"
                : length == 0      ? "%s is empty"
                                   : "%s has characters that no name has",
                what, max_bytes);
        return NULL;
    }
    copy = sim_arena_text(r->arena, (const char *)p, (size_t)length);
    if (!copy)
        fail_at(r, SIM_NO_MEMORY, at, "out of memory for %s", what);
    return copy;
}

/* ---- pairs ------------------------------------------------------------------------------------------ */

static void check_bools(reader *r, const sim_gguf_pair *pair)
{
    for (int64_t i = 0; i < pair->count; i++)
        if (pair->data[i] > 1) {
            fail_at(r, SIM_BAD_INPUT, pair->data + i - r->data, "'%s' is neither true nor false but %d",
                    pair->key, pair->data[i]);
            return;
        }
}

static void take_value(reader *r, sim_gguf_pair *pair)
{
    int64_t at = r->at, length = 0;

    if (pair->count > (r->bytes - r->at) / sim_gguf_type_bytes(pair->type)) {
        fail_at(r, SIM_BAD_INPUT, at, "'%s' is said to have %" PRId64 " elements, more than the file holds",
                pair->key, pair->count);
        return;
    }
    pair->data = r->data + r->at;
    if (pair->type == SIM_GGUF_TEXT) {
        const unsigned char *text = NULL;

        for (int64_t i = 0; i < pair->count && r->status == SIM_OK; i++)
            text = take_text(r, &length, "a text");
        if (text && !pair->is_array) {
            pair->text = sim_arena_text(r->arena, (const char *)text, (size_t)length);
            if (!pair->text)
                fail_at(r, SIM_NO_MEMORY, at, "out of memory for the text of '%s'", pair->key);
        }
        return;
    }
    take(r, pair->count * sim_gguf_type_bytes(pair->type), "a value");
    if (pair->type == SIM_GGUF_BOOL)
        check_bools(r, pair);
}

static void take_pair(reader *r, sim_gguf_pair *pair)
{
    int64_t at, type;

    pair->key = take_name(r, KEY_MAX_BYTES, "a key");
    if (!pair->key)
        return;
    at = r->at;
    type = take_u32(r, "the type of a value");
    pair->count = 1;
    pair->is_array = type == SIM_GGUF_ARRAY;
    if (pair->is_array) {
        at = r->at;
        type = take_u32(r, "the type of an array");
        pair->count = take_count(r, "the number of elements");
    }
    if (r->status != SIM_OK)
        return;
    if (type >= SIM_GGUF_TYPES || type == SIM_GGUF_ARRAY) {
        fail_at(r, SIM_BAD_INPUT, at,
                type == SIM_GGUF_ARRAY ? "'%s' is an array of arrays (type %" PRId64
                                         "), which no reader takes"
                                       : "'%s' is of type %" PRId64 ", which there is not",
                pair->key, type);
        return;
    }
    pair->type = (sim_gguf_type)type;
    take_value(r, pair);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const sim_gguf_pair *)a)->key, ((const sim_gguf_pair *)b)->key);
}

static void sort_pairs(reader *r, sim_gguf *out)
{
    if (out->pair_count > 0)
        qsort(out->pairs, (size_t)out->pair_count, sizeof *out->pairs, by_key);
    for (int64_t i = 1; i < out->pair_count; i++)
        if (strcmp(out->pairs[i - 1].key, out->pairs[i].key) == 0)
            r->status =
                sim_fail(r->err, SIM_BAD_INPUT, r->name, 0, "key '%s' is there twice", out->pairs[i].key);
}

static void read_alignment(reader *r, sim_gguf *out)
{
    const sim_gguf_pair *pair = sim_gguf_get(out, "general.alignment");
    int64_t value;

    out->alignment_bytes = ALIGNMENT_BYTES;
    if (!pair)
        return;
    if (pair->is_array || pair->type != SIM_GGUF_U32) {
        fail_at(r, SIM_BAD_INPUT, pair->data - r->data,
                "'general.alignment' must be an unsigned number of 32 bits");
        return;
    }
    value = (int64_t)sim_bytes_u32(pair->data);
    if (value == 0 || (value & (value - 1)) != 0 || value > ALIGNMENT_MAX) {
        fail_at(r, SIM_BAD_INPUT, pair->data - r->data,
                "'general.alignment' must be a power of two up to 2^20, not %" PRId64, value);
        return;
    }
    out->alignment_bytes = value;
}

/* ---- tensors ---------------------------------------------------------------------------------------- */

/* An error about a tensor after which the next can still be read. */
static void slip_of(reader *r, int64_t at, const char *tensor, const char *what)
{
    sim_fail(r->err, SIM_BAD_INPUT, r->name, 0, "byte %" PRId64 ": tensor '%s' %s", at, tensor, what);
}

/* The file has the innermost dimension first. False after an error. */
static bool take_shape(reader *r, sim_tensor *t)
{
    int64_t at = r->at, rank = take_u32(r, "the number of dimensions"), *shape;
    const unsigned char *p;

    if (rank > RANK_MAX)
        fail_at(r, SIM_BAD_INPUT, at, "tensor '%s' has %" PRId64 " dimensions; at most 4 are possible",
                t->name, rank);
    p = take(r, rank * 8, "a shape");
    if (!p)
        return false;
    shape = sim_arena_alloc(r->arena, RANK_MAX, sizeof *shape);
    if (!shape) {
        fail_at(r, SIM_NO_MEMORY, at, "out of memory for a shape");
        return false;
    }
    for (int64_t i = 0; i < rank; i++)
        shape[rank - 1 - i] = sim_bytes_i64(p + 8 * i);
    t->shape = shape;
    t->rank = (int)rank;
    return true;
}

/* Offsets count from the data, whose place is not known yet. Returns false when the tensor is wrong; the
 * reader's status tells whether the next can be read. */
static bool take_tensor(reader *r, const sim_gguf *gguf, sim_tensor *t)
{
    int64_t at = r->at, type, offset;
    const char *slip;
    char what[120];

    t->name = take_name(r, NAME_MAX_BYTES, "the name of a tensor");
    if (!t->name || !take_shape(r, t))
        return false;
    type = take_u32(r, "the type of a tensor");
    offset = take_count(r, "the offset of a tensor");
    if (r->status != SIM_OK)
        return false;
    t->dtype = sim_dtype_of_ggml(type);
    t->offset = offset;
    if (!t->dtype) {
        snprintf(what, sizeof what, "is of type %" PRId64 ", which is unknown or was removed", type);
        slip_of(r, at, t->name, what);
        return false;
    }
    slip = sim_tensor_measure(t, true);
    if (slip) {
        slip_of(r, at, t->name, slip);
        return false;
    }
    if (offset % gguf->alignment_bytes != 0) {
        snprintf(what, sizeof what, "begins at %" PRId64 " of the data, no multiple of %" PRId64, offset,
                 gguf->alignment_bytes);
        slip_of(r, at, t->name, what);
        return false;
    }
    return true;
}

/* Places the tensors behind what was read, and checks that the file holds them. */
static void place_tensors(reader *r, sim_gguf *out)
{
    int64_t data_bytes;

    out->data_offset = (r->at + out->alignment_bytes - 1) / out->alignment_bytes * out->alignment_bytes;
    data_bytes = r->bytes > out->data_offset ? r->bytes - out->data_offset : 0;
    for (int64_t i = 0; i < out->tensor_count; i++) {
        sim_tensor *t = &out->tensors[i];

        if (t->offset > data_bytes || t->bytes > data_bytes - t->offset)
            r->status = sim_fail(r->err, SIM_BAD_INPUT, r->name, 0,
                                 "tensor '%s' takes %" PRId64 " bytes from %" PRId64
                                 " of the data on, but the file has %" PRId64 " bytes of data",
                                 t->name, t->bytes, t->offset, data_bytes);
        else
            t->offset += out->data_offset;
    }
}

static void read_tensors(reader *r, int64_t count, sim_gguf *out)
{
    int slips = 0;

    out->tensors = sim_arena_alloc(r->arena, (size_t)count, sizeof *out->tensors);
    if (!out->tensors) {
        fail_at(r, SIM_NO_MEMORY, r->at, "out of memory for %" PRId64 " tensors", count);
        return;
    }
    for (int64_t i = 0; i < count && r->status == SIM_OK && slips < TENSOR_ERRORS_MAX; i++)
        if (take_tensor(r, out, &out->tensors[i]))
            out->tensor_count++;
        else
            slips++;
    if (slips > 0 && r->status == SIM_OK)
        r->status = SIM_BAD_INPUT;
    if (r->status == SIM_OK)
        place_tensors(r, out);
    if (r->status == SIM_OK)
        r->status = sim_tensors_sort(out->tensors, out->tensor_count, r->name, r->err);
    if (r->status == SIM_OK)
        r->status = sim_tensors_check_overlap(out->tensors, out->tensor_count, r->name, r->err);
    if (r->status == SIM_OK)
        r->status = sim_tensors_sort(out->tensors, out->tensor_count, r->name, r->err);
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static void read_version(reader *r, sim_gguf *out)
{
    const unsigned char *magic = take(r, 4, "the word 'GGUF'");

    if (magic && memcmp(magic, "GGUF", 4) != 0) {
        fail_at(r, SIM_BAD_INPUT, 0, "is no GGUF file: it does not begin with 'GGUF'");
        return;
    }
    out->version = take_u32(r, "the version");
    if (r->status != SIM_OK || (out->version >= VERSION_MIN && out->version <= VERSION_MAX))
        return;
    if ((out->version & 0xffff) == 0 && out->version != 0) {
        fail_at(r, SIM_BAD_INPUT, 4, "the file is big-endian");
        sim_hint(r->err, "convert it on the machine that it is for; little-endian files are read");
        return;
    }
    fail_at(r, SIM_BAD_INPUT, 4, "GGUF version %" PRId64 " is not supported", out->version);
    sim_hint(r->err, "supported: versions 2 and 3");
}

static void read_pairs(reader *r, int64_t count, sim_gguf *out)
{
    out->pairs = sim_arena_alloc(r->arena, (size_t)count, sizeof *out->pairs);
    if (!out->pairs) {
        fail_at(r, SIM_NO_MEMORY, r->at, "out of memory for %" PRId64 " keys", count);
        return;
    }
    for (; out->pair_count < count && r->status == SIM_OK; out->pair_count++)
        take_pair(r, &out->pairs[out->pair_count]);
    if (r->status == SIM_OK)
        sort_pairs(r, out);
    if (r->status == SIM_OK)
        read_alignment(r, out);
}

/* A number of things of which each takes at least `least` bytes; 0 after an error. */
static int64_t take_number_of(reader *r, int64_t least, const char *what)
{
    int64_t at = r->at, count = take_count(r, what);

    if (r->status == SIM_OK && count > (r->bytes - r->at) / least) {
        fail_at(r, SIM_BAD_INPUT, at, "%s is %" PRId64 ", more than a file of %" PRId64 " bytes holds", what,
                count, r->bytes);
        return 0;
    }
    return count;
}

sim_status sim_gguf_parse(const unsigned char *data, int64_t bytes, const char *name, sim_arena *arena,
                          sim_gguf *out, sim_err *err)
{
    reader r = {.data = data, .bytes = bytes, .name = name, .arena = arena, .err = err};
    int64_t tensors, pairs;

    *out = (sim_gguf){.version = 0};
    read_version(&r, out);
    tensors = take_number_of(&r, TENSOR_BYTES_MIN, "the number of tensors");
    pairs = take_number_of(&r, PAIR_BYTES_MIN, "the number of keys");
    if (r.status == SIM_OK)
        read_pairs(&r, pairs, out);
    if (r.status == SIM_OK)
        read_tensors(&r, tensors, out);
    if (r.status != SIM_OK)
        *out = (sim_gguf){.version = 0};
    return r.status;
}
