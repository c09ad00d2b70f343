/* The convolutional and recurrent workloads that come with simacc. BitFusion's are compared with its own
 * table; the others with lists built here from the rule of each architecture, and with the totals that are
 * published for them. Every shipped workload runs, and so does every shipped machine. */
#include "input/llm_fixture.h"
#include "input/workload.h"
#include "reference/table.h"
#include "simacc.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LAYERS_MAX = 64, NAME_BYTES = 64, STEM_BYTES = 64 };

/* ---- a list of layers ----------------------------------------------------------------------------- */

/* One image. A convolution reads `side` x `side` positions and keeps every `stride`-th of each direction; a
 * fully connected layer has kernel 0. */
typedef struct expected {
    char name[NAME_BYTES];
    int64_t side, c_in, c_out, kernel, stride, groups;
} expected;

typedef struct expected_list {
    expected layers[LAYERS_MAX];
    int count;
} expected_list;

static expected *SIM_PRINTF(7, 8) add(expected_list *list, int64_t side, int64_t c_in, int64_t c_out,
                                      int64_t kernel, int64_t stride, const char *name, ...)
{
    expected *e;
    va_list arguments;

    cr_assert(list->count < LAYERS_MAX);
    e = &list->layers[list->count++];
    *e = (expected){.side = side, .c_in = c_in, .c_out = c_out};
    e->kernel = kernel;
    e->stride = stride;
    e->groups = 1;
    va_start(arguments, name);
    vsnprintf(e->name, sizeof e->name, name, arguments);
    va_end(arguments);
    return e;
}

static int64_t weights_of(const expected *e)
{
    return e->c_out * (e->c_in / e->groups) * (e->kernel > 0 ? e->kernel * e->kernel : 1);
}

static int64_t macs_of(const expected *e)
{
    int64_t out = e->kernel > 0 ? e->side / e->stride : 1;

    return weights_of(e) * out * out;
}

/* ---- against what a file holds -------------------------------------------------------------------- */

static void load(llm_fixture *f, const char *stem)
{
    char path[512];

    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    snprintf(path, sizeof path, "%s/workloads/%s.json", SIMACC_SOURCE_DIR, stem);
    f->status = sim_workload_load(path, NULL, &f->arena, &f->workload, &f->err);
    cr_assert(f->status == SIM_OK, "%s: %s", stem, f->err.items[0].text);
    cr_assert_str_eq(f->workload.name, stem);
}

static int64_t h_out(const sim_conv2d *c)
{
    return (c->h_in + 2 * c->padding - c->kernel_h) / c->stride + 1;
}

static void check_layer(const sim_layer *layer, const expected *e)
{
    const sim_conv2d *c = &layer->conv;

    cr_expect_str_eq(layer->name, e->name);
    if (e->kernel == 0) {
        cr_expect(layer->op == SIM_OP_MATMUL && layer->m == 1 && layer->n == e->c_out && layer->k == e->c_in,
                  "%s", e->name);
    } else {
        cr_expect(layer->op == SIM_OP_CONV2D, "%s", e->name);
        cr_expect(c->images == 1 && c->h_in == e->side && c->w_in == e->side &&
                      h_out(c) == e->side / e->stride,
                  "%s: %" PRId64 " to %" PRId64, e->name, c->h_in, h_out(c));
        cr_expect(c->c_in == e->c_in && c->c_out == e->c_out && c->groups == e->groups, "%s", e->name);
        cr_expect(c->kernel_h == e->kernel && c->kernel_w == e->kernel && c->stride == e->stride &&
                      c->padding == e->kernel / 2,
                  "%s", e->name);
    }
    cr_expect_eq(layer->m * layer->n * layer->k * layer->batch * layer->repeat, macs_of(e), "%s", e->name);
    cr_expect(layer->own.w.bits == 0 && layer->own.a.bits == 0, "%s: bits are the policy's", e->name);
}

/* `parameters` are published with a scale and a shift per channel of a convolution (batch normalization) and
 * a bias per class, which no product holds. */
static void check_net(const char *stem, const expected_list *list, double giga_macs, int64_t parameters)
{
    int64_t macs = 0, rest = parameters;
    llm_fixture f;

    load(&f, stem);
    cr_assert_eq(f.workload.layer_count, list->count, "%s: %" PRId64, stem, f.workload.layer_count);
    for (int i = 0; i < list->count; i++) {
        const expected *e = &list->layers[i];

        check_layer(&f.workload.layers[i], e);
        macs += macs_of(e);
        rest -= weights_of(e) + (e->kernel > 0 ? 2 : 1) * e->c_out;
    }
    cr_expect(fabs((double)macs / 1e9 - giga_macs) <= 0.0005, "%s: %" PRId64 " MACs", stem, macs);
    cr_expect(rest == 0, "%s: %" PRId64 " of %" PRId64 " parameters missing", stem, rest, parameters);
    llm_free(&f);
}

/* ---- the architectures ---------------------------------------------------------------------------- */

/* He et al., CVPR 2016, Table 1, as torchvision builds it: the stride is the 3x3 convolution's. */
static void residual(expected_list *list, const int blocks[4], bool bottleneck)
{
    int64_t side = 56, channels = 64;

    add(list, 224, 3, 64, 7, 2, "conv1");
    for (int stage = 0; stage < 4; stage++) {
        int64_t width = INT64_C(64) << stage, out = bottleneck ? 4 * width : width;

        for (int i = 0; i < blocks[stage]; i++) {
            int64_t stride = stage > 0 && i == 0 ? 2 : 1, after = side / stride;
            char block[24];

            snprintf(block, sizeof block, "layer%d.%d", stage + 1, i);
            if (bottleneck) {
                add(list, side, channels, width, 1, 1, "%s.conv1", block);
                add(list, side, width, width, 3, stride, "%s.conv2", block);
                add(list, after, width, out, 1, 1, "%s.conv3", block);
            } else {
                add(list, side, channels, width, 3, stride, "%s.conv1", block);
                add(list, after, width, out, 3, 1, "%s.conv2", block);
            }
            if (stride != 1 || channels != out)
                add(list, side, channels, out, 1, stride, "%s.downsample.0", block);
            side = after;
            channels = out;
        }
    }
    add(list, 1, channels, 1000, 0, 1, "fc");
}

/* Totals of the residual networks and of MobileNetV2: torchvision's, in the documentation of its weights. */
Test(nets, resnet18_torchvision)
{
    static expected_list list;

    residual(&list, (const int[]){2, 2, 2, 2}, false);
    check_net("resnet18_torchvision", &list, 1.814, 11689512);
}

Test(nets, resnet50)
{
    static expected_list list;

    residual(&list, (const int[]){3, 4, 6, 3}, true);
    check_net("resnet50", &list, 4.089, 25557032);
}

/* Howard et al., arXiv 1704.04861, Table 1: 569 million MACs, 4.2 million parameters (Keras: 4,231,976 that
 * are trained). The last depthwise layer keeps its 7x7 positions, whatever its row of that table says. */
Test(nets, mobilenet_v1)
{
    static expected_list list;
    int64_t side = 112, channels = 32;

    add(&list, 224, 3, 32, 3, 2, "conv1.0");
    for (int i = 0; i < 13; i++) {
        bool doubles = i == 0 || i == 1 || i == 3 || i == 5 || i == 11;
        int64_t stride = doubles && i > 0 ? 2 : 1;

        add(&list, side, channels, channels, 3, stride, "features.%d.0", i)->groups = channels;
        side /= stride;
        add(&list, side, channels, doubles ? 2 * channels : channels, 1, 1, "features.%d.3", i);
        channels *= doubles ? 2 : 1;
    }
    add(&list, 1, channels, 1000, 0, 1, "classifier.0");
    cr_assert_eq(list.count, 28);
    check_net("mobilenet_v1", &list, 0.569, 4231976);
}

/* Sandler et al., CVPR 2018, Table 2. */
Test(nets, mobilenet_v2)
{
    static const struct {
        int expansion, channels, blocks, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    static expected_list list;
    int64_t side = 112, channels = 32;
    int block = 1;

    add(&list, 224, 3, 32, 3, 2, "features.0.0");
    for (size_t s = 0; s < sizeof stages / sizeof *stages; s++) {
        for (int i = 0; i < stages[s].blocks; i++, block++) {
            int64_t wide = channels * stages[s].expansion, stride = i == 0 ? stages[s].stride : 1;
            int part = 0;

            if (wide != channels)
                add(&list, side, channels, wide, 1, 1, "features.%d.conv.%d.0", block, part++);
            add(&list, side, wide, wide, 3, stride, "features.%d.conv.%d.0", block, part++)->groups = wide;
            side /= stride;
            add(&list, side, wide, stages[s].channels, 1, 1, "features.%d.conv.%d", block, part);
            channels = stages[s].channels;
        }
    }
    add(&list, side, channels, 1280, 1, 1, "features.%d.0", block);
    add(&list, 1, 1280, 1000, 0, 1, "classifier.1");
    cr_assert_eq(list.count, 53);
    check_net("mobilenet_v2", &list, 0.301, 3504872);
}

/* ---- BitFusion's networks ------------------------------------------------------------------------- */

static void check_row(const sim_layer *layer, const ref_table *table, int64_t row)
{
    const char *network = ref_table_text(table, row, "network");
    int64_t images = ref_table_int(table, row, "images"), out = ref_table_int(table, row, "out");
    int64_t kernel = ref_table_int(table, row, "kernel"), stride = ref_table_int(table, row, "stride");
    int64_t c_in = ref_table_int(table, row, "c_in"), c_out = ref_table_int(table, row, "c_out");

    cr_expect_str_eq(layer->name, ref_table_text(table, row, "layer"));
    cr_expect(layer->own.w.bits == ref_table_int(table, row, "w_bits") &&
                  layer->own.a.bits == ref_table_int(table, row, "a_bits"),
              "%s %s", network, layer->name);
    cr_expect(layer->m * layer->n * layer->k * layer->batch * layer->repeat ==
                  ref_table_int(table, row, "macs"),
              "%s %s", network, layer->name);
    if (layer->op == SIM_OP_MATMUL) {
        cr_expect(out == 1 && kernel == 1 && layer->m == images && layer->n == c_out && layer->k == c_in,
                  "%s %s", network, layer->name);
    } else {
        const sim_conv2d *c = &layer->conv;
        bool same = kernel != 11; /* AlexNet's first layer alone does without padding */

        cr_expect(layer->op == SIM_OP_CONV2D && c->images == images && c->c_in == c_in && c->c_out == c_out &&
                      c->groups == 1 && c->kernel_h == kernel && c->kernel_w == kernel && c->stride == stride,
                  "%s %s", network, layer->name);
        cr_expect(h_out(c) == out && c->w_in == c->h_in && c->padding == (same ? kernel / 2 : 0) &&
                      c->h_in == (same ? out * stride : 227),
                  "%s %s: %" PRId64 " to %" PRId64, network, layer->name, c->h_in, h_out(c));
    }
}

Test(nets, bitfusion)
{
    ref_table *table = ref_table_open("nets_bitfusion.csv");
    int64_t rows = ref_table_rows(table), row = 0;
    int networks = 0;

    for (; row < rows; networks++) {
        const char *stem = ref_table_text(table, row, "network");
        llm_fixture f;

        load(&f, stem);
        for (int64_t i = 0; i < f.workload.layer_count; i++, row++) {
            cr_assert(row < rows && strcmp(ref_table_text(table, row, "network"), stem) == 0, "%s has more",
                      stem);
            check_row(&f.workload.layers[i], table, row);
        }
        cr_assert(row == rows || strcmp(ref_table_text(table, row, "network"), stem) != 0, "%s has fewer",
                  stem);
        llm_free(&f);
    }
    cr_expect(networks == 8 && row == 61, "%d networks, %" PRId64 " layers", networks, row);
    ref_table_close(table);
}

/* ---- everything that ships, runs ------------------------------------------------------------------ */

/* Calls `visit` with the stem of each file of a folder that ends in `ending`; returns how many. */
static int each_file(const char *folder, const char *ending, void (*visit)(const char *stem))
{
    char path[512], stem[STEM_BYTES];
    DIR *directory;
    int count = 0;

    snprintf(path, sizeof path, "%s/%s", SIMACC_SOURCE_DIR, folder);
    directory = opendir(path);
    cr_assert_not_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');

        if (!dot || strcmp(dot, ending) != 0)
            continue;
        snprintf(stem, sizeof stem, "%.*s", (int)(dot - entry->d_name), entry->d_name);
        visit(stem);
        count++;
    }
    closedir(directory);
    return count;
}

/* Runs one on the other; every product of the workload must be in the result. */
static void check_run(const char *arch_stem, const char *workload_stem, const char *spec)
{
    sim_arch_handle *arch = NULL;
    sim_workload_handle *workload = NULL;
    sim_policy_handle *policy = NULL;
    sim_result_handle *result = NULL;
    char arch_path[512], workload_path[512];
    sim_err err = {0};
    const sim_totals *totals;
    int64_t macs = 0;

    snprintf(arch_path, sizeof arch_path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, arch_stem);
    snprintf(workload_path, sizeof workload_path, "%s/workloads/%s.json", SIMACC_SOURCE_DIR, workload_stem);
    if (sim_arch_open(arch_path, NULL, 0, &arch, &err) != SIM_OK ||
        sim_workload_open(workload_path, NULL, &workload, &err) != SIM_OK ||
        sim_policy_open(spec, &policy, &err) != SIM_OK ||
        sim_run(arch, workload, policy, SIM_OBJECTIVE_BALANCED, &result, &err) != SIM_OK)
        cr_assert_fail("%s on %s: %s", workload_stem, arch_stem, err.items[0].text);
    cr_expect_str_eq(sim_arch_get(arch)->name, arch_stem);
    for (int64_t i = 0; i < sim_workload_get(workload)->layer_count; i++) {
        const sim_layer *layer = &sim_workload_get(workload)->layers[i];
        bool product = layer->op == SIM_OP_MATMUL || layer->op == SIM_OP_CONV2D;

        macs += layer->repeat * (layer->needed_macs > 0 ? layer->needed_macs
                                 : product              ? layer->m * layer->n * layer->k * layer->batch
                                                        : 0);
    }
    totals = &sim_result_get(result)->totals;
    cr_expect_eq(totals->macs, macs, "%s on %s: %" PRId64 " MACs of %" PRId64, workload_stem, arch_stem,
                 totals->macs, macs);
    cr_expect(totals->latency_s > 0 && sim_energy_total_j(&totals->energy) > 0, "%s on %s", workload_stem,
              arch_stem);
    sim_result_close(result);
    sim_policy_close(policy);
    sim_workload_close(workload);
    sim_arch_close(arch);
}

static void run_on_edge(const char *workload)
{
    check_run("edge", workload, NULL);
}

static void run_w8a8(const char *arch)
{
    check_run(arch, "mobilenet_v2", "w8a8");
    check_run(arch, "llama2_7b_decode", "w8a8");
}

Test(nets, every_workload_runs)
{
    int count = each_file("workloads", ".json", run_on_edge);

    cr_expect(count >= 22, "%d files", count);
}

Test(nets, every_machine_runs)
{
    int count = each_file("arch", ".cfg", run_w8a8);

    cr_expect(count >= 7, "%d files", count);
}

/* ---- assumed machines ----------------------------------------------------------------------------- */

/* What is public of them is their peak: 5 and 4.1 TOPS, an operation being half a MAC. */
Test(nets, peaks_of_the_assumed_machines)
{
    static const struct {
        const char *stem;
        double tops;
    } cases[] = {{"apple_a12", 5.0}, {"imagination_2nx", 4.1}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arch_handle *arch = NULL;
        sim_err err = {0};
        char path[512];
        double tops;

        snprintf(path, sizeof path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, cases[i].stem);
        cr_assert(sim_arch_open(path, NULL, 0, &arch, &err) == SIM_OK, "%s", err.items[0].text);
        tops = 2e-6 * sim_arch_get(arch)->clock_mhz * (double)sim_arch_get(arch)->array_rows *
               (double)(sim_arch_get(arch)->array_cols * sim_arch_get(arch)->array_count);
        cr_expect(fabs(tops - cases[i].tops) < 0.05, "%s: %g TOPS", cases[i].stem, tops);
        sim_arch_close(arch);
    }
}
