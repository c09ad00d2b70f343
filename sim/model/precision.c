/* Which bits a layer gets, and what they take to store. */
#include "base/text.h"
#include "model/layer.h"
#include "model/run.h"

static void lay_over(sim_number *under, const sim_number *over)
{
    if (over->bits > 0)
        *under = *over;
}

bool sim_has_weights(const sim_layer *layer)
{
    return (layer->op == SIM_OP_MATMUL || layer->op == SIM_OP_CONV2D) && layer->weights == SIM_WEIGHTS_STATIC;
}

bool sim_precision_of(const sim_policy *policy, const sim_layer *layer, int64_t position, sim_precision *out)
{
    const sim_number eight = {SIM_FORMAT_INT, 8};
    bool by_rule = false;

    *out = (sim_precision){.w = eight, .a = eight};
    if (!policy->overrides_own && policy->base.w.bits > 0)
        lay_over(&out->w, &policy->base.w), lay_over(&out->a, &policy->base.a),
            lay_over(&out->kv, &policy->base.kv);
    lay_over(&out->w, &layer->own.w);
    lay_over(&out->a, &layer->own.a);
    lay_over(&out->kv, &layer->own.kv);
    out->group = layer->own.group > 0 ? layer->own.group : policy->base.group;
    if (policy->overrides_own) {
        lay_over(&out->w, &policy->base.w);
        lay_over(&out->a, &policy->base.a);
        out->kv = policy->base.kv;
        out->group = policy->base.group;
    }
    out->scales = policy->base.scales;
    out->outliers_frac = policy->base.outliers_frac;
    if (position >= 0 && position < policy->position_count) {
        const sim_precision *at = &policy->positions[position];

        lay_over(&out->w, &at->w);
        lay_over(&out->a, &at->a);
        by_rule = true;
    }
    for (int64_t i = 0; i < policy->rule_count; i++) {
        const sim_policy_rule *rule = &policy->rules[i];

        if (!sim_match_name(rule->glob, layer->name))
            continue;
        lay_over(&out->w, &rule->precision.w);
        lay_over(&out->a, &rule->precision.a);
        lay_over(&out->kv, &rule->precision.kv);
        if (rule->precision.group >= 0)
            out->group = rule->precision.group;
        if (rule->precision.scales != SIM_SCALES_UNSET)
            out->scales = rule->precision.scales;
        if (rule->precision.outliers_frac != 0)
            out->outliers_frac = rule->precision.outliers_frac;
        by_rule |= rule->precision.w.bits > 0 || rule->precision.a.bits > 0;
    }
    if (out->kv.bits == 0)
        out->kv = out->a;
    return by_rule;
}

int64_t sim_stored_bits(int64_t rows, int64_t row_elements, int bits, int group)
{
    int64_t row, total, scales = 0;

    if (__builtin_mul_overflow(row_elements, (int64_t)bits, &row))
        return -1;
    if (group > 0)
        scales = sim_ceil_div(row_elements, group) * (16 + bits);
    if (__builtin_add_overflow(row, scales + 7, &row) || __builtin_mul_overflow(row / 8 * 8, rows, &total))
        return -1;
    return total;
}

static void as_plain(const sim_arch *arch, sim_number *number)
{
    if (number->format == SIM_FORMAT_INT)
        *number = arch->backend->plain(number->bits);
}

void sim_precision_plain(const sim_arch *arch, sim_precision *precision)
{
    if (!arch->backend->plain)
        return;
    as_plain(arch, &precision->w);
    as_plain(arch, &precision->a);
    as_plain(arch, &precision->kv);
}

bool sim_weights_stay(const sim_arch *arch, const sim_workload *workload, const sim_layer_request *requests)
{
    double kib = arch->buffer_unified_kib > 0 ? arch->buffer_unified_kib / 2 : arch->buffer_weight_kib;
    int64_t stages = workload->stages > 1 ? workload->stages : 1;

    if ((workload->phase != SIM_PHASE_DECODE && workload->phase != SIM_PHASE_GENERATE) || kib <= 0)
        return false;
    for (int64_t s = 0; s < stages; s++) {
        double bits = 0; /* of one device of this stage */

        for (int64_t i = 0; i < workload->layer_count; i++)
            if (requests[i].layer->op != SIM_OP_EMBEDDING && !requests[i].layer->later_pass &&
                requests[i].layer->stage == s)
                bits += (double)sim_weight_bits(&requests[i]) * (double)workload->layers[i].repeat;
        if (bits > kib * 1024 * 8)
            return false;
    }
    return true;
}
