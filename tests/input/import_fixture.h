/* Small models as files: the tensors of a Llama, as HF and as llama.cpp write them. */
#ifndef TEST_IMPORT_FIXTURE_H
#define TEST_IMPORT_FIXTURE_H

#include "input/import_workload.h"
#include "reference/checkpoint_writer.h"

/* A Llama of 2 blocks: hidden 256, FFN 512, 4 heads of 64, 2 KV heads, 100 tokens, an untied head. */
enum { TINY_HIDDEN = 256, TINY_FFN = 512, TINY_KV = 128, TINY_VOCAB = 100, TINY_BLOCKS = 2, TINY_MAX = 64 };

extern const char tiny_config[];
extern const char *const tiny_pairs[]; /* the same for write_gguf */

typedef struct tiny_tensors {
    written_tensor list[TINY_MAX];
    char names[2 * TINY_MAX][96];
    int count, named; /* names stay where they are */
} tiny_tensors;

/* Names "model.layers.0.self_attn.q_proj.weight"; all of type BF16. */
void tiny_hf(tiny_tensors *out);
/* Names "blk.0.attn_q.weight"; matrices of `type` with blocks of so many elements and bytes, norms F32. */
void tiny_gguf(tiny_tensors *out, uint32_t type, int64_t block_elements, int64_t block_bytes);

void tiny_add(tiny_tensors *t, const char *name, const char *dtype, int rank, int64_t a, int64_t b,
              int64_t bytes);
/* Takes the tensor of that name away, and says what was its shape. */
written_tensor tiny_take(tiny_tensors *t, const char *name);

typedef struct import_fixture {
    char folder[64];
    sim_arena arena;
    sim_text workload, policy;
    sim_err notes, err;
    sim_status status;
} import_fixture;

void import_begin(import_fixture *f); /* makes a folder */
void import_end(import_fixture *f);   /* and takes it away */
void import_put(import_fixture *f, const char *name, const char *content);
void import_put_safetensors(import_fixture *f, const char *name, const tiny_tensors *t);
void import_put_gguf(import_fixture *f, const char *name, const char *const *pairs, const tiny_tensors *t);
const char *import_path(import_fixture *f, const char *name); /* "": the folder itself */

/* Converts folder/name with these requests (NULL: none) and a policy. */
void import_convert(import_fixture *f, const char *name, const sim_workload_request *request);
/* Whether a note has this text in it. */
bool import_has_note(const import_fixture *f, const char *text);
/* Loads what was written, or a file of the folder. */
sim_workload import_workload(import_fixture *f, const sim_workload_request *request);
sim_workload import_direct(import_fixture *f, const char *name, const sim_workload_request *request);

#endif
