#include "reference/tilepipe.h"

#include "reference/pe_machine.h"

#include <math.h>
#include <stdlib.h>

/* A time that has not come. */
#define NEVER INFINITY

typedef enum stage { WAITING, QUEUED, RUNNING, DONE } stage;

/* The four jobs of a tile. */
enum { EARLY_LOAD, LATE_LOAD, COMPUTE, STORE, JOBS };

typedef struct job {
    stage stage;
    double cycles;
    double asked, ends; /* when a transfer joined the queue; when the job ends */
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
    switch (which) {
    case EARLY_LOAD:
        return done(p, tile - 2, COMPUTE);
    case LATE_LOAD:
        return done(p, tile - 1, COMPUTE);
    case COMPUTE:
        return done(p, tile, EARLY_LOAD) && done(p, tile, LATE_LOAD) && done(p, tile - 1, COMPUTE) &&
               output_has_place(p, tile);
    default:
        return done(p, tile, COMPUTE);
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

/* Transfers that can start now join the queue; those of nothing need no channel. True if a job got done. */
static bool ask(pipe *p, int64_t end)
{
    bool progress = false;
    for (int64_t tile = p->first_open; tile < end; tile++) {
        for (int which = 0; which < JOBS; which++) {
            job *j = &p->jobs[tile * JOBS + which];
            if (which == COMPUTE || j->stage != WAITING || !ready(p, tile, which))
                continue;
            j->stage = QUEUED;
            j->asked = p->now;
            if (j->cycles <= 0.0) {
                retire(p, tile * JOBS + which);
                progress = true;
            }
        }
    }
    return progress;
}

/* Which of two queued transfers goes first: the earlier; of equal age, a load that the array waits for, then
 * a store, then a load ahead. */
static bool before(const pipe *p, int64_t one, int64_t other)
{
    static const int rank[JOBS] = {[LATE_LOAD] = 0, [STORE] = 1, [EARLY_LOAD] = 2};
    if (p->jobs[one].asked != p->jobs[other].asked)
        return p->jobs[one].asked < p->jobs[other].asked;
    if (rank[one % JOBS] != rank[other % JOBS])
        return rank[one % JOBS] < rank[other % JOBS];
    return one < other;
}

/* Starts what can start now; true if anything did. */
static bool dispatch(pipe *p)
{
    const int64_t end = p->first_open + WINDOW < p->count ? p->first_open + WINDOW : p->count;
    if (ask(p, end))
        return true;
    for (int64_t tile = p->first_open; p->computing < 0 && tile < end; tile++) {
        if (p->jobs[tile * JOBS + COMPUTE].stage == WAITING && ready(p, tile, COMPUTE)) {
            start(p, tile, COMPUTE);
            return true;
        }
    }
    int64_t next = -1;
    for (int64_t index = p->first_open * JOBS; p->transfer < 0 && index < end * JOBS; index++) {
        if (p->jobs[index].stage == QUEUED && (next < 0 || before(p, index, next)))
            next = index;
    }
    if (next < 0)
        return false;
    start(p, next / JOBS, (int)(next % JOBS));
    return true;
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
        for (int operand = 0; operand < TILEPIPE_OPERANDS; operand++) {
            const bool early = operand == TILEPIPE_OUTPUT || double_buffered[operand];
            jobs[early ? EARLY_LOAD : LATE_LOAD].cycles += tiles[i].load_cycles[operand];
        }
        jobs[COMPUTE].cycles = tiles[i].compute_cycles;
        jobs[STORE].cycles = tiles[i].store_cycles;
    }
    do {
        while (dispatch(&p))
            ;
    } while (advance(&p));

    if (p.first_open != count)
        abort(); /* jobs that can never start: a contradiction in the rules above */
    tilepipe_result result = {p.now, 0.0};
    if (count) {
        const job *last = &p.jobs[(count - 1) * JOBS];
        double busy_until = last[COMPUTE].ends - last[COMPUTE].cycles;
        for (int64_t index = 0; index < count * JOBS; index++) {
            if (index % JOBS != COMPUTE && index != count * JOBS - 1)
                busy_until = fmax(busy_until, p.jobs[index].ends);
        }
        result.last_idle = fmax(0.0, last[COMPUTE].ends - busy_until);
    }
    free(p.jobs);
    return result;
}
