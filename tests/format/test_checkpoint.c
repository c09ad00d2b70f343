#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "format/checkpoint.h"
#include "reference/checkpoint_writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static sim_arena arena;
static sim_err err;
static sim_checkpoint checkpoint;

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/simacc_checkpoint_XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    sim_arena_init(&arena, NULL);
}

static void end(void)
{
    char command[128];

    sim_checkpoint_close(&checkpoint);
    sim_arena_free(&arena);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(checkpoint, .init = begin, .fini = end);

static void put_shard(const char *name, const char *tensor, int64_t elements)
{
    const written_tensor t = {tensor, "F16", 1, 1, {elements}, 2 * elements};
    sim_text text = {.length = 0};

    write_safetensors(&text, &t, 1);
    cr_assert(save_file(&text, folder, name));
}

static void put_text(const char *name, const char *content)
{
    sim_text text = {.length = 0};

    sim_text_add(&text, content);
    cr_assert(save_file(&text, folder, name));
}

static void put_part(const char *name, const char *tensor, const char *number, const char *count)
{
    const char *pairs[] = {"split.no", number, "split.count", count, "split.tensors.count", "2", NULL};
    const written_tensor t = {tensor, "F32", 0, 1, {4}, 16};
    sim_text text = {.length = 0};

    write_gguf(&text, pairs, &t, 1);
    cr_assert(save_file(&text, folder, name));
}

static const char *in_folder(const char *name)
{
    return sim_arena_printf(&arena, "%s/%s", folder, name);
}

static sim_status open_file(const char *name)
{
    err = (sim_err){0};
    sim_checkpoint_close(&checkpoint);
    return sim_checkpoint_open(in_folder(name), &arena, &checkpoint, &err);
}

static void expect_error(const char *name, const char *says)
{
    cr_assert_eq(open_file(name), SIM_BAD_INPUT);
    cr_assert_not_null(strstr(err.items[0].text, says), "'%s' instead of '%s'", err.items[0].text, says);
    cr_assert_eq(checkpoint.file_count, 0);
}

Test(checkpoint, one_file)
{
    const sim_tensor *t;

    put_shard("model.safetensors", "w", 5);
    cr_assert_eq(open_file("model.safetensors"), SIM_OK);
    t = sim_checkpoint_find(&checkpoint, "w");
    cr_assert_not_null(t);
    cr_assert_eq(sim_checkpoint_data(&checkpoint, t)[9], 0, "the last byte can be read");
    cr_assert_eq(checkpoint.maps[0].bytes, t->offset + t->bytes);
    put_text("empty.safetensors", "");
    expect_error("empty.safetensors", "is no safetensors file");
    expect_error("absent.safetensors", "cannot be opened");
    expect_error("model.bin", "is no checkpoint");
}

Test(checkpoint, shards)
{
    put_shard("b-1.safetensors", "x", 5);
    put_shard("b-2.safetensors", "y", 6);
    put_text("model.safetensors.index.json",
             "{\"metadata\": {\"total_size\": 22},\n\"weight_map\": {\"x\": \"b-1.safetensors\", "
             "\"y\": \"b-2.safetensors\"}}");
    cr_assert_eq(open_file("model.safetensors.index.json"), SIM_OK, "%s", err.items[0].text);
    cr_assert(checkpoint.file_count == 2 && checkpoint.tensor_count == 2);
    cr_assert_eq(sim_checkpoint_find(&checkpoint, "y")->elements, 6);
    cr_assert_neq(sim_checkpoint_find(&checkpoint, "y")->file, sim_checkpoint_find(&checkpoint, "x")->file);
}

Test(checkpoint, bad_indices)
{
    static const char *const name = "model.safetensors.index.json";

    put_shard("b-1.safetensors", "x", 5);
    put_shard("b-2.safetensors", "x", 6);
    put_text(name, "[]");
    expect_error(name, "needs 'weight_map'");
    put_text(name, "{\"weight_map\": {}}");
    expect_error(name, "names no file");
    put_text(name, "{\"weight_map\": {\"x\": \"../b-1.safetensors\"}}");
    expect_error(name, "must name a .safetensors file of the same folder");
    put_text(name, "{\"weight_map\": {\"x\": 1}}");
    expect_error(name, "must name a .safetensors file of the same folder");
    put_text(name, "{\"weight_map\": {\"x\": \"c.safetensors\"}}");
    expect_error(name, "cannot be opened");
    put_text(name, "{\"weight_map\": {\n\"q\": \"b-1.safetensors\"}}");
    expect_error(name, "tensor 'q' is not in 'b-1.safetensors'");
    cr_assert_eq(err.items[0].line, 2);
    put_text(name, "{\"weight_map\": {\"x\": \"b-1.safetensors\", \"z\": \"b-2.safetensors\"}}");
    expect_error(name, "tensor 'x' is there twice");
}

Test(checkpoint, split_gguf)
{
    put_part("m-00001-of-00002.gguf", "a", "0", "2");
    put_part("m-00002-of-00002.gguf", "b", "1", "2");
    cr_assert_eq(open_file("m-00001-of-00002.gguf"), SIM_OK, "%s", err.items[0].text);
    cr_assert(checkpoint.file_count == 2 && checkpoint.tensor_count == 2);
    cr_assert_not_null(sim_checkpoint_find(&checkpoint, "b"));
    expect_error("m-00002-of-00002.gguf", "not named as the first");
    put_part("m-00002-of-00002.gguf", "b", "0", "2");
    expect_error("m-00001-of-00002.gguf", "'split.no' is not 1");
    put_part("m-00002-of-00002.gguf", "a", "1", "2");
    expect_error("m-00001-of-00002.gguf", "tensor 'a' is there twice");
    put_part("n-00001-of-00002.gguf", "a", "0", "2");
    expect_error("n-00001-of-00002.gguf", "cannot be opened");
    put_part("one.gguf", "a", "0", "1");
    expect_error("one.gguf", "'split.tensors.count' is 2, but the parts have 1 tensors");
}

Test(checkpoint, what_a_folder_has)
{
    const char *found;

    err = (sim_err){0};
    cr_assert_eq(sim_checkpoint_in(folder, &arena, &found, &err), SIM_OK);
    cr_assert_null(found);
    put_part("m-00001-of-00002.gguf", "a", "0", "2");
    put_part("m-00002-of-00002.gguf", "b", "1", "2");
    cr_assert_eq(sim_checkpoint_in(folder, &arena, &found, &err), SIM_OK);
    cr_assert_str_eq(found, in_folder("m-00001-of-00002.gguf"));
    put_shard("b.safetensors", "x", 5);
    cr_assert_eq(sim_checkpoint_in(folder, &arena, &found, &err), SIM_OK);
    cr_assert_str_eq(found, in_folder("b.safetensors"));
    put_shard("a.safetensors", "x", 5);
    cr_assert_eq(sim_checkpoint_in(folder, &arena, &found, &err), SIM_BAD_INPUT);
    cr_assert_not_null(strstr(err.items[0].hint, "a.safetensors"));
    put_shard("model.safetensors", "x", 5);
    cr_assert_eq(sim_checkpoint_in(folder, &arena, &found, &err), SIM_OK);
    cr_assert_str_eq(found, in_folder("model.safetensors"));
    put_text("model.safetensors.index.json", "{}");
    cr_assert_eq(sim_checkpoint_in(folder, &arena, &found, &err), SIM_OK);
    cr_assert_str_eq(found, in_folder("model.safetensors.index.json"));
    cr_assert_eq(sim_checkpoint_in(in_folder("absent"), &arena, &found, &err), SIM_BAD_INPUT);
}

Test(checkpoint, kinds)
{
    cr_assert_eq(sim_checkpoint_kind_of("a/model.safetensors"), SIM_CHECKPOINT_SAFETENSORS);
    cr_assert_eq(sim_checkpoint_kind_of("model.safetensors.index.json"), SIM_CHECKPOINT_INDEX);
    cr_assert_eq(sim_checkpoint_kind_of("x.gguf"), SIM_CHECKPOINT_GGUF);
    cr_assert_eq(sim_checkpoint_kind_of("config.json"), SIM_CHECKPOINT_NONE);
    cr_assert_eq(sim_checkpoint_kind_of(".gguf"), SIM_CHECKPOINT_NONE);
}
