#include "explore/calibrate.h"

#include "explore/calibrate_fit.h"
#include "input/calib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Boards under this cap throttle later: half way only after 0.7 ms, as fitted on a T4 (70 W); else 0.2 ms, as
 * on A100 and H100. The fits hardly depend on it. */
static const double small_board_w = 100, small_board_tau_us = 700;

/* ---- sets: one for each kernel, implementation and regime ------------------------------------------- */

/* One of them, while it is fitted. */
typedef struct job {
    sim_fit_set set;
    const char *impl;
    sim_gpu_regime regime;
    sim_gpu_kernel start, kernel;
    sim_fit_prior prior;
    sim_fit_report report;
    sim_fit_line line;
} job;

static int compare_sets(const void *a, const void *b)
{
    const sim_measurement *x = ((const sim_fit_row *)a)->of, *y = ((const sim_fit_row *)b)->of;
    int impl = strcmp(x->impl, y->impl);

    if (x->kernel != y->kernel)
        return x->kernel < y->kernel ? -1 : 1;
    if (impl)
        return impl;
    return (x->regime > y->regime) - (x->regime < y->regime);
}

static bool same_set(const sim_fit_row *a, const sim_fit_row *b)
{
    return compare_sets(a, b) == 0;
}

static sim_status split(sim_fit_row *rows, int64_t count, sim_arena *arena, job **out, int64_t *jobs,
                        sim_err *err)
{
    job *all;
    int64_t end;

    qsort(rows, (size_t)count, sizeof *rows, compare_sets);
    *jobs = 0;
    for (int64_t i = 0; i < count; i++)
        *jobs += i == 0 || !same_set(&rows[i], &rows[i - 1]);
    all = sim_arena_alloc(arena, (size_t)*jobs, sizeof *all);
    if (!all) {
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        return SIM_NO_MEMORY;
    }
    *out = all;
    for (int64_t first = 0; first < count; first = end, all++) {
        sim_status status;

        for (end = first; end < count && same_set(&rows[end], &rows[first]);)
            end++;
        all->impl = rows[first].of->impl;
        all->regime = rows[first].of->regime;
        status = sim_fit_set_of(rows[first].of->kernel, &rows[first], end - first, arena, &all->set, err);
        if (status != SIM_OK)
            return status;
    }
    return SIM_OK;
}

/* ---- where fits start ------------------------------------------------------------------------------- */

static void start_of(const sim_arch *arch, const sim_calibrate_options *options, job *j)
{
    const sim_gpu_kernel *known = sim_gpu_kernel_find(options->refit, j->set.kind, j->impl, j->regime);

    for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
        j->line.origin[i] = "starting value";
    if (known) {
        j->start = *known;
        j->start.residuals = NULL;
        j->start.residual_count = 0;
        memset(j->start.from_prior, 0, sizeof j->start.from_prior);
        j->prior = sim_fit_prior_session(j->set.kind);
        for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
            j->line.origin[i] = options->refit->name;
    } else {
        sim_gpu_kernel_start(j->set.kind, &j->start);
        if (arch->gpu.power_cap_w > 0 && arch->gpu.power_cap_w < small_board_w)
            j->start.tau_us = small_board_tau_us;
        j->prior = sim_fit_prior_usual(j->set.kind);
    }
    j->start.impl = j->impl;
    j->start.regime = j->regime;
    j->start.dispatch = j->set.rows[0].of->dispatch;
}

/* What differs between implementations on the same device: launch and use of memory. The rest is the
 * hardware's as much as the library's. */
static bool is_own(int parameter)
{
    return parameter == SIM_GPU_C || parameter == SIM_GPU_EM;
}

/* A donor's parameter must be better known than the starting value is. */
static const double well_pinned_frac = 0.6;

/* Whoever showed the highest sustained efficiency tells best what the device can do. */
static const job *donor_of(const job *jobs, int64_t count, const job *of)
{
    const job *best = NULL;

    for (int64_t i = 0; i < count; i++) {
        const job *j = &jobs[i];

        if (j == of || j->set.kind != of->set.kind || j->regime != of->regime ||
            j->kernel.from_prior[SIM_GPU_ES] || j->report.shrink_frac[SIM_GPU_ES] <= 0)
            continue;
        if (!best || j->kernel.parameter[SIM_GPU_ES] > best->kernel.parameter[SIM_GPU_ES])
            best = j;
    }
    return best;
}

/* Moves the start of parameters that the rows leave open to what others know. True: something moved. */
static bool borrow(const sim_arch *arch, const job *jobs, int64_t count, job *j)
{
    const job *donor = donor_of(jobs, count, j);
    const sim_gpu_kernel *known =
        donor ? &donor->kernel : sim_gpu_kernel_find(arch->calibration, j->set.kind, j->impl, j->regime);
    bool moved = false;

    if (!known || !j->kernel.from_prior[SIM_GPU_ES] ||
        j->prior.sd[SIM_GPU_K0] <= 0) /* or a session's refit */
        return false;
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++) {
        if (is_own(i) || j->prior.sd[i] <= 0 || j->kernel.parameter[i] != j->start.parameter[i] ||
            known->parameter[i] == j->start.parameter[i] ||
            (donor && donor->report.shrink_frac[i] > well_pinned_frac))
            continue;
        j->start.parameter[i] = known->parameter[i];
        j->line.origin[i] = donor ? donor->impl : arch->calibration->name;
        moved = true;
    }
    return moved;
}

/* ---- what to expect of a fit ------------------------------------------------------------------------ */

typedef struct scratch {
    double *predicted, *measured, *held_out;
} scratch;

static sim_status scratch_of(const sim_fit_set *set, sim_arena *arena, scratch *out, sim_err *err)
{
    out->predicted = sim_arena_alloc(arena, (size_t)set->count, sizeof(double));
    out->measured = sim_arena_alloc(arena, (size_t)set->count, sizeof(double));
    out->held_out = sim_arena_alloc(arena, (size_t)set->count, sizeof(double));
    if (!out->predicted || !out->measured || !out->held_out)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < set->count; i++)
        out->measured[i] = set->rows[i].log_us;
    return SIM_OK;
}

static double residual_of(const sim_gpu_kernel *kernel, const sim_measurement *row)
{
    return sim_gpu_kernel_is_gemm(kernel->kind) ? sim_gpu_residual_of(kernel, row->n, row->k, row->m) : 0;
}

/* Each fold predicted by a fit to the others, that is by what a run would use for a shape never seen. */
static sim_status hold_out(const sim_calibrate_options *options, const job *j, scratch *s, sim_arena *arena,
                           sim_fit_score *out, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int fold = 0; fold < j->set.folds && status == SIM_OK; fold++) {
        sim_gpu_kernel kernel;
        sim_fit_report report;

        status = sim_fit_law(&j->set, fold, &j->start, &j->prior, arena, &kernel, &report, err);
        if (status == SIM_OK && !options->no_residuals)
            status = sim_fit_residuals_of(&j->set, fold, arena, &kernel, err);
        for (int64_t i = 0; i < j->set.count && status == SIM_OK; i++)
            if (j->set.rows[i].fold == fold)
                s->held_out[i] =
                    sim_fit_log_us(&j->set.rows[i], &kernel) + residual_of(&kernel, j->set.rows[i].of);
    }
    if (status == SIM_OK)
        status =
            sim_fit_score_of(s->held_out, s->measured, j->set.folds > 0 ? j->set.count : 0, arena, out, err);
    return status;
}

/* Rows of shapes with residuals, each predicted with the residuals of every other m of its shape alone. */
static sim_status score_other_m(const job *j, scratch *s, sim_arena *arena, sim_fit_score *out, sim_err *err)
{
    sim_gpu_residual *left = sim_arena_alloc(arena, (size_t)j->kernel.residual_count, sizeof *left);
    sim_gpu_kernel without = j->kernel;
    int64_t scored = 0, end;

    if (!left)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    without.residuals = left;
    for (int64_t first = 0; first < j->kernel.residual_count; first = end) {
        const sim_gpu_residual *r = j->kernel.residuals;

        for (end = first; end < j->kernel.residual_count && r[end].n == r[first].n && r[end].k == r[first].k;)
            end++;
        for (int64_t out_of = first; out_of < end; out_of++) {
            without.residual_count = 0;
            for (int64_t i = first; i < end; i++)
                if (i != out_of)
                    left[without.residual_count++] = r[i];
            s->predicted[scored] = sim_gpu_residual_of(&without, r[out_of].n, r[out_of].k, r[out_of].m);
            s->held_out[scored++] = r[out_of].log_ratio;
        }
    }
    return sim_fit_score_of(s->predicted, s->held_out, scored, arena, out, err);
}

static sim_status score_rooflines(job *j, scratch *s, sim_arena *arena, sim_err *err)
{
    const sim_fit_set *set = &j->set;
    sim_roofline roofline;
    sim_status status;

    for (int64_t i = 0; i < set->count; i++)
        s->predicted[i] = log(sim_roofline_us(&set->rows[i], &sim_roofline_ideal));
    status = sim_fit_score_of(s->predicted, s->measured, set->kind == SIM_KERNEL_EMPTY ? 0 : set->count,
                              arena, &j->line.ideal, err);
    if (status == SIM_OK)
        status = sim_fit_roofline(set, SIM_FIT_ALL, j->kernel.floor_us, arena, &roofline, err);
    for (int64_t i = 0; i < set->count && status == SIM_OK; i++)
        s->predicted[i] = log(sim_roofline_us(&set->rows[i], &roofline));
    if (status == SIM_OK)
        status = sim_fit_score_of(s->predicted, s->measured, set->count, arena, &j->line.roofline, err);
    for (int fold = 0; fold < set->folds && status == SIM_OK; fold++) {
        status = sim_fit_roofline(set, fold, j->kernel.floor_us, arena, &roofline, err);
        for (int64_t i = 0; i < set->count && status == SIM_OK; i++)
            if (set->rows[i].fold == fold)
                s->predicted[i] = log(sim_roofline_us(&set->rows[i], &roofline));
    }
    if (status == SIM_OK)
        status = sim_fit_score_of(s->predicted, s->measured, set->folds > 0 ? set->count : 0, arena,
                                  &j->line.roofline_held_out, err);
    return status;
}

static sim_status score(const sim_calibrate_options *options, job *j, sim_arena *arena, sim_err *err)
{
    scratch s;
    sim_status status = scratch_of(&j->set, arena, &s, err);

    if (status != SIM_OK)
        return status;
    sim_fit_predict(&j->set, &j->kernel, s.predicted);
    status = sim_fit_score_of(s.predicted, s.measured, j->set.count, arena, &j->line.fitted, err);
    if (status == SIM_OK)
        status = hold_out(options, j, &s, arena, &j->line.held_out, err);
    if (status == SIM_OK)
        status = score_other_m(j, &s, arena, &j->line.other_m, err);
    if (status == SIM_OK)
        status = score_rooflines(j, &s, arena, err);
    return status;
}

/* ---- words ---------------------------------------------------------------------------------------- */

/* What each parameter is, for people. */
static const char *const meanings[SIM_GPU_PARAMETERS] = {"launch (c_us)",
                                                         "sustained compute efficiency (es)",
                                                         "memory efficiency (em)",
                                                         "blend (q)",
                                                         "loss of small tiles (lam)",
                                                         "prologue (k0)",
                                                         "partial waves (al)",
                                                         "split-K reduction (rr)",
                                                         "throttling (th)"};

static void words_of(const job *j, sim_text *out)
{
    int open = 0;

    if (j->set.count == 1)
        sim_text_add(out,
                     "One row: it scales the starting values, no more; the error elsewhere is not known. ");
    else if (j->set.groups == 1)
        sim_text_add(out, "One weight shape: the error on other shapes is not known. ");
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
        open += j->kernel.from_prior[i];
    if (open == 0)
        return;
    sim_text_add(out, "Not pinned down by these rows: ");
    for (int i = 0, said = 0; i < SIM_GPU_PARAMETERS; i++) {
        if (!j->kernel.from_prior[i])
            continue;
        sim_text_printf(out, "%s%s", said ? (said + 1 == open ? " and " : ", ") : "", meanings[i]);
        if (strcmp(j->line.origin[i], "starting value") != 0)
            sim_text_printf(out, " from %s",
                            *j->line.origin[i] ? j->line.origin[i] : "another implementation");
        said++;
    }
    sim_text_add(out, open > 1 ? "; their values are kept." : "; its value is kept.");
    if (j->kernel.from_prior[SIM_GPU_ES])
        sim_text_add(out, " No row is bound by compute: times of large m rest on that value alone.");
}

static sim_status say(job *j, sim_arena *arena, sim_err *err)
{
    sim_text text = {.allocator = arena->allocator};

    words_of(j, &text);
    j->line.words = text.data ? sim_arena_text(arena, text.data, text.length) : "";
    if (text.failed || !j->line.words) {
        sim_text_free(&text);
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    sim_text_free(&text);
    return SIM_OK;
}

/* The sources of the rows, each once, the first few of them. */
static sim_status source_of(const sim_fit_row *rows, int64_t count, const char *otherwise, sim_arena *arena,
                            const char **out, sim_err *err)
{
    enum { SOURCES_MAX = 4, LENGTH_MAX = 400 };
    const char *seen[SOURCES_MAX], *text = "";
    int sources = 0;
    bool more = false;

    for (int64_t i = 0; i < count && text; i++) {
        const char *source = rows[i].of->source;
        bool known = !*source;

        for (int s = 0; s < sources; s++)
            known |= strcmp(seen[s], source) == 0;
        if (known)
            continue;
        if (sources == SOURCES_MAX || strlen(text) + strlen(source) > LENGTH_MAX) {
            more = true;
            continue;
        }
        seen[sources++] = source;
        text = sim_arena_printf(arena, "%s%s%s", text, *text ? "; " : "", source);
    }
    if (text && more)
        text = sim_arena_printf(arena, "%s; and others", text);
    *out = text && !*text ? otherwise : text;
    return *out ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- the default implementation --------------------------------------------------------------------- */

/* The fastest over all shapes that any implementation of the kernel was measured at. */
static void set_default(job *jobs, int64_t first, int64_t end)
{
    int64_t best[SIM_REGIME_COUNT];
    double least[SIM_REGIME_COUNT];

    for (int r = 0; r < SIM_REGIME_COUNT; r++) {
        best[r] = -1;
        least[r] = INFINITY;
    }
    for (int64_t i = first; i < end; i++) {
        double sum = 0;

        for (int64_t o = first; o < end; o++)
            for (int64_t row = 0; row < jobs[o].set.count; row++)
                sum += sim_fit_log_us(&jobs[o].set.rows[row], &jobs[i].kernel);
        jobs[i].kernel.is_default = false;
        if (sum < least[jobs[i].regime]) {
            least[jobs[i].regime] = sum;
            best[jobs[i].regime] = i;
        }
    }
    for (int r = 0; r < SIM_REGIME_COUNT; r++)
        if (best[r] >= 0)
            jobs[best[r]].kernel.is_default = true;
}

/* ---- the calibration -------------------------------------------------------------------------------- */

static sim_status fit(const job *j, sim_arena *arena, sim_gpu_kernel *kernel, sim_fit_report *report,
                      sim_err *err)
{
    return sim_fit_law(&j->set, SIM_FIT_ALL, &j->start, &j->prior, arena, kernel, report, err);
}

static sim_status fit_all(const sim_arch *arch, const sim_calibrate_options *options, job *jobs,
                          int64_t count, sim_arena *arena, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int64_t i = 0; i < count && status == SIM_OK; i++) {
        start_of(arch, options, &jobs[i]);
        status = fit(&jobs[i], arena, &jobs[i].kernel, &jobs[i].report, err);
    }
    for (int64_t i = 0; i < count && status == SIM_OK; i++)
        if (borrow(arch, jobs, count, &jobs[i]))
            status = fit(&jobs[i], arena, &jobs[i].kernel, &jobs[i].report, err);
    for (int64_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && jobs[end].set.kind == jobs[first].set.kind;)
            end++;
        set_default(jobs, first, end);
    }
    return status;
}

/* What a kernel carries beside its parameters. */
static sim_status finish(const sim_measurements *measured, const sim_calibrate_options *options, job *j,
                         sim_arena *arena, sim_err *err)
{
    sim_gpu_kernel *k = &j->kernel;
    double clocks = 0;
    sim_status status = SIM_OK;

    if (!options->no_residuals)
        status = sim_fit_residuals_of(&j->set, SIM_FIT_ALL, arena, k, err);
    if (status == SIM_OK)
        status = score(options, j, arena, err);
    if (status == SIM_OK)
        status = source_of(j->set.rows, j->set.count, measured->file, arena, &k->source, err);
    if (status == SIM_OK)
        status = say(j, arena, err);
    k->rows = j->set.count;
    k->groups = j->set.groups;
    k->mape_pct = j->line.fitted.mape_pct;
    k->held_out_mape_pct = j->line.held_out.mape_pct;
    k->clock_mhz = 0;
    for (int64_t i = 0; i < j->set.count; i++) {
        k->clock_mhz += j->set.rows[i].of->clock_mhz;
        clocks += j->set.rows[i].of->clock_mhz > 0;
    }
    if (clocks > 0)
        k->clock_mhz /= clocks;
    j->line.folds = j->set.folds;
    j->line.parameters = j->report.parameters;
    memcpy(j->line.shrink_frac, j->report.shrink_frac, sizeof j->line.shrink_frac);
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
        if (!k->from_prior[i] && j->report.shrink_frac[i] > 0)
            j->line.origin[i] = NULL;
    return status;
}

sim_status sim_calibrate(const sim_arch *arch, const sim_measurements *measured,
                         const sim_calibrate_options *options, sim_arena *arena, sim_calibration_fit *out,
                         sim_err *err)
{
    sim_gpu_kernel *kernels;
    sim_fit_line *lines;
    sim_fit_row *rows;
    job *jobs = NULL;
    int64_t count = 0;
    sim_status status;

    *out = (sim_calibration_fit){.arch_name = arch->name, .measured_file = measured->file};
    status = sim_fit_rows_of(arch, measured, arena, &rows, &out->rows, &out->left_out_gpus, err);
    if (status == SIM_OK)
        status = source_of(rows, out->rows, measured->file, arena, &out->calibration.source, err);
    if (status == SIM_OK)
        status = split(rows, out->rows, arena, &jobs, &count, err);
    if (status == SIM_OK)
        status = fit_all(arch, options, jobs, count, arena, err);
    for (int64_t i = 0; i < count && status == SIM_OK; i++)
        status = finish(measured, options, &jobs[i], arena, err);
    if (status != SIM_OK)
        return status;
    kernels = sim_arena_alloc(arena, (size_t)count, sizeof *kernels);
    lines = sim_arena_alloc(arena, (size_t)count, sizeof *lines);
    if (!kernels || !lines)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < count; i++) {
        kernels[i] = jobs[i].kernel;
        if (options->no_floor)
            kernels[i].floor_us = 0;
        lines[i] = jobs[i].line;
        lines[i].kernel = &kernels[i];
    }
    out->lines = lines;
    out->left_out = measured->count - out->rows;
    out->calibration.name = options->name ? options->name : arch->name;
    out->calibration.gpu = *rows[0].of->gpu ? rows[0].of->gpu : arch->name;
    out->calibration.arch_clock_mhz = arch->clock_mhz;
    out->calibration.kernels = kernels;
    out->calibration.kernel_count = count;
    return SIM_OK;
}

/* ---- steps ---------------------------------------------------------------------------------------- */

/* A kernel that no measurement of its own was fitted to. */
static sim_fit_line line_without_rows(const sim_gpu_kernel *kernel)
{
    static const sim_fit_score unknown = {0, NAN, NAN, NAN, NAN};
    sim_fit_line line = {.kernel = kernel, .fitted = unknown, .held_out = unknown, .words = ""};

    line.other_m = line.ideal = line.roofline = line.roofline_held_out = unknown;
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
        line.origin[i] = kernel->from_prior[i] ? "kept" : NULL;
    return line;
}

sim_status sim_calibrate_add_steps(const sim_arch *arch, const sim_engine_steps *steps,
                                   const sim_calibrate_options *options, sim_arena *arena,
                                   sim_calibration_fit *fit, sim_err *err)
{
    const sim_gpu_calibration before = fit->calibration;
    sim_step_fit *found = sim_arena_alloc(arena, 1, sizeof *found);
    sim_arch start = *arch;
    sim_fit_line *lines;
    const char *file;
    sim_status status;

    if (!found)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (before.kernel_count > 0)
        start.calibration = &before;
    start.gpu.engine = NULL; /* kernels as they were measured, not as an older fit of steps had them */
    status = sim_calibrate_steps(&start, steps, arena, found, err);
    if (status == SIM_OK)
        status = sim_step_calibration(&start, found, arena, &fit->calibration, err);
    if (status != SIM_OK)
        return status;
    lines = sim_arena_alloc(arena, (size_t)fit->calibration.kernel_count, sizeof *lines);
    if (!lines)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < fit->calibration.kernel_count; i++) {
        const sim_gpu_kernel *k = &fit->calibration.kernels[i];

        lines[i] = line_without_rows(k);
        for (int64_t j = 0; j < before.kernel_count; j++)
            if (before.kernels[j].kind == k->kind && before.kernels[j].regime == k->regime &&
                strcmp(before.kernels[j].impl, k->impl) == 0) {
                lines[i] = fit->lines[j];
                lines[i].kernel = k;
            }
    }
    fit->lines = lines;
    fit->steps = found;
    fit->arch_name = arch->name;
    if (options->name)
        fit->calibration.name = options->name;
    fit->rows += found->step.rows;
    file = strrchr(steps->file, '/') ? strrchr(steps->file, '/') + 1 : steps->file;
    fit->measured_file =
        fit->measured_file ? sim_arena_printf(arena, "%s and %s", fit->measured_file, file) : file;
    return fit->measured_file ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

sim_status sim_calibration_open(const char *path, sim_arena *arena, sim_gpu_calibration *out, sim_err *err)
{
    return sim_calibration_load(path, arena, out, NULL, err);
}
