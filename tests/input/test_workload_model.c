/* Workloads that are a model: requests, phases, where the model is found. */
#include "input/workload_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TINY                                                                                                 \
    "\"model_type\": \"llama\", \"hidden_size\": 24, \"intermediate_size\": 40, \"num_hidden_layers\": 2, "  \
    "\"num_attention_heads\": 6, \"num_key_value_heads\": 2, \"vocab_size\": 100"
#define INLINE(rest) "{\"model\": {" TINY "}, " rest "}"

static const sim_layer *find_layer(const workload_fixture *f, const char *name)
{
    for (int64_t i = 0; i < f->workload.layer_count; i++)
        if (strcmp(f->workload.layers[i].name, name) == 0)
            return &f->workload.layers[i];
    return NULL;
}

Test(workload_model, a_model_in_place)
{
    workload_fixture f;

    workload_read_text(
        &f, INLINE("\"name\": \"tiny\", \"phase\": \"decode\", \"batch\": 3, \"context_tokens\": 9"));
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_str_eq(f.workload.name, "tiny");
    cr_assert_str_eq(f.workload.file, "dir/w.json");
    cr_assert_str_eq(f.workload.model_type, "llama");
    cr_assert_eq(f.workload.phase, SIM_PHASE_DECODE);
    cr_assert_eq(f.workload.batch, 3);
    cr_assert_eq(f.workload.tokens, 3);
    /* 6 heads share 2 KV heads: 3 rows each; 9 + 1 keys; a head has 24 / 6 elements */
    workload_check_shape(find_layer(&f, "layers.1.qk"), SIM_OP_MATMUL, 3, 10, 4, 6, 1);
    sim_arena_free(&f.arena);
    workload_read_text(&f, INLINE("\"phase\": \"prefill\", \"prompt_tokens\": 5, \"tensor_parallel\": 1"));
    cr_assert_eq(f.status, SIM_OK);
    cr_assert_str_eq(f.workload.name, "w");
    cr_assert_eq(f.workload.batch, 1);
    cr_assert_eq(f.workload.tokens, 5);
    sim_arena_free(&f.arena);
}

Test(workload_model, an_empty_context_is_a_context)
{
    workload_fixture f;

    workload_read_text(&f, INLINE("\"phase\": \"decode\", \"context_tokens\": 0"));
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    workload_check_shape(find_layer(&f, "layers.0.qk"), SIM_OP_MATMUL, 3, 1, 4, 2, 1);
    sim_arena_free(&f.arena);
}

Test(workload_model, the_command_line_replaces_the_file)
{
    static const sim_workload_request decode = {.phase = SIM_PHASE_DECODE, .batch = 2, .context_tokens = 7};
    static const sim_workload_request longer = {.prompt_tokens = 11};
    workload_fixture f;

    workload_read_for(&f, INLINE("\"phase\": \"prefill\", \"prompt_tokens\": 5, \"batch\": 4"), "w.json",
                      &decode);
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_eq(f.workload.phase, SIM_PHASE_DECODE);
    cr_assert_eq(f.workload.tokens, 2);
    workload_check_shape(find_layer(&f, "layers.0.qk"), SIM_OP_MATMUL, 3, 8, 4, 4, 1);
    sim_arena_free(&f.arena);
    workload_read_for(&f, INLINE("\"phase\": \"prefill\", \"prompt_tokens\": 5, \"batch\": 4"), "w.json",
                      &longer);
    cr_assert_eq(f.workload.tokens, 44);
    sim_arena_free(&f.arena);
}

/* A file may hold the numbers of several phases; those of other phases than the one at hand say nothing. */
Test(workload_model, numbers_of_other_phases)
{
    static const char *const all =
        INLINE("\"phase\": \"decode\", \"prompt_tokens\": 6, \"context_tokens\": 9, "
               "\"new_tokens\": 4, \"chunk_tokens\": 3, \"draft_tokens\": 2");
    static const struct {
        sim_workload_request request;
        int64_t tokens, keys; /* keys: of the last pass's first step */
    } cases[] = {{{.batch = 0}, 3, 12},
                 {{.draft_tokens = 1}, 2, 11},
                 {{.context_tokens = 3}, 3, 6},
                 {{.phase = SIM_PHASE_PREFILL}, 6, 3},
                 {{.phase = SIM_PHASE_PREFILL, .chunk_tokens = 4}, 6, 6},
                 {{.phase = SIM_PHASE_GENERATE}, 4, 7},
                 {{.phase = SIM_PHASE_GENERATE, .new_tokens = 3, .prompt_tokens = 5, .batch = 2}, 6, 6}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const sim_layer *last = NULL;
        workload_fixture f;

        workload_read_for(&f, all, "w.json", &cases[i].request);
        cr_assert_eq(f.status, SIM_OK, "%zu: %s", i, f.err.items[0].text);
        cr_expect_eq(f.workload.tokens, cases[i].tokens, "%zu", i);
        for (int64_t l = 0; l < f.workload.layer_count; l++)
            if (strcmp(f.workload.layers[l].name, "layers.0.qk") == 0)
                last = &f.workload.layers[l];
        cr_expect_eq(last->n, cases[i].keys, "%zu: %lld", i, (long long)last->n);
        sim_arena_free(&f.arena);
    }
}

Test(workload_model, numbers_that_the_phase_has_no_use_for)
{
    static const struct {
        sim_workload_request request;
        const char *words, *hint;
    } cases[] = {{{.phase = SIM_PHASE_DECODE, .context_tokens = 1, .prompt_tokens = 1},
                  "decode has no prompt_tokens",
                  "'--prompt' is for prefill and generate"},
                 {{.phase = SIM_PHASE_PREFILL, .prompt_tokens = 1, .context_tokens = 1},
                  "prefill has no context_tokens",
                  "'--context' is for decode"},
                 {{.phase = SIM_PHASE_PREFILL, .prompt_tokens = 1, .new_tokens = 1},
                  "prefill has no new_tokens",
                  "'--new' is for generate"},
                 {{.phase = SIM_PHASE_DECODE, .context_tokens = 1, .chunk_tokens = 1},
                  "decode has no chunk_tokens",
                  "'--chunk' is for prefill and generate"},
                 {{.phase = SIM_PHASE_GENERATE, .prompt_tokens = 1, .new_tokens = 1, .draft_tokens = 1},
                  "generate has no draft_tokens",
                  "'--draft' is for decode"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workload_fixture f;

        workload_read_for(&f, "{" TINY "}", "config.json", &cases[i].request);
        cr_expect_eq(f.status, SIM_USAGE);
        cr_expect_str_eq(f.err.items[0].text, cases[i].words);
        cr_expect_str_eq(f.err.items[0].hint, cases[i].hint);
        sim_arena_free(&f.arena);
    }
}

/* An image has as many tokens as patches: there is nothing to give. */
Test(workload_model, images_need_no_prompt)
{
    static const sim_workload_request prefill = {.phase = SIM_PHASE_PREFILL};
    workload_fixture f;

    workload_read_for(&f,
                      "{\"model_type\": \"vit\", \"hidden_size\": 24, \"intermediate_size\": 40, "
                      "\"num_hidden_layers\": 2, \"num_attention_heads\": 6, \"image_size\": 32, "
                      "\"patch_size\": 8}",
                      "vit.json", &prefill);
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_expect_eq(f.workload.tokens, 17);
    sim_arena_free(&f.arena);
}

Test(workload_model, full_attention)
{
    static const sim_workload_request full = {.full_attention = true};
    workload_fixture f;

    workload_read_text(&f, INLINE("\"phase\": \"prefill\", \"prompt_tokens\": 5"));
    cr_assert_gt(find_layer(&f, "layers.0.qk")->needed_macs, 0);
    sim_arena_free(&f.arena);
    workload_read_for(&f, INLINE("\"phase\": \"prefill\", \"prompt_tokens\": 5"), "w.json", &full);
    cr_assert_eq(find_layer(&f, "layers.0.qk")->needed_macs, 0);
    sim_arena_free(&f.arena);
}

Test(workload_model, a_bare_config)
{
    static const sim_workload_request prefill = {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 4};
    static const char *const config =
        "{" TINY ", \"_name_or_path\": \"org/tiny\", \"name\": 7, \"phase\": false}";
    workload_fixture f;

    workload_read_for(&f, config, "models/tiny.json", &prefill);
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_str_eq(f.workload.name, "tiny");
    cr_assert_eq(f.workload.batch, 1);
    cr_assert_eq(f.workload.tokens, 4);
    sim_arena_free(&f.arena);
    workload_read_for(&f, config, "org/config.json", &prefill); /* a name that says nothing */
    cr_assert_str_eq(f.workload.name, "org/tiny");
    sim_arena_free(&f.arena);
    workload_read_for(&f, "{" TINY "}", "config.json", &prefill);
    cr_assert_str_eq(f.workload.name, "config");
    sim_arena_free(&f.arena);
    workload_read_text(&f, config);
    workload_check_error(&f, 0, 1, "a model needs a phase", "give --phase: prefill, decode or generate");
    sim_arena_free(&f.arena);
    workload_read_text(&f, "{\"hidden_size\": 24}");
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    sim_arena_free(&f.arena);
}

Test(workload_model, slips_of_a_model)
{
    static const struct {
        const char *text, *words, *hint;
    } cases[] = {
        {INLINE("\"batch\": 1"), "a model needs a phase",
         "give \"phase\" in the file or --phase: prefill, decode or generate"},
        {INLINE("\"phase\": \"prefil\""), "unknown phase 'prefil'", "did you mean 'prefill'?"},
        {INLINE("\"phase\": \"\""), "unknown phase ''", "known: prefill, decode, generate"},
        {INLINE("\"phase\": 1"), "'phase' must be a text, not an integer", ""},
        {INLINE("\"phase\": \"prefill\""), "prefill needs the number of prompt tokens",
         "give \"prompt_tokens\" in the file or --prompt"},
        {INLINE("\"phase\": \"prefill\", \"prompt_tokens\": 0"), "'prompt_tokens' must be at least 1, not 0",
         ""},
        {INLINE("\"phase\": \"decode\""), "decode needs the number of context tokens",
         "give \"context_tokens\" in the file or --context"},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": -1"),
         "'context_tokens' must be at least 0, not -1", ""},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": 1, \"batch\": 0"),
         "'batch' must be at least 1, not 0", ""},
        {INLINE("\"phase\": \"generate\", \"prompt_tokens\": 1"), "generate needs the number of new tokens",
         "give \"new_tokens\" in the file or --new"},
        {INLINE("\"phase\": \"generate\", \"new_tokens\": 1"), "generate needs the number of prompt tokens",
         "give \"prompt_tokens\" in the file or --prompt"},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": 1, \"draft_tokens\": -1"),
         "'draft_tokens' must be at least 0, not -1", ""},
        {INLINE("\"phase\": \"prefill\", \"prompt_tokens\": 1, \"chunk_tokens\": 0.5"),
         "'chunk_tokens' must be an integer, written without point or exponent", ""},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": 1, \"mla\": \"full\""), "unknown mla 'full'",
         "known: auto, absorbed, plain"},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": 1, \"merged_projections\": 1"),
         "'merged_projections' must be true or false, not an integer", ""},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": 1, \"tensor_parallel\": 0"),
         "'tensor_parallel' must be from 1 to 65536, not 0", ""},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": 1, \"tensor_parallel\": 4"),
         "4 devices (tensor_parallel) do not divide the model's 6 attention heads",
         "supported: numbers that divide them; pipeline_parallel splits by blocks"},
        {INLINE("\"phase\": \"decode\", \"context\": 1, \"context_tokens\": 1"),
         "unknown key 'context' in a workload with 'model'",
         "known: name, source, model, phase, batch, prompt_tokens, context_tokens, new_tokens, "
         "chunk_tokens, draft_tokens, mla, merged_projections, tensor_parallel, pipeline_parallel, "
         "expert_split"},
        {"{\"model\": 7, \"phase\": \"decode\", \"context_tokens\": 1}",
         "'model' must be the path of a config.json or an object of its fields, not an integer", ""},
        {"{\"model\": \"\", \"phase\": \"decode\", \"context_tokens\": 1}",
         "'model' must be the path of a config.json or an object of its fields, not an empty text", ""},
        {"{\"layers\": [], \"model\": {}}", "a workload has either 'layers' or 'model', not both", ""},
        {"{\"layers\": []}", "'layers' is empty", ""},
        {"{\"layers\": {}}", "'layers' must be an array, not an object", ""},
        {"{\"layer\": []}", "unknown key 'layer' in a workload", "did you mean 'layers'?"},
        {"{}", "a workload needs 'layers' or 'model'",
         "a config.json, with its 'model_type', is a workload too"},
        {"[]", "a workload must be an object, not an array", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workload_fixture f;

        workload_read_text(&f, cases[i].text);
        cr_expect_eq(f.status, SIM_BAD_INPUT, "%s", cases[i].text);
        workload_check_error(&f, 0, 1, cases[i].words, cases[i].hint);
        sim_arena_free(&f.arena);
    }
}

Test(workload_model, models_are_found_beside_the_workload)
{
    static const char *const text =
        "{\"model\": \"models/tiny.json\", \"phase\": \"decode\", \"context_tokens\": 1}";
    char folder[] = "/tmp/simacc_test_XXXXXX", models[64], model[96], workload[96];
    workload_fixture f;
    FILE *file;

    cr_assert_not_null(mkdtemp(folder));
    snprintf(models, sizeof models, "%s/models", folder);
    snprintf(model, sizeof model, "%s/tiny.json", models);
    snprintf(workload, sizeof workload, "%s/w.json", folder);
    cr_assert_eq(mkdir(models, 0700), 0);

    workload_read_for(&f, text, workload, NULL);
    cr_expect_eq(f.status, SIM_BAD_INPUT);
    cr_expect_str_eq(f.err.items[0].file, model);
    cr_expect_str_eq(f.err.items[0].text, "cannot be opened: No such file or directory");
    cr_expect(strstr(f.err.items[0].hint, "w.json, line 1, names this file"), "%s", f.err.items[0].hint);
    sim_arena_free(&f.arena);

    file = fopen(model, "w");
    fputs("{" TINY "}", file);
    fclose(file);
    workload_read_for(&f, text, workload, NULL);
    cr_expect_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_expect_str_eq(f.workload.model_type, "llama");
    sim_arena_free(&f.arena);

    file = fopen(model, "w");
    fputs("\n{\"model_type\": \"lama\"}", file);
    fclose(file);
    workload_read_for(&f, text, workload, NULL);
    cr_expect_eq(f.status, SIM_BAD_INPUT);
    cr_expect_str_eq(f.err.items[0].file, model);
    cr_expect_eq(f.err.items[0].line, 2);
    sim_arena_free(&f.arena);

    file = fopen(model, "w");
    fputs("[]", file);
    fclose(file);
    workload_read_for(&f, text, workload, NULL);
    cr_expect_str_eq(f.err.items[0].text, "a model must be an object, not an array");
    sim_arena_free(&f.arena);

    unlink(model);
    rmdir(models);
    rmdir(folder);
}
