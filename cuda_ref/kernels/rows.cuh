/* Kernels over rows of fp16: softmax, RMSNorm, int8 quantization, residual addition, copy. All move 16 bytes per
 * thread and load; rows are padded to `stride` elements, a multiple of 8, of which the padding is neither read as
 * a value nor written.
 *
 * GROUP threads share a row: a warp, eight rows to a block, for rows of up to 1024 elements, or a block of 256. */
#ifndef SIMACC_ROWS_CUH
#define SIMACC_ROWS_CUH

#include "target.cuh"

namespace simacc
{

enum { ROW_THREADS = 256, ROW_PIECE = 8 /* elements */, SHORT_ROW = 1024 };

struct row_args {
    const uint16_t *in, *in2;  /* [m][stride]; in2: residual */
    const uint16_t *weight;    /* [n]: rmsnorm */
    uint16_t *out;             /* [m][stride] */
    int8_t *quantized;         /* [m][quantized_stride] */
    float *row_scale;          /* [m]: written by quantize_rows */
    uint32_t *largest;         /* bits of the largest magnitude of a tensor, as fp32 */
    float static_scale, epsilon;
    int64_t stride, quantized_stride;
    int m, n;
};

SIMACC_BOTH int row_blocks(int64_t m, int group)
{
    return (int)ceil_div(m, ROW_THREADS / group);
}

/* ---- sharing a row ------------------------------------------------------------------------------------------ */

struct take_sum {
    SIMACC_DEVICE static float of(float x, float y)
    {
        return x + y;
    }
};

struct take_largest {
    SIMACC_DEVICE static float of(float x, float y)
    {
        return x > y ? x : y;
    }
};

/* `value` of all threads of the group, combined; the same bits in each of them. */
template <int GROUP, class Op> SIMACC_DEVICE float combine(float value)
{
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2)
        value = Op::of(value, shuffle_xor(value, mask));
    if (GROUP == 32)
        return value;
    float *shared = (float *)shared_memory();
    barrier(); /* an earlier combination has been read */
    if (thread_index() % 32 == 0)
        shared[thread_index() / 32] = value;
    barrier();
    value = shared[0];
#pragma unroll
    for (int warp = 1; warp < ROW_THREADS / 32; warp++)
        value = Op::of(value, shared[warp]);
    return value;
}

struct row_piece {
    float x[ROW_PIECE];
};

/* Elements `first`... of a row of n; `beyond` for those that are not there. */
SIMACC_DEVICE row_piece read_piece(const uint16_t *row, int first, int n, float beyond)
{
    words4 words = load16(row + first);
    row_piece out;

#pragma unroll
    for (int i = 0; i < ROW_PIECE; i++) {
        float value = half_to_float((uint16_t)(words.w[i / 2] >> (i % 2 * 16)));
        out.x[i] = first + i < n ? value : beyond;
    }
    return out;
}

SIMACC_DEVICE void write_piece(uint16_t *row, int first, int n, const row_piece &values)
{
    if (first + ROW_PIECE <= n) {
        words4 words;
#pragma unroll
        for (int i = 0; i < 4; i++)
            words.w[i] = float_to_half(values.x[2 * i]) | (uint32_t)float_to_half(values.x[2 * i + 1]) << 16;
        store16(row + first, words);
        return;
    }
#pragma unroll
    for (int i = 0; i < ROW_PIECE; i++)
        if (first + i < n)
            row[first + i] = float_to_half(values.x[i]);
}

template <int GROUP> SIMACC_DEVICE int row_of_thread()
{
    return block_x() * (ROW_THREADS / GROUP) + thread_index() / GROUP;
}

/* With a block per row all rows are there; a warp without a row leaves as a whole. */
template <int GROUP> SIMACC_DEVICE int first_of_thread()
{
    return thread_index() % GROUP * ROW_PIECE;
}

/* ---- softmax: exp(x - max) / sum, in fp32; the second pass finds the row in L1 or L2 ---------------------------- */

template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) softmax_rows(row_args g)
{
    int row = row_of_thread<GROUP>();

    if (row >= g.m)
        return;
    const uint16_t *in = g.in + row * g.stride;
    float largest = -INFINITY, sum = 0;
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, -INFINITY);
        for (int i = 0; i < ROW_PIECE; i++)
            largest = take_largest::of(largest, p.x[i]);
    }
    largest = combine<GROUP, take_largest>(largest);
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, -INFINITY);
        for (int i = 0; i < ROW_PIECE; i++)
            sum += expf(p.x[i] - largest);
    }
    sum = combine<GROUP, take_sum>(sum);
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, -INFINITY);
        for (int i = 0; i < ROW_PIECE; i++)
            p.x[i] = expf(p.x[i] - largest) / sum;
        write_piece(g.out + row * g.stride, first, g.n, p);
    }
}

/* ---- RMSNorm: x w / sqrt(mean(x^2) + epsilon), in fp32 ------------------------------------------------------------ */

template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) rmsnorm_rows(row_args g)
{
    int row = row_of_thread<GROUP>();

    if (row >= g.m)
        return;
    const uint16_t *in = g.in + row * g.stride;
    float sum = 0;
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, 0);
        for (int i = 0; i < ROW_PIECE; i++)
            sum += p.x[i] * p.x[i];
    }
    sum = combine<GROUP, take_sum>(sum);
    float scale = 1 / sqrtf(sum / g.n + g.epsilon);
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, 0), w = read_piece(g.weight, first, g.n, 0);
        for (int i = 0; i < ROW_PIECE; i++)
            p.x[i] = p.x[i] * scale * w.x[i];
        write_piece(g.out + row * g.stride, first, g.n, p);
    }
}

/* ---- quantization to int8, ties to even ---------------------------------------------------------------------------- */

SIMACC_DEVICE void quantize_piece(const row_piece &p, float scale, int8_t *row, int first, int n)
{
    uint32_t words[2] = {0, 0};

    for (int i = 0; i < ROW_PIECE; i++) {
        float q = rintf(divide_rounded(p.x[i], scale));
        q = q > 127 ? 127 : q < -127 ? -127 : q;
        if (first + i < n)
            words[i / 4] |= ((uint32_t)(int)q & 255u) << (8 * (i % 4));
    }
    /* The padding of a piece is zero, as the matrix kernels want it. */
    ((uint32_t *)(row + first))[0] = words[0];
    ((uint32_t *)(row + first))[1] = words[1];
}

/* Scale 1 for a row of zeros. */
SIMACC_DEVICE float scale_of_largest(float largest)
{
    return largest > 0 ? divide_rounded(largest, 127.0f) : 1.0f;
}

/* SmoothQuant O1: a scale per token, largest magnitude / 127. */
template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) quantize_rows(row_args g)
{
    int row = row_of_thread<GROUP>();

    if (row >= g.m)
        return;
    const uint16_t *in = g.in + row * g.stride;
    float largest = 0;
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, 0);
        for (int i = 0; i < ROW_PIECE; i++)
            largest = take_largest::of(largest, fabsf(p.x[i]));
    }
    float scale = scale_of_largest(combine<GROUP, take_largest>(largest));
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE)
        quantize_piece(read_piece(in, first, g.n, 0), scale, g.quantized + row * g.quantized_stride, first, g.n);
    if (thread_index() % GROUP == 0)
        g.row_scale[row] = scale;
}

/* O2, first pass: the largest magnitude of the tensor. Magnitudes compare like their bits. */
template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) largest_of_tensor(row_args g)
{
    int row = row_of_thread<GROUP>();

    if (row >= g.m)
        return;
    float largest = 0;
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(g.in + row * g.stride, first, g.n, 0);
        for (int i = 0; i < ROW_PIECE; i++)
            largest = take_largest::of(largest, fabsf(p.x[i]));
    }
    largest = combine<GROUP, take_largest>(largest);
    if (thread_index() % GROUP == 0) {
        uint32_t bits;
        memcpy(&bits, &largest, sizeof bits);
        atomic_max(g.largest, bits);
    }
}

/* O2, second pass (`largest` given), and O3 (NULL): one scale for the tensor. */
template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) quantize_tensor(row_args g)
{
    int row = row_of_thread<GROUP>();
    float scale = g.static_scale;

    if (row >= g.m)
        return;
    if (g.largest) {
        float largest;
        memcpy(&largest, g.largest, sizeof largest);
        scale = scale_of_largest(largest);
    }
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE)
        quantize_piece(read_piece(g.in + row * g.stride, first, g.n, 0), scale,
                       g.quantized + row * g.quantized_stride, first, g.n);
}

/* ---- residual addition, copy ------------------------------------------------------------------------------------- */

/* One piece per thread; the sum of two fp16 numbers in fp32, rounded once more, is their rounded sum. */
SIMACC_KERNEL(ROW_THREADS, 4) residual_rows(row_args g)
{
    int64_t piece = (int64_t)block_x() * ROW_THREADS + thread_index(), pieces = ceil_div(g.n, ROW_PIECE);
    int64_t row = piece / pieces;
    int first = (int)(piece % pieces) * ROW_PIECE;

    if (row >= g.m)
        return;
    row_piece p = read_piece(g.in + row * g.stride, first, g.n, 0);
    row_piece q = read_piece(g.in2 + row * g.stride, first, g.n, 0);
    for (int i = 0; i < ROW_PIECE; i++)
        p.x[i] = add_rounded(p.x[i], q.x[i]);
    write_piece(g.out + row * g.stride, first, g.n, p);
}

/* `pieces` of 16 bytes; four at a time per thread, so that enough loads are under way. */
SIMACC_KERNEL(ROW_THREADS, 4) copy_pieces(const unsigned char *in, unsigned char *out, int64_t pieces)
{
    int64_t stride = (int64_t)grid_x() * ROW_THREADS, i = (int64_t)block_x() * ROW_THREADS + thread_index();

    for (; i + 3 * stride < pieces; i += 4 * stride) {
        words4 held[4];
#pragma unroll
        for (int j = 0; j < 4; j++)
            held[j] = load16(in + (i + j * stride) * PIECE_BYTES);
#pragma unroll
        for (int j = 0; j < 4; j++)
            store16(out + (i + j * stride) * PIECE_BYTES, held[j]);
    }
    for (; i < pieces; i += stride)
        store16(out + i * PIECE_BYTES, load16(in + i * PIECE_BYTES));
}

} // namespace simacc

#endif
