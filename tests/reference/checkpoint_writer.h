/* Writes small checkpoints, right and wrong ones: the tests' own, byte by byte. */
#ifndef REFERENCE_CHECKPOINT_WRITER_H
#define REFERENCE_CHECKPOINT_WRITER_H

#include "base/text.h"

#include <stdint.h>

/* ---- bytes ------------------------------------------------------------------------------------------- */

void put_u8(sim_text *t, unsigned value);
void put_u32(sim_text *t, uint32_t value);
void put_u64(sim_text *t, uint64_t value);
void put_zeros(sim_text *t, int64_t count);

/* ---- GGUF, piece by piece ---------------------------------------------------------------------------- */

enum { GGUF_U32 = 4, GGUF_F32 = 6, GGUF_BOOL = 7, GGUF_TEXT = 8, GGUF_ARRAY = 9, GGUF_U64 = 10 };

void gguf_begin(sim_text *t, uint32_t version, uint64_t tensors, uint64_t pairs);
void gguf_text(sim_text *t, const char *text); /* a length and as many bytes */
void gguf_key(sim_text *t, const char *key, uint32_t type);
void gguf_pair_u32(sim_text *t, const char *key, uint32_t value);
void gguf_pair_text(sim_text *t, const char *key, const char *value);
/* `sizes`: innermost dimension first, as in the file. */
void gguf_tensor(sim_text *t, const char *name, uint32_t rank, const uint64_t *sizes, uint32_t type,
                 uint64_t offset);
void gguf_align(sim_text *t, int64_t alignment);

/* ---- whole files ------------------------------------------------------------------------------------- */

/* A tensor, outermost dimension first; rank up to 4. Its bytes are given, since types that no reader knows
 * have no others. */
typedef struct written_tensor {
    const char *name;
    const char *dtype; /* safetensors */
    uint32_t type;     /* GGUF */
    int rank;
    int64_t shape[4];
    int64_t bytes;
} written_tensor;

/* A safetensors file of zeros. */
void write_safetensors(sim_text *t, const written_tensor *tensors, int count);
/* A GGUF file of zeros; `pairs`: key, value, key, value..., NULL; values of digits are numbers of 32 bits. */
void write_gguf(sim_text *t, const char *const *pairs, const written_tensor *tensors, int count);

/* Writes the text into a file and frees it; false on failure. */
bool save_file(sim_text *t, const char *folder, const char *name);

#endif
