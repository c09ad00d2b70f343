/* Parameters and multiply-accumulates of one model of each kind against the shapes of the tensors in its
 * checkpoint (tests/data/llm_tensors.csv), which know nothing of the expansion. */
#include "format/csv.h"
#include "input/llm_fixture.h"
#include "input/llm_zoo.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

typedef struct counted {
    int64_t parameters, macs;
    int64_t pooler_macs, patch_macs; /* of these, what other numbers of tokens are multiplied with */
} counted;

static void expect_number(const sim_csv *csv, int64_t row, const char *column, int64_t *out)
{
    sim_err err = {0};

    cr_assert(sim_csv_int(csv, row, column, out, &err) == SIM_OK, "%s", err.items[0].text);
}

static counted counted_in(const char *model)
{
    sim_arena arena;
    sim_err err = {0};
    sim_csv csv;
    counted sum = {0};

    sim_arena_init(&arena, NULL);
    cr_assert(sim_csv_load(SIMACC_SOURCE_DIR "/tests/data/llm_tensors.csv", &arena, &csv, &err) == SIM_OK);
    for (int64_t i = 0; i < csv.row_count; i++) {
        int64_t copies, rows, cols, uses;
        const char *tensor = sim_csv_text(&csv, i, sim_csv_column(&csv, "tensor"));

        if (strcmp(sim_csv_text(&csv, i, sim_csv_column(&csv, "model")), model) != 0)
            continue;
        expect_number(&csv, i, "copies", &copies);
        expect_number(&csv, i, "rows", &rows);
        expect_number(&csv, i, "cols", &cols);
        expect_number(&csv, i, "uses", &uses);
        sum.parameters += copies * rows * cols;
        sum.macs += uses * rows * cols;
        if (strcmp(tensor, "pooler.dense.weight") == 0 || strcmp(tensor, "classifier.weight") == 0)
            sum.pooler_macs += uses * rows * cols;
        if (strstr(tensor, "patch_embeddings.projection.weight"))
            sum.patch_macs += uses * rows * cols;
    }
    cr_assert(sum.parameters > 0, "no tensors of '%s'", model);
    sim_arena_free(&arena);
    return sum;
}

/* Multiply-accumulates with stored weights, whether or not the entry holds them. */
static int64_t static_macs(const llm_fixture *f)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < f->workload.layer_count; i++)
        if (f->workload.layers[i].weights == SIM_WEIGHTS_STATIC)
            sum += llm_macs(&f->workload.layers[i]);
    return sum;
}

static int64_t layer_parameters(const llm_fixture *f)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < f->workload.layer_count; i++)
        sum += llm_parameters(&f->workload.layers[i]);
    return sum;
}

Test(llm_tensors, models_as_their_checkpoints)
{
    for (int i = 0; i < LLM_ZOO_COUNT; i++) {
        llm_zoo_model z;
        llm_fixture f;
        counted c;
        sim_llm_request decode = {.phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 1000};
        sim_llm_request encode = {.phase = SIM_PHASE_PREFILL, .batch = 1};
        int64_t tokens = 1, expected;

        llm_zoo(i, &z);
        c = counted_in(z.name);
        if (z.model.encoder) {
            tokens = z.model.input == SIM_INPUT_PATCHES ? 197 : 40;
            encode.prompt_tokens = z.model.input == SIM_INPUT_PATCHES ? 0 : tokens;
        }
        llm_expand_model(&f, &z.model, z.model.encoder ? &encode : &decode);
        cr_assert(f.status == SIM_OK, "%s: %s", z.name, f.err.items[0].text);
        cr_expect(f.workload.parameters == c.parameters, "%s: %" PRId64 " parameters, %" PRId64 " in tensors",
                  z.name, f.workload.parameters, c.parameters);
        cr_expect(layer_parameters(&f) == c.parameters, "%s: %" PRId64 " in the layers", z.name,
                  layer_parameters(&f));
        expected = (c.macs - c.pooler_macs - c.patch_macs) * tokens + c.pooler_macs;
        expected += c.patch_macs * (tokens - 1);
        cr_expect(static_macs(&f) == expected, "%s: %" PRId64 " MACs, %" PRId64 " by tensors", z.name,
                  static_macs(&f), expected);
        llm_free(&f);
    }
}

/* What the makers print: all parameters, and those that are active per token. */
Test(llm_tensors, published_totals)
{
    static const struct {
        const char *name;
        double total_b, active_b, within_b;
    } published[] = {
        {"mixtral_8x7b", 46.7, 12.9, 0.05},      /* mistral.ai, "Mixtral of experts" */
        {"deepseek_v3", 671, 37.5, 0.5},         /* arXiv 2412.19437: 671B, 37B; with the embedding 37.5 */
        {"deepseek_v4_flash", 284, 13.8, 0.5},   /* model card: 284B, 13B; with the embedding 13.8 */
        {"gpt_oss_20b", 20.9, 4.2, 0.05},        /* model card: 20.9B; 3.6B without the embedding */
        {"falcon_7b", 6.92, 6.92, 0.01},         /* config and tensors */
        {"bloom_176b", 176.247, 176.247, 0.001}, /* model card: 176,247,271,424 */
        {"llama4_scout", 107.8, 17.2, 0.05},     /* model card: 109B with vision, 17B */
    };

    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        llm_zoo_model z;
        llm_fixture f;
        sim_llm_request decode = {.phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 1};

        llm_zoo_named(published[i].name, &z);
        llm_expand_model(&f, &z.model, &decode);
        cr_assert(f.status == SIM_OK);
        cr_expect_float_eq((double)f.workload.parameters * 1e-9, published[i].total_b, published[i].within_b);
        cr_expect_float_eq((double)f.workload.parameters_active * 1e-9, published[i].active_b,
                           published[i].within_b, "%s: %.3f", z.name,
                           (double)f.workload.parameters_active * 1e-9);
        llm_free(&f);
    }
}
