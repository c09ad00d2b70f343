/* Index arithmetic, packing, number formats, operands and references of the CUDA plug-in: functions that host
 * and device share, so that what holds here holds on the GPU. */
#include "emulator.h"

#include "cuda_ref/kernels/gemm_run.cuh"
#include "cuda_ref/kernels/judge.cuh"
#include "cuda_ref/stats.h"

#include "check.h"

#include <algorithm>
#include <vector>

extern "C" {
#include "quant/gemm_ref.h"
}

using namespace simacc;

namespace
{

/* ---- number formats --------------------------------------------------------------------------------- */

template <class Bits, class Value, class Round>
void format(const char *name, uint32_t count, uint32_t most, Value value, Round round_to)
{
    double last = 0;

    for (uint32_t bits = 0; bits < count; bits++) {
        double x = value((Bits)bits);

        if (x != x)
            continue;
        check(round_to(x) == (Bits)bits || x == 0, "%s %x comes back as %x", name, bits,
              (unsigned)round_to(x));
        /* Magnitudes rise with their bits; halfway between neighbours the even one wins. */
        if (bits > 0 && bits <= most) {
            double middle = (last + x) / 2;
            Bits even = (Bits)(bits % 2 ? bits - 1 : bits);

            check(x > last, "%s %x rises", name, bits);
            check(round_to(middle) == even, "%s halfway below %x", name, bits);
            check(round_to(nextafter(middle, 1e300)) == (Bits)bits, "%s above the middle of %x", name, bits);
            check(round_to(nextafter(middle, -1)) == (Bits)(bits - 1), "%s below the middle of %x", name,
                  bits);
        }
        last = x;
    }
}

void formats()
{
    format<uint16_t>("fp16", 0x10000, 0x7bff, fp16_value, fp16_bits);
    format<uint16_t>("bf16", 0x10000, 0x7f7f, bf16_value, bf16_bits);
    format<uint8_t>("e4m3", 0x100, 0x7e, e4m3_value, e4m3_bits);
    /* Known values. */
    check(fp16_value(0x3c00) == 1 && fp16_value(0xc000) == -2 && fp16_value(0x7bff) == 65504, "fp16 values");
    check(fp16_value(0x0001) == power_of_two(-24) && fp16_value(0x6400) == 1024, "fp16 values");
    check(fp16_bits(65519.9) == 0x7bff && fp16_bits(65520) == 0x7c00 && fp16_bits(1e9) == 0x7c00,
          "fp16 overflow");
    check(bf16_value(0x3f80) == 1 && bf16_bits(1.00390625) == 0x3f80 && bf16_bits(1.01171875) == 0x3f82,
          "bf16 ties");
    check(e4m3_value(0x7e) == 448 && e4m3_bits(1000) == 0x7e && e4m3_value(0x38) == 1, "e4m3 values");
    check(fp16_bits(NAN) == 0x7e00 && fp16_value(0x7e00) != fp16_value(0x7e00), "fp16 NaN");
}

/* ---- packed weights --------------------------------------------------------------------------------- */

/* Every int8 weight has its own byte, and packing and reading agree on which. */
void packing_int8()
{
    const int64_t shapes[][2] = {{1, 1}, {32, 64}, {33, 65}, {100, 300}};

    for (auto &s : shapes) {
        int64_t n = s[0], k = s[1], bytes = w8_bytes(n, k), steps = w8_steps(k);
        std::vector<uint8_t> used((size_t)bytes), filled((size_t)bytes);

        for (int64_t i = 0; i < bytes / 4; i++)
            w8_fill_word({(uint32_t *)filled.data(), 7, n, k}, i);
        for (int64_t i = 0; i < column_blocks(n) * BLOCK_COLUMNS; i++)
            for (int64_t j = 0; j < steps * STEP_BYTES; j++) {
                int64_t at = w8_place_of(i, j, steps), n_back, k_back;

                check(at >= 0 && at < bytes && !used[(size_t)at]++, "byte of %d, %d", (int)i, (int)j);
                w8_weight_of(at, steps, &n_back, &k_back);
                check(n_back == i && k_back == j, "%d, %d comes back as %d, %d", (int)i, (int)j, (int)n_back,
                      (int)k_back);
                check((int8_t)filled[(size_t)at] == (i < n && j < k ? operand_int8(7, i, j) : 0),
                      "weight %d, %d", (int)i, (int)j);
            }
    }
}

/* Every weight has its own nibble, and packing and reading agree on which. */
void packing()
{
    const int64_t shapes[][2] = {{1, 1}, {32, 128}, {33, 129}, {100, 300}, {256, 512}};

    for (auto &s : shapes) {
        int64_t n = s[0], k = s[1], words = w4_bytes(n, k) / 4, groups = w4_groups(k);
        std::vector<uint8_t> used((size_t)words * 8);

        for (int64_t i = 0; i < column_blocks(n) * BLOCK_COLUMNS; i++)
            for (int64_t j = 0; j < groups * W4_GROUP; j++) {
                w4_place p = w4_place_of(i, j, groups);
                int64_t n_back, k_back;

                check(p.word >= 0 && p.word < words && p.shift % 4 == 0 && p.shift < 32, "place of %d, %d",
                      (int)i, (int)j);
                check(!used[(size_t)(p.word * 8 + p.shift / 4)]++, "nibble of %d, %d is taken", (int)i,
                      (int)j);
                w4_weight_of(p.word, p.shift / 4, groups, &n_back, &k_back);
                check(n_back == i && k_back == j, "%d, %d comes back as %d, %d", (int)i, (int)j, (int)n_back,
                      (int)k_back);
            }
        check(std::count(used.begin(), used.end(), 1) == words * 8, "all nibbles of %d x %d are used", (int)n,
              (int)k);

        std::vector<uint8_t> scale_used((size_t)w4_scale_words(n, k));
        for (int64_t i = 0; i < column_blocks(n) * BLOCK_COLUMNS; i++)
            for (int64_t g = 0; g < groups; g++) {
                int64_t place = w4_scale_place(i, g, column_blocks(n)), n_back, g_back;

                check(place < (int64_t)scale_used.size() && !scale_used[(size_t)place]++, "scale %d, %d",
                      (int)i, (int)g);
                w4_scale_of(place, column_blocks(n), &n_back, &g_back);
                check(n_back == i && g_back == g, "scale %d, %d comes back", (int)i, (int)g);
            }
    }
}

/* All codes, zero points and a spread of scales: what the kernels' bit tricks give is the weight, rounded
 * once. */
void dequantization()
{
    for (int zero = 0; zero < 16; zero++)
        for (uint32_t scale = 0x0001; scale < 0x7000; scale += 61) {
            w4_scale s = w4_prepare(scale | (uint32_t)fp16_bits(zero) << 16);

            for (int code = 0; code < 16; code += 8) {
                uint32_t word = 0, out[4];

                for (int i = 0; i < 8; i++)
                    word |= (uint32_t)(code + i) << 4 * i;
                w4_dequantize(word, s, out);
                for (int p = 0; p < 4; p++)
                    for (int i = 0; i < 2; i++) {
                        uint16_t wanted = fp16_bits((code + p + 4 * i - zero) * fp16_value((uint16_t)scale));
                        uint16_t got = (uint16_t)(out[p] >> 16 * i);

                        check(fp16_value(got) == fp16_value(wanted), "code %d zero %d scale %x: %x, not %x",
                              code + p + 4 * i, zero, scale, got, wanted);
                    }
            }
        }
}

/* Filling puts every code where reading looks for it. */
void filled()
{
    const int64_t n = 75, k = 333;
    std::vector<uint32_t> words((size_t)w4_bytes(n, k) / 4), scales((size_t)w4_scale_words(n, k));
    w4_fill_args f = {words.data(), scales.data(), OPERANDS_RANDOM, 9, n, k};

    for (size_t i = 0; i < words.size(); i++)
        w4_fill_word(f, (int64_t)i);
    for (size_t i = 0; i < scales.size(); i++)
        w4_fill_scale(f, (int64_t)i);
    for (int64_t i = 0; i < column_blocks(n) * BLOCK_COLUMNS; i++)
        for (int64_t j = 0; j < w4_groups(k) * W4_GROUP; j++) {
            w4_place p = w4_place_of(i, j, w4_groups(k));
            uint32_t scale = scales[(size_t)w4_scale_place(i, j / W4_GROUP, column_blocks(n))];
            int code = (int)(words[(size_t)p.word] >> p.shift & 15u);
            double value = (code - fp16_value((uint16_t)(scale >> 16))) * fp16_value((uint16_t)scale);
            double wanted = i < n && j < k ? w4_value(OPERANDS_RANDOM, 9, i, j) : 0;

            check(fp16_value(fp16_bits(value)) == wanted, "weight %d, %d is %g, not %g", (int)i, (int)j,
                  value, wanted);
        }
}

/* ---- work ------------------------------------------------------------------------------------------- */

void shares()
{
    for (int m = 1; m <= 40; m += 3)
        for (int n = 1; n <= 30; n++) {
            std::vector<int> used((size_t)(m * n));

            for (int block = 0; block < m * n; block++) {
                int i = -1, j = -1;

                tile_of_block(block, m, n, &i, &j);
                check(i >= 0 && i < m && j >= 0 && j < n && !used[(size_t)(i * n + j)]++,
                      "tile of block %d of %d x %d", block, m, n);
            }
        }
    for (int steps : {1, 3, 4, 7, 8, 64, 449})
        for (int unit : {1, 4})
            for (int parts = 1; parts <= 16; parts++) {
                int at = 0, begin, end;

                for (int part = 0; part < parts; part++) {
                    split_steps(steps, unit, parts, part, &begin, &end);
                    check((begin == at || begin >= end) && (begin % unit == 0 || begin >= end) &&
                              end <= steps,
                          "part %d of %d of %d", part, parts, steps);
                    at = begin < end ? end : at;
                }
                check(at == steps, "parts cover all %d steps", steps);
            }
}

/* Choices are launchable and sorted, and there is always one. */
template <class Weights> void choices(int w_bits)
{
    for (int64_t m : {1, 16, 17, 100, 4096})
        for (int64_t n : {1, 1000, 28672})
            for (int64_t k : {1, 4096, 28672})
                for (int async = 0; async < 2; async++) {
                    own_choice c[OWN_CHOICES_MAX];
                    gemm_sizes s = gemm_sizes_of(w_bits, m, n, k);
                    int count = own_choices<Weights>(async != 0, 40, m, n, s.steps, c);

                    check(count >= 1 && count <= OWN_CHOICES_MAX, "%d choices", count);
                    for (int i = 0; i < count; i++) {
                        check(c[i].parts >= 1 && c[i].parts <= 16, "parts");
                        check(i == 0 || c[i].cost >= c[i - 1].cost, "sorted");
                        check(c[i].tile != OWN_SKINNY || m <= SKINNY_ROWS, "skinny only for few rows");
                        check(async || c[i].tile < 3, "the largest tiles need asynchronous copies");
                    }
                }
}

/* Turing has 64 KiB of shared memory for a block, the smallest of the later ones (sm_86, sm_89) 99. */
template <class Weights> void memory()
{
    typedef own_tiles<Weights> tiles;
    check((tile_shared_bytes<Weights, typename tiles::t0>(false) <= 65536), "shared memory");
    check((tile_shared_bytes<Weights, typename tiles::t1>(false) <= 65536), "shared memory");
    check((tile_shared_bytes<Weights, typename tiles::t2>(false) <= 65536), "shared memory");
    check((tile_shared_bytes<Weights, typename tiles::t0>(true) <= 99 * 1024), "shared memory");
    check((tile_shared_bytes<Weights, typename tiles::t1>(true) <= 99 * 1024), "shared memory");
    check((tile_shared_bytes<Weights, typename tiles::t2>(true) <= 99 * 1024), "shared memory");
    check((tile_shared_bytes<Weights, typename tiles::t3>(true) <= 99 * 1024), "shared memory");
    check(skinny_shared_bytes() <= 48 * 1024, "shared memory");
}

/* ---- references ------------------------------------------------------------------------------------- */

/* The judges' sums are those of quant/gemm_ref. */
void references()
{
    const int64_t m = 5, n = 7, k = 50;
    std::vector<int32_t> ai(m * k), wi(n * k);
    std::vector<int64_t> oi(m * n);
    std::vector<double> ad(m * k), wd(n * k), od(m * n);
    std::vector<int8_t> a8(m * k), w8(n * k);
    std::vector<uint16_t> a16(m * k), w16(n * k), out(m * n);
    std::vector<float> rows(m), columns(n);

    for (int64_t r = 0; r < m; r++)
        for (int64_t i = 0; i < k; i++) {
            a8[r * k + i] = (int8_t)operand_int8(1, r, i);
            ai[r * k + i] = a8[r * k + i];
            a16[r * k + i] = fp16_bits(operand_real(OPERANDS_RANDOM, 8, 1, r, i));
            ad[r * k + i] = fp16_value(a16[r * k + i]);
        }
    for (int64_t c = 0; c < n; c++)
        for (int64_t i = 0; i < k; i++) {
            w8[c * k + i] = (int8_t)operand_int8(2, c, i);
            w16[c * k + i] = fp16_bits(operand_real(OPERANDS_RANDOM, 8, 2, c, i));
            wi[i * n + c] = w8[c * k + i]; /* [k][n] */
            wd[i * n + c] = fp16_value(w16[c * k + i]);
        }
    for (int64_t i = 0; i < m; i++)
        rows[i] = operand_scale(3, i);
    for (int64_t i = 0; i < n; i++)
        columns[i] = operand_scale(4, i);
    check(quant_gemm_int(m, n, k, ai.data(), wi.data(), oi.data()), "the integer reference");
    quant_gemm_real(m, n, k, ad.data(), wd.data(), od.data());

    gemm_judge_args g = {};
    g.m = m;
    g.n = n;
    g.k = k;
    g.batch = 1;
    g.a_stride = g.w_stride = k;
    g.out_stride = n;
    g.out = out.data();
    g.out_type = NUMBER_FP16;
    for (int64_t i = 0; i < m * n; i++) {
        g.a = a16.data();
        g.w = w16.data();
        g.a_type = g.w_type = NUMBER_FP16;
        g.kind = OPERANDS_RANDOM;
        out[i] = fp16_bits(od[i]);
        judgement j = judge_gemm(g, i, m * n);
        check(j.wanted == od[i] && !is_wrong(j) && error_frac(j) <= 1, "real output %d", (int)i);
        out[i] = fp16_bits(od[i] * 1.01 + 0.01);
        check(is_wrong(judge_gemm(g, i, m * n)), "an error of 1%% is seen");

        g.a = a8.data();
        g.w = w8.data();
        g.a_type = g.w_type = NUMBER_INT8;
        g.row_scale = rows.data();
        g.column_scale = columns.data();
        float scaled = (float)oi[i] * rows[i / n] * columns[i % n];
        out[i] = fp16_bits(scaled);
        check(!is_wrong(judge_gemm(g, i, m * n)), "int8 output %d", (int)i);
        out[i] ^= 1;
        check(is_wrong(judge_gemm(g, i, m * n)), "a wrong last bit is seen");
    }
}

/* A scale per tensor is judged too: values that fit a largest that no element has are wrong. */
void tensor_scales()
{
    const int64_t m = 2, n = 8;
    std::vector<uint16_t> in(m * n);
    std::vector<int8_t> q(m * n);
    uint32_t largest_bits = 0;
    row_judge_args g = {};

    for (int64_t i = 0; i < m * n; i++)
        in[i] = fp16_bits(i % 2 ? -(double)i : (double)i); /* 15 is the largest */
    g.kernel = ROW_QUANTIZE;
    g.in = in.data();
    g.quantized = q.data();
    g.largest = &largest_bits;
    g.m = m;
    g.n = g.stride = g.quantized_stride = n;
    for (float largest : {15.0f, 30.0f, 14.0f}) {
        int wrong = 0;

        largest_bits = float_bits(largest);
        for (int64_t i = 0; i < m * n; i++)
            q[i] = (int8_t)fmin(127, fmax(-127, rint((float)fp16_value(in[i]) / (largest / 127.0f))));
        for (int64_t i = 0; i < m * n; i++)
            wrong += is_wrong(judge_rows(g, i, m * n));
        check(wrong == (largest == 15 ? 0 : m * n), "largest %g: %d wrong", largest, wrong);
    }
}

/* Sampled places are inside, and the corners are among them. */
void samples()
{
    const int64_t m = 1000, n = 777, batch = 3, count = 4096;
    int last_row = 0, last_column = 0, batches[3] = {0};

    for (int64_t i = 0; i < count; i++) {
        int64_t b, row, column;

        sample_place(i, count, m, n, batch, &b, &row, &column);
        check(b >= 0 && b < batch && row >= 0 && row < m && column >= 0 && column < n, "sample %d", (int)i);
        last_row += row == m - 1;
        last_column += column == n - 1;
        batches[b]++;
    }
    check(last_row > 100 && last_column > 100 && batches[0] > 500 && batches[2] > 500, "edges are sampled");
}

/* NaN and infinities are wrong whatever the bound. */
void verdicts()
{
    check(is_wrong({NAN, 1, 5}) && is_wrong({INFINITY, 1, 5}) && !is_wrong({1, 1, 0}) &&
              is_wrong({1, 1.5, 0}),
          "verdicts");
    check(error_frac({1, 1, 0}) == 0 && error_frac({1, 2, 0}) == INFINITY && error_frac({1, 2, 4}) == 0.25f,
          "fractions");
}

/* ---- statistics ------------------------------------------------------------------------------------- */

void statistics()
{
    double odd[] = {5, 1, 9, 3, 7}, even[] = {4, 1, 3, 2}, one[] = {6};
    sample_stats s = stats_of(odd, 5);

    check(s.median == 5 && s.least == 1 && fabs(s.p10 - 1.8) < 1e-12 && fabs(s.p90 - 8.2) < 1e-12,
          "odd: %g %g", s.p10, s.p90);
    s = stats_of(even, 4);
    check(s.median == 2.5 && s.least == 1, "even");
    s = stats_of(one, 1);
    check(s.median == 6 && s.p10 == 6 && s.p90 == 6, "one");
}

} // namespace

int main()
{
    formats();
    packing();
    packing_int8();
    dequantization();
    filled();
    shares();
    choices<weights_int8>(8);
    choices<weights_int4>(4);
    memory<weights_int8>();
    memory<weights_int4>();
    references();
    tensor_scales();
    samples();
    verdicts();
    statistics();
    return check_summary();
}
