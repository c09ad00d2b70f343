#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "import_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char tiny_config[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 256, \"intermediate_size\": 512,\n"
    " \"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"num_key_value_heads\": 2,\n"
    " \"vocab_size\": 100, \"max_position_embeddings\": 64,\n"
    " \"tie_word_embeddings\": false, \"torch_dtype\": \"bfloat16\"}\n";

const char *const tiny_pairs[] = {"general.architecture",
                                  "llama",
                                  "general.name",
                                  "Tiny Llama",
                                  "llama.block_count",
                                  "2",
                                  "llama.embedding_length",
                                  "256",
                                  "llama.feed_forward_length",
                                  "512",
                                  "llama.attention.head_count",
                                  "4",
                                  "llama.attention.head_count_kv",
                                  "2",
                                  "llama.context_length",
                                  "64",
                                  NULL};

/* ---- tensors ---------------------------------------------------------------------------------------- */

void tiny_add(tiny_tensors *t, const char *name, const char *dtype, int rank, int64_t a, int64_t b,
              int64_t bytes)
{
    written_tensor *w = &t->list[t->count];

    snprintf(t->names[t->named], sizeof t->names[0], "%s", name);
    *w = (written_tensor){t->names[t->named], dtype, 0, rank, {a, b}, bytes};
    t->count++;
    t->named++;
}

written_tensor tiny_take(tiny_tensors *t, const char *name)
{
    for (int i = 0; i < t->count; i++)
        if (strcmp(t->list[i].name, name) == 0) {
            written_tensor taken = t->list[i];

            memmove(&t->list[i], &t->list[i + 1], (size_t)(t->count - i - 1) * sizeof *t->list);
            t->count--;
            return taken;
        }
    cr_assert_fail("there is no tensor '%s'", name);
    return (written_tensor){.name = NULL};
}

static const struct {
    const char *hf, *gguf;
    int64_t rows, columns; /* 0 rows: a vector */
} parts[] = {
    {"self_attn.q_proj", "attn_q", TINY_HIDDEN, TINY_HIDDEN},
    {"self_attn.k_proj", "attn_k", TINY_KV, TINY_HIDDEN},
    {"self_attn.v_proj", "attn_v", TINY_KV, TINY_HIDDEN},
    {"self_attn.o_proj", "attn_output", TINY_HIDDEN, TINY_HIDDEN},
    {"mlp.gate_proj", "ffn_gate", TINY_FFN, TINY_HIDDEN},
    {"mlp.up_proj", "ffn_up", TINY_FFN, TINY_HIDDEN},
    {"mlp.down_proj", "ffn_down", TINY_HIDDEN, TINY_FFN},
    {"input_layernorm", "attn_norm", 0, TINY_HIDDEN},
    {"post_attention_layernorm", "ffn_norm", 0, TINY_HIDDEN},
};

void tiny_hf(tiny_tensors *out)
{
    char name[96];

    *out = (tiny_tensors){.count = 0};
    tiny_add(out, "model.embed_tokens.weight", "BF16", 2, TINY_VOCAB, TINY_HIDDEN,
             2 * TINY_VOCAB * TINY_HIDDEN);
    for (int b = 0; b < TINY_BLOCKS; b++)
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            int64_t rows = parts[i].rows, columns = parts[i].columns;

            snprintf(name, sizeof name, "model.layers.%d.%s.weight", b, parts[i].hf);
            tiny_add(out, name, "BF16", rows ? 2 : 1, rows ? rows : columns, columns,
                     2 * (rows ? rows : 1) * columns);
        }
    tiny_add(out, "model.norm.weight", "BF16", 1, TINY_HIDDEN, 0, 2 * TINY_HIDDEN);
    tiny_add(out, "lm_head.weight", "BF16", 2, TINY_VOCAB, TINY_HIDDEN, 2 * TINY_VOCAB * TINY_HIDDEN);
}

static void add_gguf(tiny_tensors *t, const char *name, int64_t rows, int64_t columns, uint32_t type,
                     int64_t block_elements, int64_t block_bytes)
{
    tiny_add(t, name, NULL, 2, rows, columns, rows * columns / block_elements * block_bytes);
    t->list[t->count - 1].type = type;
}

void tiny_gguf(tiny_tensors *out, uint32_t type, int64_t block_elements, int64_t block_bytes)
{
    char name[96];

    *out = (tiny_tensors){.count = 0};
    add_gguf(out, "token_embd.weight", TINY_VOCAB, TINY_HIDDEN, type, block_elements, block_bytes);
    for (int b = 0; b < TINY_BLOCKS; b++)
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            snprintf(name, sizeof name, "blk.%d.%s.weight", b, parts[i].gguf);
            if (parts[i].rows)
                add_gguf(out, name, parts[i].rows, parts[i].columns, type, block_elements, block_bytes);
            else
                tiny_add(out, name, NULL, 1, parts[i].columns, 0, 4 * parts[i].columns);
        }
    tiny_add(out, "output_norm.weight", NULL, 1, TINY_HIDDEN, 0, 4 * TINY_HIDDEN);
    add_gguf(out, "output.weight", TINY_VOCAB, TINY_HIDDEN, type, block_elements, block_bytes);
    tiny_add(out, "rope_freqs.weight", NULL, 1, 32, 0, 128); /* a table, no parameters */
}

/* ---- files ------------------------------------------------------------------------------------------ */

void import_begin(import_fixture *f)
{
    *f = (import_fixture){.status = SIM_OK};
    snprintf(f->folder, sizeof f->folder, "/tmp/simacc_import_XXXXXX");
    cr_assert_not_null(mkdtemp(f->folder));
    sim_arena_init(&f->arena, NULL);
}

void import_end(import_fixture *f)
{
    char command[128];

    sim_text_free(&f->workload);
    sim_text_free(&f->policy);
    sim_arena_free(&f->arena);
    snprintf(command, sizeof command, "rm -r '%s'", f->folder);
    cr_assert_eq(system(command), 0);
}

void import_put(import_fixture *f, const char *name, const char *content)
{
    sim_text text = {.length = 0};

    sim_text_add(&text, content);
    cr_assert(save_file(&text, f->folder, name));
}

void import_put_safetensors(import_fixture *f, const char *name, const tiny_tensors *t)
{
    sim_text text = {.length = 0};

    write_safetensors(&text, t->list, t->count);
    cr_assert(save_file(&text, f->folder, name));
}

void import_put_gguf(import_fixture *f, const char *name, const char *const *pairs, const tiny_tensors *t)
{
    sim_text text = {.length = 0};

    write_gguf(&text, pairs, t->list, t->count);
    cr_assert(save_file(&text, f->folder, name));
}

const char *import_path(import_fixture *f, const char *name)
{
    return *name ? sim_arena_printf(&f->arena, "%s/%s", f->folder, name) : f->folder;
}

/* ---- imports ---------------------------------------------------------------------------------------- */

void import_convert(import_fixture *f, const char *name, const sim_workload_request *request)
{
    static const sim_workload_request nothing = {0};

    sim_text_free(&f->workload);
    sim_text_free(&f->policy);
    f->notes = (sim_err){0};
    f->err = (sim_err){0};
    f->status = sim_import_convert(import_path(f, name), request ? request : &nothing, &f->workload,
                                   &f->policy, &f->notes, &f->err);
}

bool import_has_note(const import_fixture *f, const char *text)
{
    for (int i = 0; i < f->notes.count; i++)
        if (strstr(f->notes.items[i].text, text))
            return true;
    return false;
}

sim_workload import_workload(import_fixture *f, const sim_workload_request *request)
{
    sim_workload w;
    sim_err err = {0};

    cr_assert_eq(f->status, SIM_OK, "%s", f->err.items[0].text);
    cr_assert_eq(
        sim_workload_read(f->workload.data, f->workload.length, "dir/w.json", request, &f->arena, &w, &err),
        SIM_OK, "%s", err.items[0].text);
    return w;
}

sim_workload import_direct(import_fixture *f, const char *name, const sim_workload_request *request)
{
    sim_workload w;
    sim_err err = {0};

    cr_assert_eq(sim_workload_load(import_path(f, name), request, &f->arena, &w, &err), SIM_OK, "%s",
                 err.items[0].text);
    return w;
}
