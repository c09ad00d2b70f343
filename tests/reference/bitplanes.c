#include "reference/bitplanes.h"
#include "reference/arithmetic.h"

#include "reference/pe_machine.h"

#include <stdio.h>
#include <stdlib.h>

/* One operand as the units see it: vectors (rows of a, columns of w) of k elements, `depth` at a time. */
typedef struct operand {
    int32_t *values; /* [vector][k] */
    int64_t vectors, k;
    int bits, step, steps;
    bool is_signed;
    uint64_t *planes; /* AND: [vector][chunk][bit][word], 64 lanes a word */
    int64_t chunks, words;
} operand;

static void impossible(const char *why)
{
    fprintf(stderr, "bitplanes: %s\n", why);
    exit(70);
}

/* The low `bits` bits of a value, sign or zeros above them. */
static int32_t read_as(int32_t value, int bits, bool is_signed)
{
    const int32_t span = INT32_C(1) << bits, low = value & (span - 1);
    return is_signed && low >= span / 2 ? low - span : low;
}

/* An operand whose element k of vector v at v * stride + k * k_stride. */
static operand take(const int32_t *from, int64_t vectors, int64_t k, int64_t stride, int64_t k_stride,
                    int bits, bool is_signed, int step)
{
    operand o = {.values = pe_alloc(vectors * k, sizeof *o.values),
                 .vectors = vectors,
                 .k = k,
                 .bits = bits,
                 .step = step,
                 .steps = (int)ref_ceil_div(bits, step),
                 .is_signed = is_signed};
    for (int64_t vector = 0; vector < vectors; vector++) {
        for (int64_t i = 0; i < k; i++)
            o.values[vector * k + i] = read_as(from[vector * stride + i * k_stride], bits, is_signed);
    }
    return o;
}

/* ---- planes ------------------------------------------------------------------------------------------- */

static uint64_t *plane_of(const operand *o, int64_t vector, int64_t chunk, int bit)
{
    return &o->planes[((vector * o->chunks + chunk) * o->bits + bit) * o->words];
}

static void cut_into_planes(operand *o, int64_t depth)
{
    o->words = ref_ceil_div(depth, 64);
    o->planes = pe_alloc(o->vectors * o->chunks * o->bits * o->words, sizeof *o->planes);
    for (int64_t vector = 0; vector < o->vectors; vector++) {
        for (int64_t k = 0; k < o->k; k++) {
            const int64_t lane = k % depth;
            const uint32_t value = (uint32_t)o->values[vector * o->k + k];
            uint64_t *word = plane_of(o, vector, k / depth, 0) + lane / 64;
            for (int bit = 0; bit < o->bits; bit++)
                word[bit * o->words] |= (uint64_t)(value >> bit & 1u) << (lane % 64);
        }
    }
}

/* Lanes in which both bits are set. */
static int64_t overlap(const uint64_t *x, const uint64_t *y, int64_t words)
{
    int64_t count = 0;
    for (int64_t i = 0; i < words; i++)
        count += __builtin_popcountll(x[i] & y[i]);
    return count;
}

static bool is_subtracted(const operand *o, int bit)
{
    return o->is_signed && bit == o->bits - 1;
}

/* ---- one cycle of one unit ---------------------------------------------------------------------------- */

typedef struct cycle {
    int64_t row, col, chunk; /* vectors of a and w, and the block of k */
    int64_t k, k_end;
    int w_step, a_step;
} cycle;

/* The bits of a step; the last one of an operand may have fewer. */
static int step_end(const operand *o, int step)
{
    const int end = (step + 1) * o->step;
    return end < o->bits ? end : o->bits;
}

static int64_t and_cycle(const operand *w, const operand *a, const cycle *now)
{
    int64_t sum = 0;
    for (int i = now->w_step * w->step; i < step_end(w, now->w_step); i++) {
        for (int j = now->a_step * a->step; j < step_end(a, now->a_step); j++) {
            const int64_t count = overlap(plane_of(w, now->col, now->chunk, i),
                                          plane_of(a, now->row, now->chunk, j), w->words) *
                                  (INT64_C(1) << (i + j));
            sum += is_subtracted(w, i) != is_subtracted(a, j) ? -count : count;
        }
    }
    return sum;
}

/* Bits of `serial` decide whether the values of `whole` count. */
static int64_t gated_cycle(const operand *serial, int64_t serial_vector, int step, const operand *whole,
                           int64_t whole_vector, const cycle *now)
{
    int64_t sum = 0;
    for (int i = step * serial->step; i < step_end(serial, step); i++) {
        int64_t gated = 0;
        for (int64_t k = now->k; k < now->k_end; k++) {
            const int32_t bit = serial->values[serial_vector * serial->k + k] >> i & 1;
            gated += whole->values[whole_vector * whole->k + k] & -bit;
        }
        gated *= INT64_C(1) << i;
        sum += is_subtracted(serial, i) ? -gated : gated;
    }
    return sum;
}

int bitplanes_booth_digits(int bits, bool is_signed)
{
    return is_signed ? (bits + 1) / 2 : bits / 2 + 1;
}

/* Of a value with its sign, or zeros, above its bits. */
static int booth_digit(int32_t value, int index)
{
    const int above = value >> (2 * index) & 3;
    const int below = index ? value >> (2 * index - 1) & 1 : 0;
    return (above & 1) + below - (above & 2);
}

int bitplanes_booth_digit(int32_t value, int bits, bool is_signed, int index)
{
    return booth_digit(read_as(value, bits, is_signed), index);
}

static int64_t booth_cycle(const operand *w, const operand *a, const cycle *now)
{
    int64_t sum = 0;
    for (int64_t k = now->k; k < now->k_end; k++) {
        const int64_t value = a->values[now->row * a->k + k];
        /* A lane selects one of five multiples; it does not multiply. */
        const int64_t multiples[] = {-value - value, -value, 0, value, value + value};
        sum += multiples[booth_digit(w->values[now->col * w->k + k], now->w_step) + 2];
    }
    return sum * (INT64_C(1) << (2 * now->w_step));
}

static int64_t unit_cycle(bitplanes_lane lane, const operand *w, const operand *a, const cycle *now)
{
    switch (lane) {
    case BITPLANES_AND:
        return and_cycle(w, a, now);
    case BITPLANES_GATED:
        return a->steps == 1 ? gated_cycle(w, now->col, now->w_step, a, now->row, now)
                             : gated_cycle(a, now->row, now->a_step, w, now->col, now);
    case BITPLANES_BOOTH:
        return booth_cycle(w, a, now);
    }
    return 0;
}

/* ---- blocks ------------------------------------------------------------------------------------------- */

/* All units of a block work on the same pair of steps in the same cycle. */
static int64_t run_block(const bitplanes_array *array, const operand *w, const operand *a, int64_t row,
                         int64_t col, int64_t chunk, int64_t *out)
{
    const int64_t row_end = row + array->rows < a->vectors ? row + array->rows : a->vectors;
    const int64_t col_end = col + array->cols < w->vectors ? col + array->cols : w->vectors;
    const int64_t k = chunk * array->depth;
    const int64_t k_end = k + array->depth < w->k ? k + array->depth : w->k;
    int64_t cycles = 0;
    for (int w_step = 0; w_step < w->steps; w_step++) {
        for (int a_step = 0; a_step < a->steps; a_step++) {
            for (int64_t r = row; r < row_end; r++) {
                for (int64_t c = col; c < col_end; c++) {
                    const cycle now = {r, c, chunk, k, k_end, w_step, a_step};
                    out[r * w->vectors + c] += unit_cycle(array->lane, w, a, &now);
                }
            }
            cycles++;
        }
    }
    return cycles;
}

int64_t bitplanes_run(const bitplanes_array *array, const int_gemm *gemm, int64_t *out)
{
    operand a = take(gemm->a, gemm->m, gemm->k, gemm->k, 1, gemm->a_bits, gemm->a_signed, array->a_step);
    operand w = take(gemm->w, gemm->n, gemm->k, 1, gemm->n, gemm->w_bits, gemm->w_signed, array->w_step);
    a.chunks = w.chunks = ref_ceil_div(gemm->k, array->depth);
    if (array->lane == BITPLANES_BOOTH) {
        if (w.step != 2 || a.steps != 1)
            impossible("Booth lanes take two bits of w and all of a");
        w.steps = bitplanes_booth_digits(w.bits, w.is_signed);
    }
    if (array->lane == BITPLANES_GATED && a.steps > 1 && w.steps > 1)
        impossible("gated lanes have one operand whole");
    if (array->lane == BITPLANES_AND) {
        cut_into_planes(&a, array->depth);
        cut_into_planes(&w, array->depth);
    }
    int64_t cycles = 0;
    for (int64_t row = 0; row < gemm->m; row += array->rows) {
        for (int64_t col = 0; col < gemm->n; col += array->cols) {
            for (int64_t chunk = 0; chunk < a.chunks; chunk++)
                cycles += run_block(array, &w, &a, row, col, chunk, out);
        }
    }
    free(a.values);
    free(a.planes);
    free(w.values);
    free(w.planes);
    return cycles;
}

int64_t bitplanes_model(const void *array, const int_gemm *gemm, int64_t *out)
{
    return bitplanes_run(array, gemm, out);
}
