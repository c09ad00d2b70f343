/* The gated delta rule and Mamba 2 on real numbers, one head: token by token as the rule is defined, and in
 * chunks in matrix form, with every multiply-accumulate of a product counted where it happens. Scaling by
 * decays and rates is not a product and not counted.
 *
 * Gated delta rule: Yang, Kautz, Hatamizadeh, arXiv 2412.06464, eq. 10. Mamba 2: Dao, Gu, arXiv 2405.21060.
 */
#ifndef TESTS_REFERENCE_STATE_RULE_H
#define TESTS_REFERENCE_STATE_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum { STATE_TOKENS_MAX = 40, STATE_DIM_MAX = 8 };

/* A sequence; of Mamba `rate` is dt, of the delta rule beta. */
typedef struct state_input {
    bool delta;
    int tokens, key_dim, value_dim;
    double key[STATE_TOKENS_MAX][STATE_DIM_MAX], query[STATE_TOKENS_MAX][STATE_DIM_MAX];
    double value[STATE_TOKENS_MAX][STATE_DIM_MAX];
    double decay[STATE_TOKENS_MAX], rate[STATE_TOKENS_MAX]; /* in (0, 1) */
} state_input;

typedef struct state_macs {
    int64_t scores, inverse, wy, read, out, update;
} state_macs;

typedef struct state_output {
    double out[STATE_TOKENS_MAX][STATE_DIM_MAX];
    double state[STATE_DIM_MAX][STATE_DIM_MAX]; /* after the last token; zero before the first */
    state_macs macs;
} state_output;

/* The rule's own lines, with the state read twice (before and after the update). Counts nothing. */
void state_by_definition(const state_input *in, state_output *out);
/* The same with one read of the old state per token. */
void state_by_token(const state_input *in, state_output *out);
void state_by_chunks(const state_input *in, int chunk, state_output *out);

#endif
