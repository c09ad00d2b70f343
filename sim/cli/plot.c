#include "cli/plot.h"

#include "base/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_STARTED = 127 }; /* as shells say it */

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

/* The exit code of gnuplot; its complaints go to stderr. */
static int run_gnuplot(const char *script, const char *csv, const char *file)
{
    pid_t child = fork();
    int code;

    if (child == 0) {
        /* stdout carries answers only. */
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execlp("gnuplot", "gnuplot", "-c", script, csv, file, (char *)NULL);
        _exit(NOT_STARTED);
    }
    if (child < 0)
        return NOT_STARTED;
    while (waitpid(child, &code, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

sim_status sim_plot_draw(const char *script, const sim_text *csv, const char *file, sim_arena *arena,
                         sim_err *err)
{
    const char *folder = getenv("TMPDIR");
    char *path = sim_arena_printf(arena, "%s/simacc-XXXXXX", folder && *folder ? folder : "/tmp");
    const char *name = sim_arena_printf(arena, "plots/%s", script);
    const char *program = name ? sim_data_path(arena, name) : NULL;
    struct stat info;
    bool written;
    int temporary, code;

    if (!path || !program || csv->failed)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (stat(program, &info) != 0)
        return sim_fail(err, SIM_MISSING, program, 0, "%s", strerror(errno));
    temporary = mkstemp(path);
    if (temporary < 0)
        return sim_fail(err, SIM_IO, path, 0, "%s", strerror(errno));
    written = write_all(temporary, csv->data ? csv->data : "", csv->length);
    written = close(temporary) == 0 && written;
    code = written ? run_gnuplot(program, path, file) : 0;
    unlink(path);
    if (!written)
        return sim_fail(err, SIM_IO, path, 0, "%s", strerror(errno));
    if (code == NOT_STARTED) {
        sim_fail(err, SIM_MISSING, NULL, 0, "gnuplot is not installed: no chart was drawn");
        sim_hint(err, "apt-get install gnuplot-nox, or leave --plot out");
        return SIM_MISSING;
    }
    if (code != 0 || stat(file, &info) != 0)
        return sim_fail(err, SIM_IO, file, 0, "gnuplot could not draw the chart");
    return SIM_OK;
}
