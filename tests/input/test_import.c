/* Checkpoints as workloads: what comes out is what the config says, and what is stored is what is said. */
#include "import_fixture.h"

#include "input/policy.h"
#include "model/layer.h"
#include "model/run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static import_fixture f;

static void begin(void)
{
    import_begin(&f);
}

static void end(void)
{
    import_end(&f);
}

TestSuite(import, .init = begin, .fini = end);

enum {
    TINY_BLOCK = 2 * TINY_HIDDEN * TINY_HIDDEN + 2 * TINY_KV * TINY_HIDDEN + 3 * TINY_FFN * TINY_HIDDEN,
    TINY_PARAMETERS =
        TINY_BLOCKS * (TINY_BLOCK + 2 * TINY_HIDDEN) + 2 * TINY_VOCAB * TINY_HIDDEN + TINY_HIDDEN
};

static const sim_workload_request decode = {.phase = SIM_PHASE_DECODE, .batch = 3, .context_tokens = 40};

/* The same layers, bit for bit but for the names' addresses. */
static void check_same(const sim_workload *a, const sim_workload *b)
{
    cr_assert_eq(a->layer_count, b->layer_count);
    cr_assert(a->parameters == b->parameters && a->phase == b->phase && a->batch == b->batch);
    for (int64_t i = 0; i < a->layer_count; i++) {
        const sim_layer *x = &a->layers[i], *y = &b->layers[i];

        cr_assert_str_eq(x->name, y->name);
        cr_assert(x->op == y->op && x->m == y->m && x->n == y->n && x->k == y->k && x->batch == y->batch &&
                      x->needed_macs == y->needed_macs && x->param_elements == y->param_elements,
                  "%s", x->name);
    }
}

static const sim_layer *layer_of(const sim_workload *w, const char *name)
{
    for (int64_t i = 0; i < w->layer_count; i++)
        if (strcmp(w->layers[i].name, name) == 0)
            return &w->layers[i];
    cr_assert_fail("there is no layer '%s'", name);
    return NULL;
}

/* What the policy that was written gives a layer. */
static sim_precision precision_of(const char *layer)
{
    sim_workload w = import_workload(&f, &decode);
    sim_policy policy;
    sim_precision p;
    sim_err err = {0};

    cr_assert_eq(sim_policy_read(f.policy.data, f.policy.length, "p.json", &f.arena, &policy, &err), SIM_OK,
                 "%s\n%s", err.items[0].text, f.policy.data);
    sim_precision_of(&policy, layer_of(&w, layer), -1, &p);
    return p;
}

static void check_precision(const char *layer, sim_format format, int bits, int group)
{
    sim_precision p = precision_of(layer);

    cr_assert(p.w.format == format && p.w.bits == bits && p.group == group, "%s: %s%d g%d\n%s", layer,
              sim_format_names[p.w.format], p.w.bits, p.group, f.policy.data);
}

/* ---- HF --------------------------------------------------------------------------------------------- */

Test(import, folder_equals_its_config)
{
    tiny_tensors t;
    sim_workload direct, converted, of_config;

    tiny_hf(&t);
    import_put(&f, "config.json", tiny_config);
    import_put_safetensors(&f, "model.safetensors", &t);
    import_convert(&f, "", NULL);
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert(import_has_note(&f, "the tensors have as many parameters as the model"));
    cr_assert(import_has_note(&f, "assumed: decode, batch 1, 63 tokens in the cache"));
    cr_assert(import_has_note(&f, "21 tensors in 1 file"));
    cr_assert_not(import_has_note(&f, "such as"));
    converted = import_workload(&f, &decode);
    direct = import_direct(&f, "", &decode);
    of_config = import_direct(&f, "config.json", &decode);
    check_same(&converted, &of_config);
    check_same(&direct, &of_config);
    check_same(&direct, &converted);
    cr_assert_eq(direct.parameters, TINY_PARAMETERS);
    cr_assert_null(direct.quantized_by);
    check_precision("layers.1.down_proj", SIM_FORMAT_BF, 16, 0);
    /* The file itself leads to the config beside it. */
    direct = import_direct(&f, "model.safetensors", &decode);
    check_same(&direct, &of_config);
}

Test(import, what_does_not_fit)
{
    tiny_tensors t;

    tiny_hf(&t);
    tiny_take(&t, "model.layers.1.self_attn.k_proj.weight");
    tiny_take(&t, "model.layers.0.mlp.up_proj.weight");
    tiny_add(&t, "model.layers.0.mlp.up_proj.weight", "BF16", 2, TINY_FFN - 1, TINY_HIDDEN,
             2 * (TINY_FFN - 1) * TINY_HIDDEN);
    tiny_add(&t, "vision_tower.patch.weight", "F32", 2, 10, 10, 400);
    import_put(&f, "config.json", tiny_config);
    import_put_safetensors(&f, "model.safetensors", &t);
    import_convert(&f, "", NULL);
    cr_assert_eq(f.status, SIM_OK);
    cr_assert(import_has_note(&f, "1 layer has no tensor, such as 'layers.1.k_proj'"));
    cr_assert(import_has_note(
        &f, "1 layer has tensors of another size than the model's, such as 'layers.0.up_proj'"));
    cr_assert(import_has_note(
        &f, "1 matrix (400 B) belongs to no layer of the model, such as 'vision_tower.patch.weight'"));
    cr_assert(import_has_note(&f, "32924 fewer than the model"),
              "k_proj and a row, less the vision tower's 100");
}

/* GPTQ: 4 bits packed along k into 32-bit words, a scale and a zero point per 64 elements. */
Test(import, packed_weights)
{
    tiny_tensors t;
    int64_t groups = TINY_HIDDEN / 64;

    tiny_hf(&t);
    tiny_take(&t, "model.layers.0.self_attn.q_proj.weight");
    tiny_add(&t, "model.layers.0.self_attn.q_proj.qweight", "I32", 2, TINY_HIDDEN / 8, TINY_HIDDEN,
             TINY_HIDDEN / 2 * TINY_HIDDEN);
    tiny_add(&t, "model.layers.0.self_attn.q_proj.scales", "F16", 2, groups, TINY_HIDDEN,
             2 * groups * TINY_HIDDEN);
    tiny_add(&t, "model.layers.0.self_attn.q_proj.qzeros", "I32", 2, groups, TINY_HIDDEN / 8,
             groups * TINY_HIDDEN / 2);
    tiny_add(&t, "model.layers.0.self_attn.q_proj.g_idx", "I32", 1, TINY_HIDDEN, 0, 4 * TINY_HIDDEN);
    /* NVFP4: bytes of two, an FP8 scale per 16 */
    tiny_take(&t, "model.layers.0.mlp.up_proj.weight");
    tiny_add(&t, "model.layers.0.mlp.up_proj.weight", "U8", 2, TINY_FFN, TINY_HIDDEN / 2,
             TINY_FFN * TINY_HIDDEN / 2);
    tiny_add(&t, "model.layers.0.mlp.up_proj.weight_scale", "F8_E4M3", 2, TINY_FFN, TINY_HIDDEN / 16,
             TINY_FFN * TINY_HIDDEN / 16);
    tiny_add(&t, "model.layers.0.mlp.up_proj.weight_scale_2", "F32", 1, 1, 0, 4);
    /* FP8 with one scale per row */
    tiny_take(&t, "model.layers.0.mlp.down_proj.weight");
    tiny_add(&t, "model.layers.0.mlp.down_proj.weight", "F8_E4M3", 2, TINY_HIDDEN, TINY_FFN,
             TINY_HIDDEN * TINY_FFN);
    tiny_add(&t, "model.layers.0.mlp.down_proj.weight_scale", "F32", 2, TINY_HIDDEN, 1, 4 * TINY_HIDDEN);
    /* 3 bits */
    tiny_take(&t, "model.layers.1.mlp.down_proj.weight");
    tiny_add(&t, "model.layers.1.mlp.down_proj.qweight", "I32", 2, TINY_FFN * 3 / 32, TINY_HIDDEN,
             TINY_FFN * 3 / 8 * TINY_HIDDEN);
    import_put(&f, "config.json", tiny_config);
    import_put_safetensors(&f, "model.safetensors", &t);
    import_convert(&f, "", NULL);
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert(import_has_note(&f, "the tensors have as many parameters as the model"));
    check_precision("layers.0.q_proj", SIM_FORMAT_INT, 4, 64);
    check_precision("layers.0.up_proj", SIM_FORMAT_NVFP, 4, 16);
    check_precision("layers.0.down_proj", SIM_FORMAT_FP8, 8, 0);
    check_precision("layers.1.down_proj", SIM_FORMAT_INT, 3, 0);
    check_precision("layers.1.q_proj", SIM_FORMAT_BF, 16, 0);
    cr_assert_eq(precision_of("layers.0.q_proj").a.bits, 16);
}

Test(import, fused_tensors)
{
    tiny_tensors t;

    tiny_hf(&t);
    for (int b = 0; b < TINY_BLOCKS; b++) {
        static const char *const separate[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                               "mlp.gate_proj", "mlp.up_proj"};
        char name[96];

        for (size_t i = 0; i < sizeof separate / sizeof *separate; i++) {
            snprintf(name, sizeof name, "model.layers.%d.%s.weight", b, separate[i]);
            tiny_take(&t, name);
        }
        snprintf(name, sizeof name, "model.layers.%d.self_attn.qkv_proj.weight", b);
        tiny_add(&t, name, "I8", 2, TINY_HIDDEN + 2 * TINY_KV, TINY_HIDDEN,
                 (TINY_HIDDEN + 2 * TINY_KV) * TINY_HIDDEN);
        snprintf(name, sizeof name, "model.layers.%d.mlp.gate_up_proj.weight", b);
        tiny_add(&t, name, "BF16", 2, 2 * TINY_FFN, TINY_HIDDEN, 4 * TINY_FFN * TINY_HIDDEN);
    }
    import_put(&f, "config.json", tiny_config);
    import_put_safetensors(&f, "model.safetensors", &t);
    import_convert(&f, "", NULL);
    cr_assert(import_has_note(&f, "as many parameters as the model"));
    cr_assert_not(import_has_note(&f, "such as"));
    check_precision("layers.0.q_proj", SIM_FORMAT_INT, 8, 0);
    check_precision("layers.1.v_proj", SIM_FORMAT_INT, 8, 0);
    check_precision("layers.1.up_proj", SIM_FORMAT_BF, 16, 0);
}

/* modelopt's file of its own goes into the workload, whose layers then have the checkpoint's bits. */
Test(import, quantization_beside)
{
    sim_workload w;

    import_put(&f, "config.json", tiny_config);
    import_put(&f, "hf_quant_config.json",
               "{\"producer\": {\"name\": \"modelopt\"},\n \"quantization\": {\"quant_algo\": \"FP8\", "
               "\"kv_cache_quant_algo\": \"FP8\", \"exclude_modules\": [\"lm_head\"]}}");
    import_convert(&f, "", &decode);
    w = import_workload(&f, NULL);
    cr_assert_str_eq(w.quantized_by, "FP8");
    cr_assert_eq(layer_of(&w, "layers.0.q_proj")->own.w.format, SIM_FORMAT_FP8);
    check_precision("layers.1.q_proj", SIM_FORMAT_FP8, 8, 0);
    cr_assert_eq(precision_of("layers.1.q_proj").a.format, SIM_FORMAT_FP8);
    cr_assert_eq(precision_of("layers.1.qk").kv.bits, 8);
    check_precision("lm_head", SIM_FORMAT_BF, 16, 0);
    import_put(&f, "hf_quant_config.json", "{\"quantization\": [1]}");
    import_convert(&f, "", &decode);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    cr_assert_not_null(strstr(f.err.items[0].text, "'quantization' must be an object"));
}

/* ---- GGUF ------------------------------------------------------------------------------------------- */

Test(import, gguf_equals_the_config)
{
    tiny_tensors t;
    sim_workload direct, converted, of_config;

    tiny_gguf(&t, 1, 1, 2); /* F16 */
    import_put(&f, "config.json", tiny_config);
    import_put_gguf(&f, "tiny.gguf", tiny_pairs, &t);
    import_convert(&f, "tiny.gguf", NULL);
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert(import_has_note(&f, "as many parameters as the model"), "rope_freqs has none");
    cr_assert_not(import_has_note(&f, "such as"));
    converted = import_workload(&f, &decode);
    cr_assert_str_eq(converted.name, "Tiny Llama");
    direct = import_direct(&f, "tiny.gguf", &decode);
    cr_assert_str_eq(direct.name, "Tiny Llama");
    cr_assert_null(direct.quantized_by, "half precision is no quantization");
    of_config = import_direct(&f, "config.json", &decode);
    check_same(&direct, &of_config);
    check_same(&converted, &of_config);
    check_precision("layers.0.q_proj", SIM_FORMAT_FP, 16, 0);
}

Test(import, gguf_keeps_its_bits)
{
    tiny_tensors t;
    sim_workload w;
    written_tensor down;

    tiny_gguf(&t, 12, 256, 144); /* Q4_K */
    down = tiny_take(&t, "blk.1.ffn_down.weight");
    tiny_add(&t, "blk.1.ffn_down.weight", NULL, 2, down.shape[0], down.shape[1],
             down.shape[0] * down.shape[1] / 256 * 210); /* Q6_K */
    t.list[t.count - 1].type = 14;
    import_put_gguf(&f, "tiny.gguf", tiny_pairs, &t);
    w = import_direct(&f, "tiny.gguf", &decode);
    cr_assert_str_eq(w.quantized_by, "Q4_K");
    cr_assert(layer_of(&w, "layers.0.down_proj")->own.w.bits == 4 &&
              layer_of(&w, "layers.0.down_proj")->own.group == 32);
    cr_assert(layer_of(&w, "layers.1.down_proj")->own.w.bits == 6 &&
              layer_of(&w, "layers.1.down_proj")->own.group == 16);
    cr_assert(layer_of(&w, "layers.1.down_proj")->from_checkpoint);
    cr_assert_eq(layer_of(&w, "layers.1.down_proj")->own.a.bits, 16);
    import_convert(&f, "tiny.gguf", &decode);
    check_precision("layers.0.down_proj", SIM_FORMAT_INT, 4, 32);
    check_precision("layers.1.down_proj", SIM_FORMAT_INT, 6, 16);
    check_precision("lm_head", SIM_FORMAT_INT, 4, 32);
    check_precision("embed", SIM_FORMAT_INT, 4, 32);
}

/* The bytes of the file are those that the policy counts, to the last: of every type whose groups are along
 * rows. */
Test(import, gguf_bytes_to_the_last)
{
    static const uint32_t types[] = {0,  1,  2,  3,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                     17, 18, 19, 20, 21, 22, 23, 24, 29, 30, 35, 39, 40, 41};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const sim_dtype *d = sim_dtype_of_ggml(types[i]);
        tiny_tensors t;
        sim_workload w, direct;
        sim_policy policy;
        sim_err err = {0};

        tiny_gguf(&t, types[i], d->block_elements, d->block_bytes);
        import_put_gguf(&f, "tiny.gguf", tiny_pairs, &t);
        import_convert(&f, "tiny.gguf", &decode);
        w = import_workload(&f, &decode);
        direct = import_direct(&f, "tiny.gguf", &decode);
        cr_assert_eq(sim_policy_read(f.policy.data, f.policy.length, "p.json", &f.arena, &policy, &err),
                     SIM_OK, "%s", err.items[0].text);
        for (int64_t l = 0; l < w.layer_count; l++) {
            sim_layer_request q = {.layer = &w.layers[l]};
            int64_t bytes = w.layers[l].n * w.layers[l].k / d->block_elements * d->block_bytes;

            if (w.layers[l].op != SIM_OP_EMBEDDING && !sim_has_weights(&w.layers[l]))
                continue;
            sim_precision_of(&policy, q.layer, -1, &q.precision);
            cr_assert_eq(sim_weight_bits(&q), 8 * bytes, "%s: %s", d->name, w.layers[l].name);
            if (w.layers[l].keep_float || !direct.quantized_by)
                continue;
            q.precision = direct.layers[l].own;
            cr_assert_eq(sim_weight_bits(&q), 8 * bytes, "%s: %s on its own", d->name, w.layers[l].name);
        }
    }
}

/* Without a head of its own the embedding is the head. */
Test(import, gguf_ties)
{
    tiny_tensors t;
    sim_workload w;

    tiny_gguf(&t, 8, 32, 34);
    tiny_take(&t, "output.weight");
    import_put_gguf(&f, "tiny.gguf", tiny_pairs, &t);
    w = import_direct(&f, "tiny.gguf", &decode);
    cr_assert(layer_of(&w, "lm_head")->tied);
    cr_assert_eq(w.parameters, TINY_PARAMETERS - TINY_VOCAB * TINY_HIDDEN);
    import_convert(&f, "tiny.gguf", NULL);
    cr_assert(import_has_note(&f, "as many parameters as the model"));
    cr_assert_not(import_has_note(&f, "such as"));
}

static void check_gguf_error(const char *const *pairs, const char *says)
{
    tiny_tensors none = {.count = 0};

    import_put_gguf(&f, "bad.gguf", pairs, &none);
    import_convert(&f, "bad.gguf", NULL);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    cr_assert_not_null(strstr(f.err.items[0].text, says), "'%s' instead of '%s'", f.err.items[0].text, says);
}

Test(import, gguf_slips)
{
    static const char *const nameless[] = {"a", "1", NULL};
    static const char *const unknown[] = {"general.architecture", "whisper", NULL};
    static const char *const empty[] = {"general.architecture", "llama", NULL};
    static const char *const zero[] = {"general.architecture", "llama", "llama.block_count", "0", NULL};
    static const char *const words[] = {"general.architecture", "llama", "llama.block_count", "many", NULL};

    check_gguf_error(nameless, "'general.architecture' is missing");
    check_gguf_error(unknown, "unknown 'general.architecture' 'whisper'");
    cr_assert_not_null(strstr(f.err.items[0].hint, "deepseek2"));
    check_gguf_error(empty, "'llama.feed_forward_length' is missing");
    cr_assert_geq(f.err.count, 4, "all that is missing is said at once");
    check_gguf_error(zero, "'llama.feed_forward_length' is missing");
    check_gguf_error(words, "'llama.feed_forward_length' is missing");
    cr_assert_not_null(strstr(f.err.items[1].text, "'llama.block_count' must be a count"));
}

/* ---- without a config ------------------------------------------------------------------------------- */

Test(import, bare_matrices)
{
    tiny_tensors t = {.count = 0};
    sim_workload w;

    tiny_add(&t, "model.layers.10.mlp.up_proj.weight", "F16", 2, 24, 16, 768);
    tiny_add(&t, "model.layers.2.mlp.experts.0.up_proj.weight", "F16", 2, 24, 16, 768);
    tiny_add(&t, "model.layers.2.mlp.experts.1.up_proj.weight", "F16", 2, 24, 16, 768);
    tiny_add(&t, "model.layers.2.input_layernorm.weight", "F16", 1, 16, 0, 32);
    tiny_add(&t, "model.embed_tokens.weight", "F16", 2, 50, 16, 1600);
    tiny_add(&t, "head.weight", "F32", 2, 50, 16, 3200);
    import_put_safetensors(&f, "model.safetensors", &t);
    w = import_direct(&f, "model.safetensors", &(sim_workload_request){.batch = 7});
    cr_assert_eq(w.layer_count, 4);
    cr_assert_str_eq(w.layers[0].name, "embed");
    cr_assert(w.layers[0].op == SIM_OP_EMBEDDING && w.layers[0].m == 7 && w.layers[0].n == 16 &&
              w.layers[0].k == 50);
    cr_assert_str_eq(w.layers[1].name, "layers.2.experts.up_proj");
    cr_assert(w.layers[1].repeat == 2 && w.layers[1].m == 7 && w.layers[1].n == 24 && w.layers[1].k == 16);
    cr_assert_str_eq(w.layers[2].name, "layers.10.up_proj");
    cr_assert_str_eq(w.layers[3].name, "lm_head");
    sim_text_free(&f.policy);
    f.status = sim_import_convert(import_path(&f, "model.safetensors"), &(sim_workload_request){.batch = 7},
                                  &f.workload, NULL, &f.notes, &f.err);
    w = import_workload(&f, NULL);
    cr_assert(w.layer_count == 4 && w.layers[3].m == 7);
    cr_assert(import_has_note(&f, "there is no config.json"));
}

Test(import, nothing_to_list)
{
    tiny_tensors t = {.count = 0};

    tiny_add(&t, "a", "F32", 1, 4, 0, 16);
    import_put_safetensors(&f, "a.safetensors", &t);
    import_convert(&f, "a.safetensors", NULL);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    cr_assert_not_null(strstr(f.err.items[0].text, "has no config.json beside it, and no matrices"));
    import_put(&f, "model.onnx", "x");
    import_convert(&f, "model.onnx", NULL);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    cr_assert_not_null(strstr(f.err.items[0].text, "ONNX is not read"));
}

/* ---- topologies ------------------------------------------------------------------------------------- */

Test(import, gemm_topology)
{
    sim_workload w;

    import_put(&f, "t.csv", "Layer, M, N, K,\r\nfirst, 3, 5, 7,\r\n\r\n second ,\t9 ,1,2,\n");
    w = import_direct(&f, "t.csv", NULL);
    cr_assert_str_eq(w.name, "t");
    cr_assert_eq(w.layer_count, 2);
    cr_assert_str_eq(w.layers[1].name, "second");
    cr_assert(w.layers[0].m == 3 && w.layers[0].n == 5 && w.layers[0].k == 7);
    cr_assert_eq(w.layers[1].line, 4);
}

/* The outputs that SCALE-Sim counts: a 34 x 34 input under 3 x 3 kernels with stride 2 gives it 17 x 17
 * (source: a run of v3 1d62b68). */
Test(import, convolution_topology)
{
    sim_workload w;

    import_put(
        &f, "t.csv",
        "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides, "
        "Sparsity,\nc1,34,34,3,3,3,32,2,1:1,\nfc,1,1,1,1,128,10,1,1:1,\n");
    sim_text_free(&f.policy);
    f.status = sim_import_convert(import_path(&f, "t.csv"), &(sim_workload_request){0}, &f.workload, NULL,
                                  &f.notes, &f.err);
    w = import_workload(&f, NULL);
    cr_assert(w.layers[0].m == 289 && w.layers[0].n == 32 && w.layers[0].k == 27);
    cr_assert(w.layers[1].m == 1 && w.layers[1].n == 10 && w.layers[1].k == 128);
    cr_assert(import_has_note(&f, "as SCALE-Sim does"));
}

Test(import, topology_slips)
{
    static const struct {
        const char *text, *says;
        int line;
    } cases[] = {
        {"", "no header line", 1},
        {"a,b\n1,2\n", "is no topology of SCALE-Sim", 1},
        {"Layer,M,N,K,\na,1,2,x,\n", "column 'K': 'x' is not a positive integer", 2},
        {"Layer,M,N,K,\na,1,2,0,\n", "'0' is not a positive integer", 2},
        {"Layer,M,N,K,\na,1,2,\n", "3 cells, but the header has 4 columns", 2},
        {"Layer,M,N,K,\na,1,2,3,\na,1,2,3,\n", "'a'", 3},
        {"Layer,M,N,K,\n", "'layers' is empty", 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        import_put(&f, "t.csv", cases[i].text);
        sim_text_free(&f.workload);
        f.err = (sim_err){0};
        f.status = sim_import_convert(import_path(&f, "t.csv"), &(sim_workload_request){0}, &f.workload, NULL,
                                      &f.notes, &f.err);
        cr_expect_eq(f.status, SIM_BAD_INPUT, "case %zu", i);
        cr_expect_not_null(strstr(f.err.items[0].text, cases[i].says), "case %zu: '%s'", i,
                           f.err.items[0].text);
        cr_expect_eq(f.err.items[0].line, cases[i].line, "case %zu: line %d", i, f.err.items[0].line);
    }
}
