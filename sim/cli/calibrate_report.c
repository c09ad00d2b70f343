#include "cli/calibrate_report.h"

#include "base/json.h"
#include "output/grid.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- shared --------------------------------------------------------------------------------------- */

/* Errors have no third digit. */
static void percent_cell(sim_grid *grid, sim_paint paint, double pct)
{
    if (isfinite(pct))
        sim_grid_cell(grid, paint, "%.1f", pct);
    else
        sim_grid_cell(grid, SIM_PAINT_DIM, "-");
}

static const char *impl_of(const char *impl)
{
    return *impl ? impl : "-";
}

static void put_left_out(int64_t rows, const char *gpus, int width, sim_text *out)
{
    char text[400];

    if (rows == 0)
        return;
    snprintf(text, sizeof text, "%lld rows left out: they are of %s.", (long long)rows,
             gpus ? gpus : "other GPUs");
    sim_wrap_add(out, "note", 8, width, text);
}

/* JSON: full precision helps nobody, but rounding would hide small changes from tests. */
static void put_score(sim_json_writer *w, const sim_fit_score *score)
{
    sim_json_put_int(w, "n", score->n);
    sim_json_put_real(w, "mape_pct", score->mape_pct);
    sim_json_put_real(w, "median_ape_pct", score->median_ape_pct);
    sim_json_put_real(w, "p95_ape_pct", score->p95_ape_pct);
    sim_json_put_real(w, "bias_pct", score->bias_pct);
}

static void put_score_object(sim_json_writer *w, const char *key, const sim_fit_score *score)
{
    if (score->n == 0) {
        sim_json_put_null(w, key);
        return;
    }
    sim_json_begin(w, key, '{', true);
    put_score(w, score);
    sim_json_end(w, '}');
}

/* ---- a fit ---------------------------------------------------------------------------------------- */

static void put_errors(const sim_calibration_fit *fit, int width, bool colour, sim_text *out)
{
    static const sim_grid_column columns[] = {
        {"kernel", false, 0, 0, 0, false},  {"impl", false, 0, 6, 10, false},
        {"regime", false, 3, 0, 0, false},  {"rows", true, 0, 0, 0, false},
        {"shapes", true, 1, 0, 0, false},   {"fitted", true, 0, 0, 0, false},
        {"held out", true, 0, 0, 0, false}, {"other m", true, 2, 0, 0, false},
        {"ideal", true, 0, 0, 0, false},    {"roofline", true, 4, 0, 0, false},
        {"held out", true, 0, 0, 0, false}};
    sim_grid grid;

    sim_grid_init(&grid, columns, sizeof columns / sizeof *columns, NULL);
    for (int64_t i = 0; i < fit->calibration.kernel_count; i++) {
        const sim_fit_line *line = &fit->lines[i];
        const sim_gpu_kernel *k = line->kernel;
        bool better = !(line->held_out.mape_pct > line->roofline_held_out.mape_pct);

        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", sim_gpu_kernel_names[k->kind]);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s%s", impl_of(k->impl), k->is_default ? " *" : "");
        sim_grid_cell(&grid, SIM_PAINT_DIM, "%s", sim_gpu_regime_names[k->regime]);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%lld", (long long)k->rows);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%lld", (long long)k->groups);
        percent_cell(&grid, SIM_PAINT_NONE, line->fitted.mape_pct);
        percent_cell(&grid, better ? SIM_PAINT_BOLD : SIM_PAINT_YELLOW, line->held_out.mape_pct);
        percent_cell(&grid, SIM_PAINT_NONE, line->other_m.mape_pct);
        percent_cell(&grid, SIM_PAINT_DIM, line->ideal.mape_pct);
        percent_cell(&grid, SIM_PAINT_DIM, line->roofline.mape_pct);
        percent_cell(&grid, SIM_PAINT_DIM, line->roofline_held_out.mape_pct);
    }
    sim_grid_print(&grid, 0, width, colour, out);
    sim_grid_free(&grid);
}

static bool is_used(const sim_gpu_kernel *k, int parameter)
{
    return sim_gpu_kernel_is_gemm(k->kind) || parameter == SIM_GPU_C ||
           (parameter == SIM_GPU_EM && k->kind != SIM_KERNEL_EMPTY);
}

static void put_parameters(const sim_calibration_fit *fit, int width, bool colour, sim_text *out)
{
    static const sim_grid_column columns[] = {
        {"kernel", false, 0, 0, 0, false}, {"impl", false, 0, 6, 10, false},
        {"c_us", true, 0, 0, 0, false},    {"es", true, 0, 0, 0, false},
        {"em", true, 0, 0, 0, false},      {"q", true, 6, 0, 0, false},
        {"lam", true, 5, 0, 0, false},     {"k0", true, 4, 0, 0, false},
        {"al", true, 3, 0, 0, false},      {"rr", true, 2, 0, 0, false},
        {"th", true, 1, 0, 0, false},      {"floor_us", true, 0, 0, 0, false}};
    sim_grid grid;

    sim_grid_init(&grid, columns, sizeof columns / sizeof *columns, NULL);
    for (int64_t i = 0; i < fit->calibration.kernel_count; i++) {
        const sim_fit_line *line = &fit->lines[i];
        const sim_gpu_kernel *k = line->kernel;

        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", sim_gpu_kernel_names[k->kind]);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", impl_of(k->impl));
        for (int p = 0; p < SIM_GPU_PARAMETERS; p++) {
            if (!is_used(k, p))
                sim_grid_cell(&grid, SIM_PAINT_DIM, "-");
            else if (line->origin[p])
                sim_grid_cell(&grid, SIM_PAINT_DIM, "(%.3g)", k->parameter[p]);
            else
                sim_grid_cell(&grid, SIM_PAINT_NONE, "%.3g", k->parameter[p]);
        }
        if (k->floor_us > 0)
            sim_grid_cell(&grid, SIM_PAINT_NONE, "%.3g", k->floor_us);
        else
            sim_grid_cell(&grid, SIM_PAINT_DIM, "-");
    }
    sim_grid_print(&grid, 0, width, colour, out);
    sim_grid_free(&grid);
}

/* Whole steps: errors, then what was fitted. */
static void put_steps(const sim_step_fit *steps, int width, bool colour, sim_text *out)
{
    static const sim_grid_column columns[] = {{"parameter", false, 0, 0, 0, false},
                                              {"value", true, 0, 0, 0, false},
                                              {"posterior/prior sd", true, 1, 0, 0, false}};
    sim_grid grid;

    sim_text_printf(out, "\nsteps of %s: %lld rows of %lld models and lengths\n  fitted %.1f%%",
                    steps->step.impl, (long long)steps->step.rows, (long long)steps->step.groups,
                    steps->fitted.mape_pct);
    if (steps->held_out.n > 0)
        sim_text_printf(out, ", model and length held out %.1f%%", steps->held_out.mape_pct);
    if (steps->by_batch.n > 0)
        sim_text_printf(out, ", batch held out %.1f%%", steps->by_batch.mape_pct);
    sim_text_add(out, "\n\n");
    sim_grid_init(&grid, columns, sizeof columns / sizeof *columns, NULL);
    for (int i = 0; i < steps->parameter_count; i++) {
        const sim_step_parameter *p = &steps->parameters[i];

        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", p->name);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%.4g", p->value);
        if (p->shrink_frac > 0)
            sim_grid_cell(&grid, p->shrink_frac > 0.8 ? SIM_PAINT_YELLOW : SIM_PAINT_DIM, "%.2f",
                          p->shrink_frac);
        else
            sim_grid_cell(&grid, SIM_PAINT_DIM, "-");
    }
    sim_grid_print(&grid, 2, width, colour, out);
    sim_grid_free(&grid);
    put_left_out(steps->left_out, steps->left_out_gpus, width, out);
}

static void put_steps_json(sim_json_writer *w, const sim_step_fit *steps)
{
    sim_json_begin(w, "steps", '{', false);
    sim_json_put_text(w, "impl", steps->step.impl);
    sim_json_put_int(w, "rows", steps->step.rows);
    sim_json_put_int(w, "groups", steps->step.groups);
    sim_json_put_int(w, "folds", steps->folds);
    put_score_object(w, "fitted", &steps->fitted);
    put_score_object(w, "held_out", &steps->held_out);
    put_score_object(w, "batch_held_out", &steps->by_batch);
    sim_json_begin(w, "parameters", '[', false);
    for (int i = 0; i < steps->parameter_count; i++) {
        const sim_step_parameter *p = &steps->parameters[i];

        sim_json_begin(w, NULL, '{', true);
        sim_json_put_text(w, "name", p->name);
        sim_json_put_real(w, "value", p->value);
        sim_json_put_real(w, "posterior_over_prior_sd", p->shrink_frac > 0 ? p->shrink_frac : NAN);
        sim_json_end(w, '}');
    }
    sim_json_end(w, ']');
    sim_json_end(w, '}');
}

void sim_report_fit_table(const sim_calibration_fit *fit, int width, bool colour, sim_text *out)
{
    sim_text_printf(out, "%s: %lld rows of %s, fitted for %s\n\n", fit->calibration.name,
                    (long long)fit->rows, fit->measured_file, fit->arch_name);
    put_errors(fit, width, colour, out);
    sim_text_add(out, "\n");
    sim_wrap_add(
        out, "", 2, width,
        "Mean error of latency in percent, next to the ideal roofline and one with three fitted parameters "
        "on the same rows. Held out: whole weight shapes (n, k) that the fit has not seen. Other m: another "
        "m of shapes that were measured. '*': used where no implementation is asked for.");
    sim_text_add(out, "\n");
    put_parameters(fit, width, colour, out);
    sim_text_add(out, "\n");
    sim_wrap_add(out, "", 2, width, "In parentheses: not pinned down by these rows, the value is kept.");
    for (int64_t i = 0; i < fit->calibration.kernel_count; i++) {
        const sim_gpu_kernel *k = fit->lines[i].kernel;
        char label[160];

        if (!*fit->lines[i].words)
            continue;
        snprintf(label, sizeof label, "%s %s:", sim_gpu_kernel_names[k->kind], impl_of(k->impl));
        sim_text_printf(out, "\n%s\n", label);
        sim_wrap_add(out, "", 2, width, fit->lines[i].words);
    }
    if (fit->steps)
        put_steps(fit->steps, width, colour, out);
    put_left_out(fit->left_out, fit->left_out_gpus, width, out);
}

static void put_parameters_json(sim_json_writer *w, const sim_fit_line *line)
{
    const sim_gpu_kernel *k = line->kernel;

    sim_json_begin(w, "parameters", '{', false);
    for (int p = 0; p < SIM_GPU_PARAMETERS; p++) {
        if (!is_used(k, p)) {
            sim_json_put_null(w, sim_gpu_parameter_names[p]);
            continue;
        }
        sim_json_begin(w, sim_gpu_parameter_names[p], '{', true);
        sim_json_put_real(w, "value", k->parameter[p]);
        sim_json_put_bool(w, "pinned_down", !line->origin[p]);
        sim_json_put_text(w, "from", line->origin[p]);
        sim_json_put_real(w, "posterior_over_prior_sd",
                          line->shrink_frac[p] > 0 ? line->shrink_frac[p] : NAN);
        sim_json_end(w, '}');
    }
    sim_json_end(w, '}');
    sim_json_put_real(w, "floor_us", k->floor_us);
    sim_json_put_real(w, "row_us", k->row_us);
}

void sim_report_fit_json(const sim_calibration_fit *fit, sim_text *out)
{
    sim_json_writer w = {.out = out, .first = true};

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_int(&w, "schema", 1);
    sim_json_put_text(&w, "calibration", fit->calibration.name);
    sim_json_put_text(&w, "gpu", fit->calibration.gpu);
    sim_json_put_text(&w, "arch", fit->arch_name);
    sim_json_put_int(&w, "rows", fit->rows);
    sim_json_put_int(&w, "left_out", fit->left_out);
    sim_json_begin(&w, "kernels", '[', false);
    for (int64_t i = 0; i < fit->calibration.kernel_count; i++) {
        const sim_fit_line *line = &fit->lines[i];
        const sim_gpu_kernel *k = line->kernel;

        sim_json_begin(&w, NULL, '{', false);
        sim_json_put_text(&w, "kernel", sim_gpu_kernel_names[k->kind]);
        sim_json_put_text(&w, "impl", k->impl);
        sim_json_put_text(&w, "regime", sim_gpu_regime_names[k->regime]);
        sim_json_put_bool(&w, "default", k->is_default);
        sim_json_put_int(&w, "rows", k->rows);
        sim_json_put_int(&w, "groups", k->groups);
        sim_json_put_int(&w, "folds", line->folds);
        put_score_object(&w, "fitted", &line->fitted);
        put_score_object(&w, "held_out", &line->held_out);
        put_score_object(&w, "other_m", &line->other_m);
        put_score_object(&w, "ideal", &line->ideal);
        put_score_object(&w, "roofline", &line->roofline);
        put_score_object(&w, "roofline_held_out", &line->roofline_held_out);
        put_parameters_json(&w, line);
        sim_json_put_text(&w, "note", line->words);
        sim_json_end(&w, '}');
    }
    sim_json_end(&w, ']');
    if (fit->steps)
        put_steps_json(&w, fit->steps);
    else
        sim_json_put_null(&w, "steps");
    sim_json_end(&w, '}');
    sim_text_add(out, "\n");
}

/* ---- a check -------------------------------------------------------------------------------------- */

static void put_score_cells(sim_grid *grid, sim_paint paint, const sim_fit_score *score, double ideal_pct)
{
    sim_grid_cell(grid, paint, "%lld", (long long)score->n);
    percent_cell(grid, SIM_PAINT_BOLD, score->mape_pct);
    percent_cell(grid, paint, score->median_ape_pct);
    percent_cell(grid, paint, score->p95_ape_pct);
    sim_grid_cell(grid, paint, "%+.1f", score->bias_pct);
    percent_cell(grid, SIM_PAINT_DIM, ideal_pct);
}

void sim_report_check_table(const sim_calibration_check *check, const sim_gpu_calibration *calibration,
                            const char *measured_file, int width, bool colour, sim_text *out)
{
    static const sim_grid_column columns[] = {
        {"kernel", false, 0, 0, 0, false}, {"impl", false, 0, 6, 10, false},
        {"regime", false, 2, 0, 0, false}, {"scored as", false, 1, 8, 12, false},
        {"rows", true, 0, 0, 0, false},    {"mean", true, 0, 0, 0, false},
        {"median", true, 0, 0, 0, false},  {"95%", true, 0, 0, 0, false},
        {"bias", true, 0, 0, 0, false},    {"ideal", true, 0, 0, 0, false}};
    sim_grid grid;

    sim_text_printf(out, "%s against %lld rows of %s\n\n", calibration->name, (long long)check->row_count,
                    measured_file);
    sim_grid_init(&grid, columns, sizeof columns / sizeof *columns, NULL);
    for (int64_t i = 0; i < check->group_count; i++) {
        const sim_check_group *g = &check->groups[i];

        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", sim_gpu_kernel_names[g->kernel]);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", impl_of(g->impl));
        sim_grid_cell(&grid, SIM_PAINT_DIM, "%s", sim_gpu_regime_names[g->regime]);
        sim_grid_cell(&grid, g->exact ? SIM_PAINT_NONE : SIM_PAINT_YELLOW, "%s",
                      g->scored_as ? impl_of(g->scored_as) : g->basis);
        put_score_cells(&grid, SIM_PAINT_NONE, &g->score, g->ideal.mape_pct);
    }
    if (check->group_count > 1) {
        for (int i = 0; i < 4; i++)
            sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", i ? "" : "all");
        put_score_cells(&grid, SIM_PAINT_NONE, &check->score, NAN);
    }
    sim_grid_print(&grid, 0, width, colour, out);
    sim_grid_free(&grid);
    sim_text_add(out, "\n");
    sim_wrap_add(
        out, "", 2, width,
        "Absolute error of latency in percent, bias with its sign; ideal: mean error of the ideal roofline.");
    for (int64_t i = 0; i < check->group_count; i++) {
        const sim_check_group *g = &check->groups[i];
        char text[320];

        if (g->exact)
            continue;
        snprintf(text, sizeof text, "%s %s, %s: not in the calibration; scored with the %s%s%s%s.",
                 sim_gpu_kernel_names[g->kernel], impl_of(g->impl), sim_gpu_regime_names[g->regime], g->basis,
                 g->scored_as ? ", '" : "", g->scored_as ? g->scored_as : "", g->scored_as ? "'" : "");
        sim_wrap_add(out, "note", 8, width, text);
    }
    put_left_out(check->left_out, check->left_out_gpus, width, out);
}

void sim_report_check_json(const sim_calibration_check *check, const sim_gpu_calibration *calibration,
                           sim_text *out)
{
    sim_json_writer w = {.out = out, .first = true};

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_int(&w, "schema", 1);
    sim_json_put_text(&w, "calibration", calibration->name);
    put_score(&w, &check->score);
    sim_json_put_int(&w, "left_out", check->left_out);
    sim_json_begin(&w, "groups", '[', false);
    for (int64_t i = 0; i < check->group_count; i++) {
        const sim_check_group *g = &check->groups[i];

        sim_json_begin(&w, NULL, '{', false);
        sim_json_put_text(&w, "kernel", sim_gpu_kernel_names[g->kernel]);
        sim_json_put_text(&w, "impl", g->impl);
        sim_json_put_text(&w, "regime", sim_gpu_regime_names[g->regime]);
        sim_json_put_text(&w, "scored_as", g->scored_as);
        sim_json_put_text(&w, "basis", g->basis);
        put_score(&w, &g->score);
        sim_json_put_real(&w, "ideal_mape_pct", g->ideal.mape_pct);
        sim_json_end(&w, '}');
    }
    sim_json_end(&w, ']');
    sim_json_end(&w, '}');
    sim_text_add(out, "\n");
}
