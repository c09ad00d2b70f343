/* The workloads that come with simacc: each is read, and is what its name says. */
#include "input/llm_fixture.h"
#include "input/workload.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const models[] = {"llama2_7b", "llama2_70b", "llama3_8b", "opt_6.7b"};

enum { MODEL_COUNT = sizeof models / sizeof *models };

static void load(llm_fixture *f, const char *stem)
{
    char path[512];
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    snprintf(path, sizeof path, "%s/workloads/%s.json", SIMACC_SOURCE_DIR, stem);
    f->status = sim_workload_load(path, NULL, &f->arena, &f->workload, &f->err);
    cr_assert(f->status == SIM_OK, "%s: %s", stem, f->err.items[0].text);
    cr_expect_str_eq(f->workload.name, stem);
}

Test(llm_shipped, models)
{
    for (int i = 0; i < 2 * MODEL_COUNT; i++) {
        bool decode = i % 2 == 1;
        char stem[64], model[64];
        snprintf(stem, sizeof stem, "%s_%s", models[i / 2], decode ? "decode" : "prefill");
        snprintf(model, sizeof model, "workloads/models/%s.json", models[i / 2]);
        llm_fixture f, expanded;
        load(&f, stem);
        llm_expand_file(&expanded, model, decode ? SIM_PHASE_DECODE : SIM_PHASE_PREFILL, 1, 2048, false);
        cr_expect(f.workload.phase == expanded.workload.phase);
        cr_expect(f.workload.batch == 1 && f.workload.tokens == (decode ? 1 : 2048));
        cr_expect(f.workload.parameters == expanded.workload.parameters);
        cr_expect(f.workload.kv_cache_elements == expanded.workload.kv_cache_elements);
        cr_expect(f.workload.layer_count == expanded.workload.layer_count);
        cr_expect(llm_total_macs(&f) == llm_total_macs(&expanded) && llm_total_macs(&f) > 0);
        llm_free(&f);
        llm_free(&expanded);
    }
}

/* The block written out by hand does what a block of the expanded model does on 128 tokens without a mask. */
Test(llm_shipped, block_of_llama2_7b)
{
    llm_fixture list, model;
    load(&list, "llama2_7b_block");
    llm_expand_file(&model, "workloads/models/llama2_7b.json", SIM_PHASE_PREFILL, 1, 128, true);
    int64_t macs = 0, parameters = 0, elements = 0;
    double operations = 0;
    for (int64_t i = 0; i < model.workload.layer_count; i++) {
        const sim_layer *layer = &model.workload.layers[i];
        if (strncmp(layer->name, "layers.0.", 9) != 0)
            continue;
        macs += llm_macs(layer);
        parameters += llm_parameters(layer);
        elements += layer->batch * layer->m * layer->n;
        operations += layer->ops_per_element * (double)(layer->batch * layer->m * layer->n);
    }
    for (int64_t i = 0; i < list.workload.layer_count; i++) {
        const sim_layer *layer = &list.workload.layers[i];
        macs -= layer->repeat * llm_macs(layer);
        parameters -= layer->repeat * llm_parameters(layer);
        elements -= layer->repeat * layer->batch * layer->m * layer->n;
        operations -= layer->ops_per_element * (double)(layer->repeat * layer->batch * layer->m * layer->n);
    }
    cr_expect(macs == 0 && parameters == 0 && elements == 0 && operations == 0.0,
              "%" PRId64 " MACs, %" PRId64 " parameters, %" PRId64 " elements, %g operations apart", macs,
              parameters, elements, operations);
    llm_free(&list);
    llm_free(&model);
}

Test(llm_shipped, bits_of_mlp)
{
    llm_fixture f;
    load(&f, "mlp");
    cr_assert(f.workload.layer_count == 3);
    cr_expect(f.workload.layers[0].own.w.bits == 8 && f.workload.layers[1].own.w.bits == 4);
    cr_expect(f.workload.layers[1].own.a.bits == 8);
    cr_expect(llm_total_macs(&f) == 32 * (784 * 512 + 512 * 512 + 512 * 10));
    llm_free(&f);
}

/* Whatever lies in workloads/ can be read as it is. */
Test(llm_shipped, all_files)
{
    DIR *folder = opendir(SIMACC_SOURCE_DIR "/workloads");
    cr_assert(folder != NULL);
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char stem[64];
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".json") != 0)
            continue;
        snprintf(stem, sizeof stem, "%.*s", (int)(dot - entry->d_name), entry->d_name);
        llm_fixture f;
        load(&f, stem);
        cr_expect(f.workload.layer_count > 0, "%s", stem);
        llm_free(&f);
        count++;
    }
    closedir(folder);
    cr_expect(count >= 2 * MODEL_COUNT + 2, "%d files", count);
}
