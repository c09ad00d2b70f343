/* What other estimators say of the same work, and why where it differs.
 *
 * All of them are rooflines, on the same machine with efficiencies 1: time of an operation = the larger of
 * operations / peak and bytes / bandwidth, summed. Here the roofline stands on simacc's own layers. Next to
 * it: the same with what a peer counts otherwise, each departure read in its source. If simacc's count is
 * right and the departures are the whole difference, the peer's figure comes out. */
#include "explore/ledger.h"
#include "input/llm.h"

#include <math.h>
#include <string.h>

/* NVIDIA A100 40 GB as all four peers have it; INT8 twice, INT4 four times the rate. */
static const double fp16_ops_per_s = 312e12, bytes_per_s = 1555e9;

typedef enum departure {
    FULL_SQUARE = 1,        /* prefill attention counts the masked half too */
    LOGITS_OF_ALL = 2,      /* lm_head over every token of a prompt */
    EMBEDDING_AS_GEMM = 4,  /* vocabulary x hidden multiplied per token of a prompt */
    CACHE_TWICE = 8,        /* the KV cache is read twice in a step */
    HEAD_AT_16 = 16,        /* lm_head stays at 16 bits whatever the weights have */
    ALWAYS_GATED = 32,      /* every feed-forward network gets a gate */
    OWN_ACTIVATIONS = 64,   /* LLM-Viewer's list of tensors, its attention and its vector operations */
    KERNEL_OVERHEADS = 128, /* LLMCompass: 21 us per product, 45 per norm and activation, 12 per softmax */
} departure;

typedef struct peer {
    const char *name, *words;
    int prefill, decode; /* departures */
    bool prefill_is_own; /* its prefill is no roofline: not compared */
} peer;

static const peer peers[] = {
    {"GenZ", "a full square of attention, logits of all tokens, the embedding as a product",
     FULL_SQUARE | LOGITS_OF_ALL | EMBEDDING_AS_GEMM, 0, false},
    {"LLM-Viewer", "its own tensors, its attention outputs, vector operations on hidden, a gate in OPT",
     FULL_SQUARE | ALWAYS_GATED | OWN_ACTIVATIONS, ALWAYS_GATED | OWN_ACTIVATIONS, false},
    {"llm-analysis", "a full square, logits of all tokens, the cache read twice, lm_head at 16 bits",
     FULL_SQUARE | LOGITS_OF_ALL | HEAD_AT_16, CACHE_TWICE | HEAD_AT_16, false},
    {"LLMCompass", "decode with its fixed overheads per kernel (its prefill has a mapper of its own)", 0,
     KERNEL_OVERHEADS, true},
};

typedef struct model {
    const char *name, *config;
} model;

static const model models[] = {
    {"Llama-2-7B", "{\"model_type\": \"llama\", \"hidden_size\": 4096, \"intermediate_size\": 11008, "
                   "\"num_hidden_layers\": 32, \"num_attention_heads\": 32, \"vocab_size\": 32000}"},
    {"Llama-2-13B", "{\"model_type\": \"llama\", \"hidden_size\": 5120, \"intermediate_size\": 13824, "
                    "\"num_hidden_layers\": 40, \"num_attention_heads\": 40, \"vocab_size\": 32000}"},
    {"OPT-6.7B", "{\"model_type\": \"opt\", \"hidden_size\": 4096, \"ffn_dim\": 16384, "
                 "\"num_hidden_layers\": 32, \"num_attention_heads\": 32, \"vocab_size\": 50272, "
                 "\"max_position_embeddings\": 2048}"},
};

/* One row of peers.csv. */
typedef struct estimate {
    const char *peer, *model;
    sim_llm_request request;
    int64_t tokens; /* in the cache, or of the prompt */
    double w_bytes, a_bytes, kv_bytes;
    bool flash;
    double latency_s;
} estimate;

/* ---- the roofline -------------------------------------------------------------------------------- */

typedef struct roofline {
    const estimate *e;
    double ops_per_s;
    int departures;
} roofline;

static double time_of(const roofline *r, double ops, double bytes)
{
    return fmax(ops / r->ops_per_s, bytes / bytes_per_s);
}

static double linear_s(const roofline *r, const sim_layer *l, double w_bytes)
{
    double m = (double)l->m, n = (double)l->n, k = (double)l->k, bytes = n * k * w_bytes;

    if (r->departures & OWN_ACTIVATIONS)
        bytes += m * (n + k) * r->e->a_bytes;
    return time_of(r, 2 * m * n * k, bytes);
}

/* Of LLM-Viewer, lm_head has half its operations and the activations of one sequence. */
static double head_s(const roofline *r, const sim_layer *l)
{
    double m = (double)l->m, n = (double)l->n, k = (double)l->k;
    double bytes = n * k * r->e->w_bytes;

    if (r->departures & LOGITS_OF_ALL)
        m *= (double)r->e->tokens;
    if (r->departures & HEAD_AT_16)
        return fmax(2 * m * n * k / fp16_ops_per_s, 2 * n * k / bytes_per_s);
    if (r->departures & OWN_ACTIVATIONS)
        return time_of(r, m * n * k, bytes + (n + k) * r->e->a_bytes);
    return time_of(r, 2 * m * n * k, bytes);
}

static double attention_s(const roofline *r, const sim_layer *qk)
{
    double macs = qk->needed_macs > 0 ? (double)qk->needed_macs
                                      : (double)qk->m * (double)qk->n * (double)qk->k * (double)qk->batch;
    double cache = 2 * (double)qk->n * (double)qk->k * (double)qk->batch * r->e->kv_bytes;

    return time_of(r, 4 * macs, r->departures & CACHE_TWICE ? 2 * cache : cache);
}

/* LLM-Viewer's: a step sees the cache without its own token; without flash attention scores go through
 * memory; with it keys and values are read again for each 128 queries and the output has the scores' size. */
static double viewer_attention_s(const roofline *r, const sim_layer *qk)
{
    double heads = (double)qk->batch, rows = (double)qk->m, depth = (double)qk->k;
    double keys = (double)r->e->tokens;
    double product = 2 * rows * keys * depth * heads, scores = rows * keys * heads;
    double queries = rows * depth * heads * r->e->a_bytes, cache = keys * depth * heads * r->e->kv_bytes;

    if (r->e->flash)
        return time_of(r, 2 * product + 5 * scores,
                       queries + 2 * scores * r->e->a_bytes + 2 * ceil(rows / 128) * cache);
    return 2 * time_of(r, product, queries + scores * r->e->a_bytes + cache) +
           time_of(r, 5 * scores, 2 * scores * r->e->a_bytes);
}

/* LLM-Viewer's norms, residual additions and activation, all `hidden` wide: 2 tensors for each of the four
 * and 3 for the last. */
static double viewer_vectors_s(const roofline *r, const sim_layer *q_proj)
{
    return time_of(r, 0, (4 * 2 + 3) * (double)q_proj->m * (double)q_proj->k * r->e->a_bytes);
}

static bool is_called(const sim_layer *layer, const char *name)
{
    const char *last = strrchr(layer->name, '.');

    return strcmp(last ? last + 1 : layer->name, name) == 0;
}

static double layer_s(const roofline *r, const sim_layer *l)
{
    const bool overheads = r->departures & KERNEL_OVERHEADS, viewer = r->departures & OWN_ACTIVATIONS;
    double s = 0;

    if (l->op == SIM_OP_MATMUL && l->weights == SIM_WEIGHTS_STATIC)
        s = is_called(l, "lm_head") ? head_s(r, l) : linear_s(r, l, r->e->w_bytes);
    else if (is_called(l, "qk"))
        s = viewer ? viewer_attention_s(r, l) : attention_s(r, l);
    if (viewer && is_called(l, "q_proj"))
        s += viewer_vectors_s(r, l);
    if ((r->departures & ALWAYS_GATED) && is_called(l, "fc1"))
        s *= 2;
    if ((r->departures & EMBEDDING_AS_GEMM) && is_called(l, "embed"))
        s += time_of(r, 2 * (double)l->m * (double)l->n * (double)l->k,
                     (double)l->n * (double)l->k * r->e->w_bytes);
    if (overheads && strncmp(l->name, "layers.", 7) == 0) {
        if (l->op == SIM_OP_MATMUL)
            s += 21e-6;
        else if (l->op == SIM_OP_NORM || is_called(l, "act"))
            s += 45e-6;
        else if (l->op == SIM_OP_SOFTMAX)
            s += 12e-6;
    }
    return s;
}

/* Seconds of the whole on simacc's layers, with these departures. */
static sim_status estimate_of(const sim_ledger_context *context, const estimate *e, int departures,
                              double *out, sim_err *err)
{
    const double widest = fmax(fmax(e->w_bytes, e->a_bytes), e->kv_bytes);
    roofline r = {e, fp16_ops_per_s * (widest > 1 ? 1 : widest > 0.5 ? 2 : 4), departures};
    sim_llm_request request = e->request;
    sim_workload workload;
    const sim_json *config;
    const model *of = NULL;
    sim_status status;

    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (strcmp(models[i].name, e->model) == 0)
            of = &models[i];
    if (!of)
        return sim_fail(err, SIM_BAD_INPUT, "peers.csv", 0, "unknown model '%s'", e->model);
    request.full_attention = departures & FULL_SQUARE;
    status = sim_json_parse(of->config, strlen(of->config), of->name, context->arena, &config, err);
    if (status == SIM_OK)
        status = sim_llm_expand(config, of->name, &request, context->arena, &workload, err);
    *out = 0;
    for (int64_t i = 0; status == SIM_OK && i < workload.layer_count; i++)
        *out += layer_s(&r, &workload.layers[i]);
    return status;
}

/* ---- the rows ------------------------------------------------------------------------------------ */

static sim_status read_estimate(const sim_csv *csv, int64_t row, estimate *out, sim_err *err)
{
    const char *phase = sim_csv_text(csv, row, sim_csv_column(csv, "phase"));
    double ms = 0, w = 0, a = 0, kv = 0, flash = 0;
    struct {
        const char *column;
        double *to;
    } reals[] = {{"w_bits", &w}, {"a_bits", &a}, {"kv_bits", &kv}, {"flash", &flash}, {"latency_ms", &ms}};
    sim_status status = SIM_OK;

    *out = (estimate){.peer = sim_csv_text(csv, row, sim_csv_column(csv, "peer")),
                      .model = sim_csv_text(csv, row, sim_csv_column(csv, "model"))};
    for (size_t i = 0; i < sizeof reals / sizeof *reals && status == SIM_OK; i++)
        status = sim_csv_real(csv, row, reals[i].column, reals[i].to, err);
    if (status == SIM_OK)
        status = sim_csv_int(csv, row, "batch", &out->request.batch, err);
    if (status == SIM_OK)
        status = sim_csv_int(csv, row, "tokens", &out->tokens, err);
    if (strcmp(phase, "prefill") == 0) {
        out->request.phase = SIM_PHASE_PREFILL;
        out->request.prompt_tokens = out->tokens;
    } else {
        out->request.phase = SIM_PHASE_DECODE;
        out->request.context_tokens = out->tokens;
    }
    out->w_bytes = w / 8;
    out->a_bytes = a / 8;
    out->kv_bytes = kv / 8;
    out->flash = flash != 0;
    out->latency_s = ms * 1e-3;
    return status;
}

/* Departures of a peer's figures from a roofline, in percent. */
typedef struct spread {
    double least_pct, most_pct;
} spread;

static void widen(spread *s, double pct)
{
    s->least_pct = fmin(s->least_pct, pct);
    s->most_pct = fmax(s->most_pct, pct);
}

static sim_status check_peer(const sim_ledger_context *context, const peer *p, sim_ledger_row *out,
                             sim_err *err)
{
    spread as_it_is = {INFINITY, -INFINITY}, explained = as_it_is;
    int64_t compared = 0;
    sim_csv csv;
    sim_status status = sim_ledger_csv(context, "peers.csv", &csv, err);

    for (int64_t i = 0; status == SIM_OK && i < csv.row_count; i++) {
        double exact_s = 0, departed_s = 0;
        estimate e;
        bool prefill;

        status = read_estimate(&csv, i, &e, err);
        if (status != SIM_OK || strcmp(e.peer, p->name) != 0)
            continue;
        prefill = e.request.phase == SIM_PHASE_PREFILL;
        if (prefill && p->prefill_is_own)
            continue;
        status = estimate_of(context, &e, 0, &exact_s, err);
        if (status == SIM_OK)
            status = estimate_of(context, &e, prefill ? p->prefill : p->decode, &departed_s, err);
        if (status != SIM_OK)
            break;
        widen(&as_it_is, 100 * (e.latency_s / exact_s - 1));
        widen(&explained, 100 * (e.latency_s / departed_s - 1));
        compared++;
    }
    *out = (sim_ledger_row){
        .claim = sim_ledger_text(context, "%s on the same work, A100", p->name),
        .target = "explained within 5%",
        .result = sim_ledger_text(context, "%lld rows: %+.1f to %+.1f%%; with %s %+.2f to %+.2f%%",
                                  (long long)compared, as_it_is.least_pct, as_it_is.most_pct, p->words,
                                  explained.least_pct, explained.most_pct),
        .source = "its own estimates, run for this project",
        .met = compared > 0 && explained.least_pct > -5 && explained.most_pct < 5,
    };
    return status;
}

sim_status sim_check_peer_genz(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return check_peer(context, &peers[0], out, err);
}

sim_status sim_check_peer_viewer(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return check_peer(context, &peers[1], out, err);
}

sim_status sim_check_peer_analysis(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return check_peer(context, &peers[2], out, err);
}

sim_status sim_check_peer_compass(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return check_peer(context, &peers[3], out, err);
}
