#include "explore/sweep_point.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/version.h"
#include "input/arch.h"
#include "input/policy.h"
#include "input/workload.h"
#include "model/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- figures ---------------------------------------------------------------------------------------- */

const char *const sim_sweep_figures[SIM_SWEEP_FIGURES + 1] = {"macs",
                                                              "compute_cycles",
                                                              "cycles",
                                                              "latency_s",
                                                              "energy_j",
                                                              "power_w",
                                                              "dram_read_bytes",
                                                              "dram_write_bytes",
                                                              "weight_bytes",
                                                              "kv_cache_bytes",
                                                              "peak_memory_bytes",
                                                              "memory_fits",
                                                              "tokens_per_s",
                                                              "utilization_frac",
                                                              "area_mm2",
                                                              "peak_macs_per_s",
                                                              "dram_bandwidth_bytes_per_s",
                                                              "energy_mac_j",
                                                              "energy_register_j",
                                                              "energy_sram_j",
                                                              "energy_dram_j",
                                                              "energy_vector_j",
                                                              "energy_static_j",
                                                              NULL};

static void figures_of(const sim_totals *t, double out[SIM_SWEEP_FIGURES])
{
    const sim_energy *e = &t->energy;
    const double energy_j = sim_energy_total_j(e);
    const double all[SIM_SWEEP_FIGURES] = {(double)t->macs,
                                           (double)t->compute_cycles,
                                           (double)t->cycles,
                                           t->latency_s,
                                           energy_j,
                                           t->latency_s > 0 ? energy_j / t->latency_s : NAN,
                                           (double)t->dram_read_bytes,
                                           (double)t->dram_write_bytes,
                                           (double)t->weight_bytes,
                                           t->kv_cache_bytes >= 0 ? (double)t->kv_cache_bytes : NAN,
                                           (double)t->peak_memory_bytes,
                                           t->memory_fits,
                                           t->tokens_per_s,
                                           t->utilization_frac,
                                           t->area_mm2,
                                           t->peak_macs_per_s,
                                           t->dram_bandwidth_bytes_per_s,
                                           e->mac_j,
                                           e->register_j,
                                           e->sram_j,
                                           e->dram_j,
                                           e->vector_j,
                                           e->static_j};

    memcpy(out, all, sizeof all);
}

/* ---- the worker ------------------------------------------------------------------------------------- */

/* What a machine (arch and workload) has been read into; kept while points share it. */
typedef struct machine {
    sim_arena arena;
    int64_t number; /* sim_space_machine of its points; -1: none yet */
    sim_arch arch;
    sim_workload workload;
    uint64_t workload_id;
} machine;

struct sim_point_worker {
    const sim_sweep *sweep;
    machine now;
    sim_policy policy;
    int objective;
    sim_arena policy_arena;
    sim_arena run_arena; /* of one run, when nothing of it is kept */
};

sim_point_worker *sim_point_worker_new(const sim_sweep *sweep, sim_err *err)
{
    sim_point_worker *w = calloc(1, sizeof *w);

    if (!w) {
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        return NULL;
    }
    w->sweep = sweep;
    w->now.number = -1;
    sim_arena_init(&w->now.arena, NULL);
    sim_arena_init(&w->policy_arena, NULL);
    sim_arena_init(&w->run_arena, NULL);
    return w;
}

void sim_point_worker_free(sim_point_worker *w)
{
    if (!w)
        return;
    sim_arena_free(&w->now.arena);
    sim_arena_free(&w->policy_arena);
    sim_arena_free(&w->run_arena);
    free(w);
}

/* ---- values of axes --------------------------------------------------------------------------------- */

/* The axis' value at the point, or NULL. Copied into `arena`. */
static const char *value_of(const sim_sweep *sweep, const char *axis, int64_t point, sim_arena *arena)
{
    int i = sim_space_find(sweep->space, axis);
    char buffer[48];
    const char *text;

    if (i < 0)
        return NULL;
    text = sim_space_value(sweep->space, point, i, buffer, sizeof buffer);
    return sim_arena_text(arena, text, strlen(text));
}

static int64_t count_of(const sim_sweep *sweep, const char *axis, int64_t point, int64_t otherwise)
{
    int i = sim_space_find(sweep->space, axis);
    char buffer[48];
    int64_t value = otherwise;

    if (i >= 0)
        sim_parse_int(sim_space_value(sweep->space, point, i, buffer, sizeof buffer), &value);
    return value;
}

static bool is_key(const char *axis)
{
    static const char *const own[] = {"arch",   "workload",  "phase", "batch", "context", "prompt", "new",
                                      "policy", "objective", "w",     "a",     "kv",      NULL};

    for (int i = 0; own[i]; i++)
        if (strcmp(own[i], axis) == 0)
            return false;
    return true;
}

static int word_index(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

/* ---- arch and workload ------------------------------------------------------------------------------ */

static sim_status read_arch(sim_point_worker *w, int64_t point, sim_err *err)
{
    const sim_sweep *sweep = w->sweep;
    const int axes = sim_space_axes(sweep->space);
    const char *file = value_of(sweep, "arch", point, &w->now.arena);
    sim_arch_setting *settings =
        sim_arena_alloc(&w->now.arena, (size_t)(sweep->base.setting_count + axes), sizeof *settings);
    int count = 0;

    if (!settings)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (; count < sweep->base.setting_count; count++)
        settings[count] =
            (sim_arch_setting){sweep->base.settings[count].key, sweep->base.settings[count].value};
    for (int i = 0; i < axes; i++) {
        const char *name = sim_space_name(sweep->space, i);

        if (!is_key(name))
            continue;
        settings[count].key = name;
        settings[count].value = value_of(sweep, name, point, &w->now.arena);
        if (!settings[count++].value)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    return sim_arch_load(file ? file : sweep->base.arch, settings, count, &w->now.arena, &w->now.arch, err);
}

/* All that the cost of a workload depends on: its layers as they are, names (policies go by them) included.
 */
static uint64_t workload_id(const sim_workload *w)
{
    uint64_t id = sim_hash(SIM_HASH_START, w->name, strlen(w->name));

    for (int64_t i = 0; i < w->layer_count; i++) {
        const sim_layer *l = &w->layers[i];
        const int64_t numbers[] = {l->op,
                                   l->repeat,
                                   l->m,
                                   l->n,
                                   l->k,
                                   l->batch,
                                   l->weights,
                                   l->own.w.bits,
                                   l->own.a.bits,
                                   l->own.kv.bits,
                                   l->own.group,
                                   l->needed_macs,
                                   l->map_n,
                                   l->map_k,
                                   l->stored_batch,
                                   l->conv.images,
                                   l->conv.h_in,
                                   l->conv.w_in,
                                   l->conv.kernel_h,
                                   l->conv.stride,
                                   l->conv.padding,
                                   l->inputs,
                                   l->param_elements,
                                   l->kv_outputs};

        id = sim_hash(id, l->name, strlen(l->name));
        id = sim_hash(id, numbers, sizeof numbers);
    }
    return id;
}

static sim_status read_workload(sim_point_worker *w, int64_t point, sim_err *err)
{
    const sim_sweep *sweep = w->sweep;
    const char *file = value_of(sweep, "workload", point, &w->now.arena);
    const char *phase = value_of(sweep, "phase", point, &w->now.arena);
    sim_workload_request request = {.phase = sweep->base.phase, .full_attention = sweep->base.full_attention};
    sim_status status;

    if (phase) {
        int index = word_index(phase, sim_phase_names + 1);

        if (index < 0)
            return sim_fail(err, SIM_USAGE, NULL, 0, "axis 'phase': unknown phase '%s'", phase);
        request.phase = (sim_phase)(index + 1);
    }
    request.batch = count_of(sweep, "batch", point, sweep->base.batch);
    request.context_tokens = count_of(sweep, "context", point, sweep->base.context_tokens);
    request.prompt_tokens = count_of(sweep, "prompt", point, sweep->base.prompt_tokens);
    status =
        sim_workload_load(file ? file : sweep->base.workload, &request, &w->now.arena, &w->now.workload, err);
    if (status == SIM_OK)
        w->now.workload_id = workload_id(&w->now.workload);
    return status;
}

static sim_status read_machine(sim_point_worker *w, int64_t point, sim_err *err)
{
    int64_t number = sim_space_machine(w->sweep->space, point);
    sim_status status;

    if (number == w->now.number)
        return SIM_OK;
    sim_arena_free(&w->now.arena);
    sim_arena_init(&w->now.arena, NULL);
    w->now.number = -1;
    status = read_arch(w, point, err);
    if (status == SIM_OK)
        status = read_workload(w, point, err);
    if (status == SIM_OK)
        w->now.number = number;
    return status;
}

/* ---- policy ----------------------------------------------------------------------------------------- */

/* Axes w, a, kv make a uniform policy; those that are missing come from the base policy, if that is uniform,
 * else w and a are 8 and kv follows a. */
static sim_status uniform(sim_point_worker *w, int64_t point, sim_arena *arena, sim_err *err)
{
    const sim_sweep *sweep = w->sweep;
    const sim_precision *base = &w->policy.base;
    int64_t w_bits = count_of(sweep, "w", point, base->w.bits > 0 ? base->w.bits : 8);
    int64_t a_bits = count_of(sweep, "a", point, base->a.bits > 0 ? base->a.bits : 8);
    int64_t kv_bits = count_of(sweep, "kv", point, 0);
    const sim_number w_number = {SIM_FORMAT_INT, (int)w_bits}, a_number = {SIM_FORMAT_INT, (int)a_bits};

    if (sim_space_has(sweep->space, "w") || base->w.bits == 0)
        w->policy.base.w = w_number;
    if (sim_space_has(sweep->space, "a") || base->a.bits == 0)
        w->policy.base.a = a_number;
    if (kv_bits > 0)
        w->policy.base.kv = (sim_number){SIM_FORMAT_INT, (int)kv_bits};
    w->policy.overrides_own = true;
    if (w->policy.file)
        return SIM_OK;
    w->policy.name = kv_bits > 0
                         ? sim_arena_printf(arena, "w%da%dkv%d", w->policy.base.w.bits, w->policy.base.a.bits,
                                            (int)kv_bits)
                         : sim_arena_printf(arena, "w%da%d", w->policy.base.w.bits, w->policy.base.a.bits);
    return w->policy.name ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

static sim_status read_policy(sim_point_worker *w, int64_t point, sim_arena *arena, sim_err *err)
{
    const sim_space *space = w->sweep->space;
    const char *named = value_of(w->sweep, "policy", point, arena);
    const char *objective = value_of(w->sweep, "objective", point, arena);
    sim_status status = SIM_OK;

    w->objective = w->sweep->base.objective;
    if (objective) {
        w->objective = word_index(objective, sim_objective_names);
        if (w->objective < 0)
            return sim_fail(err, SIM_USAGE, NULL, 0, "axis 'objective': unknown objective '%s'", objective);
    }
    status = sim_policy_load(named ? named : w->sweep->base.policy, arena, &w->policy, err);
    if (status == SIM_OK &&
        (sim_space_has(space, "w") || sim_space_has(space, "a") || sim_space_has(space, "kv")))
        status = uniform(w, point, arena, err);
    return status;
}

static uint64_t policy_id(const sim_policy *p, int objective)
{
    const int64_t base[] = {p->base.w.format,  p->base.w.bits,   p->base.a.format, p->base.a.bits,
                            p->base.kv.format, p->base.kv.bits,  p->base.group,    p->overrides_own,
                            objective,         p->position_count};
    uint64_t id = sim_hash(SIM_HASH_START, base, sizeof base);

    for (int64_t i = 0; i < p->rule_count; i++) {
        const sim_precision *r = &p->rules[i].precision;
        const int64_t numbers[] = {r->w.format, r->w.bits, r->a.format, r->a.bits, r->kv.bits, r->group};

        id = sim_hash(id, p->rules[i].glob, strlen(p->rules[i].glob));
        id = sim_hash(id, numbers, sizeof numbers);
    }
    for (int64_t i = 0; i < p->position_count; i++) {
        const int64_t numbers[] = {p->positions[i].w.bits, p->positions[i].a.bits};

        id = sim_hash(id, numbers, sizeof numbers);
    }
    return id;
}

/* ---- a point ---------------------------------------------------------------------------------------- */

sim_status sim_point_identify(sim_point_worker *w, int64_t point, sim_arena *arena, sim_point_row *row,
                              sim_err *err)
{
    sim_status status = read_machine(w, point, err);
    uint64_t parts[4];

    *row = (sim_point_row){.point = point};
    if (status == SIM_OK)
        status = read_policy(w, point, arena, err);
    if (status != SIM_OK)
        return status;
    parts[0] = w->now.arch.id;
    parts[1] = w->now.workload_id;
    parts[2] = policy_id(&w->policy, w->objective);
    parts[3] = sim_hash(SIM_HASH_START, SIMACC_VERSION, strlen(SIMACC_VERSION));
    row->id = (int64_t)sim_hash(SIM_HASH_START, parts, sizeof parts);
    row->arch = sim_arena_text(arena, w->now.arch.name, strlen(w->now.arch.name));
    row->workload = sim_arena_text(arena, w->now.workload.name, strlen(w->now.workload.name));
    row->policy = w->policy.name ? w->policy.name : "w8a8";
    row->objective = sim_objective_names[w->objective];
    return row->arch && row->workload ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

typedef struct names_of {
    const sim_sweep *sweep;
    const sim_point_row *row;
    char buffer[48];
} names_of;

static bool look_up(void *user, const char *name, double *number, const char **text)
{
    names_of *n = user;
    int axis = sim_space_find(n->sweep->space, name);

    *text = NULL;
    if (axis >= 0) {
        const char *value =
            sim_space_value(n->sweep->space, n->row->point, axis, n->buffer, sizeof n->buffer);

        if (!sim_parse_real(value, number))
            *text = value;
        return true;
    }
    for (int i = 0; i < SIM_SWEEP_FIGURES; i++)
        if (strcmp(sim_sweep_figures[i], name) == 0) {
            *number = n->row->figures[i];
            return !isnan(*number);
        }
    return false;
}

bool sim_sweep_knows(void *user, const char *name)
{
    if (sim_space_find(user, name) >= 0)
        return true;
    return word_index(name, sim_sweep_figures) >= 0;
}

sim_status sim_point_price(sim_point_worker *w, sim_arena *arena, sim_point_row *row, sim_err *err)
{
    const bool keep = w->sweep->layers;
    sim_err trial = {0};
    sim_result result;
    sim_status status;

    if (!keep) {
        sim_arena_free(&w->run_arena);
        sim_arena_init(&w->run_arena, NULL);
    }
    status = sim_run_model(&w->now.arch, &w->now.workload, &w->policy, (sim_objective)w->objective,
                           keep ? arena : &w->run_arena, &result, &trial);
    if (status == SIM_NO_MEMORY || status == SIM_INTERNAL)
        return sim_fail(err, status, NULL, 0, "%s", trial.items[0].text);
    if (status != SIM_OK) {
        row->status = SIM_POINT_INFEASIBLE;
        snprintf(row->why, sizeof row->why, "%.*s", (int)sizeof row->why - 1, trial.items[0].text);
        for (int i = 0; i < SIM_SWEEP_FIGURES; i++)
            row->figures[i] = NAN;
        return SIM_OK;
    }
    figures_of(&result.totals, row->figures);
    if (keep) {
        row->layers = result.layers;
        row->layer_count = result.layer_count;
    }
    if (w->sweep->constraint) {
        names_of names = {.sweep = w->sweep, .row = row};

        if (!sim_expression_true(w->sweep->constraint, look_up, &names))
            row->status = SIM_POINT_EXCLUDED;
    }
    return SIM_OK;
}
