#include "model/memory.h"

#include <math.h>
#include <string.h>

/* Elements of a tile of operand `o`: the product of its two dimensions (memory.h says what they are of a
 * convolution). */
static const sim_dim operand_dims[SIM_OPERAND_COUNT][2] = {
    [SIM_OPERAND_WEIGHT] = {SIM_K, SIM_N},
    [SIM_OPERAND_INPUT] = {SIM_M, SIM_K},
    [SIM_OPERAND_OUTPUT] = {SIM_M, SIM_N},
};

/* ---- capacity --------------------------------------------------------------------------------- */

enum { FIXED_POINT = 1024 }; /* capacity is counted in 1/1024 bits */

static int64_t kib_room(double kib)
{
    return (int64_t)(kib * 1024 * 8 * FIXED_POINT);
}

void sim_capacity_of(const sim_arch *arch, const sim_gemm *gemm, sim_capacity *out)
{
    double kib[SIM_OPERAND_COUNT] = {arch->buffer_weight_kib, arch->buffer_input_kib,
                                     arch->buffer_output_kib};
    int64_t bits[SIM_OPERAND_COUNT] = {gemm->w_bits, gemm->a_bits, gemm->acc_bits};

    out->unified = arch->buffer_unified_kib > 0;
    out->conv = sim_is_conv(gemm);
    if (out->conv)
        sim_window_stages(gemm, out->stages);
    for (int o = 0; o < SIM_OPERAND_COUNT; o++) {
        out->room[o] = kib_room(out->unified ? arch->buffer_unified_kib : kib[o]);
        out->word[o] = bits[o] * FIXED_POINT;
        if (o == SIM_OPERAND_WEIGHT && gemm->w_group > 0) /* scale and zero point, spread over the group */
            out->word[o] += sim_ceil_div(
                (int64_t)sim_group_bits(gemm->w_bits, gemm->w_group_bits) * FIXED_POINT, gemm->w_group);
        out->word[o] *= arch->double_buffered[o] ? 2 : 1;
        if (o == SIM_OPERAND_WEIGHT)
            out->word[o] *= sim_taps(gemm);
        out->words[o] = out->room[o] / out->word[o];
    }
}

/* Rows of an input tile that holds what m positions read. */
static int64_t input_rows(const sim_capacity *capacity, int64_t m)
{
    const sim_window_stage *s = &capacity->stages[SIM_WINDOW_STAGES - 1];

    if (!capacity->conv)
        return m;
    while (s->unit > m)
        s--;
    return m / s->unit * s->inputs_each + s->inputs_more;
}

bool sim_capacity_fits(const sim_capacity *capacity, const int64_t tile[SIM_DIMS])
{
    int64_t left = capacity->room[0];

    for (int o = 0; o < SIM_OPERAND_COUNT; o++) {
        int64_t rows = tile[operand_dims[o][0]], elements;

        if (o == SIM_OPERAND_INPUT)
            rows = input_rows(capacity, rows);
        if (__builtin_mul_overflow(rows, tile[operand_dims[o][1]], &elements) ||
            elements > capacity->words[o])
            return false;
        left -= elements * capacity->word[o];
        if (capacity->unified && left < 0)
            return false;
    }
    return true;
}

/* The largest tile of positions of a convolution: the most elements of a side, from whole images down. */
static int64_t positions_room(const sim_capacity *capacity, int64_t n, int64_t k)
{
    const int64_t *word = capacity->word, *words = capacity->words;
    int64_t weights, rows, outputs;

    if (__builtin_mul_overflow(k, n, &weights) || weights > words[SIM_OPERAND_WEIGHT])
        return 0;
    rows = words[SIM_OPERAND_INPUT] / k;
    outputs = words[SIM_OPERAND_OUTPUT] / n;
    for (int i = SIM_WINDOW_STAGES - 1; i >= 0; i--) {
        const sim_window_stage *s = &capacity->stages[i];
        int64_t side = rows < s->inputs_more ? 0 : (rows - s->inputs_more) / s->inputs_each;

        if (outputs / s->unit < side)
            side = outputs / s->unit;
        if (side > s->extent)
            side = s->extent;
        if (capacity->unified && side > 0) { /* one element fits each alone, so nothing here overflows */
            int64_t left = capacity->room[0] - weights * word[SIM_OPERAND_WEIGHT] -
                           k * word[SIM_OPERAND_INPUT] * s->inputs_more;
            int64_t most = (left < 0 ? 0 : left) / (k * word[SIM_OPERAND_INPUT] * s->inputs_each +
                                                    n * word[SIM_OPERAND_OUTPUT] * s->unit);

            side = most < side ? most : side;
        }
        if (side > 0)
            return side * s->unit;
    }
    return 0;
}

/* The largest tile of output or of input channels of a convolution, beside a tile of positions. */
static int64_t channels_room(const sim_capacity *capacity, sim_dim d, const int64_t tile[SIM_DIMS])
{
    const int64_t *word = capacity->word, *words = capacity->words;
    sim_dim other = d == SIM_N ? SIM_K : SIM_N;
    sim_operand whole = d == SIM_N ? SIM_OPERAND_INPUT : SIM_OPERAND_OUTPUT; /* does not depend on d */
    sim_operand part = d == SIM_N ? SIM_OPERAND_OUTPUT : SIM_OPERAND_INPUT;
    int64_t inputs = input_rows(capacity, tile[SIM_M]);
    int64_t rows = d == SIM_N ? inputs : tile[SIM_M], part_rows = d == SIM_N ? tile[SIM_M] : inputs;
    int64_t elements, most, left;

    if (__builtin_mul_overflow(rows, tile[other], &elements) || elements > words[whole] ||
        part_rows > words[part] || tile[other] > words[SIM_OPERAND_WEIGHT])
        return 0;
    most = words[part] / part_rows;
    if (words[SIM_OPERAND_WEIGHT] / tile[other] < most)
        most = words[SIM_OPERAND_WEIGHT] / tile[other];
    if (!capacity->unified)
        return most;
    left = capacity->room[0] - elements * word[whole];
    return left < 0 ? 0 : left / (part_rows * word[part] + tile[other] * word[SIM_OPERAND_WEIGHT]);
}

int64_t sim_conv_room(const sim_capacity *capacity, sim_dim d, const int64_t tile[SIM_DIMS])
{
    return d == SIM_M ? positions_room(capacity, tile[SIM_N], tile[SIM_K]) : channels_room(capacity, d, tile);
}

int64_t sim_gemm_room(const sim_capacity *capacity, sim_dim d, const int64_t tile[SIM_DIMS])
{
    int64_t most = INT64_MAX, left = capacity->room[0], per_tile = 0;

    for (int o = 0; o < SIM_OPERAND_COUNT; o++) {
        sim_dim p = operand_dims[o][0], q = operand_dims[o][1];

        if (p == d || q == d) {
            int64_t other = tile[p == d ? q : p];

            if (other > capacity->words[o])
                return 0;
            if (capacity->words[o] / other < most)
                most = capacity->words[o] / other;
            per_tile += other * capacity->word[o];
        } else {
            if (tile[p] * tile[q] > capacity->words[o])
                return 0;
            left -= tile[p] * tile[q] * capacity->word[o];
        }
    }
    if (!capacity->unified)
        return most;
    return left < 0 ? 0 : left / per_tile;
}

/* ---- traffic ---------------------------------------------------------------------------------- */

void sim_traffic_of(const sim_arch *arch, const sim_gemm *gemm, const int64_t count[SIM_DIMS], double overlap,
                    sim_dim stationary, sim_traffic *out)
{
    double passes_w = stationary == SIM_M ? 1 : (double)count[SIM_M];
    double passes_a = stationary == SIM_N ? 1 : (double)count[SIM_N];
    double spills = stationary == SIM_K ? 0 : (double)(count[SIM_K] - 1);
    double outputs = (double)gemm->extent[SIM_M] * (double)gemm->extent[SIM_N];

    memset(out, 0, sizeof *out);
    if (!gemm->on_chip[SIM_OPERAND_WEIGHT])
        out->weight_read = (double)gemm->w_stored_bits * passes_w + (double)gemm->w_once_bits;
    if (!gemm->on_chip[SIM_OPERAND_INPUT])
        out->input_read = (double)gemm->a_stored_bits * overlap * passes_a;
    if (!gemm->on_chip[SIM_OPERAND_OUTPUT]) {
        out->final_write = (double)gemm->out_stored_bits;
        out->partial_write = outputs * gemm->acc_bits * spills;
        out->partial_read = outputs * gemm->acc_bits * (spills + (arch->output_read_first ? 1 : 0));
    }
}

void sim_memory_counts(const sim_arch *arch, const sim_gemm *gemm, double overlap, sim_dim stationary,
                       sim_counts *fixed, sim_counts per_tile[SIM_DIMS])
{
    double m = (double)gemm->extent[SIM_M], n = (double)gemm->extent[SIM_N], k = (double)gemm->extent[SIM_K];
    double rows = (double)sim_window_distinct(gemm), taps = (double)sim_taps(gemm);

    memset(fixed, 0, sizeof *fixed);
    memset(per_tile, 0, SIM_DIMS * sizeof *per_tile);
    if (!gemm->on_chip[SIM_OPERAND_WEIGHT]) {
        sim_counts *to = stationary == SIM_M ? fixed : &per_tile[SIM_M];

        to->of[SIM_EVENT_DRAM_READ] += (double)gemm->w_stored_bits;
        to->of[SIM_EVENT_WEIGHT_WRITE] += k * n * gemm->w_bits * taps;
        fixed->of[SIM_EVENT_DRAM_READ] += (double)gemm->w_once_bits;
        fixed->of[SIM_EVENT_WEIGHT_WRITE] += (double)gemm->w_once_bits;
    }
    if (!gemm->on_chip[SIM_OPERAND_INPUT]) {
        sim_counts *to = stationary == SIM_N ? fixed : &per_tile[SIM_N];

        to->of[SIM_EVENT_DRAM_READ] += (double)gemm->a_stored_bits * overlap;
        to->of[SIM_EVENT_INPUT_WRITE] += rows * k * gemm->a_bits * overlap;
    }
    if (!gemm->on_chip[SIM_OPERAND_OUTPUT]) {
        double partial = m * n * gemm->acc_bits;

        fixed->of[SIM_EVENT_DRAM_WRITE] += (double)gemm->out_stored_bits;
        fixed->of[SIM_EVENT_OUTPUT_READ] += partial; /* drained once at the end */
        if (arch->output_read_first) {
            fixed->of[SIM_EVENT_DRAM_READ] += partial;
            fixed->of[SIM_EVENT_OUTPUT_WRITE] += partial;
        }
        if (stationary != SIM_K) {
            const sim_event spilled[] = {SIM_EVENT_DRAM_READ, SIM_EVENT_DRAM_WRITE, SIM_EVENT_OUTPUT_READ,
                                         SIM_EVENT_OUTPUT_WRITE};

            for (size_t e = 0; e < sizeof spilled / sizeof *spilled; e++) {
                per_tile[SIM_K].of[spilled[e]] += partial;
                fixed->of[spilled[e]] -= partial;
            }
        }
    }
}

/* ---- DRAM time -------------------------------------------------------------------------------- */

void sim_runs_of(const sim_arch *arch, const sim_gemm *gemm, sim_runs out[SIM_STREAMS])
{
    static const sim_operand operand_of[SIM_STREAMS] = {SIM_OPERAND_WEIGHT, SIM_OPERAND_INPUT,
                                                        SIM_OPERAND_OUTPUT, SIM_OPERAND_OUTPUT};
    const double stored_bits[SIM_STREAMS] = {
        /* of the whole operand, its padding too: what a run really holds */
        (double)gemm->w_stored_bits, (double)gemm->a_stored_bits,
        (double)gemm->extent[SIM_M] * (double)gemm->extent[SIM_N] * gemm->acc_bits,
        (double)gemm->out_stored_bits};
    double burst_bits = arch->dram.burst_bytes * 8;

    for (int s = 0; s < SIM_STREAMS; s++) {
        sim_operand o = operand_of[s];
        sim_dim row = o == SIM_OPERAND_OUTPUT ? SIM_N : SIM_K; /* along which elements are contiguous */
        sim_dim other = operand_dims[o][0] == row ? operand_dims[o][1] : operand_dims[o][0];
        double run_bits = stored_bits[s];

        if (arch->dram_layout == SIM_LAYOUT_ROW_MAJOR) {
            run_bits /= (double)(o == SIM_OPERAND_INPUT ? sim_window_distinct(gemm) : gemm->extent[other]);
            other = SIM_DIMS;
        }
        out[s] = (sim_runs){arch->dram_efficiency_frac > 0 || run_bits <= 0 ? 0 : burst_bits / run_bits, row,
                            other};
    }
}

static double run_factor(const sim_runs *runs, const double count[SIM_DIMS])
{
    double factor = runs->scale * count[runs->one] * (runs->other < SIM_DIMS ? count[runs->other] : 1);

    return factor > 1 ? factor : 1;
}

void sim_dram_rates_of(const sim_arch *arch, const sim_gemm *gemm, const int64_t tile[SIM_DIMS],
                       sim_dram_rates *out)
{
    double peak = arch->clock_mhz * 1e6 / (arch->dram_bandwidth_gb_s * 1e9 * 8); /* cycles per bit */
    double count[SIM_DIMS];
    sim_runs runs[SIM_STREAMS];

    for (int d = 0; d < SIM_DIMS; d++) {
        int64_t tiles = d == SIM_M ? sim_window_count(gemm, tile[d]) : sim_ceil_div(gemm->extent[d], tile[d]);

        count[d] = (double)tiles;
    }
    sim_runs_of(arch, gemm, runs);
    *out = (sim_dram_rates){
        .cycles_per_bit = peak / (arch->dram_efficiency_frac > 0 ? arch->dram_efficiency_frac
                                                                 : arch->dram.curve_efficiency_frac),
        .weight = run_factor(&runs[SIM_STREAM_WEIGHT], count),
        .input = run_factor(&runs[SIM_STREAM_INPUT], count),
        .partial = run_factor(&runs[SIM_STREAM_PARTIAL], count),
        .final = run_factor(&runs[SIM_STREAM_FINAL], count),
        .turnaround = arch->dram_efficiency_frac > 0 ? 0 : peak * arch->dram.turnaround_frac,
    };
}

double sim_dram_cycles(const sim_dram_rates *rates, const sim_traffic *traffic)
{
    double read = traffic->weight_read + traffic->input_read + traffic->partial_read;
    double write = traffic->partial_write + traffic->final_write;
    double bits = traffic->weight_read * rates->weight + traffic->input_read * rates->input +
                  (traffic->partial_read + traffic->partial_write) * rates->partial +
                  traffic->final_write * rates->final;

    return rates->cycles_per_bit * bits + rates->turnaround * fmin(read, write);
}
