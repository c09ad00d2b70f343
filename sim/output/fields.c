#include "output/fields.h"

#include <math.h>

typedef struct list {
    sim_field *fields;
    int count;
} list;

static sim_field *add(list *l, const char *group, const char *key, sim_field_type type)
{
    sim_field *f = &l->fields[l->count++];

    *f = (sim_field){.group = group, .key = key, .type = type};
    return f;
}

static void add_text(list *l, const char *group, const char *key, const char *value)
{
    add(l, group, key, value ? SIM_FIELD_TEXT : SIM_FIELD_NULL)->text = value;
}

static void add_int(list *l, const char *group, const char *key, int64_t value, bool known)
{
    add(l, group, key, known ? SIM_FIELD_INT : SIM_FIELD_NULL)->integer = value;
}

static void add_real(list *l, const char *group, const char *key, double value)
{
    add(l, group, key, isfinite(value) ? SIM_FIELD_REAL : SIM_FIELD_NULL)->real = value;
}

static void add_energy(list *l, const sim_energy *energy)
{
    static const char group[] = "energy_breakdown_j";

    add_real(l, group, "mac", energy->mac_j);
    add_real(l, group, "register", energy->register_j);
    add_real(l, group, "sram", energy->sram_j);
    add_real(l, group, "dram", energy->dram_j);
    add_real(l, group, "vector", energy->vector_j);
    add_real(l, group, "static", energy->static_j);
    add_real(l, group, "link", energy->link_j);
}

static void add_number(list *l, const char *format_key, const char *bits_key, sim_number number)
{
    add_text(l, NULL, format_key, number.bits > 0 ? sim_format_names[number.format] : NULL);
    add_int(l, NULL, bits_key, number.bits, number.bits > 0);
}

bool sim_layer_is_product(const sim_layer_result *layer)
{
    return layer->op == SIM_OP_MATMUL || layer->op == SIM_OP_CONV2D;
}

int sim_layer_fields(const sim_layer_result *layer, sim_field fields[SIM_FIELDS_MAX])
{
    static const char group[] = "mapping";
    const sim_mapping *map = &layer->mapping;
    const bool mapped = layer->has_mapping;
    list l = {fields, 0};

    add_text(&l, NULL, "name", layer->name);
    add_text(&l, NULL, "op", sim_op_names[layer->op]);
    add_int(&l, NULL, "repeat", layer->repeat, true);
    add_int(&l, NULL, "m", layer->m, layer->m > 0);
    add_int(&l, NULL, "n", layer->n, layer->n > 0);
    add_int(&l, NULL, "k", layer->k, layer->k > 0);
    add_int(&l, NULL, "batch", layer->batch, layer->batch > 0);
    add_number(&l, "w_format", "w_bits", layer->w);
    add_number(&l, "a_format", "a_bits", layer->a);
    add_int(&l, NULL, "kv_bits", layer->kv.bits, layer->kv.bits > 0);
    add_int(&l, NULL, "macs", layer->macs, true);
    add_int(&l, NULL, "compute_cycles", layer->compute_cycles, true);
    add_int(&l, NULL, "memory_cycles", layer->memory_cycles, true);
    add_int(&l, NULL, "cycles", layer->cycles, true);
    add_real(&l, NULL, "latency_s", layer->latency_s);
    add_real(&l, NULL, "energy_j", sim_energy_total_j(&layer->energy));
    add_energy(&l, &layer->energy);
    add_int(&l, NULL, "dram_read_bytes", layer->dram_read_bytes, true);
    add_int(&l, NULL, "dram_write_bytes", layer->dram_write_bytes, true);
    add_real(&l, NULL, "sram_read_bits", layer->sram_read_bits);
    add_real(&l, NULL, "sram_write_bits", layer->sram_write_bits);
    /* A vector operation has no part in the array's peak. */
    add_real(&l, NULL, "utilization_frac", sim_layer_is_product(layer) ? layer->utilization_frac : NAN);
    add_text(&l, NULL, "bound", sim_bound_names[layer->bound]);
    add_text(&l, group, "dataflow", mapped ? sim_dataflow_names[map->dataflow] : NULL);
    add_int(&l, group, "tile_m", map->tile_m, mapped);
    add_int(&l, group, "tile_n", map->tile_n, mapped);
    add_int(&l, group, "tile_k", map->tile_k, mapped);
    add_text(&l, group, "order", mapped ? map->order : NULL);
    add_int(&l, NULL, "devices", layer->devices, true);
    add_int(&l, NULL, "link_bytes", layer->link_bytes, true);
    add_text(&l, NULL, "phase", layer->phase != SIM_PHASE_NONE ? sim_phase_names[layer->phase] : NULL);
    add_int(&l, NULL, "steps", layer->steps, true);
    return l.count;
}

int sim_total_fields(const sim_result *result, sim_field fields[SIM_FIELDS_MAX])
{
    const sim_totals *t = &result->totals;
    const double energy_j = sim_energy_total_j(&t->energy);
    list l = {fields, 0};

    add_int(&l, NULL, "macs", t->macs, true);
    add_int(&l, NULL, "compute_cycles", t->compute_cycles, true);
    add_int(&l, NULL, "cycles", t->cycles, true);
    add_real(&l, NULL, "latency_s", t->latency_s);
    add_real(&l, NULL, "energy_j", energy_j);
    add_real(&l, NULL, "power_w", t->latency_s > 0 ? energy_j / t->latency_s : NAN);
    add_int(&l, NULL, "dram_read_bytes", t->dram_read_bytes, true);
    add_int(&l, NULL, "dram_write_bytes", t->dram_write_bytes, true);
    add_int(&l, NULL, "weight_bytes", t->weight_bytes, true);
    add_int(&l, NULL, "kv_cache_bytes", t->kv_cache_bytes, t->kv_cache_bytes >= 0);
    add_int(&l, NULL, "peak_memory_bytes", t->peak_memory_bytes, true);
    add(&l, NULL, "memory_fits", SIM_FIELD_BOOL)->integer = t->memory_fits;
    add_real(&l, NULL, "tokens_per_s", t->tokens_per_s);
    add_real(&l, NULL, "utilization_frac", t->utilization_frac);
    add_real(&l, NULL, "area_mm2", t->area_mm2);
    add_energy(&l, &t->energy);
    add_int(&l, NULL, "devices", t->devices, true);
    add_int(&l, NULL, "device_memory_bytes", t->device_memory_bytes, true);
    add_int(&l, NULL, "link_bytes", t->link_bytes, true);
    add_real(&l, NULL, "steady_tokens_per_s", t->steady_tokens_per_s);
    add_real(&l, NULL, "time_to_first_token_s", t->time_to_first_token_s);
    add_real(&l, NULL, "time_per_output_token_s", t->time_per_output_token_s);
    add_real(&l, NULL, "joules_per_token", t->joules_per_token);
    add_real(&l, NULL, "arithmetic_intensity_ops_per_byte", t->arithmetic_intensity_ops_per_byte);
    add_real(&l, NULL, "dram_bandwidth_frac", t->dram_bandwidth_frac);
    add_int(&l, NULL, "activation_bytes", t->activation_bytes, true);
    add_int(&l, NULL, "memory_capacity_bytes", t->memory_capacity_bytes, true);
    add_int(&l, NULL, "max_batch", t->max_batch, t->max_batch >= 0);
    add_int(&l, NULL, "max_context_tokens", t->max_context_tokens, t->max_context_tokens >= 0);
    add_int(&l, NULL, "parameters", result->workload->parameters, result->workload->parameters > 0);
    add_int(&l, NULL, "parameters_active", result->workload->parameters_active,
            result->workload->parameters_active > 0);
    return l.count + sim_context_fields(result, fields + l.count);
}

int sim_cell_fields(const sim_cost_table *table, int64_t layer, int64_t precision,
                    sim_field fields[SIM_FIELDS_MAX])
{
    const sim_layer *of = &table->workload->layers[layer];
    const sim_precision *bits = &table->precisions[precision];
    const sim_layer_price *price = &table->prices[table->kinds[layer] * table->precision_count + precision];
    const bool is_product = of->op == SIM_OP_MATMUL || of->op == SIM_OP_CONV2D, known = price->possible;
    list l = {fields, 0};

    add_text(&l, NULL, "layer", of->name);
    add_int(&l, NULL, "w_bits", bits->w.bits, true);
    add_int(&l, NULL, "a_bits", bits->a.bits, true);
    if (table->has_kv)
        add_int(&l, NULL, "kv_bits", bits->kv.bits, true);
    add_int(&l, NULL, "cycles", price->cycles, known);
    add_real(&l, NULL, "latency_s", known ? price->latency_s : NAN);
    add_real(&l, NULL, "energy_j", known ? price->energy_j : NAN);
    add_int(&l, NULL, "weight_bytes", price->weight_bytes, known);
    add_int(&l, NULL, "compute_cycles", price->compute_cycles, known);
    add_int(&l, NULL, "memory_cycles", price->memory_cycles, known);
    add_int(&l, NULL, "dram_read_bytes", price->dram_read_bytes, known);
    add_int(&l, NULL, "dram_write_bytes", price->dram_write_bytes, known);
    add_real(&l, NULL, "utilization_frac", known && is_product ? price->utilization_frac : NAN);
    add_text(&l, NULL, "bound", known ? sim_bound_names[price->bound] : NULL);
    add_text(&l, NULL, "op", sim_op_names[of->op]);
    add_int(&l, NULL, "repeat", of->repeat, true);
    add_int(&l, NULL, "macs", price->macs, true);
    add_text(&l, NULL, "arch", table->arch->name);
    add_text(&l, NULL, "workload", table->workload->name);
    return l.count;
}

int sim_context_fields(const sim_result *result, sim_field fields[SIM_FIELDS_MAX])
{
    list l = {fields, 0};

    add_text(&l, NULL, "arch", result->arch->name);
    add_text(&l, NULL, "workload", result->workload->name);
    add_text(&l, NULL, "policy", result->policy->name);
    add_real(&l, NULL, "peak_macs_per_s", result->totals.peak_macs_per_s);
    add_real(&l, NULL, "dram_bandwidth_bytes_per_s", result->totals.dram_bandwidth_bytes_per_s);
    return l.count;
}
