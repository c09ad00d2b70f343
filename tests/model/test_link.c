/* Exchanges between devices against hand counts, what was measured, and laws; layers that devices share. */
#include "format/csv.h"
#include "input/arch.h"
#include "model/link.h"
#include "model/run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static sim_arena arena;

static void begin(void)
{
    sim_arena_init(&arena, NULL);
}

static void end(void)
{
    sim_arena_free(&arena);
}

TestSuite(link, .init = begin, .fini = end);

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

/* 10 bytes per ns, of which half is reached: 5,000 bytes per us. */
static sim_link link_of(sim_topology topology)
{
    return (sim_link){.devices = 64,
                      .topology = topology,
                      .bandwidth_gb_s = 10,
                      .efficiency_frac = 0.5,
                      .launch_us = 3,
                      .latency_us = 2,
                      .pj_per_bit = 10};
}

static sim_link_cost cost(sim_topology topology, sim_op op, int64_t devices, double bytes)
{
    sim_link link = link_of(topology);
    sim_link_cost out;

    sim_link_cost_of(&link, op, devices, bytes, &out);
    return out;
}

Test(link, allreduce_on_a_ring)
{
    sim_link_cost c = cost(SIM_TOPOLOGY_RING, SIM_OP_ALLREDUCE, 4, 1e6);

    /* 6 steps of 2 us; 1.5 MB through each link at 5,000 B/us. */
    cr_expect(near(c.us, 3 + 12 + 300));
    cr_expect(near(c.launch_us, 15));
    cr_expect(near(c.sent_bytes, 6e6), "each of 4 devices sends 1.5 MB");
    cr_expect(near(c.added_bytes, 750e3));
}

Test(link, a_switch_takes_a_tree_for_small_messages)
{
    /* 8 devices: the ring has 14 steps, the tree 6, and moves 2 instead of 1.75 messages. */
    cr_expect(near(cost(SIM_TOPOLOGY_SWITCH, SIM_OP_ALLREDUCE, 8, 1000).us, 3 + 12 + 0.4));
    cr_expect(near(cost(SIM_TOPOLOGY_RING, SIM_OP_ALLREDUCE, 8, 1000).us, 3 + 28 + 0.35));
    cr_expect(near(cost(SIM_TOPOLOGY_SWITCH, SIM_OP_ALLREDUCE, 8, 1e7).us, 3 + 28 + 3500));
    /* 5 devices: a tree of three levels. */
    cr_expect(near(cost(SIM_TOPOLOGY_SWITCH, SIM_OP_ALLREDUCE, 5, 1000).us, 3 + 12 + 0.4));
}

Test(link, gather_exchange_and_send)
{
    cr_expect(near(cost(SIM_TOPOLOGY_SWITCH, SIM_OP_ALLGATHER, 4, 1e6).us, 3 + 6 + 600));
    cr_expect(near(cost(SIM_TOPOLOGY_SWITCH, SIM_OP_ALLGATHER, 4, 1e6).sent_bytes, 12e6));
    cr_expect(near(cost(SIM_TOPOLOGY_SWITCH, SIM_OP_ALLTOALL, 4, 1e6).us, 3 + 6 + 150));
    cr_expect(near(cost(SIM_TOPOLOGY_SWITCH, SIM_OP_ALLTOALL, 4, 1e6).sent_bytes, 3e6));
    /* On a ring a part passes 1, 2 or 3 links: 1.5 times the message through each of them. */
    cr_expect(near(cost(SIM_TOPOLOGY_RING, SIM_OP_ALLTOALL, 4, 1e6).us, 3 + 6 + 300));
    cr_expect(near(cost(SIM_TOPOLOGY_RING, SIM_OP_ALLTOALL, 4, 1e6).sent_bytes, 6e6));
    cr_expect(near(cost(SIM_TOPOLOGY_RING, SIM_OP_SEND, 2, 1e6).us, 3 + 2 + 200));
    cr_expect(near(cost(SIM_TOPOLOGY_RING, SIM_OP_SEND, 2, 1e6).sent_bytes, 1e6));
}

Test(link, one_device_exchanges_nothing)
{
    static const sim_op ops[] = {SIM_OP_ALLREDUCE, SIM_OP_ALLGATHER, SIM_OP_ALLTOALL};

    for (int i = 0; i < 3; i++) {
        sim_link_cost c = cost(SIM_TOPOLOGY_SWITCH, ops[i], 1, 1e6);

        cr_expect_eq(c.us, 0);
        cr_expect_eq(c.sent_bytes, 0);
    }
}

Test(link, never_faster_with_more_devices_or_bytes_or_on_a_ring)
{
    static const sim_op ops[] = {SIM_OP_ALLREDUCE, SIM_OP_ALLGATHER, SIM_OP_ALLTOALL};

    for (int i = 0; i < 3; i++)
        for (int64_t p = 2; p < 64; p++)
            for (double bytes = 16; bytes < 1e9; bytes *= 7) {
                double us = cost(SIM_TOPOLOGY_SWITCH, ops[i], p, bytes).us;

                cr_assert_leq(us, cost(SIM_TOPOLOGY_SWITCH, ops[i], p + 1, bytes).us);
                cr_assert_leq(us, cost(SIM_TOPOLOGY_SWITCH, ops[i], p, 7 * bytes).us);
                cr_assert_leq(us, cost(SIM_TOPOLOGY_RING, ops[i], p, bytes).us);
            }
}

/* ---- as layers ----------------------------------------------------------------------------------- */

static sim_arch arch_of(const char *name)
{
    const sim_arch_setting settings[] = {{"link.devices", "8"},         {"link.topology", "switch"},
                                         {"link.bandwidth_gb_s", "10"}, {"link.launch_us", "3"},
                                         {"link.latency_us", "2"},      {"link.efficiency_frac", "0.5"},
                                         {"link.pj_per_bit", "10"}};
    char path[512];
    sim_arch arch;
    sim_err err = {0};

    snprintf(path, sizeof path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, name);
    cr_assert_eq(sim_arch_load(path, settings, 7, &arena, &arch, &err), SIM_OK, "%s", err.items[0].text);
    return arch;
}

static sim_status try_run(const sim_arch *arch, const sim_layer *layers, int64_t count, int64_t devices,
                          sim_result *out, sim_err *err)
{
    sim_workload *workload = sim_arena_alloc(&arena, 1, sizeof *workload);
    sim_policy *policy = sim_arena_alloc(&arena, 1, sizeof *policy);

    *workload =
        (sim_workload){.name = "w", .layers = layers, .layer_count = count, .devices = devices, .tokens = 8};
    *policy = (sim_policy){
        .name = "p", .overrides_own = true, .base = {.w = {SIM_FORMAT_INT, 8}, .a = {SIM_FORMAT_INT, 8}}};
    return sim_run_model(arch, workload, policy, SIM_OBJECTIVE_BALANCED, &arena, out, err);
}

static sim_result run(const sim_arch *arch, const sim_layer *layers, int64_t count, int64_t devices)
{
    sim_result result;
    sim_err err = {0};

    cr_assert_eq(try_run(arch, layers, count, devices, &result, &err), SIM_OK, "%s", err.items[0].text);
    return result;
}

Test(link, an_exchange_as_a_layer)
{
    static const char *const names[] = {"edge", "a100"};
    const sim_layer sum = {.name = "sum",
                           .op = SIM_OP_ALLREDUCE,
                           .repeat = 1,
                           .m = 512,
                           .n = 1024,
                           .batch = 1,
                           .devices = 8,
                           .ops_per_element = 1};

    for (int i = 0; i < 2; i++) {
        sim_arch arch = arch_of(names[i]);
        sim_result r = run(&arch, &sum, 1, 8);
        const sim_layer_result *l = &r.layers[0];
        double bytes = 512 * 1024 * 2, us = 3 + 28 + 1.75 * bytes / 5000; /* 16 bits each; a ring */

        cr_expect(near(l->latency_s, ceil(us * arch.clock_mhz) / (arch.clock_mhz * 1e6)), "%s", names[i]);
        cr_expect_eq(l->bound, SIM_BOUND_LINK);
        cr_expect_eq(l->devices, 8);
        cr_expect_eq(l->link_bytes, 14 * (int64_t)bytes);
        cr_expect_eq(l->dram_read_bytes, 8 * (int64_t)bytes);
        cr_expect_eq(l->dram_write_bytes, 8 * (int64_t)bytes);
        cr_expect(near(l->energy.link_j, 14 * bytes * 8 * 10e-12));
        cr_expect_eq(r.totals.link_bytes, l->link_bytes);
        cr_expect_eq(r.totals.devices, 8);
    }
}

/* Rows of a product shared out: what counts does not change, what is moved may. */
Test(link, a_shared_product)
{
    static const char *const names[] = {"edge", "a100"};
    const sim_layer whole = {
        .name = "fc", .op = SIM_OP_MATMUL, .repeat = 3, .m = 64, .n = 4096, .k = 1024, .batch = 1};
    sim_layer share = whole, odd = whole;

    share.n = 1024;
    share.devices = 4;
    odd.n = 1366; /* 4096 over 3 devices */
    odd.devices = 3;
    odd.spare_n = 2;
    odd.all_macs = 64 * 4096 * 1024;
    for (int i = 0; i < 2; i++) {
        sim_arch arch = arch_of(names[i]);
        sim_result one = run(&arch, &whole, 1, 0), four = run(&arch, &share, 1, 4),
                   three = run(&arch, &odd, 1, 3);

        cr_expect_eq(four.totals.macs, one.totals.macs);
        cr_expect_eq(three.totals.macs, one.totals.macs);
        cr_expect_eq(four.totals.weight_bytes, one.totals.weight_bytes);
        cr_expect_eq(three.totals.weight_bytes, one.totals.weight_bytes);
        cr_expect_lt(four.totals.latency_s, one.totals.latency_s);
        cr_expect_lt(four.totals.device_memory_bytes, one.totals.device_memory_bytes);
        cr_expect_eq(one.totals.device_memory_bytes, one.totals.peak_memory_bytes);
        cr_expect(near(four.totals.energy.mac_j, one.totals.energy.mac_j), "%s", names[i]);
        cr_expect(near(four.totals.energy.static_j / four.totals.latency_s,
                       4 * one.totals.energy.static_j / one.totals.latency_s));
        cr_expect(near(four.totals.peak_macs_per_s, 4 * one.totals.peak_macs_per_s));
        cr_expect(near(four.totals.utilization_frac,
                       (double)four.totals.macs / (four.totals.peak_macs_per_s * four.totals.latency_s)));
    }
}

Test(link, work_that_devices_repeat_counts_once)
{
    sim_arch arch = arch_of("edge");
    const sim_layer layer = {.name = "router",
                             .op = SIM_OP_MATMUL,
                             .repeat = 1,
                             .m = 16,
                             .n = 64,
                             .k = 256,
                             .batch = 1,
                             .devices = 4,

                             .repeated = true};
    sim_result r = run(&arch, &layer, 1, 4);

    cr_expect_eq(r.totals.macs, 16 * 64 * 256);
    cr_expect_eq(r.totals.weight_bytes, 4 * 64 * 256);
    cr_expect_leq(r.totals.utilization_frac, 0.25);
}

Test(link, stages_hold_their_own_and_can_all_be_busy)
{
    sim_arch arch = arch_of("edge");
    sim_layer layers[3] = {
        {.name = "a", .op = SIM_OP_MATMUL, .repeat = 1, .m = 8, .n = 1024, .k = 1024, .batch = 1},
        {.name = "send", .op = SIM_OP_SEND, .repeat = 1, .m = 8, .n = 1024, .batch = 1, .devices = 1},
        {.name = "b",
         .op = SIM_OP_MATMUL,
         .repeat = 1,
         .m = 8,
         .n = 3072,
         .k = 1024,
         .batch = 1,
         .stage = 1}};
    sim_workload workload = {
        .name = "w", .layers = layers, .layer_count = 3, .devices = 2, .stages = 2, .tokens = 8};
    sim_policy policy = {
        .name = "p", .overrides_own = true, .base = {.w = {SIM_FORMAT_INT, 8}, .a = {SIM_FORMAT_INT, 8}}};
    sim_err err = {0};
    sim_result r;
    double slowest;

    cr_assert_eq(sim_run_model(&arch, &workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &r, &err), SIM_OK);
    cr_assert_eq(r.layer_count, 3);
    slowest = fmax(r.layers[0].latency_s + r.layers[1].latency_s, r.layers[2].latency_s);
    cr_expect(
        near(r.totals.latency_s, r.layers[0].latency_s + r.layers[1].latency_s + r.layers[2].latency_s));
    cr_expect(near(r.totals.steady_tokens_per_s, 8 / slowest));
    cr_expect_eq(r.totals.weight_bytes, 4096 * 1024);
    cr_expect_eq(r.totals.device_memory_bytes, 3072 * 1024 + 8 * 1024 + 8 * 3072);
    cr_expect_eq(r.layers[1].link_bytes, 8 * 1024 * 2);
}

Test(link, more_devices_than_there_are)
{
    const sim_layer layer = {
        .name = "fc", .op = SIM_OP_MATMUL, .repeat = 1, .m = 1, .n = 64, .k = 64, .batch = 1, .devices = 16};
    sim_arch arch = arch_of("edge");
    sim_result result;
    sim_err err = {0};

    cr_assert_eq(try_run(&arch, &layer, 1, 16, &result, &err), SIM_BAD_INPUT);
    cr_expect(strstr(err.items[0].text, "spread over 16 devices; 'edge' has 8"), "%s", err.items[0].text);
}

/* ---- what was measured --------------------------------------------------------------------------- */

Test(link, shipped_gpus_meet_measured_allreduces)
{
    sim_csv csv;
    sim_err err = {0};
    char path[512];
    double sum = 0;
    int64_t rows = 0;

    snprintf(path, sizeof path, "%s/tests/validation/allreduce.csv", SIMACC_SOURCE_DIR);
    cr_assert_eq(sim_csv_load(path, &arena, &csv, &err), SIM_OK);
    for (int64_t i = 0; i < csv.row_count; i++) {
        const char *gpu = sim_csv_text(&csv, i, sim_csv_column(&csv, "gpu"));
        int64_t devices, bytes;
        double us;
        sim_link_cost c;
        sim_arch arch;

        if (strcmp(gpu, "a100_pcie") == 0)
            continue;
        snprintf(path, sizeof path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, gpu);
        cr_assert_eq(sim_arch_load(path, NULL, 0, &arena, &arch, &err), SIM_OK);
        cr_assert_eq(sim_csv_int(&csv, i, "devices", &devices, &err), SIM_OK);
        cr_assert_eq(sim_csv_int(&csv, i, "bytes", &bytes, &err), SIM_OK);
        cr_assert_eq(sim_csv_real(&csv, i, "latency_us", &us, &err), SIM_OK);
        sim_link_cost_of(&arch.link, SIM_OP_ALLREDUCE, devices, (double)bytes, &c);
        cr_expect_lt(fabs(log(c.us / us)), 0.45, "%s, %lld devices, %lld bytes: %g us, measured %g", gpu,
                     (long long)devices, (long long)bytes, c.us, us);
        sum += fabs(c.us / us - 1);
        rows++;
    }
    cr_assert_gt(rows, 50);
    cr_expect_lt(sum / (double)rows, 0.08, "mean %g", sum / (double)rows);
}
