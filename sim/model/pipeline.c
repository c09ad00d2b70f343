/* Latency of the tile pipeline, summed per class of tile.
 *
 * A tile's interval depends on which of its dimensions are at a ragged end, and on what the tiles before and
 * after it are. Along one loop of c tiles only four positions differ: the first, the last, the one before
 * the last (its successor is ragged) and all others. So at most 4 x 4 x 4 positions are evaluated, each with
 * the number of tiles it stands for; `batch` products follow each other without a gap.
 *
 * Tiles of a convolution's positions are one loop over `units` of c tiles, each unit ending raggedly: rows
 * cut into parts, images cut into rows. Then the first tile of a later unit (behind a ragged one) and the
 * last of an earlier one (before a full one) differ, too. What a tile reads of the input follows its input
 * positions, in such proportion that the loads of all tiles add up to the traffic. */
#include "model/memory.h"

enum { POSITIONS = 6 };

static double larger(double a, double b)
{
    return a > b ? a : b;
}

typedef struct loop {
    sim_dim dim;
    int64_t count;     /* of all tiles */
    int64_t period;    /* every period-th tile is ragged */
    bool repeats;      /* and it is not the last alone */
    double size[2];    /* elements of a full and of a ragged tile */
    double inputs[2];  /* of M: input positions that they read */
    double compute[2]; /* their fold terms */
    int positions;
    int64_t at[POSITIONS]; /* representative tile index */
    double times[POSITIONS];
} loop;

/* Adds tile `at` as a representative of `times` tiles, unless it stands for none. */
static void add_position(loop *l, int64_t at, int64_t times)
{
    if (times <= 0)
        return;
    l->at[l->positions] = at;
    l->times[l->positions++] = (double)times;
}

static void add_positions(loop *l)
{
    int64_t c = l->period, units = l->count / c;

    l->positions = 0;
    add_position(l, 0, 1);
    if (c == 1) { /* all alike but the ends */
        add_position(l, 1, l->count - 2);
    } else {
        add_position(l, 1, units * (c - 3));
        add_position(l, c - 2, c > 2 ? units : 0);
        add_position(l, c - 1, units - 1);
        add_position(l, c, units - 1);
    }
    add_position(l, l->count - 1, l->count > 1);
}

static void loop_of(loop *out, sim_dim dim, const sim_gemm *gemm, const sim_way *way, int64_t tile)
{
    int64_t x = gemm->extent[dim];
    const sim_fold *fold = &way->fold[dim];
    sim_window_cut cut;

    if (dim == SIM_M && sim_is_conv(gemm)) {
        sim_window_cut_of(gemm, tile, &cut);
    } else {
        cut.units = 1;
        cut.count = sim_ceil_div(x, tile);
        cut.last = cut.inputs_last = x - (cut.count - 1) * tile;
        cut.tile = cut.inputs = cut.count > 1 ? tile : x;
    }
    out->dim = dim;
    out->period = cut.count;
    out->count = cut.units * cut.count;
    out->repeats = cut.units > 1;
    out->size[0] = (double)cut.tile;
    out->size[1] = (double)cut.last;
    out->inputs[0] = (double)cut.inputs;
    out->inputs[1] = (double)cut.inputs_last;
    if (fold->kind == SIM_FOLD_WHOLE) {
        /* Tiles chain in place: each takes its share of the one fold. */
        double whole = (double)sim_fold_of(fold, x);

        out->compute[0] = whole * out->size[0] / (double)x;
        out->compute[1] = whole * out->size[1] / (double)x;
    } else {
        out->compute[0] = (double)sim_fold_of(fold, cut.tile);
        out->compute[1] = (double)sim_fold_of(fold, cut.last);
    }
    add_positions(out);
}

static bool is_ragged(const loop *l, int64_t at)
{
    return at == l->count - 1 || (l->repeats && at % l->period == l->period - 1);
}

/* Input positions that all tiles of M read, whatever they read again. */
static double all_inputs(const loop *l)
{
    int64_t units = l->count / l->period; /* whole ones: a period is a unit's tiles */

    return (double)units * ((double)(l->period - 1) * l->inputs[0] + l->inputs[1]);
}

/* Cycles to move one element of each stream; of weights and inputs as memory.h has them. */
typedef struct streams {
    double weight, input, partial_load, partial_store, final_store;
} streams;

static void streams_of(const sim_arch *arch, const sim_gemm *gemm, const int64_t tile[SIM_DIMS],
                       const int64_t count[SIM_DIMS], double inputs, sim_dim stationary, streams *out)
{
    sim_dram_rates rates;
    sim_traffic traffic;
    double m = (double)gemm->extent[SIM_M], n = (double)gemm->extent[SIM_N], k = (double)gemm->extent[SIM_K];
    double overlap = sim_window_overlap(gemm, tile[SIM_M]), read, write, load_extra = 0, store_extra = 0;

    sim_dram_rates_of(arch, gemm, tile, &rates);
    sim_traffic_of(arch, gemm, count, overlap, stationary, &traffic);
    read = traffic.weight_read + traffic.input_read + traffic.partial_read;
    write = traffic.partial_write + traffic.final_write;
    /* The turn-arounds are paid by the rarer direction, bit by bit. */
    if (write <= read)
        store_extra = rates.turnaround;
    else
        load_extra = rates.turnaround;

    *out = (streams){0};
    if (!gemm->on_chip[SIM_OPERAND_WEIGHT]) {
        double passes = stationary == SIM_M ? 1 : (double)count[SIM_M];

        out->weight =
            traffic.weight_read / (passes * k * n) * (rates.cycles_per_bit * rates.weight + load_extra);
    }
    if (!gemm->on_chip[SIM_OPERAND_INPUT])
        out->input = (double)gemm->a_stored_bits * overlap / (inputs * k) *
                     (rates.cycles_per_bit * rates.input + load_extra);
    if (!gemm->on_chip[SIM_OPERAND_OUTPUT]) {
        out->partial_load = gemm->acc_bits * (rates.cycles_per_bit * rates.partial + load_extra);
        out->partial_store = gemm->acc_bits * (rates.cycles_per_bit * rates.partial + store_extra);
        out->final_store =
            (double)gemm->out_stored_bits / (m * n) * (rates.cycles_per_bit * rates.final + store_extra);
    }
}

/* Loads that may run under the previous tile's compute, and those that may not. */
typedef struct loads {
    double hidden, exposed, weight;
} loads;

typedef struct walk {
    const sim_arch *arch;
    loop loops[SIM_DIMS];  /* outermost first */
    int at_loop[SIM_DIMS]; /* loop of each dimension */
    streams cost;
} walk;

static double size_of(const walk *w, sim_dim d, const int64_t at[SIM_DIMS])
{
    int l = w->at_loop[d];

    return w->loops[l].size[is_ragged(&w->loops[l], at[l])];
}

static int64_t index_of(const walk *w, sim_dim d, const int64_t at[SIM_DIMS])
{
    return at[w->at_loop[d]];
}

/* What tile `at` must load when `before` was resident (NULL: nothing was). */
static loads loads_of(const walk *w, const int64_t at[SIM_DIMS], const int64_t *before)
{
    const bool *ahead = w->arch->double_buffered;
    const loop *rows = &w->loops[w->at_loop[SIM_M]];
    bool ragged = is_ragged(rows, index_of(w, SIM_M, at));
    double n = size_of(w, SIM_N, at), k = size_of(w, SIM_K, at);
    bool new_m = !before || index_of(w, SIM_M, at) != index_of(w, SIM_M, before);
    bool new_n = !before || index_of(w, SIM_N, at) != index_of(w, SIM_N, before);
    bool new_k = !before || index_of(w, SIM_K, at) != index_of(w, SIM_K, before);
    loads out = {0};

    if (new_k || new_n) {
        out.weight = k * n * w->cost.weight;
        *(ahead[SIM_OPERAND_WEIGHT] ? &out.hidden : &out.exposed) += out.weight;
    }
    if (new_m || new_k)
        *(ahead[SIM_OPERAND_INPUT] ? &out.hidden : &out.exposed) += rows->inputs[ragged] * k * w->cost.input;
    if ((new_m || new_n) && (index_of(w, SIM_K, at) > 0 || w->arch->output_read_first))
        out.hidden += rows->size[ragged] * n * w->cost.partial_load;
    return out;
}

/* What must be stored when `after` replaces tile `at` (NULL: nothing follows). */
static double store_of(const walk *w, const int64_t at[SIM_DIMS], const int64_t *after)
{
    double outputs = size_of(w, SIM_M, at) * size_of(w, SIM_N, at);

    if (after && index_of(w, SIM_M, at) == index_of(w, SIM_M, after) &&
        index_of(w, SIM_N, at) == index_of(w, SIM_N, after))
        return 0;
    return outputs * (index_of(w, SIM_K, at) == w->loops[w->at_loop[SIM_K]].count - 1
                          ? w->cost.final_store
                          : w->cost.partial_store);
}

/* The tile before or after `at` in loop order; false at the end of the product. */
static bool step(const walk *w, const int64_t at[SIM_DIMS], int by, int64_t out[SIM_DIMS])
{
    for (int l = 0; l < SIM_DIMS; l++)
        out[l] = at[l];
    for (int l = SIM_DIMS - 1; l >= 0; l--) {
        int64_t end = by > 0 ? w->loops[l].count - 1 : 0;

        if (at[l] != end) {
            out[l] += by;
            return true;
        }
        out[l] = by > 0 ? 0 : w->loops[l].count - 1;
    }
    return false;
}

/* The interval from the start of a tile's compute to the start of the next one's. */
static double interval(const walk *w, double compute, double stored, const loads *next)
{
    if (w->arch->double_buffered[SIM_OPERAND_OUTPUT])
        return larger(compute, next->hidden + stored) + next->exposed;
    return stored + larger(compute, next->hidden) + next->exposed;
}

/* Intervals of a tile that begins a product, or ends one, or both: of `batch` of them, the very first has no
 * store before it, and the very last no load after it. */
static double edge_intervals(const walk *w, double batch, bool begins, bool ends, double compute,
                             double stored, const loads *next)
{
    const loads nothing = {0};

    if (begins && ends) {
        if (batch == 1)
            return interval(w, compute, 0, &nothing);
        return interval(w, compute, 0, next) + (batch - 2) * interval(w, compute, stored, next) +
               interval(w, compute, stored, &nothing);
    }
    return (batch - 1) * interval(w, compute, stored, next) +
           (begins ? interval(w, compute, 0, next) : interval(w, compute, stored, &nothing));
}

void sim_pipeline_of(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way, const sim_tiling *tiling,
                     sim_pipeline *out)
{
    walk w = {.arch = arch};
    const loop *a = &w.loops[0], *b = &w.loops[1], *c = &w.loops[2];
    int64_t count[SIM_DIMS], first[SIM_DIMS] = {0, 0, 0}, last[SIM_DIMS];
    sim_dim stationary = tiling->order[SIM_DIMS - 1];
    double batch = (double)gemm->batch, sum = 0, compute = 0;
    loads begin;

    for (int l = 0; l < SIM_DIMS; l++) {
        sim_dim d = tiling->order[l];

        loop_of(&w.loops[l], d, gemm, way, tiling->tile[d]);
        w.at_loop[d] = l;
        count[d] = w.loops[l].count;
        last[l] = w.loops[l].count - 1;
    }
    for (int l = SIM_DIMS - 1; l >= 0; l--) /* the innermost loop that really loops */
        if (w.loops[l].count > 1) {
            stationary = w.loops[l].dim;
            break;
        }
    streams_of(arch, gemm, tiling->tile, count, all_inputs(&w.loops[w.at_loop[SIM_M]]), stationary, &w.cost);
    begin = loads_of(&w, first, NULL);
    out->first_load = begin.hidden + begin.exposed;
    out->first_weight_load = arch->double_buffered[SIM_OPERAND_WEIGHT] ? begin.weight : 0;
    out->last_store = store_of(&w, last, NULL);

    for (int i = 0; i < a->positions; i++)
        for (int j = 0; j < b->positions; j++)
            for (int l = 0; l < c->positions; l++) {
                int64_t at[SIM_DIMS] = {a->at[i], b->at[j], c->at[l]}, near[SIM_DIMS];
                bool begins = !step(&w, at, -1, near);
                double stored = begins ? out->last_store : store_of(&w, near, at);
                bool ends = !step(&w, at, 1, near);
                loads next = ends ? begin : loads_of(&w, near, at);

                compute = way->cycles_per_fold * a->compute[is_ragged(a, at[0])] *
                          b->compute[is_ragged(b, at[1])] * c->compute[is_ragged(c, at[2])];
                if (!begins && !ends)
                    sum += a->times[i] * b->times[j] * c->times[l] * batch *
                           interval(&w, compute, stored, &next);
                else
                    sum += edge_intervals(&w, batch, begins, ends, compute, stored, &next);
                if (ends) { /* what the channel does under the last tile is to store the one before it */
                    bool stores = arch->double_buffered[SIM_OPERAND_OUTPUT] && (!begins || gemm->batch > 1);

                    out->last_idle = larger(0, compute - (stores ? stored : 0));
                }
            }
    out->cycles = out->first_load + sum + out->last_store;
}
