/* The timeline: valid JSON, layers in the order of the workload, nothing lost. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "output/trace.h"
#include "result_fixture.h"

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
    double end[8] = {0};

    f.layers[2].compute_cycles = 1000000; /* more than its latency: clipped */
    for (const sim_json *e = events()->child; e; e = e->next) {
        int track;

        if (!is(e, "ph", "X"))
            continue;
        track = (int)real(e, "tid");
        cr_assert(track >= 1 && track <= 4);
        cr_assert_geq(real(e, "ts"), end[track] - 1e-9);
        cr_assert_gt(real(e, "dur"), 0);
        end[track] = real(e, "ts") + real(e, "dur");
    }
    for (int track = 2; track <= 4; track++)
        cr_assert_leq(end[track], end[1] + 1e-9);
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
