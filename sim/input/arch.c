#include "input/arch.h"

#include "input/calib.h"
#include "input/cfg.h"
#include "input/param.h"
#include "input/tech.h"
#include "input/tech_parts.h"

#include "base/hash.h"
#include "base/text.h"

#include <string.h>

/* ---- settings -------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Where the value of `key` comes from: the last --set of it, else the file, else (a default) nowhere. */
static sim_status locate(const sim_cfg *cfg, const sim_arch_setting *settings, int count, const char *key,
                         const char *path, sim_arena *arena, sim_named *out, sim_err *err)
{
    const sim_cfg_setting *setting = sim_cfg_find(cfg, key);

    out->file = setting ? setting->file : path;
    out->line = setting ? setting->line : 0;
    for (int i = count - 1; i >= 0; i--)
        if (strcmp(settings[i].key, key) == 0) {
            out->file = sim_arena_printf(arena, "--set %s=%s", key, settings[i].value);
            out->line = 0;
            break;
        }
    return out->file ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

static sim_status check_form(const sim_arch_setting *settings, int count, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int i = 0; i < count; i++) {
        const char *key = settings[i].key;

        if (key && *key && settings[i].value && *settings[i].value)
            continue;
        status = sim_fail(err, SIM_USAGE, NULL, 0, "--set %s%s: not of the form key=value", key ? key : "",
                          settings[i].value ? "=" : "");
        sim_hint(err, "for example --set array.rows=32");
    }
    return status;
}

/* ---- the back end ---------------------------------------------------------------------------------- */

/* Sets out->backend; NULL when the file names none, which is reported with the other missing keys. */
static sim_status find_backend(const sim_cfg *cfg, const sim_arch_setting *settings, int count,
                               const char *path, sim_arena *arena, sim_arch *out, sim_err *err)
{
    enum { MOST = 32 };
    const sim_cfg_setting *setting = sim_cfg_find(cfg, "backend");
    const char *name = setting && setting->value.type == SIM_CFG_TEXT ? setting->value.text : NULL;
    const char *names[MOST + 1], *near;
    char list[200] = "";
    sim_named at;
    int known = 0;

    for (int i = 0; i < count; i++)
        if (strcmp(settings[i].key, "backend") == 0)
            name = settings[i].value;
    if (!name)
        return SIM_OK;
    out->backend = sim_backend_find(name);
    if (out->backend)
        return SIM_OK;
    if (locate(cfg, settings, count, "backend", path, arena, &at, err) != SIM_OK)
        return SIM_NO_MEMORY;
    for (; sim_backends[known] && known < MOST; known++) {
        names[known] = sim_backends[known]->name;
        if (known)
            strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, names[known], sizeof list - strlen(list) - 1);
    }
    names[known] = NULL;
    near = sim_nearest(name, names);
    sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "unknown back end '%s'", name);
    if (near)
        sim_hint(err, "did you mean '%s'? known: %s", near, list);
    else
        sim_hint(err, "known: %s", list);
    return SIM_BAD_INPUT;
}

/* ---- consistency ------------------------------------------------------------------------------------ */

static const char *const split_keys[] = {"buffers.weight_kib", "buffers.input_kib", "buffers.output_kib"};

static bool is_refused(const sim_arch *arch, const char *key)
{
    const char *const *refused = arch->backend ? arch->backend->refused_keys : NULL;

    for (; refused && *refused; refused++)
        if (strcmp(*refused, key) == 0)
            return true;
    return false;
}

/* Three split buffers or one unified, nothing in between. */
static sim_status check_buffers(const sim_param_set *set, const sim_arch *arch, const char *path,
                                sim_err *err)
{
    bool unified = sim_param_given(set, "buffers.unified_kib");
    int split = 0;

    if (is_refused(arch, "buffers.unified_kib") && is_refused(arch, split_keys[0]))
        return SIM_OK;
    for (int i = 0; i < SIM_OPERAND_COUNT; i++)
        split += sim_param_given(set, split_keys[i]);
    if (unified && split) {
        sim_fail(err, SIM_BAD_INPUT, path, 0, "'buffers.unified_kib' beside split buffers");
        sim_hint(err, "give either buffers.unified_kib or all of weight_kib, input_kib and output_kib");
        return SIM_BAD_INPUT;
    }
    if (!unified && !split) {
        sim_fail(err, SIM_BAD_INPUT, path, 0, "missing buffers");
        sim_hint(err, "give buffers.unified_kib, or all of buffers.weight_kib, input_kib and output_kib");
        return SIM_BAD_INPUT;
    }
    for (int i = 0; split && i < SIM_OPERAND_COUNT; i++)
        if (!sim_param_given(set, split_keys[i])) {
            sim_fail(err, SIM_BAD_INPUT, path, 0, "missing key '%s'", split_keys[i]);
            sim_hint(err, "split buffers need all of weight_kib, input_kib and output_kib");
        }
    return split == 0 || split == SIM_OPERAND_COUNT ? SIM_OK : SIM_BAD_INPUT;
}

/* Several devices need something that joins them. */
static sim_status check_link(const sim_param_set *set, const sim_arch *arch, const char *path, sim_err *err)
{
    const sim_link *link = &arch->link;
    sim_status status = SIM_OK;

    if (link->devices <= 1)
        return SIM_OK;
    if (link->topology == SIM_TOPOLOGY_NONE) {
        status = sim_fail(err, SIM_BAD_INPUT, path, 0, "'link.devices' is %lld, but 'link.topology' is none",
                          (long long)link->devices);
        sim_hint(err, "give link.topology = \"switch\" or \"ring\"");
    }
    if (!sim_param_given(set, "link.bandwidth_gb_s")) {
        status = sim_fail(err, SIM_BAD_INPUT, path, 0, "missing key 'link.bandwidth_gb_s'");
        sim_hint(err, "'link.devices' is %lld", (long long)link->devices);
    }
    return status;
}

/* ---- loading ---------------------------------------------------------------------------------------- */

static sim_status fill(sim_param_set *set, const sim_cfg *cfg, const sim_arch_setting *settings, int count,
                       bool inline_tech, sim_arch *out, sim_err *err)
{
    static const char *const skip_both[] = {"dram_kinds", "tech", NULL}, *const skip_kinds[] = {"dram_kinds",
                                                                                                NULL};
    int own = out->backend ? out->backend->param_count : 0;
    sim_status status = sim_param_begin(set, out, "", sim_arch_param_count + own, set->arena, err);

    if (status == SIM_OK)
        status = sim_param_add(set, sim_arch_params, sim_arch_param_count, err);
    if (status == SIM_OK && own)
        status = sim_param_add(set, out->backend->params, own, err);
    if (status != SIM_OK)
        return status;
    if (out->backend) {
        set->refused = out->backend->refused_keys;
        set->refuser = sim_arena_printf(set->arena, "back end '%s'", out->backend->name);
        if (!set->refuser)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    sim_param_apply(set, cfg, inline_tech ? skip_both : skip_kinds, err);
    for (int i = 0; i < count; i++)
        if (!begins(settings[i].key, "tech.") && !begins(settings[i].key, "dram_kinds."))
            sim_param_apply_text(set, settings[i].key, settings[i].value, err);
    sim_param_check_missing(set, out->file, err);
    check_buffers(set, out, out->file, err);
    check_link(set, out, out->file, err);
    return SIM_OK;
}

/* The calibration that the arch names: by name, or by a path that is relative to the file that names it. */
static sim_status read_calibration(const sim_cfg *cfg, const sim_arch_setting *settings, int count,
                                   sim_arena *arena, sim_arch *out, sim_text *canonical, sim_err *err)
{
    const char *name = out->calibration_name, *path = name, *slash;
    sim_gpu_calibration *calibration;
    sim_named named;
    sim_status status;

    if (!name || strcmp(name, "none") == 0)
        return SIM_OK;
    calibration = sim_arena_alloc(arena, 1, sizeof *calibration);
    if (!calibration)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = locate(cfg, settings, count, "calibration", out->file, arena, &named, err);
    named.name = name;
    if (status == SIM_OK && !strchr(name, '/')) {
        status = sim_named_file(out->file, "calib", "calibration", &named, arena, &path, err);
    } else if (status == SIM_OK && *name != '/' && !begins(named.file, "--set ")) {
        slash = strrchr(named.file, '/');
        if (slash)
            path = sim_arena_printf(arena, "%.*s/%s", (int)(slash - named.file), named.file, name);
        if (!path)
            status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    if (status == SIM_OK)
        status = sim_calibration_load(path, arena, calibration, canonical, err);
    out->calibration = calibration;
    return status;
}

static sim_status load(const char *path, const sim_arch_setting *settings, int count, sim_cfg_shelf *shelf,
                       sim_arena *arena, sim_arch *out, sim_text *canonical, sim_err *err)
{
    int before = err->count + err->dropped;
    sim_cfg cfg;
    sim_param_set set = {.arena = arena};
    sim_tech_query query = {
        .arch_file = path, .arch_cfg = &cfg, .shelf = shelf, .settings = settings, .setting_count = count};
    sim_status status = check_form(settings, count, err);

    if (status == SIM_OK)
        status = sim_cfg_load_shelved(shelf, path, arena, &cfg, err);
    if (status == SIM_OK)
        status = find_backend(&cfg, settings, count, path, arena, out, err);
    if (status != SIM_OK)
        return status;
    const sim_cfg_setting *tech = sim_cfg_find(&cfg, "tech");
    bool inline_tech = tech && tech->value.type == SIM_CFG_GROUP;

    status = fill(&set, &cfg, settings, count, inline_tech, out, err);
    if (status == SIM_OK)
        status = locate(&cfg, settings, count, "tech", path, arena, &query.tech, err);
    if (status == SIM_OK)
        status = locate(&cfg, settings, count, "dram.type", path, arena, &query.dram, err);
    if (status != SIM_OK)
        return status;
    /* --set tech=NAME beats a group in the file. */
    query.tech.name = inline_tech && !sim_param_given(&set, "tech") ? NULL : out->tech_name;
    query.dram.name = out->dram_type;
    query.dram_only = is_refused(out, "tech");
    if (query.dram_only)
        query.tech.name = "dram";
    status = sim_tech_resolve(&query, arena, &out->tech, &out->dram, canonical, err);
    read_calibration(&cfg, settings, count, arena, out, canonical, err);
    if (err->count + err->dropped > before)
        return sim_err_status(err);
    if (status != SIM_OK)
        return status;
    if (query.dram_only)
        out->tech_name = NULL;
    else if (!query.tech.name)
        out->tech_name = out->tech.name;
    sim_param_canonical(&set, canonical);
    if (out->backend->check)
        return out->backend->check(out, err);
    return SIM_OK;
}

sim_status sim_arch_load_shelved(const char *path, const sim_arch_setting *settings, int count,
                                 sim_cfg_shelf *shelf, sim_arena *arena, sim_arch *out, sim_err *err)
{
    sim_text canonical = {.allocator = arena->allocator};
    sim_status status = SIM_OK;

    *out = (sim_arch){0};
    out->file = sim_arena_text(arena, path, strlen(path));
    if (!out->file)
        status = sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    if (status == SIM_OK)
        status = load(out->file, settings, count, shelf, arena, out, &canonical, err);
    if (status == SIM_OK && canonical.failed)
        status = sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    if (status == SIM_OK)
        out->id = sim_hash(SIM_HASH_START, canonical.data, canonical.length);
    sim_text_free(&canonical);
    return status;
}

sim_status sim_arch_load(const char *path, const sim_arch_setting *settings, int count, sim_arena *arena,
                         sim_arch *out, sim_err *err)
{
    return sim_arch_load_shelved(path, settings, count, NULL, arena, out, err);
}
