#include "format/tensor.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- types ----------------------------------------------------------------------------------------- */

static const sim_dtype safetensors_types[] = {
    {"BOOL", 1, 1, NULL, 0, 0, 0},         {"F4", 2, 1, "mxfp", 4, 0, 0},
    {"F6_E2M3", 4, 3, NULL, 0, 0, 0},      {"F6_E3M2", 4, 3, NULL, 0, 0, 0},
    {"U8", 1, 1, "int", 8, 0, 0},          {"I8", 1, 1, "int", 8, 0, 0},
    {"F8_E5M2", 1, 1, "fp8", 8, 0, 0},     {"F8_E4M3", 1, 1, "fp8", 8, 0, 0},
    {"F8_E8M0", 1, 1, NULL, 0, 0, 0},      {"F8_E4M3FNUZ", 1, 1, "fp8", 8, 0, 0},
    {"F8_E5M2FNUZ", 1, 1, "fp8", 8, 0, 0}, {"I16", 1, 2, "int", 16, 0, 0},
    {"U16", 1, 2, "int", 16, 0, 0},        {"F16", 1, 2, "fp", 16, 0, 0},
    {"BF16", 1, 2, "bf", 16, 0, 0},        {"I32", 1, 4, NULL, 0, 0, 0},
    {"U32", 1, 4, NULL, 0, 0, 0},          {"F32", 1, 4, "fp", 32, 0, 0},
    {"C64", 1, 8, NULL, 0, 0, 0},          {"F64", 1, 8, NULL, 0, 0, 0},
    {"I64", 1, 8, NULL, 0, 0, 0},          {"U64", 1, 8, NULL, 0, 0, 0},
};

/* By number; a hole is a type that was removed (its files cannot be read by anything of today). The group of
 * a K-quant is its sub-block, whose share of the block's scales is in group_bits. TQ1_0 packs five trits into
 * a byte, and is said to have the 2 bits that hold a trit by itself: the one type that its bits do not
 * describe. */
static const sim_dtype ggml_types[] = {
    [0] = {"F32", 1, 4, "fp", 32, 0, 0},          [1] = {"F16", 1, 2, "fp", 16, 0, 0},
    [2] = {"Q4_0", 32, 18, "int", 4, 32, 16},     [3] = {"Q4_1", 32, 20, "int", 4, 32, 32},
    [6] = {"Q5_0", 32, 22, "int", 5, 32, 16},     [7] = {"Q5_1", 32, 24, "int", 5, 32, 32},
    [8] = {"Q8_0", 32, 34, "int", 8, 32, 16},     [9] = {"Q8_1", 32, 36, "int", 8, 32, 32},
    [10] = {"Q2_K", 256, 84, "int", 2, 16, 10},   [11] = {"Q3_K", 256, 110, "int", 3, 16, 7},
    [12] = {"Q4_K", 256, 144, "int", 4, 32, 16},  [13] = {"Q5_K", 256, 176, "int", 5, 32, 16},
    [14] = {"Q6_K", 256, 210, "int", 6, 16, 9},   [15] = {"Q8_K", 256, 292, "int", 8, 16, 18},
    [16] = {"IQ2_XXS", 256, 66, "int", 2, 32, 2}, [17] = {"IQ2_XS", 256, 74, "int", 2, 32, 10},
    [18] = {"IQ3_XXS", 256, 98, "int", 3, 32, 2}, [19] = {"IQ1_S", 256, 50, "int", 1, 32, 18},
    [20] = {"IQ4_NL", 32, 18, "int", 4, 32, 16},  [21] = {"IQ3_S", 256, 110, "int", 3, 32, 14},
    [22] = {"IQ2_S", 256, 82, "int", 2, 32, 18},  [23] = {"IQ4_XS", 256, 136, "int", 4, 32, 8},
    [24] = {"I8", 1, 1, "int", 8, 0, 0},          [25] = {"I16", 1, 2, "int", 16, 0, 0},
    [26] = {"I32", 1, 4, NULL, 0, 0, 0},          [27] = {"I64", 1, 8, NULL, 0, 0, 0},
    [28] = {"F64", 1, 8, NULL, 0, 0, 0},          [29] = {"IQ1_M", 256, 56, "int", 1, 32, 24},
    [30] = {"BF16", 1, 2, "bf", 16, 0, 0},        [34] = {"TQ1_0", 256, 54, "int", 2, 256, 16},
    [35] = {"TQ2_0", 256, 66, "int", 2, 256, 16}, [39] = {"MXFP4", 32, 17, "mxfp", 4, 32, 8},
    [40] = {"NVFP4", 64, 36, "nvfp", 4, 16, 8},   [41] = {"Q1_0", 128, 18, "int", 1, 128, 16},
};

enum {
    SAFETENSORS_TYPES = sizeof safetensors_types / sizeof *safetensors_types,
    GGML_TYPES = sizeof ggml_types / sizeof *ggml_types
};

const sim_dtype *sim_dtype_of_safetensors(const char *name)
{
    for (int i = 0; i < SAFETENSORS_TYPES; i++)
        if (strcmp(safetensors_types[i].name, name) == 0)
            return &safetensors_types[i];
    return NULL;
}

const sim_dtype *sim_dtype_of_ggml(int64_t number)
{
    if (number < 0 || number >= GGML_TYPES || !ggml_types[number].name)
        return NULL;
    return &ggml_types[number];
}

/* ---- sizes ----------------------------------------------------------------------------------------- */

const char *sim_tensor_measure(sim_tensor *t, bool whole_rows)
{
    const sim_dtype *dtype = t->dtype;
    int64_t elements = 1;
    bool empty = false;

    for (int i = 0; i < t->rank; i++) {
        if (t->shape[i] < 0)
            return "has a negative dimension";
        empty |= t->shape[i] == 0;
    }
    /* An empty tensor may have other dimensions of any size: their product is nobody's. */
    for (int i = 0; i < t->rank && !empty; i++)
        if (__builtin_mul_overflow(elements, t->shape[i], &elements))
            return "has more than 2^63 - 1 elements";
    t->elements = empty ? 0 : elements;
    if (whole_rows && t->rank > 0 && t->shape[t->rank - 1] % dtype->block_elements != 0)
        return "has rows that are no whole number of blocks";
    if (t->elements % dtype->block_elements != 0)
        return whole_rows ? "is no whole number of blocks" : "does not fill its last byte";
    if (__builtin_mul_overflow(t->elements / dtype->block_elements, dtype->block_bytes, &t->bytes))
        return "has more than 2^63 - 1 bytes";
    return NULL;
}

/* ---- lists ----------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const sim_tensor *)a)->name, ((const sim_tensor *)b)->name);
}

/* Empty tensors come before what begins where they stand. */
static int by_offset(const void *a, const void *b)
{
    const sim_tensor *x = a, *y = b;

    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

sim_status sim_tensors_sort(sim_tensor *tensors, int64_t count, const char *name, sim_err *err)
{
    sim_status status = SIM_OK;

    if (count > 0)
        qsort(tensors, (size_t)count, sizeof *tensors, by_name);
    for (int64_t i = 1; i < count; i++)
        if (strcmp(tensors[i - 1].name, tensors[i].name) == 0)
            status = sim_fail(err, SIM_BAD_INPUT, name, 0, "tensor '%s' is there twice", tensors[i].name);
    return status;
}

const sim_tensor *sim_tensors_find(const sim_tensor *tensors, int64_t count, const char *name)
{
    const sim_tensor key = {.name = name};

    return count > 0 ? bsearch(&key, tensors, (size_t)count, sizeof *tensors, by_name) : NULL;
}

sim_status sim_tensors_check_overlap(sim_tensor *tensors, int64_t count, const char *name, sim_err *err)
{
    sim_status status = SIM_OK;

    if (count > 0)
        qsort(tensors, (size_t)count, sizeof *tensors, by_offset);
    for (int64_t i = 1; i < count; i++) {
        const sim_tensor *before = &tensors[i - 1], *t = &tensors[i];

        if (before->file == t->file && before->offset + before->bytes > t->offset)
            status = sim_fail(err, SIM_BAD_INPUT, name, 0,
                              "tensor '%s' begins at byte %" PRId64 ", inside tensor '%s' (bytes %" PRId64
                              " to %" PRId64 ")",
                              t->name, t->offset, before->name, before->offset,
                              before->offset + before->bytes - 1);
    }
    return status;
}

bool sim_is_name(const char *text, int64_t length)
{
    if (length <= 0)
        return false;
    while (length > 0) {
        int32_t c;
        size_t bytes = sim_utf8_next(text, (size_t)length, &c);

        if (c < 0x20 || c == 0x7f)
            return false;
        text += bytes;
        length -= (int64_t)bytes;
    }
    return true;
}
