#include "reference/tilepipe.h"

#include "reference/pe_machine.h"

#include <math.h>
#include <stdlib.h>

/* A time that has not come. */
#define NEVER INFINITY

typedef enum stage { WAITING, RUNNING, DONE } stage;

/* The four jobs of a tile. */
enum { EARLY_LOAD, LATE_LOAD, COMPUTE, STORE, JOBS };

typedef struct job {
    stage stage;
    double cycles;
    double ends;
} job;

typedef struct pipe {
    job *jobs; /* of tile i at i * JOBS */
    int64_t count;
    bool output_double;
    double now;
    int64_t transfer, computing; /* index of the running job; -1: none */
    int64_t first_open;          /* tiles before this one are entirely done */
} pipe;

/* Tiles before the first count as done. */
static bool done(const pipe *p, int64_t tile, int which)
{
    return tile < 0 || p->jobs[tile * JOBS + which].stage == DONE;
}

static bool output_has_place(const pipe *p, int64_t tile)
{
    return done(p, tile - (p->output_double ? 2 : 1), STORE);
}

static bool ready(const pipe *p, int64_t tile, int which)
{
    if (p->jobs[tile * JOBS + which].stage != WAITING)
        return false;
    switch (which) {
    case EARLY_LOAD:
        return done(p, tile - 1, LATE_LOAD) && done(p, tile - 2, COMPUTE);
    case LATE_LOAD:
        return done(p, tile, EARLY_LOAD) && done(p, tile - 1, COMPUTE) &&
               (p->output_double || done(p, tile - 1, STORE));
    case COMPUTE:
        return done(p, tile, LATE_LOAD) && done(p, tile - 1, COMPUTE) && output_has_place(p, tile);
    default:
        return done(p, tile, COMPUTE) && done(p, tile - 1, STORE);
    }
}

static void start(pipe *p, int64_t tile, int which)
{
    job *j = &p->jobs[tile * JOBS + which];
    j->stage = RUNNING;
    j->ends = p->now + j->cycles;
    if (which == COMPUTE)
        p->computing = tile * JOBS + which;
    else
        p->transfer = tile * JOBS + which;
}

static void retire(pipe *p, int64_t index)
{
    p->jobs[index].stage = DONE;
    while (p->first_open < p->count && done(p, p->first_open, STORE))
        p->first_open++;
}

/* Jobs of a tile lie at most two tiles apart from the first one that is not finished. */
enum { WINDOW = 4 };

/* A transfer of nothing needs no channel. True if there was one. */
static bool skip_empty(pipe *p, int64_t end)
{
    for (int64_t tile = p->first_open; tile < end; tile++) {
        for (int which = 0; which < JOBS; which++) {
            if (which != COMPUTE && p->jobs[tile * JOBS + which].cycles <= 0.0 && ready(p, tile, which)) {
                retire(p, tile * JOBS + which);
                return true;
            }
        }
    }
    return false;
}

/* Starts what can start now; true if anything did. */
static bool dispatch(pipe *p)
{
    const int64_t end = p->first_open + WINDOW < p->count ? p->first_open + WINDOW : p->count;
    if (skip_empty(p, end))
        return true;
    if (p->computing < 0) {
        for (int64_t tile = p->first_open; tile < end; tile++) {
            if (ready(p, tile, COMPUTE)) {
                start(p, tile, COMPUTE);
                return true;
            }
        }
    }
    if (p->transfer >= 0)
        return false;
    for (int64_t tile = p->first_open; tile < end; tile++) {
        if (ready(p, tile, STORE)) {
            start(p, tile, STORE);
            return true;
        }
    }
    for (int64_t tile = p->first_open; tile < end; tile++) {
        for (int which = EARLY_LOAD; which <= LATE_LOAD; which++) {
            if (ready(p, tile, which)) {
                start(p, tile, which);
                return true;
            }
        }
    }
    return false;
}

/* Moves on to the next end of a job and retires all jobs that end then. */
static bool advance(pipe *p)
{
    const double transfer = p->transfer < 0 ? NEVER : p->jobs[p->transfer].ends;
    const double compute = p->computing < 0 ? NEVER : p->jobs[p->computing].ends;
    if (p->transfer < 0 && p->computing < 0)
        return false;
    p->now = fmin(transfer, compute);
    if (transfer <= p->now) {
        retire(p, p->transfer);
        p->transfer = -1;
    }
    if (compute <= p->now) {
        retire(p, p->computing);
        p->computing = -1;
    }
    return true;
}

tilepipe_result tilepipe_run(const tilepipe_tile *tiles, int64_t count,
                             const bool double_buffered[TILEPIPE_OPERANDS])
{
    pipe p = {.count = count, .transfer = -1, .computing = -1};
    p.output_double = double_buffered[TILEPIPE_OUTPUT];
    p.jobs = pe_alloc(count * JOBS, sizeof *p.jobs);
    for (int64_t i = 0; i < count; i++) {
        job *jobs = &p.jobs[i * JOBS];
        for (int operand = 0; operand < TILEPIPE_OPERANDS; operand++)
            jobs[double_buffered[operand] ? EARLY_LOAD : LATE_LOAD].cycles += tiles[i].load_cycles[operand];
        jobs[COMPUTE].cycles = tiles[i].compute_cycles;
        jobs[STORE].cycles = tiles[i].store_cycles;
    }
    do {
        while (dispatch(&p))
            ;
    } while (advance(&p));

    tilepipe_result result = {p.now, count ? p.jobs[(count - 1) * JOBS + COMPUTE].ends : 0.0};
    if (p.first_open != count)
        abort(); /* jobs that can never start: a contradiction in the rules above */
    free(p.jobs);
    return result;
}
