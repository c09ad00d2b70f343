/* The growing buffer, and files read into memory. */
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *get_memory(const sim_text *text, size_t bytes)
{
    const sim_allocator *a = &text->allocator;

    return a->alloc ? a->alloc(a->user, bytes) : malloc(bytes);
}

static void free_memory(const sim_text *text, void *block)
{
    const sim_allocator *a = &text->allocator;

    if (a->free)
        a->free(a->user, block);
    else
        free(block);
}

void sim_text_free(sim_text *text)
{
    if (text->data)
        free_memory(text, text->data);
    text->data = NULL;
    text->length = text->capacity = 0;
    text->failed = false;
}

/* Makes room for `more` bytes and the NUL. */
static bool reserve(sim_text *text, size_t more)
{
    size_t capacity = text->capacity ? text->capacity : 64;
    char *data;

    if (text->failed)
        return false;
    if (more < text->capacity - text->length)
        return true;
    if (more >= SIZE_MAX / 2 - text->length) {
        text->failed = true;
        return false;
    }
    while (capacity - text->length <= more)
        capacity *= 2;
    data = get_memory(text, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    if (text->data) {
        memcpy(data, text->data, text->length);
        free_memory(text, text->data);
    }
    text->data = data;
    text->capacity = capacity;
    data[text->length] = '\0';
    return true;
}

void sim_text_bytes(sim_text *text, const char *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    if (length > 0)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void sim_text_add(sim_text *text, const char *string)
{
    sim_text_bytes(text, string, strlen(string));
}

void sim_text_printf(sim_text *text, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        text->failed = true;
        return;
    }
    if (!reserve(text, (size_t)length))
        return;
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
    va_end(args);
    text->length += (size_t)length;
}

void sim_err_format(const sim_err *err, sim_text *out)
{
    for (int i = 0; i < err->count; i++) {
        const sim_err_item *item = &err->items[i];

        if (item->file[0] && item->line > 0)
            sim_text_printf(out, "%s:%d: ", item->file, item->line);
        else if (item->file[0])
            sim_text_printf(out, "%s: ", item->file);
        sim_text_printf(out, "%s: %s\n", item->status == SIM_OK ? "note" : "error", item->text);
        if (item->hint[0])
            sim_text_printf(out, "  hint: %s\n", item->hint);
    }
    if (err->dropped > 0)
        sim_text_printf(out, "... and %d more error%s\n", err->dropped, err->dropped == 1 ? "" : "s");
}

/* ---- files ------------------------------------------------------------------------------------ */

static sim_status fail_errno(sim_err *err, const char *path, const char *what, int number)
{
    char reason[128];

    if (strerror_r(number, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "error %d", number);
    return sim_fail(err, SIM_BAD_INPUT, path, 0, "%s: %s", what, reason);
}

static sim_status read_open_file(int fd, const char *path, size_t limit_bytes, sim_arena *arena, char **data,
                                 size_t *length, sim_err *err)
{
    struct stat info;
    size_t size, got = 0;

    if (fstat(fd, &info) != 0)
        return fail_errno(err, path, "cannot be read", errno);
    if (S_ISDIR(info.st_mode))
        return sim_fail(err, SIM_BAD_INPUT, path, 0, "is a directory, not a file");
    if (!S_ISREG(info.st_mode))
        return sim_fail(err, SIM_BAD_INPUT, path, 0, "is not a regular file");
    if (info.st_size > 0 && (uintmax_t)info.st_size > limit_bytes) {
        char size_text[32], limit_text[32];
        const size_t kib = 1024, mib = kib * kib;

        if (limit_bytes % mib == 0)
            snprintf(limit_text, sizeof limit_text, "%zu MiB", limit_bytes / mib);
        else if (limit_bytes % kib == 0)
            snprintf(limit_text, sizeof limit_text, "%zu KiB", limit_bytes / kib);
        else
            snprintf(limit_text, sizeof limit_text, "%zu bytes", limit_bytes);
        return sim_fail(err, SIM_BAD_INPUT, path, 0, "is larger than the limit of %s (%s)", limit_text,
                        sim_scaled((double)info.st_size, "B", true, size_text, sizeof size_text));
    }
    size = (size_t)info.st_size;
    *data = sim_arena_alloc(arena, size + 1, 1);
    if (!*data)
        return sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    while (got < size) {
        ssize_t n = read(fd, *data + got, size - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, path, "cannot be read", errno);
        if (n == 0) /* it shrank meanwhile */
            break;
        got += (size_t)n;
    }
    (*data)[got] = '\0';
    *length = got;
    return SIM_OK;
}

sim_status sim_text_read_file(const char *path, size_t limit_bytes, sim_arena *arena, char **data,
                              size_t *length, sim_err *err)
{
    /* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    sim_status status;

    *data = NULL;
    *length = 0;
    if (fd < 0)
        return fail_errno(err, path, "cannot be opened", errno);
    status = read_open_file(fd, path, limit_bytes, arena, data, length, err);
    close(fd);
    return status;
}
