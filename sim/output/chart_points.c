/* Points: one row for each run, whatever file it comes from. */
#include "output/chart_data.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 512 };

static sim_status out_of_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

static bool has(const sim_frame *frame, const char *column)
{
    return sim_frame_column(frame, column) >= 0;
}

static const char *text_of(const sim_frame *frame, int64_t row, const char *column)
{
    return sim_frame_text(frame, row, sim_frame_column(frame, column));
}

static const char *number_text(double value, sim_arena *arena)
{
    sim_text number = {.length = 0};
    const char *copy = "";

    if (isfinite(value)) {
        sim_text_real(&number, value);
        copy = number.failed ? NULL : sim_arena_text(arena, number.data, number.length);
        sim_text_free(&number);
    }
    return copy ? copy : "";
}

/* ---- a run: its totals ------------------------------------------------------------------------------ */

/* The columns that a CSV of layers adds up to; a JSON answer says them all. */
static const char *const sums[] = {"macs",     "compute_cycles",  "cycles",           "latency_s",
                                   "energy_j", "dram_read_bytes", "dram_write_bytes", NULL};

static bool starts_with(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static sim_status totals_of(const sim_frame *frame, sim_arena *arena, sim_frame *out, sim_err *err)
{
    static const char *const context[] = {"arch", "workload", "policy", "phase", "batch", "tokens"};
    static const char *const sources[] = {"arch",           "workload",       "policy",
                                          "workload_phase", "workload_batch", "workload_tokens"};
    static const char totals[] = "totals_";
    const bool full = has(frame, "totals_latency_s");
    sim_chart_run *runs;
    sim_frame_draft draft;
    int run_count, count = 0;
    sim_status status = sim_chart_runs(frame, 1, "chart of totals", arena, &runs, &run_count, err);

    if (status != SIM_OK)
        return status;
    if (!sim_frame_draft_init(&draft, frame->file, 16 + frame->column_count, run_count, arena))
        return out_of_memory(err);
    for (size_t i = 0; i < sizeof context / sizeof context[0]; i++) {
        draft.columns[count] = context[i];
        for (int r = 0; r < run_count; r++)
            sim_frame_draft_set(&draft, r, count, text_of(frame, runs[r].first_row, sources[i]));
        count++;
    }
    for (int i = 0; i < frame->column_count && full; i++) {
        const char *name = frame->columns[i];

        if (!starts_with(name, totals) || has(&draft.frame, name + strlen(totals)))
            continue;
        draft.columns[count] = name + strlen(totals);
        for (int r = 0; r < run_count; r++)
            sim_frame_draft_set(&draft, r, count, sim_frame_text(frame, runs[r].first_row, i));
        count++;
    }
    for (int i = 0; sums[i] && !full; i++) {
        const int column = sim_frame_column(frame, sums[i]);

        draft.columns[count] = sums[i];
        for (int r = 0; r < run_count; r++) {
            double sum = 0.0;

            for (int64_t l = 0; l < runs[r].layer_count; l++) {
                double value;

                if (!sim_frame_real(frame, runs[r].first_row + l, column, &value))
                    value = NAN;
                sum += value * runs[r].layers[l].repeat;
            }
            sim_frame_draft_set(&draft, r, count, number_text(sum, arena));
        }
        count++;
    }
    draft.columns[count] = "file";
    for (int r = 0; r < run_count; r++)
        sim_frame_draft_set(&draft, r, count, sim_chart_stem(frame->file, arena));
    /* Columns left over stay nameless; the union passes them by. */
    *out = draft.frame;
    return SIM_OK;
}

/* ---- a table of costs: sums over its layers --------------------------------------------------------- */

typedef struct precision {
    int64_t first_row;
    double sum[5];
} precision;

enum { TABLE_KEYS = 5 };

/* The precision that a row is of; `count` for a new one. Rows of a layer come in the same order as those of
 * the layer before: the search starts behind the last one found. */
static int find_precision(const sim_frame *frame, int64_t row, const int columns[TABLE_KEYS],
                          const precision *list, int count, int *guess)
{
    for (int n = 0; n < count; n++) {
        const int at = (*guess + n) % count;
        bool same = true;

        for (int k = 0; k < TABLE_KEYS && same; k++)
            same = strcmp(sim_frame_text(frame, row, columns[k]),
                          sim_frame_text(frame, list[at].first_row, columns[k])) == 0;
        if (same) {
            *guess = at + 1;
            return at;
        }
    }
    return count;
}

static sim_status sums_of_table(const sim_frame *frame, sim_arena *arena, sim_frame *out, sim_err *err)
{
    static const char *const keys[TABLE_KEYS] = {"w_bits", "a_bits", "kv_bits", "arch", "workload"};
    static const char *const summed[] = {"cycles", "latency_s", "energy_j", "weight_bytes", "macs"};
    enum { KEYS = TABLE_KEYS, SUMS = sizeof summed / sizeof summed[0], MOST = 16 * 16 * 16 };
    precision *list = sim_arena_alloc(arena, MOST, sizeof *list);
    const int repeat = sim_frame_column(frame, "repeat");
    int columns[KEYS], count = 0, guess = 0;
    sim_frame_draft draft;

    if (!list)
        return out_of_memory(err);
    for (int k = 0; k < KEYS; k++)
        columns[k] = sim_frame_column(frame, keys[k]);
    for (int64_t row = 0; row < frame->row_count; row++) {
        double times, value;
        const int at = find_precision(frame, row, columns, list, count, &guess);

        if (at == count) {
            if (count == MOST)
                return sim_fail(err, SIM_BAD_INPUT, frame->file, sim_frame_line(frame, row),
                                "more than %d precisions", (int)MOST);
            list[count++] = (precision){.first_row = row};
        }
        if (!sim_frame_real(frame, row, repeat, &times))
            return sim_fail(err, SIM_BAD_INPUT, frame->file, sim_frame_line(frame, row),
                            "column 'repeat': '%s' is not a number", sim_frame_text(frame, row, repeat));
        for (int s = 0; s < SUMS; s++) {
            const int column = sim_frame_column(frame, summed[s]);

            if (!sim_frame_real(frame, row, column, &value))
                return sim_fail(err, SIM_BAD_INPUT, frame->file, sim_frame_line(frame, row),
                                "column '%s': '%s' is not a number", summed[s],
                                sim_frame_text(frame, row, column));
            /* An empty cell is a layer that cannot run at these bits: neither can the whole. */
            list[at].sum[s] += value * (isnan(times) ? 1.0 : times);
        }
    }
    if (!sim_frame_draft_init(&draft, frame->file, KEYS + SUMS + 1, count, arena))
        return out_of_memory(err);
    for (int k = 0; k < KEYS; k++)
        draft.columns[k] = keys[k];
    for (int s = 0; s < SUMS; s++)
        draft.columns[KEYS + s] = summed[s];
    draft.columns[KEYS + SUMS] = "policy";
    for (int i = 0; i < count; i++) {
        const char *kv = text_of(frame, list[i].first_row, "kv_bits");
        const char *policy =
            sim_arena_printf(arena, "w%sa%s%s%s", text_of(frame, list[i].first_row, "w_bits"),
                             text_of(frame, list[i].first_row, "a_bits"), *kv ? "kv" : "", kv);

        for (int k = 0; k < KEYS; k++)
            sim_frame_draft_set(&draft, i, k, text_of(frame, list[i].first_row, keys[k]));
        for (int s = 0; s < SUMS; s++)
            sim_frame_draft_set(&draft, i, KEYS + s, number_text(list[i].sum[s], arena));
        sim_frame_draft_set(&draft, i, KEYS + SUMS, policy ? policy : "");
    }
    *out = draft.frame;
    return SIM_OK;
}

/* ---- all together ----------------------------------------------------------------------------------- */

static sim_status points_of(const sim_frame *frame, const char *what, sim_arena *arena, sim_frame *out,
                            sim_err *err)
{
    static const char *const needed[] = {"latency_s", NULL};

    if (has(frame, "name") && has(frame, "repeat"))
        return totals_of(frame, arena, out, err);
    if (has(frame, "layer") && has(frame, "w_bits") && has(frame, "a_bits") && has(frame, "repeat"))
        return sums_of_table(frame, arena, out, err);
    if (has(frame, "latency_us")) /* a calibration's rows are no points of a design */
        return sim_chart_need(frame, needed, what, err);
    *out = *frame;
    return SIM_OK;
}

sim_status sim_chart_points(const sim_frame *frames, int frame_count, const char *what, sim_arena *arena,
                            sim_frame *out, sim_err *err)
{
    sim_frame *parts = sim_arena_alloc(arena, (size_t)frame_count, sizeof *parts);
    const char **names = sim_arena_alloc(arena, COLUMNS_MAX, sizeof *names);
    int count = 0;
    int64_t rows = 0;
    sim_frame_draft draft;
    int *lines;

    if (!parts || !names)
        return out_of_memory(err);
    for (int f = 0; f < frame_count; f++)
        points_of(&frames[f], what, arena, &parts[f], err);
    if (err->count > 0)
        return sim_err_status(err);
    for (int f = 0; f < frame_count; f++) {
        rows += parts[f].row_count;
        for (int c = 0; c < parts[f].column_count; c++) {
            int at = 0;

            while (at < count && strcmp(names[at], parts[f].columns[c]) != 0)
                at++;
            if (at < count || !*parts[f].columns[c])
                continue;
            if (count == COLUMNS_MAX)
                return sim_fail(err, SIM_BAD_INPUT, frames[f].file, 1, "more than %d columns", COLUMNS_MAX);
            names[count++] = parts[f].columns[c];
        }
    }
    if (rows == 0)
        return sim_fail(err, SIM_BAD_INPUT, frames[0].file, 0, "holds no points");
    if (frame_count == 1) {
        *out = parts[0];
        return SIM_OK;
    }
    lines = sim_arena_alloc(arena, (size_t)rows, sizeof *lines);
    if (!lines || !sim_frame_draft_init(&draft, frames[0].file, count, rows, arena))
        return out_of_memory(err);
    memcpy(draft.columns, names, (size_t)count * sizeof *names);
    rows = 0;
    for (int f = 0; f < frame_count; f++) {
        for (int c = 0; c < parts[f].column_count; c++) {
            const int at = *parts[f].columns[c] ? sim_frame_column(&draft.frame, parts[f].columns[c]) : -1;

            for (int64_t r = 0; r < parts[f].row_count && at >= 0; r++)
                sim_frame_draft_set(&draft, rows + r, at, sim_frame_text(&parts[f], r, c));
        }
        for (int64_t r = 0; r < parts[f].row_count; r++)
            lines[rows + r] = sim_frame_line(&parts[f], r);
        rows += parts[f].row_count;
    }
    draft.frame.lines = lines;
    *out = draft.frame;
    return SIM_OK;
}
