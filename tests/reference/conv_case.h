/* A convolution with operands and its exact result, and the products that an array makes of it. */
#ifndef TESTS_REFERENCE_CONV_CASE_H
#define TESTS_REFERENCE_CONV_CASE_H

#include "model/types.h"
#include "reference/int_gemm.h"
#include "reference/random.h"

typedef struct conv_case {
    sim_conv2d conv;
    int64_t rows_out, cols_out;
    int a_bits, w_bits;
    bool a_signed, w_signed;
    int32_t *a;        /* [image][row][col][channel], the padding not stored */
    int32_t *w;        /* [kernel row][kernel col][channel of a group][output channel] */
    int64_t *expected; /* [image][row][col][output channel], by the definition */
    int64_t *out;      /* the same, zero: for the model under test */
} conv_case;

/* Uniform operands of the given widths; the kernel fits the padded input and the groups both channels. */
conv_case conv_case_new(const sim_conv2d *conv, int w_bits, int a_bits, bool w_signed, bool a_signed,
                        ref_random *random);
void conv_case_free(conv_case *c);
int64_t conv_case_wrong(const conv_case *c);

/* How an array cuts a convolution into products. */
typedef struct conv_plan {
    bool direct;    /* a product per position of the kernel, over the channels of a group; else im2col, one
                       product over all positions of the kernel */
    bool by_image;  /* a product for each image; else one over the positions of all */
    int64_t packed; /* groups side by side in a product, at least 1: each has a slot of k, and columns of its
                       own whose weights are zero in the slots of the others */
    int64_t slot;   /* elements of a slot where packed > 1 */
} conv_plan;

/* Runs the convolution on a model of GEMMs and returns the cycles. Padding enters as zeros and takes its
 * cycles. */
int64_t conv_case_run(conv_case *c, const conv_plan *plan, int_gemm_model *model, const void *array);

/* A random small convolution: strides, padding, rectangular kernels, groups up to depthwise. */
sim_conv2d conv_case_shape(ref_random *random);

#endif
