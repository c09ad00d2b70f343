#include "output/summary.h"

#include "model/backend.h"
#include "output/fields.h"
#include "output/figures.h"
#include "output/grid.h"
#include "output/kernels.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMNS = 13, WIDEST_INT_BITS = 16, NAMES_SHOWN = 6 };

/* A line of the summary under construction: text that grows within a fixed buffer. */
typedef struct line {
    char text[1024];
    size_t length;
} line;

static void add(line *l, const char *format, ...) SIM_PRINTF(2, 3);

static void add(line *l, const char *format, ...)
{
    va_list args;
    int used;

    va_start(args, format);
    used = vsnprintf(l->text + l->length, sizeof l->text - l->length, format, args);
    va_end(args);
    if (used > 0)
        l->length += (size_t)used;
    if (l->length >= sizeof l->text)
        l->length = sizeof l->text - 1;
}

static void add_scaled(line *l, double value, const char *unit)
{
    char text[32];

    add(l, "%s", sim_scaled(value, unit, false, text, sizeof text));
}

static void add_real(line *l, double value)
{
    char text[64];

    add(l, "%s", sim_short_real(value, text, sizeof text));
}

static void add_percent(line *l, double frac)
{
    char text[32];

    add(l, "%s", sim_percent(frac, text, sizeof text));
}

static void put(const line *l, const char *label, int width, bool colour, sim_paint paint, sim_text *out)
{
    sim_text plain = {.allocator = out->allocator};

    sim_wrap_add(&plain, label, LABEL_COLUMNS, width, l->text);
    if (plain.failed || !plain.data || plain.length == 0) {
        out->failed = true;
    } else {
        plain.data[plain.length - 1] = '\0'; /* the paint ends before the line does */
        sim_paint_add(out, paint, colour, plain.data);
        sim_text_add(out, "\n");
    }
    sim_text_free(&plain);
}

static void put_arch(const sim_result *result, int width, sim_text *out)
{
    const sim_arch *arch = result->arch;
    line l = {.length = 0};

    add(&l, "%s (%s): %s", arch->name, arch->file, arch->backend->name);
    if (arch->array_rows > 0 && arch->array_cols > 0) {
        add(&l, ", ");
        if (arch->array_count > 1)
            add(&l, "%" PRId64 " arrays of ", arch->array_count);
        add(&l, "%" PRId64 " x %" PRId64, arch->array_rows, arch->array_cols);
    }
    if (arch->backend->kernels)
        add(&l, ", %" PRId64 " SMs", arch->gpu.sms);
    add(&l, " at ");
    add_scaled(&l, arch->clock_mhz * 1e6, "Hz");
    if (result->totals.devices > 1)
        add(&l, "; %" PRId64 " devices", result->totals.devices);
    add(&l, ", peak ");
    add_scaled(&l, result->totals.peak_macs_per_s, "MAC/s");
    add(&l, " at these bits; ");
    if (arch->dram_type)
        add(&l, "%s ", arch->dram_type);
    add_scaled(&l, result->totals.dram_bandwidth_bytes_per_s, "B/s");
    if (arch->tech.node_nm > 0) {
        add(&l, "; ");
        add_real(&l, arch->tech.node_nm);
        add(&l, " nm");
    }
    if (isfinite(result->totals.area_mm2)) {
        add(&l, ", ");
        add_real(&l, result->totals.area_mm2);
        add(&l, " mm2");
    }
    put(&l, "arch", width, false, SIM_PAINT_NONE, out);
}

static void put_workload(const sim_result *result, int width, sim_text *out)
{
    const sim_workload *workload = result->workload;
    line l = {.length = 0};

    add(&l, "%s", workload->name);
    if (workload->phase != SIM_PHASE_NONE)
        add(&l, ": %s", sim_phase_names[workload->phase]);
    if (workload->batch > 0)
        add(&l, "%s batch %" PRId64, workload->phase != SIM_PHASE_NONE ? "," : ":", workload->batch);
    if (workload->tokens > 0)
        add(&l, ", %" PRId64 " token%s", workload->tokens, workload->tokens == 1 ? "" : "s");
    if (workload->parameters > 0) {
        char text[64];

        add(&l, "; %s parameters", sim_large_count(workload->parameters, text, sizeof text));
        if (workload->parameters_active < workload->parameters)
            add(&l, ", of which a token uses %s",
                sim_large_count(workload->parameters_active, text, sizeof text));
    }
    put(&l, "workload", width, false, SIM_PAINT_NONE, out);
}

static void put_bound(const sim_result *result, int width, bool colour, sim_text *out)
{
    double seconds[SIM_BOUND_COUNT] = {0}, total = 0;
    bool shown[SIM_BOUND_COUNT] = {false};
    line l = {.length = 0};

    for (int64_t i = 0; i < result->layer_count; i++) {
        const double s = result->layers[i].latency_s * (double)result->layers[i].repeat;

        seconds[result->layers[i].bound] += s;
        total += s;
    }
    for (int rank = 0; rank < SIM_BOUND_COUNT; rank++) {
        int most = -1;

        for (int i = 0; i < SIM_BOUND_COUNT; i++)
            if (!shown[i] && seconds[i] > 0 && (most < 0 || seconds[i] > seconds[most]))
                most = i;
        if (most < 0)
            break;
        shown[most] = true;
        add(&l, "%s%s ", rank ? ", " : "", sim_bound_names[most]);
        add_percent(&l, seconds[most] / total);
    }
    if (total > 0)
        add(&l, " of the time");
    else
        add(&l, "nothing: no layer takes time");
    put(&l, "bound by", width, colour, SIM_PAINT_BOLD, out);
}

void sim_summary_head(const sim_result *result, int width, bool colour, sim_text *out)
{
    line l = {.length = 0};

    put_arch(result, width, out);
    put_workload(result, width, out);
    add(&l, "%s", result->policy->name ? result->policy->name : "the layers' own bits, else w8a8");
    put(&l, "policy", width, false, SIM_PAINT_NONE, out);
    put_bound(result, width, colour, out);
}

static void put_energy(const sim_result *result, int width, bool colour, sim_text *out)
{
    const sim_totals *t = &result->totals;
    const double energy_j = sim_energy_total_j(&t->energy);
    const struct {
        const char *name;
        double j;
    } parts[] = {{"mac", t->energy.mac_j},       {"register", t->energy.register_j},
                 {"sram", t->energy.sram_j},     {"dram", t->energy.dram_j},
                 {"vector", t->energy.vector_j}, {"static", t->energy.static_j},
                 {"link", t->energy.link_j}};
    line l = {.length = 0}, detail = {.length = 0};

    add_scaled(&l, energy_j, "J");
    if (result->workload->tokens > 0) {
        add(&l, ", ");
        add_scaled(&l, energy_j / (double)result->workload->tokens, "J/token");
    }
    if (t->latency_s > 0) {
        add(&l, ", ");
        add_scaled(&l, energy_j / t->latency_s, "W");
        add(&l, " mean");
    }
    put(&l, "energy", width, colour, SIM_PAINT_BOLD, out);
    if (!(energy_j > 0))
        return;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].j <= 0)
            continue;
        add(&detail, "%s%s ", detail.length ? ", " : "", parts[i].name);
        add_percent(&detail, parts[i].j / energy_j);
    }
    put(&detail, "", width, false, SIM_PAINT_NONE, out);
}

static void put_traffic(const sim_result *result, int width, sim_text *out)
{
    const sim_totals *t = &result->totals;
    double bits = 0, bound_bits = 0;
    line l = {.length = 0};

    add(&l, "read ");
    add_scaled(&l, (double)t->dram_read_bytes, "B");
    add(&l, ", written ");
    add_scaled(&l, (double)t->dram_write_bytes, "B");
    if (isfinite(t->dram_bandwidth_frac)) {
        add(&l, ": ");
        add_scaled(&l, t->dram_bandwidth_frac * t->dram_bandwidth_bytes_per_s, "B/s");
        add(&l, ", ");
        add_percent(&l, t->dram_bandwidth_frac);
        add(&l, " of peak");
    }
    if (isfinite(t->arithmetic_intensity_ops_per_byte)) {
        add(&l, "; ");
        add_real(&l, t->arithmetic_intensity_ops_per_byte);
        add(&l, " operations per byte");
    }
    for (int64_t i = 0; i < result->layer_count; i++) {
        const sim_layer_result *layer = &result->layers[i];

        if (layer->dram_bits_bound <= 0)
            continue;
        bits +=
            8.0 * ((double)layer->dram_read_bytes + (double)layer->dram_write_bytes) * (double)layer->repeat;
        bound_bits += layer->dram_bits_bound * (double)layer->repeat;
    }
    if (bound_bits > 0) {
        char text[64];

        add(&l, "; products move %s times a lower bound", sim_ratio(bits / bound_bits, text, sizeof text));
    }
    put(&l, "DRAM", width, false, SIM_PAINT_NONE, out);
}

static void put_compute(const sim_result *result, int width, sim_text *out)
{
    const sim_totals *t = &result->totals;
    line l = {.length = 0};

    add_scaled(&l, (double)t->macs, "MAC");
    if (t->latency_s > 0) {
        add(&l, ": ");
        add_scaled(&l, (double)t->macs / t->latency_s, "MAC/s");
        add(&l, ", utilization ");
        add_percent(&l, t->utilization_frac);
    }
    add(&l, "; %s busy for ",
        result->arch->backend->kernels ? "tensor cores and vector lanes" : "array and vector unit");
    if (t->cycles > 0)
        add_percent(&l, (double)t->compute_cycles / (double)t->cycles);
    else
        add(&l, "0%%");
    add(&l, " of %" PRId64 " cycles", t->cycles);
    put(&l, "compute", width, false, SIM_PAINT_NONE, out);
}

static void put_memory(const sim_result *result, int width, bool colour, sim_text *out)
{
    const sim_totals *t = &result->totals;
    const double capacity_bytes = (double)t->memory_capacity_bytes / (double)t->devices;
    line l = {.length = 0};

    add(&l, "weights ");
    add_scaled(&l, (double)t->weight_bytes, "B");
    if (t->kv_cache_bytes >= 0) {
        add(&l, ", KV cache ");
        add_scaled(&l, (double)t->kv_cache_bytes, "B");
    }
    add(&l, ", activations ");
    add_scaled(&l, (double)t->activation_bytes, "B");
    add(&l, ", peak ");
    add_scaled(&l, (double)t->peak_memory_bytes, "B");
    if (t->devices > 1) {
        add(&l, "; the fullest device has ");
        add_scaled(&l, (double)t->device_memory_bytes, "B");
    }
    add(&l, t->memory_fits ? ": fits in " : ": DOES NOT FIT in ");
    add_scaled(&l, capacity_bytes, "B");
    put(&l, "memory", width, colour, t->memory_fits ? SIM_PAINT_NONE : SIM_PAINT_RED, out);
    l.length = 0;
    if (t->max_batch >= 0)
        add(&l, "batch %" PRId64 " with these tokens", t->max_batch);
    if (t->max_context_tokens >= 0)
        add(&l, "%s%" PRId64 " tokens %s with this batch", l.length > 0 ? ", " : "", t->max_context_tokens,
            result->workload->phase == SIM_PHASE_DECODE    ? "of context"
            : result->workload->phase == SIM_PHASE_PREFILL ? "of each prompt"
                                                           : "of prompt and answer");
    if (l.length > 0)
        put(&l, "room for", width, false, SIM_PAINT_NONE, out);
}

/* What the devices of a workload spend on each other. */
static void put_links(const sim_result *result, int width, sim_text *out)
{
    const sim_totals *t = &result->totals;
    double exchange_s = 0;
    line l = {.length = 0};

    if (t->devices <= 1)
        return;
    for (int64_t i = 0; i < result->layer_count; i++) {
        const sim_layer_result *layer = &result->layers[i];

        if (layer->link_bytes > 0)
            exchange_s += layer->latency_s * (double)layer->repeat;
    }
    add(&l, "%" PRId64 " devices send ", t->devices);
    add_scaled(&l, (double)t->link_bytes, "B");
    add(&l, " in ");
    add_scaled(&l, exchange_s, "s");
    if (t->latency_s > 0) {
        add(&l, ", ");
        add_percent(&l, exchange_s / t->latency_s);
        add(&l, " of the time");
    }
    put(&l, "links", width, false, SIM_PAINT_NONE, out);
    if (result->workload->cache_copied) {
        l.length = 0;
        add(&l, "rows of the KV cache are held more than once: the devices that share a block are more than "
                "its KV heads");
        put(&l, "note", width, false, SIM_PAINT_NONE, out);
    }
}

static void put_gpu_trust(const sim_result *result, int width, sim_text *out)
{
    sim_text kernels = {.allocator = out->allocator};
    line l = {.length = 0};

    sim_kernels_add(result, &kernels);
    add(&l, "calibration: %s; %s; energy numbers %s (gpu %s, dram %s)",
        result->calibration ? result->calibration : "none", kernels.data ? kernels.data : "no kernels",
        sim_provenance_names[result->energy_provenance],
        sim_provenance_names[result->arch->gpu.energy_provenance],
        sim_provenance_names[result->arch->dram.provenance]);
    put(&l, "trust", width, false, SIM_PAINT_NONE, out);
    out->failed |= kernels.failed;
    sim_text_free(&kernels);
}

static void put_trust(const sim_result *result, int width, sim_text *out)
{
    const sim_tech *tech = &result->arch->tech;
    line l = {.length = 0};

    if (result->arch->backend->kernels) {
        put_gpu_trust(result, width, out);
        return;
    }
    add(&l, "energy numbers %s (logic %s, sram %s, dram %s, vector %s); calibration: %s",
        sim_provenance_names[result->energy_provenance], sim_provenance_names[tech->logic_provenance],
        sim_provenance_names[tech->sram_provenance], sim_provenance_names[result->arch->dram.provenance],
        sim_provenance_names[tech->vector_provenance], result->calibration ? result->calibration : "none");
    put(&l, "trust", width, false, SIM_PAINT_NONE, out);
}

/* The widest operands that go at the same pace: what is paid for when bits are rounded up. */
static void paid_bits(const sim_arch *arch, int *w_bits, int *a_bits)
{
    const double peak = arch->backend->peak_macs_per_cycle(arch, *w_bits, *a_bits);
    char why[SIM_ERR_HINT];
    int w = *w_bits, a = *a_bits;

    for (int bits = w + 1; bits <= WIDEST_INT_BITS; bits++) {
        const sim_number wide = {SIM_FORMAT_INT, bits}, other = {SIM_FORMAT_INT, *a_bits};

        if (arch->backend->supports(arch, wide, other, why, sizeof why) &&
            arch->backend->peak_macs_per_cycle(arch, bits, *a_bits) == peak)
            w = bits;
    }
    for (int bits = a + 1; bits <= WIDEST_INT_BITS; bits++) {
        const sim_number wide = {SIM_FORMAT_INT, bits}, other = {SIM_FORMAT_INT, w};

        if (arch->backend->supports(arch, other, wide, why, sizeof why) &&
            arch->backend->peak_macs_per_cycle(arch, w, bits) == peak)
            a = bits;
    }
    *w_bits = w;
    *a_bits = a;
}

static void put_rounding_notes(const sim_result *result, int width, sim_text *out)
{
    bool seen[2][WIDEST_INT_BITS + 1][WIDEST_INT_BITS + 1] = {{{false}}};
    line l = {.length = 0};

    for (int64_t i = 0; i < result->layer_count; i++) {
        const sim_layer_result *layer = &result->layers[i];
        const bool cached = layer->kv.bits > 0;
        const sim_number second = cached ? layer->kv : layer->w;
        int w = second.bits, a = layer->a.bits;

        if (!sim_layer_is_product(layer) || second.format != SIM_FORMAT_INT ||
            layer->a.format != SIM_FORMAT_INT || w < 1 || a < 1 || w > WIDEST_INT_BITS ||
            a > WIDEST_INT_BITS || seen[cached][w][a])
            continue;
        seen[cached][w][a] = true;
        paid_bits(result->arch, &w, &a);
        if (w != second.bits || a != layer->a.bits)
            add(&l, "%s%s%d a%d at the pace of %dx%d", l.length ? ", " : "", cached ? "kv" : "w", second.bits,
                layer->a.bits, w, a);
    }
    if (l.length > 0) {
        add(&l, ": the bits that this spares save storage and traffic, not array time");
        put(&l, "note", width, false, SIM_PAINT_NONE, out);
    }
}

/* A burst may draw more than the board sustains. */
static void put_power_note(const sim_result *result, int width, sim_text *out)
{
    const sim_gpu_device *gpu = &result->arch->gpu;
    const double watts = result->totals.latency_s > 0
                             ? sim_energy_total_j(&result->totals.energy) / result->totals.latency_s
                             : 0;
    line l = {.length = 0};

    const double cap_w = gpu->power_cap_w * (double)result->totals.devices;

    if (cap_w <= 0 || watts <= cap_w * 1.01)
        return;
    add_scaled(&l, watts, "W");
    add(&l, " mean is above the board%s limit of ", result->totals.devices > 1 ? "s'" : "'s");
    add_scaled(&l, cap_w, "W");
    add(&l, ": a burst; gpu.regime=sustained prices it step after step");
    put(&l, "note", width, false, SIM_PAINT_NONE, out);
}

/* Whether an earlier row of another pass has said it already. */
static bool is_named_before(const sim_result *result, int64_t at)
{
    for (int64_t i = 0; i < at; i++)
        if (result->layers[i].float_fallback && strcmp(result->layers[i].name, result->layers[at].name) == 0)
            return true;
    return false;
}

static void put_notes(const sim_result *result, int width, sim_text *out)
{
    const bool of_checkpoint = result->workload->quantized_by && !result->policy->overrides_own;
    int64_t fallbacks = 0;
    int bits = 0;
    line l = {.length = 0};

    for (int64_t i = 0; i < result->layer_count; i++) {
        const sim_layer_result *layer = &result->layers[i];

        if (!layer->float_fallback || is_named_before(result, i))
            continue;
        if (++fallbacks <= NAMES_SHOWN)
            add(&l, "%s%s", fallbacks > 1 ? ", " : "", layer->name);
        bits = layer->w.bits > bits ? layer->w.bits : bits;
    }
    if (fallbacks > NAMES_SHOWN)
        add(&l, " and %" PRId64 " more", fallbacks - NAMES_SHOWN);
    if (fallbacks > 0) {
        if (of_checkpoint)
            add(&l, ": in formats of the checkpoint that this back end lacks; ran on integers");
        else
            add(&l, ": meant to stay float, which this back end lacks; ran on %d-bit integers", bits);
        put(&l, "note", width, false, SIM_PAINT_NONE, out);
    }
    put_power_note(result, width, out);
    if (result->workload->quantization_unknown && !result->policy->overrides_own) {
        l.length = 0;
        add(&l, "the checkpoint's own bits were passed over: %s", result->workload->quantization_unknown);
        put(&l, "note", width, false, SIM_PAINT_YELLOW, out);
    }
    if (result->weights_resident) {
        l.length = 0;
        add(&l, "all weights stay on chip from step to step: their first load is not counted");
        put(&l, "note", width, false, SIM_PAINT_NONE, out);
    }
}

void sim_summary_totals(const sim_result *result, int width, bool colour, sim_text *out)
{
    const sim_totals *t = &result->totals;
    line l = {.length = 0};

    put_compute(result, width, out);
    put_traffic(result, width, out);
    put_memory(result, width, colour, out);
    put_links(result, width, out);
    put_rounding_notes(result, width, out);
    put_notes(result, width, out);
    put_trust(result, width, out);
    put_energy(result, width, colour, out);
    add_scaled(&l, t->latency_s, "s");
    if (isfinite(t->tokens_per_s)) {
        add(&l, ", ");
        add_real(&l, t->tokens_per_s);
        add(&l, " tokens/s");
        if (t->steady_tokens_per_s > t->tokens_per_s) {
            add(&l, "; ");
            add_real(&l, t->steady_tokens_per_s);
            add(&l, " with all stages busy");
        }
    }
    if (isfinite(t->time_to_first_token_s) && result->workload->phase == SIM_PHASE_GENERATE) {
        add(&l, "; first token after ");
        add_scaled(&l, t->time_to_first_token_s, "s");
    }
    if (isfinite(t->time_per_output_token_s)) {
        add(&l, "; ");
        add_scaled(&l, t->time_per_output_token_s, "s");
        add(&l, " per output token");
    }
    put(&l, "latency", width, colour, SIM_PAINT_BOLD, out);
}
