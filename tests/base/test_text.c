#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"
#include "reference/failing.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the buffer --------------------------------------------------------------------------------- */

Test(text, grows)
{
    sim_text text = {0};
    char expected[30001];

    for (int i = 0; i < 10000; i++) {
        sim_text_add(&text, "a");
        sim_text_printf(&text, "%c", 'b');
        sim_text_bytes(&text, "cd", 1);
        memcpy(expected + 3 * i, "abc", 4);
    }
    cr_assert(!text.failed);
    cr_assert_eq(text.length, 30000);
    cr_assert_str_eq(text.data, expected);
    sim_text_free(&text);
    cr_assert_null(text.data);
}

Test(text, nothing_added_is_a_string_too)
{
    sim_text text = {0};

    sim_text_add(&text, "");
    cr_assert_str_eq(text.data, "");
    sim_text_free(&text);
}

Test(text, takes_nul_bytes_and_long_prints)
{
    sim_text text = {0};

    sim_text_bytes(&text, "a\0b", 3);
    sim_text_printf(&text, "%5000d", 7);
    cr_assert_eq(text.length, 5003);
    cr_assert_eq(memcmp(text.data, "a\0b", 3), 0);
    cr_assert_eq(text.data[5002], '7');
    cr_assert_eq(text.data[5003], '\0');
    sim_text_free(&text);
}

/* After a failure the buffer keeps what it had, takes nothing more, and gives everything back. */
Test(text, every_allocation_can_fail)
{
    for (long n = 1; n < 12; n++) {
        failing f = {.fail_at = n};
        sim_text text = {.allocator = failing_allocator(&f)};
        size_t length;

        for (int i = 0; i < 2000 && !text.failed; i++)
            sim_text_printf(&text, "%d,", i);
        if (f.calls < n) {
            cr_assert_gt(n, 5);
            cr_assert(!text.failed);
        } else {
            cr_assert(text.failed);
            length = text.length;
            sim_text_add(&text, "x");
            sim_text_real(&text, 0.5);
            cr_assert_eq(text.length, length);
            cr_assert_eq(f.calls, n, "nothing more is asked for");
            if (text.data)
                cr_assert_eq(strlen(text.data), length);
        }
        sim_text_free(&text);
        cr_assert_eq(f.live, 0);
    }
}

Test(text, a_length_that_cannot_be_had)
{
    sim_text text = {0};

    sim_text_bytes(&text, "x", SIZE_MAX - 1);
    cr_assert(text.failed);
    sim_text_free(&text);
}

/* ---- hash and UTF-8 ------------------------------------------------------------------------------- */

/* Test values of the authors of FNV (draft-eastlake-fnv, appendix C). */
Test(hash, fnv_1a)
{
    cr_assert_eq(sim_hash(SIM_HASH_START, "", 0), UINT64_C(0xcbf29ce484222325));
    cr_assert_eq(sim_hash(SIM_HASH_START, "a", 1), UINT64_C(0xaf63dc4c8601ec8c));
    cr_assert_eq(sim_hash(SIM_HASH_START, "foobar", 6), UINT64_C(0x85944171f73967e8));
    cr_assert_eq(sim_hash(sim_hash(SIM_HASH_START, "foo", 3), "bar", 3), UINT64_C(0x85944171f73967e8));
}

Test(utf8, characters_and_what_is_none)
{
    static const struct {
        const char *bytes;
        size_t taken;
        int32_t character;
    } cases[] = {
        {"a", 1, 'a'},
        {"\xc3\xa4x", 2, 0xe4},
        {"\xe2\x82\xac", 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 0x1f600},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
        {"\x80", 1, -1},             /* continuation first */
        {"\xc3", 1, -1},             /* cut short */
        {"\xc3(", 1, -1},            /* not continued */
        {"\xc0\x80", 1, -1},         /* overlong */
        {"\xe0\x80\xaf", 1, -1},     /* overlong */
        {"\xed\xa0\x80", 1, -1},     /* a surrogate */
        {"\xf4\x90\x80\x80", 1, -1}, /* beyond Unicode */
        {"\xf8\x88\x80\x80", 1, -1}, /* no lead byte */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t c = 0;

        cr_expect_eq(sim_utf8_next(cases[i].bytes, strlen(cases[i].bytes), &c), cases[i].taken, "case %zu",
                     i);
        cr_expect_eq(c, cases[i].character, "case %zu", i);
    }
}

/* ---- files ---------------------------------------------------------------------------------------- */

typedef struct folder {
    char path[64];
    char file[96];
    sim_arena arena;
    sim_err err;
    char *data;
    size_t length;
} folder;

static void enter(folder *f)
{
    memset(f, 0, sizeof *f);
    strcpy(f->path, "/tmp/simacc_test_XXXXXX");
    cr_assert_not_null(mkdtemp(f->path));
    snprintf(f->file, sizeof f->file, "%s/file", f->path);
    sim_arena_init(&f->arena, NULL);
}

static void leave(folder *f)
{
    unlink(f->file);
    rmdir(f->path);
    sim_arena_free(&f->arena);
}

static void fill(const folder *f, const char *bytes, size_t length)
{
    FILE *file = fopen(f->file, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, length, file), length);
    cr_assert_eq(fclose(file), 0);
}

static sim_status read_it(folder *f, const char *path, size_t limit)
{
    return sim_text_read_file(path, limit, &f->arena, &f->data, &f->length, &f->err);
}

Test(file, whole_contents)
{
    folder f;

    enter(&f);
    fill(&f, "a\0b\n", 4);
    cr_assert_eq(read_it(&f, f.file, 4), SIM_OK);
    cr_assert_eq(f.length, 4);
    cr_assert_eq(memcmp(f.data, "a\0b\n", 5), 0, "and a NUL behind it");
    fill(&f, "", 0);
    cr_assert_eq(read_it(&f, f.file, 4), SIM_OK);
    cr_assert_eq(f.length, 0);
    cr_assert_str_eq(f.data, "");
    leave(&f);
}

Test(file, too_large_is_not_read)
{
    folder f;

    enter(&f);
    fill(&f, "", 0);
    cr_assert_eq(truncate(f.file, (off_t)8 << 30), 0); /* a hole, not 8 GiB */
    cr_assert_eq(read_it(&f, f.file, 64 * 1024 * 1024), SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[0].text, "is larger than the limit of 64 MiB (8.00 GiB)");
    cr_assert_str_eq(f.err.items[0].file, f.file);
    cr_assert_eq(f.arena.used_bytes, 0);
    cr_assert_eq(truncate(f.file, 2049), 0);
    cr_assert_eq(read_it(&f, f.file, 2048), SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[1].text, "is larger than the limit of 2 KiB (2.00 KiB)");
    cr_assert_eq(read_it(&f, f.file, 1000), SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[2].text, "is larger than the limit of 1000 bytes (2.00 KiB)");
    leave(&f);
}

Test(file, what_is_no_file)
{
    folder f;

    enter(&f);
    cr_assert_eq(read_it(&f, f.file, 10), SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[0].text, "cannot be opened: No such file or directory");
    cr_assert_eq(read_it(&f, f.path, 10), SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[1].text, "is a directory, not a file");
    cr_assert_eq(read_it(&f, "/dev/zero", 10), SIM_BAD_INPUT);
    cr_assert_str_eq(f.err.items[2].text, "is not a regular file");
    cr_assert_eq(mkfifo(f.file, 0600), 0);
    cr_assert_eq(read_it(&f, f.file, 10), SIM_BAD_INPUT); /* does not wait for a writer */
    cr_assert_str_eq(f.err.items[3].text, "is not a regular file");
    cr_assert_null(f.data);
    leave(&f);
}

Test(file, no_memory)
{
    failing state = {.fail_at = 1};
    sim_allocator allocator = failing_allocator(&state);
    folder f;

    enter(&f);
    sim_arena_init(&f.arena, &allocator);
    fill(&f, "abc", 3);
    cr_assert_eq(read_it(&f, f.file, 10), SIM_NO_MEMORY);
    cr_assert_eq(sim_err_status(&f.err), SIM_NO_MEMORY);
    leave(&f);
}
