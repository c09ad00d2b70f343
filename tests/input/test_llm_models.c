/* Every shipped model of llm_models.csv against arithmetic done elsewhere, and the families' own traits. */
#include "format/csv.h"
#include "input/workload.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* Decode of one token after nine, which does not reach any window. */
static sim_workload decode_of(sim_arena *arena, const char *model)
{
    static const sim_workload_request request = {.phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 9};
    const char *path = sim_arena_printf(arena, SIMACC_SOURCE_DIR "/workloads/models/%s.json", model);
    sim_workload workload;
    sim_err err = {0};

    cr_assert_eq(sim_workload_load(path, &request, arena, &workload, &err), SIM_OK, "%s: %s", model,
                 err.items[0].text);
    return workload;
}

typedef struct sums {
    double linear_params, macs;
} sums;

static sums sums_of(const sim_workload *w)
{
    sums s = {0};

    for (int64_t i = 0; i < w->layer_count; i++) {
        const sim_layer *l = &w->layers[i];
        double one = (double)l->n * (double)l->k;

        if (l->op != SIM_OP_MATMUL || l->weights != SIM_WEIGHTS_STATIC)
            continue;
        if (strcmp(l->name, "lm_head") != 0)
            s.linear_params += one * (double)(l->stored_batch > 0 ? l->stored_batch : l->batch);
        s.macs += l->needed_macs > 0 ? (double)l->needed_macs : one * (double)l->m * (double)l->batch;
    }
    return s;
}

static double cell(const sim_csv *csv, int64_t row, const char *column)
{
    sim_err err = {0};
    double value;

    cr_assert_eq(sim_csv_real(csv, row, column, &value, &err), SIM_OK);
    return value;
}

Test(llm_models, counts_equal_arithmetic_done_elsewhere)
{
    sim_arena arena;
    sim_csv csv;
    sim_err err = {0};

    sim_arena_init(&arena, NULL);
    cr_assert_eq(sim_csv_load(SIMACC_SOURCE_DIR "/tests/validation/llm_models.csv", &arena, &csv, &err),
                 SIM_OK);
    cr_expect_gt(csv.row_count, 50);
    for (int64_t i = 0; i < csv.row_count; i++) {
        const char *name = sim_csv_text(&csv, i, sim_csv_column(&csv, "model"));
        sim_workload w = decode_of(&arena, name);
        sums s = sums_of(&w);
        double total = cell(&csv, i, "total_params");

        /* The table is rounded to thousands. */
        cr_expect(fabs(s.linear_params - cell(&csv, i, "linear_params")) <= 501, "%s: %.0f", name,
                  s.linear_params);
        cr_expect(fabs(s.macs - cell(&csv, i, "macs_per_token")) <= 501, "%s: %.0f", name, s.macs);
        cr_expect(fabs((double)w.parameters / total - 1) <= 1e-3, "%s: %lld", name, (long long)w.parameters);
        cr_expect_eq(w.kv_cache_elements, 10 * (int64_t)cell(&csv, i, "kv_elements_per_token"), "%s: %lld",
                     name, (long long)w.kv_cache_elements);
    }
    sim_arena_free(&arena);
}

/* Counts that the makers publish to the last parameter (safetensors totals on Hugging Face). */
Test(llm_models, published_totals_to_the_last_parameter)
{
    static const struct {
        const char *model;
        int64_t parameters;
    } published[] = {
        {"llama2_7b", 6738415616},         {"llama3.1_8b", 8030261248},    {"llama3.1_70b", 70553706496},
        {"mistral_7b", 7241732096},        {"mixtral_8x7b", 46702792704},  {"qwen2.5_7b", 7615616512},
        {"qwen3_8b", 8190735360},          {"qwen3_30b_a3b", 30532122624}, {"gemma2_9b", 9241705984},
        {"deepseek_v2_lite", 15706484224}, {"phi3_mini", 3821079552},      {"opt_350m", 331196416},
        {"gpt_oss_20b", 20914757184},
    };

    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        sim_arena arena;
        sim_workload w;

        sim_arena_init(&arena, NULL);
        w = decode_of(&arena, published[i].model);
        cr_expect_eq(w.parameters, published[i].parameters, "%s: %lld", published[i].model,
                     (long long)w.parameters);
        sim_arena_free(&arena);
    }
}
