#include "model/slabs.h"

#include "model/window.h"

#include <math.h>
#include <string.h>

/* Loops that an operand depends on. */
static const bool depends[SIM_OPERAND_COUNT][SIM_DIMS] = {
    [SIM_OPERAND_WEIGHT] = {[SIM_N] = true, [SIM_K] = true},
    [SIM_OPERAND_INPUT] = {[SIM_M] = true, [SIM_K] = true},
    [SIM_OPERAND_OUTPUT] = {[SIM_M] = true, [SIM_N] = true},
};

/* ---- tiles ---------------------------------------------------------------------------------------- */

double sim_slab_inputs(const sim_gemm *gemm, int64_t positions)
{
    const sim_window *w = &gemm->window;
    sim_window_tile side = sim_window_sides(gemm, positions);

    if (!sim_is_conv(gemm))
        return (double)positions;
    return (double)side.images * (double)((side.rows - 1) * w->stride + w->kernel_h) *
           (double)((side.cols - 1) * w->stride + w->kernel_w);
}

/* `elements` along a side of the array, rounded up to whole folds of `per_den / per_num` elements each. */
static double whole_folds(const sim_fold *fold, double per_den, double elements)
{
    double held = per_den / (double)fold->per_num, folds = ceil(elements / held);

    return fold->kind == SIM_FOLD_SIDE ? folds * held : elements;
}

bool sim_slab_fits(const sim_capacity *capacity, const double elements[SIM_OPERAND_COUNT])
{
    double used = 0;

    for (int o = 0; o < SIM_OPERAND_COUNT; o++) {
        double taken = elements[o] * (double)capacity->word[o];

        if (taken > (double)capacity->room[o])
            return false;
        used += taken;
    }
    return !capacity->unified || used <= (double)capacity->room[0];
}

bool sim_slabs_of(const sim_problem *problem, const sim_gemm *gemm, const sim_way *way,
                  const int64_t tile[SIM_DIMS], sim_slab_problem *out)
{
    const double most = 4e18;
    const sim_fold *k = &way->fold[SIM_K], *n = &way->fold[SIM_N];
    double taps = (double)sim_taps(gemm);
    /* An implicit GEMM folds kernel positions and channels together; its fold counts channels. */
    double k_den = (double)k->per_den * (gemm->window.direct ? 1 : taps);
    double bits[SIM_OPERAND_COUNT], tiles[SIM_DIMS];

    out->problem = problem;
    out->gemm = *gemm;
    out->way = way;
    out->busy_cycles = way->cycles_per_fold * (double)gemm->batch;
    for (int d = 0; d < SIM_DIMS; d++) {
        out->tile[d] = tile[d];
        out->count[d] = gemm->extent[d] / tile[d];
        tiles[d] = (double)out->count[d];
        out->busy_cycles *= (double)(d == SIM_M ? sim_window_fold_sum(gemm, &way->fold[d], tile[d])
                                                : sim_fold_sum(&way->fold[d], gemm->extent[d], tile[d]));
    }
    out->elements[SIM_OPERAND_WEIGHT] =
        whole_folds(k, k_den, taps * (double)tile[SIM_K]) * (double)tile[SIM_N];
    out->elements[SIM_OPERAND_INPUT] = sim_slab_inputs(gemm, tile[SIM_M]) * (double)tile[SIM_K];
    out->elements[SIM_OPERAND_OUTPUT] =
        (double)tile[SIM_M] * whole_folds(n, (double)n->per_den, (double)tile[SIM_N]);
    bits[SIM_OPERAND_WEIGHT] =
        out->elements[SIM_OPERAND_WEIGHT] * tiles[SIM_N] * tiles[SIM_K] * sim_weight_element_bits(gemm);
    bits[SIM_OPERAND_INPUT] = out->elements[SIM_OPERAND_INPUT] * tiles[SIM_M] * tiles[SIM_K] * gemm->a_bits;
    bits[SIM_OPERAND_OUTPUT] =
        out->elements[SIM_OPERAND_OUTPUT] * tiles[SIM_M] * tiles[SIM_N] * gemm->out_bits;
    if (!sim_slab_fits(&problem->capacity, out->elements) || bits[SIM_OPERAND_WEIGHT] > most ||
        bits[SIM_OPERAND_INPUT] > most || bits[SIM_OPERAND_OUTPUT] > most)
        return false;
    out->gemm.w_stored_bits = (int64_t)ceil(bits[SIM_OPERAND_WEIGHT]);
    out->gemm.a_stored_bits = (int64_t)bits[SIM_OPERAND_INPUT];
    out->gemm.out_stored_bits = (int64_t)ceil(bits[SIM_OPERAND_OUTPUT]);
    sim_dram_rates_of(problem->arch, &out->gemm, tile, &out->rates);
    return true;
}

/* ---- loops ---------------------------------------------------------------------------------------- */

/* Elements of an operand that stay together, and that cross its buffer in all, of one product. */
typedef struct flow {
    double slab, moved;
} flow;

static flow flow_of(const sim_slab_problem *s, sim_operand o, const sim_dim order[SIM_DIMS])
{
    const sim_capacity *capacity = &s->problem->capacity;
    double most = capacity->unified ? s->elements[o] : (double)capacity->room[o] / (double)capacity->word[o];
    flow f = {s->elements[o], s->elements[o]};
    bool stays = true;

    for (int l = SIM_DIMS - 1; l >= 0; l--) {
        if (depends[o][order[l]]) {
            f.moved *= (double)s->count[order[l]];
            stays = stays && f.moved <= most;
            if (stays)
                f.slab = f.moved;
        } else if (!stays) {
            f.moved *= (double)s->count[order[l]];
        }
    }
    return f;
}

/* What the array and the memory system do, of all `batch` products. */
static void count(const sim_slab_problem *s, const flow flows[SIM_OPERAND_COUNT], const sim_traffic *traffic,
                  sim_counts *out)
{
    const sim_gemm *g = &s->gemm;
    const sim_way *way = s->way;
    double batch = (double)g->batch, folds[SIM_DIMS];

    for (int d = 0; d < SIM_DIMS; d++)
        folds[d] = (double)(d == SIM_M ? sim_window_fold_sum(g, &way->fold[d], s->tile[d])
                                       : sim_fold_sum(&way->fold[d], g->extent[d], s->tile[d]));
    for (int e = 0; e < SIM_EVENT_COUNT; e++) {
        double sum = way->fixed.of[e];

        for (int d = 0; d < SIM_DIMS; d++)
            sum += way->per_tile[d].of[e] * (double)s->count[d] + way->per_fold[d].of[e] * folds[d];
        out->of[e] = batch * sum + way->per_cycle.of[e] * s->busy_cycles;
    }
    out->of[SIM_EVENT_DRAM_READ] += traffic->weight_read + traffic->input_read + traffic->partial_read;
    out->of[SIM_EVENT_DRAM_WRITE] += traffic->partial_write + traffic->final_write;
    if (!g->on_chip[SIM_OPERAND_WEIGHT])
        out->of[SIM_EVENT_WEIGHT_WRITE] +=
            batch * (flows[SIM_OPERAND_WEIGHT].moved * g->w_bits + (double)g->w_once_bits);
    if (!g->on_chip[SIM_OPERAND_INPUT])
        out->of[SIM_EVENT_INPUT_WRITE] += batch * flows[SIM_OPERAND_INPUT].moved * g->a_bits;
    if (!g->on_chip[SIM_OPERAND_OUTPUT]) {
        out->of[SIM_EVENT_OUTPUT_READ] += batch * flows[SIM_OPERAND_OUTPUT].moved * g->acc_bits;
        out->of[SIM_EVENT_OUTPUT_WRITE] += traffic->partial_read;
    }
}

void sim_slab_value(const sim_slab_problem *s, const sim_dim order[SIM_DIMS], sim_map_value *value,
                    sim_pipeline *pipeline, sim_counts *counts)
{
    const sim_gemm *g = &s->gemm;
    const sim_prices *prices = s->problem->prices;
    bool read_first = s->problem->arch->output_read_first;
    double batch = (double)g->batch, rate = s->rates.cycles_per_bit, first = 0, last = 0;
    flow flows[SIM_OPERAND_COUNT];
    sim_traffic t = {0};

    for (int o = 0; o < SIM_OPERAND_COUNT; o++)
        flows[o] = flow_of(s, (sim_operand)o, order);
    if (!g->on_chip[SIM_OPERAND_WEIGHT]) {
        t.weight_read =
            batch * (flows[SIM_OPERAND_WEIGHT].moved * sim_weight_element_bits(g) + (double)g->w_once_bits);
        first += flows[SIM_OPERAND_WEIGHT].slab * sim_weight_element_bits(g) * s->rates.weight;
    }
    if (!g->on_chip[SIM_OPERAND_INPUT]) {
        t.input_read = batch * flows[SIM_OPERAND_INPUT].moved * g->a_bits;
        first += flows[SIM_OPERAND_INPUT].slab * g->a_bits * s->rates.input;
    }
    if (!g->on_chip[SIM_OPERAND_OUTPUT]) {
        const flow *f = &flows[SIM_OPERAND_OUTPUT];
        double once = s->elements[SIM_OPERAND_OUTPUT] * (double)s->count[SIM_M] * (double)s->count[SIM_N];

        t.partial_write = batch * (f->moved - once) * g->acc_bits;
        t.partial_read = t.partial_write + (read_first ? batch * once * g->acc_bits : 0);
        t.final_write = batch * once * g->out_bits;
        first += read_first ? f->slab * g->acc_bits * s->rates.partial : 0;
        last = f->slab * g->out_bits * s->rates.final;
    }
    *pipeline = (sim_pipeline){.first_load = ceil(first * rate), .last_store = ceil(last * rate)};
    value->busy_cycles = s->busy_cycles;
    value->transfer_cycles = sim_dram_cycles(&s->rates, &t);
    value->dram_bits = t.weight_read + t.input_read + t.partial_read + t.partial_write + t.final_write;
    value->span_cycles =
        ceil(fmax(s->busy_cycles + pipeline->first_load + pipeline->last_store, value->transfer_cycles));
    value->energy_pj = 0;
    pipeline->cycles = value->span_cycles;
    if (!counts)
        return;
    count(s, flows, &t, counts);
    value->energy_pj = sim_counts_pj(prices, counts) + prices->pj_per_cycle * value->span_cycles;
}
