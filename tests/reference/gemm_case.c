#include "reference/gemm_case.h"

#include "quant/gemm_ref.h"
#include "reference/pe_machine.h"

#include <stdlib.h>
#include <string.h>

static int32_t *operand(int64_t count, int64_t least, int64_t most, ref_random *random)
{
    int32_t *values = pe_alloc(count, sizeof *values);
    for (int64_t i = 0; i < count; i++) {
        do
            values[i] = (int32_t)ref_random_int(random, least, most);
        while (values[i] == 0);
    }
    return values;
}

gemm_case gemm_case_new(int64_t m, int64_t n, int64_t k, int64_t a_least, int64_t a_most, int64_t w_least,
                        int64_t w_most, ref_random *random)
{
    gemm_case gemm = {.m = m, .n = n, .k = k};
    gemm.a = operand(m * k, a_least, a_most, random);
    gemm.w = operand(k * n, w_least, w_most, random);
    gemm.expected = pe_alloc(m * n, sizeof *gemm.expected);
    gemm.out = pe_alloc(m * n, sizeof *gemm.out);
    if (!quant_gemm_int(m, n, k, gemm.a, gemm.w, gemm.expected))
        abort(); /* no test has operands that wide */
    return gemm;
}

void gemm_case_free(gemm_case *gemm)
{
    free(gemm->a);
    free(gemm->w);
    free(gemm->expected);
    free(gemm->out);
}

void gemm_case_clear(gemm_case *gemm)
{
    memset(gemm->out, 0, (size_t)(gemm->m * gemm->n) * sizeof *gemm->out);
}

int64_t gemm_case_wrong(const gemm_case *gemm)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < gemm->m * gemm->n; i++)
        wrong += gemm->out[i] != gemm->expected[i];
    return wrong;
}
