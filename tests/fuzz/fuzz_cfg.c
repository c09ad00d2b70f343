/* Arbitrary bytes as an architecture file: the scanner, libconfig behind it, and the parameter tables. */
#include "base/arena.h"
#include "base/text.h"
#include "input/arch.h"
#include "input/cfg.h"
#include "input/param.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a successful parse promises. */
static void check_value(const sim_cfg_value *value)
{
    if (value->type == SIM_CFG_REAL && !isfinite(value->real))
        abort();
    if (value->type == SIM_CFG_TEXT && !value->text)
        abort();
    for (int64_t i = 0; value->type == SIM_CFG_LIST && i < value->count; i++)
        check_value(&value->elements[i]);
}

static void apply(const sim_cfg *cfg, sim_arena *arena)
{
    sim_err err = {0};
    sim_arch arch = {0};
    sim_param_set set;
    sim_text canonical = {.length = 0};

    if (sim_param_begin(&set, &arch, "", sim_arch_param_count, arena, &err) != SIM_OK ||
        sim_param_add(&set, sim_arch_params, sim_arch_param_count, &err) != SIM_OK)
        abort();
    sim_param_apply(&set, cfg, NULL, &err);
    for (int i = 0; i < cfg->count; i++)
        if (cfg->settings[i].value.type == SIM_CFG_TEXT)
            sim_param_apply_text(&set, cfg->settings[i].key, cfg->settings[i].value.text, &err);
    sim_param_check_missing(&set, "fuzz.cfg", &err);
    sim_param_canonical(&set, &canonical);
    if (!canonical.data || canonical.failed || arch.array_count < 1 || arch.array_count > 4096 ||
        arch.dram_capacity_gib <= 0)
        abort();
    sim_text_free(&canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sim_arena arena;
    sim_err err = {0};
    sim_cfg cfg;

    sim_arena_init(&arena, NULL);
    if (sim_cfg_parse((const char *)data, size, "fuzz.cfg", &arena, &cfg, &err) == SIM_OK) {
        for (int i = 0; i < cfg.count; i++) {
            if (!cfg.settings[i].key || !*cfg.settings[i].key || cfg.settings[i].line < 1)
                abort();
            check_value(&cfg.settings[i].value);
        }
        apply(&cfg, &arena);
    } else if (err.count == 0) {
        abort(); /* a failure without a reason */
    }
    sim_arena_free(&arena);
    return 0;
}
