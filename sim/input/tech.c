#include "input/tech.h"

#include "input/param.h"
#include "input/tech_parts.h"

#include <string.h>

/* ---- keys ---------------------------------------------------------------------------------------- */

/* A technology as its file has it: before scaling. */
typedef struct source {
    sim_tech tech;
    int scaling; /* sim_scaling */
    double logic_node_nm, sram_node_nm;
    const char *sram_cell_type;
    int logic_provenance, sram_provenance, vector_provenance; /* sim_provenance */
} source;

static const char *const scaling_names[] = {"linear", "stillmaker", NULL};

#define AT(field)   offsetof(source, field)
#define TECH(field) offsetof(source, tech.field)

const sim_param sim_tech_params[] = {
    {"name", "", SIM_PARAM_TEXT, TECH(name), 0, 0, "", NULL, "Name for reports."},
    {"node_nm", "nm", SIM_PARAM_REAL, TECH(node_nm), 3, 130, NULL, NULL,
     "Feature size that everything is scaled to."},
    {"scaling", "", SIM_PARAM_ENUM, AT(scaling), 0, 0, "linear", scaling_names,
     "Law that carries energy from one node to another."},
    {"logic_node_nm", "nm", SIM_PARAM_REAL, AT(logic_node_nm), 3, 130, NULL, NULL,
     "Node at which the logic numbers below hold."},
    {"mac_c0_pj", "pJ", SIM_PARAM_REAL, TECH(mac_c0_pj), 0, 1e6, NULL, NULL,
     "Fixed PE, energy of a MAC: constant part."},
    {"mac_c1_pj", "pJ", SIM_PARAM_REAL, TECH(mac_c1_pj), 0, 1e6, NULL, NULL,
     "Fixed PE: part per bit of the mean operand width."},
    {"mac_c2_pj", "pJ", SIM_PARAM_REAL, TECH(mac_c2_pj), 0, 1e6, NULL, NULL,
     "Fixed PE: part per product of the operand widths."},
    {"mac_leak_uw", "uW", SIM_PARAM_REAL, TECH(mac_leak_uw), 0, 1e6, NULL, NULL,
     "Leakage of a fixed 8x8 PE; others in proportion to w*a."},
    {"mac_area_um2", "um2", SIM_PARAM_REAL, TECH(mac_area_um2), 0, 1e9, NULL, NULL,
     "Area of a fixed 8x8 PE; others in proportion to w*a."},
    {"fusion8_pj", "pJ", SIM_PARAM_REAL, TECH(fusion8_pj), 0, 1e6, NULL, NULL,
     "Fusion unit of widest operand 8 bits, energy of a busy cycle."},
    {"fusion16_pj", "pJ", SIM_PARAM_REAL, TECH(fusion16_pj), 0, 1e6, NULL, NULL,
     "Fusion unit of widest operand 16 bits, energy of a busy cycle."},
    {"fusion8_leak_uw", "uW", SIM_PARAM_REAL, TECH(fusion8_leak_uw), 0, 1e6, NULL, NULL,
     "Leakage of the 8-bit fusion unit."},
    {"fusion16_leak_uw", "uW", SIM_PARAM_REAL, TECH(fusion16_leak_uw), 0, 1e6, NULL, NULL,
     "Leakage of the 16-bit fusion unit."},
    {"fusion8_area_um2", "um2", SIM_PARAM_REAL, TECH(fusion8_area_um2), 0, 1e9, NULL, NULL,
     "Area of the 8-bit fusion unit."},
    {"fusion16_area_um2", "um2", SIM_PARAM_REAL, TECH(fusion16_area_um2), 0, 1e9, NULL, NULL,
     "Area of the 16-bit fusion unit."},
    {"register_pj_per_bit", "pJ/bit", SIM_PARAM_REAL, TECH(register_pj_per_bit), 0, 1e6, NULL, NULL,
     "One bit through one register."},
    {"vector_pj_per_op", "pJ", SIM_PARAM_REAL, TECH(vector_pj_per_op), 0, 1e6, NULL, NULL,
     "One operation of a vector lane."},
    {"vector_lane_leak_uw", "uW", SIM_PARAM_REAL, TECH(vector_lane_leak_uw), 0, 1e6, NULL, NULL,
     "Leakage of a vector lane."},
    {"vector_lane_area_um2", "um2", SIM_PARAM_REAL, TECH(vector_lane_area_um2), 0, 1e9, NULL, NULL,
     "Area of a vector lane."},
    {"sram_node_nm", "nm", SIM_PARAM_REAL, AT(sram_node_nm), 3, 130, NULL, NULL,
     "Node at which the SRAM tables hold."},
    {"sram_cell_type", "", SIM_PARAM_TEXT, AT(sram_cell_type), 0, 0, NULL, NULL,
     "Cell and periphery devices of the SRAM table: they set its leakage."},
    {"logic_provenance", "", SIM_PARAM_ENUM, AT(logic_provenance), 0, 0, "assumed", sim_provenance_names,
     "How the logic numbers were obtained; a scaled number is assumed."},
    {"sram_provenance", "", SIM_PARAM_ENUM, AT(sram_provenance), 0, 0, "assumed", sim_provenance_names,
     "How the SRAM table was obtained; a scaled one is assumed."},
    {"vector_provenance", "", SIM_PARAM_ENUM, AT(vector_provenance), 0, 0, "assumed", sim_provenance_names,
     "How the vector numbers were obtained."},
};
const int sim_tech_param_count = sizeof sim_tech_params / sizeof *sim_tech_params;

/* ---- the technology ------------------------------------------------------------------------------- */

/* The SRAM tables of a technology: one for all buffers, and one for each buffer whose words are of another
 * width, or whose organisation is. */
static const char *const table_names[] = {"sram", "sram_weight", "sram_input", "sram_output", NULL};
enum { TABLES = sizeof table_names / sizeof *table_names - 1, COLUMNS = 5, PRICED = 3 };

static const sim_sram_point **points_of(sim_tech *tech, int table)
{
    return table == 0 ? &tech->sram : &tech->sram_of[table - 1];
}

static int64_t *count_of(sim_tech *tech, int table)
{
    return table == 0 ? &tech->sram_count : &tech->sram_count_of[table - 1];
}

/* A row of numbers: size and energies above 0, leakage and area 0 where they do not count. */
static bool read_row(const sim_cfg_value *row, double out[COLUMNS])
{
    bool good = row->type == SIM_CFG_LIST && row->count == COLUMNS;

    for (int j = 0; good && j < COLUMNS; j++) {
        const sim_cfg_value *cell = &row->elements[j];

        good = (cell->type == SIM_CFG_REAL || cell->type == SIM_CFG_INT) &&
               (j < PRICED ? cell->real > 0 : cell->real >= 0);
        out[j] = cell->real;
    }
    return good;
}

/* Whether every buffer has a table of its own, so that a common one would say nothing. */
static bool all_own(const sim_cfg *cfg)
{
    return sim_cfg_find(cfg, "tech.sram_weight") && sim_cfg_find(cfg, "tech.sram_input") &&
           sim_cfg_find(cfg, "tech.sram_output");
}

static sim_status read_sram(const sim_cfg *cfg, const char *file, int which, sim_arena *arena, sim_tech *tech,
                            sim_err *err)
{
    const char *name = table_names[which];
    const char *key = sim_arena_printf(arena, "tech.%s", name);
    const sim_cfg_setting *table = key ? sim_cfg_find(cfg, key) : NULL;
    const sim_cfg_value *rows = table ? table->value.elements : NULL;

    if (!key)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (!table && (which > 0 || all_own(cfg)))
        return SIM_OK;
    if (!table) {
        sim_fail(err, SIM_BAD_INPUT, file, 0, "missing key '%s'", key);
        sim_hint(err, "rows ( bytes, pJ/bit read, pJ/bit written, mW leakage, mm2 ), by rising size");
        return SIM_BAD_INPUT;
    }
    if (table->value.type != SIM_CFG_LIST || table->value.count < 2)
        return sim_fail(err, SIM_BAD_INPUT, table->file, table->line,
                        "'%s' must be a list of at least two rows", key);
    sim_sram_point *points = sim_arena_alloc(arena, (size_t)table->value.count, sizeof *points);

    if (!points)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < table->value.count; i++) {
        double v[COLUMNS] = {0};

        if (!read_row(&rows[i], v))
            return sim_fail(err, SIM_BAD_INPUT, table->file, table->line,
                            "row %lld of '%s' must be five numbers: size and energies above 0, leakage and "
                            "area at least 0",
                            (long long)i + 1, key);
        if (i && v[0] <= points[i - 1].size_bytes)
            return sim_fail(err, SIM_BAD_INPUT, table->file, table->line,
                            "row %lld of '%s' is not larger than the row before", (long long)i + 1, key);
        points[i] = (sim_sram_point){v[0], v[1], v[2], v[3], v[4]};
    }
    *points_of(tech, which) = points;
    *count_of(tech, which) = table->value.count;
    return SIM_OK;
}

static void canonical_sram(sim_tech *tech, int which, sim_text *canonical)
{
    const sim_sram_point *points = *points_of(tech, which);
    int64_t count = *count_of(tech, which);

    for (int64_t i = 0; i < count; i++) {
        const double v[COLUMNS] = {points[i].size_bytes, points[i].read_pj_per_bit,
                                   points[i].write_pj_per_bit, points[i].leak_mw, points[i].area_mm2};

        sim_text_add(canonical, "tech.");
        sim_text_add(canonical, table_names[which]);
        sim_text_add(canonical, "=");
        for (int j = 0; j < COLUMNS; j++) {
            sim_text_real(canonical, v[j]);
            sim_text_add(canonical, j < COLUMNS - 1 ? "," : "\n");
        }
    }
}

static void scale_sram(sim_tech *tech, int which, double energy, double shrink)
{
    /* read_sram() made this table for us alone. */
    sim_sram_point *points = (sim_sram_point *)(uintptr_t)*points_of(tech, which);
    int64_t count = *count_of(tech, which);

    for (int64_t i = 0; i < count; i++) {
        points[i].read_pj_per_bit *= energy;
        points[i].write_pj_per_bit *= energy;
        points[i].leak_mw *= shrink;
        points[i].area_mm2 *= shrink * shrink;
    }
}

/* What was scaled is assumed, whatever it was scaled from. */
static sim_provenance provenance_of(int stated, bool scaled)
{
    return scaled ? SIM_ASSUMED : (sim_provenance)stated;
}

static void scale(source *from)
{
    sim_tech *tech = &from->tech;
    sim_scaling law = (sim_scaling)from->scaling;
    double energy = sim_scaling_factor(law, from->logic_node_nm, tech->node_nm);
    double leak = tech->node_nm / from->logic_node_nm, area = leak * leak;

    tech->mac_c0_pj *= energy;
    tech->mac_c1_pj *= energy;
    tech->mac_c2_pj *= energy;
    tech->fusion8_pj *= energy;
    tech->fusion16_pj *= energy;
    tech->register_pj_per_bit *= energy;
    tech->vector_pj_per_op *= energy;
    tech->mac_leak_uw *= leak;
    tech->fusion8_leak_uw *= leak;
    tech->fusion16_leak_uw *= leak;
    tech->vector_lane_leak_uw *= leak;
    tech->mac_area_um2 *= area;
    tech->fusion8_area_um2 *= area;
    tech->fusion16_area_um2 *= area;
    tech->vector_lane_area_um2 *= area;

    for (int t = 0; t < TABLES; t++)
        scale_sram(tech, t, sim_scaling_factor(law, from->sram_node_nm, tech->node_nm),
                   tech->node_nm / from->sram_node_nm);
    tech->logic_provenance = provenance_of(from->logic_provenance, tech->node_nm != from->logic_node_nm);
    tech->vector_provenance = provenance_of(from->vector_provenance, tech->node_nm != from->logic_node_nm);
    tech->sram_provenance = provenance_of(from->sram_provenance, tech->node_nm != from->sram_node_nm);
}

void sim_tech_apply_settings(sim_param_set *set, const sim_tech_query *query, sim_err *err)
{
    size_t prefix = strlen(set->prefix);

    for (int i = 0; i < query->setting_count; i++)
        if (strncmp(query->settings[i].key, set->prefix, prefix) == 0)
            sim_param_apply_text(set, query->settings[i].key + prefix, query->settings[i].value, err);
}

static sim_status read_tech(const sim_tech_query *query, const sim_cfg *cfg, const char *file,
                            sim_arena *arena, sim_tech *out, sim_text *canonical, sim_err *err)
{
    source from = {0};
    sim_param_set set;
    int before = err->count + err->dropped;
    sim_status status = sim_param_begin(&set, &from, "tech.", sim_tech_param_count, arena, err);

    if (status == SIM_OK)
        status = sim_param_add(&set, sim_tech_params, sim_tech_param_count, err);
    if (status != SIM_OK)
        return status;
    sim_param_apply(&set, cfg, table_names, err);
    sim_tech_apply_settings(&set, query, err);
    sim_param_check_missing(&set, file, err);
    for (int t = 0; t < TABLES; t++)
        read_sram(cfg, file, t, arena, &from.tech, err);
    if (err->count + err->dropped > before)
        return sim_err_status(err);
    sim_param_canonical(&set, canonical);
    for (int t = 0; t < TABLES; t++)
        canonical_sram(&from.tech, t, canonical);
    scale(&from);
    *out = from.tech;
    out->file = file;
    if (!out->name)
        out->name = query->tech.name ? query->tech.name : "inline";
    return SIM_OK;
}

/* ---- technology and DRAM ---------------------------------------------------------------------------- */

sim_status sim_tech_resolve(const sim_tech_query *query, sim_arena *arena, sim_tech *tech,
                            sim_dram_kind *dram, sim_text *canonical, sim_err *err)
{
    static const char *const own_groups[] = {"tech", "dram_kinds", NULL};
    int before = err->count + err->dropped;
    const sim_cfg *cfg = query->arch_cfg;
    const char *file = query->arch_file;
    sim_cfg loaded;

    if (query->tech.name) {
        sim_status status = sim_tech_load_file(query, arena, &loaded, &file, err);
        sim_param_set none;

        if (status != SIM_OK)
            return status;
        cfg = &loaded;
        /* Nothing but the two groups may stand in a technology file. */
        status = sim_param_begin(&none, NULL, "", 0, arena, err);
        if (status != SIM_OK)
            return status;
        sim_param_apply(&none, cfg, own_groups, err);
    }
    if (!query->dram_only)
        read_tech(query, cfg, file, arena, tech, canonical, err);
    sim_tech_read_dram(query, cfg, file, arena, dram, canonical, err);
    return err->count + err->dropped > before ? sim_err_status(err) : SIM_OK;
}
