/* Imported files as a workload file, and what to say of them. */
#include "input/import_workload.h"

#include "input/json_tree.h"
#include "input/llm_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TOKENS = 2048, TYPES_MAX = 64 };

typedef struct conversion {
    const char *path;
    sim_import import;
    sim_arena *arena;
    sim_workload_request request;
    sim_err *notes, *err;
    bool phase_assumed, batch_assumed, tokens_assumed;
} conversion;

static void note(const conversion *c, const char *format, ...) SIM_PRINTF(2, 3);

static void note(const conversion *c, const char *format, ...)
{
    char text[SIM_ERR_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_fail(c->notes, SIM_OK, c->path, 0, "%s", text);
}

/* ---- the request ----------------------------------------------------------------------------------- */

/* As many tokens as the model has positions for, at most TOKENS. */
static int64_t usual_tokens(const sim_json *config)
{
    static const char *const keys[] = {"max_position_embeddings", "n_positions", "seq_length", NULL};

    for (int i = 0; keys[i]; i++) {
        const sim_json *value = sim_json_get(config, keys[i]);

        if (value && value->type == SIM_JSON_INT && value->integer > 1)
            return value->integer - 1 < TOKENS ? value->integer - 1 : TOKENS;
    }
    return TOKENS;
}

/* Tokens of an image: its patches, and the class token; 0: the model takes none. */
static int64_t image_tokens(const sim_llm_model *model)
{
    int64_t side = model->input == SIM_INPUT_PATCHES ? model->image_size / model->patch_size : 0;

    return side > 0 && side < INT32_MAX ? side * side + (model->class_token ? 1 : 0) : 0;
}

/* Fills in what was not asked. */
static void complete_request(conversion *c, const sim_llm_model *model)
{
    sim_workload_request *r = &c->request;
    const int64_t image = image_tokens(model);
    int64_t *tokens;

    c->phase_assumed = r->phase == SIM_PHASE_NONE;
    if (c->phase_assumed)
        r->phase = model->encoder || image > 0 || r->prompt_tokens > 0 ? SIM_PHASE_PREFILL : SIM_PHASE_DECODE;
    c->batch_assumed = r->batch < 1;
    if (c->batch_assumed)
        r->batch = 1;
    tokens = r->phase == SIM_PHASE_DECODE ? &r->context_tokens : &r->prompt_tokens;
    c->tokens_assumed = *tokens < 1 && image == 0;
    if (*tokens < 1)
        *tokens = image > 0 ? image : usual_tokens(c->import.root);
}

/* ---- what was found -------------------------------------------------------------------------------- */

static void note_model(const conversion *c, const sim_workload *w, const sim_llm_model *model)
{
    char active[64] = "";

    if (w->parameters_active < w->parameters)
        snprintf(active, sizeof active, ", of which a token uses %" PRId64, w->parameters_active);
    note(c, "%s of %" PRId64 " block%s, %" PRId64 " parameters%s", w->model_type, model->block_count,
         model->block_count == 1 ? "" : "s", w->parameters, active);
}

/* "BF16 13.5 GB, F32 1.2 MB" of all tensors, most first. */
static void note_bytes(const conversion *c)
{
    const sim_checkpoint *k = &c->import.checkpoint;
    const sim_dtype *types[TYPES_MAX];
    int64_t bytes[TYPES_MAX] = {0}, all = 0;
    char text[SIM_ERR_TEXT] = "", size[32];
    size_t length = 0;
    int count = 0;

    for (int64_t i = 0; i < k->tensor_count; i++) {
        int t = 0;

        while (t < count && types[t] != k->tensors[i].dtype)
            t++;
        if (t == count && count < TYPES_MAX)
            types[count++] = k->tensors[i].dtype;
        if (t < TYPES_MAX)
            bytes[t] += k->tensors[i].bytes;
        all += k->tensors[i].bytes;
    }
    for (int n = 0; n < count && length < sizeof text; n++) {
        int most = 0;

        for (int t = 1; t < count; t++)
            if (bytes[t] > bytes[most])
                most = t;
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s%s %s", n ? ", " : "", types[most]->name,
                             sim_scaled((double)bytes[most], "B", false, size, sizeof size));
        bytes[most] = -1;
    }
    note(c, "%" PRId64 " tensors in %d file%s, %s: %s", k->tensor_count, k->file_count,
         k->file_count == 1 ? "" : "s", sim_scaled((double)all, "B", false, size, sizeof size), text);
}

static void note_sizes(const conversion *c, const sim_import_sizes *s, const sim_workload *w)
{
    char size[32];

    if (s->parameters == w->parameters)
        note(c, "the tensors have as many parameters as the model");
    else
        note(c, "the tensors have %" PRId64 " parameters, %" PRId64 " %s than the model", s->parameters,
             s->parameters > w->parameters ? s->parameters - w->parameters : w->parameters - s->parameters,
             s->parameters > w->parameters ? "more" : "fewer");
    if (s->missing > 0)
        note(c, "%" PRId64 " layer%s no tensor, such as '%s'", s->missing,
             s->missing == 1 ? " has" : "s have", s->missing_name);
    if (s->misfits > 0)
        note(c, "%" PRId64 " layer%s tensors of another size than the model's, such as '%s'", s->misfits,
             s->misfits == 1 ? " has" : "s have", s->misfit_name);
    if (s->strangers > 0)
        note(c, "%" PRId64 " matri%s (%s) belong%s to no layer of the model, such as '%s'", s->strangers,
             s->strangers == 1 ? "x" : "ces",
             sim_scaled((double)s->stranger_bytes, "B", false, size, sizeof size),
             s->strangers == 1 ? "s" : "", s->stranger_name);
}

static void note_request(const conversion *c)
{
    const sim_workload_request *r = &c->request;
    const bool decode = r->phase == SIM_PHASE_DECODE;
    char tokens[64] = "";

    if (!c->phase_assumed && !c->batch_assumed && !c->tokens_assumed)
        return;
    if (c->tokens_assumed)
        snprintf(tokens, sizeof tokens, " %" PRId64 " tokens %s",
                 decode ? r->context_tokens : r->prompt_tokens, decode ? "in the cache" : "of prompt");
    note(c, "assumed:%s%s%s%s%s", c->phase_assumed ? " " : "",
         c->phase_assumed ? sim_phase_names[r->phase] : "",
         c->phase_assumed && (c->batch_assumed || c->tokens_assumed) ? "," : "",
         !c->batch_assumed   ? ""
         : c->tokens_assumed ? " batch 1,"
                             : " batch 1",
         tokens);
    sim_hint(c->notes, "--phase, --batch, --context and --prompt say otherwise, here and in 'simacc run'");
}

/* ---- files ----------------------------------------------------------------------------------------- */

static void put_model(const conversion *c, sim_text *out)
{
    const sim_workload_request *r = &c->request;
    const struct {
        const char *key;
        int64_t value;
    } counts[] = {
        {"prompt_tokens", r->prompt_tokens},
        {"context_tokens", r->context_tokens},
        {"new_tokens", r->new_tokens},
    };
    sim_json_writer w = {.out = out};

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_text(&w, "name", c->import.name);
    sim_json_put_text(&w, "source", c->path);
    sim_json_put_tree(&w, "model", c->import.root);
    sim_json_put_text(&w, "phase", sim_phase_names[r->phase]);
    sim_json_put_int(&w, "batch", r->batch);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i].value > 0)
            sim_json_put_int(&w, counts[i].key, counts[i].value);
    sim_json_end(&w, '}');
    sim_text_add(out, "\n");
}

static void put_list(const conversion *c, sim_text *out)
{
    sim_json_writer w = {.out = out};

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_text(&w, "name", c->import.name);
    sim_json_put_text(&w, "source", c->path);
    sim_json_put_tree(&w, "layers", sim_json_get(c->import.root, "layers"));
    sim_json_end(&w, '}');
    sim_text_add(out, "\n");
}

/* ---- the whole ------------------------------------------------------------------------------------- */

/* The model once more in the shape in which each of its matrices stands once and whole: a prefill. */
static sim_status expand_whole(const conversion *c, const sim_llm_model *model, sim_workload *out)
{
    const int64_t image = image_tokens(model);
    const sim_workload_request whole = {
        .phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = image > 0 ? image : 1};

    return sim_workload_of(c->import.root, c->import.file, &whole, c->arena, out, c->err);
}

static sim_status convert_model(conversion *c, sim_text *workload, sim_text *policy)
{
    const bool checkpoint = c->import.checkpoint.kind != SIM_CHECKPOINT_NONE;
    sim_import_sizes sizes = {.layer_count = 0};
    sim_llm_model model;
    sim_workload whole, asked;
    sim_status status = sim_llm_read_config(c->import.root, c->import.file, c->arena, &model, c->err);

    if (status != SIM_OK)
        return status;
    complete_request(c, &model);
    status = expand_whole(c, &model, &whole);
    if (status == SIM_OK) /* that the request can be met is seen here, not when the file is used */
        status = sim_workload_of(c->import.root, c->import.file, &c->request, c->arena, &asked, c->err);
    if (status == SIM_OK && checkpoint)
        status = sim_import_measure(&c->import.checkpoint, &whole, c->arena, &sizes, c->err);
    if (status != SIM_OK)
        return status;
    note_model(c, &whole, &model);
    if (checkpoint) {
        note_bytes(c);
        note_sizes(c, &sizes, &whole);
    }
    note_request(c);
    put_model(c, workload);
    if (policy)
        return sim_import_policy(&c->import, &whole, &sizes, c->arena, policy, c->err);
    if (c->import.checkpoint.kind == SIM_CHECKPOINT_GGUF && sim_import_is_quantized(&sizes)) {
        note(c, "the workload does not say what the weights are stored in");
        sim_hint(c->notes, "--policy-out FILE keeps it, as a policy");
    }
    return SIM_OK;
}

static sim_status convert_list(conversion *c, sim_text *workload, sim_text *policy)
{
    sim_workload_request request = c->request;
    sim_workload list;
    sim_status status;

    if (policy) {
        sim_fail(c->err, SIM_USAGE, NULL, 0,
                 "--policy-out: '%s' is a list of layers, which implies no policy", c->path);
        return SIM_USAGE;
    }
    if (c->import.checkpoint.kind != SIM_CHECKPOINT_NONE)
        request.batch = 0; /* is in its layers */
    status = sim_workload_of(c->import.root, c->import.file, &request, c->arena, &list, c->err);
    if (status != SIM_OK)
        return status;
    note(c, "%" PRId64 " layers", list.layer_count);
    put_list(c, workload);
    return SIM_OK;
}

sim_status sim_import_convert(const char *path, const sim_workload_request *request, sim_text *workload,
                              sim_text *policy, sim_err *notes, sim_err *err)
{
    sim_arena arena;
    conversion c = {.path = path, .arena = &arena, .request = *request, .notes = notes, .err = err};
    sim_status status;

    sim_arena_init(&arena, NULL);
    status = sim_import_open(path, true, request->batch > 0 ? request->batch : 1, &arena, &c.import, err);
    if (status == SIM_OK) {
        status = c.import.is_list ? convert_list(&c, workload, policy) : convert_model(&c, workload, policy);
        if (status == SIM_OK && c.import.assumed)
            note(&c, "%s", c.import.assumed);
        sim_import_close(&c.import);
    }
    sim_arena_free(&arena);
    if (status == SIM_OK && (workload->failed || (policy && policy->failed)))
        status = sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    return status;
}
