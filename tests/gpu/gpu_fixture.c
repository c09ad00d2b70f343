#include "gpu_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[160];

const char *gpu_temporary(const char *name)
{
    if (!*folder) {
        strcpy(folder, "/tmp/simacc_gpu_XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void gpu_cleanup(void)
{
    if (*path)
        unlink(path);
    if (*folder)
        rmdir(folder);
}

char *gpu_read(const char *file_path)
{
    FILE *file = fopen(file_path, "rb");
    char *text = calloc(1, 1 << 20);

    cr_assert_not_null(file);
    cr_assert_not_null(text);
    text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
    fclose(file);
    return text;
}

void gpu_write(const char *file_path, const char *text)
{
    FILE *file = fopen(file_path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    cr_assert_eq(fclose(file), 0);
}

int gpu_lines(const char *text)
{
    int lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}
