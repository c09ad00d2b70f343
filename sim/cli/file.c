#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = PATH_MAX, NAME_TRIES = 100 };

/* What the signal handler removes: valid while `temporary_exists`. The one piece of state of the command
 * line, since a handler can be told nothing. */
static char temporary[PATH_SIZE];
static volatile sig_atomic_t temporary_exists;

static void on_signal(int number)
{
    if (temporary_exists)
        unlink(temporary);
    _exit(128 + number);
}

void sim_file_guard_signals(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP}, failing[] = {SIGPIPE, SIGXFSZ};
    struct sigaction action = {.sa_handler = on_signal}, previous;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        if (sigaction(ending[i], NULL, &previous) == 0 && previous.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++)
        sigaction(failing[i], &action, NULL);
}

bool sim_file_bytes(int descriptor, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, data, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        length -= (size_t)written;
    }
    return true;
}

typedef struct source {
    sim_file_produce *produce;
    void *user;
} source;

/* Writes, flushes (`sync`: to the disk) and closes; false with errno set on any failure, closed all the same.
 */
static bool write_and_close(int descriptor, source from, bool sync)
{
    bool good = from.produce(from.user, descriptor);
    int error = good ? 0 : errno;

    /* A file system that cannot sync says EINVAL: nothing more can be done there. */
    if (good && sync && fsync(descriptor) != 0 && errno != EINVAL) {
        good = false;
        error = errno;
    }
    if (close(descriptor) != 0 && good) {
        good = false;
        error = errno;
    }
    errno = error;
    return good;
}

static sim_status fail(const char *path, int error, sim_err *err)
{
    if (error == 0) /* the source has said what is wrong */
        return sim_err_status(err);
    return sim_fail(err, SIM_IO, path, 0, "cannot write: %s", strerror(error));
}

static sim_status write_directly(const char *path, source from, sim_err *err)
{
    int descriptor = open(path, O_WRONLY | O_NOCTTY);

    if (descriptor < 0 || !write_and_close(descriptor, from, false))
        return fail(path, errno, err);
    return SIM_OK;
}

/* Creates "<folder of target>/.<name>.<process>.<try>.tmp" and remembers its name; -1 with errno set. */
static int create_temporary(const char *target)
{
    const char *slash = strrchr(target, '/');
    const char *name = slash ? slash + 1 : target;
    const int folder_length = (int)(name - target);

    for (int attempt = 0; attempt < NAME_TRIES; attempt++) {
        int used = snprintf(temporary, sizeof temporary, "%.*s.%.200s.%ld.%d.tmp", folder_length, target,
                            name, (long)getpid(), attempt);
        int descriptor;

        if (used < 0 || (size_t)used >= sizeof temporary) {
            errno = ENAMETOOLONG;
            return -1;
        }
        temporary_exists = 0;
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0) {
            temporary_exists = 1;
            return descriptor;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

static sim_status replace(const char *path, const char *target, const struct stat *before, source from,
                          sim_err *err)
{
    sigset_t block, previous;
    int descriptor, error = 0;
    bool good = true;

    /* A signal between the creation and the note that it exists would leave the file behind. */
    sigemptyset(&block);
    sigaddset(&block, SIGINT);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGHUP);
    sigprocmask(SIG_BLOCK, &block, &previous);
    descriptor = create_temporary(target);
    error = errno;
    sigprocmask(SIG_SETMASK, &previous, NULL);
    if (descriptor < 0)
        return fail(path, error, err);

    if (before && fchmod(descriptor, before->st_mode & 07777) != 0) {
        error = errno;
        close(descriptor);
        good = false;
    } else if (!write_and_close(descriptor, from, true) || rename(temporary, target) != 0) {
        error = errno;
        good = false;
    }
    if (!good)
        unlink(temporary);
    temporary_exists = 0;
    return good ? SIM_OK : fail(path, error, err);
}

static sim_status write_path(const char *path, source from, sim_err *err)
{
    struct stat before;
    char target[PATH_SIZE];

    if (stat(path, &before) != 0) {
        if (errno != ENOENT)
            return fail(path, errno, err);
        return replace(path, path, NULL, from, err);
    }
    if (S_ISDIR(before.st_mode))
        return fail(path, EISDIR, err);
    if (!S_ISREG(before.st_mode))
        return write_directly(path, from, err);
    if (access(path, W_OK) != 0) /* a rename would ignore that the file is write-protected */
        return fail(path, errno, err);
    if (!realpath(path, target))
        return fail(path, errno, err);
    return replace(path, target, &before, from, err);
}

sim_status sim_file_stream(const char *path, sim_file_produce *produce, void *user, sim_err *err)
{
    const source from = {produce, user};

    if (path)
        return write_path(path, from, err);
    return write_and_close(STDOUT_FILENO, from, false) ? SIM_OK : fail("stdout", errno, err);
}

typedef struct bytes {
    const char *data;
    size_t length;
} bytes;

static bool produce_bytes(void *user, int descriptor)
{
    const bytes *b = user;

    return sim_file_bytes(descriptor, b->data, b->length);
}

sim_status sim_file_write(const char *path, const char *data, size_t length, sim_err *err)
{
    bytes all = {data, length};

    return write_path(path, (source){produce_bytes, &all}, err);
}
