/* The timeline: valid JSON, layers in the order of the workload, nothing lost. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "output/trace.h"
#include "result_fixture.h"

enum { TRACKS = 5 };

static fixture f;
static sim_arena arena;
static sim_text text;

static void setup(void)
{
    fixture_init(&f);
    sim_arena_init(&arena, NULL);
    text = (sim_text){.length = 0};
}

static void teardown(void)
{
    sim_arena_free(&arena);
    sim_text_free(&text);
}

TestSuite(trace, .init = setup, .fini = teardown);

static const sim_json *events(void)
{
    sim_err err = {0};
    const sim_json *root = NULL;

    sim_trace(&f.result, &text);
    cr_assert_not(text.failed);
    cr_assert_eq(sim_json_parse(text.data, text.length, "trace", &arena, &root, &err), SIM_OK, "%s",
                 err.items[0].text);
    root = sim_json_get(root, "traceEvents");
    cr_assert_not_null(root);
    return root;
}

static bool is(const sim_json *event, const char *key, const char *value)
{
    const sim_json *member = sim_json_get(event, key);

    return member && member->type == SIM_JSON_TEXT && strcmp(member->text, value) == 0;
}

static double real(const sim_json *event, const char *key)
{
    const sim_json *member = sim_json_get(event, key);

    cr_assert_not_null(member, "'%s' is missing", key);
    return member->real;
}

Test(trace, layers_follow_each_other_in_the_order_of_the_workload)
{
    /* The third q_proj and qk of the groups have no instance in this workload. */
    static const char *const order[] = {"layers.0.q_proj",      "layers.0.qk", "layers.0.softmax",
                                        "layers.1.q_proj",      "layers.1.qk", "layers.1.softmax",
                                        "stem, \"first\" conv", "lm_head"};
    static const double length_us[] = {9.1, 4.1, 0.5, 9.1, 4.1, 1.0, 70.1, 20.1};
    double now_us = 0;
    int seen = 0;

    for (const sim_json *e = events()->child; e; e = e->next) {
        if (!is(e, "ph", "X") || real(e, "tid") != 1)
            continue;
        cr_assert(is(e, "name", order[seen]), "layer %d is not '%s'", seen, order[seen]);
        cr_assert_float_eq(real(e, "ts"), now_us, 1e-9);
        cr_assert_float_eq(real(e, "dur"), length_us[seen], 1e-9);
        now_us += length_us[seen++];
    }
    cr_assert_eq(seen, 8);
}

/* No slice reaches beyond its layer, or slices of one track would overlap and a viewer would nest them. */
Test(trace, slices_of_a_track_do_not_overlap)
{
    double end[TRACKS + 1] = {0};

    f.layers[2].compute_cycles = 1000000; /* more than its latency: clipped */
    for (const sim_json *e = events()->child; e; e = e->next) {
        int track;

        if (!is(e, "ph", "X"))
            continue;
        track = (int)real(e, "tid");
        cr_assert(track >= 1 && track <= TRACKS);
        cr_assert_geq(real(e, "ts"), end[track] - 1e-9);
        cr_assert_gt(real(e, "dur"), 0);
        end[track] = real(e, "ts") + real(e, "dur");
    }
    for (int track = 2; track <= TRACKS; track++)
        cr_assert_leq(end[track], end[1] + 1e-9);
}

/* The fields that the trace-event format asks for, by kind of event. */
Test(trace, events_have_the_fields_of_the_format)
{
    static const char *const metadata[] = {"process_name", "thread_name", "thread_sort_index"};

    for (const sim_json *e = events()->child; e; e = e->next) {
        cr_assert_eq(real(e, "pid"), 1);
        cr_assert_eq(sim_json_get(e, "name")->type, SIM_JSON_TEXT);
        if (is(e, "ph", "M")) {
            bool known = false;

            for (int i = 0; i < 3; i++)
                known |= is(e, "name", metadata[i]);
            cr_assert(known);
            cr_assert_eq(sim_json_get(e, "args")->count, 1);
            continue;
        }
        cr_assert_geq(real(e, "ts"), 0);
        if (is(e, "ph", "C")) {
            cr_assert_geq(sim_json_get(e, "args")->child->real, 0);
            continue;
        }
        cr_assert(is(e, "ph", "X"), "an event of another kind");
        cr_assert_geq(real(e, "tid"), 1);
        cr_assert_gt(real(e, "dur"), 0);
        cr_assert_eq(sim_json_get(e, "cat")->type, SIM_JSON_TEXT);
    }
}

/* Slices of tiles fill their layer, one after the other, and count every tile once. */
Test(trace, tiles_fill_their_layer)
{
    double start = 0, end = 0, at = 0;
    int64_t next = 1, of = 0;
    int slices = 0, layers = 0;
    const sim_json *list;

    f.layers[0].has_mapping = true;
    f.layers[0].mapping.tile_m = 1;
    f.layers[0].mapping.tile_n = f.layers[0].n / 2;
    f.layers[0].mapping.tile_k = 1;
    list = events();
    for (const sim_json *e = list->child; e; e = e->next) {
        if (!is(e, "ph", "X") || strstr(sim_json_get(e, "name")->text, "q_proj") == NULL)
            continue;
        if (real(e, "tid") == 1) {
            start = at = real(e, "ts");
            end = start + real(e, "dur");
            next = 1;
            layers++;
        } else if (real(e, "tid") == 5) {
            const sim_json *args = sim_json_get(e, "args");

            cr_assert_float_eq(real(e, "ts"), at, 1e-6);
            at += real(e, "dur");
            cr_assert_eq(real(args, "first_tile"), next);
            next += (int64_t)real(args, "tiles");
            of = (int64_t)real(args, "of");
            if (next == of + 1)
                cr_assert_float_eq(at, end, 1e-6);
            slices++;
        }
    }
    cr_assert_eq(layers, 2);
    cr_assert_eq(slices, 2 * 16);
    cr_assert_eq(next, of + 1);
    cr_assert_gt(of, 16);
}

/* The array and the channel are busy for as long as the report says. */
Test(trace, busy_times_are_those_of_the_report)
{
    const double cycle_us = 1.0 / f.arch.clock_mhz;
    double busy[TRACKS + 1] = {0}, compute = 0, memory = 0;

    for (const sim_json *e = events()->child; e; e = e->next)
        if (is(e, "ph", "X"))
            busy[(int)real(e, "tid")] += real(e, "dur");
    for (int i = 0; i < f.result.layer_count; i++) {
        const sim_layer_result *l = &f.layers[i];
        const double repeat = i < 2 ? 2 : i == 2 ? 3 : 1; /* instances that the workload has */

        compute += repeat * fmin((double)l->compute_cycles * cycle_us, l->latency_s * 1e6);
        memory += repeat * fmin((double)l->memory_cycles * cycle_us, l->latency_s * 1e6);
    }
    cr_assert_float_eq(busy[2] + busy[3], compute, 1e-6);
    cr_assert_float_eq(busy[4], memory, 1e-6);
}

Test(trace, ranges_of_a_group)
{
    f.layers[0].name = "layers.0,1-7,30-31.q_proj";
    f.layers[0].repeat = 10;
    f.instances[3].name = "layers.31.q_proj";
    f.instances[4].name = "layers.29.q_proj"; /* of no group */
    events();
    cr_assert_not_null(strstr(text.data, "\"layers.31.q_proj\""));
    cr_assert_null(strstr(text.data, "\"layers.29.q_proj\""));
}

Test(trace, energy_of_the_counter_is_that_of_the_layers)
{
    double joules = 0, power = 0, since = 0, expected = 0;

    for (const sim_json *e = events()->child; e; e = e->next)
        if (is(e, "ph", "C") && is(e, "name", "power")) {
            joules += power * (real(e, "ts") - since) * 1e-6;
            since = real(e, "ts");
            power = real(sim_json_get(e, "args"), "W");
        }
    cr_assert_eq(power, 0);
    expected += 2 * (sim_energy_total_j(&f.layers[0].energy) + sim_energy_total_j(&f.layers[1].energy));
    expected += 3 * sim_energy_total_j(&f.layers[2].energy);
    expected += sim_energy_total_j(&f.layers[3].energy) + sim_energy_total_j(&f.layers[4].energy);
    cr_assert_float_eq(joules, expected, 1e-12);
}
