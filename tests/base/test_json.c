#include "base/json.h"
#include "reference/failing.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct fixture {
    sim_arena arena;
    sim_err err;
    const sim_json *root;
    sim_status status;
} fixture;

static void parse_bytes(fixture *f, const char *text, size_t length)
{
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    f->status = sim_json_parse(text, length, "w.json", &f->arena, &f->root, &f->err);
}

static void parse(fixture *f, const char *text)
{
    parse_bytes(f, text, strlen(text));
}

/* ---- the tree ------------------------------------------------------------------------------------- */

Test(json, every_type)
{
    fixture f;
    const sim_json *v;

    parse(&f, "{\"n\": null, \"t\": true, \"f\": false, \"i\": -7, \"r\": 2.5, \"s\": \"\\u00e4\\n\\\"\","
              " \"a\": [1, [], {}], \"o\": {\"x\": 1}}");
    cr_assert_eq(f.status, SIM_OK);
    cr_assert_eq(f.root->type, SIM_JSON_OBJECT);
    cr_assert_eq(f.root->count, 8);
    cr_assert_null(f.root->key);
    cr_assert_eq(sim_json_get(f.root, "n")->type, SIM_JSON_NULL);
    cr_assert(sim_json_get(f.root, "t")->boolean);
    cr_assert_eq(sim_json_get(f.root, "f")->type, SIM_JSON_BOOL);
    cr_assert(!sim_json_get(f.root, "f")->boolean);
    v = sim_json_get(f.root, "i");
    cr_assert(v->type == SIM_JSON_INT && v->integer == -7 && v->real == -7);
    cr_assert_eq(sim_json_get(f.root, "r")->type, SIM_JSON_REAL);
    cr_assert_eq(sim_json_get(f.root, "r")->real, 2.5);
    cr_assert_str_eq(sim_json_get(f.root, "s")->text, "\xc3\xa4\n\"");
    v = sim_json_get(f.root, "a");
    cr_assert_eq(v->count, 3);
    cr_assert_null(v->child->key);
    cr_assert_eq(v->child->integer, 1);
    cr_assert_eq(v->child->next->type, SIM_JSON_ARRAY);
    cr_assert_eq(v->child->next->next->count, 0);
    cr_assert_null(v->child->next->next->next);
    cr_assert_str_eq(sim_json_get(sim_json_get(f.root, "o"), "x")->key, "x");
    cr_assert_null(sim_json_get(f.root, "absent"));
    cr_assert_null(sim_json_get(v, "x"), "arrays have no members");
    sim_arena_free(&f.arena);
}

Test(json, the_order_of_the_file)
{
    fixture f;
    char text[4096] = "{", key[16];
    int i = 0;

    for (i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "%s\"k%d\":%d", i ? ",\n" : "", (i * 37) % 1000, i);
        strcat(text, key);
    }
    strcat(text, "}");
    parse(&f, text);
    i = 0;
    for (const sim_json *m = f.root->child; m; m = m->next, i++) {
        snprintf(key, sizeof key, "k%d", (i * 37) % 1000);
        cr_assert_str_eq(m->key, key);
        cr_assert_eq(m->integer, i);
        cr_assert_eq(m->line, i + 1);
    }
    cr_assert_eq(i, 200);
    sim_arena_free(&f.arena);
}

/* Brackets, commas, colons, quotes and line breaks inside of strings lead nobody astray. */
Test(json, lines)
{
    fixture f;
    const sim_json *v;

    parse(&f, "\n"
              "{ \"a,[{\\\"\\\\\" :\r\n"
              "   1, \"b\": [ 2 ,\n"
              "     \"}]\\\\\", {\n"
              "\n"
              "  \"c\"\n"
              ":\n"
              "  null}], \"d\": true,\n"
              "  \"e\": -1.5e-3\n"
              "}\n\n");
    cr_assert_eq(f.status, SIM_OK);
    cr_assert_eq(f.root->line, 2);
    cr_assert_eq(f.root->child->line, 3);
    cr_assert_str_eq(f.root->child->key, "a,[{\"\\");
    v = sim_json_get(f.root, "b");
    cr_assert_eq(v->line, 3);
    cr_assert_eq(v->child->line, 3);
    cr_assert_eq(v->child->next->line, 4);
    cr_assert_str_eq(v->child->next->text, "}]\\");
    cr_assert_eq(v->child->next->next->line, 4);
    cr_assert_eq(v->child->next->next->child->line, 8);
    cr_assert_eq(sim_json_get(f.root, "d")->line, 8);
    cr_assert_eq(sim_json_get(f.root, "e")->line, 9);
    cr_assert_eq(sim_json_get(f.root, "e")->real, -0.0015);
    sim_arena_free(&f.arena);
}

Test(json, a_byte_order_mark_and_scalars)
{
    static const struct {
        const char *text;
        sim_json_type type;
    } cases[] = {{"\xef\xbb\xbf{}", SIM_JSON_OBJECT},
                 {"\xef\xbb\xbf \n 7", SIM_JSON_INT},
                 {"\"x\"", SIM_JSON_TEXT},
                 {"-0.0", SIM_JSON_REAL},
                 {"9223372036854775807", SIM_JSON_INT},
                 {"-9223372036854775808", SIM_JSON_INT},
                 {"true", SIM_JSON_BOOL}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;

        parse(&f, cases[i].text);
        cr_assert_eq(f.status, SIM_OK, "case %zu", i);
        cr_assert_eq(f.root->type, cases[i].type, "case %zu", i);
        sim_arena_free(&f.arena);
    }
}

/* ---- what is refused ------------------------------------------------------------------------------ */

Test(json, refusals_name_the_line)
{
    static const struct {
        const char *text, *words;
        int line;
    } cases[] = {
        {"", "is empty: expected JSON", 0},
        {" \n\t\r\n", "is empty: expected JSON", 0},
        {"\xef\xbb\xbf", "is empty: expected JSON", 0},
        {"{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "duplicate key 'a'", 3},
        {"{\"o\": {\n\"x\\\"y\": 1,\n\"x\\\"y\": 3}}", "duplicate key 'x", 3},
        {"[1,\n2,\nNaN]", "expected a number, not 'NaN'", 3},
        {"[1,\nInfinity]", "expected a number, not 'Infinity'", 2},
        {"[-Infinity]", "expected a number, not '-Infinity'", 1},
        {"[1e999]", "number out of range", 1},
        {"[\n9223372036854775808]", "number out of range", 2},
        {"[\n\n-9223372036854775809]", "number out of range", 3},
        {"{} {}", "not valid JSON", 1},
        {"{}\n\nx", "not valid JSON", 3},
        {"[1,\n2", "the file ends too early", 2},
        {"{\"a\"", "the file ends too early", 1},
        {"[\"x", "the file ends too early", 1},
        {"[1,]", "not valid JSON", 1},
        {"{\"a\":}", "not valid JSON", 1},
        {"[\n// no comments\n1]", "not valid JSON", 2},
        {"{'a': 1}", "not valid JSON", 1},
        {"[01]", "not valid JSON", 1},
        {"[.5]", "not valid JSON", 1},
        {"[\"line\nbreak\"]", "not valid JSON", 1},
        {"[\"\\u0000\"]", "not valid JSON", 1},
        {"[\"\\ud800\"]", "not valid JSON", 1},
        {"[\"\xff\"]", "not valid JSON", 1},
        {"[\"\xc0\x80\"]", "not valid JSON", 1},
        {"\xff\xfe{", "is UTF-16 text", 1},
        {"\xfe\xff", "is UTF-16 text", 1},
        {"\x7f"
         "ELF\x02",
         "not valid JSON", 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;

        parse(&f, cases[i].text);
        cr_expect_eq(f.status, SIM_BAD_INPUT, "case %zu", i);
        cr_expect_null(f.root, "case %zu", i);
        cr_expect_eq(f.err.count, 1, "case %zu", i);
        cr_expect(strstr(f.err.items[0].text, cases[i].words), "case %zu: %s", i, f.err.items[0].text);
        cr_expect_eq(f.err.items[0].line, cases[i].line, "case %zu: line %d", i, f.err.items[0].line);
        cr_expect_str_eq(f.err.items[0].file, "w.json");
        sim_arena_free(&f.arena);
    }
}

Test(json, nul_bytes)
{
    fixture f;

    parse_bytes(&f, "{\n\"a\": \"x\0y\"}", 13);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    cr_assert_eq(f.err.items[0].line, 2);
    cr_assert_str_eq(f.err.items[0].text, "is no text file: it contains a NUL byte");
    parse_bytes(&f, "\0\0\0", 3);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
}

Test(json, depth)
{
    char text[200001];
    fixture f;

    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';
    parse(&f, text);
    cr_assert_eq(f.status, SIM_OK);
    sim_arena_free(&f.arena);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    text[130] = '\0';
    parse(&f, text);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[0].text, "nested deeper than 64 levels");
    memset(text, '\n', 10);
    for (int i = 10; i < 200000; i += 5)
        memcpy(text + i, "{\"\":[", 6);
    parse(&f, text);
    cr_assert_eq(f.status, SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[0].text, "nested deeper than 64 levels");
    cr_assert_eq(f.err.items[0].line, 11);
    /* many, but none inside another */
    text[0] = '[';
    for (int i = 1; i < 30000; i += 3)
        memcpy(text + i, "[],", 4);
    strcpy(text + 30000, "]");
    parse(&f, text);
    cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    cr_assert_eq(f.root->count, 10000);
    sim_arena_free(&f.arena);
}

Test(json, every_allocation_can_fail)
{
    const char *text = "{\"a\": [1, \"two\", {\"b\": null}], \"c\": 2.5}";
    long n;

    for (n = 1;; n++) {
        failing state = {.fail_at = n};
        sim_allocator allocator = failing_allocator(&state);
        const sim_json *root;
        sim_arena arena;
        sim_err err = {0};
        sim_status status;

        sim_arena_init(&arena, &allocator);
        arena.block_bytes = 1;
        status = sim_json_parse(text, strlen(text), "w.json", &arena, &root, &err);
        sim_arena_free(&arena);
        cr_assert_eq(state.live, 0);
        if (state.calls < n) {
            cr_assert_eq(status, SIM_OK);
            break;
        }
        cr_assert_eq(status, SIM_NO_MEMORY);
        cr_assert_eq(sim_err_status(&err), SIM_NO_MEMORY);
        cr_assert_null(root);
    }
    cr_assert_eq(n, 7 + 3 + 1 + 1); /* values, keys, the text, and the call after the last */
}

Test(json, type_names)
{
    cr_assert_str_eq(sim_json_type_name(SIM_JSON_NULL), "null");
    cr_assert_str_eq(sim_json_type_name(SIM_JSON_BOOL), "true or false");
    cr_assert_str_eq(sim_json_type_name(SIM_JSON_INT), "an integer");
    cr_assert_str_eq(sim_json_type_name(SIM_JSON_REAL), "a number");
    cr_assert_str_eq(sim_json_type_name(SIM_JSON_TEXT), "a text");
    cr_assert_str_eq(sim_json_type_name(SIM_JSON_ARRAY), "an array");
    cr_assert_str_eq(sim_json_type_name(SIM_JSON_OBJECT), "an object");
}

/* ---- the writer ----------------------------------------------------------------------------------- */

Test(json_writer, layout)
{
    sim_text out = {0};
    sim_json_writer w = {.out = &out};

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_int(&w, "schema", 1);
    sim_json_begin(&w, "empty", '{', false);
    sim_json_end(&w, '}');
    sim_json_begin(&w, "arch", '{', true);
    sim_json_put_text(&w, "name", "edge");
    sim_json_begin(&w, "list", '[', false); /* inside of one line: on it */
    sim_json_put_int(&w, NULL, 1);
    sim_json_put_real(&w, NULL, 0.5);
    sim_json_end(&w, ']');
    sim_json_put_null(&w, "none");
    sim_json_end(&w, '}');
    sim_json_begin(&w, "layers", '[', false);
    sim_json_put_bool(&w, NULL, true);
    sim_json_begin(&w, NULL, '[', true);
    sim_json_end(&w, ']');
    sim_json_end(&w, ']');
    sim_json_end(&w, '}');
    cr_assert(!out.failed);
    cr_assert_str_eq(out.data, "{\n"
                               "  \"schema\": 1,\n"
                               "  \"empty\": {},\n"
                               "  \"arch\": {\"name\": \"edge\", \"list\": [1, 0.5], \"none\": null},\n"
                               "  \"layers\": [\n"
                               "    true,\n"
                               "    []\n"
                               "  ]\n"
                               "}");
    sim_text_free(&out);
}

/* What was written is read back as it was, but for what JSON has no word for. */
Test(json_writer, reads_back)
{
    char hostile[600] = "\"quoted\" back\\slash \b\f\n\r\t \x01\x1f\x7f / \xc3\xa4 \xf0\x9f\x98\x80";
    static const double reals[] = {0, -1.5, 1e300, 5e-324, 0.1, 1.0 / 3, 123456789012345680.0};
    sim_text out = {0};
    sim_json_writer w = {.out = &out};
    const sim_json *v;
    fixture f;

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_text(&w, hostile, hostile);
    sim_json_put_text(&w, "broken", "a\xff\xc3z");
    sim_json_put_text(&w, "null", NULL);
    sim_json_put_int(&w, "least", INT64_MIN);
    sim_json_put_int(&w, "most", INT64_MAX);
    sim_json_put_real(&w, "nan", NAN);
    sim_json_put_real(&w, "infinity", -INFINITY);
    sim_json_begin(&w, "reals", '[', true);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        sim_json_put_real(&w, NULL, reals[i]);
    sim_json_end(&w, ']');
    sim_json_end(&w, '}');
    parse_bytes(&f, out.data, out.length);
    cr_assert_eq(f.status, SIM_OK, "%s in %s", f.err.items[0].text, out.data);
    cr_assert_str_eq(f.root->child->key, hostile);
    cr_assert_str_eq(f.root->child->text, hostile);
    cr_assert_str_eq(sim_json_get(f.root, "broken")->text, "a\xef\xbf\xbd\xef\xbf\xbdz");
    cr_assert_eq(sim_json_get(f.root, "null")->type, SIM_JSON_NULL);
    cr_assert_eq(sim_json_get(f.root, "least")->integer, INT64_MIN);
    cr_assert_eq(sim_json_get(f.root, "most")->integer, INT64_MAX);
    cr_assert_eq(sim_json_get(f.root, "nan")->type, SIM_JSON_NULL);
    cr_assert_eq(sim_json_get(f.root, "infinity")->type, SIM_JSON_NULL);
    v = sim_json_get(f.root, "reals")->child;
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++, v = v->next)
        cr_assert_eq(v->real, reals[i]);
    sim_text_free(&out);
    sim_arena_free(&f.arena);
}
