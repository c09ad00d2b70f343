#include "cli/term.h"

#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 100, LEAST_WIDTH = 60, MOST_WIDTH = 160 };

/* A file opened while stdout is closed would become stdout. The wrong access mode makes every use of the
 * stand-in fail as it would have. */
static void reserve(int descriptor, int flags)
{
    if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
        int opened = open("/dev/null", flags);

        if (opened >= 0 && opened != descriptor) {
            dup2(opened, descriptor);
            close(opened);
        }
    }
}

void sim_term_init(sim_term *term)
{
    const char *name = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    struct winsize size;
    bool terminal;

    reserve(STDIN_FILENO, O_WRONLY);
    reserve(STDOUT_FILENO, O_RDONLY);
    reserve(STDERR_FILENO, O_RDONLY);
    terminal = isatty(STDOUT_FILENO) == 1;
    term->colour = terminal && !(no_colour && *no_colour) && name && strcmp(name, "dumb") != 0;
    term->width = DEFAULT_WIDTH;
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        term->width = size.ws_col;
        if (term->width < LEAST_WIDTH)
            term->width = LEAST_WIDTH;
        if (term->width > MOST_WIDTH)
            term->width = MOST_WIDTH;
    }
}

sim_status sim_term_answer(const char *data, size_t length, sim_err *err)
{
    if (!sim_file_bytes(STDOUT_FILENO, data, length) || close(STDOUT_FILENO) != 0)
        return sim_fail(err, SIM_IO, "stdout", 0, "cannot write: %s", strerror(errno));
    return SIM_OK;
}

void sim_term_errors(const sim_err *err)
{
    sim_text text = {.length = 0};

    if (err->count == 0)
        return;
    sim_err_format(err, &text);
    if (text.failed || !text.data)
        sim_file_bytes(STDERR_FILENO, "simacc: error: out of memory\n", 29);
    else
        sim_file_bytes(STDERR_FILENO, text.data, text.length);
    sim_text_free(&text);
}
