#include "cli/plot.h"

#include "base/data.h"
#include "cli/file.h"
#include "explore/chart_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_STARTED = 127 /* as shells say it */, PICTURE_LIMIT_MIB = 256, COPY_BYTES = 64 * 1024 };

static const char *const format_names[] = {"svg", "png", "pdf", "text"};

sim_status sim_plot_format_of(const char *file, sim_plot_format *format, sim_err *err)
{
    const char *dot = strrchr(file, '.');

    for (int i = SIM_PLOT_SVG; i < SIM_PLOT_TEXT; i++)
        if (dot && strcmp(dot + 1, format_names[i]) == 0) {
            *format = (sim_plot_format)i;
            return SIM_OK;
        }
    sim_fail(err, SIM_USAGE, NULL, 0, "'%s' is no picture: its name ends in none of .svg .png .pdf", file);
    return SIM_USAGE;
}

/* ---- temporary files -------------------------------------------------------------------------------- */

/* A file without a name: nothing to remove, however the process ends. gnuplot is given it as /dev/fd/N, and
 * so never sees a name that it could take for a command ("<..." or "|..."). -1 with errno set. */
static int nameless_file(sim_arena *arena)
{
    const char *folder = getenv("TMPDIR");
    char *path = sim_arena_printf(arena, "%s/simacc-XXXXXX", folder && *folder ? folder : "/tmp");
    int descriptor;

    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    descriptor = mkstemp(path);
    if (descriptor >= 0)
        unlink(path);
    return descriptor;
}

static bool write_all(int file, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t done = write(file, data, length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        data += done;
        length -= (size_t)done;
    }
    return true;
}

static bool read_all(int file, sim_text *out)
{
    char *buffer = malloc(COPY_BYTES);
    ssize_t got = -1;

    while (buffer) {
        got = read(file, buffer, COPY_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || out->length > (size_t)PICTURE_LIMIT_MIB << 20)
            break;
        sim_text_bytes(out, buffer, (size_t)got);
    }
    free(buffer);
    return got == 0 && out->length > 0;
}

/* ---- gnuplot ---------------------------------------------------------------------------------------- */

/* The exit code of gnuplot; its complaints go to stderr. */
static int run_gnuplot(const char *script, const char *csv, const char *file, const char *format,
                       const char *theme)
{
    pid_t child = fork();
    int code;

    if (child == 0) {
        /* The same picture in every locale; without UTF-8 gnuplot warns of a degree sign. */
        setenv("LC_ALL", "C.UTF-8", 1);
        /* stdout carries answers only. */
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execlp("gnuplot", "gnuplot", "-d", "-c", script, csv, file, format, theme, (char *)NULL);
        _exit(NOT_STARTED);
    }
    if (child < 0)
        return -1;
    while (waitpid(child, &code, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

/* What the text terminal adds: a form feed, blanks at the ends of lines, empty lines around. */
static void tidy_text(const sim_text *raw, sim_text *out)
{
    const char *p = raw->data, *end = p + raw->length;
    size_t blank_lines = 0;
    bool started = false;

    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p)), *last;

        stop = stop ? stop : end;
        while (p < stop && *p == '\f')
            p++;
        last = stop;
        while (last > p && last[-1] == ' ')
            last--;
        if (last == p) {
            blank_lines++;
        } else {
            for (; started && blank_lines > 0; blank_lines--)
                sim_text_add(out, "\n");
            blank_lines = 0;
            sim_text_bytes(out, p, (size_t)(last - p));
            sim_text_add(out, "\n");
            started = true;
        }
        p = stop < end ? stop + 1 : end;
    }
}

/* Draws from the file `in` into the file `out`. */
static sim_status draw(const char *script, int in, int out, const char *format, const char *theme,
                       sim_arena *arena, sim_text *picture, sim_err *err)
{
    const char *from = sim_arena_printf(arena, "/dev/fd/%d", in);
    const char *to = sim_arena_printf(arena, "/dev/fd/%d", out);
    const bool is_text = strcmp(format, format_names[SIM_PLOT_TEXT]) == 0;
    sim_text raw = {.allocator = picture->allocator};
    bool got;
    int code;

    if (!from || !to)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    code = run_gnuplot(script, from, to, format, theme);
    if (code == NOT_STARTED) {
        sim_fail(err, SIM_MISSING, NULL, 0, "gnuplot is not installed: no chart was drawn");
        sim_hint(err, "apt-get install gnuplot-nox");
        return SIM_MISSING;
    }
    /* gnuplot opened the file anew: here it still stands at its start. */
    got = code == 0 && read_all(out, is_text ? &raw : picture);
    if (got && is_text)
        tidy_text(&raw, picture);
    got = got && !raw.failed;
    sim_text_free(&raw);
    if (!got)
        return sim_fail(err, SIM_INTERNAL, NULL, 0, "gnuplot could not draw the chart");
    return picture->failed ? sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory") : SIM_OK;
}

sim_status sim_plot_draw(sim_chart_kind kind, const sim_text *csv, sim_plot_format format, bool dark,
                         bool colour, sim_arena *arena, sim_text *picture, sim_err *err)
{
    const char *name = sim_arena_printf(arena, "plots/%s.gp", sim_chart_names[kind]);
    const char *script = name ? sim_data_path(arena, name) : NULL;
    const char *theme = format == SIM_PLOT_TEXT ? (colour ? "ansi" : "mono") : dark ? "dark" : "light";
    struct stat info;
    sim_status status;
    int in, out;

    if (!script || csv->failed)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (stat(script, &info) != 0)
        return sim_fail(err, SIM_MISSING, script, 0, "%s", strerror(errno));
    in = nameless_file(arena);
    out = in >= 0 ? nameless_file(arena) : -1;
    if (out < 0 || !write_all(in, csv->data ? csv->data : "", csv->length))
        status = sim_fail(err, SIM_IO, NULL, 0, "cannot write a temporary file: %s", strerror(errno));
    else
        status = draw(script, in, out, format_names[format], theme, arena, picture, err);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return status;
}

sim_status sim_plot_rows(sim_chart_kind kind, const sim_text *csv, const char *file, sim_arena *arena,
                         sim_err *err)
{
    const sim_chart_options options = {.width_px = SIM_PLOT_WIDTH_PX};
    sim_text layout = {.length = 0}, picture = {.length = 0};
    sim_plot_format format = SIM_PLOT_SVG;
    sim_frame frame;
    sim_status status;

    if (csv->failed)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = sim_plot_format_of(file, &format, err);
    if (status == SIM_OK)
        status = sim_chart_source_text(csv->data, csv->length, file, arena, &frame, err);
    if (status == SIM_OK)
        status = sim_chart(kind, &frame, 1, &options, arena, &layout, err);
    if (status == SIM_OK)
        status = sim_plot_draw(kind, &layout, format, false, false, arena, &picture, err);
    if (status == SIM_OK)
        status = sim_file_write(file, picture.data, picture.length, err);
    sim_text_free(&layout);
    sim_text_free(&picture);
    return status;
}
