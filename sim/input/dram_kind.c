/* DRAM kinds: groups of `dram_kinds`, one of which an arch uses. */
#include "input/tech_parts.h"

#include <stdio.h>
#include <string.h>

static const char group_prefix[] = "dram_kinds.";

typedef struct kind {
    sim_dram_kind dram;
    int provenance;
} kind;

#define KIND(field) offsetof(kind, dram.field)

const sim_param sim_dram_kind_params[] = {
    {"pj_per_bit", "pJ/bit", SIM_PARAM_REAL, KIND(pj_per_bit), 0, 1e4, NULL, NULL,
     "Energy per bit at full load, background included."},
    {"background_frac", "", SIM_PARAM_REAL, KIND(background_frac), 0, 1, NULL, NULL,
     "Share of it that is drawn whether or not bits move."},
    {"rank_gb_s_per_gib", "GB/s/GiB", SIM_PARAM_REAL, KIND(rank_gb_s_per_gib), 0, 1e4, NULL, NULL,
     "Peak bandwidth per GiB of the devices that this share is of: background goes with capacity."},
    {"curve_efficiency_frac", "", SIM_PARAM_REAL, KIND(curve_efficiency_frac), 0.01, 1, NULL, NULL,
     "Share of peak bandwidth that long runs in one direction reach."},
    {"burst_bytes", "bytes", SIM_PARAM_REAL, KIND(burst_bytes), 1, 1 << 20, NULL, NULL,
     "A shorter contiguous run takes as long as one of this length."},
    {"turnaround_frac", "", SIM_PARAM_REAL, KIND(turnaround_frac), 0, 100, NULL, NULL,
     "Bit times lost to bus turn-around per bit of the rarer direction."},
    {"provenance", "", SIM_PARAM_ENUM, offsetof(kind, provenance), 0, 0, "assumed", sim_provenance_names,
     "How the energy was obtained."},
};
const int sim_dram_kind_param_count = sizeof sim_dram_kind_params / sizeof *sim_dram_kind_params;

/* Settings of DRAM kinds that are not the one in use would do nothing: say so. */
static void check_settings(const sim_tech_query *query, sim_err *err)
{
    size_t length = strlen(group_prefix), name = strlen(query->dram.name);

    for (int i = 0; i < query->setting_count; i++) {
        const char *key = query->settings[i].key;

        if (strncmp(key, group_prefix, length) != 0 ||
            (strncmp(key + length, query->dram.name, name) == 0 && key[length + name] == '.'))
            continue;
        char file[SIM_ERR_FILE];

        snprintf(file, sizeof file, "--set %s=%s", key, query->settings[i].value);
        sim_fail(err, SIM_BAD_INPUT, file, 0, "'%s' is not of the DRAM in use, '%s'", key, query->dram.name);
    }
}

/* The name after "dram_kinds.", when `setting` is such a group itself; NULL otherwise. */
static const char *kind_name(const sim_cfg_setting *setting)
{
    size_t length = strlen(group_prefix);

    if (strncmp(setting->key, group_prefix, length) != 0 || strchr(setting->key + length, '.'))
        return NULL;
    return setting->key + length;
}

/* Checks every kind of `cfg` and fills `set` from the one that it is for. */
static void apply_kinds(sim_param_set *wanted, const sim_cfg *cfg, sim_arena *arena, sim_err *err)
{
    for (int i = 0; i < cfg->count; i++) {
        const char *name = kind_name(&cfg->settings[i]);
        const char *prefix = name ? sim_arena_printf(arena, "%s%s.", group_prefix, name) : NULL;
        kind scratch;
        sim_param_set set;

        if (!name || (prefix && strcmp(prefix, wanted->prefix) == 0))
            continue;
        if (!prefix) {
            sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
            return;
        }
        if (sim_param_begin(&set, &scratch, prefix, sim_dram_kind_param_count, arena, err) == SIM_OK &&
            sim_param_add(&set, sim_dram_kind_params, sim_dram_kind_param_count, err) == SIM_OK)
            sim_param_apply(&set, cfg, NULL, err);
    }
    sim_param_apply(wanted, cfg, NULL, err);
}

static int add_kind_names(const sim_cfg *cfg, const char **names, int count, int most)
{
    for (int i = 0; i < cfg->count && count < most; i++) {
        const char *name = kind_name(&cfg->settings[i]);
        bool known = false;

        for (int j = 0; name && j < count; j++)
            known |= strcmp(names[j], name) == 0;
        if (name && !known)
            names[count++] = name;
    }
    return count;
}

sim_status sim_tech_read_dram(const sim_tech_query *query, const sim_cfg *tech_cfg, const char *file,
                              sim_arena *arena, sim_dram_kind *out, sim_text *canonical, sim_err *err)
{
    enum { MOST = 64 };
    const char *names[MOST + 1], *prefix;
    int count = add_kind_names(query->arch_cfg, names, 0, MOST), before = err->count + err->dropped;
    bool known = false;
    kind from = {0};
    sim_param_set set;

    count = add_kind_names(tech_cfg, names, count, MOST);
    for (int i = 0; i < count; i++)
        known |= strcmp(names[i], query->dram.name) == 0;
    if (!known)
        return sim_tech_unknown_name("dram.type", &query->dram, names, count, err);
    prefix = sim_arena_printf(arena, "%s%s.", group_prefix, query->dram.name);
    if (!prefix)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    sim_status status = sim_param_begin(&set, &from, prefix, sim_dram_kind_param_count, arena, err);

    if (status == SIM_OK)
        status = sim_param_add(&set, sim_dram_kind_params, sim_dram_kind_param_count, err);
    if (status != SIM_OK)
        return status;
    check_settings(query, err);
    apply_kinds(&set, tech_cfg, arena, err);
    if (query->arch_cfg != tech_cfg)
        apply_kinds(&set, query->arch_cfg, arena, err);
    sim_tech_apply_settings(&set, query, err);
    sim_param_check_missing(&set, file, err);
    if (err->count + err->dropped > before)
        return sim_err_status(err);
    sim_param_canonical(&set, canonical);
    *out = from.dram;
    out->name = query->dram.name;
    out->provenance = (sim_provenance)from.provenance;
    return SIM_OK;
}
