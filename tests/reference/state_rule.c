#include "reference/state_rule.h"

#include <string.h>

enum { T = STATE_TOKENS_MAX, D = STATE_DIM_MAX };

static void mac(double *sum, double a, double b, int64_t *count)
{
    *sum += a * b;
    if (count)
        ++*count;
}

static double dot(const double *a, const double *b, int n, int64_t *count)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        mac(&sum, a[i], b[i], count);
    return sum;
}

/* state' x vector */
static void read_state(const state_output *o, const state_input *in, const double *vector, double *result,
                       int64_t *count)
{
    for (int v = 0; v < in->value_dim; v++) {
        result[v] = 0;
        for (int k = 0; k < in->key_dim; k++)
            mac(&result[v], o->state[k][v], vector[k], count);
    }
}

static void scale_state(state_output *o, double by)
{
    for (int k = 0; k < D; k++)
        for (int v = 0; v < D; v++)
            o->state[k][v] *= by;
}

void state_by_definition(const state_input *in, state_output *out)
{
    memset(out, 0, sizeof *out);
    for (int t = 0; t < in->tokens; t++) {
        double seen[D] = {0}, change[D];

        scale_state(out, in->decay[t]);
        if (in->delta)
            read_state(out, in, in->key[t], seen, NULL);
        for (int v = 0; v < in->value_dim; v++)
            change[v] = in->rate[t] * (in->value[t][v] - seen[v]);
        for (int k = 0; k < in->key_dim; k++)
            for (int v = 0; v < in->value_dim; v++)
                out->state[k][v] += in->key[t][k] * change[v];
        read_state(out, in, in->query[t], out->out[t], NULL);
    }
}

void state_by_token(const state_input *in, state_output *out)
{
    memset(out, 0, sizeof *out);
    for (int t = 0; t < in->tokens; t++) {
        double of_key[D] = {0}, of_query[D], change[D],
               match = dot(in->key[t], in->query[t], in->key_dim, NULL);

        if (in->delta)
            read_state(out, in, in->key[t], of_key, &out->macs.read);
        read_state(out, in, in->query[t], of_query, &out->macs.read);
        for (int v = 0; v < in->value_dim; v++) {
            change[v] = in->rate[t] * (in->value[t][v] - in->decay[t] * of_key[v]);
            out->out[t][v] = in->decay[t] * of_query[v] + match * change[v];
        }
        scale_state(out, in->decay[t]);
        for (int k = 0; k < in->key_dim; k++)
            for (int v = 0; v < in->value_dim; v++)
                mac(&out->state[k][v], in->key[t][k], change[v], &out->macs.update);
    }
}

/* ---- one chunk ------------------------------------------------------------------------------------------
 */

typedef struct chunk_work {
    int first, size;
    double gone[T];       /* decay from before the chunk to after its token i */
    double changes[T][D]; /* what each token adds to the state, by value */
} chunk_work;

/* The inverse of the unit lower triangle of entries l[i][j], i > j. */
static void invert(int size, double l[T][T], double x[T][T], int64_t *count)
{
    for (int j = 0; j < size; j++) {
        x[j][j] = 1;
        for (int i = j + 1; i < size; i++) {
            double sum = l[i][j];

            for (int between = j + 1; between < i; between++)
                mac(&sum, l[i][between], x[between][j], count);
            x[i][j] = -sum;
        }
    }
}

/* Changes of the delta rule: X beta (V - G K S), X the inverse of 1 + the triangle. */
static void correct(const state_input *in, state_output *out, chunk_work *w)
{
    static double l[T][T], x[T][T], keys[T][D], values[T][D];

    for (int i = 0; i < w->size; i++)
        for (int j = 0; j < i; j++)
            l[i][j] = in->rate[w->first + i] * w->gone[i] / w->gone[j] *
                      dot(in->key[w->first + i], in->key[w->first + j], in->key_dim, &out->macs.scores);
    invert(w->size, l, x, &out->macs.inverse);
    for (int i = 0; i < w->size; i++) {
        for (int k = 0; k < in->key_dim; k++) {
            keys[i][k] = in->rate[w->first + i] * w->gone[i] * in->key[w->first + i][k];
            for (int j = 0; j < i; j++)
                mac(&keys[i][k], x[i][j], in->rate[w->first + j] * w->gone[j] * in->key[w->first + j][k],
                    &out->macs.wy);
        }
        for (int v = 0; v < in->value_dim; v++) {
            values[i][v] = in->rate[w->first + i] * in->value[w->first + i][v];
            for (int j = 0; j < i; j++)
                mac(&values[i][v], x[i][j], in->rate[w->first + j] * in->value[w->first + j][v],
                    &out->macs.wy);
        }
    }
    for (int i = 0; i < w->size; i++) {
        double seen[D];

        read_state(out, in, keys[i], seen, &out->macs.read);
        for (int v = 0; v < in->value_dim; v++)
            w->changes[i][v] = values[i][v] - seen[v];
    }
}

static void run_chunk(const state_input *in, state_output *out, int first, int size)
{
    static chunk_work work;
    chunk_work *w = &work;
    double last;

    w->first = first;
    w->size = size;
    for (int i = 0; i < size; i++)
        w->gone[i] = in->decay[first + i] * (i > 0 ? w->gone[i - 1] : 1);
    if (in->delta) {
        correct(in, out, w);
    } else {
        for (int i = 0; i < size; i++)
            for (int v = 0; v < in->value_dim; v++)
                w->changes[i][v] = in->rate[first + i] * in->value[first + i][v];
    }
    for (int i = 0; i < size; i++) {
        double *o = out->out[first + i];

        read_state(out, in, in->query[first + i], o, &out->macs.read);
        for (int v = 0; v < in->value_dim; v++)
            o[v] *= w->gone[i];
        for (int j = 0; j <= i; j++) {
            double score = w->gone[i] / w->gone[j] *
                           dot(in->query[first + i], in->key[first + j], in->key_dim, &out->macs.scores);

            for (int v = 0; v < in->value_dim; v++)
                mac(&o[v], score, w->changes[j][v], &out->macs.out);
        }
    }
    last = w->gone[size - 1];
    scale_state(out, last);
    for (int j = 0; j < size; j++)
        for (int k = 0; k < in->key_dim; k++)
            for (int v = 0; v < in->value_dim; v++)
                mac(&out->state[k][v], last / w->gone[j] * in->key[first + j][k], w->changes[j][v],
                    &out->macs.update);
}

void state_by_chunks(const state_input *in, int chunk, state_output *out)
{
    memset(out, 0, sizeof *out);
    for (int first = 0; first < in->tokens; first += chunk)
        run_chunk(in, out, first, in->tokens - first < chunk ? in->tokens - first : chunk);
}
