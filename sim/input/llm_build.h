/* What the parts of the expansion (llm.c, llm_attention.c, llm_latent.c, llm_state.c, llm_ffn.c) share: the
 * list of layers under construction, and how entries get into it. Private to these.
 *
 * Counts are never negative. One that does not fit 63 bits is noted (`overflow`, with the first layer it
 * happened in), replaced by 1, and the whole list is thrown away at the end; so is one that does not fit into
 * memory. Parts therefore check nothing. */
#ifndef SIM_INPUT_LLM_BUILD_H
#define SIM_INPUT_LLM_BUILD_H

#include "input/llm.h"
#include "input/llm_model.h"
#include "input/vector_ops.h"

/* Equal steps, one after another: each takes `tokens` new tokens of every sequence; the first of them finds
 * `past` in the cache. */
typedef struct sim_llm_pass {
    sim_phase phase; /* prefill or decode */
    int64_t past, tokens, steps;
    bool ends_prompt; /* its last step computes logits: of the last token of each sequence */
} sim_llm_pass;

typedef struct sim_llm_builder {
    const sim_llm_model *model;
    const sim_llm_request *request;
    sim_arena *arena;

    sim_layer *layers;
    int64_t count, room;
    sim_layer nowhere; /* what is added without memory; never read */
    char prefix[32];   /* "layers.12."; "" outside of the blocks */

    const sim_llm_pass *pass;
    bool first_pass, last_pass;
    int64_t batch;      /* sequences */
    int64_t tokens;     /* new tokens of a step, of all sequences */
    int64_t end_tokens; /* in the cache of a sequence when all passes are done */

    int64_t parameters, idle_parameters; /* idle: of experts that a token does not choose */
    int64_t cache_elements;
    bool overflow;
    const char *overflow_name; /* the first layer that does not fit; NULL: none of them alone */
    bool no_memory;
} sim_llm_builder;

/* ---- checked arithmetic ------------------------------------------------------------------------- */

int64_t sim_llm_product(sim_llm_builder *b, int64_t x, int64_t y);
int64_t sim_llm_sum(sim_llm_builder *b, int64_t x, int64_t y);

/* A number of operand tensors as sim_layer counts them; absurd ones are cut. */
int sim_llm_inputs(int64_t tensors);

/* ---- entries ------------------------------------------------------------------------------------- */

/* Takes room for so many more entries at once. */
void sim_llm_expect(sim_llm_builder *b, int64_t entries);

/* The next entry, called prefix + name; never NULL, valid until the next one. */
sim_layer *sim_llm_add(sim_llm_builder *b, const char *name, sim_op op, int64_t batch, int64_t m, int64_t n,
                       int64_t k);

/* `batch` products of m rows with static weights of out x in; a bias has out elements per product. */
sim_layer *sim_llm_add_static(sim_llm_builder *b, const char *name, int64_t batch, int64_t m, int64_t out,
                              int64_t in, bool bias);

/* One such product, of all tokens. */
sim_layer *sim_llm_add_linear(sim_llm_builder *b, const char *name, int64_t out, int64_t in, bool bias);

/* Products of two activations. */
sim_layer *sim_llm_add_dynamic(sim_llm_builder *b, const char *name, int64_t batch, int64_t m, int64_t n,
                               int64_t k);

/* A look-up of one row of `width` per token in a table of `rows`. */
sim_layer *sim_llm_add_embedding(sim_llm_builder *b, const char *name, int64_t width, int64_t rows);

sim_layer *sim_llm_add_vector(sim_llm_builder *b, const char *name, sim_op op, int64_t rows, int64_t width,
                              int inputs, double ops_per_element);

/* `params` parameters that the entry brings beside its weights. */
void sim_llm_add_params(sim_llm_builder *b, sim_layer *layer, int64_t params);

/* The model's norm, over its whole width; nothing for a NULL name. */
void sim_llm_add_norm(sim_llm_builder *b, const char *name);

/* The sum of `inputs` tensors of the model's width. */
void sim_llm_add_sum(sim_llm_builder *b, const char *name, int inputs);

/* ---- what entries are ----------------------------------------------------------------------------- */

/* Scores or their like: the extent `along` follows `reach`. Sets it, the mask and the steps. */
void sim_llm_attend(sim_llm_builder *b, sim_layer *layer, const sim_reach *reach, sim_along along);

/* The second operand is rows of the cache, of `row_elements` elements. */
void sim_llm_from_cache(sim_layer *layer, int64_t row_elements);

/* The entry holds `sets` sets (sequences times KV heads) of the rows of the cache that `reach` keeps, or
 * `sets` rows of a state (NULL). Counted in the last pass, when they are most. */
void sim_llm_hold(sim_llm_builder *b, sim_layer *layer, int64_t sets, const sim_reach *reach,
                  int64_t row_elements);

/* The mixer's reach in this pass. */
sim_reach sim_llm_reach(const sim_llm_builder *b, const sim_llm_mixer *mixer);

/* ---- the parts ------------------------------------------------------------------------------------ */

void sim_llm_add_attention(sim_llm_builder *b, const sim_llm_mixer *mixer);  /* llm_attention.c */
void sim_llm_add_mla(sim_llm_builder *b, const sim_llm_mixer *mixer);        /* llm_latent.c */
void sim_llm_add_compressed(sim_llm_builder *b, const sim_llm_mixer *mixer); /* llm_compressed.c */
void sim_llm_add_state(sim_llm_builder *b, const sim_llm_mixer *mixer);      /* llm_state.c */
void sim_llm_add_ffn(sim_llm_builder *b, const sim_llm_ffn *ffn);            /* llm_ffn.c */

/* The indexer's scores of all keys that `reach` shows, and its choice of them (llm_latent.c): queries of
 * index_heads x index_dim per token, one key of index_dim per row. */
void sim_llm_add_index(sim_llm_builder *b, const sim_llm_mixer *mixer, const sim_reach *reach);

#endif
