/* The reference GEMMs against sums done by hand, other orders of summation and exact arithmetic. */
#include "quant/gemm_ref.h"
#include "reference/random.h"

#include <criterion/criterion.h>

Test(gemm_ref, by_hand)
{
    const int32_t a[2 * 3] = {1, -2, 3, 4, 5, -6};
    const int32_t w[3 * 2] = {7, 8, -9, 10, 11, 12};
    int64_t out[4] = {0};
    cr_assert(quant_gemm_int(2, 2, 3, a, w, out));
    const int64_t expected[4] = {7 + 18 + 33, 8 - 20 + 36, 28 - 45 - 66, 32 + 50 - 72};
    for (int i = 0; i < 4; i++)
        cr_expect(out[i] == expected[i], "out[%d] = %lld", i, (long long)out[i]);
}

Test(gemm_ref, nothing_to_sum_is_zero)
{
    int64_t out[6];
    double real[6];
    for (int i = 0; i < 6; i++) {
        out[i] = 99;
        real[i] = 99;
    }
    cr_assert(quant_gemm_int(2, 3, 0, NULL, NULL, out));
    quant_gemm_real(2, 3, 0, NULL, NULL, real);
    for (int i = 0; i < 6; i++)
        cr_expect(out[i] == 0 && real[i] == 0);
}

/* Integers of up to 16 bits are exact in a double for these k, in any order of summation. */
Test(gemm_ref, integers_and_doubles_agree)
{
    enum { SIDE = 24 };
    static int32_t a[SIDE * SIDE], w[SIDE * SIDE];
    static double a_real[SIDE * SIDE], w_real[SIDE * SIDE], real[SIDE * SIDE];
    static int64_t out[SIDE * SIDE];
    ref_random random = {1};
    for (int i = 0; i < 300; i++) {
        const int64_t m = ref_random_int(&random, 1, SIDE), n = ref_random_int(&random, 1, SIDE);
        const int64_t k = ref_random_int(&random, 1, SIDE);
        for (int64_t j = 0; j < m * k; j++)
            a_real[j] = a[j] = (int32_t)ref_random_int(&random, -32768, 32767);
        for (int64_t j = 0; j < k * n; j++)
            w_real[j] = w[j] = (int32_t)ref_random_int(&random, -32768, 32767);
        cr_assert(quant_gemm_int(m, n, k, a, w, out));
        quant_gemm_real(m, n, k, a_real, w_real, real);
        for (int64_t row = 0; row < m; row++) {
            for (int64_t col = 0; col < n; col++) {
                int64_t backwards = 0;
                for (int64_t l = k; l-- > 0;)
                    backwards += (int64_t)a[row * k + l] * w[l * n + col];
                cr_assert(out[row * n + col] == backwards);
                cr_assert(real[row * n + col] == (double)backwards);
            }
        }
    }
}

/* What quantized GEMMs rest on: the worst sum of 16-bit operands stays inside 64 bits. */
Test(gemm_ref, widest_operands)
{
    enum { K = 1 << 16 };
    static int32_t a[K], w[K];
    int64_t out = 0;
    for (int i = 0; i < K; i++)
        a[i] = w[i] = -32768;
    cr_assert(quant_gemm_int(1, 1, K, a, w, &out));
    cr_expect(out == (INT64_C(1) << 46));
}

Test(gemm_ref, overflow_is_reported_on_both_sides)
{
    int32_t a[4] = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN};
    const int32_t w[4] = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN};
    int64_t out = 0;
    cr_expect(quant_gemm_int(1, 1, 1, a, w, &out));
    cr_expect(out == (INT64_C(1) << 62));
    cr_expect_not(quant_gemm_int(1, 1, 2, a, w, &out)); /* 2^63 */
    for (int i = 0; i < 4; i++)
        a[i] = INT32_MAX;
    cr_expect(quant_gemm_int(1, 1, 2, a, w, &out)); /* -2^63 + 2^32 */
    cr_expect(out == INT64_MIN + (INT64_C(1) << 32));
    cr_expect_not(quant_gemm_int(1, 1, 3, a, w, &out));
}

/* The stated order of k: with these doubles every other order gives another sum. */
Test(gemm_ref, doubles_sum_in_the_order_of_k)
{
    const double a[4] = {1e16, 1.0, -1e16, 1.0};
    const double w[4] = {1.0, 1.0, 1.0, 1.0};
    double out = 0.0;
    quant_gemm_real(1, 1, 4, a, w, &out);
    cr_expect(out == 1.0); /* (1e16 + 1) rounds to 1e16 */
}
