/* Threads that price blocks of points, and store them in order (sweep.h). POSIX threads, since tools that
 * look for data races see through these. */
#include "explore/sweep_run.h"

#include "base/text.h"
#include "explore/sweep_rows.h"
#include "explore/sweep_select.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Points in memory at once: enough that a batch of a quarter of them is written fast, and that no thread
 * waits while one writes. Those with layers are some ten times as large. */
enum { WINDOW_POINTS = 8192, WINDOW_POINTS_WITH_LAYERS = 1024, THREADS_MAX = 1024 };

static const double batch_s = 0.25; /* finished points are stored at least so often */

typedef enum wish { WISH_NOTHING, WISH_PRICE, WISH_FILL_IN } wish;

typedef struct block {
    sim_arena arena;
    sim_point_row *rows;
    unsigned char *wishes; /* one per row: wish; nothing once it is stored, filtered, or not got to */
    int count, finished;   /* rows */
    int64_t stored, filtered;
    bool done;
} block;

typedef struct runner {
    const sim_sweep *sweep;
    sim_store *store;
    const sim_sweep_listener *listener;
    sim_selection points;
    const sim_sweep_points *named; /* NULL: the sweep says which points */
    sim_sweep_report *report;
    sim_arena *arena; /* of the report; under `lock` */
    bool look_up;     /* the store had points when the sweep began */
    double start_s;

    pthread_mutex_t store_lock; /* of `store`, taken while `lock` is not held */
    pthread_mutex_t lock;       /* of all below */
    pthread_cond_t changed;
    block *ring; /* block i of the shard is at i % window while written <= i < claimed */
    int64_t window, claimed, ready, written;
    double written_s;
    bool writing, ended, store_failed;
    int64_t done_points;
    sim_err *err;
} runner;

typedef struct thread {
    runner *runner;
    sim_point_worker *worker;
    sim_err err; /* of the block at hand */
    pthread_t id;
    bool started;
} thread;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int sim_sweep_threads(const sim_sweep *sweep)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = sweep->jobs > 0 ? sweep->jobs : cores > 0 ? (int)cores : 1;

    return threads < THREADS_MAX ? threads : THREADS_MAX;
}

static bool told_to_stop(const runner *r)
{
    return r->listener && r->listener->stop && r->listener->stop(r->listener->user);
}

/* ---- a block ---------------------------------------------------------------------------------------- */

static sim_status identify(const runner *r, thread *t, int64_t number, block *b)
{
    int64_t points[SIM_BLOCK_MAX];
    sim_status status = SIM_OK;

    sim_arena_reset(&b->arena);
    b->count = sim_select_block(&r->points, number, points);
    b->finished = 0;
    b->stored = b->filtered = 0;
    for (int i = 0; i < b->count && status == SIM_OK; i++) {
        int64_t index[SIM_SPACE_AXES_MAX];

        sim_space_split(r->sweep->space, points[i], index);
        b->wishes[i] = sim_space_keeps(r->sweep->space, index) ? WISH_PRICE : WISH_NOTHING;
        if (b->wishes[i] == WISH_PRICE)
            status = sim_point_identify(t->worker, points[i], &b->arena, &b->rows[i], &t->err);
        else
            b->filtered++;
    }
    return status;
}

/* What the store has need not be priced again. */
static sim_status find_stored(runner *r, thread *t, block *b)
{
    sim_status status = SIM_OK;

    pthread_mutex_lock(&r->store_lock);
    for (int i = 0; i < b->count && status == SIM_OK; i++) {
        sim_store_has_what has = SIM_STORE_HAS_NOTHING;

        if (b->wishes[i] != WISH_PRICE)
            continue;
        status = sim_store_has(r->store, b->rows[i].key, &has, &t->err);
        if (has == SIM_STORE_HAS_ALL)
            b->wishes[i] = WISH_NOTHING;
        else if (has == SIM_STORE_HAS_FIGURES)
            b->wishes[i] = WISH_FILL_IN;
        b->stored += has != SIM_STORE_HAS_NOTHING;
    }
    pthread_mutex_unlock(&r->store_lock);
    return status;
}

static sim_status price(const runner *r, thread *t, block *b)
{
    sim_status status = SIM_OK;

    for (int i = 0; i < b->count && status == SIM_OK; i++) {
        if (told_to_stop(r))
            break;
        if (b->wishes[i] == WISH_PRICE)
            status = sim_point_price(t->worker, &b->arena, &b->rows[i], &t->err);
        b->finished += status == SIM_OK;
    }
    for (int i = b->finished; i < b->count; i++)
        b->wishes[i] = WISH_NOTHING;
    return status;
}

static sim_status run_block(runner *r, thread *t, int64_t number, block *b)
{
    sim_status status = identify(r, t, number, b);

    if (status == SIM_OK && r->look_up)
        status = find_stored(r, t, b);
    if (status == SIM_OK)
        return price(r, t, b);
    memset(b->wishes, WISH_NOTHING, (size_t)b->count);
    return status;
}

/* ---- storing ---------------------------------------------------------------------------------------- */

static sim_status put_block(const runner *r, const block *b, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int i = 0; i < b->count && status == SIM_OK; i++)
        if (b->wishes[i] != WISH_NOTHING)
            status = sim_sweep_put(r->sweep, r->store, &b->rows[i], err);
    return status;
}

/* Blocks of the ring as one transaction. */
static sim_status put_blocks(runner *r, int64_t first, int64_t end, sim_err *err)
{
    sim_status status;

    pthread_mutex_lock(&r->store_lock);
    status = sim_store_begin(r->store, err);
    for (int64_t i = first; i < end && status == SIM_OK; i++)
        status = put_block(r, &r->ring[i % r->window], err);
    if (status == SIM_OK)
        status = sim_store_commit(r->store, err);
    if (status != SIM_OK)
        sim_store_rollback(r->store);
    pthread_mutex_unlock(&r->store_lock);
    return status;
}

static void count_block(runner *r, const block *b)
{
    sim_sweep_report *report = r->report;

    r->done_points += b->finished;
    report->stored += b->stored;
    report->filtered += b->filtered;
    for (int i = 0; i < b->count; i++) {
        const sim_point_row *row = &b->rows[i];

        if (b->wishes[i] != WISH_PRICE)
            continue;
        report->priced++;
        report->infeasible += row->status == SIM_POINT_INFEASIBLE;
        report->excluded += row->status == SIM_POINT_EXCLUDED;
        if (row->why && !report->first_infeasible)
            report->first_infeasible = sim_arena_text(r->arena, row->why, strlen(row->why));
        if (r->named)
            r->named->priced(r->named->user, row);
    }
}

static void tell(runner *r)
{
    const sim_sweep_progress progress = {.done = r->done_points,
                                         .total = r->report->points,
                                         .stored = r->report->stored,
                                         .elapsed_s = now_s() - r->start_s};

    if (r->listener && r->listener->tell && !r->listener->tell(r->listener->user, &progress))
        r->ended = r->report->interrupted = true;
}

/* Stores the blocks from `written` to `end`; `lock` is held, but not meanwhile. */
static void write_to(runner *r, int64_t end)
{
    const int64_t first = r->written;
    sim_err err = {0};
    sim_status status;

    r->writing = true;
    pthread_mutex_unlock(&r->lock);
    status = put_blocks(r, first, end, &err);
    pthread_mutex_lock(&r->lock);
    r->writing = false;
    if (status != SIM_OK) {
        r->ended = r->store_failed = true;
        *r->err = err;
        return;
    }
    for (int64_t i = first; i < end; i++) {
        count_block(r, &r->ring[i % r->window]);
        r->ring[i % r->window].done = false;
    }
    r->written = end;
    r->written_s = now_s();
    tell(r);
}

/* ---- threads ---------------------------------------------------------------------------------------- */

static bool must_write(runner *r)
{
    while (r->ready < r->claimed && r->ring[r->ready % r->window].done)
        r->ready++;
    if (r->writing || r->ready == r->written)
        return false;
    return r->ready - r->written >= (r->window + 3) / 4 || r->claimed - r->written >= r->window ||
           r->ready == r->points.blocks || now_s() - r->written_s >= batch_s;
}

/* `lock` is held, but not while a block is run. */
static void take_block(runner *r, thread *t)
{
    const int64_t number = r->claimed++;
    block *b = &r->ring[number % r->window];
    sim_status status;

    pthread_mutex_unlock(&r->lock);
    t->err.count = t->err.dropped = 0;
    status = run_block(r, t, number, b);
    pthread_mutex_lock(&r->lock);
    b->done = true;
    if (status != SIM_OK && !r->ended)
        *r->err = t->err;
    if (status == SIM_OK && b->finished < b->count)
        r->report->interrupted = true;
    r->ended |= status != SIM_OK || b->finished < b->count;
}

static void *work(void *user)
{
    thread *t = user;
    runner *r = t->runner;

    pthread_mutex_lock(&r->lock);
    while (!r->ended) {
        if (must_write(r))
            write_to(r, r->ready);
        else if (r->claimed == r->points.blocks)
            break;
        else if (r->claimed - r->written < r->window)
            take_block(r, t);
        else {
            pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        pthread_cond_broadcast(&r->changed);
    }
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* What is finished when all threads are: also blocks behind one that ended early. */
static void write_rest(runner *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->written < r->claimed && !r->store_failed)
        write_to(r, r->claimed);
    pthread_mutex_unlock(&r->lock);
}

static sim_status run_threads(runner *r, sim_arena *arena, sim_err *err)
{
    const int count = sim_sweep_threads(r->sweep);
    thread *threads = sim_arena_alloc(arena, (size_t)count, sizeof *threads);
    sim_status status = SIM_OK;

    if (!threads)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int i = 0; i < count && status == SIM_OK; i++) {
        threads[i].runner = r;
        threads[i].worker = sim_point_worker_new(r->sweep, err);
        status = threads[i].worker ? SIM_OK : SIM_NO_MEMORY;
    }
    for (int i = 1; i < count && status == SIM_OK; i++) /* one that does not start is one less */
        threads[i].started = pthread_create(&threads[i].id, NULL, work, &threads[i]) == 0;
    if (status == SIM_OK)
        work(&threads[0]);
    for (int i = 0; i < count; i++) {
        if (threads[i].started)
            pthread_join(threads[i].id, NULL);
        sim_point_worker_free(threads[i].worker);
    }
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static sim_status make_ring(runner *r, sim_arena *arena, sim_err *err)
{
    const int64_t size = r->points.block_points;
    const int64_t points = r->sweep->layers ? WINDOW_POINTS_WITH_LAYERS : WINDOW_POINTS;
    const int64_t least = 2 * (int64_t)sim_sweep_threads(r->sweep) + 1;

    r->window = points / size > least ? points / size : least;
    if (r->window > r->points.blocks)
        r->window = r->points.blocks > 0 ? r->points.blocks : 1;
    r->ring = sim_arena_alloc(arena, (size_t)r->window, sizeof *r->ring);
    for (int64_t i = 0; r->ring && i < r->window; i++) {
        block *b = &r->ring[i];

        b->arena.block_bytes = (size_t)size * 128 + 512;
        b->rows = sim_arena_alloc(arena, (size_t)size, sizeof *b->rows);
        b->wishes = sim_arena_alloc(arena, (size_t)size, 1);
        if (!b->rows || !b->wishes)
            r->ring = NULL;
    }
    return r->ring ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

static sim_status select_points(runner *r, sim_arena *arena, sim_err *err)
{
    bool empty = false;
    sim_status status;

    if (r->named) {
        r->points = sim_select_named(r->sweep, r->named->points, r->named->count);
        return SIM_OK;
    }
    status = sim_store_is_empty(r->store, &empty, err);
    r->look_up = !empty;
    return status == SIM_OK ? sim_select(r->sweep, arena, &r->points, err) : status;
}

static sim_status run(runner *r, sim_arena *arena, sim_err *err)
{
    sim_status status = select_points(r, arena, err);

    if (status == SIM_OK)
        status = make_ring(r, arena, err);
    if (status != SIM_OK)
        return status;
    r->report->points += sim_selected(&r->points);
    status = run_threads(r, arena, err);
    if (status == SIM_OK)
        write_rest(r);
    for (int64_t i = 0; i < r->window; i++)
        sim_arena_free(&r->ring[i].arena);
    return status == SIM_OK ? sim_err_status(err) : status;
}

static sim_status run_with_locks(runner *r, sim_arena *arena, sim_err *err)
{
    sim_status status;

    r->start_s = r->written_s = now_s();
    pthread_mutex_init(&r->store_lock, NULL);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    status = run(r, arena, err);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->store_lock);
    r->report->elapsed_s += now_s() - r->start_s;
    return status;
}

sim_status sim_sweep_run(const sim_sweep *sweep, sim_store *store, const sim_sweep_listener *listener,
                         sim_arena *arena, sim_sweep_report *report, sim_err *err)
{
    runner r = {
        .sweep = sweep, .store = store, .listener = listener, .report = report, .arena = arena, .err = err};
    sim_status status = sim_sweep_open_columns(sweep, store, err);

    *report = (sim_sweep_report){0};
    return status == SIM_OK ? run_with_locks(&r, arena, err) : status;
}

sim_status sim_sweep_run_points(const sim_sweep *sweep, const sim_sweep_points *points, sim_store *store,
                                const sim_sweep_listener *listener, sim_arena *arena,
                                sim_sweep_report *report, sim_err *err)
{
    runner r = {.sweep = sweep,
                .store = store,
                .listener = listener,
                .named = points,
                .report = report,
                .arena = arena,
                .err = err};

    return run_with_locks(&r, arena, err);
}
