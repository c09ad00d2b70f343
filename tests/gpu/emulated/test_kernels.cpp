/* The CUDA kernels, run on the CPU by the emulator and judged output by output. Built twice, as sm_75 and as
 * sm_80 see them. Every case runs under several orders of threads and with early and late asynchronous
 * copies. */
#include "emulator.h"

#include "cuda_ref/kernels/copy.cuh"
#include "cuda_ref/kernels/gemm_run.cuh"
#include "cuda_ref/kernels/judge.cuh"
#include "cuda_ref/kernels/quantize.cuh"
#include "cuda_ref/kernels/residual.cuh"
#include "cuda_ref/kernels/rmsnorm.cuh"
#include "cuda_ref/kernels/softmax.cuh"

#include "check.h"

#include <vector>

using namespace simacc;

namespace
{

const bool async = SIMACC_EMULATE_SM >= 80;

/* Memory of one case, between pages that may not be touched, starting as noise. */
struct memory {
    std::vector<std::pair<void *, int64_t>> blocks;

    void *bytes(int64_t count)
    {
        unsigned char *at = (unsigned char *)guarded_memory(count);
        for (int64_t i = 0; i < count; i++)
            at[i] = (unsigned char)(0xa5 + 31 * i);
        blocks.push_back({at, count});
        return at;
    }

    ~memory()
    {
        for (auto &b : blocks)
            guarded_free(b.first, b.second);
    }
};

void fill(void *to, number_type type, operand_kind kind, uint32_t seed, int64_t rows, int64_t columns,
          int64_t stride)
{
    fill_args f = {to, type, kind, 8, seed, rows, columns, stride};

    for (int64_t i = 0; i < rows * stride; i++)
        fill_one(f, i);
}

/* How many of all outputs are wrong; the worst error goes to *worst. */
int64_t wrong_outputs(const gemm_judge_args &judge, double *worst)
{
    int64_t samples = judge.m * judge.n, wrong = 0;

    for (int64_t i = 0; i < samples; i++) {
        judgement j = judge_gemm(judge, i, samples);
        wrong += is_wrong(j);
        *worst = fmax(*worst, error_frac(j));
    }
    return wrong;
}

/* ---- matrix products -------------------------------------------------------------------------------- */

struct setting {
    int scheme; /* int8: SmoothQuant O1, O2, O3 */
    operand_kind kind;
    bool late;
    uint64_t order;
};

template <class Weights> int w_bits_of();

template <> int w_bits_of<weights_int8>()
{
    return 8;
}

template <> int w_bits_of<weights_int4>()
{
    return 4;
}

template <class Weights>
void product(int64_t m, int64_t n, int64_t k, int tile, int parts, const setting &how)
{
    const int w_bits = w_bits_of<Weights>();
    const uint32_t a_seed = 11, w_seed = 12;
    gemm_sizes s = gemm_sizes_of(w_bits, m, n, k);
    memory mem;
    gemm_args g = {};
    gemm_judge_args judge = {};
    double worst = 0;

    void *a = mem.bytes(s.a_bytes), *w = mem.bytes(s.w_bytes), *out = mem.bytes(s.out_bytes);
    g.a = (const unsigned char *)a;
    g.w = (const unsigned char *)w;
    g.out = (uint16_t *)out;
    g.out_stride = s.out_stride;
    g.m = (int)m;
    g.n = (int)n;
    g.row_bytes = (int)s.row_bytes;
    g.steps = (int)s.steps;
    g.parts = parts;
    g.partial = mem.bytes(own_partial_bytes({tile, parts, 0}, m, s.out_stride));
    judge.kind = how.kind;
    judge.m = m;
    judge.n = n;
    judge.k = k;
    judge.batch = 1;
    judge.a = a;
    judge.out = out;
    judge.out_type = NUMBER_FP16;
    judge.out_stride = s.out_stride;
    if (w_bits == 8) {
        float *rows = (float *)mem.bytes(4 * m), *columns = (float *)mem.bytes(4 * n),
              *one = (float *)mem.bytes(4);
        fill(a, NUMBER_INT8, how.kind, a_seed, m, k, s.row_bytes);
        for (int64_t i = 0; i < s.w_bytes / 4; i++)
            w8_fill_word({(uint32_t *)w, w_seed, n, k}, i);
        for (int64_t i = 0; i < m; i++)
            rows[i] = operand_scale(3, i);
        for (int64_t i = 0; i < n; i++)
            columns[i] = operand_scale(4, i);
        *one = operand_scale(5, 0);
        g.row_scale = judge.row_scale = how.scheme == 1 ? rows : nullptr;
        g.tensor_scale = judge.tensor_scale = how.scheme == 2 ? one : nullptr;
        g.static_scale = judge.static_scale = 0.0025f;
        g.column_scale = judge.column_scale = columns;
        judge.weights = WEIGHTS_PACKED_INT8;
        judge.w_seed = w_seed;
        judge.a_type = NUMBER_INT8;
        judge.a_stride = s.row_bytes;
    } else {
        uint32_t *scales = (uint32_t *)mem.bytes(s.scale_bytes);
        w4_fill_args f = {(uint32_t *)w, scales, how.kind, w_seed, n, k};
        fill(a, NUMBER_FP16, how.kind, a_seed, m, k, s.row_bytes / 2);
        for (int64_t i = 0; i < s.w_bytes / 4; i++)
            w4_fill_word(f, i);
        for (int64_t i = 0; i < s.scale_bytes / 4; i++)
            w4_fill_scale(f, i);
        g.group_scale = scales;
        judge.weights = WEIGHTS_PACKED_INT4;
        judge.w_seed = w_seed;
        judge.a_type = NUMBER_FP16;
        judge.a_stride = s.row_bytes / 2;
    }
    emulator_late = how.late;
    emulator_order = how.order;
    launch_own<Weights>(g, tile, async, 0);
    int64_t wrong = wrong_outputs(judge, &worst);
    check(wrong == 0,
          "w%d m %d n %d k %d tile %d parts %d scheme %d kind %d late %d order %d: %d wrong, worst %g",
          w_bits, (int)m, (int)n, (int)k, tile, parts, how.scheme, (int)how.kind, how.late, (int)how.order,
          (int)wrong, worst);
}

/* Shapes around one tile: within it, exactly it, one more, several with ragged ends, k of less than a step,
 * of whole groups, and with ends that are no multiple of anything. */
template <class Weights> void tiles()
{
    for (int tile = 0; tile < 4; tile++) {
        own_tile t = own_tile_at<Weights>(tile);
        int64_t r = t.rows, c = t.columns;
        const int64_t shapes[][3] = {
            {1, 1, 1}, {r, c, 128}, {r + 1, c + 1, 200}, {r - 3, c - 8, 1029}, {2 * r - 5, 2 * c - 33, 264}};
        int i = 0;

        if (t.async_only && !async)
            continue;
        for (auto &s : shapes) {
            setting how = {1 + i % 3, i % 2 ? OPERANDS_EXACT : OPERANDS_RANDOM, i % 2 == 0, (uint64_t)i};
            product<Weights>(s[0], s[1], s[2], tile, 1, how);
            how.late = !how.late;
            how.kind = OPERANDS_EXACT;
            how.order = 17 + (uint64_t)i;
            product<Weights>(s[0], s[1], s[2], tile, i == 3 ? 3 : 1, how);
            i++;
        }
        product<Weights>(r / 2 + 1, c / 2 + 3, 2048, tile, 4, {2, OPERANDS_EXACT, true, 5});
    }
}

template <class Weights> void skinny()
{
    const int64_t shapes[][3] = {{1, 1, 1},    {1, 32, 128},  {8, 33, 129},  {9, 64, 1111}, {16, 95, 2048},
                                 {3, 40, 777}, {7, 65, 5000}, {16, 31, 300}, {1, 200, 4100}};
    int i = 0;

    for (auto &s : shapes) {
        for (int parts = 1; parts <= 4; parts += 3) {
            product<Weights>(s[0], s[1], s[2], OWN_SKINNY, parts,
                             {1 + i % 3, i % 2 ? OPERANDS_EXACT : OPERANDS_RANDOM, false, (uint64_t)i});
            i++;
        }
    }
}

/* ---- rows ------------------------------------------------------------------------------------------- */

struct row_case {
    memory mem;
    row_args g = {};
    row_judge_args judge = {};
    int64_t m, n;

    row_case(int64_t m_, int64_t n_, operand_kind kind) : m(m_), n(n_)
    {
        int64_t stride = round_up(n, 8), bytes = 2 * m * stride;
        uint16_t *in = (uint16_t *)mem.bytes(bytes), *in2 = (uint16_t *)mem.bytes(bytes);
        uint16_t *weight = (uint16_t *)mem.bytes(2 * stride);

        fill(in, NUMBER_FP16, kind, 1, m, n, stride);
        fill(in2, NUMBER_FP16, OPERANDS_RANDOM, 2, m, n, stride);
        fill(weight, NUMBER_FP16, OPERANDS_RANDOM, 3, 1, n, stride);
        for (int64_t row = 0; row < m; row++) /* padding is nobody's value */
            for (int64_t i = n; i < stride; i++)
                in[row * stride + i] = in2[row * stride + i] = 0x7bff;
        g.in = judge.in = in;
        g.in2 = judge.in2 = in2;
        g.weight = judge.weight = weight;
        g.out = (uint16_t *)mem.bytes(bytes);
        judge.out = g.out;
        g.quantized_stride = judge.quantized_stride = round_up(n, 16);
        g.quantized = (int8_t *)mem.bytes(m * g.quantized_stride);
        judge.quantized = g.quantized;
        g.stride = judge.stride = stride;
        g.static_scale = judge.static_scale = 0.01f;
        g.epsilon = judge.epsilon = 1e-5f;
        g.m = (int)m;
        g.n = (int)n;
        judge.m = m;
        judge.n = n;
    }

    void expect_right(row_kernel kernel, const char *what)
    {
        int64_t samples = m * n, wrong = 0;
        double worst = 0;

        judge.kernel = kernel;
        for (int64_t i = 0; i < samples; i++) {
            judgement j = judge_rows(judge, i, samples);
            wrong += is_wrong(j);
            worst = fmax(worst, error_frac(j));
        }
        check(wrong == 0, "%s m %d n %d: %d wrong, worst %g", what, (int)m, (int)n, (int)wrong, worst);
    }
};

template <int GROUP> void rows_of(int64_t m, int64_t n)
{
    int blocks = row_blocks(m, GROUP), shared = ROW_SHARED_BYTES;

    for (int order = 0; order < 4; order++) {
        emulator_order = (uint64_t)order;
        row_case c(m, n, order % 2 ? OPERANDS_RANDOM : OPERANDS_EXACT);
        row_args &g = c.g;
        SIMACC_LAUNCH(softmax_rows<GROUP>, blocks, 1, ROW_THREADS, shared, 0, g);
        c.expect_right(ROW_SOFTMAX, "softmax");
        SIMACC_LAUNCH(rmsnorm_rows<GROUP>, blocks, 1, ROW_THREADS, shared, 0, g);
        c.expect_right(ROW_RMSNORM, "rmsnorm");

        g.row_scale = (float *)c.mem.bytes(4 * m);
        c.judge.row_scale = g.row_scale;
        SIMACC_LAUNCH(quantize_rows<GROUP>, blocks, 1, ROW_THREADS, shared, 0, g);
        c.expect_right(ROW_QUANTIZE, "quantize per token");
        c.judge.row_scale = nullptr;
        SIMACC_LAUNCH(quantize_tensor<GROUP>, blocks, 1, ROW_THREADS, shared, 0, g);
        c.expect_right(ROW_QUANTIZE, "quantize static");
        g.largest = (uint32_t *)c.mem.bytes(4);
        *g.largest = 0;
        c.judge.largest = g.largest;
        SIMACC_LAUNCH(largest_of_tensor<GROUP>, blocks, 1, ROW_THREADS, shared, 0, g);
        SIMACC_LAUNCH(quantize_tensor<GROUP>, blocks, 1, ROW_THREADS, shared, 0, g);
        c.expect_right(ROW_QUANTIZE, "quantize per tensor");
        check(*g.largest == float_bits((float)tensor_largest(c.judge)), "largest of the tensor");

        SIMACC_LAUNCH(residual_rows, ceil_div(m * (g.stride / 8), ROW_THREADS), 1, ROW_THREADS, shared, 0, g);
        c.expect_right(ROW_RESIDUAL, "residual");
    }
}

void copies()
{
    for (int64_t pieces : {1, 255, 1024, 5000}) {
        memory mem;
        unsigned char *in = (unsigned char *)mem.bytes(16 * pieces),
                      *out = (unsigned char *)mem.bytes(16 * pieces);

        for (int64_t i = 0; i < 16 * pieces; i++)
            in[i] = (unsigned char)(i * i >> 3);
        SIMACC_LAUNCH(copy_pieces, 3, 1, ROW_THREADS, 0, 0, in, out, pieces);
        check(memcmp(in, out, (size_t)(16 * pieces)) == 0, "copy of %d pieces", (int)pieces);
    }
}

/* A row of zeros has scale 1 and stays zeros. */
void zeros()
{
    row_case c(2, 100, OPERANDS_EXACT);
    float *scales = (float *)c.mem.bytes(8);

    memset((void *)c.g.in, 0, (size_t)(4 * c.g.stride));
    c.g.row_scale = scales;
    c.judge.row_scale = scales;
    row_args &g = c.g;
    SIMACC_LAUNCH(quantize_rows<32>, 1, 1, ROW_THREADS, ROW_SHARED_BYTES, 0, g);
    c.expect_right(ROW_QUANTIZE, "quantize zeros");
    check(scales[0] == 1 && scales[1] == 1, "scale of zeros");
}

/* The emulator finds what it is there to find. */
void mistakes()
{
    int before = emulator_complaints;
    static int value;
    uint64_t differ = 0;

    emulator_quiet = true;
    emulate(1, 1, 32, 0, [] {
        if (thread_index() == 0)
            barrier();
        else
            shuffle_xor(1, 1);
    });
    emulator_quiet = false;
    check(emulator_complaints == before + 1, "a deadlock is told");
    /* Without a barrier the order of threads decides what thread 0 reads. */
    for (uint64_t order = 0; order < 8; order++) {
        emulator_order = order;
        emulate(1, 1, 64, 0, [&] {
            if (thread_index() == 63)
                value = 1 + (int)order;
            if (thread_index() == 0)
                differ += value == 1 + (int)order;
        });
    }
    check(differ > 0 && differ < 8, "a race shows");
    emulator_complaints = before;
}

} // namespace

int main()
{
    mistakes();
    tiles<weights_int8>();
    tiles<weights_int4>();
    skinny<weights_int8>();
    skinny<weights_int4>();
    for (int64_t n : {1, 8, 31, 256, 300, 1024})
        rows_of<32>(11, n);
    for (int64_t n : {1, 100, 2048, 2051, 5000})
        rows_of<256>(3, n);
    copies();
    zeros();
    check(emulator_complaints == 0, "the emulator has %d complaints", emulator_complaints);
    return check_summary();
}
