#include "format/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static sim_status fail_errno(sim_err *err, const char *path, const char *what, int number)
{
    char reason[128];

    if (strerror_r(number, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "error %d", number);
    return sim_fail(err, SIM_BAD_INPUT, path, 0, "%s: %s", what, reason);
}

static sim_status map_open_file(int descriptor, const char *path, sim_file_map *out, sim_err *err)
{
    struct stat info;
    void *data;

    if (fstat(descriptor, &info) != 0)
        return fail_errno(err, path, "cannot be read", errno);
    if (S_ISDIR(info.st_mode))
        return sim_fail(err, SIM_BAD_INPUT, path, 0, "is a directory, not a file");
    if (!S_ISREG(info.st_mode))
        return sim_fail(err, SIM_BAD_INPUT, path, 0, "is not a regular file");
    if (info.st_size == 0) /* of which there is no mapping */
        return SIM_OK;
    if ((uintmax_t)info.st_size > SIZE_MAX)
        return sim_fail(err, SIM_BAD_INPUT, path, 0, "is larger than this machine can address");
    data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED)
        return fail_errno(err, path, "cannot be mapped", errno);
    *out = (sim_file_map){.data = data, .bytes = info.st_size};
    return SIM_OK;
}

sim_status sim_file_map_open(const char *path, sim_file_map *out, sim_err *err)
{
    /* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    sim_status status;

    *out = (sim_file_map){.data = NULL};
    if (descriptor < 0)
        return fail_errno(err, path, "cannot be opened", errno);
    status = map_open_file(descriptor, path, out, err);
    close(descriptor);
    return status;
}

void sim_file_map_close(sim_file_map *map)
{
    if (map->data)
        munmap((void *)map->data, (size_t)map->bytes);
    *map = (sim_file_map){.data = NULL};
}
