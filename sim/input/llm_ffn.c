/* Feed-forward networks, dense and of experts. Names and shapes: llm.h.
 *
 * Which experts a step needs depends on its tokens. With T tokens that choose k of E experts, each equally
 * likely and independently of the others, a given expert is chosen by none with probability (1 - k/E)^T, so
 *   active = E (1 - (1 - k/E)^T)
 * are expected to be read, rounded to the nearest whole number from k to E. Trained routers are close to
 * balanced by construction (a loss, or a bias that is corrected); skew reads fewer, with more tokens each.
 * The T k rows of work are exact whatever the choice. */
#include "input/llm_build.h"

#include <math.h>
#include <stdio.h>

/* x to the power n >= 0, by the same multiplications on every machine. */
static double power(double x, int64_t n)
{
    double y = 1;
    for (; n > 0; n /= 2) {
        if (n % 2 != 0)
            y *= x;
        x *= x;
    }
    return y;
}

static int64_t active_experts(const sim_llm_ffn *ffn, int64_t tokens)
{
    double experts = (double)ffn->experts;
    double expected = experts * (1 - power(1 - (double)ffn->top_k / experts, tokens));
    int64_t active = (int64_t)floor(expected + 0.5);
    if (active < ffn->top_k)
        return ffn->top_k;
    return active < ffn->experts ? active : ffn->experts;
}

/* ---- gate, up, activation, down -------------------------------------------------------------------- */

/* How the matrices of one network are multiplied: by all tokens, or as experts. */
typedef struct network {
    const sim_llm_ffn *ffn;
    const char *prefix; /* NULL: none */
    int64_t width;
    bool experts;
    int64_t active, rows; /* of experts: how many are read, and rows that each multiplies */
    int64_t chosen;       /* rows of work in all */
} network;

static const char *name_of(char out[64], const network *net, const char *name)
{
    if (net->prefix == NULL)
        return name;
    snprintf(out, 64, "%s.%s", net->prefix, name);
    return out;
}

static sim_layer *add_matrix(sim_llm_builder *b, const network *net, const char *name, int64_t out,
                             int64_t in)
{
    char whole[64];
    const sim_llm_ffn *ffn = net->ffn;
    name = name_of(whole, net, name);
    if (!net->experts)
        return sim_llm_add_linear(b, name, out, in, ffn->bias);
    int64_t matrix = sim_llm_product(b, out, in);
    int64_t one = sim_llm_sum(b, matrix, ffn->bias ? out : 0);
    sim_layer *layer = sim_llm_add(b, name, SIM_OP_MATMUL, net->active, net->rows, out, in);
    layer->weights = SIM_WEIGHTS_STATIC;
    layer->stored_batch = ffn->experts;
    if (net->chosen < sim_llm_product(b, net->active, net->rows))
        layer->needed_macs = sim_llm_product(b, net->chosen, matrix);
    if (!layer->later_pass) {
        b->parameters = sim_llm_sum(b, b->parameters, sim_llm_product(b, ffn->experts, matrix));
        b->idle_parameters =
            sim_llm_sum(b, b->idle_parameters, sim_llm_product(b, ffn->experts - ffn->top_k, one));
    }
    if (ffn->bias)
        sim_llm_add_params(b, layer, sim_llm_product(b, ffn->experts, out));
    return layer;
}

static void add_network(sim_llm_builder *b, const network *net)
{
    const sim_llm_ffn *ffn = net->ffn;
    int64_t hidden = b->model->hidden;
    char name[64];
    if (ffn->gated && b->request->merged) {
        add_matrix(b, net, "gate_up_proj", sim_llm_product(b, 2, net->width), hidden);
    } else {
        if (ffn->gated)
            add_matrix(b, net, ffn->gate_name, net->width, hidden);
        sim_layer *up = add_matrix(b, net, ffn->up_name, net->width, hidden);
        up->same_input = ffn->gated;
    }
    sim_llm_add_vector(b, name_of(name, net, "act"), SIM_OP_ELEMENTWISE, net->chosen, net->width,
                       ffn->gated ? 2 : 1, ffn->act_ops + (ffn->gated ? SIM_OPS_MULTIPLY : 0));
    add_matrix(b, net, ffn->down_name, hidden, net->width);
}

/* ---- mixtures of experts ---------------------------------------------------------------------------- */

static void add_router(sim_llm_builder *b, const sim_llm_ffn *ffn)
{
    sim_layer *router = sim_llm_add_linear(b, ffn->router_name, ffn->experts, b->model->hidden, false);
    sim_llm_add_params(b, router, ffn->router_bias ? ffn->experts : 0);
    sim_llm_add_params(b, router, ffn->router_scale_params);
    sim_llm_add_vector(b, "experts_topk", SIM_OP_SOFTMAX, b->tokens, ffn->experts, 1,
                       SIM_OPS_SOFTMAX + SIM_OPS_TOP_K);
}

static void add_experts(sim_llm_builder *b, const sim_llm_ffn *ffn)
{
    int64_t hidden = b->model->hidden;
    int64_t parts = ffn->top_k;
    double ops = (double)ffn->top_k * SIM_OPS_MULTIPLY;
    network net = {.ffn = ffn, .width = ffn->width, .chosen = b->tokens};

    if (ffn->width > 0) {
        add_network(b, &net);
        sim_llm_add_norm(b, ffn->dense_norm_name);
        parts++;
    }
    add_router(b, ffn);
    sim_llm_add_norm(b, ffn->experts_norm_name);
    net.prefix = ffn->experts_name;
    net.width = ffn->expert_width;
    net.experts = true;
    net.active = active_experts(ffn, b->tokens);
    net.chosen = sim_llm_product(b, b->tokens, ffn->top_k);
    net.rows = (net.chosen - 1) / net.active + 1;
    add_network(b, &net);
    if (ffn->shared_width > 0) {
        net = (network){
            .ffn = ffn, .prefix = ffn->shared_name, .width = ffn->shared_width, .chosen = b->tokens};
        add_network(b, &net);
        parts++;
        if (ffn->shared_gate) {
            char name[64];
            snprintf(name, sizeof name, "%s_gate", ffn->shared_name);
            sim_llm_add_linear(b, name, 1, hidden, false);
            ops += SIM_OPS_MULTIPLY;
        }
    }
    /* Each expert's output times its weight, and all of them, shared and dense ones too, summed. */
    sim_llm_add_vector(b, "experts_sum", SIM_OP_ELEMENTWISE, b->tokens, hidden, sim_llm_inputs(parts),
                       ops + (double)(parts - 1) * SIM_OPS_ADD);
    sim_llm_add_norm(b, ffn->experts_post_norm_name);
}

void sim_llm_add_ffn(sim_llm_builder *b, const sim_llm_ffn *ffn)
{
    const network dense = {.ffn = ffn, .width = ffn->width, .chosen = b->tokens};
    switch (ffn->kind) {
    case SIM_FFN_NONE:
        break;
    case SIM_FFN_DENSE:
        add_network(b, &dense);
        break;
    case SIM_FFN_MOE:
        add_experts(b, ffn);
        break;
    case SIM_FFN_LINEAR:
        sim_llm_add_linear(b, "linear_mlp", b->model->hidden, b->model->hidden, ffn->bias);
        break;
    }
}
