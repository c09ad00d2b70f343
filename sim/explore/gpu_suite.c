/* Runs the plan of gpu_suite_plan.c: resumes the file, measures, writes a row at a time. */
#include "explore/gpu_suite.h"

#include "base/text.h"
#include "base/version.h"
#include "format/csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_LIMIT_BYTES = 64 * 1024 * 1024, KEY_BYTES = 160 };

static const char *const regime_names[] = {"burst", "sustained"};

typedef struct suite {
    const sim_gpu_plugin *plugin;
    const sim_gpu_suite_options *options;
    sim_arena *arena;
    sim_gpu_suite_report *report;
    sim_err *err;
    FILE *file;
    const char *source;
    const char **known; /* sorted keys of the rows that the file has */
    int64_t known_count;
    double started_s;
    double predicted_s, spent_s; /* of the cases done here: how far off the estimates are */
} suite;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static sim_status no_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- what the file already has ---------------------------------------------------------------------- */

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* What tells one measurement from another. */
static void case_key(const char *gpu, const sim_gpu_case *c, char key[KEY_BYTES])
{
    snprintf(key, KEY_BYTES, "%s,%s,%s,%s,%lld,%lld,%lld,%lld", gpu, c->kernel->name, c->kernel->impl,
             regime_names[c->regime], (long long)c->m, (long long)c->n, (long long)c->k, (long long)c->batch);
}

static bool is_known(const suite *s, const sim_gpu_case *c)
{
    char key[KEY_BYTES];
    const char *text = key;

    case_key(s->plugin->gpu, c, key);
    return s->known_count &&
           bsearch(&text, s->known, (size_t)s->known_count, sizeof *s->known, by_text) != NULL;
}

static sim_status check_header(const sim_csv *csv, sim_err *err)
{
    static const char header[] = SIM_GPU_CSV_HEADER;
    const char *word = header;

    for (int i = 0; i < csv->column_count || *word; i++) {
        size_t length = strcspn(word, ",");
        const char *found = i < csv->column_count ? csv->columns[i] : "";

        if (strlen(found) != length || strncmp(found, word, length) != 0) {
            sim_fail(err, SIM_BAD_INPUT, csv->file, csv->row_count ? csv->lines[0] - 1 : 1,
                     "column %d of the header is '%s', not '%.*s'", i + 1, found, (int)length, word);
            sim_hint(err, "it is no measurement file of this version; name another file to write to");
            return SIM_BAD_INPUT;
        }
        word += length;
        word += *word == ',';
    }
    return SIM_OK;
}

static sim_status read_known(suite *s, const sim_csv *csv)
{
    static const char *const columns[] = {"gpu", "kernel", "impl", "regime", "m", "n", "k", "batch"};
    char key[KEY_BYTES];

    s->known = sim_arena_alloc(s->arena, (size_t)csv->row_count, sizeof *s->known);
    if (!s->known)
        return no_memory(s->err);
    for (int64_t row = 0; row < csv->row_count; row++) {
        size_t length = 0;

        for (size_t i = 0; i < sizeof columns / sizeof *columns && length < sizeof key; i++)
            length += (size_t)snprintf(key + length, sizeof key - length, "%s%s", i ? "," : "",
                                       sim_csv_text(csv, row, sim_csv_column(csv, columns[i])));
        s->known[row] = sim_arena_text(s->arena, key, strlen(key));
        if (!s->known[row])
            return no_memory(s->err);
    }
    s->known_count = csv->row_count;
    if (csv->row_count)
        qsort(s->known, (size_t)csv->row_count, sizeof *s->known, by_text);
    return SIM_OK;
}

/* Reads what is there and cuts a last row that was not written whole. *fresh: the header is still to be
 * written. */
static sim_status resume(suite *s, bool *fresh)
{
    const char *path = s->options->file;
    struct stat info;
    size_t length, whole;
    sim_status status;
    sim_csv csv;
    char *text;

    *fresh = true;
    if (stat(path, &info) != 0) {
        if (errno == ENOENT)
            return SIM_OK;
        return sim_fail(s->err, SIM_BAD_INPUT, path, 0, "%s", strerror(errno));
    }
    if (!S_ISREG(info.st_mode))
        return sim_fail(s->err, SIM_BAD_INPUT, path, 0,
                        "not a regular file: measurements are resumed from it");
    status = sim_text_read_file(path, FILE_LIMIT_BYTES, s->arena, &text, &length, s->err);
    if (status != SIM_OK)
        return status;
    if (length == 0)
        return SIM_OK;
    for (whole = length; whole > 0 && text[whole - 1] != '\n';)
        whole--;
    status = sim_csv_parse(text, whole ? whole : length, path, s->arena, &csv, s->err);
    if (status == SIM_OK)
        status = check_header(&csv, s->err);
    if (status == SIM_OK)
        status = read_known(s, &csv);
    if (status != SIM_OK)
        return status;
    if (whole && whole < length && truncate(path, (off_t)whole) != 0)
        return sim_fail(s->err, SIM_IO, path, 0, "%s", strerror(errno));
    *fresh = whole == 0; /* a header without its line end is written again */
    if (whole == 0 && truncate(path, 0) != 0)
        return sim_fail(s->err, SIM_IO, path, 0, "%s", strerror(errno));
    return SIM_OK;
}

/* ---- rows ------------------------------------------------------------------------------------------- */

static void add_real(sim_text *text, double value)
{
    if (isfinite(value) && value > 0)
        sim_text_real(text, value);
    sim_text_add(text, ",");
}

static sim_status write_text(suite *s, sim_text *text)
{
    sim_status status = SIM_OK;

    if (text->failed)
        status = no_memory(s->err);
    else if (fwrite(text->data, 1, text->length, s->file) != text->length || fflush(s->file) != 0)
        status = sim_fail(s->err, SIM_IO, s->options->file, 0, "%s", strerror(errno));
    sim_text_free(text);
    return status;
}

static sim_status write_row(suite *s, const sim_gpu_case *c, const simacc_cuda_measurement *got)
{
    const simacc_cuda_kernel *kernel = c->kernel;
    sim_text text = {.allocator = s->arena->allocator};

    sim_text_printf(&text, "%s,%s,%d,%d,%lld,%lld,%lld,%lld,", s->plugin->gpu, kernel->name, kernel->w_bits,
                    kernel->a_bits, (long long)c->m, (long long)c->n, (long long)c->k, (long long)c->batch);
    add_real(&text, got->latency_us);
    add_real(&text, got->energy_mj);
    add_real(&text, got->clock_mhz);
    sim_text_printf(&text, "%s,%s,%s,%s,%s,%s\n", kernel->w_format, kernel->a_format, kernel->layout,
                    kernel->impl, regime_names[c->regime], s->source);
    return write_text(s, &text);
}

static sim_status open_file(suite *s)
{
    bool fresh;
    sim_status status = resume(s, &fresh);

    if (status != SIM_OK)
        return status;
    s->file = fopen(s->options->file, "a");
    if (!s->file)
        return sim_fail(s->err, SIM_IO, s->options->file, 0, "%s", strerror(errno));
    if (fresh) {
        sim_text text = {.allocator = s->arena->allocator};

        sim_text_add(&text, SIM_GPU_CSV_HEADER "\n");
        status = write_text(s, &text);
    }
    return status;
}

/* Where the rows come from; no commas, quotes or line breaks. */
static sim_status describe_source(suite *s)
{
    const simacc_cuda_device *device = &s->plugin->device;
    char *text = sim_arena_printf(s->arena, "simacc " SIMACC_VERSION "; %s; driver %s; CUDA %s; cap %.0f W",
                                  device->name, device->driver, device->runtime, device->power_cap_w);

    if (!text)
        return no_memory(s->err);
    for (char *c = text; *c; c++)
        if (*c == ',' || *c == '"' || (unsigned char)*c < ' ')
            *c = ' ';
    s->source = text;
    return SIM_OK;
}

/* ---- measuring -------------------------------------------------------------------------------------- */

/* How much longer cases take than estimated, from those done so far; a few are needed to tell. */
static double estimate_ratio(const suite *s)
{
    return s->predicted_s > 2 ? s->spent_s / s->predicted_s : 1;
}

static double budget_s(const suite *s)
{
    return s->options->budget_s > 0 ? s->options->budget_s : SIM_GPU_SUITE_S;
}

static bool report_progress(suite *s, const sim_gpu_plan *plan, int64_t done, double todo_s,
                            const sim_gpu_case *current, double latency_us)
{
    double elapsed_s = now_s() - s->started_s;
    double left_s = done < plan->count ? todo_s * estimate_ratio(s) : 0; /* sums leave a rounding error */
    double box_s = budget_s(s) - elapsed_s;
    sim_gpu_progress progress = {.done = done,
                                 .total = plan->count,
                                 .elapsed_s = elapsed_s,
                                 .left_s = fmax(0, fmin(left_s, box_s)),
                                 .current = current,
                                 .latency_us = latency_us};

    return !s->options->progress || s->options->progress(s->options->user, &progress);
}

/* One case. *latency_us is NaN when it was left out. */
static sim_status measure(suite *s, const sim_gpu_case *c, double *latency_us)
{
    sim_gpu_suite_report *report = s->report;
    bool unchecked = s->options->unchecked;
    simacc_cuda_request request = {.kernel = c->kernel->name,
                                   .impl = c->kernel->impl,
                                   .m = c->m,
                                   .n = c->n,
                                   .k = c->k,
                                   .batch = c->batch,
                                   .regime = c->regime,
                                   .check = c->check_only ? SIMACC_CUDA_CHECK_ONLY
                                            : unchecked   ? SIMACC_CUDA_UNCHECKED
                                                          : SIMACC_CUDA_CHECKED,
                                   .seed = 1};
    simacc_cuda_measurement got = {0};
    char text[256] = "";

    *latency_us = NAN;
    switch (s->plugin->api->measure(s->plugin->session, &request, &got, text, sizeof text)) {
    case SIMACC_CUDA_OK:
        break;
    case SIMACC_CUDA_NO_MEMORY:
        report->too_large++;
        return SIM_OK;
    case SIMACC_CUDA_UNSUPPORTED:
        report->unsupported++;
        return SIM_OK;
    case SIMACC_CUDA_WRONG_RESULT:
        report->wrong++;
        if (!report->first_wrong)
            report->first_wrong =
                sim_arena_printf(s->arena, "%s (%s), m %lld, n %lld, k %lld: %s", c->kernel->name,
                                 c->kernel->impl, (long long)c->m, (long long)c->n, (long long)c->k, text);
        return SIM_OK;
    default:
        sim_fail(s->err, SIM_MISSING, NULL, 0, "%s (%s), m %lld, n %lld, k %lld: %s", c->kernel->name,
                 c->kernel->impl, (long long)c->m, (long long)c->n, (long long)c->k, text);
        sim_hint(s->err, "what was measured is in '%s'; the same command goes on from there",
                 s->options->file);
        return SIM_MISSING;
    }
    if (got.checked > 0) {
        report->checked_shapes++;
        report->worst_error_frac = fmax(report->worst_error_frac, got.error_frac);
    }
    if (c->check_only)
        return SIM_OK;
    if (!(isfinite(got.latency_us) && got.latency_us > 0))
        return sim_fail(s->err, SIM_INTERNAL, s->plugin->path, 0,
                        "the CUDA plug-in measured no time for %s (%s)", c->kernel->name, c->kernel->impl);
    report->measured++;
    *latency_us = got.latency_us;
    return write_row(s, c, &got);
}

/* Left out: kernels that were not asked for, rows that the file has. */
static bool to_do(const suite *s, const sim_gpu_case *c)
{
    if (s->options->kernels && !sim_glob(s->options->kernels, c->kernel->name))
        return false;
    if (c->check_only)
        return !s->options->unchecked;
    return !is_known(s, c);
}

static sim_status run_plan(suite *s, const sim_gpu_plan *plan)
{
    sim_gpu_suite_report *report = s->report;
    double todo_s = 0;
    int64_t done = 0;
    sim_status status = SIM_OK;

    for (int64_t i = 0; i < plan->count; i++) {
        if (to_do(s, &plan->cases[i]))
            todo_s += plan->cases[i].cost_s;
        else
            done++;
        if (!plan->cases[i].check_only && is_known(s, &plan->cases[i]))
            report->resumed++;
    }
    report->planned = plan->count;
    if (!report_progress(s, plan, done, todo_s, NULL, NAN))
        return sim_fail(s->err, SIM_INTERRUPTED, NULL, 0, "interrupted");
    for (int64_t i = 0; i < plan->count && status == SIM_OK; i++) {
        const sim_gpu_case *c = &plan->cases[i];
        double begun_s = now_s(), latency_us;

        if (!to_do(s, c))
            continue;
        todo_s -= c->cost_s;
        /* One that no longer fits does not end the run: cheaper ones may. */
        if (begun_s - s->started_s + c->cost_s * estimate_ratio(s) > budget_s(s)) {
            report->late++;
            continue;
        }
        status = measure(s, c, &latency_us);
        s->spent_s += now_s() - begun_s;
        s->predicted_s += c->cost_s;
        if (status == SIM_OK && !report_progress(s, plan, ++done, todo_s, c, latency_us)) {
            status = sim_fail(s->err, SIM_INTERRUPTED, NULL, 0, "interrupted");
            sim_hint(s->err, "what was measured is in '%s'", s->options->file);
        }
    }
    return status;
}

sim_status sim_gpu_suite_run(const sim_gpu_plugin *plugin, const sim_gpu_suite_options *options,
                             sim_arena *arena, sim_gpu_suite_report *out, sim_err *err)
{
    suite s = {.plugin = plugin,
               .options = options,
               .arena = arena,
               .report = out,
               .err = err,
               .started_s = now_s()};
    sim_gpu_plan plan;
    sim_status status;
    int count = 0;
    const simacc_cuda_kernel *kernels = plugin->api->kernels(plugin->session, &count);

    *out = (sim_gpu_suite_report){0};
    status = sim_gpu_suite_plan(&plugin->device, kernels, count, arena, &plan, err);
    if (status == SIM_OK)
        status = describe_source(&s);
    if (status == SIM_OK)
        status = open_file(&s);
    if (status == SIM_OK)
        status = run_plan(&s, &plan);
    if (s.file && fclose(s.file) != 0 && status == SIM_OK)
        status = sim_fail(err, SIM_IO, options->file, 0, "%s", strerror(errno));
    out->elapsed_s = now_s() - s.started_s;
    return status;
}
