/* config.json -> sim_llm_model: finds the family, reads its fields, lets it build. */
#include "input/llm.h"
#include "input/llm_family.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct family_row {
    const char *model_type;
    const sim_llm_family *family;
} family_row;

#define AS_ROW(type, name)  {type, &sim_llm_##name},
#define AS_NAME(type, name) type,

static const family_row families[] = {SIM_LLM_FAMILIES(AS_ROW)};
const char *const sim_llm_model_types[] = {SIM_LLM_FAMILIES(AS_NAME) NULL};

enum { FAMILY_COUNT = sizeof families / sizeof *families };

/* Whether a class such as DeepseekV3ForCausalLM is of this model type: the same letters and digits. */
static bool is_class_of(const char *class_name, const char *model_type)
{
    for (; *model_type; model_type++) {
        if (*model_type == '_' || *model_type == '-')
            continue;
        if (tolower((unsigned char)*class_name++) != *model_type)
            return false;
    }
    return strcmp(class_name, "ForCausalLM") == 0 || strcmp(class_name, "ForConditionalGeneration") == 0;
}

static const family_row *find_family(const sim_json *config)
{
    const sim_json *type = sim_json_get(config, "model_type");
    const sim_json *classes = sim_json_get(config, "architectures");

    if (!type || type->type != SIM_JSON_TEXT)
        return NULL;
    for (int i = 0; i < FAMILY_COUNT; i++)
        if (strcmp(families[i].model_type, type->text) == 0)
            return &families[i];
    /* A converted checkpoint may call itself something else; the class that runs it says what it is. */
    for (const sim_json *c = classes ? classes->child : NULL; c; c = c->next)
        for (int i = 0; i < FAMILY_COUNT && c->type == SIM_JSON_TEXT; i++)
            if (is_class_of(c->text, families[i].model_type))
                return &families[i];
    return NULL;
}

/* All model types but those that only name the text part of another. */
static void list_families(char *out, size_t size)
{
    size_t used = 0;

    for (int i = 0; i < FAMILY_COUNT; i++) {
        const char *type = families[i].model_type;
        size_t length = strlen(type);
        int written;

        if (length > 5 && strcmp(type + length - 5, "_text") == 0)
            continue;
        written = snprintf(out + used, size - used, "%s, ", type);
        if (written < 0 || (size_t)written >= size - used)
            break;
        used += (size_t)written;
    }
    out[used] = '\0';
}

static sim_status no_family(const sim_json *config, const char *file, sim_err *err)
{
    const sim_json *type = sim_json_get(config, "model_type");
    const char *near = NULL;
    char known[SIM_ERR_HINT];

    if (!type) {
        sim_fail(err, SIM_BAD_INPUT, file, config->line, "'model_type' is missing from the model");
    } else if (type->type != SIM_JSON_TEXT) {
        sim_fail(err, SIM_BAD_INPUT, file, type->line, "'model_type' must be a text, not %s",
                 sim_json_type_name(type->type));
    } else {
        sim_fail(err, SIM_BAD_INPUT, file, type->line, "unknown model_type '%s'", type->text);
        near = sim_nearest(type->text, sim_llm_model_types);
    }
    list_families(known, sizeof known);
    sim_hint(err,
             "%s%s%sknown: %sor any model written out as {\"name\": ..., \"layers\": [{\"name\": ..., "
             "\"op\": \"matmul\", \"m\": ..., \"n\": ..., \"k\": ...}, ...]}",
             near ? "did you mean '" : "", near ? near : "", near ? "'? " : "", known);
    return SIM_BAD_INPUT;
}

/* The object that describes the transformer: a multimodal config has it inside. */
static const sim_json *text_part(const sim_json *config)
{
    static const char *const inside[] = {"text_config", "llm_config", "language_config"};

    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        const sim_json *part = sim_json_get(config, inside[i]);

        if (part && part->type == SIM_JSON_OBJECT && (find_family(part) || find_family(config)))
            return part;
    }
    return config;
}

static bool room_for(sim_llm_reader *r, int64_t layers, sim_llm_model *model)
{
    size_t count = (size_t)(layers > 0 ? layers : 1);

    model->mixers = sim_arena_alloc(r->arena, count + 1, sizeof *model->mixers);
    model->ffns = sim_arena_alloc(r->arena, count + 1, sizeof *model->ffns);
    model->blocks = sim_arena_alloc(r->arena, count, sizeof *model->blocks);
    model->block_count = layers;
    if (model->mixers && model->ffns && model->blocks)
        return true;
    sim_fail(r->err, SIM_NO_MEMORY, r->file, r->config->line, "out of memory for the model");
    r->status = SIM_NO_MEMORY;
    return false;
}

sim_status sim_llm_read_config(const sim_json *config, const char *file, sim_arena *arena, sim_llm_model *out,
                               sim_err *err)
{
    const family_row *row;
    const sim_json *part;
    sim_llm_fields fields = {0};

    if (config->type != SIM_JSON_OBJECT)
        return sim_fail(err, SIM_BAD_INPUT, file, config->line,
                        "a model must be an object of config.json fields, not %s",
                        sim_json_type_name(config->type));
    part = text_part(config);
    row = find_family(part);
    if (!row)
        row = find_family(config);
    if (!row)
        return no_family(config, file, err);

    sim_llm_reader r = {.config = part, .around = config, .file = file, .err = err, .arena = arena};
    *out = (sim_llm_model){.model_type = row->model_type, .line = part->line};
    sim_llm_read_fields(&r, row->family->fields, &fields);
    if (r.status == SIM_OK && room_for(&r, fields.layers, out)) {
        out->hidden = fields.hidden;
        out->vocab = fields.vocab;
        out->draft_blocks = fields.draft_blocks;
        row->family->build(&r, &fields, out);
    } else if (fields.heads > 0) {
        sim_llm_finish_heads(&r, &fields); /* what else is wrong is said at once */
    }
    return r.status;
}

/* ---- what builders share ------------------------------------------------------------------------- */

/* Parts are zeroed as a whole before they are filled: padding is equal too. */
static bool same_bytes(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

int sim_llm_mixer_index(sim_llm_model *model, const sim_llm_mixer *mixer)
{
    sim_llm_mixer *all = (sim_llm_mixer *)model->mixers; /* of room_for; const to those who only read */
    int i = 0;

    while (i < model->mixer_count && !same_bytes(&all[i], mixer, sizeof *mixer))
        i++;
    if (i == model->mixer_count)
        memcpy(&all[model->mixer_count++], mixer, sizeof *mixer);
    return i;
}

int sim_llm_ffn_index(sim_llm_model *model, const sim_llm_ffn *ffn)
{
    sim_llm_ffn *all = (sim_llm_ffn *)model->ffns;
    int i = 0;

    while (i < model->ffn_count && !same_bytes(&all[i], ffn, sizeof *ffn))
        i++;
    if (i == model->ffn_count)
        memcpy(&all[model->ffn_count++], ffn, sizeof *ffn);
    return i;
}

sim_llm_block *sim_llm_blocks(sim_llm_model *model)
{
    return (sim_llm_block *)model->blocks;
}
