/* References and judgements: what an output must be, and how far off it may be. One function per kernel, for
 * host and device, in double precision or integers; slow and plain.
 *
 * BOUNDS. Let S = sum over k of |a w|. The products of fp16 and bf16 numbers are exact in fp32. Tensor cores
 * add them with truncation (Fasi et al., "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science
 * 7:e330, 2021), that is with an error of at most one unit in the last place, 2^-23, of what is
 * being added up, which never exceeds S; k additions and those of parts of k then err by at most
 *
 *   |sum - exact| <= (k + 64) 2^-22 S        (2^-22: also the alignment of addends before each addition)
 *
 * and rounding to the output adds u |sum| with the output's unit roundoff u, and half of its smallest number.
 * fp32 is rounded in each product and sum: the same bound covers it. FP8 tensor cores keep fewer bits of a
 * sum (about 14 on H800: DeepSeek-V3, arXiv 2412.19437, section 3.3.2), so they are judged on exact operands
 * only. For exact operands all sums are exact and only the output's rounding is left. int8 results, scaling
 * included, must be equal bit by bit. */
#ifndef SIMACC_JUDGE_H
#define SIMACC_JUDGE_H

#include "operands.h"

namespace simacc
{

struct judgement {
    double got, wanted, bound;
};

/* ---- matrix products -------------------------------------------------------------------------------- */

/* WEIGHTS_ROWS: of `w_type` in memory, [n][w_stride]. Packed ones are made from the seed again, so that
 * packing is judged too. */
enum weights_kind { WEIGHTS_ROWS, WEIGHTS_PACKED_INT8, WEIGHTS_PACKED_INT4 };

struct gemm_judge_args {
    const void *a, *w, *out;
    number_type a_type, w_type, out_type;
    weights_kind weights;
    operand_kind kind;
    uint32_t w_seed;
    int64_t m, n, k, batch;
    int64_t a_stride, w_stride, out_stride; /* elements from row to row */
    int64_t a_batch, w_batch, out_batch;    /* elements from product to product */
    /* int8: as in gemm_args. */
    const float *row_scale, *tensor_scale, *column_scale;
    float static_scale;
};

SIMACC_BOTH judgement judge_int8(const gemm_judge_args &g, int64_t row, int64_t column)
{
    const int8_t *a = (const int8_t *)g.a + row * g.a_stride, *w = (const int8_t *)g.w + column * g.w_stride;
    bool packed = g.weights == WEIGHTS_PACKED_INT8;
    float scale = g.row_scale ? g.row_scale[row] : g.tensor_scale ? *g.tensor_scale : g.static_scale;
    int64_t sum = 0;

    for (int64_t k = 0; k < g.k; k++)
        sum += a[k] * (packed ? operand_int8(g.w_seed, column, k) : w[k]);
    /* Each product of two fp32 numbers is exact in double: one rounding each, as in the kernels. */
    float once = (float)((double)(float)sum * scale), twice = (float)((double)once * g.column_scale[column]);
    return {number_at(g.out, NUMBER_FP16, row * g.out_stride + column), fp16_value(fp16_bits(twice)), 0};
}

SIMACC_BOTH judgement judge_real(const gemm_judge_args &g, int64_t b, int64_t row, int64_t column)
{
    double sum = 0, magnitude = 0, slack, u = number_roundoff(g.out_type);

    for (int64_t k = 0; k < g.k; k++) {
        double w = g.weights == WEIGHTS_PACKED_INT4
                       ? w4_value(g.kind, g.w_seed, column, k)
                       : number_at(g.w, g.w_type, b * g.w_batch + column * g.w_stride + k);
        double product = number_at(g.a, g.a_type, b * g.a_batch + row * g.a_stride + k) * w;
        sum += product;
        magnitude += fabs(product);
    }
    slack = g.kind == OPERANDS_EXACT ? 0 : ((double)g.k + 64) * power_of_two(-22) * magnitude;
    return {number_at(g.out, g.out_type, b * g.out_batch + row * g.out_stride + column), sum,
            slack + u * (fabs(sum) + slack) + number_underflow(g.out_type)};
}

/* Output `sample` of `samples`: all of them in turn when there are no more, else every corner and tile edge
 * more often than chance has it: rows and columns at a random place, or at most one off a multiple of 8, or
 * the last. */
SIMACC_BOTH void sample_place(int64_t sample, int64_t samples, int64_t m, int64_t n, int64_t batch,
                              int64_t *b, int64_t *row, int64_t *column)
{
    if (samples >= m * n * batch) {
        *b = sample / (m * n);
        *row = sample / n % m;
        *column = sample % n;
        return;
    }
    uint32_t x = operand_hash(1u, sample, 0), y = operand_hash(2u, sample, 0),
             z = operand_hash(3u, sample, 0);
    int64_t places[2] = {(int64_t)x % m, (int64_t)y % n}, extents[2] = {m, n};

    for (int i = 0; i < 2; i++) {
        uint32_t how = z >> (8 * i) & 7u;
        if (how == 0)
            places[i] = extents[i] - 1;
        else if (how < 4) /* -1, 0 or 1 from a multiple of 8 */
            places[i] = places[i] / 8 * 8 + how - 2;
        if (places[i] < 0)
            places[i] = 0;
        if (places[i] >= extents[i])
            places[i] = extents[i] - 1;
    }
    *b = (int64_t)(z >> 16) % batch;
    *row = places[0];
    *column = places[1];
}

SIMACC_BOTH judgement judge_gemm(const gemm_judge_args &g, int64_t sample, int64_t samples)
{
    int64_t b, row, column;

    sample_place(sample, samples, g.m, g.n, g.batch, &b, &row, &column);
    return g.a_type == NUMBER_INT8 ? judge_int8(g, row, column) : judge_real(g, b, row, column);
}

/* ---- rows ------------------------------------------------------------------------------------------- */

enum row_kernel { ROW_SOFTMAX, ROW_RMSNORM, ROW_QUANTIZE, ROW_RESIDUAL, ROW_COPY };

struct row_judge_args {
    row_kernel kernel;
    const uint16_t *in, *in2, *weight, *out;
    const int8_t *quantized;
    const float *row_scale;  /* O1: as the kernel wrote them */
    const uint32_t *largest; /* O2: as the kernel wrote it */
    float static_scale, epsilon;
    int64_t m, n, stride, quantized_stride;
};

/* Largest magnitude of a row. */
SIMACC_BOTH double row_largest(const row_judge_args &g, int64_t row)
{
    double largest = 0;

    for (int64_t i = 0; i < g.n; i++)
        largest = fmax(largest, fabs(fp16_value(g.in[row * g.stride + i])));
    return largest;
}

/* Largest magnitude of the tensor. */
SIMACC_BOTH double tensor_largest(const row_judge_args &g)
{
    double largest = 0;

    for (int64_t row = 0; row < g.m; row++)
        largest = fmax(largest, row_largest(g, row));
    return largest;
}

/* Tensors of up to so many elements are searched for each output. */
enum { SEARCHED_TENSOR = 4096 };

/* The scale is part of what is judged: a wrong one gives NaN, which no bound allows. O2's largest must not be
 * below any element, and of tensors that are searched it must be one. */
SIMACC_BOTH judgement judge_quantize(const row_judge_args &g, int64_t row, int64_t column)
{
    float x = (float)fp16_value(g.in[row * g.stride + column]), scale = g.static_scale, largest;
    double q;

    if (g.row_scale) {
        largest = (float)row_largest(g, row);
        scale = largest > 0 ? largest / 127.0f : 1.0f;
        if (g.row_scale[row] != scale)
            return {NAN, scale, 0};
    } else if (g.largest) {
        memcpy(&largest, g.largest, sizeof largest);
        if (!(fabsf(x) <= largest) || (g.m * g.n <= SEARCHED_TENSOR && tensor_largest(g) != largest))
            return {NAN, largest, 0};
        scale = largest > 0 ? largest / 127.0f : 1.0f;
    }
    q = rint(x / scale);
    q = q > 127 ? 127 : q < -127 ? -127 : q;
    return {(double)g.quantized[row * g.quantized_stride + column], q, 0};
}

/* expf errs by 2 units in the last place (CUDA C++ Programming Guide, mathematical functions), its argument
 * by half a unit of up to 128, sums of n by n units. */
SIMACC_BOTH judgement judge_softmax(const row_judge_args &g, int64_t row, int64_t column)
{
    const uint16_t *in = g.in + row * g.stride;
    double largest = -INFINITY, sum = 0, wanted;

    for (int64_t i = 0; i < g.n; i++)
        largest = fmax(largest, fp16_value(in[i]));
    for (int64_t i = 0; i < g.n; i++)
        sum += exp(fp16_value(in[i]) - largest);
    wanted = exp(fp16_value(in[column]) - largest) / sum;
    return {fp16_value(g.out[row * g.stride + column]), wanted,
            wanted * (power_of_two(-11) + ((double)g.n + 140) * power_of_two(-23)) + power_of_two(-25)};
}

SIMACC_BOTH judgement judge_rmsnorm(const row_judge_args &g, int64_t row, int64_t column)
{
    const uint16_t *in = g.in + row * g.stride;
    double sum = 0, wanted;

    for (int64_t i = 0; i < g.n; i++)
        sum += fp16_value(in[i]) * fp16_value(in[i]);
    wanted = fp16_value(in[column]) * fp16_value(g.weight[column]) / sqrt(sum / (double)g.n + g.epsilon);
    return {fp16_value(g.out[row * g.stride + column]), wanted,
            fabs(wanted) * (power_of_two(-11) + ((double)g.n + 8) * power_of_two(-23)) + power_of_two(-25)};
}

SIMACC_BOTH judgement judge_rows(const row_judge_args &g, int64_t sample, int64_t samples)
{
    int64_t b, row, column, at;

    sample_place(sample, samples, g.m, g.n, 1, &b, &row, &column);
    at = row * g.stride + column;
    switch (g.kernel) {
    case ROW_SOFTMAX:
        return judge_softmax(g, row, column);
    case ROW_RMSNORM:
        return judge_rmsnorm(g, row, column);
    case ROW_QUANTIZE:
        return judge_quantize(g, row, column);
    case ROW_RESIDUAL:
        return {fp16_value(g.out[at]), fp16_value(fp16_bits(fp16_value(g.in[at]) + fp16_value(g.in2[at]))),
                0};
    default:
        return {fp16_value(g.out[at]), fp16_value(g.in[at]), 0};
    }
}

/* ---- verdict ---------------------------------------------------------------------------------------- */

struct verdict {
    uint32_t wrong; /* outputs outside their bound, or NaN */
    /* Of the largest error over bound, as fp32; magnitudes compare like their bits. */
    uint32_t worst_frac_bits;
    uint32_t worst_abs_bits;
};

/* Error over bound as fp32; an exact match is 0 whatever the bound, anything else with no bound, and NaN,
 * infinite. */
SIMACC_BOTH float error_frac(const judgement &j)
{
    double error = fabs(j.got - j.wanted);

    if (j.got == j.wanted)
        return 0;
    return error == error && j.bound > 0 ? (float)(error / j.bound) : INFINITY;
}

SIMACC_BOTH bool is_wrong(const judgement &j)
{
    return !(fabs(j.got - j.wanted) <= j.bound);
}

SIMACC_BOTH uint32_t float_bits(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

} // namespace simacc

#endif
