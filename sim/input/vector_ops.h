/* What one output element of a vector operation costs, in operations of a vector lane.
 *
 * An add, a multiply, a comparison, an exponential, a logarithm, a reciprocal, a hyperbolic tangent or an
 * error function is one operation; so the numbers below are counts of the steps of each formula, not
 * measurements. One number of a row (its maximum, its sum, its mean) costs one operation per element that
 * goes into it; work done once per row is left out. */
#ifndef SIM_INPUT_VECTOR_OPS_H
#define SIM_INPUT_VECTOR_OPS_H

enum {
    SIM_OPS_SOFTMAX = 5,    /* running maximum, subtract, exponential, running sum, scale by 1/sum */
    SIM_OPS_RMS_NORM = 4,   /* square, running sum, scale by 1/rms, multiply by the weight */
    SIM_OPS_LAYER_NORM = 7, /* running sum, subtract the mean, square, running sum, scale, weight, bias */
    SIM_OPS_ROPE = 3,       /* x cos, y sin, add; sines and cosines come from a table */
    SIM_OPS_ADD = 1,        /* residual additions */
    SIM_OPS_MULTIPLY = 1,   /* the gate of a gated feed-forward network */
    SIM_OPS_SOFT_CAP = 3,   /* c tanh(x / c): scale, tanh, scale */
    SIM_OPS_ALIBI = 1,      /* a slope times the distance, from a table, added to a score */
    SIM_OPS_RELU = 1,       /* comparison */
    SIM_OPS_SIGMOID = 3,    /* 1 / (1 + exp(-x)): exponential, add, reciprocal */
    SIM_OPS_TANH = 1,       /* like the error function */
    SIM_OPS_SOFTCAP = 3,    /* c tanh(x / c): scale, tanh, scale */
    SIM_OPS_SOFTPLUS = 3,   /* log(1 + exp(x)): exponential, add, logarithm */
    SIM_OPS_TOP_K = 1,      /* comparison with the least of the best so far */
    SIM_OPS_SILU = 4,       /* x / (1 + exp(-x)): exponential, add, reciprocal, multiply */
    SIM_OPS_GELU = 5,       /* x/2 (1 + erf(x/sqrt 2)): scale, erf, add, multiply, halve */
    SIM_OPS_GELU_TANH = 8,  /* x/2 (1 + tanh(x (c + d x^2))): square, d, c, x, tanh, add, multiply, halve */
};

#endif
