/* Writing a file whole or not at all. */
#ifndef SIM_CLI_FILE_H
#define SIM_CLI_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes a temporary file beside `path`, flushes it to the disk and renames it over `path`, through a
 * symbolic link if `path` is one. Something that exists and is no regular file (a device, a pipe) is
 * written directly. On failure (SIM_IO) a file that was there before is untouched and nothing is left behind.
 */
sim_status sim_file_write(const char *path, const char *data, size_t length, sim_err *err);

/* The same for what is too large to have at once: `produce` writes it with sim_file_bytes(). It returns false
 * with errno set, or 0 there when it has put its error into `err` itself. A NULL `path` is stdout, which is
 * closed after. */
typedef bool sim_file_produce(void *user, int descriptor);
sim_status sim_file_stream(const char *path, sim_file_produce *produce, void *user, sim_err *err);

/* All of it; false with errno set. */
bool sim_file_bytes(int descriptor, const char *data, size_t length);

/* SIGINT, SIGTERM and SIGHUP remove the temporary file, if there is one, and end the process with 128 plus
 * the signal's number; writes to a closed pipe or beyond a size limit fail instead of killing. A signal
 * that the parent chose to ignore stays ignored. */
void sim_file_guard_signals(void);

#endif
