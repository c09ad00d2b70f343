/* Errors: a status for the caller, and a list of what went wrong for the person.
 *
 * Every function that can fail returns a sim_status and adds to the caller's sim_err. The library never
 * prints and never exits. All errors of one file are reported together: a reader goes on after an error
 * for as long as what follows still makes sense. */
#ifndef SIM_BASE_ERR_H
#define SIM_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

/* The values are the exit codes of the command line. */
typedef enum sim_status {
    SIM_OK = 0,
    SIM_USAGE = 2,         /* the command line itself is wrong */
    SIM_BAD_INPUT = 3,     /* a file or a value that cannot be used */
    SIM_MISSING = 4,       /* something this machine lacks (GPU, gnuplot) */
    SIM_IO = 5,            /* a write failed */
    SIM_INFEASIBLE = 6,    /* nothing satisfies the request */
    SIM_NO_MEMORY = 7,     /* an allocation of ours failed */
    SIM_OVERFLOW = 8,      /* a count does not fit 63 bits, or 53 where it must be exact in a double */
    SIM_INTERNAL = 70,     /* a bug */
    SIM_INTERRUPTED = 130, /* SIGINT */
} sim_status;

enum { SIM_ERR_MAX = 20, SIM_ERR_FILE = 160, SIM_ERR_TEXT = 320, SIM_ERR_HINT = 720 };

typedef struct sim_err_item {
    sim_status status;
    char file[SIM_ERR_FILE]; /* "" when the error belongs to no file */
    int line;                /* 1-based; 0 when unknown */
    char text[SIM_ERR_TEXT];
    char hint[SIM_ERR_HINT]; /* "" when there is none */
} sim_err_item;

/* Zero-initialise before use: `sim_err err = {0};`. Fixed size, so that running out of memory can be
 * reported too. */
typedef struct sim_err {
    int count;   /* items kept, at most SIM_ERR_MAX */
    int dropped; /* further errors that were not kept */
    sim_err_item items[SIM_ERR_MAX];
} sim_err;

#if defined(__GNUC__)
#define SIM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SIM_PRINTF(fmt, args)
#endif

/* Adds an error and returns `status`. One of status SIM_OK is a note, about what succeeded: keep those in a
 * sim_err of their own. `file` may be NULL and `line` 0. Text longer than its field is cut
 * at a UTF-8 boundary; control characters become '?', so that a hostile file cannot drive the terminal. */
sim_status sim_fail(sim_err *err, sim_status status, const char *file, int line, const char *format, ...)
    SIM_PRINTF(5, 6);

/* Sets the hint of the last error added (nothing happens when the list has already overflowed). */
void sim_hint(sim_err *err, const char *format, ...) SIM_PRINTF(2, 3);

/* The status of the first error, SIM_OK for an empty list. */
sim_status sim_err_status(const sim_err *err);

#endif
