/* Writing a file whole or not at all. */
#ifndef SIM_CLI_FILE_H
#define SIM_CLI_FILE_H

#include "base/err.h"

#include <stddef.h>

/* Writes a temporary file beside `path`, flushes it to the disk and renames it over `path`, through a
 * symbolic link if `path` is one. Something that exists and is no regular file (a device, a pipe) is
 * written directly. On failure (SIM_IO) a file that was there before is untouched and nothing is left behind.
 */
sim_status sim_file_write(const char *path, const char *data, size_t length, sim_err *err);

/* SIGINT, SIGTERM and SIGHUP remove the temporary file, if there is one, and end the process with 128 plus
 * the signal's number; writes to a closed pipe or beyond a size limit fail instead of killing. A signal
 * that the parent chose to ignore stays ignored. */
void sim_file_guard_signals(void);

#endif
