#include "format/safetensors.h"
#include "reference/checkpoint_writer.h"
#include "reference/failing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file in a block of its own size: ASan then sees a read beyond it. */
typedef struct file {
    unsigned char *data;
    int64_t bytes;
} file;

static file file_of(int64_t length, const char *header, int64_t data_bytes)
{
    sim_text t = {.length = 0};
    file out;

    put_u64(&t, (uint64_t)length);
    sim_text_add(&t, header);
    put_zeros(&t, data_bytes);
    out.bytes = (int64_t)t.length;
    out.data = malloc(t.length);
    memcpy(out.data, t.data, t.length);
    sim_text_free(&t);
    return out;
}

static sim_status parse(file f, sim_arena *arena, sim_safetensors *out, sim_err *err)
{
    sim_status status;

    memset(err, 0, sizeof *err);
    sim_arena_init(arena, NULL);
    status = sim_safetensors_parse(f.data, f.bytes, "t.safetensors", arena, out, err);
    free(f.data);
    return status;
}

static file good(const char *header, int64_t data_bytes)
{
    return file_of((int64_t)strlen(header), header, data_bytes);
}

Test(safetensors, tensors_by_name)
{
    sim_arena arena;
    sim_safetensors s;
    sim_err err;
    const sim_tensor *t;
    const char *header = "{\"__metadata__\":{\"format\":\"pt\"},"
                         "\"z\":{\"dtype\":\"BF16\",\"shape\":[3,2],\"data_offsets\":[8,20]},"
                         "\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
                         "\"e\":{\"dtype\":\"I8\",\"shape\":[4,0,9],\"data_offsets\":[20,20]},"
                         "\"h\":{\"dtype\":\"F4\",\"shape\":[2,3],\"data_offsets\":[20,23]}}   ";

    cr_assert_eq(parse(good(header, 23), &arena, &s, &err), SIM_OK, "%s", err.items[0].text);
    cr_assert_eq(s.tensor_count, 4);
    cr_assert_str_eq(sim_json_get(s.metadata, "format")->text, "pt");
    cr_assert_eq(s.data_offset, 8 + (int64_t)strlen(header));
    t = sim_tensors_find(s.tensors, s.tensor_count, "z");
    cr_assert_not_null(t);
    cr_assert(t->rank == 2 && t->shape[0] == 3 && t->shape[1] == 2 && t->elements == 6 && t->bytes == 12);
    cr_assert_eq(t->offset, s.data_offset + 8);
    cr_assert_str_eq(t->dtype->name, "BF16");
    t = sim_tensors_find(s.tensors, s.tensor_count, "a");
    cr_assert(t && t->rank == 0 && t->elements == 1 && t->bytes == 8);
    t = sim_tensors_find(s.tensors, s.tensor_count, "e");
    cr_assert(t && t->elements == 0 && t->bytes == 0);
    t = sim_tensors_find(s.tensors, s.tensor_count, "h");
    cr_assert(t && t->elements == 6 && t->bytes == 3);
    cr_assert_null(sim_tensors_find(s.tensors, s.tensor_count, "b"));
    sim_arena_free(&arena);

    cr_assert_eq(parse(good("{}", 0), &arena, &s, &err), SIM_OK, "no tensors");
    cr_assert_eq(s.tensor_count, 0);
    sim_arena_free(&arena);
}

/* What no reader may take, and what is said. */
Test(safetensors, refused)
{
    static const struct {
        const char *header;
        int64_t length, data_bytes; /* length -1: the header's */
        const char *says;
    } cases[] = {
        {"{}", 100, 0, "byte 0: the header is said to have 100 bytes, but the file has 2"},
        {"{}", INT64_MIN, 0, "byte 0: the header is said to have 9223372036854775808 bytes"},
        {"{}", 0, 0, "byte 8: a header begins with '{'"},
        {" {}", -1, 0, "byte 8: a header begins with '{'"},
        {"{\"a\":1}", -1, 0, "tensor 'a' must be an object"},
        {"{\"\xff\xfe\":{}}", -1, 0, "not valid JSON"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
         -1, 4, "duplicate key 'a'"},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", -1, 4, "tensor 'a' needs a 'dtype'"},
        {"{\"a\":{\"dtype\":\"Q4\",\"shape\":[1],\"data_offsets\":[0,4]}}", -1, 4, "unknown dtype 'Q4'"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", -1, 4, "needs a 'shape'"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,4]}}", -1, 4, "needs a 'shape'"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", -1, 4, "negative dimension"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,8],\"data_offsets\":[0,0]}}", -1, 0,
         "more than 2^63 - 1 elements"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", -1, 0,
         "more than 2^63 - 1 bytes"},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", -1, 2,
         "does not fill its last byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", -1, 4, "needs 'data_offsets'"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", -1, 4, "has the offsets [4, 0]"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", -1, 4,
         "has the offsets [-4, 0]"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", -1, 15, "15 bytes of data"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", -1, 4,
         "has 8 bytes by shape and dtype, but 4 by its offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
         -1, 4, "tensor 'b' begins at byte"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", -1, 8, "belong to no tensor"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", -1, 8, "belong to no tensor"},
        {"{}", -1, 1, "belong to no tensor"},
        {"{\"__metadata__\":[]}", -1, 0, "'__metadata__' must be an object"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        sim_safetensors s;
        sim_err err;
        int64_t length = cases[i].length == -1 ? (int64_t)strlen(cases[i].header) : cases[i].length;

        cr_assert_eq(parse(file_of(length, cases[i].header, cases[i].data_bytes), &arena, &s, &err),
                     SIM_BAD_INPUT, "case %zu: %s", i, cases[i].header);
        cr_assert_not_null(strstr(err.items[0].text, cases[i].says), "case %zu says '%s' instead of '%s'", i,
                           err.items[0].text, cases[i].says);
        cr_assert(s.tensor_count == 0 && s.tensors == NULL);
        sim_arena_free(&arena);
    }
}

Test(safetensors, all_slips_together)
{
    sim_arena arena;
    sim_safetensors s;
    sim_err err;

    cr_assert_eq(parse(good("{\"a\":{\"dtype\":\"F3\",\"shape\":[1],\"data_offsets\":[0,4]},"
                            "\"b\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]},\"c\":[]}",
                            4),
                       &arena, &s, &err),
                 SIM_BAD_INPUT);
    cr_assert_eq(err.count, 3);
    sim_arena_free(&arena);
}

/* Every file that is cut short is refused, and none is read beyond its end. */
Test(safetensors, cut_anywhere)
{
    const written_tensor tensors[] = {{"a.weight", "F16", 0, 2, {3, 4}, 24}, {"b", "U8", 0, 1, {7}, 7}};
    sim_text t = {.length = 0};

    write_safetensors(&t, tensors, 2);
    for (size_t n = 0; n <= t.length; n++) {
        file f = {malloc(n > 0 ? n : 1), (int64_t)n};
        sim_arena arena;
        sim_safetensors s;
        sim_err err;

        memcpy(f.data, t.data, n);
        cr_assert_eq(parse(f, &arena, &s, &err), n == t.length ? SIM_OK : SIM_BAD_INPUT, "%zu bytes", n);
        sim_arena_free(&arena);
    }
    sim_text_free(&t);
}

Test(safetensors, deep_json)
{
    enum { DEPTH = 100000 };
    sim_text t = {.length = 0};
    sim_arena arena;
    sim_safetensors s;
    sim_err err;

    sim_text_add(&t, "{\"a\":");
    for (int i = 0; i < DEPTH; i++)
        sim_text_add(&t, "[");
    for (int i = 0; i < DEPTH; i++)
        sim_text_add(&t, "]");
    sim_text_add(&t, "}");
    cr_assert_eq(parse(good(t.data, 0), &arena, &s, &err), SIM_BAD_INPUT);
    cr_assert_not_null(strstr(err.items[0].text, "nested deeper"));
    sim_arena_free(&arena);
    sim_text_free(&t);
}
