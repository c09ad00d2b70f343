#include "reference/conv_case.h"

#include "reference/operands.h"
#include "reference/pe_machine.h"

#include <stdlib.h>

static bool inside(int64_t at, int64_t size)
{
    return at >= 0 && at < size;
}

static int64_t input_index(const sim_conv2d *v, int64_t image, int64_t row, int64_t col, int64_t channel)
{
    return ((image * v->h_in + row) * v->w_in + col) * v->c_in + channel;
}

/* The definition, one multiply-accumulate after another. */
static int64_t output_of(const conv_case *c, int64_t image, int64_t row, int64_t col, int64_t filter)
{
    const sim_conv2d *v = &c->conv;
    const int64_t channels = v->c_in / v->groups, group = filter / (v->c_out / v->groups);
    int64_t sum = 0;
    for (int64_t y = 0; y < v->kernel_h; y++) {
        for (int64_t x = 0; x < v->kernel_w; x++) {
            const int64_t from_row = row * v->stride + y - v->padding;
            const int64_t from_col = col * v->stride + x - v->padding;
            if (!inside(from_row, v->h_in) || !inside(from_col, v->w_in))
                continue;
            for (int64_t channel = 0; channel < channels; channel++)
                sum += (int64_t)c->a[input_index(v, image, from_row, from_col, group * channels + channel)] *
                       c->w[((y * v->kernel_w + x) * channels + channel) * v->c_out + filter];
        }
    }
    return sum;
}

conv_case conv_case_new(const sim_conv2d *conv, int w_bits, int a_bits, bool w_signed, bool a_signed,
                        ref_random *random)
{
    conv_case c = {.conv = *conv,
                   .rows_out = (conv->h_in + 2 * conv->padding - conv->kernel_h) / conv->stride + 1,
                   .cols_out = (conv->w_in + 2 * conv->padding - conv->kernel_w) / conv->stride + 1,
                   .w_bits = w_bits,
                   .a_bits = a_bits,
                   .w_signed = w_signed,
                   .a_signed = a_signed};
    const int64_t inputs = conv->images * conv->h_in * conv->w_in * conv->c_in;
    const int64_t weights = conv->kernel_h * conv->kernel_w * (conv->c_in / conv->groups) * conv->c_out;
    const int64_t outputs = conv->images * c.rows_out * c.cols_out * conv->c_out;
    c.a = pe_alloc(inputs, sizeof *c.a);
    c.w = pe_alloc(weights, sizeof *c.w);
    c.expected = pe_alloc(outputs, sizeof *c.expected);
    c.out = pe_alloc(outputs, sizeof *c.out);
    operands_draw(c.a, inputs, a_bits, a_signed, random);
    operands_draw(c.w, weights, w_bits, w_signed, random);
    int64_t *next = c.expected;
    for (int64_t image = 0; image < conv->images; image++) {
        for (int64_t row = 0; row < c.rows_out; row++) {
            for (int64_t col = 0; col < c.cols_out; col++) {
                for (int64_t filter = 0; filter < conv->c_out; filter++)
                    *next++ = output_of(&c, image, row, col, filter);
            }
        }
    }
    return c;
}

void conv_case_free(conv_case *c)
{
    free(c->a);
    free(c->w);
    free(c->expected);
    free(c->out);
}

int64_t conv_case_wrong(const conv_case *c)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < c->conv.images * c->rows_out * c->cols_out * c->conv.c_out; i++)
        wrong += c->out[i] != c->expected[i];
    return wrong;
}

/* One product: some groups, images and positions of the kernel. */
typedef struct piece {
    int64_t image, images, group, groups, tap, taps;
    int64_t slot; /* elements of k that each group has */
} piece;

/* Row by row of k = groups * slot elements: what the positions of the images see, [group][tap][channel]. */
static void gather_inputs(const conv_case *c, const piece *p, int32_t *a)
{
    const sim_conv2d *v = &c->conv;
    const int64_t channels = v->c_in / v->groups, positions = c->rows_out * c->cols_out;
    for (int64_t i = 0; i < p->images * positions; i++) {
        for (int64_t group = 0; group < p->groups; group++) {
            int32_t *next = &a[(i * p->groups + group) * p->slot];
            const int64_t first_channel = (p->group + group) * channels;
            for (int64_t tap = p->tap; tap < p->tap + p->taps; tap++) {
                const int64_t row = i % positions / c->cols_out * v->stride + tap / v->kernel_w - v->padding;
                const int64_t col = i % c->cols_out * v->stride + tap % v->kernel_w - v->padding;
                const bool real = inside(row, v->h_in) && inside(col, v->w_in);
                for (int64_t channel = first_channel; channel < first_channel + channels; channel++)
                    *next++ = real ? c->a[input_index(v, p->image + i / positions, row, col, channel)] : 0;
            }
        }
    }
}

/* k rows of groups * n columns, zero outside a group's own slot. */
static void gather_weights(const conv_case *c, const piece *p, int32_t *w)
{
    const sim_conv2d *v = &c->conv;
    const int64_t channels = v->c_in / v->groups, n = v->c_out / v->groups;
    for (int64_t group = 0; group < p->groups; group++) {
        for (int64_t element = 0; element < p->taps * channels; element++) {
            const int32_t *from = &c->w[(p->tap * channels + element) * v->c_out + (p->group + group) * n];
            int32_t *to = &w[(group * p->slot + element) * p->groups * n + group * n];
            for (int64_t i = 0; i < n; i++)
                to[i] = from[i];
        }
    }
}

static int64_t run_piece(conv_case *c, const piece *p, int_gemm_model *model, const void *array)
{
    const sim_conv2d *v = &c->conv;
    const int64_t first = p->image * c->rows_out * c->cols_out;
    const int64_t m = p->images * c->rows_out * c->cols_out;
    const int64_t n = p->groups * (v->c_out / v->groups), k = p->groups * p->slot;
    int32_t *a = pe_alloc(m * k, sizeof *a), *w = pe_alloc(k * n, sizeof *w);
    int64_t *out = pe_alloc(m * n, sizeof *out);
    const int_gemm gemm = {m, n, k, a, w, c->a_bits, c->w_bits, c->a_signed, c->w_signed};
    gather_inputs(c, p, a);
    gather_weights(c, p, w);
    const int64_t cycles = model(array, &gemm, out);
    for (int64_t i = 0; i < m * n; i++)
        c->out[(first + i / n) * v->c_out + p->group * (v->c_out / v->groups) + i % n] += out[i];
    free(a);
    free(w);
    free(out);
    return cycles;
}

int64_t conv_case_run(conv_case *c, const conv_plan *plan, int_gemm_model *model, const void *array)
{
    const sim_conv2d *v = &c->conv;
    const int64_t all = v->kernel_h * v->kernel_w, taps = plan->direct ? 1 : all;
    const int64_t images = plan->by_image ? 1 : v->images;
    int64_t cycles = 0;
    for (int64_t i = 0; i < v->images * c->rows_out * c->cols_out * v->c_out; i++)
        c->out[i] = 0;
    for (int64_t image = 0; image < v->images; image += images) {
        for (int64_t group = 0; group < v->groups; group += plan->packed) {
            const int64_t left = v->groups - group;
            for (int64_t tap = 0; tap < all; tap += taps) {
                const piece p = {.image = image,
                                 .images = images,
                                 .group = group,
                                 .groups = left < plan->packed ? left : plan->packed,
                                 .tap = tap,
                                 .taps = taps,
                                 .slot = plan->packed > 1 ? plan->slot : taps * (v->c_in / v->groups)};
                cycles += run_piece(c, &p, model, array);
            }
        }
    }
    return cycles;
}

sim_conv2d conv_case_shape(ref_random *random)
{
    sim_conv2d v = {.images = ref_random_int(random, 1, 2),
                    .kernel_h = ref_random_int(random, 1, 4),
                    .kernel_w = ref_random_int(random, 1, 4),
                    .stride = ref_random_int(random, 1, 3),
                    .padding = ref_random_int(random, 0, 2),
                    .groups = ref_random_one_in(random, 2) ? 1 : ref_random_int(random, 2, 5)};
    const int64_t least_h = v.kernel_h - 2 * v.padding, least_w = v.kernel_w - 2 * v.padding;
    v.h_in = ref_random_int(random, least_h < 1 ? 1 : least_h, 7);
    v.w_in = ref_random_int(random, least_w < 1 ? 1 : least_w, 7);
    /* One channel per group is depthwise. */
    v.c_in = v.groups * ref_random_scale(random, 1, v.groups == 1 ? 40 : 10);
    v.c_out = v.groups * ref_random_scale(random, 1, 12);
    return v;
}
