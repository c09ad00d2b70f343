/* The mapper for machines whose tiles are powers of two or whole dimensions. A ragged last tile is moved and
 * computed in full, so the cost is not affine in the tile counts: some thousand tilings are enumerated.
 *
 * Positions of a convolution are cut into square blocks of images: a padded convolution is one whose images
 * are the tiles, and every other rule of the model then holds for it as it does for any convolution. */
#include "model/refine.h"

#include "model/slabs.h"
#include "model/window.h"

#include <math.h>
#include <string.h>

/* The k-th allowed tile of a dimension: 1, 2, 4, ... below x, then x itself; 0 beyond. */
static int64_t allowed_tile(int64_t x, int k)
{
    if (k > 0 && (INT64_C(1) << (k - 1)) >= x)
        return 0;
    return (INT64_C(1) << k) < x ? INT64_C(1) << k : x;
}

/* The k-th side of a block: the same exponent for rows and columns, each at most whole. */
static bool allowed_side(int64_t rows, int64_t cols, int k, sim_window_tile *out)
{
    int64_t r = allowed_tile(rows, k), c = allowed_tile(cols, k);

    out->rows = r > 0 ? r : rows;
    out->cols = c > 0 ? c : cols;
    return r > 0 || c > 0;
}

/* A tile: a block of positions, k and n. */
typedef struct tile_shape {
    sim_window_tile block; /* of a plain product: rows of it as images of 1x1 */
    int64_t size[SIM_DIMS];
} tile_shape;

static int64_t filled(int64_t extent, int64_t tile)
{
    return sim_ceil_div(extent, tile) * tile;
}

/* The positions of one image as a block. */
static sim_window_tile image_of(const sim_gemm *gemm)
{
    sim_window_tile image = {gemm->extent[SIM_M], 1, 1};

    if (sim_is_conv(gemm)) {
        image.rows = gemm->window.rows_out;
        image.cols = gemm->window.cols_out;
        image.images /= image.rows * image.cols;
    }
    return image;
}

/* Bits of an operand of `elements`, rounded up; false beyond 62 bits. */
static bool bits_of(double elements, double bits, int64_t *out)
{
    double all = ceil(elements * bits);

    *out = all < 4e18 ? (int64_t)all : 0;
    return all < 4e18;
}

/* The product with every dimension filled up to whole tiles, densely stored; false on overflow. */
static bool pad(const sim_gemm *gemm, const tile_shape *t, sim_gemm *out)
{
    const sim_window_tile image = image_of(gemm);
    int64_t blocks = sim_ceil_div(image.images, t->block.images) * sim_ceil_div(image.rows, t->block.rows) *
                     sim_ceil_div(image.cols, t->block.cols);
    double m, n, k, inputs;

    *out = *gemm;
    out->extent[SIM_M] = blocks * t->size[SIM_M];
    out->extent[SIM_N] = filled(gemm->extent[SIM_N], t->size[SIM_N]);
    out->extent[SIM_K] = filled(gemm->extent[SIM_K], t->size[SIM_K]);
    if (sim_is_conv(gemm)) {
        out->window.rows_out = t->block.rows;
        out->window.cols_out = t->block.cols;
        out->window.pad_rows = out->window.pad_cols = 0;
    }
    m = (double)out->extent[SIM_M];
    n = (double)out->extent[SIM_N];
    k = (double)out->extent[SIM_K];
    inputs = (double)blocks * (double)sim_window_inputs(out, t->size[SIM_M]);
    return bits_of(n * k * (double)sim_taps(gemm), sim_weight_element_bits(gemm), &out->w_stored_bits) &&
           bits_of(inputs * k, gemm->a_bits, &out->a_stored_bits) &&
           bits_of(m * n, gemm->out_bits, &out->out_stored_bits);
}

/* ---- the best so far ------------------------------------------------------------------------------- */

typedef struct padded_choice {
    bool found;
    double primary, tie;
    tile_shape tile;
    int way;
    sim_dim order[SIM_DIMS]; /* of one resident tile per operand: the last one counts */
} padded_choice;

typedef struct padded_search {
    const sim_problem *problem;
    sim_objective objective;
    double span_limit; /* mappings beyond are not admitted */
    padded_choice best;
    int64_t tried;
} padded_search;

/* An objective as a pair to compare lexicographically. */
static void rank(sim_objective objective, const sim_map_value *v, double *primary, double *tie)
{
    *primary = v->span_cycles;
    *tie = v->energy_pj;
    switch (objective) {
    case SIM_OBJECTIVE_ENERGY:
        *primary = v->energy_pj;
        *tie = v->span_cycles;
        break;
    case SIM_OBJECTIVE_EDP:
        *primary = v->energy_pj * v->span_cycles;
        break;
    case SIM_OBJECTIVE_DRAM:
        *primary = v->dram_bits;
        *tie = v->span_cycles;
        break;
    default:
        break;
    }
}

static void offer(padded_search *s, const sim_map_value *v, const tile_shape *tile, int way,
                  const sim_dim order[SIM_DIMS])
{
    padded_choice *best = &s->best;
    double primary, tie;

    s->tried++;
    rank(s->objective, v, &primary, &tie);
    if (v->span_cycles > s->span_limit ||
        (best->found && (primary > best->primary || (primary == best->primary && tie >= best->tie))))
        return;
    *best = (padded_choice){true, primary, tie, *tile, way, {order[0], order[1], order[2]}};
}

/* ---- the cost of a tile ----------------------------------------------------------------------------- */

static const sim_dim orders[][SIM_DIMS] = {
    {SIM_K, SIM_N, SIM_M}, {SIM_N, SIM_K, SIM_M}, {SIM_M, SIM_K, SIM_N},
    {SIM_K, SIM_M, SIM_N}, {SIM_M, SIM_N, SIM_K}, {SIM_N, SIM_M, SIM_K},
};
enum { ORDERS = sizeof orders / sizeof *orders };

static bool fits_way(const sim_way *way, const int64_t tile[SIM_DIMS], sim_dim innermost)
{
    const bool *only = way->innermost_only;

    for (int d = 0; d < SIM_DIMS; d++)
        if (tile[d] > way->tile_max[d])
            return false;
    return only[innermost] || !(only[SIM_M] || only[SIM_N] || only[SIM_K]);
}

/* One resident tile per operand: the general cost of the padded product. */
static void try_tile(padded_search *s, const tile_shape *tile, const sim_gemm *gemm)
{
    const sim_problem *p = s->problem;
    sim_problem padded;
    sim_way ways[SIM_WAYS_MAX];
    int count = p->arch->backend->ways(p->arch, gemm, ways);

    sim_problem_of(p->arch, gemm, p->prices, &padded);
    for (int w = 0; w < count; w++) {
        sim_root roots[SIM_DIMS];

        sim_roots_of(&padded, &ways[w], w, roots);
        for (int o = 0; o < ORDERS; o += 2) { /* the outer two loops do not matter */
            sim_dim innermost = orders[o][SIM_DIMS - 1];
            sim_map_value v;

            if (!fits_way(&ways[w], tile->size, innermost))
                continue;
            v = sim_value_of(&padded, &roots[innermost], tile->size);
            offer(s, &v, tile, w, orders[o]);
        }
    }
}

/* Slabs that stay: energy only where the cycles are good enough for it to matter. */
static void try_slabs(padded_search *s, const tile_shape *tile, const sim_gemm *gemm)
{
    const sim_problem *p = s->problem;
    bool latency_first = s->objective == SIM_OBJECTIVE_LATENCY;
    sim_way ways[SIM_WAYS_MAX];
    int count = p->arch->backend->ways(p->arch, gemm, ways);

    for (int w = 0; w < count; w++) {
        sim_slab_problem slabs;

        if (!sim_slabs_of(p, gemm, &ways[w], tile->size, &slabs))
            continue;
        for (int o = 0; o < ORDERS; o++) {
            sim_pipeline pipeline;
            sim_counts counts;
            sim_map_value v;

            if (!fits_way(&ways[w], tile->size, orders[o][SIM_DIMS - 1]))
                continue;
            sim_slab_value(&slabs, orders[o], &v, &pipeline, NULL);
            if (v.span_cycles > s->span_limit ||
                (latency_first && s->best.found && v.span_cycles > s->best.primary))
                continue;
            sim_slab_value(&slabs, orders[o], &v, &pipeline, &counts);
            offer(s, &v, tile, w, orders[o]);
        }
    }
}

/* ---- enumeration ------------------------------------------------------------------------------------ */

/* Elements of a tile of each operand, whole folds not yet counted. */
static void elements_of(const sim_gemm *gemm, double inputs, const tile_shape *t,
                        double out[SIM_OPERAND_COUNT])
{
    double m = (double)t->size[SIM_M], n = (double)t->size[SIM_N], k = (double)t->size[SIM_K];

    out[SIM_OPERAND_WEIGHT] = (double)sim_taps(gemm) * k * n;
    out[SIM_OPERAND_INPUT] = inputs * k;
    out[SIM_OPERAND_OUTPUT] = m * n;
}

/* Offers every tile that fits. Where one does not, no larger one of the innermost dimension does. */
static void enumerate(padded_search *s)
{
    const sim_problem *p = s->problem;
    const sim_gemm *gemm = p->gemm;
    const sim_window_tile image = image_of(gemm);
    bool overlap = p->arch->mapper_latency == SIM_LATENCY_OVERLAP;
    tile_shape t;

    for (int i = 0; (t.block.images = allowed_tile(image.images, i)) > 0; i++)
        for (int j = 0; allowed_side(image.rows, image.cols, j, &t.block); j++) {
            sim_gemm block = *gemm;
            double inputs;

            t.size[SIM_M] = t.block.images * t.block.rows * t.block.cols;
            block.window.rows_out = t.block.rows;
            block.window.cols_out = t.block.cols;
            inputs = overlap ? sim_slab_inputs(&block, t.size[SIM_M])
                             : (double)sim_window_inputs(&block, t.size[SIM_M]);
            for (int l = 0; (t.size[SIM_K] = allowed_tile(gemm->extent[SIM_K], l)) > 0; l++)
                for (int q = 0; (t.size[SIM_N] = allowed_tile(gemm->extent[SIM_N], q)) > 0; q++) {
                    double elements[SIM_OPERAND_COUNT];
                    sim_gemm padded;

                    elements_of(gemm, inputs, &t, elements);
                    if (!sim_slab_fits(&p->capacity, elements))
                        break;
                    if (!pad(gemm, &t, &padded))
                        continue;
                    if (overlap)
                        try_slabs(s, &t, &padded);
                    else
                        try_tile(s, &t, &padded);
                }
        }
}

/* ---- the answer ------------------------------------------------------------------------------------- */

/* Fills in the choice from the best mapping. */
static void finish(const sim_problem *p, const padded_choice *best, sim_objective objective,
                   sim_map_choice *out)
{
    sim_way ways[SIM_WAYS_MAX];

    pad(p->gemm, &best->tile, &out->gemm);
    p->arch->backend->ways(p->arch, &out->gemm, ways);
    out->way = best->way;
    out->way_used = ways[best->way];
    memcpy(out->tiling.tile, best->tile.size, sizeof best->tile.size);
    memcpy(out->tiling.order, best->order, sizeof best->order);
    if (p->arch->mapper_latency == SIM_LATENCY_OVERLAP) {
        sim_slab_problem slabs;

        sim_slabs_of(p, &out->gemm, &out->way_used, best->tile.size, &slabs);
        sim_slab_value(&slabs, best->order, &out->value, &out->pipeline, &out->counts);
        out->gemm = slabs.gemm;
    } else {
        sim_problem padded;
        sim_root roots[SIM_DIMS];

        sim_problem_of(p->arch, &out->gemm, p->prices, &padded);
        sim_roots_of(&padded, &out->way_used, best->way, roots);
        sim_refine(&padded, roots, best->order[SIM_DIMS - 1], objective, out);
    }
}

bool sim_map_padded(const sim_problem *problem, sim_objective objective, sim_map_choice *out)
{
    sim_gemm words = *problem->gemm;
    sim_problem by_words = *problem, *p = &by_words;
    padded_search s = {.problem = p, .objective = objective, .span_limit = INFINITY};
    int64_t tried;

    /* Tiles are measured in single words here: room for them is that of a plain product. */
    words.window = (sim_window){0};
    sim_capacity_of(p->arch, &words, &by_words.capacity);
    if (objective == SIM_OBJECTIVE_BALANCED) /* least span; of equal ones, the least energy */
        s.objective = SIM_OBJECTIVE_LATENCY;
    enumerate(&s);
    tried = s.tried;
    if (objective == SIM_OBJECTIVE_BALANCED && p->arch->mapper_slack_frac > 0 && s.best.found) {
        s = (padded_search){.problem = p,
                            .objective = SIM_OBJECTIVE_ENERGY, /* within the slack */
                            .span_limit = s.best.primary * (1 + p->arch->mapper_slack_frac)};
        enumerate(&s);
        tried += s.tried;
    }
    if (!s.best.found)
        return false;
    out->nodes = tried;
    finish(p, &s.best, objective, out);
    return true;
}
