/* GGUF, versions 2 and 3: metadata and tensors of a file.
 *
 * A file is, all little-endian: "GGUF", version, number of tensors, number of pairs; the pairs (key, type,
 * value); the tensors' names, shapes, types and offsets; then, aligned, the data, which offsets count from
 * (https://github.com/ggml-org/ggml, docs/gguf.md). */
#ifndef SIM_FORMAT_GGUF_H
#define SIM_FORMAT_GGUF_H

#include "format/tensor.h"

#include <stddef.h>

/* The numbers that files use. */
typedef enum sim_gguf_type {
    SIM_GGUF_U8,
    SIM_GGUF_I8,
    SIM_GGUF_U16,
    SIM_GGUF_I16,
    SIM_GGUF_U32,
    SIM_GGUF_I32,
    SIM_GGUF_F32,
    SIM_GGUF_BOOL,
    SIM_GGUF_TEXT,
    SIM_GGUF_ARRAY,
    SIM_GGUF_U64,
    SIM_GGUF_I64,
    SIM_GGUF_F64,
    SIM_GGUF_TYPES
} sim_gguf_type;

/* Bytes of one value; the least, of a text or an array (their lengths). */
int sim_gguf_type_bytes(sim_gguf_type type);

typedef struct sim_gguf_pair {
    const char *key;
    sim_gguf_type type; /* of the value, or of the elements of an array; never SIM_GGUF_ARRAY */
    bool is_array;
    int64_t count;             /* elements; 1 of what is no array */
    const unsigned char *data; /* the first element, in the file: unaligned, texts with their lengths */
    const char *text;          /* of a text that is no array: a copy, up to its first NUL */
} sim_gguf_pair;

typedef struct sim_gguf {
    int64_t version, alignment_bytes;
    sim_gguf_pair *pairs; /* sorted by key */
    int64_t pair_count;
    sim_tensor *tensors; /* sorted by name; shapes outermost first; offsets from the beginning of the file */
    int64_t tensor_count;
    int64_t data_offset;
} sim_gguf;

/* Reads a file of `bytes` bytes at `data`, which must stay there for as long as pairs are read; `name` is the
 * file's, for messages, which say at which byte. SIM_BAD_INPUT, SIM_NO_MEMORY; on failure `out` is empty. */
sim_status sim_gguf_parse(const unsigned char *data, int64_t bytes, const char *name, sim_arena *arena,
                          sim_gguf *out, sim_err *err);

const sim_gguf_pair *sim_gguf_get(const sim_gguf *gguf, const char *key); /* NULL: absent */
const char *sim_gguf_text(const sim_gguf *gguf, const char *key);         /* NULL: absent, or no text */

/* Element `index` of a pair as an integer, a real number or a truth; false when there is none such, its type
 * is another, or it does not fit. Integers are also real numbers. */
bool sim_gguf_int(const sim_gguf_pair *pair, int64_t index, int64_t *out);
bool sim_gguf_real(const sim_gguf_pair *pair, int64_t index, double *out);
bool sim_gguf_bool(const sim_gguf_pair *pair, int64_t index, bool *out);

#endif
