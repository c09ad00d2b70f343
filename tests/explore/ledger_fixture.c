#include "ledger_fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char shipped[] = SIMACC_SOURCE_DIR "/tests/validation";

static sim_ledger_context context_of(const char *folder, sim_arena *arena)
{
    sim_arena_init(arena, NULL);
    return (sim_ledger_context){folder, SIMACC_SOURCE_DIR "/arch", arena};
}

void ledger_expect_shipped(sim_ledger_check *check, const char *begins)
{
    sim_arena arena;
    const sim_ledger_context context = context_of(shipped, &arena);
    sim_ledger_row row = {0};
    sim_err err = {0};

    cr_assert_eq(check(&context, &row, &err), SIM_OK, "%s", err.items[0].text);
    cr_expect(row.met, "%s: %s", row.claim, row.result);
    cr_expect_eq(strncmp(row.result, begins, strlen(begins)), 0, "%s", row.result);
    sim_arena_free(&arena);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    cr_assert(fputs(text, file) >= 0);
    cr_assert_eq(fclose(file), 0);
}

/* Calls `visit` for each table in `folder`, by its path in `copy`. */
static void each_table(const char *folder, const char *copy,
                       void (*visit)(const char *name, const char *path, const ledger_case *at),
                       const ledger_case *at)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    cr_assert_not_null(dir);
    while ((entry = readdir(dir))) {
        char path[512];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", copy, entry->d_name);
        visit(entry->d_name, path, at);
    }
    closedir(dir);
}

static void put(const char *name, const char *path, const ledger_case *at)
{
    char target[512];

    snprintf(target, sizeof target, "%s/%s", shipped, name);
    if (strcmp(name, at->table) == 0)
        write_text(path, at->text);
    else
        cr_assert_eq(symlink(target, path), 0);
}

static void take_away(const char *name, const char *path, const ledger_case *at)
{
    (void)name;
    (void)at;
    unlink(path);
}

static sim_status run_on(const ledger_case *at, sim_arena *arena, sim_ledger_row *row, sim_err *err)
{
    char folder[] = "/tmp/simacc_ledger_XXXXXX";
    sim_status status;

    cr_assert_not_null(mkdtemp(folder));
    each_table(shipped, folder, put, at);
    const sim_ledger_context context = context_of(folder, arena);

    status = at->check(&context, row, err);
    each_table(shipped, folder, take_away, at);
    rmdir(folder);
    return status;
}

void ledger_expect_row(const ledger_case *at)
{
    sim_arena arena;
    sim_ledger_row row = {0};
    sim_err err = {0};

    cr_assert_eq(run_on(at, &arena, &row, &err), SIM_OK, "%s: %s", at->text, err.items[0].text);
    cr_expect_eq(row.met, at->met, "%s: %s", at->text, row.result);
    sim_arena_free(&arena);
}

void ledger_expect_error(const ledger_case *at)
{
    sim_arena arena;
    sim_ledger_row row = {0};
    sim_err err = {0};

    cr_expect_eq(run_on(at, &arena, &row, &err), SIM_BAD_INPUT, "%s: %s", at->text,
                 err.count ? err.items[0].text : "no error");
    cr_expect_gt(err.count, 0, "%s", at->text);
    sim_arena_free(&arena);
}
