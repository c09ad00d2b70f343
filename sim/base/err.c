#include "base/err.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Would this character move the cursor, change colours, or hide or reorder what stands around it? */
static bool is_unsafe(int32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* Copies what fits, whole characters only; unsafe ones and broken UTF-8 become '?'. */
static void copy_clean(char *out, size_t size, const char *text)
{
    size_t at = 0, length = strlen(text);

    while (length > 0) {
        int32_t c;
        size_t bytes = sim_utf8_next(text, length, &c);
        bool unsafe = is_unsafe(c); /* broken: c is negative */

        if (at + (unsafe ? 1 : bytes) >= size)
            break;
        if (unsafe)
            out[at++] = '?';
        else
            for (size_t i = 0; i < bytes; i++)
                out[at++] = text[i];
        text += bytes;
        length -= bytes;
    }
    out[at] = '\0';
}

/* Of a long path the end tells more than the beginning. */
static void copy_path(char *out, size_t size, const char *path)
{
    static const char gap[] = "...";
    size_t length = strlen(path);

    if (length < size) {
        copy_clean(out, size, path);
        return;
    }
    path += length - (size - sizeof gap);
    while (sim_utf8_is_continuation(*path))
        path++;
    memcpy(out, gap, sizeof gap);
    copy_clean(out + sizeof gap - 1, size - (sizeof gap - 1), path);
}

static void format_clean(char *out, size_t size, const char *format, va_list args)
{
    char buffer[2 * SIM_ERR_TEXT]; /* room for characters that get shorter */

    if (vsnprintf(buffer, sizeof buffer, format, args) < 0)
        buffer[0] = '\0';
    copy_clean(out, size, buffer);
}

sim_status sim_fail(sim_err *err, sim_status status, const char *file, int line, const char *format, ...)
{
    sim_err_item *item;
    va_list args;

    if (err->count == SIM_ERR_MAX) {
        err->dropped++;
        return status;
    }
    item = &err->items[err->count++];
    item->status = status;
    copy_path(item->file, sizeof item->file, file ? file : "");
    item->line = line;
    va_start(args, format);
    format_clean(item->text, sizeof item->text, format, args);
    va_end(args);
    item->hint[0] = '\0';
    return status;
}

void sim_hint(sim_err *err, const char *format, ...)
{
    va_list args;

    if (err->count == 0 || err->dropped > 0)
        return;
    va_start(args, format);
    format_clean(err->items[err->count - 1].hint, SIM_ERR_HINT, format, args);
    va_end(args);
}

sim_status sim_err_status(const sim_err *err)
{
    return err->count > 0 ? err->items[0].status : SIM_OK;
}
