/* Tensors of checkpoints: how their elements are stored, and where. */
#ifndef SIM_FORMAT_TENSOR_H
#define SIM_FORMAT_TENSOR_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* How elements are stored. A block of `block_elements` takes `block_bytes`; plain types have blocks of one
 * element, or of as many as fill whole bytes. */
typedef struct sim_dtype {
    const char *name; /* as its format spells it: "BF16", "Q4_K" */
    int64_t block_elements, block_bytes;
    /* What a weight of this type is: "int", "fp", "bf", "fp8", "mxfp", "nvfp", or NULL where it is no number
     * that a weight has (booleans, complex numbers, indices of 32 bits and more). */
    const char *format;
    int bits;
    /* Elements along a row that share a scale (and a minimum), and the bits of these that each group takes:
     * block_bytes * 8 = block_elements * bits + block_elements / group * group_bits, but for TQ1_0, which
     * takes less. 0 and 0: none. */
    int group, group_bits;
} sim_dtype;

/* By the name that a safetensors header uses; NULL: unknown. Types after
 * https://github.com/huggingface/safetensors, safetensors/src/tensor.rs (enum Dtype). */
const sim_dtype *sim_dtype_of_safetensors(const char *name);

/* By the number that a GGUF file uses; NULL: unknown, or removed. Types and block layouts after
 * https://github.com/ggml-org/ggml, include/ggml.h (enum ggml_type) and src/ggml-common.h (block_*). */
const sim_dtype *sim_dtype_of_ggml(int64_t number);

typedef struct sim_tensor {
    const char *name;
    const sim_dtype *dtype;
    const int64_t *shape; /* outermost first, as in PyTorch: a linear is [outputs, inputs] */
    int rank;             /* 0: a scalar */
    int64_t elements, bytes;
    int64_t offset; /* of the first byte, from the beginning of the file */
    int file;       /* which file of a checkpoint */
} sim_tensor;

/* Elements and bytes of `t` from its shape and dtype. NULL: done; else what is wrong with it, as a sentence
 * without a subject ("has more than 2^63 - 1 elements"). A row is never split between blocks where
 * `whole_rows` says so (ggml). */
const char *sim_tensor_measure(sim_tensor *t, bool whole_rows);

/* Sorts by name. Names that are there twice are errors against `name`, the file. */
sim_status sim_tensors_sort(sim_tensor *tensors, int64_t count, const char *name, sim_err *err);

/* By name, among sorted ones; NULL: absent. */
const sim_tensor *sim_tensors_find(const sim_tensor *tensors, int64_t count, const char *name);

/* Sorts by offset, then checks that each tensor ends before the next begins: overlapping bytes are errors. */
sim_status sim_tensors_check_overlap(sim_tensor *tensors, int64_t count, const char *name, sim_err *err);

/* Whether text of a file is a name: not empty, UTF-8, without control characters. */
bool sim_is_name(const char *text, int64_t length);

#endif
