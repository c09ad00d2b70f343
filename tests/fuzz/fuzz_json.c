/* JSON: whatever parses keeps the tree's promises, and comes out of the writer as what it was. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* A promise that was broken is a crash, which the fuzzer keeps. */
static void promise(bool kept)
{
    if (!kept)
        abort();
}

static void check_tree(const sim_json *value, int line, int last_line, int depth)
{
    int64_t count = 0;

    promise(value->line >= line && value->line <= last_line && depth <= 64);
    line = value->line;
    for (const sim_json *child = value->child; child; child = child->next) {
        promise((child->key != NULL) == (value->type == SIM_JSON_OBJECT));
        promise(value->type == SIM_JSON_OBJECT || value->type == SIM_JSON_ARRAY);
        check_tree(child, line, last_line, depth + 1);
        line = child->line;
        count++;
    }
    promise(count == value->count);
}

static void write_tree(sim_json_writer *w, const sim_json *value, bool one_line)
{
    bool object = value->type == SIM_JSON_OBJECT;

    switch (value->type) {
    case SIM_JSON_NULL:
        sim_json_put_null(w, value->key);
        break;
    case SIM_JSON_BOOL:
        sim_json_put_bool(w, value->key, value->boolean);
        break;
    case SIM_JSON_INT:
        sim_json_put_int(w, value->key, value->integer);
        break;
    case SIM_JSON_REAL:
        sim_json_put_real(w, value->key, value->real);
        break;
    case SIM_JSON_TEXT:
        sim_json_put_text(w, value->key, value->text);
        break;
    default:
        sim_json_begin(w, value->key, object ? '{' : '[', one_line);
        for (const sim_json *child = value->child; child; child = child->next)
            write_tree(w, child, !one_line);
        sim_json_end(w, object ? '}' : ']');
        break;
    }
}

static void check_same(const sim_json *a, const sim_json *b)
{
    /* 3.0 is written as 3: a real may come back as an integer */
    bool number = a->type == SIM_JSON_REAL && b->type == SIM_JSON_INT;

    promise(a->type == b->type || number);
    promise(!a->key == !b->key && (!a->key || strcmp(a->key, b->key) == 0));
    promise(a->count == b->count && a->boolean == b->boolean && a->real == b->real);
    promise(number || a->integer == b->integer);
    promise(!a->text == !b->text && (!a->text || strcmp(a->text, b->text) == 0));
    for (a = a->child, b = b->child; a && b; a = a->next, b = b->next)
        check_same(a, b);
    promise(!a && !b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sim_json *root, *again;
    sim_arena arena;
    sim_err err = {0};
    sim_text text = {0};
    sim_json_writer w = {.out = &text};
    int lines = 1;

    sim_arena_init(&arena, NULL);
    if (sim_json_parse((const char *)data, size, "fuzz.json", &arena, &root, &err) == SIM_OK) {
        promise(err.count == 0);
        for (size_t i = 0; i < size; i++)
            lines += data[i] == '\n';
        check_tree(root, 1, lines, 0);
        write_tree(&w, root, false);
        promise(!text.failed);
        promise(sim_json_parse(text.data, text.length, "again.json", &arena, &again, &err) == SIM_OK);
        check_same(root, again);
    } else {
        promise(err.count == 1 && root == NULL && err.items[0].text[0]);
    }
    sim_text_free(&text);
    sim_err_format(&err, &text);
    sim_text_free(&text);
    sim_arena_free(&arena);
    return 0;
}
