/* Files and settings shared by the tests of the GPU plug-in and suite. */
#ifndef TEST_GPU_FIXTURE_H
#define TEST_GPU_FIXTURE_H

#include "base/err.h"

/* Libraries made by the build: the fake, the fake of another version, a library that is no plug-in. */
#define FAKE_PLUGIN  FAKE_FOLDER "/libfake_plugin.so"
#define FAKE_OTHER   FAKE_FOLDER "/libfake_other_abi.so"
#define FAKE_NOTHING FAKE_FOLDER "/libfake_nothing.so"

/* A new empty folder's file, in a static buffer; gone at gpu_cleanup. */
const char *gpu_temporary(const char *name);
void gpu_cleanup(void);

/* Text of a file, NUL-terminated, to be freed; fails the test when it cannot be read. */
char *gpu_read(const char *path);
void gpu_write(const char *path, const char *text);
int gpu_lines(const char *text);

#endif
