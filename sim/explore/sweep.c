#include "explore/sweep.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/version.h"
#include "explore/sweep_point.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_qrng.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* A block is what one thread takes at a time and what shards are dealt in: neighbours share their machine. A
 * round is what lies in memory at once, and one transaction. */
enum { BLOCK = 64, BLOCKS_PER_THREAD = 16, COUNT_EXACTLY = 10000000, TRIALS = 200 };

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int threads_of(const sim_sweep *sweep)
{
#ifdef _OPENMP
    return sweep->jobs > 0 ? sweep->jobs : omp_get_max_threads();
#else
    (void)sweep;
    return 1;
#endif
}

/* ---- which points ----------------------------------------------------------------------------------- */

/* Points of this process, in rising order of a position 0 .. count-1. */
typedef struct selection {
    const sim_sweep *sweep;
    int64_t blocks;  /* of this shard */
    int64_t *sample; /* the points themselves; NULL: all of the space */
    int64_t count;   /* of the space or the sample */
} selection;

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Coordinates in [0, 1) of the n-th vector: Sobol up to 40 dimensions, shifted by the seed (Cranley-Patterson
 * rotation), each turned into an index. */
static sim_status draw_sample(const sim_sweep *sweep, sim_arena *arena, selection *out, sim_err *err)
{
    const int dimensions = sim_space_dimensions(sweep->space);
    gsl_qrng *sobol = dimensions > 0 ? gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)dimensions) : NULL;
    int64_t kept = 0;

    out->sample = sim_arena_alloc(arena, (size_t)sweep->sample, sizeof *out->sample);
    if (!out->sample || !sobol) {
        gsl_qrng_free(sobol);
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    for (int64_t tries = 0; kept < sweep->sample && tries < 64 * sweep->sample; tries++) {
        double x[SIM_SPACE_AXES_MAX];
        int64_t index[SIM_SPACE_AXES_MAX], point;

        gsl_qrng_get(sobol, x);
        for (int d = 0; d < dimensions; d++) {
            uint64_t parts[2] = {sweep->seed, (uint64_t)d};
            double shift = (double)(sim_hash(SIM_HASH_START, parts, sizeof parts) >> 11) * 0x1p-53;

            x[d] += shift;
            x[d] -= floor(x[d]);
            index[d] = (int64_t)(x[d] * (double)sim_space_extent(sweep->space, d));
        }
        point = sim_space_join(sweep->space, index);
        if (sim_space_keeps(sweep->space, point))
            out->sample[kept++] = point;
    }
    gsl_qrng_free(sobol);
    qsort(out->sample, (size_t)kept, sizeof *out->sample, by_number);
    out->count = 0;
    for (int64_t i = 0; i < kept; i++)
        if (i == 0 || out->sample[i] != out->sample[i - 1])
            out->sample[out->count++] = out->sample[i];
    return SIM_OK;
}

static sim_status select_points(const sim_sweep *sweep, sim_arena *arena, selection *out, sim_err *err)
{
    int64_t blocks;

    *out = (selection){.sweep = sweep, .count = sim_space_size(sweep->space)};
    if (sweep->sample > 0 && sweep->sample < out->count) {
        sim_status status = draw_sample(sweep, arena, out, err);

        if (status != SIM_OK)
            return status;
    }
    blocks = out->count / BLOCK + (out->count % BLOCK > 0);
    out->blocks = blocks;
    if (sweep->shards > 0)
        out->blocks = (blocks - sweep->shard + sweep->shards - 1) / sweep->shards;
    return SIM_OK;
}

/* The points of a block of this shard; returns how many. */
static int block_points(const selection *s, int64_t block, int64_t out[BLOCK])
{
    int64_t whole = s->sweep->shards > 0 ? block * s->sweep->shards + s->sweep->shard : block;
    int count = 0;

    for (int64_t i = whole * BLOCK; i < s->count && count < BLOCK; i++)
        out[count++] = s->sample ? s->sample[i] : i;
    return count;
}

static int64_t selected(const selection *s)
{
    int64_t last[BLOCK];

    if (s->blocks <= 0)
        return 0;
    return (s->blocks - 1) * BLOCK + block_points(s, s->blocks - 1, last);
}

/* ---- rounds ----------------------------------------------------------------------------------------- */

typedef struct block {
    sim_arena arena;
    sim_point_row rows[BLOCK];
    bool wanted[BLOCK]; /* kept by the filter, and not stored */
    int count, filtered;
    sim_err err;
} block;

typedef struct runner {
    const sim_sweep *sweep;
    sim_store *store;
    selection points;
    block *blocks;
    sim_point_worker **workers;
    int threads;
    sim_sweep_report *report;
} runner;

static void identify_block(runner *r, sim_point_worker *worker, int64_t index, block *b)
{
    int64_t points[BLOCK];

    sim_arena_free(&b->arena);
    sim_arena_init(&b->arena, NULL);
    b->count = block_points(&r->points, index, points);
    b->filtered = 0;
    for (int i = 0; i < b->count; i++) {
        b->wanted[i] = sim_space_keeps(r->sweep->space, points[i]);
        if (!b->wanted[i])
            b->filtered++;
        else if (sim_point_identify(worker, points[i], &b->arena, &b->rows[i], &b->err) != SIM_OK)
            return;
    }
}

static void price_block(sim_point_worker *worker, block *b)
{
    for (int i = 0; i < b->count; i++) {
        sim_point_row again;

        if (!b->wanted[i])
            continue;
        /* The worker may have been at another block in between. */
        if (sim_point_identify(worker, b->rows[i].point, &b->arena, &again, &b->err) != SIM_OK)
            return;
        if (sim_point_price(worker, &b->arena, &b->rows[i], &b->err) != SIM_OK)
            return;
    }
}

static sim_status first_error(runner *r, int64_t count, sim_err *err)
{
    for (int64_t i = 0; i < count; i++) {
        const sim_err *e = &r->blocks[i].err;

        for (int k = 0; k < e->count; k++) {
            sim_fail(err, e->items[k].status, e->items[k].file, e->items[k].line, "%s", e->items[k].text);
            if (e->items[k].hint[0])
                sim_hint(err, "%s", e->items[k].hint);
        }
        if (e->count > 0)
            return e->items[0].status;
    }
    return SIM_OK;
}

static int thread_number(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

static sim_store_value text_value(const char *text)
{
    return (sim_store_value){.type = text ? SIM_STORE_TEXT : SIM_STORE_NULL, .text = text};
}

/* Whole numbers are stored as such: so they print as they are in `run`. */
static sim_store_value number_value(double x)
{
    if (isnan(x))
        return (sim_store_value){.type = SIM_STORE_NULL};
    if (x == floor(x) && fabs(x) < 9e15)
        return (sim_store_value){.type = SIM_STORE_INT, .integer = (int64_t)x};
    return (sim_store_value){.type = SIM_STORE_REAL, .real = x};
}

static const char *const status_words[] = {"ok", "infeasible", "excluded"};

static sim_status store_layers(runner *r, const sim_point_row *row, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int64_t i = 0; i < row->layer_count && status == SIM_OK; i++) {
        const sim_layer_result *l = &row->layers[i];
        const sim_store_value values[17] = {
            number_value((double)i),
            text_value(l->name),
            text_value(sim_op_names[l->op]),
            number_value((double)l->repeat),
            number_value((double)l->m),
            number_value((double)l->n),
            number_value((double)l->k),
            number_value((double)l->batch),
            number_value(l->w.bits > 0 ? l->w.bits : NAN),
            number_value(l->a.bits > 0 ? l->a.bits : NAN),
            number_value(l->kv.bits > 0 ? l->kv.bits : NAN),
            number_value((double)l->cycles),
            number_value(l->latency_s),
            number_value(sim_energy_total_j(&l->energy)),
            number_value((double)l->dram_read_bytes),
            number_value((double)l->dram_write_bytes),
            text_value(sim_bound_names[l->bound]),
        };

        status = sim_store_put_layer(r->store, row->id, values, err);
    }
    return status;
}

static sim_status store_row(runner *r, const sim_point_row *row, sim_err *err)
{
    const sim_space *space = r->sweep->space;
    const int axes = sim_space_axes(space);
    sim_store_value values[SIM_SWEEP_FIXED + SIM_SPACE_AXES_MAX + SIM_SWEEP_FIGURES];
    char buffers[SIM_SPACE_AXES_MAX][48];
    int n = 0;
    sim_status status;

    values[n++] = text_value(SIMACC_VERSION);
    values[n++] = text_value(row->arch);
    values[n++] = text_value(row->workload);
    values[n++] = text_value(row->policy);
    values[n++] = text_value(row->objective);
    values[n++] = text_value(status_words[row->status]);
    values[n++] = text_value(row->why[0] ? row->why : NULL);
    for (int i = 0; i < axes; i++) {
        const char *name = sim_space_name(space, i);
        const char *text;
        double number;

        if (strcmp(name, "arch") == 0 || strcmp(name, "workload") == 0 || strcmp(name, "policy") == 0 ||
            strcmp(name, "objective") == 0)
            continue; /* have a column already */
        text = sim_space_value(space, row->point, i, buffers[i], sizeof buffers[i]);
        values[n++] = sim_parse_real(text, &number) ? number_value(number) : text_value(text);
    }
    for (int i = 0; i < SIM_SWEEP_FIGURES; i++)
        values[n++] = number_value(row->figures[i]);
    status = sim_store_put(r->store, row->id, values, err);
    return status == SIM_OK ? store_layers(r, row, err) : status;
}

static sim_status find_stored(runner *r, int64_t count, sim_err *err)
{
    for (int64_t i = 0; i < count; i++) {
        block *b = &r->blocks[i];

        r->report->filtered += b->filtered;
        for (int k = 0; k < b->count; k++) {
            bool has = false;
            sim_status status;

            if (!b->wanted[k])
                continue;
            status = sim_store_has(r->store, b->rows[k].id, &has, err);
            if (status != SIM_OK)
                return status;
            b->wanted[k] = !has;
            r->report->stored += has;
        }
    }
    return SIM_OK;
}

static sim_status store_round(runner *r, int64_t count, sim_arena *arena, sim_err *err)
{
    sim_status status = sim_store_begin(r->store, err);

    for (int64_t i = 0; i < count && status == SIM_OK; i++) {
        const block *b = &r->blocks[i];

        for (int k = 0; k < b->count && status == SIM_OK; k++) {
            const sim_point_row *row = &b->rows[k];

            if (!b->wanted[k])
                continue;
            status = store_row(r, row, err);
            r->report->priced++;
            r->report->infeasible += row->status == SIM_POINT_INFEASIBLE;
            r->report->excluded += row->status == SIM_POINT_EXCLUDED;
            if (row->status == SIM_POINT_INFEASIBLE && !r->report->first_infeasible)
                r->report->first_infeasible = sim_arena_text(arena, row->why, strlen(row->why));
        }
    }
    if (status == SIM_OK)
        status = sim_store_commit(r->store, err);
    if (status != SIM_OK)
        sim_store_rollback(r->store);
    return status;
}

/* Blocks first .. first + count - 1 of this shard. */
static sim_status run_round(runner *r, int64_t first, int64_t count, sim_arena *arena, sim_err *err)
{
    sim_status status;

#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (int64_t i = 0; i < count; i++)
        identify_block(r, r->workers[thread_number()], first + i, &r->blocks[i]);
    status = first_error(r, count, err);
    if (status == SIM_OK)
        status = find_stored(r, count, err);
    if (status != SIM_OK)
        return status;
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (int64_t i = 0; i < count; i++)
        price_block(r->workers[thread_number()], &r->blocks[i]);
    status = first_error(r, count, err);
    return status == SIM_OK ? store_round(r, count, arena, err) : status;
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static sim_status open_columns(const sim_sweep *sweep, sim_store *store, sim_err *err)
{
    const char *names[SIM_SWEEP_FIXED + SIM_SPACE_AXES_MAX + SIM_SWEEP_FIGURES] = {
        "version", "arch", "workload", "policy", "objective", "status", "why"};
    int n = SIM_SWEEP_FIXED;

    for (int i = 0; i < sim_space_axes(sweep->space); i++) {
        const char *name = sim_space_name(sweep->space, i);

        if (strcmp(name, "arch") != 0 && strcmp(name, "workload") != 0 && strcmp(name, "policy") != 0 &&
            strcmp(name, "objective") != 0)
            names[n++] = name;
    }
    for (int i = 0; i < SIM_SWEEP_FIGURES; i++)
        names[n++] = sim_sweep_figures[i];
    return sim_store_columns(store, names, n, sweep->layers, err);
}

static void free_runner(runner *r)
{
    for (int i = 0; i < r->threads && r->workers; i++)
        sim_point_worker_free(r->workers[i]);
    for (int i = 0; i < r->threads * BLOCKS_PER_THREAD && r->blocks; i++)
        sim_arena_free(&r->blocks[i].arena);
}

static sim_status make_runner(runner *r, const sim_sweep *sweep, sim_arena *arena, sim_err *err)
{
    r->threads = threads_of(sweep);
    r->blocks = sim_arena_alloc(arena, (size_t)r->threads * BLOCKS_PER_THREAD, sizeof *r->blocks);
    r->workers = sim_arena_alloc(arena, (size_t)r->threads, sizeof *r->workers);
    if (!r->blocks || !r->workers)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int i = 0; i < r->threads; i++) {
        r->workers[i] = sim_point_worker_new(sweep, err);
        if (!r->workers[i])
            return SIM_NO_MEMORY;
    }
    return select_points(sweep, arena, &r->points, err);
}

sim_status sim_sweep_run(const sim_sweep *sweep, sim_store *store, sim_sweep_tell *tell, void *user,
                         sim_arena *arena, sim_sweep_report *report, sim_err *err)
{
    runner r = {.sweep = sweep, .store = store, .report = report};
    const double start = now_s();
    const int64_t round_blocks = (int64_t)threads_of(sweep) * BLOCKS_PER_THREAD;
    int64_t total = 0;
    sim_status status;

    *report = (sim_sweep_report){0};
    gsl_set_error_handler_off();
    status = make_runner(&r, sweep, arena, err);
    if (status == SIM_OK)
        status = open_columns(sweep, store, err);
    if (status == SIM_OK)
        total = selected(&r.points);
    report->points = total;
    for (int64_t first = 0; status == SIM_OK && first < r.points.blocks && !report->interrupted;
         first += round_blocks) {
        int64_t count = r.points.blocks - first < round_blocks ? r.points.blocks - first : round_blocks;
        sim_sweep_progress progress = {.total = total};

        status = run_round(&r, first, count, arena, err);
        progress.done = (first + count) * BLOCK < total ? (first + count) * BLOCK : total;
        progress.stored = report->stored;
        progress.elapsed_s = now_s() - start;
        if (status == SIM_OK && tell && !tell(user, &progress))
            report->interrupted = progress.done < total;
    }
    report->elapsed_s = now_s() - start;
    free_runner(&r);
    return status;
}

sim_status sim_sweep_estimate_of(const sim_sweep *sweep, sim_arena *arena, sim_sweep_estimate *out,
                                 sim_err *err)
{
    const int64_t size = sim_space_size(sweep->space);
    const int64_t looks = size < COUNT_EXACTLY ? size : COUNT_EXACTLY;
    sim_point_worker *worker = sim_point_worker_new(sweep, err);
    int64_t kept = 0, priced = 0;
    double start;
    sim_status status = worker ? SIM_OK : SIM_NO_MEMORY;

    *out = (sim_sweep_estimate){.points = size, .exact = looks == size};
    for (int64_t i = 0; i < looks; i++)
        kept += sim_space_keeps(sweep->space,
                                out->exact ? i : (int64_t)((double)size / (double)looks * (double)i));
    out->kept = (double)kept * ((double)size / (double)(looks > 0 ? looks : 1));
    start = now_s();
    /* Neighbours, from a few places: as a sweep takes them. */
    for (int64_t i = 0; i < TRIALS && status == SIM_OK && now_s() - start < 1; i++) {
        int64_t point = size / 4 * (i * 4 / TRIALS) + i % (TRIALS / 4);
        sim_point_row row;

        if (point >= size || !sim_space_keeps(sweep->space, point))
            continue;
        status = sim_point_identify(worker, point, arena, &row, err);
        if (status == SIM_OK)
            status = sim_point_price(worker, arena, &row, err);
        priced++;
    }
    out->points_per_s = priced > 0 ? (double)priced / (now_s() - start + 1e-9) * threads_of(sweep) : 0;
    sim_point_worker_free(worker);
    return status;
}
