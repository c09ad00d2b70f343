#include "base/text.h"
#include "input/policy.h"
#include "model/run.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- uniform policies ----------------------------------------------------------------------------- */

static void check_number(const char *spec, const char *what, sim_number got, sim_format format, int bits)
{
    cr_expect(got.format == format && got.bits == bits, "%s of %s: format %d, %d bits", what, spec,
              (int)got.format, got.bits);
}

Test(policy, integers)
{
    static const struct {
        const char *spec;
        int w, a, kv, group;
    } cases[] = {
        {"w8a8", 8, 8, 8, 0},           {"w4a8", 4, 8, 8, 0},          {"w1a1", 1, 1, 1, 0},
        {"w16a16", 16, 16, 16, 0},      {"w4a16g128", 4, 16, 16, 128}, {"w4a8kv4", 4, 8, 4, 0},
        {"w4a8kv4g64", 4, 8, 4, 64},    {"w4a8g64kv4", 4, 8, 4, 64},   {"w3a5kv7g1", 3, 5, 7, 1},
        {"w4a8g65536", 4, 8, 8, 65536}, {"a8w4", 4, 8, 8, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_precision p;
        char why[200] = "";

        cr_assert(sim_policy_parse(cases[i].spec, &p, why, sizeof why), "%s: %s", cases[i].spec, why);
        check_number(cases[i].spec, "w", p.w, SIM_FORMAT_INT, cases[i].w);
        check_number(cases[i].spec, "a", p.a, SIM_FORMAT_INT, cases[i].a);
        check_number(cases[i].spec, "kv", p.kv, SIM_FORMAT_INT, cases[i].kv);
        cr_expect_eq(p.group, cases[i].group, "%s", cases[i].spec);
    }
}

Test(policy, formats)
{
    static const struct {
        const char *spec;
        sim_format format;
        int bits;
    } cases[] = {{"fp32", SIM_FORMAT_FP, 32}, {"fp16", SIM_FORMAT_FP, 16},   {"bf16", SIM_FORMAT_BF, 16},
                 {"fp8", SIM_FORMAT_FP8, 8},  {"mxfp4", SIM_FORMAT_MXFP, 4}, {"nvfp4", SIM_FORMAT_NVFP, 4}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_precision p;
        char why[200];

        cr_assert(sim_policy_parse(cases[i].spec, &p, why, sizeof why));
        check_number(cases[i].spec, "w", p.w, cases[i].format, cases[i].bits);
        check_number(cases[i].spec, "a", p.a, cases[i].format, cases[i].bits);
        check_number(cases[i].spec, "kv", p.kv, cases[i].format, cases[i].bits);
        cr_expect_eq(p.group, 0);
    }
}

Test(policy, what_is_none)
{
    static const struct {
        const char *spec, *why;
    } cases[] = {
        {"", "neither"},
        {"w", "neither"},
        {"int8", "neither"},
        {"W4A8", "neither"},
        {" w4a8", "neither"},
        {"kv4w4a8", "neither"},
        {"w4", "the activations are missing"},
        {"a8", "the weights are missing"},
        {"w4kv4", "the activations are missing"},
        {"w4a", "'a' lacks its number"},
        {"w4a8kv", "'kv' lacks its number"},
        {"w4a8g", "'g' lacks its number"},
        {"w4a-8", "'a' lacks its number"},
        {"w4a8 ", "' ' is not understood"},
        {"w4a8x", "'x' is not understood"},
        {"w4.5a8", "'.5a8' is not understood"},
        {"w0a8", "weights must be from 1 to 16 bits, not 0"},
        {"w17a8", "weights must be from 1 to 16 bits, not 17"},
        {"w8a32", "activations must be from 1 to 16 bits, not 32"},
        {"w4a8kv0", "the KV cache must be from 1 to 16 bits, not 0"},
        {"w4a8g0", "groups must be from 1 to 65536 weights, not 0"},
        {"w4a8g65537", "groups must be from 1 to 65536 weights, not 65537"},
        {"w4294967300a8", "weights must be from 1 to 16 bits"},
        {"w4a99999999999999999999999999999",
         "activations must be from 1 to 16 bits, not 99999999999999999999"},
        {"w4w4a8", "'w' stands there twice"},
        {"w4a8kv4kv4", "'kv' stands there twice"},
        {"w4a8g4g4", "'g' stands there twice"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_precision p;
        char why[200] = "";

        cr_expect(!sim_policy_parse(cases[i].spec, &p, why, sizeof why), "'%s'", cases[i].spec);
        cr_expect(strstr(why, cases[i].why), "'%s': %s", cases[i].spec, why);
    }
}

Test(policy, why_is_cut_to_its_room)
{
    sim_precision p;
    char why[8];

    memset(why, 'x', sizeof why);
    cr_assert(!sim_policy_parse("w4a8nonsense", &p, why, 4));
    cr_assert_eq(strlen(why), 3);
    cr_assert_eq(why[4], 'x');
}

/* ---- loading -------------------------------------------------------------------------------------- */

typedef struct fixture {
    sim_arena arena;
    sim_policy policy;
    sim_err err;
    sim_status status;
} fixture;

static void load(fixture *f, const char *spec)
{
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    f->status = sim_policy_load(spec, &f->arena, &f->policy, &f->err);
}

static void read_text(fixture *f, const char *text)
{
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    f->status = sim_policy_read(text, strlen(text), "dir/mixed.json", &f->arena, &f->policy, &f->err);
}

/* No policy: the layers' own bits, else 8; the empty base leaves the KV cache to the layer's activations. */
Test(policy, none_given)
{
    fixture f;

    load(&f, NULL);
    cr_assert_eq(f.status, SIM_OK);
    cr_assert_str_eq(f.policy.name, "w8a8");
    cr_assert(!f.policy.overrides_own);
    cr_assert_eq(f.policy.base.w.bits, 0);
    cr_assert_eq(f.policy.base.kv.bits, 0);
    cr_assert_eq(f.policy.rule_count, 0);
    sim_arena_free(&f.arena);
}

Test(policy, a_uniform_one_beats_the_layers)
{
    fixture f;

    load(&f, "w4a8kv4");
    cr_assert_eq(f.status, SIM_OK);
    cr_assert_str_eq(f.policy.name, "w4a8kv4");
    cr_assert_null(f.policy.file);
    cr_assert(f.policy.overrides_own);
    cr_assert_eq(f.policy.base.kv.bits, 4);
    sim_arena_free(&f.arena);
}

Test(policy, an_unknown_one_says_what_there_is)
{
    static const struct {
        const char *spec, *hint;
    } cases[] = {{"fp61", "did you mean 'fp16'?"},    {"wa48", "did you mean 'w4a8'?"},
                 {"W8A8", "did you mean 'w8a8'?"},    {"mxfp", "did you mean 'mxfp4'?"},
                 {"w4", "supported: w<bits>a<bits>"}, {"x", "supported: w<bits>"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;

        load(&f, cases[i].spec);
        cr_expect_eq(f.status, SIM_BAD_INPUT);
        cr_expect(strstr(f.err.items[0].hint, cases[i].hint), "%s: %s", cases[i].spec, f.err.items[0].hint);
        cr_expect(strstr(f.err.items[0].hint, "or a JSON file of rules"), "cut: %s", f.err.items[0].hint);
        sim_arena_free(&f.arena);
    }
}

Test(policy, rules)
{
    fixture f;
    const sim_policy_rule *r;

    read_text(&f, "{\"name\": \"mine\", \"default\": \"w4a8kv6g128\", \"policy\": [\n"
                  " {\"layer\": \"layers.*.down_proj\", \"w_bits\": 8},\n"
                  " {\"layer\": \"lm_head\", \"w_bits\": 16, \"w_format\": \"fp\", \"a_format\": \"bf\", "
                  "\"group\": 0},\n"
                  " {\"layer\": \"*\", \"kv_format\": \"fp8\", \"group\": 32}]}");
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_str_eq(f.policy.name, "mine");
    cr_assert_str_eq(f.policy.file, "dir/mixed.json");
    cr_assert(f.policy.overrides_own);
    cr_assert_eq(f.policy.base.w.bits, 4);
    cr_assert_eq(f.policy.base.kv.bits, 6);
    cr_assert_eq(f.policy.base.group, 128);
    cr_assert_eq(f.policy.rule_count, 3);
    r = f.policy.rules;
    cr_assert_str_eq(r[0].glob, "layers.*.down_proj");
    check_number("rule 1", "w", r[0].precision.w, SIM_FORMAT_INT, 8);
    check_number("rule 1", "a", r[0].precision.a, SIM_FORMAT_INT, 0);
    cr_assert_eq(r[0].precision.group, -1, "unchanged");
    check_number("rule 2", "w", r[1].precision.w, SIM_FORMAT_FP, 16);
    check_number("rule 2", "a", r[1].precision.a, SIM_FORMAT_BF, 16);
    cr_assert_eq(r[1].precision.group, 0, "no groups");
    check_number("rule 3", "kv", r[2].precision.kv, SIM_FORMAT_FP8, 8);
    cr_assert_eq(r[2].precision.group, 32);
    sim_arena_free(&f.arena);
}

Test(policy, a_file_without_default_leaves_the_layers_their_bits)
{
    fixture f;

    read_text(&f, "{\"rules\": [{\"layer\": \"fc1\", \"a_bits\": 4}]}");
    cr_assert_eq(f.status, SIM_OK);
    cr_assert_str_eq(f.policy.name, "mixed", "the file's own name");
    cr_assert(!f.policy.overrides_own);
    cr_assert_eq(f.policy.base.w.bits, 0);
    cr_assert_eq(f.policy.rules[0].precision.a.bits, 4);
    sim_arena_free(&f.arena);
    read_text(&f, "{\"default\": \"fp8\"}");
    cr_assert_eq(f.status, SIM_OK);
    cr_assert_eq(f.policy.rule_count, 0);
    sim_arena_free(&f.arena);
}

Test(policy, a_search_result_is_one)
{
    fixture f;

    read_text(&f, "{\"objective\": \"latency\", \"cost\": 0.0125, \"budget\": 0.013, \"lower_bound\": "
                  "0.0125, \"gap\": 0,"
                  " \"method\": \"dp\", \"policy\": [{\"layer\": \"fc1\", \"w_bits\": 3, \"a_bits\": 8}]}");
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_eq(f.policy.rule_count, 1);
    sim_arena_free(&f.arena);
}

/* ---- by position ---------------------------------------------------------------------------------- */

static void check_position(const sim_policy *policy, int i, int w, int a)
{
    char place[24];

    snprintf(place, sizeof place, "position %d", i);
    check_number(place, "w", policy->positions[i].w, SIM_FORMAT_INT, w);
    check_number(place, "a", policy->positions[i].a, SIM_FORMAT_INT, a);
    check_number(place, "kv", policy->positions[i].kv, SIM_FORMAT_INT, 0);
}

Test(policy, a_bare_list_is_by_position)
{
    fixture f;

    read_text(&f, "[[8, -1], [7, 16],\n [-1, 1]]");
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_str_eq(f.policy.name, "mixed", "the file's own name");
    cr_assert_str_eq(f.policy.file, "dir/mixed.json");
    cr_assert_eq(f.policy.position_count, 3);
    cr_assert_eq(f.policy.rule_count, 0);
    cr_assert(!f.policy.overrides_own);
    check_position(&f.policy, 0, 8, 8); /* -1: not quantized, priced at 8 bits */
    check_position(&f.policy, 1, 7, 16);
    check_position(&f.policy, 2, 8, 1);
    sim_arena_free(&f.arena);
}

Test(policy, positions_with_a_default_and_rules)
{
    fixture f;

    read_text(
        &f,
        "{\"name\": \"haq\", \"network\": \"MobileNetV2\", \"source\": \"a paper\", \"default\": \"w8a8\","
        " \"layers_w_a_bits\": [[4, 6]], \"policy\": [{\"layer\": \"fc\", \"w_bits\": 2}]}");
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_str_eq(f.policy.name, "haq");
    cr_assert_eq(f.policy.position_count, 1);
    check_position(&f.policy, 0, 4, 6);
    cr_assert_eq(f.policy.rule_count, 1);
    cr_assert(f.policy.overrides_own);
    sim_arena_free(&f.arena);
}

/* The policy that HAQ's repository prints has 53 pairs: the 52 convolutions of MobileNetV2, and its
 * classifier. */
Test(policy, haq_as_shipped)
{
    fixture f;

    load(&f, SIMACC_SOURCE_DIR "/workloads/policies/haq_mobilenet_v2_60pct.json");
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_eq(f.policy.position_count, 53);
    check_position(&f.policy, 0, 8, 8);
    check_position(&f.policy, 1, 7, 7);
    check_position(&f.policy, 22, 6, 4);
    check_position(&f.policy, 52, 8, 8);
    sim_arena_free(&f.arena);
}

/* ---- files with slips in them --------------------------------------------------------------------- */

static void check_error(const fixture *f, int i, int line, const char *text, const char *hint)
{
    const sim_err_item *item = &f->err.items[i];

    cr_assert_lt(i, f->err.count, "no error %d: '%s'", i, text);
    cr_expect_eq(item->line, line, "'%s' on line %d", item->text, item->line);
    cr_expect_str_eq(item->text, text);
    cr_expect_str_eq(item->hint, hint);
    cr_expect_str_eq(item->file, "dir/mixed.json");
}

Test(policy, all_slips_of_a_file_together)
{
    fixture f;

    read_text(&f, "{\"nam\": \"x\",\n"
                  "\"default\": \"w4\",\n"
                  "\"policy\": [\n"
                  "{\"layer\": \"a\", \"w_bit\": 4},\n"
                  "{\"w_bits\": 4},\n"
                  "{\"layer\": \"b\"},\n"
                  "{\"layer\": \"c\", \"w_bits\": 17, \"a_bits\": \"8\"},\n"
                  "{\"layer\": \"d\", \"w_format\": \"in\", \"a_format\": \"fp\", \"group\": -1},\n"
                  "7,\n"
                  "{\"layer\": \"\", \"w_bits\": 32, \"a_format\": \"fp8\", \"a_bits\": 4}]}");
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    check_error(&f, 0, 1, "unknown key 'nam' in a policy file", "did you mean 'name'?");
    cr_expect_eq(f.err.items[1].line, 2);
    cr_expect(strstr(f.err.items[1].text, "policy 'w4': "));
    check_error(&f, 2, 4, "unknown key 'w_bit' in a rule", "did you mean 'w_bits'?");
    check_error(&f, 3, 5, "'layer' is missing from the rule", "");
    check_error(&f, 4, 6, "the rule for 'b' sets nothing", "give w_bits, a_bits, kv_bits or group");
    check_error(&f, 5, 7, "'w_bits' is 17: integers have 1 to 16 bits", "");
    check_error(&f, 6, 7, "'a_bits' must be an integer, not a text", "");
    check_error(&f, 7, 8, "unknown w_format 'in'", "did you mean 'int'?");
    check_error(&f, 8, 8, "'a_format' needs 'a_bits': fp has 16 or 32 bits", "");
    check_error(&f, 9, 8, "'group' must be from 0 to 65536, not -1", "");
    check_error(&f, 10, 9, "a rule must be an object, not an integer", "");
    check_error(&f, 11, 10, "'layer' is empty", "");
    check_error(&f, 12, 10, "'w_bits' is 32: integers have 1 to 16 bits",
                "for floating point give \"w_format\": \"fp\" too");
    check_error(&f, 13, 10, "'a_bits' is 4: fp8 has 8 bits", "");
    cr_expect_eq(f.err.count, 14);
    sim_arena_free(&f.arena);
}

Test(policy, wrong_shapes)
{
#define BY_POSITION                                                                                          \
    "a policy by position is a list of pairs [w_bits, a_bits], one for each layer with weights, not "
#define NEEDS                                                                                                \
    "a policy file needs 'policy' (a list of rules), 'layers_w_a_bits' (a list by position) or 'default'"
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[]", BY_POSITION "an empty one"},
        {"{\"layers_w_a_bits\": {}}", BY_POSITION "an object"},
        {"[4]", "pair 1 must be [w_bits, a_bits], not an integer"},
        {"[[4, 8], [4, 8, 8]]", "pair 2 must be [w_bits, a_bits], not an array of another length"},
        {"[[4, 8], [4.0, 8]]", "w_bits of pair 2 must be an integer, not a real number"},
        {"[[4, null]]", "a_bits of pair 1 must be an integer, not null"},
        {"[[4, -2]]", "a_bits of pair 1 is -2: integers have 1 to 16 bits"},
        {"[[0, 4]]", "w_bits of pair 1 is 0: integers have 1 to 16 bits"},
        {"7", "a policy file must be an object, or a list of pairs [w_bits, a_bits], not an integer"},
        {"{}", NEEDS},
        {"{\"name\": \"x\"}", NEEDS},
        {"{\"policy\": {}}", "'policy' must be an array of rules, not an object"},
        {"{\"rules\": \"w4a8\"}", "'rules' must be an array of rules, not a text"},
        {"{\"rules\": [], \"policy\": []}", "'policy' and 'rules' are two names of the same list"},
        {"{\"default\": 8}", "'default' must be a text, not an integer"},
        {"{\"default\": \"w8a8\", \"name\": \"\"}", "'name' is empty"},
        {"", "is empty: expected JSON"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;

        read_text(&f, cases[i].text);
        cr_expect_eq(f.status, SIM_BAD_INPUT, "%s", cases[i].text);
        cr_expect_eq(f.err.count, 1, "%s", cases[i].text);
        cr_expect_str_eq(f.err.items[0].text, cases[i].words);
        sim_arena_free(&f.arena);
    }
}

/* What contains '/' or ends in ".json" is a file, everything else a word. */
Test(policy, files)
{
    char folder[] = "/tmp/simacc_test_XXXXXX", path[64];
    fixture f;
    FILE *file;

    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w4", folder);
    load(&f, path);
    cr_expect_eq(f.status, SIM_BAD_INPUT);
    cr_expect_str_eq(f.err.items[0].text, "cannot be opened: No such file or directory");
    sim_arena_free(&f.arena);
    file = fopen(path, "w");
    fputs("{\"default\": \"w4a4\"}", file);
    fclose(file);
    load(&f, path);
    cr_expect_eq(f.status, SIM_OK);
    cr_expect_str_eq(f.policy.name, "w4");
    cr_expect_str_eq(f.policy.file, path);
    sim_arena_free(&f.arena);
    unlink(path);
    rmdir(folder);
    load(&f, "missing.json");
    cr_expect_str_eq(f.err.items[0].file, "missing.json");
    sim_arena_free(&f.arena);
}

/* Groups that take other bits than a scale of 16 and a zero point. */
Test(policy, group_bits)
{
    static const char text[] = "{\"policy\": [{\"layer\": \"a\", \"w_bits\": 4, \"a_bits\": 16, "
                               "\"group\": 32, \"group_bits\": 8},\n{\"layer\": \"b\", \"group\": 32}]}";
    static const char lone[] = "{\"policy\": [{\"layer\": \"a\", \"w_bits\": 4,\n\"group_bits\": 8}]}";
    const sim_layer a = {.name = "a"}, b = {.name = "b", .own = {.group = 64, .group_bits = 10}};
    sim_arena arena;
    sim_policy policy;
    sim_precision p;
    sim_err err = {0};

    sim_arena_init(&arena, NULL);
    cr_assert_eq(sim_policy_read(text, strlen(text), "p.json", &arena, &policy, &err), SIM_OK, "%s",
                 err.items[0].text);
    sim_precision_of(&policy, &a, -1, &p);
    cr_assert(p.group == 32 && p.group_bits == 8);
    cr_assert_eq(sim_stored_weight_bits(3, 96, &p), 3 * (96 * 4 + 3 * 8));
    sim_precision_of(&policy, &b, -1, &p);
    cr_assert(p.group == 32 && p.group_bits == 0, "a group without bits has the usual ones");
    p.w.bits = 4;
    cr_assert_eq(sim_stored_weight_bits(3, 128, &p), 3 * (128 * 4 + 4 * 20));
    cr_assert_eq(sim_policy_read(lone, strlen(lone), "p.json", &arena, &policy, &err), SIM_BAD_INPUT);
    cr_assert_eq(err.items[0].line, 2);
    cr_assert_not_null(strstr(err.items[0].text, "needs 'group' beside it"));
    sim_arena_free(&arena);
}
