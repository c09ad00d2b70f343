/* A GEMM with operands and its exact product, for models that compute values. */
#ifndef TESTS_REFERENCE_GEMM_CASE_H
#define TESTS_REFERENCE_GEMM_CASE_H

#include "reference/random.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct gemm_case {
    int64_t m, n, k;
    int32_t *a, *w;    /* m x k, k x n */
    int64_t *expected; /* m x n */
    int64_t *out;      /* m x n, zero: for the model under test */
} gemm_case;

/* Operands within least..most (zero is avoided, so that a lost value always shows) by the exact reference. */
gemm_case gemm_case_new(int64_t m, int64_t n, int64_t k, int64_t a_least, int64_t a_most, int64_t w_least,
                        int64_t w_most, ref_random *random);
void gemm_case_free(gemm_case *gemm);
/* Sets `out` to zero. */
void gemm_case_clear(gemm_case *gemm);
/* Outputs that differ from the exact product. */
int64_t gemm_case_wrong(const gemm_case *gemm);

#endif
