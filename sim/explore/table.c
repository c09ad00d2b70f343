#include "explore/table.h"

#include "base/hash.h"
#include "model/pricer.h"

#include <string.h>

static sim_status out_of_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- kinds of layers ------------------------------------------------------------------------------ */

/* Everything in a layer that its price depends on, as numbers: names and lines do not count. */
enum { WORK_NUMBERS = 35 };

typedef struct work {
    int64_t of[WORK_NUMBERS];
} work;

static void work_of(const sim_layer *l, work *out)
{
    const sim_conv2d *c = &l->conv;
    /* A product of two activations takes w bits only where the workload gives it some. */
    const bool by_w = l->weights == SIM_WEIGHTS_DYNAMIC && l->own.w.bits > 0;
    const int64_t numbers[WORK_NUMBERS - 1] = {l->op,
                                               l->m,
                                               l->n,
                                               l->k,
                                               l->batch,
                                               l->weights,
                                               c->images,
                                               c->h_in,
                                               c->w_in,
                                               c->c_in,
                                               c->c_out,
                                               c->kernel_h,
                                               c->kernel_w,
                                               c->stride,
                                               c->padding,
                                               c->groups,
                                               by_w,
                                               l->needed_macs,
                                               l->map_n,
                                               l->map_k,
                                               l->a_on_chip,
                                               l->out_on_chip,
                                               l->kv_outputs << 1 | l->tied,
                                               l->stored_batch,
                                               l->kv_row_elements,
                                               l->w_on_chip << 1 | l->later_pass,
                                               l->inputs,
                                               l->param_elements,
                                               l->devices << 1 | l->repeated,
                                               l->all_macs,
                                               l->spare_n,
                                               l->in_bits,
                                               l->out_bits,
                                               l->cache_rows * l->cache_row_elements};

    memcpy(out->of, numbers, sizeof numbers);
    memcpy(&out->of[WORK_NUMBERS - 1], &l->ops_per_element, sizeof l->ops_per_element);
}

typedef struct kind {
    work work;
    const sim_layer *layer; /* the first of its kind */
    int64_t index;
    struct kind *next;
} kind;

enum { CHAINS = 1024 };

/* Sorts the layers into kinds; *first[k] becomes the first layer of kind k. */
static sim_status find_kinds(const sim_workload *workload, sim_arena *arena, const sim_layer ***first,
                             sim_cost_table *out, sim_err *err)
{
    const int64_t count = workload->layer_count;
    int64_t *kinds = sim_arena_alloc(arena, (size_t)count, sizeof *kinds);
    kind **chains = sim_arena_alloc(arena, CHAINS, sizeof(kind *));

    *first = sim_arena_alloc(arena, (size_t)count, sizeof(const sim_layer *));
    if (!kinds || !chains || !*first)
        return out_of_memory(err);
    for (int64_t i = 0; i < count; i++) {
        work w;
        kind **chain, *k;

        work_of(&workload->layers[i], &w);
        chain = &chains[sim_hash(SIM_HASH_START, &w, sizeof w) % CHAINS];
        for (k = *chain; k && memcmp(&k->work, &w, sizeof w) != 0;)
            k = k->next;
        if (!k) {
            k = sim_arena_alloc(arena, 1, sizeof *k);
            if (!k)
                return out_of_memory(err);
            *k = (kind){w, &workload->layers[i], out->kind_count++, *chain};
            *chain = k;
            (*first)[k->index] = k->layer;
        }
        kinds[i] = k->index;
    }
    out->kinds = kinds;
    return SIM_OK;
}

/* ---- precisions ----------------------------------------------------------------------------------- */

static int64_t size_of(sim_bit_set bits)
{
    int64_t size = 0;

    for (; bits; bits &= bits - 1)
        size++;
    return size;
}

static bool holds(sim_bit_set bits, int width)
{
    return bits >> (width - 1) & 1;
}

static sim_number integer(int bits)
{
    return (sim_number){SIM_FORMAT_INT, bits};
}

static sim_status list_precisions(const sim_axes *axes, sim_arena *arena, sim_cost_table *out, sim_err *err)
{
    const sim_bit_set w_set = axes->bits[SIM_AXIS_W], a_set = axes->bits[SIM_AXIS_A];
    const sim_bit_set kv_set = axes->bits[SIM_AXIS_KV];
    const int64_t count = size_of(w_set) * size_of(a_set) * (kv_set ? size_of(kv_set) : 1);
    sim_precision *list = sim_arena_alloc(arena, (size_t)count, sizeof *list), *next = list;

    if (!list)
        return out_of_memory(err);
    for (int w = 1; w <= SIM_AXIS_BITS_MAX; w++)
        for (int a = 1; holds(w_set, w) && a <= SIM_AXIS_BITS_MAX; a++)
            for (int kv = 1; holds(a_set, a) && kv <= SIM_AXIS_BITS_MAX; kv++)
                if (kv_set ? holds(kv_set, kv) : kv == a)
                    *next++ = (sim_precision){.w = integer(w), .a = integer(a), .kv = integer(kv)};
    out->has_kv = kv_set != 0;
    out->precisions = list;
    out->precision_count = count;
    return SIM_OK;
}

/* ---- prices --------------------------------------------------------------------------------------- */

static sim_status price_all(const sim_layer *const *first, sim_objective objective, sim_arena *arena,
                            sim_cost_table *out, sim_err *err)
{
    sim_pricer *pricer = sim_pricer_new(out->arch, out->workload, objective, arena);
    sim_layer_price *prices =
        sim_arena_alloc(arena, (size_t)out->kind_count, (size_t)out->precision_count * sizeof *prices);
    char why[SIM_ERR_TEXT] = "";

    if (!pricer || !prices)
        return out_of_memory(err);
    for (int64_t p = 0; p < out->precision_count; p++) {
        sim_pricer_set(pricer, &out->precisions[p]);
        for (int64_t k = 0; k < out->kind_count; k++) {
            sim_layer_price *price = &prices[k * out->precision_count + p];
            sim_status status = sim_pricer_price(pricer, first[k], price, why, sizeof why, err);

            if (status != SIM_OK)
                return status;
            if (price->possible || out->why_impossible)
                continue;
            out->why_impossible = sim_arena_text(arena, why, strlen(why));
            if (!out->why_impossible)
                return out_of_memory(err);
            out->first_impossible_layer = first[k] - out->workload->layers;
            out->first_impossible_precision = p;
        }
    }
    out->prices = prices;
    return SIM_OK;
}

/* ---- what is worth a note --------------------------------------------------------------------------- */

/* How much longer than with more bits of one operand a layer takes at most, as a fraction of the latter, and
 * at which two precisions. */
static double most_slower(const sim_cost_table *t, const sim_axes *axes, const sim_layer_price *prices,
                          int64_t *from, int64_t *to)
{
    int64_t stride = t->precision_count;
    double most = 0;

    for (sim_axis x = SIM_AXIS_W; x < SIM_AXES; x++) {
        const int64_t size = axes->bits[x] ? size_of(axes->bits[x]) : 1, block = stride;

        stride = block / size; /* of neighbours along this axis, the outer ones being fixed */
        for (int64_t p = 0; p < t->precision_count; p++)
            for (int64_t q = p + stride; q / block == p / block; q += stride)
                if (prices[p].possible && prices[q].possible && prices[p].cycles > prices[q].cycles) {
                    const double slower = (double)prices[p].cycles / (double)prices[q].cycles - 1;

                    if (slower > most) {
                        most = slower;
                        *from = q;
                        *to = p;
                    }
                }
    }
    return most;
}

static sim_status take_notes(const sim_axes *axes, sim_arena *arena, sim_cost_table *t, sim_err *err)
{
    double *slower = sim_arena_alloc(arena, (size_t)t->kind_count, sizeof *slower);
    int64_t *pairs = sim_arena_alloc(arena, (size_t)t->kind_count, 2 * sizeof *pairs);

    if (!slower || !pairs)
        return out_of_memory(err);
    for (int64_t k = 0; k < t->kind_count; k++)
        slower[k] =
            most_slower(t, axes, &t->prices[k * t->precision_count], &pairs[2 * k], &pairs[2 * k + 1]);
    t->slower_frac = t->arch->mapper_slack_frac;
    for (int64_t i = 0; i < t->workload->layer_count; i++) {
        const int64_t k = t->kinds[i];

        for (int64_t p = 0; p < t->precision_count; p++)
            t->impossible_count += !t->prices[k * t->precision_count + p].possible;
        if (slower[k] <= t->slower_frac)
            continue;
        t->slower_count++;
        if (slower[k] > t->slower_most_frac) {
            t->slower_most_frac = slower[k];
            t->slower_layer = i;
            t->slower_from = pairs[2 * k];
            t->slower_to = pairs[2 * k + 1];
        }
    }
    return SIM_OK;
}

sim_status sim_table_of(const sim_arch *arch, const sim_workload *workload, const sim_axes *axes,
                        sim_objective objective, sim_arena *arena, sim_cost_table *out, sim_err *err)
{
    const sim_layer **first = NULL;
    sim_status status;

    *out = (sim_cost_table){.arch = arch, .workload = workload};
    status = find_kinds(workload, arena, &first, out, err);
    if (status == SIM_OK)
        status = list_precisions(axes, arena, out, err);
    if (status == SIM_OK)
        status = price_all(first, objective, arena, out, err);
    if (status == SIM_OK)
        status = take_notes(axes, arena, out, err);
    return status;
}
