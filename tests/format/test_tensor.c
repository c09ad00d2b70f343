#include "format/tensor.h"

#include <criterion/criterion.h>
#include <string.h>

/* Bits, groups and what a group takes add up to the bytes of a block: else a policy made of a checkpoint
 * would have other bytes than the checkpoint. */
Test(tensor, ggml_blocks_add_up)
{
    int types = 0, grouped = 0;

    for (int64_t i = -1; i < 64; i++) {
        const sim_dtype *d = sim_dtype_of_ggml(i);

        if (!d)
            continue;
        types++;
        if (!d->format || strcmp(d->name, "TQ1_0") == 0)
            continue;
        if (d->group == 0) {
            cr_assert_eq(d->block_bytes * 8, d->block_elements * d->bits, "%s", d->name);
            continue;
        }
        grouped++;
        cr_assert_eq(d->block_elements % d->group, 0, "%s", d->name);
        cr_assert_eq(d->block_bytes * 8,
                     d->block_elements * d->bits + d->block_elements / d->group * d->group_bits, "%s",
                     d->name);
    }
    cr_assert_eq(types, 34);
    cr_assert_eq(grouped, 25);
    cr_assert_null(sim_dtype_of_ggml(4), "Q4_2 was removed");
    cr_assert_null(sim_dtype_of_ggml(31), "Q4_0_4_4 was removed");
    cr_assert_null(sim_dtype_of_ggml(INT64_MAX));
}

/* Bits per weight as llama.cpp documents them. */
Test(tensor, ggml_bits_per_weight)
{
    static const struct {
        int64_t type;
        double bits;
    } known[] = {{2, 4.5},     {3, 5.0},     {6, 5.5},     {8, 8.5},     {10, 2.625},  {11, 3.4375},
                 {12, 4.5},    {13, 5.5},    {14, 6.5625}, {16, 2.0625}, {17, 2.3125}, {18, 3.0625},
                 {19, 1.5625}, {20, 4.5},    {21, 3.4375}, {22, 2.5625}, {23, 4.25},   {29, 1.75},
                 {34, 1.6875}, {35, 2.0625}, {39, 4.25},   {40, 4.5},    {0, 32},      {30, 16}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const sim_dtype *d = sim_dtype_of_ggml(known[i].type);

        cr_assert_not_null(d);
        cr_assert_eq((double)d->block_bytes * 8 / (double)d->block_elements, known[i].bits, "%s", d->name);
    }
}

Test(tensor, safetensors_types)
{
    static const char *const names[] = {"BOOL",    "F4",      "F6_E2M3", "F6_E3M2", "U8",  "I8",   "F8_E5M2",
                                        "F8_E4M3", "F8_E8M0", "I16",     "U16",     "F16", "BF16", "I32",
                                        "U32",     "F32",     "C64",     "F64",     "I64", "U64"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const sim_dtype *d = sim_dtype_of_safetensors(names[i]);

        cr_assert_not_null(d, "%s", names[i]);
        cr_assert(!d->format || d->block_bytes * 8 == d->block_elements * d->bits, "%s", names[i]);
    }
    cr_assert_null(sim_dtype_of_safetensors("f32"));
    cr_assert_null(sim_dtype_of_safetensors(""));
}

Test(tensor, measure)
{
    const int64_t empty[] = {INT64_MAX, 0, INT64_MAX}, rows[] = {2, 48}, flat[] = {96}, odd[] = {3, 3};
    sim_tensor t = {.name = "t", .dtype = sim_dtype_of_safetensors("F32"), .shape = empty, .rank = 3};

    cr_assert_null(sim_tensor_measure(&t, false), "nothing overflows where there is nothing");
    cr_assert(t.elements == 0 && t.bytes == 0);
    t = (sim_tensor){.name = "t", .dtype = sim_dtype_of_ggml(2), .shape = rows, .rank = 2};
    cr_assert_not_null(sim_tensor_measure(&t, true), "a row of 48 is one block and a half");
    t.shape = flat;
    t.rank = 1;
    cr_assert_null(sim_tensor_measure(&t, true));
    cr_assert(t.elements == 96 && t.bytes == 54);
    t = (sim_tensor){.name = "t", .dtype = sim_dtype_of_safetensors("F4"), .shape = odd, .rank = 2};
    cr_assert_not_null(sim_tensor_measure(&t, false));
}

Test(tensor, names)
{
    cr_assert(sim_is_name("model.layers.0", 14));
    cr_assert(sim_is_name("\xc3\xa4", 2));
    cr_assert_not(sim_is_name("", 0));
    cr_assert_not(sim_is_name("a\0b", 3));
    cr_assert_not(sim_is_name("a\x7f", 2));
    cr_assert_not(sim_is_name("\xc3", 1));
}
