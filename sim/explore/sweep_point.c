#include "explore/sweep_point.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/version.h"
#include "explore/sweep_identity.h"
#include "input/arch.h"
#include "input/policy.h"
#include "model/fold.h"
#include "model/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Workloads and policies that are kept; mapped products after which all are forgotten, some 10 MiB. */
enum { KEPT = 64, PRODUCTS_MAX = 10000 };

/* A part of the space that points share, read once. `number`: sim_space_part of those points; -1: none. */
typedef struct arch_part {
    int64_t number;
    sim_arena arena, memory_arena;
    sim_arch arch;
    sim_run_memory *memory;
    const char *why; /* it cannot be used; NULL: it can */
    uint64_t id;
} arch_part;

typedef struct workload_part {
    int64_t number; /* of workload and policy: what folds depends on both */
    sim_arena arena;
    sim_workload workload, folded;
    sim_policy policy;
    const char *why;
    uint64_t id;
} workload_part;

struct sim_point_worker {
    sim_arena own_arena; /* that it lies in */
    const sim_sweep *sweep;
    arch_part arch;
    workload_part parts[KEPT];
    workload_part *part; /* of the point at hand */
    sim_policy policy;   /* with the bits of the point at hand */
    sim_objective objective;
    sim_arena run_arena, shelf_arena;
    sim_cfg_shelf shelf;
    sim_err trial; /* what is wrong with a point is no error of the sweep */
};

sim_point_worker *sim_point_worker_new(const sim_sweep *sweep, sim_err *err)
{
    sim_point_worker *w;
    sim_arena arena;

    sim_arena_init(&arena, NULL);
    w = sim_arena_alloc(&arena, 1, sizeof *w);
    if (!w) {
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        return NULL;
    }
    w->own_arena = arena;
    w->sweep = sweep;
    w->shelf.arena = &w->shelf_arena;
    w->arch.number = -1;
    for (int i = 0; i < KEPT; i++)
        w->parts[i].number = -1;
    return w;
}

void sim_point_worker_free(sim_point_worker *w)
{
    sim_arena arena;

    if (!w)
        return;
    arena = w->own_arena;
    sim_arena_free(&w->arch.arena);
    sim_arena_free(&w->arch.memory_arena);
    for (int i = 0; i < KEPT; i++)
        sim_arena_free(&w->parts[i].arena);
    sim_arena_free(&w->run_arena);
    sim_arena_free(&w->shelf_arena);
    sim_arena_free(&arena);
}

static sim_status no_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- what went wrong -------------------------------------------------------------------------------- */

/* A point that cannot be is a result; only what has nothing to do with the point is an error. */
static sim_status take_trial(const sim_err *trial, sim_arena *arena, const char **why, sim_err *err)
{
    const sim_err_item *e = &trial->items[0];

    if (e->status == SIM_NO_MEMORY || e->status == SIM_INTERNAL)
        return sim_fail(err, e->status, e->file, e->line, "%s", e->text);
    *why = e->file[0] && e->line > 0 ? sim_arena_printf(arena, "%s:%d: %s", e->file, e->line, e->text)
           : e->file[0]              ? sim_arena_printf(arena, "%s: %s", e->file, e->text)
                                     : sim_arena_text(arena, e->text, strlen(e->text));
    return *why ? SIM_OK : no_memory(err);
}

/* ---- values of axes --------------------------------------------------------------------------------- */

/* The axis' value at the point as text in `arena`; `otherwise` when there is no such axis. */
static const char *value_of(const sim_sweep *sweep, const int64_t *index, const char *axis,
                            const char *otherwise, sim_arena *arena)
{
    int i = sim_space_find(sweep->space, axis);
    char buffer[48];
    const char *text;

    if (i < 0)
        return otherwise;
    text = sim_space_value(sweep->space, index, i, buffer, sizeof buffer);
    return text == buffer ? sim_arena_text(arena, text, strlen(text)) : text;
}

static int64_t count_of(const sim_sweep *sweep, const int64_t *index, const char *axis, int64_t otherwise)
{
    int i = sim_space_find(sweep->space, axis);
    double value;

    return i >= 0 && sim_space_real(sweep->space, index, i, &value) ? (int64_t)value : otherwise;
}

/* Values of word axes were checked when the space was made. */
static int word_of(const sim_sweep *sweep, const int64_t *index, const char *axis, const char *const *words,
                   int otherwise)
{
    int i = sim_space_find(sweep->space, axis);
    const char *text = i >= 0 ? sim_space_value(sweep->space, index, i, NULL, 0) : NULL;

    for (int k = 0; text && words[k]; k++)
        if (strcmp(words[k], text) == 0)
            return k;
    return otherwise;
}

/* ---- arch ------------------------------------------------------------------------------------------- */

/* The fixed settings, then those of the point. */
static sim_arch_setting *settings_of(const sim_sweep *sweep, const int64_t *index, sim_arena *arena,
                                     int *count)
{
    const int axes = sim_space_axes(sweep->space);
    sim_arch_setting *settings =
        sim_arena_alloc(arena, (size_t)(sweep->base.setting_count + axes) + 1, sizeof *settings);

    *count = 0;
    for (int i = 0; settings && i < sweep->base.setting_count; i++)
        settings[(*count)++] = (sim_arch_setting){sweep->base.settings[i].key, sweep->base.settings[i].value};
    for (int i = 0; settings && i < axes; i++) {
        const char *name = sim_space_name(sweep->space, i);

        if (!sim_space_is_key(sweep->space, i))
            continue;
        settings[*count] = (sim_arch_setting){name, value_of(sweep, index, name, NULL, arena)};
        if (!settings[(*count)++].value)
            return NULL;
    }
    return settings;
}

/* An arch that cannot be read is what it was asked to be. */
static uint64_t id_of_asked(const char *file, const sim_arch_setting *settings, int count)
{
    uint64_t id = sim_hash(SIM_HASH_START, file, strlen(file) + 1);

    for (int i = 0; i < count; i++) {
        id = sim_hash(id, settings[i].key, strlen(settings[i].key) + 1);
        id = sim_hash(id, settings[i].value, strlen(settings[i].value) + 1);
    }
    return id;
}

static sim_status read_arch(sim_point_worker *w, const int64_t *index, sim_err *err)
{
    arch_part *part = &w->arch;
    const int64_t number = sim_space_part(w->sweep->space, index, 1U << SIM_AXIS_ARCH);
    sim_arch_setting *settings;
    const char *file;
    int count;

    if (part->number == number && (part->why || sim_run_memory_products(part->memory) < PRODUCTS_MAX))
        return SIM_OK;
    part->number = -1;
    part->why = NULL;
    sim_arena_reset(&part->arena);
    sim_arena_reset(&part->memory_arena);
    file = value_of(w->sweep, index, "arch", w->sweep->base.arch, &part->arena);
    settings = settings_of(w->sweep, index, &part->arena, &count);
    if (!settings || !file)
        return no_memory(err);
    w->trial.count = w->trial.dropped = 0;
    if (sim_arch_load_shelved(file, settings, count, &w->shelf, &part->arena, &part->arch, &w->trial) ==
        SIM_OK) {
        part->id = part->arch.id;
    } else {
        part->id = id_of_asked(file, settings, count);
        part->arch.name = file;
        if (take_trial(&w->trial, &part->arena, &part->why, err) != SIM_OK)
            return sim_err_status(err);
    }
    part->memory = part->why ? NULL : sim_run_memory_new(&part->arch, &part->memory_arena);
    if (!part->memory && !part->why)
        return no_memory(err);
    part->number = number;
    return SIM_OK;
}

/* ---- workload and policy ---------------------------------------------------------------------------- */

static sim_workload_request request_of(const sim_sweep *sweep, const int64_t *index)
{
    sim_workload_request r = sweep->base.request;

    r.phase = (sim_phase)word_of(sweep, index, "phase", sim_phase_names, (int)r.phase);
    r.mla = (sim_mla)word_of(sweep, index, "mla", sim_mla_names, (int)r.mla);
    r.batch = count_of(sweep, index, "batch", r.batch);
    r.context_tokens = count_of(sweep, index, "context", r.context_tokens);
    r.prompt_tokens = count_of(sweep, index, "prompt", r.prompt_tokens);
    r.new_tokens = count_of(sweep, index, "new", r.new_tokens);
    r.chunk_tokens = count_of(sweep, index, "chunk", r.chunk_tokens);
    r.draft_tokens = count_of(sweep, index, "draft", r.draft_tokens);
    r.tensor_parallel = count_of(sweep, index, "tp", r.tensor_parallel);
    r.pipeline_parallel = count_of(sweep, index, "pp", r.pipeline_parallel);
    return r;
}

static uint64_t id_of_request(const char *file, const sim_workload_request *r)
{
    const int64_t numbers[] = {
        r->phase,      r->mla,          r->batch,        r->context_tokens,  r->prompt_tokens,
        r->new_tokens, r->chunk_tokens, r->draft_tokens, r->tensor_parallel, r->pipeline_parallel};

    return sim_hash(sim_hash(SIM_HASH_START, file, strlen(file)), numbers, sizeof numbers);
}

static sim_status load_part(sim_point_worker *w, const int64_t *index, workload_part *part, sim_err *err)
{
    const sim_sweep *sweep = w->sweep;
    const sim_workload_request request = request_of(sweep, index);
    const char *file = value_of(sweep, index, "workload", sweep->base.workload, &part->arena);
    const char *policy = value_of(sweep, index, "policy", sweep->base.policy, &part->arena);
    sim_status status;

    w->trial.count = w->trial.dropped = 0;
    status = sim_workload_load(file, &request, &part->arena, &part->workload, &w->trial);
    if (status == SIM_OK)
        status = sim_policy_load(policy, &part->arena, &part->policy, &w->trial);
    if (status == SIM_OK) {
        part->id = sim_workload_identity(&part->workload);
        return sweep->layers
                   ? SIM_OK
                   : sim_fold_blocks(&part->workload, &part->policy, &part->arena, &part->folded, err);
    }
    part->id = id_of_request(file, &request);
    part->workload = (sim_workload){.name = file};
    part->policy = (sim_policy){.name = policy};
    return take_trial(&w->trial, &part->arena, &part->why, err);
}

static sim_status read_workload(sim_point_worker *w, const int64_t *index, sim_err *err)
{
    const unsigned of = 1U << SIM_AXIS_WORKLOAD | 1U << SIM_AXIS_POLICY;
    const int64_t number = sim_space_part(w->sweep->space, index, of);
    workload_part *part = &w->parts[number % KEPT];
    sim_status status;

    w->part = part;
    if (part->number == number)
        return SIM_OK;
    sim_arena_reset(&part->arena);
    part->number = -1;
    part->why = NULL;
    status = load_part(w, index, part, err);
    if (w->sweep->layers) /* whose names are wanted */
        part->folded = part->workload;
    if (status == SIM_OK)
        part->number = number;
    return status;
}

/* Puts the bits of the point in place of the policy's. kv follows a, unless the policy or an axis says
 * otherwise. */
static sim_status read_bits(sim_point_worker *w, const int64_t *index, sim_arena *arena, sim_err *err)
{
    static const char *const schemes[SIM_SCALES_COUNT] = {"", "", "o1", "o2", "o3"};
    const sim_space *space = w->sweep->space;
    const sim_precision own = w->part->policy.base;
    const bool has_w = sim_space_has(space, "w"), has_a = sim_space_has(space, "a"),
               has_kv = sim_space_has(space, "kv");
    const bool kv_follows = own.kv.bits == 0 || (own.kv.bits == own.a.bits && own.kv.format == own.a.format);
    sim_precision *p = &w->policy.base;
    sim_text name = {.length = 0};

    w->policy = w->part->policy;
    w->objective =
        (sim_objective)word_of(w->sweep, index, "objective", sim_objective_names, w->sweep->base.objective);
    if (!has_w && !has_a && !has_kv)
        return SIM_OK;
    if (has_w || p->w.bits == 0)
        p->w = (sim_number){SIM_FORMAT_INT, (int)count_of(w->sweep, index, "w", 8)};
    if (has_a || p->a.bits == 0)
        p->a = (sim_number){SIM_FORMAT_INT, (int)count_of(w->sweep, index, "a", 8)};
    if (has_kv)
        p->kv = (sim_number){SIM_FORMAT_INT, (int)count_of(w->sweep, index, "kv", 8)};
    else if (kv_follows)
        p->kv = p->a;
    w->policy.overrides_own = true;
    sim_text_printf(&name, "w%da%d", p->w.bits, p->a.bits);
    if (p->kv.bits != p->a.bits)
        sim_text_printf(&name, "kv%d", p->kv.bits);
    if (p->group > 0)
        sim_text_printf(&name, "g%d", p->group);
    sim_text_add(&name, schemes[p->scales]);
    if (w->policy.file)
        sim_text_printf(&name, " and %s", w->part->policy.name);
    w->policy.name = name.failed ? NULL : sim_arena_text(arena, name.data, name.length);
    sim_text_free(&name);
    return w->policy.name ? SIM_OK : no_memory(err);
}

/* ---- a point ---------------------------------------------------------------------------------------- */

static sim_status prepare(sim_point_worker *w, const int64_t *index, sim_arena *arena, sim_err *err)
{
    sim_status status = read_arch(w, index, err);

    if (status == SIM_OK)
        status = read_workload(w, index, err);
    return status == SIM_OK ? read_bits(w, index, arena, err) : status;
}

static const char *kept_text(const char *text, sim_arena *arena)
{
    return sim_arena_text(arena, text ? text : "", text ? strlen(text) : 0);
}

static sim_status describe(sim_point_worker *w, sim_arena *arena, sim_point_row *row, sim_err *err)
{
    const sim_policy *p = &w->policy;
    const bool uniform = p->rule_count == 0 && p->position_count == 0 && p->base.w.bits > 0;
    const char *why = w->arch.why ? w->arch.why : w->part->why;

    row->arch = kept_text(w->arch.arch.name, arena);
    row->workload = kept_text(w->part->workload.name, arena);
    row->policy = kept_text(p->name ? p->name : "w8a8", arena);
    row->objective = sim_objective_names[w->objective];
    row->phase = w->part->workload.phase == SIM_PHASE_NONE ? NULL : sim_phase_names[w->part->workload.phase];
    row->w_bits = uniform ? p->base.w.bits : 0;
    row->a_bits = uniform ? p->base.a.bits : 0;
    row->kv_bits = uniform ? p->base.kv.bits : 0;
    if (why) {
        row->status = SIM_POINT_INFEASIBLE;
        row->why = kept_text(why, arena);
    }
    return row->arch && row->workload && row->policy && (row->why || !why) ? SIM_OK : no_memory(err);
}

sim_status sim_point_identify(sim_point_worker *w, int64_t point, sim_arena *arena, sim_point_row *row,
                              sim_err *err)
{
    uint64_t parts[3];
    sim_status status;

    memset(row, 0, sizeof *row);
    row->point = point;
    sim_space_split(w->sweep->space, point, row->index);
    for (int i = 0; i < SIM_SWEEP_FIGURES; i++)
        row->figures[i] = NAN;
    status = prepare(w, row->index, arena, err);
    if (status != SIM_OK)
        return status;
    parts[0] = w->arch.id;
    parts[1] = w->part->id;
    parts[2] = sim_hash(SIM_HASH_START, SIMACC_VERSION, strlen(SIMACC_VERSION));
    row->key.machine = (int64_t)sim_hash(SIM_HASH_START, parts, sizeof parts);
    row->key.point = (int64_t)sim_policy_identity(&w->policy, w->objective);
    return describe(w, arena, row, err);
}

typedef struct names_of {
    const sim_sweep *sweep;
    const sim_point_row *row;
} names_of;

static bool look_up(void *user, const char *name, double *number, const char **text)
{
    names_of *n = user;
    int axis = sim_space_find(n->sweep->space, name), figure;

    *text = NULL;
    if (axis >= 0) {
        if (!sim_space_real(n->sweep->space, n->row->index, axis, number))
            *text = sim_space_value(n->sweep->space, n->row->index, axis, NULL, 0);
        return true;
    }
    figure = sim_sweep_figure(name);
    if (figure < 0 || isnan(n->row->figures[figure]))
        return false;
    *number = n->row->figures[figure];
    return true;
}

bool sim_sweep_knows(void *user, const char *name)
{
    return sim_space_find(user, name) >= 0 || sim_sweep_figure(name) >= 0;
}

/* Names of layers belong to the workload, which may be gone before they are stored. */
static sim_status keep_layers(const sim_result *result, sim_arena *arena, sim_point_row *row, sim_err *err)
{
    sim_layer_result *layers = sim_arena_alloc(arena, (size_t)result->layer_count, sizeof *layers);

    if (!layers)
        return no_memory(err);
    for (int64_t i = 0; i < result->layer_count; i++) {
        layers[i] = result->layers[i];
        layers[i].name = kept_text(layers[i].name, arena);
        if (!layers[i].name)
            return no_memory(err);
    }
    row->layers = layers;
    row->layer_count = result->layer_count;
    return SIM_OK;
}

sim_status sim_point_price(sim_point_worker *w, sim_arena *arena, sim_point_row *row, sim_err *err)
{
    names_of names = {w->sweep, row};
    sim_result result;
    sim_status status;

    if (row->status == SIM_POINT_INFEASIBLE)
        return SIM_OK;
    sim_arena_reset(&w->run_arena);
    status = prepare(w, row->index, arena, err);
    if (status != SIM_OK)
        return status;
    w->trial.count = w->trial.dropped = 0;
    if (sim_run_remembering(w->arch.memory, &w->part->folded, &w->policy, w->objective, &w->run_arena,
                            &result, &w->trial) != SIM_OK) {
        row->status = SIM_POINT_INFEASIBLE;
        return take_trial(&w->trial, arena, &row->why, err);
    }
    sim_sweep_figures_of(&result.totals, row->figures);
    if (w->sweep->constraint && !sim_expression_true(w->sweep->constraint, look_up, &names))
        row->status = SIM_POINT_EXCLUDED;
    return w->sweep->layers ? keep_layers(&result, arena, row, err) : SIM_OK;
}

sim_status sim_point_check(sim_point_worker *w, int64_t point, sim_err *err)
{
    int64_t index[SIM_SPACE_AXES_MAX];
    sim_status status;

    sim_space_split(w->sweep->space, point, index);
    w->arch.number = -1;
    for (int i = 0; i < KEPT; i++)
        w->parts[i].number = -1;
    status = read_arch(w, index, err);
    if (status == SIM_OK && w->arch.why) {
        *err = w->trial;
        return sim_err_status(err);
    }
    if (status == SIM_OK)
        status = read_workload(w, index, err);
    if (status == SIM_OK && w->part->why) {
        *err = w->trial;
        return sim_err_status(err);
    }
    return status;
}
