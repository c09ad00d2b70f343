#include "format/gguf.h"
#include "reference/checkpoint_writer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Parses a copy in a block of its own size, so that ASan sees a read beyond it. The copy is the caller's:
 * pairs point into it. */
static sim_status parse(const sim_text *t, unsigned char **copy, sim_arena *arena, sim_gguf *out,
                        sim_err *err)
{
    memset(err, 0, sizeof *err);
    sim_arena_init(arena, NULL);
    *copy = malloc(t->length > 0 ? t->length : 1);
    if (t->length > 0)
        memcpy(*copy, t->data, t->length);
    return sim_gguf_parse(*copy, (int64_t)t->length, "t.gguf", arena, out, err);
}

static void write_values(sim_text *t)
{
    const uint64_t sizes[] = {32, 3};

    gguf_begin(t, 3, 1, 8);
    gguf_pair_text(t, "general.architecture", "llama");
    gguf_pair_u32(t, "general.alignment", 64);
    gguf_key(t, "b", GGUF_BOOL);
    put_u8(t, 1);
    gguf_key(t, "f", GGUF_F32);
    put_u32(t, 0x40490fdb);
    gguf_key(t, "big", GGUF_U64);
    put_u64(t, UINT64_MAX);
    gguf_key(t, "small", 5); /* signed, 32 bits */
    put_u32(t, (uint32_t)-7);
    gguf_key(t, "list", GGUF_ARRAY);
    put_u32(t, 2); /* unsigned, 16 bits */
    put_u64(t, 3);
    put_u32(t, 0xffff0001);
    put_u8(t, 9);
    put_u8(t, 0);
    gguf_key(t, "words", GGUF_ARRAY);
    put_u32(t, GGUF_TEXT);
    put_u64(t, 2);
    gguf_text(t, "one");
    gguf_text(t, "");
    gguf_tensor(t, "w", 2, sizes, 8, 0); /* Q8_0 */
    gguf_align(t, 64);
    put_zeros(t, 3 * 34);
}

Test(gguf, values_and_tensors)
{
    sim_text t = {.length = 0};
    sim_arena arena;
    sim_gguf g;
    sim_err err;
    unsigned char *copy;
    int64_t n;
    double x;
    bool b;

    write_values(&t);
    cr_assert_eq(parse(&t, &copy, &arena, &g, &err), SIM_OK, "%s", err.items[0].text);
    cr_assert(g.version == 3 && g.alignment_bytes == 64 && g.pair_count == 8 && g.tensor_count == 1);
    cr_assert_str_eq(sim_gguf_text(&g, "general.architecture"), "llama");
    cr_assert_null(sim_gguf_text(&g, "f"));
    cr_assert(sim_gguf_bool(sim_gguf_get(&g, "b"), 0, &b) && b);
    cr_assert_not(sim_gguf_int(sim_gguf_get(&g, "b"), 0, &n), "a truth is no number");
    cr_assert(sim_gguf_real(sim_gguf_get(&g, "f"), 0, &x) && fabs(x - 3.14159274) < 1e-7);
    cr_assert_not(sim_gguf_int(sim_gguf_get(&g, "f"), 0, &n));
    cr_assert_not(sim_gguf_int(sim_gguf_get(&g, "big"), 0, &n), "beyond 63 bits");
    cr_assert(sim_gguf_int(sim_gguf_get(&g, "small"), 0, &n) && n == -7);
    cr_assert(sim_gguf_real(sim_gguf_get(&g, "small"), 0, &x) && x == -7);
    cr_assert(sim_gguf_int(sim_gguf_get(&g, "list"), 0, &n) && n == 1);
    cr_assert(sim_gguf_int(sim_gguf_get(&g, "list"), 1, &n) && n == 0xffff);
    cr_assert(sim_gguf_int(sim_gguf_get(&g, "list"), 2, &n) && n == 9);
    cr_assert_not(sim_gguf_int(sim_gguf_get(&g, "list"), 3, &n));
    cr_assert(sim_gguf_get(&g, "words")->count == 2 && sim_gguf_get(&g, "words")->is_array);
    cr_assert_null(sim_gguf_get(&g, "absent"));
    cr_assert_not(sim_gguf_int(NULL, 0, &n));
    cr_assert(g.tensors[0].shape[0] == 3 && g.tensors[0].shape[1] == 32, "outermost first");
    cr_assert(g.tensors[0].bytes == 3 * 34 && g.tensors[0].offset == g.data_offset &&
              g.data_offset % 64 == 0);
    cr_assert_eq(g.data_offset + g.tensors[0].bytes, (int64_t)t.length);
    free(copy);
    sim_arena_free(&arena);
    sim_text_free(&t);
}

Test(gguf, cut_anywhere)
{
    sim_text t = {.length = 0};

    write_values(&t);
    for (size_t whole = t.length; t.length > 0;) {
        sim_arena arena;
        sim_gguf g;
        sim_err err;
        unsigned char *copy;

        cr_assert_eq(parse(&t, &copy, &arena, &g, &err), t.length == whole ? SIM_OK : SIM_BAD_INPUT,
                     "%zu of %zu bytes", t.length, whole);
        free(copy);
        sim_arena_free(&arena);
        t.length--;
    }
    sim_text_free(&t);
}

/* ---- what no reader may take ------------------------------------------------------------------------ */

static const uint64_t sixteen[] = {16}, thirty_two[] = {32};

static void one_tensor(sim_text *t, const char *name, uint32_t rank, const uint64_t *sizes, uint32_t type,
                       uint64_t offset)
{
    gguf_begin(t, 3, 1, 0);
    gguf_tensor(t, name, rank, sizes, type, offset);
    gguf_align(t, 32);
    put_zeros(t, 64);
}

static void align_case(sim_text *t, uint32_t type, uint32_t value)
{
    gguf_begin(t, 3, 1, 1);
    gguf_key(t, "general.alignment", type);
    put_u32(t, value);
    if (type == GGUF_U64)
        put_u32(t, 0);
    gguf_tensor(t, "a", 1, sixteen, 0, 0);
    gguf_align(t, 32);
    put_zeros(t, 64);
}

static void two_tensors(sim_text *t, const char *second, uint64_t offset)
{
    gguf_begin(t, 3, 2, 0);
    gguf_tensor(t, "a", 1, sixteen, 0, 0);
    gguf_tensor(t, second, 1, sixteen, 0, offset);
    gguf_align(t, 32);
    put_zeros(t, 128);
}

static void write_bad(int i, sim_text *t)
{
    static const uint64_t negative[] = {UINT64_MAX - 15}, many[] = {UINT64_C(1) << 40, UINT64_C(1) << 40};
    static const uint64_t bytes[] = {UINT64_C(1) << 62}, pad[] = {(UINT64_C(1) << 62) - 1},
                          five[] = {1, 1, 1, 1, 16};
    static const char *const long_name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    switch (i) {
    case 0:
        sim_text_add(t, "GGML");
        put_zeros(t, 100);
        break;
    case 1:
        gguf_begin(t, 0, 0, 0);
        break;
    case 2:
        gguf_begin(t, 4, 0, 0);
        break;
    case 3:
        gguf_begin(t, 0x03000000, 0, 0);
        break;
    case 4:
        gguf_begin(t, 3, INT64_MAX, 0);
        put_zeros(t, 100);
        break;
    case 5:
        gguf_begin(t, 3, UINT64_MAX, 0);
        break;
    case 6:
        gguf_begin(t, 3, 0, 1);
        put_u64(t, UINT64_MAX);
        sim_text_add(t, "xxxxxxxx");
        break;
    case 7:
        gguf_begin(t, 3, 0, 1);
        gguf_key(t, "k", GGUF_ARRAY);
        put_u32(t, GGUF_ARRAY);
        put_u64(t, 1);
        put_zeros(t, 12);
        break;
    case 8:
        gguf_begin(t, 3, 0, 2);
        gguf_pair_u32(t, "k", 1);
        gguf_pair_u32(t, "k", 1);
        break;
    case 9:
        gguf_begin(t, 3, 0, 1);
        gguf_pair_u32(t, "", 1);
        break;
    case 10:
        align_case(t, GGUF_U32, 0);
        break;
    case 11:
        align_case(t, GGUF_U32, 3);
        break;
    case 12:
        align_case(t, GGUF_U64, 32);
        break;
    case 13:
        one_tensor(t, "a", 5, five, 0, 0);
        break;
    case 14:
        one_tensor(t, "a", 1, negative, 0, 0);
        break;
    case 15:
        one_tensor(t, "a", 2, many, 0, 0);
        break;
    case 16:
        one_tensor(t, "a", 1, bytes, 0, 0);
        break;
    case 17:
        one_tensor(t, "a", 1, pad, 0, 0);
        break;
    case 18:
        one_tensor(t, "a", 1, sixteen, 999, 0);
        break;
    case 19:
        one_tensor(t, "a", 1, thirty_two, 4, 0);
        break;
    case 20:
        one_tensor(t, "a", 1, sixteen, UINT32_MAX, 0);
        break;
    case 21:
        one_tensor(t, "a", 1, sixteen, 2, 0);
        break;
    case 22:
        one_tensor(t, "a", 1, sixteen, 0, 4);
        break;
    case 23:
        one_tensor(t, "a", 1, sixteen, 0, UINT64_C(1) << 62);
        break;
    case 24:
        two_tensors(t, "b", 0);
        break;
    case 25:
        two_tensors(t, "a", 64);
        break;
    case 26:
        one_tensor(t, long_name, 1, sixteen, 0, 0);
        break;
    case 27:
        gguf_begin(t, 3, 0, 1);
        gguf_key(t, "k", GGUF_BOOL);
        put_u8(t, 2);
        break;
    case 28:
        gguf_begin(t, 3, 0, 1);
        gguf_key(t, "k", 13);
        put_zeros(t, 8);
        break;
    case 29:
        gguf_begin(t, 3, 0, 1);
        gguf_key(t, "k", GGUF_ARRAY);
        put_u32(t, GGUF_U32);
        put_u64(t, UINT64_C(1) << 61);
        put_zeros(t, 8);
        break;
    case 30:
        gguf_begin(t, 3, 0, 1);
        gguf_pair_u32(t, "a\nb", 1);
        break;
    case 31:
        one_tensor(t, "a", 1, sixteen, 0, UINT64_C(1) << 63);
        break;
    default:
        break;
    }
}

Test(gguf, refused)
{
    static const char *const says[] = {
        "byte 0: is no GGUF file",
        "byte 4: GGUF version 0 is not supported",
        "byte 4: GGUF version 4 is not supported",
        "byte 4: the file is big-endian",
        "byte 8: the number of tensors is 9223372036854775807",
        "byte 8: the number of tensors is 18446744073709551615, beyond 63 bits",
        "byte 24: a key is said to have 18446744073709551615 bytes",
        "byte 37: 'k' is an array of arrays",
        "key 'k' is there twice",
        "byte 24: a key is empty",
        "'general.alignment' must be a power of two up to 2^20, not 0",
        "'general.alignment' must be a power of two up to 2^20, not 3",
        "'general.alignment' must be an unsigned number of 32 bits",
        "tensor 'a' has 5 dimensions",
        "tensor 'a' has a negative dimension",
        "tensor 'a' has more than 2^63 - 1 elements",
        "tensor 'a' has more than 2^63 - 1 bytes",
        "tensor 'a' has more than 2^63 - 1 bytes",
        "tensor 'a' is of type 999",
        "tensor 'a' is of type 4, which is unknown or was removed",
        "tensor 'a' is of type 4294967295",
        "tensor 'a' has rows that are no whole number of blocks",
        "tensor 'a' begins at 4 of the data, no multiple of 32",
        "tensor 'a' takes 64 bytes from 4611686018427387904",
        "tensor 'b' begins at byte 96, inside tensor 'a'",
        "tensor 'a' is there twice",
        "the name of a tensor has more than 63 bytes",
        "'k' is neither true nor false but 2",
        "'k' is of type 13, which there is not",
        "'k' is said to have 2305843009213693952 elements, more than the file holds",
        "a key has characters that no name has",
        "the offset of a tensor is 9223372036854775808, beyond 63 bits",
    };

    for (int i = 0; i < (int)(sizeof says / sizeof *says); i++) {
        sim_text t = {.length = 0};
        sim_arena arena;
        sim_gguf g;
        sim_err err;
        unsigned char *copy;

        write_bad(i, &t);
        cr_assert_eq(parse(&t, &copy, &arena, &g, &err), SIM_BAD_INPUT, "case %d", i);
        cr_assert_not_null(strstr(err.items[0].text, says[i]), "case %d says '%s' instead of '%s'", i,
                           err.items[0].text, says[i]);
        cr_assert(g.tensor_count == 0 && g.pair_count == 0);
        cr_assert_leq(arena.used_bytes, 8 * t.length + 256, "case %d takes %zu bytes of memory", i,
                      arena.used_bytes);
        free(copy);
        sim_arena_free(&arena);
        sim_text_free(&t);
    }
}

Test(gguf, all_slips_of_tensors_together)
{
    sim_text t = {.length = 0};
    sim_arena arena;
    sim_gguf g;
    sim_err err;
    unsigned char *copy;

    gguf_begin(&t, 2, 3, 0);
    gguf_tensor(&t, "a", 1, sixteen, 99, 0);
    gguf_tensor(&t, "b", 1, sixteen, 2, 0);
    gguf_tensor(&t, "c", 1, sixteen, 0, 5);
    cr_assert_eq(parse(&t, &copy, &arena, &g, &err), SIM_BAD_INPUT);
    cr_assert_eq(err.count, 3);
    free(copy);
    sim_arena_free(&arena);
    sim_text_free(&t);
}
