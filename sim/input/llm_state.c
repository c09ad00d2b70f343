/* Token mixers with a state in place of a cache: the gated delta rule (Qwen3-Next; Yang, Kautz and
 * Hatamizadeh, arXiv 2412.06464) and Mamba 2 (Dao and Gu, arXiv 2405.21060).
 *
 * Each of `value_heads` heads keeps a matrix S of key_dim x value_dim elements (Mamba: state size x head
 * dimension; a group of heads shares keys and queries, there called B and C). A token with key k, value v,
 * query q and decay g does
 *   delta rule   d = beta (v - g S'k),  S <- g S + k d',  o = S'q
 *   Mamba 2      d = dt v,              S <- g S + k d',  o = S'q + D v
 *
 * One token (decode). Since S'q after the update is g S'q before it plus (k'q) d, one product with the old
 * state gives all that is needed of it (state_read: rows k and q; of Mamba q alone), and the outer product k
 * d' renews it (state_update): the state is read and written once.
 *
 * Several tokens go in chunks of C, in matrix form:
 *   state_scores   Q K', and of the delta rule K K' (Mamba: once per group): lower triangles, key_dim deep
 *   state_inverse  delta rule: inverse of the unit lower triangle that the rule makes of K K',
 *                  C (C-1) (C-2) / 6 multiply-accumulates
 *   state_wy       delta rule: that inverse times keys and values, key_dim + value_dim columns
 *   state_read     the keys that come of it (delta rule) and the queries, times S
 *   state_out      scores times new values: a lower triangle times value_dim columns
 *   state_update   K' times new values: key_dim x value_dim, C deep
 * A lower triangle is C (C+1) / 2 cells, or C (C-1) / 2 where its diagonal is not needed (K K') or is 1 (the
 * inverse). The state stays on chip from chunk to chunk, and so does what one of these leaves for the next:
 * the state is read and written once per step.
 *
 * State and convolution tail are stored like the KV cache, at kv bits, and are counted with it. */
#include "input/llm_build.h"

#include "model/reach.h"

enum { CHUNK_OTHERWISE = 64, MIX_OPS = 6 };

typedef struct sizes {
    bool delta;
    int64_t key_heads, key_dim, heads, value_dim; /* heads: of values and of the state */
    int64_t keys, values;                         /* widths: of all keys, of all values */
    int64_t states;                               /* heads of all sequences */
    int64_t chunks, chunk;                        /* of a pass: how many per sequence, and tokens of one */
    int64_t pairs;                                /* in the chunks of one sequence, diagonal included */
    int64_t triples;                              /* i > l > j in the chunks of one sequence */
} sizes;

/* n (n-1) (n-2) / 6: the triples of n. */
static int64_t triples_of(sim_llm_builder *b, int64_t n)
{
    int64_t pairs = n % 2 == 0 ? sim_llm_product(b, n / 2, n - 1) : sim_llm_product(b, n, (n - 1) / 2);
    if (n < 3)
        return 0;
    /* of pairs = n (n-1) / 2 and n - 2 one is a multiple of 3 */
    return pairs % 3 == 0 ? sim_llm_product(b, pairs / 3, n - 2) : sim_llm_product(b, pairs, (n - 2) / 3);
}

static sizes sizes_of(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    int64_t tokens = b->pass->tokens;
    sizes s = {
        .delta = mixer->kind == SIM_MIXER_DELTA,
        .key_heads = mixer->key_heads,
        .key_dim = mixer->key_dim,
        .heads = mixer->value_heads,
        .value_dim = mixer->value_dim,
        .chunk = mixer->state_chunk > 0 ? mixer->state_chunk : CHUNK_OTHERWISE,
    };
    s.keys = sim_llm_product(b, s.key_heads, s.key_dim);
    s.values = sim_llm_product(b, s.heads, s.value_dim);
    s.states = sim_llm_product(b, b->batch, s.heads);
    if (s.chunk > tokens)
        s.chunk = tokens;
    s.chunks = (tokens - 1) / s.chunk + 1;
    const sim_reach reach = {.new_tokens = tokens, .chunk = s.chunk, .masked = true};
    s.pairs = sim_reach_pairs(&reach, 0);
    if (s.pairs < 0) {
        b->overflow = true;
        s.pairs = 1;
    }
    s.triples = sim_llm_sum(b, sim_llm_product(b, tokens / s.chunk, triples_of(b, s.chunk)),
                            triples_of(b, tokens % s.chunk));
    return s;
}

/* ---- before and after the state ---------------------------------------------------------------------- */

/* The depthwise convolution over time, over `channels` channels, and its activation. It needs the last
 * conv_kernel - 1 tokens of each sequence; a decode step reads them with its own. */
static void add_convolution(sim_llm_builder *b, const sim_llm_mixer *mixer, int64_t channels)
{
    int64_t taps = mixer->conv_kernel;
    int64_t tail = sim_llm_product(b, b->batch, taps - 1);
    double ops = (double)taps * (SIM_OPS_MULTIPLY + SIM_OPS_ADD) + SIM_OPS_SILU;
    sim_layer *conv = sim_llm_add_vector(b, "conv1d", SIM_OP_ELEMENTWISE, b->tokens, channels,
                                         b->pass->tokens == 1 ? sim_llm_inputs(taps) : 1, ops);
    sim_llm_add_params(b, conv, sim_llm_product(b, channels, taps));
    sim_llm_add_params(b, conv, mixer->conv_bias ? channels : 0);
    sim_llm_hold(b, conv, tail, NULL, channels);
}

static void add_inputs(sim_llm_builder *b, const sim_llm_mixer *mixer, const sizes *s)
{
    int64_t hidden = b->model->hidden;
    int64_t mixed = sim_llm_sum(b, sim_llm_product(b, 2, s->keys), s->values); /* q, k, v */
    int64_t gated = sim_llm_sum(b, mixed, s->values);                          /* and z */
    if (s->delta) {
        sim_llm_add_linear(b, "in_proj_qkvz", gated, hidden, mixer->in_out_bias);
        sim_layer *rates =
            sim_llm_add_linear(b, "in_proj_ba", sim_llm_product(b, 2, s->heads), hidden, mixer->in_out_bias);
        rates->same_input = true;
    } else {
        sim_llm_add_linear(b, "in_proj", sim_llm_sum(b, gated, s->heads), hidden, mixer->in_out_bias);
    }
    add_convolution(b, mixer, mixed);
    if (s->delta) /* queries and keys of length 1 */
        sim_llm_add_vector(b, "qk_norm", SIM_OP_NORM,
                           sim_llm_product(b, sim_llm_product(b, 2, b->tokens), s->key_heads), s->key_dim, 1,
                           SIM_OPS_RMS_NORM - SIM_OPS_MULTIPLY);
    /* g = exp(-exp(A) softplus(a + bias)), beta = sigmoid(b); of Mamba dt = softplus(..), and D for later */
    sim_layer *rates =
        sim_llm_add_vector(b, "state_rates", SIM_OP_ELEMENTWISE, b->tokens, s->heads, s->delta ? 2 : 1,
                           SIM_OPS_ADD + SIM_OPS_SOFTPLUS + SIM_OPS_MULTIPLY + 1 +
                               (s->delta ? SIM_OPS_SIGMOID : SIM_OPS_MULTIPLY));
    sim_llm_add_params(b, rates, sim_llm_product(b, s->delta ? 2 : 3, s->heads));
}

/* Gated norm and output projection. Its weight: one for all heads (delta rule), or one per channel. */
static void add_outputs(sim_llm_builder *b, const sim_llm_mixer *mixer, const sizes *s)
{
    sim_layer *norm =
        sim_llm_add_vector(b, "state_norm", SIM_OP_NORM, sim_llm_product(b, b->tokens, s->heads),
                           s->value_dim, 2, SIM_OPS_RMS_NORM + SIM_OPS_SILU + SIM_OPS_MULTIPLY);
    sim_llm_add_params(b, norm, s->delta ? s->value_dim : s->values);
    sim_llm_add_linear(b, "out_proj", b->model->hidden, s->values, mixer->in_out_bias);
}

/* ---- the state --------------------------------------------------------------------------------------- */

/* `rows` vectors of each head, times its state as the pass finds it. */
static void add_read(sim_llm_builder *b, const sizes *s, int64_t rows, bool from_chip)
{
    sim_layer *read = sim_llm_add_dynamic(b, "state_read", s->states, rows, s->value_dim, s->key_dim);
    sim_llm_from_cache(read, s->value_dim);
    sim_llm_hold(b, read, sim_llm_product(b, s->states, s->key_dim), NULL, s->value_dim);
    read->a_on_chip = from_chip;
    read->out_on_chip = true;
}

static void add_update(sim_llm_builder *b, const sizes *s)
{
    sim_layer *update =
        sim_llm_add_dynamic(b, "state_update", s->states, s->key_dim, s->value_dim, b->pass->tokens);
    update->a_on_chip = true;
    update->w_on_chip = true;
    update->kv_outputs = s->value_dim;
    /* g S, before the product is added to it */
    sim_layer *decay =
        sim_llm_add_vector(b, "state_decay", SIM_OP_ELEMENTWISE,
                           sim_llm_product(b, sim_llm_product(b, s->states, s->chunks), s->key_dim),
                           s->value_dim, 1, SIM_OPS_MULTIPLY);
    decay->a_on_chip = true;
    decay->out_on_chip = true;
}

/* New values and outputs out of the state's answers: six operations per element, in both rules and forms. */
static void add_mix(sim_llm_builder *b, const sizes *s, bool to_chip)
{
    sim_layer *mix = sim_llm_add_vector(b, "state_mix", SIM_OP_ELEMENTWISE, b->tokens, s->values, 1, MIX_OPS);
    mix->a_on_chip = true;
    mix->out_on_chip = to_chip;
}

/* ---- one token, and chunks --------------------------------------------------------------------------- */

static void add_one_token(sim_llm_builder *b, const sizes *s)
{
    add_read(b, s, s->delta ? 2 : 1, false);
    add_mix(b, s, false);
    add_update(b, s);
}

/* Of the m x n (along n) or m x k (along k) cells of all products only `needed` count. */
static void keep_cells(sim_llm_builder *b, sim_layer *layer, sim_along along, int64_t needed)
{
    int64_t rows = sim_llm_product(b, layer->m, layer->batch);
    bool n = along == SIM_ALONG_N;
    if (needed >= sim_llm_product(b, rows, n ? layer->n : layer->k))
        return;
    layer->needed_macs = layer->op == SIM_OP_MATMUL ? sim_llm_product(b, needed, n ? layer->k : layer->n) : 0;
    layer->map_n = n ? (needed - 1) / rows + 1 : 0;
    layer->map_k = n ? 0 : (needed - 1) / rows + 1;
}

static void add_scores(sim_llm_builder *b, const sizes *s)
{
    int64_t heads = sim_llm_product(b, b->batch, s->delta ? s->heads : s->key_heads);
    int64_t kinds = s->delta ? 2 : 1;
    /* of K K' the diagonal is not needed */
    int64_t pairs = sim_llm_sum(b, s->pairs, s->delta ? s->pairs - b->pass->tokens : 0);
    sim_layer *scores = sim_llm_add_dynamic(b, "state_scores", sim_llm_product(b, heads, s->chunks),
                                            sim_llm_product(b, kinds, s->chunk), s->chunk, s->key_dim);
    scores->w_on_chip = s->delta; /* the keys are among its inputs */
    scores->out_on_chip = true;
    keep_cells(b, scores, SIM_ALONG_N, sim_llm_product(b, pairs, heads));
    /* times the decay from token to token: difference, exponential, product */
    sim_layer *decays = sim_llm_add_vector(
        b, "state_decays", SIM_OP_ELEMENTWISE,
        sim_llm_product(b, sim_llm_product(b, kinds, s->states), sim_llm_product(b, s->chunks, s->chunk)),
        s->chunk, 1, SIM_OPS_ADD + 1 + SIM_OPS_MULTIPLY);
    decays->a_on_chip = true;
    decays->out_on_chip = true;
    keep_cells(b, decays, SIM_ALONG_N, sim_llm_product(b, pairs, s->states));
}

/* The delta rule's part: what each token of a chunk changes for the later ones of it. */
static void add_corrections(sim_llm_builder *b, const sizes *s)
{
    int64_t products = sim_llm_product(b, s->states, s->chunks);
    if (s->triples > 0) {
        sim_layer *inverse = sim_llm_add_dynamic(b, "state_inverse", products, s->chunk, s->chunk, s->chunk);
        inverse->a_on_chip = true;
        inverse->w_on_chip = true;
        inverse->out_on_chip = true;
        inverse->needed_macs = sim_llm_product(b, s->triples, s->states);
        inverse->map_k = (inverse->needed_macs - 1) /
                             sim_llm_product(b, sim_llm_product(b, s->chunk, s->chunk), products) +
                         1;
    }
    if (s->pairs == b->pass->tokens) /* chunks of one token: nothing comes before it */
        return;
    sim_layer *wy = sim_llm_add_dynamic(b, "state_wy", products, s->chunk,
                                        sim_llm_sum(b, s->key_dim, s->value_dim), s->chunk);
    wy->a_on_chip = true;
    wy->out_on_chip = true;
    keep_cells(b, wy, SIM_ALONG_K,
               sim_llm_product(b, s->pairs - b->pass->tokens, s->states)); /* unit diagonal */
}

static void add_chunks(sim_llm_builder *b, const sizes *s)
{
    int64_t products = sim_llm_product(b, s->states, s->chunks);
    add_scores(b, s);
    if (s->delta)
        add_corrections(b, s);
    add_read(b, s, sim_llm_product(b, s->delta ? 2 : 1, b->pass->tokens), true);
    add_mix(b, s, true);
    sim_layer *out = sim_llm_add_dynamic(b, "state_out", products, s->chunk, s->value_dim, s->chunk);
    out->a_on_chip = true;
    out->w_on_chip = s->delta;
    keep_cells(b, out, SIM_ALONG_K, sim_llm_product(b, s->pairs, s->states));
    add_update(b, s);
}

void sim_llm_add_state(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    sizes s = sizes_of(b, mixer);
    add_inputs(b, mixer, &s);
    if (b->pass->tokens == 1)
        add_one_token(b, &s);
    else
        add_chunks(b, &s);
    add_outputs(b, mixer, &s);
}
