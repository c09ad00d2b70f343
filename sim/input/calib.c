#include "input/calib.h"

#include "input/param.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char group_prefix[] = "calibration.kernels.";

/* ---- keys ---------------------------------------------------------------------------------------- */

/* A kernel as its group has it. */
typedef struct source {
    sim_gpu_kernel kernel;
    int kind, regime, dispatch; /* sim_gpu_kernel_kind, sim_gpu_regime, sim_gpu_dispatch */
    int64_t occupancy_least, occupancy_most;
} source;

#define CALIBRATION(field) offsetof(sim_gpu_calibration, field)
#define AT(field)          offsetof(source, field)
#define KERNEL(field)      offsetof(source, kernel.field)
#define PARAMETER(index)   (offsetof(source, kernel.parameter) + (index) * sizeof(double))

const sim_param sim_calibration_params[] = {
    {"name", "", SIM_PARAM_TEXT, CALIBRATION(name), 0, 0, NULL, NULL, "Name for reports."},
    {"gpu", "", SIM_PARAM_TEXT, CALIBRATION(gpu), 0, 0, NULL, NULL, "Device that was measured."},
    {"source", "", SIM_PARAM_TEXT, CALIBRATION(source), 0, 0, NULL, NULL,
     "Where the measurements come from, in one line."},
    {"arch_clock_mhz", "MHz", SIM_PARAM_REAL, CALIBRATION(arch_clock_mhz), 0, 100000, "0", NULL,
     "clock_mhz of the arch that it was fitted with; 0: not recorded."},
};
const int sim_calibration_param_count = sizeof sim_calibration_params / sizeof *sim_calibration_params;

/* Optional numbers have no default here: they start from sim_gpu_kernel_start(). Ranges are what makes sense
 * at all; those of the fit are narrower. */
const sim_param sim_calibration_kernel_params[] = {
    {"kernel", "", SIM_PARAM_ENUM, AT(kind), 0, 0, NULL, sim_gpu_kernel_names, "Kernel that was measured."},
    {"impl", "", SIM_PARAM_TEXT, KERNEL(impl), 0, 0, "", NULL, "Implementation, by name."},
    {"regime", "", SIM_PARAM_ENUM, AT(regime), 0, 0, "burst", sim_gpu_regime_names, "How it was measured."},
    {"dispatch", "", SIM_PARAM_ENUM, AT(dispatch), 0, 0, "graph", sim_gpu_dispatch_names,
     "How it was launched while it was measured."},
    {"default", "", SIM_PARAM_BOOL, KERNEL(is_default), 0, 0, "false", NULL,
     "Used when no implementation is asked for."},
    {"c_us", "us", SIM_PARAM_REAL, PARAMETER(SIM_GPU_C), 0, 1e6, NULL, NULL,
     "Launch and everything that does not overlap."},
    {"es", "", SIM_PARAM_REAL, PARAMETER(SIM_GPU_ES), 1e-4, 10, "", NULL,
     "Sustained efficiency of a 128x128 tile."},
    {"em", "", SIM_PARAM_REAL, PARAMETER(SIM_GPU_EM), 1e-4, 10, "", NULL, "Efficiency of memory."},
    {"q", "", SIM_PARAM_REAL, PARAMETER(SIM_GPU_Q), 0.5, 100, "", NULL,
     "Sharpness of the blend of compute and memory."},
    {"lam", "", SIM_PARAM_REAL, PARAMETER(SIM_GPU_LAM), 0, 100, "", NULL, "What small tiles lose."},
    {"k0", "", SIM_PARAM_REAL, PARAMETER(SIM_GPU_K0), 0, 1e6, "", NULL, "Prologue, in elements of k."},
    {"al", "", SIM_PARAM_REAL, PARAMETER(SIM_GPU_AL), 0, 1, "", NULL,
     "How far a partial wave counts as whole."},
    {"rr", "", SIM_PARAM_REAL, PARAMETER(SIM_GPU_RR), 0, 1e3, "", NULL, "Cost of the split-K reduction."},
    {"th", "", SIM_PARAM_REAL, PARAMETER(SIM_GPU_TH), 0, 100, "", NULL, "What long kernels lose in clock."},
    {"floor_us", "us", SIM_PARAM_REAL, KERNEL(floor_us), 0, 1e6, "", NULL,
     "Least time between launches from the host; 0: none."},
    {"tau_us", "us", SIM_PARAM_REAL, KERNEL(tau_us), 0.001, 1e9, "", NULL,
     "Length at which the clock is half way down."},
    {"dequant_frac", "", SIM_PARAM_REAL, KERNEL(dequant_frac), 0, 1e4, "", NULL,
     "Multiply-accumulates that widening one element takes the time of."},
    {"row_us", "us", SIM_PARAM_REAL, KERNEL(row_us), 0, 1e3, "", NULL,
     "Serial part of a row's reduction, per element."},
    {"k_step", "", SIM_PARAM_INT, KERNEL(k_step), 1, 65536, "", NULL, "k is padded to this."},
    {"occupancy_least", "", SIM_PARAM_INT, AT(occupancy_least), 1, 64, "", NULL,
     "Tiles at once on a multiprocessor, at least."},
    {"occupancy_most", "", SIM_PARAM_INT, AT(occupancy_most), 1, 64, "", NULL, "And at most."},
    {"residual_weight_frac", "", SIM_PARAM_REAL, KERNEL(residual_weight_frac), 0, 1, "", NULL,
     "How much of an interpolated residual is applied."},
    {"from_prior", "", SIM_PARAM_FLAGS, KERNEL(from_prior), 0, 0, "", sim_gpu_parameter_names,
     "Parameters that the data did not pin down."},
    {"rows", "", SIM_PARAM_INT, KERNEL(rows), 0, 1e12, "", NULL, "Measurements fitted."},
    {"groups", "", SIM_PARAM_INT, KERNEL(groups), 0, 1e12, "", NULL, "Weight shapes (n, k) among them."},
    {"mape_pct", "%", SIM_PARAM_REAL, KERNEL(mape_pct), 0, 1e6, "", NULL, "Mean error on these rows."},
    {"held_out_mape_pct", "%", SIM_PARAM_REAL, KERNEL(held_out_mape_pct), 0, 1e6, "", NULL,
     "Mean error on weight shapes held out."},
    {"clock_mhz", "MHz", SIM_PARAM_REAL, KERNEL(clock_mhz), 0, 100000, "", NULL,
     "Mean clock while measured."},
    {"source", "", SIM_PARAM_TEXT, KERNEL(source), 0, 0, "", NULL, "Where these measurements come from."},
};
const int sim_calibration_kernel_param_count =
    sizeof sim_calibration_kernel_params / sizeof *sim_calibration_kernel_params;

#define STEP(field) offsetof(sim_gpu_step, field)
#define OF_MATH(name, index)                                                                                 \
    {"attention_" name "_es",                                                                                \
     "",                                                                                                     \
     SIM_PARAM_REAL,                                                                                         \
     STEP(attention_es) + (index) * sizeof(double),                                                          \
     1e-4,                                                                                                   \
     10,                                                                                                     \
     "",                                                                                                     \
     NULL,                                                                                                   \
     "Sustained efficiency of attention kernels in " name "; none: as of GEMMs."},                           \
    {                                                                                                        \
        name "_mac_fj", "fJ", SIM_PARAM_REAL, STEP(mac_fj) + (index) * sizeof(double), 0, 1e9, "", NULL,     \
            "Energy of a multiply-accumulate of " name " under load; none: the device's."                    \
    }

const sim_param sim_calibration_step_params[] = {
    {"impl", "", SIM_PARAM_TEXT, STEP(impl), 0, 0, NULL, NULL, "Engine, also the impl of its kernels."},
    {"attention", "", SIM_PARAM_ENUM, STEP(attention), 0, 0, "auto", sim_gpu_attention_names,
     "Its attention kernels."},
    {"t0_us", "us", SIM_PARAM_REAL, STEP(t0_us), 0, 1e9, NULL, NULL, "Once per step, whatever it does."},
    OF_MATH("fp32", SIM_GPU_FP32),
    OF_MATH("fp16", SIM_GPU_FP16),
    OF_MATH("bf16", SIM_GPU_BF16),
    OF_MATH("fp8", SIM_GPU_FP8),
    OF_MATH("int8", SIM_GPU_INT8),
    OF_MATH("int4", SIM_GPU_INT4),
    {"rows", "", SIM_PARAM_INT, STEP(rows), 0, 1e12, "", NULL, "Steps fitted."},
    {"groups", "", SIM_PARAM_INT, STEP(groups), 0, 1e12, "", NULL, "Models and lengths among them."},
    {"mape_pct", "%", SIM_PARAM_REAL, STEP(mape_pct), 0, 1e6, "", NULL, "Mean error on these steps."},
    {"held_out_mape_pct", "%", SIM_PARAM_REAL, STEP(held_out_mape_pct), 0, 1e6, "", NULL,
     "Mean error on models and lengths held out."},
    {"source", "", SIM_PARAM_TEXT, STEP(source), 0, 0, "", NULL, "Where these measurements come from."},
};
const int sim_calibration_step_param_count =
    sizeof sim_calibration_step_params / sizeof *sim_calibration_step_params;

/* ---- lists --------------------------------------------------------------------------------------- */

static sim_status out_of_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* The list `<prefix><name>`; NULL when it is not there, or after an error. */
static const sim_cfg_setting *find_list(const sim_cfg *cfg, const char *prefix, const char *name,
                                        sim_arena *arena, sim_err *err)
{
    const char *key = sim_arena_printf(arena, "%s%s", prefix, name);
    const sim_cfg_setting *list = key ? sim_cfg_find(cfg, key) : NULL;

    if (!key)
        out_of_memory(err);
    if (list && list->value.type != SIM_CFG_LIST) {
        sim_fail(err, SIM_BAD_INPUT, list->file, list->line, "'%s' must be a list", list->key);
        return NULL;
    }
    return list;
}

static bool is_count(const sim_cfg_value *cell, int64_t most)
{
    return cell->type == SIM_CFG_INT && cell->integer >= 1 && cell->integer <= most;
}

static void read_tiles(const sim_cfg *cfg, const char *prefix, sim_arena *arena, sim_gpu_kernel *kernel,
                       sim_err *err)
{
    enum { SIDE_MOST = 1024 };
    const sim_cfg_setting *list = find_list(cfg, prefix, "tiles", arena, err);

    if (!list)
        return;
    if (list->value.count < 1 || list->value.count > SIM_GPU_TILES_MAX) {
        sim_fail(err, SIM_BAD_INPUT, list->file, list->line, "'%s' must hold from 1 to %d tiles", list->key,
                 SIM_GPU_TILES_MAX);
        return;
    }
    for (int64_t i = 0; i < list->value.count; i++) {
        const sim_cfg_value *tile = &list->value.elements[i];

        if (tile->type != SIM_CFG_LIST || tile->count != 2 || !is_count(&tile->elements[0], SIDE_MOST) ||
            !is_count(&tile->elements[1], SIDE_MOST)) {
            sim_fail(err, SIM_BAD_INPUT, list->file, list->line,
                     "tile %lld of '%s' must be two integers (rows, columns) from 1 to %d", (long long)i + 1,
                     list->key, SIDE_MOST);
            return;
        }
        kernel->tiles[i] = (sim_gpu_tile){(int)tile->elements[0].integer, (int)tile->elements[1].integer};
    }
    kernel->tile_count = (int)list->value.count;
}

static bool is_after(const sim_gpu_residual *r, const sim_gpu_residual *before)
{
    if (r->n != before->n)
        return r->n > before->n;
    return r->k != before->k ? r->k > before->k : r->m > before->m;
}

static void read_residuals(const sim_cfg *cfg, const char *prefix, sim_arena *arena, sim_gpu_kernel *kernel,
                           sim_err *err)
{
    static const double most = 5; /* a factor of 150: no kernel's residual, but a slip of units */
    const sim_cfg_setting *list = find_list(cfg, prefix, "residuals", arena, err);
    sim_gpu_residual *rows;

    if (!list || list->value.count == 0)
        return;
    rows = sim_arena_alloc(arena, (size_t)list->value.count, sizeof *rows);
    if (!rows) {
        out_of_memory(err);
        return;
    }
    for (int64_t i = 0; i < list->value.count; i++) {
        const sim_cfg_value *row = &list->value.elements[i], *cell = row->elements;

        if (row->type != SIM_CFG_LIST || row->count != 4 || !is_count(&cell[0], INT64_MAX) ||
            !is_count(&cell[1], INT64_MAX) || !is_count(&cell[2], INT64_MAX) ||
            (cell[3].type != SIM_CFG_REAL && cell[3].type != SIM_CFG_INT) || fabs(cell[3].real) > most) {
            sim_fail(err, SIM_BAD_INPUT, list->file, list->line,
                     "row %lld of '%s' must be n, k, m and a logarithm from -%g to %g", (long long)i + 1,
                     list->key, most, most);
            return;
        }
        rows[i] = (sim_gpu_residual){cell[0].integer, cell[1].integer, cell[2].integer, cell[3].real};
        if (i && !is_after(&rows[i], &rows[i - 1])) {
            sim_fail(err, SIM_BAD_INPUT, list->file, list->line,
                     "row %lld of '%s' does not follow the row before: they rise by n, then k, then m",
                     (long long)i + 1, list->key);
            return;
        }
    }
    kernel->residuals = rows;
    kernel->residual_count = list->value.count;
}

static void lists_canonical(const sim_gpu_kernel *kernel, sim_text *out)
{
    for (int i = 0; i < kernel->tile_count; i++)
        sim_text_printf(out, "tile=%d,%d\n", kernel->tiles[i].rows, kernel->tiles[i].cols);
    for (int64_t i = 0; i < kernel->residual_count; i++) {
        const sim_gpu_residual *r = &kernel->residuals[i];

        sim_text_printf(out, "residual=%lld,%lld,%lld,", (long long)r->n, (long long)r->k, (long long)r->m);
        sim_text_real(out, r->log_ratio);
        sim_text_add(out, "\n");
    }
}

/* ---- kernels ------------------------------------------------------------------------------------- */

/* What must be given depends on the kernel. */
static void check_needed(const sim_param_set *set, const source *from, const sim_cfg_setting *group,
                         sim_err *err)
{
    static const char *const needed[] = {"em", "es"};
    int count = from->kind == SIM_KERNEL_EMPTY ? 0 : from->kind < SIM_KERNEL_GEMM_COUNT ? 2 : 1;

    for (int i = 0; i < count; i++) {
        char key[SIM_ERR_TEXT];

        snprintf(key, sizeof key, "%s%s", set->prefix, needed[i]);
        if (!sim_param_given(set, key))
            sim_fail(err, SIM_BAD_INPUT, group->file, group->line, "missing key '%s'", key);
    }
    if (from->occupancy_least > from->occupancy_most)
        sim_fail(err, SIM_BAD_INPUT, group->file, group->line,
                 "'%soccupancy_least' is above 'occupancy_most'", set->prefix);
}

/* The kind that a group names, before its other keys are read; fp16 when it names none, which is an error. */
static int kind_of(const sim_cfg *cfg, const char *prefix, sim_arena *arena, sim_err *err)
{
    const char *key = sim_arena_printf(arena, "%skernel", prefix);
    const sim_cfg_setting *setting = key ? sim_cfg_find(cfg, key) : NULL;

    if (!key)
        out_of_memory(err);
    for (int i = 0; setting && setting->value.type == SIM_CFG_TEXT && i < SIM_KERNEL_COUNT; i++)
        if (strcmp(setting->value.text, sim_gpu_kernel_names[i]) == 0)
            return i;
    return SIM_KERNEL_GEMM_FP16;
}

static sim_status read_kernel(const sim_cfg *cfg, const sim_cfg_setting *group, sim_arena *arena,
                              const sim_gpu_calibration *calibration, sim_gpu_kernel *out,
                              sim_text *canonical, sim_err *err)
{
    static const char *const lists[] = {"tiles", "residuals", NULL};
    const char *prefix = sim_arena_printf(arena, "%s.", group->key);
    int before = err->count + err->dropped;
    sim_param_set set;
    source from = {0};
    sim_status status;

    if (!prefix)
        return out_of_memory(err);
    from.kind = kind_of(cfg, prefix, arena, err);
    sim_gpu_kernel_start((sim_gpu_kernel_kind)from.kind, &from.kernel);
    from.occupancy_least = from.kernel.occupancy_least;
    from.occupancy_most = from.kernel.occupancy_most;
    status = sim_param_begin(&set, &from, prefix, sim_calibration_kernel_param_count, arena, err);
    if (status == SIM_OK)
        status = sim_param_add(&set, sim_calibration_kernel_params, sim_calibration_kernel_param_count, err);
    if (status != SIM_OK)
        return status;
    sim_param_apply(&set, cfg, lists, err);
    sim_param_check_missing(&set, group->file, err);
    check_needed(&set, &from, group, err);
    read_tiles(cfg, prefix, arena, &from.kernel, err);
    read_residuals(cfg, prefix, arena, &from.kernel, err);
    if (err->count + err->dropped > before)
        return sim_err_status(err);
    if (canonical) {
        sim_param_canonical(&set, canonical);
        lists_canonical(&from.kernel, canonical);
    }
    *out = from.kernel;
    out->kind = (sim_gpu_kernel_kind)from.kind;
    out->regime = (sim_gpu_regime)from.regime;
    out->dispatch = (sim_gpu_dispatch)from.dispatch;
    out->occupancy_least = (int)from.occupancy_least;
    out->occupancy_most = (int)from.occupancy_most;
    if (!*out->source)
        out->source = calibration->source;
    return SIM_OK;
}

/* Whether `setting` is the group of a kernel. */
static bool is_kernel(const sim_cfg_setting *setting)
{
    size_t length = sizeof group_prefix - 1;

    return setting->value.type == SIM_CFG_GROUP && strncmp(setting->key, group_prefix, length) == 0 &&
           !strchr(setting->key + length, '.');
}

/* A look-up must find one kernel. */
static void check_twins(const sim_gpu_kernel *kernels, int64_t count, const sim_cfg_setting *group,
                        sim_err *err)
{
    const sim_gpu_kernel *last = &kernels[count - 1];

    for (int64_t i = 0; i < count - 1; i++) {
        const sim_gpu_kernel *k = &kernels[i];

        if (k->kind != last->kind || k->regime != last->regime)
            continue;
        if (strcmp(k->impl, last->impl) == 0)
            sim_fail(err, SIM_BAD_INPUT, group->file, group->line,
                     "'%s' is a second %s of implementation '%s', %s", group->key,
                     sim_gpu_kernel_names[k->kind], k->impl, sim_gpu_regime_names[k->regime]);
        else if (k->is_default && last->is_default)
            sim_fail(err, SIM_BAD_INPUT, group->file, group->line, "'%s' is a second default of %s, %s",
                     group->key, sim_gpu_kernel_names[k->kind], sim_gpu_regime_names[k->regime]);
    }
}

static void read_kernels(const sim_cfg *cfg, const char *path, sim_arena *arena, sim_gpu_calibration *out,
                         sim_text *canonical, sim_err *err)
{
    sim_gpu_kernel *kernels;
    int64_t groups = 0;

    for (int i = 0; i < cfg->count; i++)
        groups += is_kernel(&cfg->settings[i]);
    if (groups == 0) {
        sim_fail(err, SIM_BAD_INPUT, path, 0, "the calibration holds no kernels");
        sim_hint(err, "calibration = { kernels = { name = { kernel = \"gemm_fp16\"; ... }; }; };");
        return;
    }
    kernels = sim_arena_alloc(arena, (size_t)groups, sizeof *kernels);
    if (!kernels) {
        out_of_memory(err);
        return;
    }
    out->kernels = kernels;
    for (int i = 0; i < cfg->count; i++) {
        const sim_cfg_setting *setting = &cfg->settings[i];

        if (is_kernel(setting)) {
            if (read_kernel(cfg, setting, arena, out, &kernels[out->kernel_count], canonical, err) == SIM_OK)
                check_twins(kernels, ++out->kernel_count, setting, err);
        } else if (strncmp(setting->key, group_prefix, sizeof group_prefix - 1) == 0 &&
                   !strchr(setting->key + sizeof group_prefix - 1, '.')) {
            sim_fail(err, SIM_BAD_INPUT, setting->file, setting->line, "'%s' must be a group", setting->key);
        }
    }
}

/* ---- the step ------------------------------------------------------------------------------------- */

static void read_step(const sim_cfg *cfg, const char *path, sim_arena *arena, sim_gpu_calibration *out,
                      sim_text *canonical, sim_err *err)
{
    const sim_cfg_setting *group = sim_cfg_find(cfg, "calibration.step");
    sim_gpu_step *step = group ? sim_arena_alloc(arena, 1, sizeof *step) : NULL;
    sim_param_set set;
    bool has_kernel = false;

    if (!group)
        return;
    if (!step) {
        out_of_memory(err);
        return;
    }
    if (group->value.type != SIM_CFG_GROUP) {
        sim_fail(err, SIM_BAD_INPUT, group->file, group->line, "'calibration.step' must be a group");
        return;
    }
    step->mape_pct = step->held_out_mape_pct = NAN;
    if (sim_param_begin(&set, step, "calibration.step.", sim_calibration_step_param_count, arena, err) !=
            SIM_OK ||
        sim_param_add(&set, sim_calibration_step_params, sim_calibration_step_param_count, err) != SIM_OK)
        return;
    sim_param_apply(&set, cfg, NULL, err);
    sim_param_check_missing(&set, path, err);
    if (!step->impl)
        return; /* an error by now */
    for (int64_t i = 0; i < out->kernel_count; i++)
        has_kernel |= strcmp(out->kernels[i].impl, step->impl) == 0;
    if (!has_kernel)
        sim_fail(err, SIM_BAD_INPUT, group->file, group->line,
                 "'calibration.step.impl': there are no kernels of '%s'", step->impl);
    if (canonical)
        sim_param_canonical(&set, canonical);
    if (!step->source || !*step->source)
        step->source = out->source;
    out->step = step;
}

/* ---- the file ------------------------------------------------------------------------------------ */

sim_status sim_calibration_load(const char *path, sim_arena *arena, sim_gpu_calibration *out,
                                sim_text *canonical, sim_err *err)
{
    static const char *const top[] = {"calibration", NULL}, *const groups[] = {"kernels", "step", NULL};
    int before = err->count + err->dropped;
    sim_param_set root, own;
    sim_cfg cfg;
    sim_status status = sim_cfg_load(path, arena, &cfg, err);

    *out = (sim_gpu_calibration){0};
    if (status == SIM_OK)
        status = sim_param_begin(&root, NULL, "", 0, arena, err);
    if (status == SIM_OK)
        status = sim_param_begin(&own, out, "calibration.", sim_calibration_param_count, arena, err);
    if (status == SIM_OK)
        status = sim_param_add(&own, sim_calibration_params, sim_calibration_param_count, err);
    if (status != SIM_OK)
        return status;
    out->file = sim_arena_text(arena, path, strlen(path));
    if (!out->file)
        return out_of_memory(err);
    sim_param_apply(&root, &cfg, top, err); /* nothing else may stand in the file */
    sim_param_apply(&own, &cfg, groups, err);
    sim_param_check_missing(&own, path, err);
    if (canonical)
        sim_param_canonical(&own, canonical);
    read_kernels(&cfg, path, arena, out, canonical, err);
    read_step(&cfg, path, arena, out, canonical, err);
    return err->count + err->dropped > before ? sim_err_status(err) : SIM_OK;
}
