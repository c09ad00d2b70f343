#include "model/energy.h"

#include <math.h>

/* ---- SRAM ------------------------------------------------------------------------------------------ */

/* y at x on the line through (x0, y0) and (x1, y1), all on logarithmic axes; on plain ones where a value is
 * 0. */
static double log_log(double x, double x0, double y0, double x1, double y1)
{
    if (y0 <= 0 || y1 <= 0)
        return fmax(0, y0 + (y1 - y0) * (x - x0) / (x1 - x0));
    return y0 * pow(x / x0, log(y1 / y0) / log(x1 / x0));
}

void sim_sram_at(const sim_tech *tech, sim_operand buffer, double size_bytes, sim_sram_point *out)
{
    bool own = tech->sram_count_of[buffer] > 0;
    const sim_sram_point *table = own ? tech->sram_of[buffer] : tech->sram;
    int64_t count = own ? tech->sram_count_of[buffer] : tech->sram_count, i = 0;

    while (i < count - 2 && size_bytes > table[i + 1].size_bytes)
        i++;
    const sim_sram_point *a = &table[i], *b = &table[i + 1];

    out->size_bytes = size_bytes;
    out->read_pj_per_bit =
        log_log(size_bytes, a->size_bytes, a->read_pj_per_bit, b->size_bytes, b->read_pj_per_bit);
    out->write_pj_per_bit =
        log_log(size_bytes, a->size_bytes, a->write_pj_per_bit, b->size_bytes, b->write_pj_per_bit);
    out->leak_mw = log_log(size_bytes, a->size_bytes, a->leak_mw, b->size_bytes, b->leak_mw);
    out->area_mm2 = log_log(size_bytes, a->size_bytes, a->area_mm2, b->size_bytes, b->area_mm2);
}

/* Bytes of one of the banks that hold an operand; 0 when it has no buffer. Double buffering shares the same
 * memory between two tiles: it does not change the size. */
static double bank_bytes(const sim_arch *arch, const sim_hardware *hardware, sim_operand operand)
{
    const double split_kib[SIM_OPERAND_COUNT] = {
        [SIM_OPERAND_WEIGHT] = arch->buffer_weight_kib,
        [SIM_OPERAND_INPUT] = arch->buffer_input_kib,
        [SIM_OPERAND_OUTPUT] = arch->buffer_output_kib,
    };
    double kib = arch->buffer_unified_kib > 0 ? arch->buffer_unified_kib : split_kib[operand];

    return 1024 * kib / (double)hardware->banks[operand];
}

/* Leakage and area of all buffers: three, or the unified one once, banked as for its weights. */
static void buffers_total(const sim_arch *arch, const sim_hardware *hardware, double *leak_mw,
                          double *area_mm2)
{
    int count = arch->buffer_unified_kib > 0 ? 1 : SIM_OPERAND_COUNT;

    *leak_mw = *area_mm2 = 0;
    for (int i = 0; i < count; i++) {
        double bytes = bank_bytes(arch, hardware, (sim_operand)i);
        sim_sram_point bank;

        if (bytes <= 0)
            continue;
        sim_sram_at(&arch->tech, (sim_operand)i, bytes, &bank);
        *leak_mw += bank.leak_mw * (double)hardware->banks[i];
        *area_mm2 += bank.area_mm2 * (double)hardware->banks[i];
    }
}

/* ---- logic ----------------------------------------------------------------------------------------- */

static bool is_wide(int64_t w_bits, int64_t a_bits)
{
    return w_bits > 8 || a_bits > 8;
}

/* Leakage and area of one PE or fusion unit. */
static void pe_cost(const sim_tech *tech, const sim_hardware *hardware, double *leak_uw, double *area_um2)
{
    if (hardware->kind == SIM_PE_FUSION) {
        bool wide = is_wide(hardware->w_bits, hardware->a_bits);

        *leak_uw = wide ? tech->fusion16_leak_uw : tech->fusion8_leak_uw;
        *area_um2 = wide ? tech->fusion16_area_um2 : tech->fusion8_area_um2;
    } else { /* a serial unit is as many narrow multipliers as it has lanes */
        double lanes = hardware->kind == SIM_PE_SERIAL ? (double)hardware->depth : 1;
        double size = lanes * hardware->w_bits * hardware->a_bits / 64.0; /* in 8x8 PEs */

        *leak_uw = tech->mac_leak_uw * size;
        *area_um2 = tech->mac_area_um2 * size;
    }
}

/* Leakage and area of everything on the die: PEs, vector lanes, buffers. */
static void die_total(const sim_arch *arch, const sim_hardware *hardware, double *leak_w, double *area_mm2)
{
    double sram_mw, sram_mm2, pe_uw, pe_um2, pes = (double)hardware->pes, lanes = (double)arch->vector_lanes;

    pe_cost(&arch->tech, hardware, &pe_uw, &pe_um2);
    buffers_total(arch, hardware, &sram_mw, &sram_mm2);
    *leak_w = 1e-6 * (pes * pe_uw + lanes * arch->tech.vector_lane_leak_uw) + 1e-3 * sram_mw;
    *area_mm2 = 1e-6 * (pes * pe_um2 + lanes * arch->tech.vector_lane_area_um2) + sram_mm2;
}

double sim_area_mm2(const sim_arch *arch)
{
    double leak_w, area_mm2;
    sim_hardware hardware;

    arch->backend->hardware(arch, &hardware);
    if (hardware.kind == SIM_PE_GPU)
        return NAN;
    die_total(arch, &hardware, &leak_w, &area_mm2);
    return area_mm2;
}

/* ---- prices ---------------------------------------------------------------------------------------- */

void sim_prices_of(const sim_arch *arch, int w_bits, int a_bits, sim_prices *out)
{
    static const sim_event reads[SIM_OPERAND_COUNT] = {SIM_EVENT_WEIGHT_READ, SIM_EVENT_INPUT_READ,
                                                       SIM_EVENT_OUTPUT_READ};
    static const sim_event writes[SIM_OPERAND_COUNT] = {SIM_EVENT_WEIGHT_WRITE, SIM_EVENT_INPUT_WRITE,
                                                        SIM_EVENT_OUTPUT_WRITE};
    const sim_tech *tech = &arch->tech;
    double w = (double)arch->array_w_bits, a = (double)arch->array_a_bits;
    double dram_pj = arch->dram.pj_per_bit * (1 - arch->dram.background_frac), area_mm2;
    sim_hardware hardware;

    /* A fixed PE multiplies at its native width and a fusion unit is one cycle of all its bricks, whatever
     * the operands: neither price depends on them. */
    (void)w_bits;
    (void)a_bits;
    *out = (sim_prices){0};
    arch->backend->hardware(arch, &hardware);
    out->pj[SIM_EVENT_MAC] = tech->mac_c0_pj + tech->mac_c1_pj * (w + a) / 2 + tech->mac_c2_pj * w * a;
    out->pj[SIM_EVENT_UNIT_CYCLE] =
        is_wide(arch->array_w_bits, arch->array_a_bits) ? tech->fusion16_pj : tech->fusion8_pj;
    if (hardware.kind == SIM_PE_SERIAL) {
        /* A lane is a PE of its step widths whose accumulator (c0) is shared by the unit's lanes: assumed. */
        double ws = hardware.w_bits, as = hardware.a_bits;

        out->pj[SIM_EVENT_LANE_CYCLE] = tech->mac_c0_pj / (double)hardware.depth +
                                        tech->mac_c1_pj * (ws + as) / 2 + tech->mac_c2_pj * ws * as;
    }
    out->pj[SIM_EVENT_REGISTER_BIT] = tech->register_pj_per_bit;
    out->pj[SIM_EVENT_VECTOR_OP] = tech->vector_pj_per_op;
    out->pj[SIM_EVENT_DRAM_READ] = dram_pj;
    out->pj[SIM_EVENT_DRAM_WRITE] = dram_pj;
    out->pj[SIM_EVENT_LINK_BIT] = arch->link.pj_per_bit;
    for (int i = 0; i < SIM_OPERAND_COUNT; i++) {
        double bytes = bank_bytes(arch, &hardware, (sim_operand)i);
        sim_sram_point point;

        if (bytes <= 0)
            continue;
        sim_sram_at(tech, (sim_operand)i, bytes, &point);
        out->pj[reads[i]] = point.read_pj_per_bit;
        out->pj[writes[i]] = point.write_pj_per_bit;
    }
    die_total(arch, &hardware, &out->static_w, &area_mm2);
    /* Standby and refresh go with the devices. Where capacity and bandwidth are in the proportion of the
     * devices that were measured, dynamic and background energy add up to pj_per_bit at full load. */
    out->dram_background_w = arch->dram.pj_per_bit * arch->dram.background_frac * 1e-12 * 8 *
                             arch->dram.rank_gb_s_per_gib * 1e9 * arch->dram_capacity_gib;
    out->pj_per_cycle = (out->static_w + out->dram_background_w) * 1e6 / arch->clock_mhz;
}

void sim_gpu_prices_of(const sim_arch *arch, sim_gpu_math math, sim_prices *out)
{
    double dram_pj = arch->dram.pj_per_bit * (1 - arch->dram.background_frac);

    *out = (sim_prices){0};
    out->pj[SIM_EVENT_MAC] = 1e-3 * arch->gpu.mac_fj[math];
    out->pj[SIM_EVENT_VECTOR_OP] = 0.5e-3 * arch->gpu.mac_fj[SIM_GPU_FP32];
    out->pj[SIM_EVENT_DRAM_READ] = dram_pj;
    out->pj[SIM_EVENT_DRAM_WRITE] = dram_pj;
    out->pj[SIM_EVENT_LINK_BIT] = arch->link.pj_per_bit;
    out->static_w = arch->gpu.static_w;
    out->pj_per_cycle = out->static_w * 1e6 / arch->clock_mhz;
}

void sim_gpu_prices_all(const sim_arch *arch, sim_prices out[SIM_GPU_MATHS])
{
    for (int i = 0; arch->backend->kernels && i < SIM_GPU_MATHS; i++)
        sim_gpu_prices_of(arch, (sim_gpu_math)i, &out[i]);
}

double sim_counts_pj(const sim_prices *prices, const sim_counts *counts)
{
    double sum = 0;

    for (int i = 0; i < SIM_EVENT_COUNT; i++)
        sum += prices->pj[i] * counts->of[i];
    return sum;
}

void sim_energy_of(const sim_prices *prices, const sim_counts *counts, double latency_s, sim_energy *out)
{
    double pj[SIM_EVENT_COUNT];

    for (int i = 0; i < SIM_EVENT_COUNT; i++)
        pj[i] = prices->pj[i] * counts->of[i];
    *out = (sim_energy){
        .mac_j = 1e-12 * (pj[SIM_EVENT_MAC] + pj[SIM_EVENT_UNIT_CYCLE] + pj[SIM_EVENT_LANE_CYCLE]),
        .register_j = 1e-12 * pj[SIM_EVENT_REGISTER_BIT],
        .sram_j =
            1e-12 * (pj[SIM_EVENT_WEIGHT_READ] + pj[SIM_EVENT_WEIGHT_WRITE] + pj[SIM_EVENT_INPUT_READ] +
                     pj[SIM_EVENT_INPUT_WRITE] + pj[SIM_EVENT_OUTPUT_READ] + pj[SIM_EVENT_OUTPUT_WRITE]),
        .dram_j = 1e-12 * (pj[SIM_EVENT_DRAM_READ] + pj[SIM_EVENT_DRAM_WRITE]) +
                  prices->dram_background_w * latency_s,
        .vector_j = 1e-12 * pj[SIM_EVENT_VECTOR_OP],
        .static_j = prices->static_w * latency_s,
        .link_j = 1e-12 * pj[SIM_EVENT_LINK_BIT],
    };
}
