#include "input/workload_fixture.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- explicit lists ------------------------------------------------------------------------------- */

Test(workload, a_list_of_layers)
{
    workload_fixture f;
    const sim_layer *l;

    workload_read_text(
        &f,
        "{\"name\": \"mine\", \"layers\": [\n"
        "{\"name\": \"fc1\", \"op\": \"matmul\", \"m\": 32, \"n\": 512, \"k\": 784},\n"
        "{\"name\": \"fc2\", \"op\": \"matmul\", \"m\": 1, \"n\": 2, \"k\": 3, \"batch\": 4, \"repeat\": 5,\n"
        " \"weights\": \"dynamic\", \"w_bits\": 4, \"a_format\": \"fp8\", \"group\": 64}]}");
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_str_eq(f.workload.name, "mine");
    cr_assert_str_eq(f.workload.file, "dir/w.json");
    cr_assert_eq(f.workload.phase, SIM_PHASE_NONE);
    cr_assert_eq(f.workload.batch, 0, "unknown");
    cr_assert_eq(f.workload.tokens, 0, "unknown");
    cr_assert_null(f.workload.model_type);
    cr_assert_eq(f.workload.layer_count, 2);
    l = &f.workload.layers[0];
    workload_check_shape(l, SIM_OP_MATMUL, 32, 512, 784, 1, 1);
    cr_assert_str_eq(l->name, "fc1");
    cr_assert_eq(l->line, 2);
    cr_assert_eq(l->weights, SIM_WEIGHTS_STATIC);
    cr_assert(l->own.w.bits == 0 && l->own.a.bits == 0 && l->own.group == 0 && !l->keep_float);
    cr_assert_eq(l->needed_macs, 0);
    l = &f.workload.layers[1];
    workload_check_shape(l, SIM_OP_MATMUL, 1, 2, 3, 4, 5);
    cr_assert_eq(l->line, 3);
    cr_assert_eq(l->weights, SIM_WEIGHTS_DYNAMIC);
    cr_assert(l->own.w.format == SIM_FORMAT_INT && l->own.w.bits == 4);
    cr_assert(l->own.a.format == SIM_FORMAT_FP8 && l->own.a.bits == 8);
    cr_assert_eq(l->own.group, 64);
    sim_arena_free(&f.arena);
}

Test(workload, the_file_names_what_has_no_name)
{
    workload_fixture f;

    workload_read_text(&f, "{\"layers\": [{\"name\": \"a\", \"op\": \"softmax\", \"m\": 1, \"n\": 1}]}");
    cr_assert_eq(f.status, SIM_OK);
    cr_assert_str_eq(f.workload.name, "w");
    sim_arena_free(&f.arena);
}

/* Where the shapes come from is for people; it must be a text all the same. */
Test(workload, source)
{
    workload_fixture f;

    workload_read_text(&f, "{\"source\": \"a paper\", \"layers\": [\n"
                           "{\"name\": \"a\", \"op\": \"softmax\", \"m\": 1, \"n\": 1}]}");
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_str_eq(f.workload.name, "w");
    sim_arena_free(&f.arena);
    workload_read_text(&f, "{\"layers\": [{\"name\": \"a\", \"op\": \"softmax\", \"m\": 1, \"n\": 1}],\n"
                           "\"source\": 2018}");
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    workload_check_error(&f, 0, 2, "'source' must be a text, not an integer", "");
    sim_arena_free(&f.arena);
}

Test(workload, vector_operations)
{
    static const struct {
        const char *text;
        sim_op op;
        int inputs;
        double ops;
        int64_t params;
    } cases[] = {
        {"\"op\": \"softmax\"", SIM_OP_SOFTMAX, 1, 5, 0},
        {"\"op\": \"norm\"", SIM_OP_NORM, 1, 4, 20},
        {"\"op\": \"elementwise\"", SIM_OP_ELEMENTWISE, 1, 1, 0},
        {"\"op\": \"elementwise\", \"inputs\": 2", SIM_OP_ELEMENTWISE, 2, 1, 0},
        {"\"op\": \"elementwise\", \"inputs\": 8", SIM_OP_ELEMENTWISE, 8, 7, 0},
        {"\"op\": \"elementwise\", \"inputs\": 2, \"ops_per_element\": 4.5", SIM_OP_ELEMENTWISE, 2, 4.5, 0},
        {"\"op\": \"quantize\"", SIM_OP_QUANTIZE, 1, 2, 0},
        {"\"op\": \"allreduce\", \"ops_per_element\": 0", SIM_OP_ALLREDUCE, 1, 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workload_fixture f;
        char text[200];
        const sim_layer *l;

        snprintf(text, sizeof text, "%s, \"m\": 10, \"n\": 20, \"batch\": 3, \"repeat\": 2, \"a_bits\": 4",
                 cases[i].text);
        l = workload_read_layer(&f, text);
        workload_check_shape(l, cases[i].op, 10, 20, 0, 3, 2);
        cr_expect_eq(l->inputs, cases[i].inputs, "%s", cases[i].text);
        cr_expect_eq(l->ops_per_element, cases[i].ops, "%s: %g", cases[i].text, l->ops_per_element);
        cr_expect_eq(l->param_elements, cases[i].params, "%s", cases[i].text);
        cr_expect_eq(l->own.a.bits, 4);
        sim_arena_free(&f.arena);
    }
}

Test(workload, an_embedding_stays_float_unless_it_says_otherwise)
{
    workload_fixture f;
    const sim_layer *l = workload_read_layer(&f, "\"op\": \"embedding\", \"m\": 7, \"n\": 64, \"k\": 1000");

    workload_check_shape(l, SIM_OP_EMBEDDING, 7, 64, 1000, 1, 1);
    cr_assert_eq(l->ops_per_element, 0);
    cr_assert(l->keep_float);
    sim_arena_free(&f.arena);
    l = workload_read_layer(&f, "\"op\": \"embedding\", \"m\": 7, \"n\": 64, \"k\": 1000, \"w_bits\": 4");
    cr_assert(!l->keep_float);
    sim_arena_free(&f.arena);
}

/* im2col by hand: out = (in + 2 padding - kernel) / stride + 1, rounded down. */
Test(workload, convolutions)
{
    static const struct {
        const char *text;
        int64_t m, n, k, batch;
    } cases[] = {
        /* AlexNet conv1: (227 - 11) / 4 + 1 = 55; 55 * 55 = 3025; 11 * 11 * 3 = 363 */
        {"\"h_in\": 227, \"w_in\": 227, \"c_in\": 3, \"c_out\": 96, \"kernel_h\": 11, \"kernel_w\": 11, "
         "\"stride\": 4",
         3025, 96, 363, 1},
        /* a padded 3x3 keeps the size; two images */
        {"\"images\": 2, \"h_in\": 8, \"w_in\": 6, \"c_in\": 4, \"c_out\": 8, \"kernel_h\": 3, \"kernel_w\": "
         "3, \"padding\": 1",
         96, 8, 36, 1},
        /* depthwise: a product per channel */
        {"\"h_in\": 5, \"w_in\": 5, \"c_in\": 6, \"c_out\": 6, \"kernel_h\": 3, \"kernel_w\": 3, \"groups\": "
         "6",
         9, 1, 9, 6},
        /* grouped; a kernel that is not square */
        {"\"h_in\": 5, \"w_in\": 7, \"c_in\": 6, \"c_out\": 4, \"kernel_h\": 1, \"kernel_w\": 3, \"groups\": "
         "2",
         25, 2, 9, 2},
        /* the kernel covers all of the padded input */
        {"\"h_in\": 3, \"w_in\": 3, \"c_in\": 1, \"c_out\": 1, \"kernel_h\": 5, \"kernel_w\": 5, "
         "\"padding\": 1, \"stride\": 9",
         1, 1, 25, 1},
        /* a stride that does not divide leaves the rest out: (6 - 3) / 2 + 1 = 2 */
        {"\"h_in\": 6, \"w_in\": 6, \"c_in\": 1, \"c_out\": 1, \"kernel_h\": 3, \"kernel_w\": 3, \"stride\": "
         "2",
         4, 1, 9, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workload_fixture f;
        char text[300];
        const sim_layer *l;

        snprintf(text, sizeof text, "\"op\": \"conv2d\", \"repeat\": 3, \"w_bits\": 2, %s", cases[i].text);
        l = workload_read_layer(&f, text);
        cr_assert_not_null(l, "%s: %s", cases[i].text, f.err.items[0].text);
        workload_check_shape(l, SIM_OP_CONV2D, cases[i].m, cases[i].n, cases[i].k, cases[i].batch, 3);
        cr_expect_eq(l->own.w.bits, 2);
        cr_expect_eq(l->conv.groups, cases[i].batch);
        cr_expect_eq(l->weights, SIM_WEIGHTS_STATIC);
        sim_arena_free(&f.arena);
    }
}

Test(workload, impossible_convolutions)
{
#define CONV(rest)                                                                                           \
    "\"op\": \"conv2d\", \"h_in\": 4, \"w_in\": 9, \"c_in\": 6, \"c_out\": 6, \"kernel_w\": 1, " rest
    static const struct {
        const char *text, *words;
        sim_status status;
    } cases[] = {
        {CONV("\"kernel_h\": 7, \"padding\": 1"),
         "'kernel_h' of layer 'x' is larger than its padded input: 7 against 6", SIM_BAD_INPUT},
        {CONV("\"kernel_h\": 1, \"groups\": 4"), "'groups' of layer 'x' does not divide 'c_in': 4 and 6",
         SIM_BAD_INPUT},
        {CONV("\"kernel_h\": 1, \"groups\": 0"), "'groups' must be at least 1, not 0", SIM_BAD_INPUT},
        {CONV("\"kernel_h\": 1, \"stride\": 0"), "'stride' must be at least 1, not 0", SIM_BAD_INPUT},
        {CONV("\"kernel_h\": 1, \"padding\": -1"), "'padding' must be at least 0, not -1", SIM_BAD_INPUT},
        {CONV("\"padding\": 1"), "'kernel_h' is missing from layer 'x'", SIM_BAD_INPUT},
        {CONV("\"kernel_h\": 1, \"padding\": 9223372036854775807"),
         "the padded 'h_in' of layer 'x' does not fit 63 bits", SIM_OVERFLOW},
        {CONV("\"kernel_h\": 1, \"padding\": 4000000000"), "the work of layer 'x' does not fit 63 bits",
         SIM_OVERFLOW},
    };
#undef CONV

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workload_fixture f;

        cr_assert_null(workload_read_layer(&f, cases[i].text));
        cr_expect_eq(f.status, cases[i].status, "case %zu", i);
        cr_expect_str_eq(f.err.items[0].text, cases[i].words);
        cr_expect_eq(f.err.items[0].line, 2);
        sim_arena_free(&f.arena);
    }
}

/* An error points at the key that is wrong, and says what would be right. */
Test(workload, impossible_convolutions_are_pointed_at)
{
    workload_fixture f;

    workload_read_text(
        &f, "{\"layers\": [{\"name\": \"x\", \"op\": \"conv2d\", \"h_in\": 4, \"w_in\": 9, \"c_in\": "
            "6, \"c_out\": 4,\n"
            "\"kernel_h\": 7,\n"
            "\"kernel_w\": 1, \"padding\": 1,\n"
            "\"groups\": 3}]}");
    workload_check_error(&f, 0, 2, "'kernel_h' of layer 'x' is larger than its padded input: 7 against 6",
                         "supported: 'kernel_h' up to h_in + 2 * padding = 6");
    workload_check_error(
        &f, 1, 4, "'groups' of layer 'x' does not divide 'c_out': 3 and 4",
        "supported: any 'groups' that divides both c_in and c_out; groups = c_in is a depthwise "
        "convolution");
    cr_expect_eq(f.err.count, 2);
    sim_arena_free(&f.arena);
}

/* 2^63 - 1 = 7^2 * 73 * 127 * 337 * 92737 * 649657 is reached exactly, and then exceeded by each factor in
 * turn. */
Test(workload, counts_up_to_63_bits)
{
    static const int64_t factors[5] = {49 * 73, 127 * 337, 92737, 649657, 1};
    static const char *const keys[5] = {"m", "n", "k", "batch", "repeat"};

    for (int wrong = -1; wrong < 5; wrong++) {
        workload_fixture f;
        char text[300] = "\"op\": \"matmul\"";

        for (int i = 0; i < 5; i++) {
            size_t length = strlen(text);

            snprintf(text + length, sizeof text - length, ", \"%s\": %" PRId64, keys[i],
                     factors[i] + (i == wrong));
        }
        workload_read_layer(&f, text);
        cr_expect_eq(f.status, wrong < 0 ? SIM_OK : SIM_OVERFLOW, "%s", text);
        if (wrong >= 0)
            workload_check_error(&f, 0, 2, "the work of layer 'x' does not fit 63 bits", "");
        sim_arena_free(&f.arena);
    }
}

Test(workload, a_table_beyond_63_bits)
{
    workload_fixture f;

    workload_read_layer(&f, "\"op\": \"embedding\", \"m\": 1, \"n\": 4294967296, \"k\": 4294967296");
    cr_assert_eq(f.status, SIM_OVERFLOW);
    sim_arena_free(&f.arena);
}

Test(workload, all_slips_of_a_list_together)
{
    workload_fixture f;

    workload_read_text(&f, "{\"layers\": [\n"
                           "{\"name\": \"a\", \"op\": \"matmull\", \"m\": 1, \"n\": 1, \"k\": 1},\n"
                           "{\"op\": \"matmul\", \"m\": 0, \"n\": -3, \"k\": 1.5},\n"
                           "{\"name\": \"b\", \"op\": \"matmul\", \"n\": \"4\", \"K\": 1},\n"
                           "{\"name\": \"c\", \"op\": \"softmax\", \"m\": 1, \"n\": 1, \"k\": 1},\n"
                           "[],\n"
                           "{\"name\": \"d\", \"op\": \"matmul\", \"m\": 1, \"n\": 1, \"k\": 1, \"weights\": "
                           "\"static\", \"w_bits\": 0},\n"
                           "{\"name\": \"b\", \"op\": \"elementwise\", \"m\": 1, \"n\": 1, \"inputs\": 9, "
                           "\"ops_per_element\": -1},\n"
                           "{\"name\": \"e\", \"m\": 1}],\n"
                           "\"batch\": 1}");
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    workload_check_error(&f, 0, 10, "unknown key 'batch' in a workload with 'layers'",
                         "known: name, source, layers");
    workload_check_error(&f, 1, 2, "unknown op 'matmull'", "did you mean 'matmul'?");
    workload_check_error(&f, 2, 3, "'name' is missing from a layer", "");
    workload_check_error(&f, 3, 3, "'m' must be at least 1, not 0", "");
    workload_check_error(&f, 4, 3, "'n' must be at least 1, not -3", "");
    workload_check_error(&f, 5, 3, "'k' must be an integer, written without point or exponent", "");
    workload_check_error(&f, 6, 4, "unknown key 'K' in layer 'b' (matmul)", "did you mean 'k'?");
    workload_check_error(&f, 7, 4, "'m' is missing from layer 'b'", "");
    workload_check_error(&f, 8, 4, "'n' must be an integer, not a text", "");
    workload_check_error(&f, 9, 4, "'k' is missing from layer 'b'", "");
    workload_check_error(&f, 10, 5, "unknown key 'k' in layer 'c' (softmax)",
                         "known: name, op, m, n, batch, repeat, a_bits, a_format, ops_per_element");
    workload_check_error(&f, 11, 6, "a layer must be an object, not an array", "");
    workload_check_error(&f, 12, 7, "'w_bits' is 0: integers have 1 to 16 bits", "");
    workload_check_error(&f, 13, 8, "'inputs' must be from 1 to 8, not 9", "");
    workload_check_error(&f, 14, 8, "'ops_per_element' must be from 0 to 1000000, not -1", "");
    workload_check_error(&f, 15, 9, "'op' is missing from layer 'e'", "");
    workload_check_error(&f, 16, 8, "a second layer 'b'; the first is on line 4", "");
    cr_expect_eq(f.err.count, 17);
    sim_arena_free(&f.arena);
}

Test(workload, names_of_layers)
{
    workload_fixture f;
    char text[500], name[202];

    memset(name, 'n', 201);
    name[201] = '\0';
    snprintf(text, sizeof text, "{\"layers\": [{\"name\": \"%s\", \"op\": \"norm\", \"m\": 1, \"n\": 1}]}",
             name);
    workload_read_text(&f, text);
    workload_check_error(&f, 0, 1, "the name of a layer has at most 200 bytes, not 201", "");
    sim_arena_free(&f.arena);
    workload_read_text(&f, "{\"layers\": [{\"name\": \"\", \"op\": \"norm\", \"m\": 1, \"n\": 1}]}");
    workload_check_error(&f, 0, 1, "'name' is empty", "");
    sim_arena_free(&f.arena);
}

/* Many layers: names are compared through a table, not each with each. */
Test(workload, a_long_list, .timeout = 20)
{
    enum { LAYERS = 50000 };
    sim_text text = {0};
    workload_fixture f;

    sim_text_add(&text, "{\"layers\": [");
    for (int i = 0; i < LAYERS; i++)
        sim_text_printf(&text, "{\"name\": \"l%d\", \"op\": \"norm\", \"m\": 1, \"n\": 1},\n", i);
    sim_text_add(&text, "{\"name\": \"l7\", \"op\": \"norm\", \"m\": 1, \"n\": 1}]}");
    workload_read_text(&f, text.data);
    cr_assert_eq(f.err.count, 1);
    workload_check_error(&f, 0, LAYERS + 1, "a second layer 'l7'; the first is on line 8", "");
    sim_text_free(&text);
    sim_arena_free(&f.arena);
}

Test(workload, a_list_has_no_phase)
{
    static const sim_workload_request requests[] = {
        {.phase = SIM_PHASE_DECODE}, {.batch = 1}, {.context_tokens = 1}, {.prompt_tokens = 1}};

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        workload_fixture f;

        workload_read_for(&f, "{\"layers\": [{\"name\": \"a\", \"op\": \"norm\", \"m\": 1, \"n\": 1}]}",
                          "w.json", &requests[i]);
        cr_expect_eq(f.status, SIM_USAGE);
        sim_arena_free(&f.arena);
    }
}

/* ---- models --------------------------------------------------------------------------------------- */

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

Test(workload, a_model_in_place)
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

Test(workload, an_empty_context_is_a_context)
{
    workload_fixture f;

    workload_read_text(&f, INLINE("\"phase\": \"decode\", \"context_tokens\": 0"));
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    workload_check_shape(find_layer(&f, "layers.0.qk"), SIM_OP_MATMUL, 3, 1, 4, 2, 1);
    sim_arena_free(&f.arena);
}

Test(workload, the_command_line_replaces_the_file)
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

Test(workload, full_attention)
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

Test(workload, a_bare_config)
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
    workload_check_error(&f, 0, 1, "a model needs a phase", "give --phase: prefill or decode");
    sim_arena_free(&f.arena);
    workload_read_text(&f, "{\"hidden_size\": 24}");
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    sim_arena_free(&f.arena);
}

Test(workload, slips_of_a_model)
{
    static const struct {
        const char *text, *words, *hint;
    } cases[] = {
        {INLINE("\"batch\": 1"), "a model needs a phase",
         "give \"phase\" in the file or --phase: prefill or decode"},
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
        {INLINE("\"phase\": \"generate\", \"prompt_tokens\": 1, \"new_tokens\": 1"),
         "phase 'generate' cannot be simulated", "supported: prefill, decode"},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": 1, \"tensor_parallel\": 0"),
         "'tensor_parallel' must be from 1 to 65536, not 0", ""},
        {INLINE("\"phase\": \"decode\", \"context_tokens\": 1, \"tensor_parallel\": 4"),
         "4 devices (tensor_parallel) do not divide the model's 6 attention heads",
         "supported: numbers that divide them; pipeline_parallel splits by blocks"},
        {INLINE("\"phase\": \"decode\", \"context\": 1, \"context_tokens\": 1"),
         "unknown key 'context' in a workload with 'model'",
         "known: name, source, model, phase, batch, prompt_tokens, context_tokens, new_tokens, "
         "tensor_parallel"},
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

Test(workload, models_are_found_beside_the_workload)
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

Test(workload, files_that_cannot_be_read)
{
    workload_fixture f = {0};

    sim_arena_init(&f.arena, NULL);
    f.status = sim_workload_load("/tmp", NULL, &f.arena, &f.workload, &f.err);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[0].text, "is a directory, not a file");
    cr_assert_eq(sim_workload_load("/nowhere/w.json", NULL, &f.arena, &f.workload, &f.err), SIM_BAD_INPUT);
    sim_arena_free(&f.arena);
}
