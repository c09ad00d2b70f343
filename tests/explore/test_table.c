/* Cost tables: each cell is what a run says of the layer alone, and nothing is priced twice. */
#include "explore/table.h"

#include "model/run.h"
#include "output/report.h"
#include "reference/arch_case.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

enum { LAYERS = 9 };

/* Products of all kinds, a convolution, vector operations, an embedding; with two pairs of equal work. */
static void fill_layers(sim_layer layers[LAYERS])
{
    const sim_layer product = {.op = SIM_OP_MATMUL, .repeat = 1, .batch = 1, .m = 24, .n = 40, .k = 56};

    for (int i = 0; i < LAYERS; i++)
        layers[i] = product;
    layers[0].name = "fc";
    layers[1].name = "conv";
    layers[1].op = SIM_OP_CONV2D;
    layers[1].conv = (sim_conv2d){.images = 2,
                                  .h_in = 9,
                                  .w_in = 9,
                                  .c_in = 4,
                                  .c_out = 8,
                                  .kernel_h = 3,
                                  .kernel_w = 3,
                                  .stride = 2,
                                  .padding = 1,
                                  .groups = 2};
    layers[1].m = 2 * 5 * 5;
    layers[1].n = 4;
    layers[1].k = 3 * 3 * 2;
    layers[1].batch = 2;
    layers[2].name = "fc_with_bias";
    layers[2].param_elements = 40;
    layers[3].name = "norm";
    layers[3].op = SIM_OP_NORM;
    layers[3].k = 0;
    layers[3].inputs = 1;
    layers[3].ops_per_element = 4;
    layers[3].param_elements = 40;
    layers[4].name = "scores";
    layers[4].weights = SIM_WEIGHTS_KV;
    layers[4].kv_row_elements = 56;
    layers[5].name = "mixing";
    layers[5].weights = SIM_WEIGHTS_DYNAMIC;
    layers[6].name = "embed";
    layers[6].op = SIM_OP_EMBEDDING;
    layers[6].keep_float = true;
    layers[6].inputs = 1;
    layers[7].name = "fc_again";
    layers[7].repeat = 3;
    layers[7].own = (sim_precision){.w = {SIM_FORMAT_INT, 5}};
    layers[8].name = "lm_head";
    layers[8].keep_float = true;
    layers[8].m = 1;
}

static sim_axes axes_of(const char *spec)
{
    sim_err err = {0};
    sim_axes axes;

    cr_assert_eq(sim_axes_parse(spec, &axes, &err), SIM_OK);
    return axes;
}

static sim_cost_table tabulate(const sim_arch *arch, const sim_workload *workload, const char *bits,
                               sim_objective objective, sim_arena *arena)
{
    const sim_axes axes = axes_of(bits);
    sim_err err = {0};
    sim_cost_table table;

    cr_assert_eq(sim_table_of(arch, workload, &axes, objective, arena, &table, &err), SIM_OK, "%s",
                 err.items[0].text);
    return table;
}

/* A run of the one layer, once. */
static void check_cell(const sim_cost_table *table, int64_t i, int64_t p, sim_objective objective)
{
    const sim_layer_price *price = &table->prices[table->kinds[i] * table->precision_count + p];
    const sim_precision *bits = &table->precisions[p];
    /* A rule for all names lm_head and embeddings too: they are then not kept in float. */
    const sim_policy_rule rule = {.glob = "*", .precision = *bits};
    const sim_policy policy = {.name = "p", .rules = &rule, .rule_count = 1};
    sim_layer layer = table->workload->layers[i];
    sim_workload alone = *table->workload;
    sim_arena arena;
    sim_result run;
    sim_err err = {0};
    const sim_layer_result *r;

    layer.repeat = 1;
    alone.layers = &layer;
    alone.layer_count = 1;
    sim_arena_init(&arena, NULL);
    cr_assert_eq(sim_run_model(table->arch, &alone, &policy, objective, &arena, &run, &err), SIM_OK, "%s",
                 err.items[0].text);
    r = run.layers;
    cr_expect(price->possible && price->macs == r->macs && price->cycles == r->cycles &&
                  price->compute_cycles == r->compute_cycles && price->memory_cycles == r->memory_cycles &&
                  price->dram_read_bytes == r->dram_read_bytes &&
                  price->dram_write_bytes == r->dram_write_bytes &&
                  price->weight_bytes == run.totals.weight_bytes && price->latency_s == r->latency_s &&
                  price->energy_j == sim_energy_total_j(&r->energy) &&
                  price->utilization_frac == r->utilization_frac && price->bound == r->bound,
              "%s at w%da%dkv%d: %lld cycles, %lld in a run", layer.name, bits->w.bits, bits->a.bits,
              bits->kv.bits, (long long)price->cycles, (long long)r->cycles);
    sim_arena_free(&arena);
}

Test(table, each_cell_is_a_run_of_the_layer_alone)
{
    static const char *const backends[] = {"systolic", "bitfusion"};
    sim_layer layers[LAYERS];
    const sim_workload workload = {.name = "w", .layers = layers, .layer_count = LAYERS};

    fill_layers(layers);
    for (int b = 0; b < 2; b++)
        for (sim_objective o = 0; o < SIM_OBJECTIVE_COUNT; o++) {
            sim_arch arch;
            sim_arena arena;
            sim_cost_table table;

            arch_case_plain(&arch, backends[b]);
            sim_arena_init(&arena, NULL);
            table = tabulate(&arch, &workload, "w=1,3,8,a=2,8,kv=4,7", o, &arena);
            cr_assert_eq(table.precision_count, 12);
            cr_expect(table.has_kv);
            cr_expect_eq(table.impossible_count, 0);
            for (int64_t i = 0; i < LAYERS; i++)
                for (int64_t p = 0; p < table.precision_count; p++)
                    check_cell(&table, i, p, o);
            sim_arena_free(&arena);
        }
}

Test(table, precisions_in_order)
{
    sim_layer layers[LAYERS];
    const sim_workload workload = {.name = "w", .layers = layers, .layer_count = 1};
    sim_arch arch;
    sim_arena arena;
    sim_cost_table table;
    int64_t p = 0;

    fill_layers(layers);
    arch_case_plain(&arch, "systolic");
    sim_arena_init(&arena, NULL);
    table = tabulate(&arch, &workload, NULL, SIM_OBJECTIVE_BALANCED, &arena);
    cr_assert_eq(table.precision_count, 64);
    cr_expect_not(table.has_kv);
    for (int w = 1; w <= 8; w++)
        for (int a = 1; a <= 8; a++, p++) {
            const sim_precision *at = &table.precisions[p];

            cr_expect(at->w.bits == w && at->a.bits == a && at->kv.bits == a && at->group == 0, "%lld",
                      (long long)p);
        }
    table = tabulate(&arch, &workload, "kv=2,1,w=8,3,a=4", SIM_OBJECTIVE_BALANCED, &arena);
    cr_assert_eq(table.precision_count, 4);
    for (p = 0; p < 4; p++) {
        const sim_precision *at = &table.precisions[p];

        cr_expect(at->w.bits == (p < 2 ? 3 : 8) && at->a.bits == 4 && at->kv.bits == 1 + p % 2);
    }
    sim_arena_free(&arena);
}

/* Names, repeats and own bits make no kind; what changes a price does. */
Test(table, equal_layers_are_one_kind)
{
    sim_layer layers[LAYERS];
    sim_workload workload = {.name = "w", .layers = layers, .layer_count = LAYERS};
    sim_arch arch;
    sim_arena arena;
    sim_cost_table table;

    fill_layers(layers);
    arch_case_plain(&arch, "systolic");
    sim_arena_init(&arena, NULL);
    table = tabulate(&arch, &workload, "w=8,a=8", SIM_OBJECTIVE_BALANCED, &arena);
    cr_expect_eq(table.kind_count, LAYERS - 1);
    cr_expect_eq(table.kinds[0], table.kinds[7]);

    /* A pair that differs in one thing at a time is two kinds. */
    for (int change = 0; change < 16; change++) {
        sim_layer pair[2] = {layers[0], layers[0]}, *l = &pair[1];

        workload.layers = pair;
        workload.layer_count = 2;
        if (change == 8 || change == 9)
            pair[0] = pair[1] = layers[1];
        if (change == 10)
            pair[0] = pair[1] = layers[3];
        switch (change) {
        case 0:
            l->m++;
            break;
        case 1:
            l->n++;
            break;
        case 2:
            l->k++;
            break;
        case 3:
            l->batch++;
            break;
        case 4:
            l->weights = SIM_WEIGHTS_KV;
            l->kv_row_elements = 56;
            break;
        case 5:
            l->a_on_chip = true;
            break;
        case 6:
            l->out_on_chip = true;
            break;
        case 7:
            l->param_elements++;
            break;
        case 8:
            l->conv.stride = 1;
            l->m = 2 * 9 * 9;
            break;
        case 9:
            l->conv.padding = 0;
            l->m = 2 * 4 * 4;
            break;
        case 10:
            l->ops_per_element = 5;
            break;
        case 11:
            l->kv_outputs = l->n;
            break;
        case 12:
            l->stored_batch = l->batch + 1;
            break;
        case 13:
            l->w_on_chip = true;
            break;
        case 14:
            l->later_pass = true;
            break;
        default: /* of two activations, one at w bits */
            pair[0].weights = l->weights = SIM_WEIGHTS_DYNAMIC;
            l->own.w = (sim_number){SIM_FORMAT_INT, 4};
            break;
        }
        table = tabulate(&arch, &workload, "w=8,a=8", SIM_OBJECTIVE_BALANCED, &arena);
        cr_expect_eq(table.kind_count, 2, "change %d", change);
    }
    sim_arena_free(&arena);
}

/* Cells that the machine cannot run: empty, counted, with a reason; the others are there. */
Test(table, what_the_machine_cannot_run)
{
    sim_layer layers[LAYERS];
    const sim_workload workload = {.name = "w", .layers = layers, .layer_count = LAYERS};
    sim_arch arch;
    sim_arena arena;
    sim_cost_table table;
    sim_err notes = {0};

    fill_layers(layers);
    arch_case_plain(&arch, "systolic"); /* of 8-bit PEs */
    sim_arena_init(&arena, NULL);
    table = tabulate(&arch, &workload, "w=8,9,a=8,9", SIM_OBJECTIVE_BALANCED, &arena);
    for (int64_t i = 0; i < LAYERS; i++)
        for (int64_t p = 0; p < 4; p++) {
            const sim_layer_price *price = &table.prices[table.kinds[i] * 4 + p];
            const int w = table.precisions[p].w.bits, a = table.precisions[p].a.bits;
            const bool vector = layers[i].op == SIM_OP_NORM || layers[i].op == SIM_OP_EMBEDDING;
            const bool by_a = layers[i].weights != SIM_WEIGHTS_STATIC;

            cr_expect_eq(price->possible, vector || (a == 8 && (by_a || w == 8)), "%s w%da%d", layers[i].name,
                         w, a);
            cr_expect_eq(price->macs > 0, !vector);
            cr_expect(price->possible || (price->cycles == 0 && price->weight_bytes == 0));
        }
    /* five layers with weights at three precisions, and two products of activations at two */
    cr_expect_eq(table.impossible_count, 5 * 3 + 2 * 2);
    sim_cost_table_notes(&table, &notes);
    cr_assert_eq(notes.count, 1);
    cr_expect_eq(sim_err_status(&notes), SIM_OK);
    cr_expect(strstr(notes.items[0].text, "19 of 36 cells are empty") &&
                  strstr(notes.items[0].text, "cannot run layer 'fc' at w8a9"),
              "%s", notes.items[0].text);
    cr_expect(strstr(notes.items[0].hint, "integer"), "%s", notes.items[0].hint);
    sim_arena_free(&arena);
}

/* No tile fits: a cell without a cost, not the end of the table. */
Test(table, what_fits_no_buffer)
{
    sim_layer layers[LAYERS];
    const sim_workload workload = {.name = "w", .layers = layers, .layer_count = 1};
    sim_arch arch;
    sim_arena arena;
    sim_cost_table table;

    fill_layers(layers);
    arch_case_plain(&arch, "systolic");
    arch.buffer_weight_kib = 8.0 / 8192; /* 8 bits, double-buffered */
    sim_arena_init(&arena, NULL);
    table = tabulate(&arch, &workload, "w=4,5,a=8", SIM_OBJECTIVE_BALANCED, &arena);
    cr_expect(table.prices[0].possible);
    cr_expect_not(table.prices[1].possible);
    cr_expect_eq(table.impossible_count, 1);
    cr_assert_not_null(table.why_impossible);
    cr_expect(strstr(table.why_impossible, "weight"), "%s", table.why_impossible);
    sim_arena_free(&arena);
}

/* Weights that fit on chip are read once for all steps: at 4 bits they do here, at 8 they do not. */
Test(table, weights_stay_on_chip_where_they_all_fit)
{
    sim_layer layers[2];
    sim_workload workload = {.name = "w", .layers = layers, .layer_count = 2, .phase = SIM_PHASE_DECODE};
    sim_arch arch;
    sim_arena arena;
    sim_cost_table table;
    sim_layer all[LAYERS];

    fill_layers(all);
    layers[0] = layers[1] = all[0];
    layers[0].n = layers[1].n = 100; /* of 56 weights each: 5,600 bytes a layer at 8 bits */
    layers[1].name = "fc2";
    arch_case_plain(&arch, "systolic");
    arch.buffer_weight_kib = 8;
    sim_arena_init(&arena, NULL);
    table = tabulate(&arch, &workload, "w=4,8,a=8", SIM_OBJECTIVE_DRAM, &arena);
    cr_assert_eq(table.kind_count, 1);
    cr_expect_eq(table.prices[0].dram_read_bytes, 24 * 56, "inputs alone");
    cr_expect_eq(table.prices[1].dram_read_bytes, 24 * 56 + 5600);
    cr_expect_eq(table.prices[0].weight_bytes, 2800, "stored all the same");
    workload.phase = SIM_PHASE_PREFILL;
    table = tabulate(&arch, &workload, "w=4,8,a=8", SIM_OBJECTIVE_DRAM, &arena);
    cr_expect_eq(table.prices[0].dram_read_bytes, 24 * 56 + 2800);
    sim_arena_free(&arena);
}

/* The note about layers that fewer bits make slower, against all pairs of cells one by one. */
Test(table, slower_with_fewer_bits)
{
    sim_layer layers[LAYERS];
    sim_workload workload = {.name = "w", .layers = layers, .layer_count = LAYERS};
    int with = 0, without = 0;

    fill_layers(layers);
    for (int64_t n = 10; n < 400; n += 13) {
        int64_t slower = 0;
        double most = 0;
        sim_arch arch;
        sim_arena arena;
        sim_cost_table t;
        sim_err notes = {0};

        arch_case_plain(&arch, "systolic");
        arch.mapper_slack_frac = n % 2 ? 0.01 : 0;
        layers[0].n = n;
        layers[2].k = 3 * n;
        sim_arena_init(&arena, NULL);
        t = tabulate(&arch, &workload, "w=1,2,4,8,a=3,8,kv=1,8", SIM_OBJECTIVE_ENERGY, &arena);
        for (int64_t i = 0; i < LAYERS; i++) {
            const sim_layer_price *prices = &t.prices[t.kinds[i] * t.precision_count];
            double worst = 0;

            for (int64_t p = 0; p < t.precision_count; p++)
                for (int64_t q = 0; q < t.precision_count; q++) {
                    const sim_precision *f = &t.precisions[p], *m = &t.precisions[q];
                    const int differ =
                        (f->w.bits != m->w.bits) + (f->a.bits != m->a.bits) + (f->kv.bits != m->kv.bits);
                    const bool fewer =
                        f->w.bits <= m->w.bits && f->a.bits <= m->a.bits && f->kv.bits <= m->kv.bits;
                    const double ratio = (double)prices[p].cycles / (double)prices[q].cycles;

                    if (differ == 1 && fewer && ratio - 1 > worst)
                        worst = ratio - 1;
                }
            slower += worst > arch.mapper_slack_frac;
            most = worst > most ? worst : most;
        }
        cr_expect_eq(t.slower_count, slower, "n %lld: %lld, not %lld", (long long)n,
                     (long long)t.slower_count, (long long)slower);
        sim_cost_table_notes(&t, &notes);
        cr_expect_eq(notes.count, slower > 0);
        if (slower > 0) {
            const sim_layer_price *prices = &t.prices[t.kinds[t.slower_layer] * t.precision_count];

            cr_expect_float_eq(t.slower_most_frac, most, 1e-12);
            cr_expect_float_eq((double)prices[t.slower_to].cycles / (double)prices[t.slower_from].cycles - 1,
                               most, 1e-12);
            cr_expect(strstr(notes.items[0].text, "get slower with fewer bits"), "%s", notes.items[0].text);
        }
        with += slower > 0;
        without += slower == 0;
        sim_arena_free(&arena);
    }
    cr_expect(with > 0, "no case with a slower layer: %d without", without);
}

Test(table, rows)
{
    sim_layer layers[LAYERS];
    sim_workload workload = {.name = "net, \"quoted\"", .layers = layers, .layer_count = 2};
    sim_arch arch;
    sim_arena arena;
    sim_text text = {.length = 0};
    sim_cost_table table;
    char expected[400];
    const char *row;

    fill_layers(layers);
    layers[1] = layers[3];
    arch_case_plain(&arch, "systolic");
    arch.name = "plain";
    sim_arena_init(&arena, NULL);
    table = tabulate(&arch, &workload, "w=8,9,a=8", SIM_OBJECTIVE_BALANCED, &arena);
    sim_cost_table_csv(&table, &text);
    row = strtok(text.data, "\n");
    cr_expect_str_eq(
        row, "layer,w_bits,a_bits,cycles,latency_s,energy_j,weight_bytes,compute_cycles,memory_cycles,"
             "dram_read_bytes,dram_write_bytes,utilization_frac,bound,op,repeat,macs,arch,workload");
    row = strtok(NULL, "\n");
    snprintf(expected, sizeof expected, "fc,8,8,%lld,", (long long)table.prices[0].cycles);
    cr_expect_eq(strncmp(row, expected, strlen(expected)), 0, "%s", row);
    cr_expect(strstr(row, ",2240,") && strstr(row, ",matmul,1,53760,plain,\"net, \"\"quoted\"\"\""), "%s",
              row);
    row = strtok(NULL, "\n");
    cr_expect_str_eq(row, "fc,9,8,,,,,,,,,,,matmul,1,53760,plain,\"net, \"\"quoted\"\"\"");
    row = strtok(NULL, "\n");
    cr_expect(strncmp(row, "norm,8,8,", 9) == 0 && strstr(row, ",80,") && strstr(row, ",norm,1,0,plain,"),
              "%s", row); /* a 16-bit weight for each of 40 features */
    row = strtok(NULL, "\n");
    cr_expect_eq(strncmp(row, "norm,9,8,", 9), 0);
    cr_expect_null(strtok(NULL, "\n"));
    sim_text_free(&text);
    table = tabulate(&arch, &workload, "w=8,a=8,kv=2", SIM_OBJECTIVE_BALANCED, &arena);
    text = (sim_text){.length = 0};
    sim_cost_table_csv(&table, &text);
    cr_expect_eq(strncmp(text.data, "layer,w_bits,a_bits,kv_bits,cycles,", 35), 0, "%s", text.data);
    cr_expect(strstr(text.data, "\nfc,8,8,2,"));
    sim_text_free(&text);
    sim_arena_free(&arena);
}
