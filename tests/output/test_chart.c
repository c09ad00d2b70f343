/* Charts as laid out: nothing beyond the sheet, no words upon words, the same picture at every size; and the
 * arithmetic behind them against brute force. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explore/chart_source.h"
#include "output/chart.h"
#include "output/chart_canvas.h"
#include "reference/failing.h"
#include "reference/random.h"

static sim_arena arena;

static void setup(void)
{
    sim_arena_init(&arena, NULL);
}

static void teardown(void)
{
    sim_arena_free(&arena);
}

TestSuite(chart, .init = setup, .fini = teardown);

/* ---- charts of the committed files ------------------------------------------------------------------------
 */

typedef struct chart_case {
    sim_chart_kind kind;
    const char *files[4]; /* below tests/data/charts */
} chart_case;

static const chart_case cases[] = {
    {SIM_CHART_ROOFLINE, {"decode_w4a8.csv", "prefill_w8a8.csv"}},
    {SIM_CHART_ROOFLINE, {"decode_w4a8.csv"}},
    {SIM_CHART_BREAKDOWN, {"decode_w4a8.csv"}},
    {SIM_CHART_BREAKDOWN, {"decode_w4a8.csv", "prefill_w8a8.csv"}},
    {SIM_CHART_BITS, {"decode_w4a8.csv"}},
    {SIM_CHART_HEATMAP, {"table.csv"}},
    {SIM_CHART_PARETO, {"points.csv"}},
    {SIM_CHART_PARETO, {"table.csv", "decode_w4a8.csv", "batch4.json"}},
    {SIM_CHART_SCALING, {"points.csv"}},
    {SIM_CHART_SCALING, {"batch1.json", "batch4.json", "batch16.json"}},
    {SIM_CHART_SPEEDUP, {"decode_w4a8.csv", "prefill_w8a8.csv"}},
    {SIM_CHART_SPEEDUP, {"points.csv"}},
    {SIM_CHART_CALIBRATION, {"rows.csv"}},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static int open_files(const chart_case *c, sim_frame frames[4])
{
    sim_err err = {0};
    int count = 0;

    for (; count < 4 && c->files[count]; count++) {
        char *path = sim_arena_printf(&arena, "%s/tests/data/charts/%s", SIMACC_SOURCE_DIR, c->files[count]);

        cr_assert_eq(sim_chart_source_open(path, &arena, &frames[count], &err), SIM_OK, "%s",
                     err.items[0].text);
    }
    return count;
}

/* The laid-out chart as a frame of its own. */
static sim_frame lay_out(const chart_case *c, int width_px, int height_px, bool text)
{
    const sim_chart_options options = {.width_px = width_px, .height_px = height_px, .text = text};
    sim_frame frames[4], out = {0};
    sim_text csv = {.length = 0};
    sim_err err = {0};
    const int count = open_files(c, frames);

    cr_assert_eq(sim_chart(c->kind, frames, count, &options, &arena, &csv, &err), SIM_OK, "%s: %s",
                 sim_chart_names[c->kind], err.items[0].text);
    cr_assert_eq(sim_chart_source_text(csv.data, csv.length, "chart", &arena, &out, &err), SIM_OK, "%s",
                 err.items[0].text);
    sim_text_free(&csv);
    return out;
}

static double number(const sim_frame *f, int64_t row, const char *column)
{
    double value;

    cr_assert(sim_frame_real(f, row, sim_frame_column(f, column), &value));
    return value;
}

static const char *cell(const sim_frame *f, int64_t row, const char *column)
{
    return sim_frame_text(f, row, sim_frame_column(f, column));
}

/* The words of a row as they are drawn: percent-encoding undone. */
static const char *words(const sim_frame *f, int64_t row)
{
    const char *from = cell(f, row, "text");
    char *copy = sim_arena_text(&arena, from, strlen(from)), *to = copy;

    for (const char *p = from; *p; p++) {
        const char hex[] = {p[0] == '%' ? p[1] : '\0', p[0] == '%' ? p[2] : '\0', '\0'};

        *to++ = *p == '%' ? (char)strtol(hex, NULL, 16) : *p;
        p += *p == '%' ? 2 : 0;
    }
    *to = '\0';
    return copy;
}

static bool is(const sim_frame *f, int64_t row, const char *part)
{
    return strcmp(cell(f, row, "part"), part) == 0;
}

/* Where the words of a row lie, in units. Words that stand upright are wide as a line. */
static sim_box box_of_words(const sim_canvas *canvas, const sim_frame *f, int64_t row)
{
    const double scale = strcmp(cell(f, row, "series"), "-1") == 0 && !canvas->text ? 1.3 : 1.0;
    const double width = scale * sim_canvas_width_of(canvas, words(f, row)), half = canvas->line * 0.4;
    const double x = number(f, row, "x") * (canvas->text ? canvas->width - 1 : canvas->width);
    const double y = number(f, row, "y") * (canvas->text ? canvas->height - 1 : canvas->height);
    const double align = number(f, row, "x2"), turned = number(f, row, "y2");
    const double before = align < 0 ? 0.0 : align > 0 ? width : width / 2.0;
    const double c = cos(turned * 3.14159265358979 / 180), s = sin(turned * 3.14159265358979 / 180);
    const double x1 = x - before * c, x2 = x1 + width * c, y1 = y - before * s, y2 = y1 + width * s;

    if (canvas->text)
        return (sim_box){x, y, x + width - 1, y};
    return (sim_box){x1 - half * s, y1 - half * c, x2 + half * s, y2 + half * c};
}

static sim_canvas sheet_of(const sim_frame *f, bool text)
{
    sim_text out = {.length = 0};
    sim_canvas canvas;

    cr_assert(is(f, 0, "size"));
    sim_canvas_init(&canvas, &out, &arena, text, (int)number(f, 0, "x"),
                    number(f, 0, "y") / (text ? 1.0 : number(f, 0, "x2")));
    sim_text_free(&out);
    return canvas;
}

/* The labels of an x axis, which are centred at their ticks. */
static void check_ticks(const chart_case *c, const sim_frame *f, const sim_canvas *canvas)
{
    double left = 0, right = 0, from = 0, to = 0;
    bool is_log = false;

    for (int64_t r = 0; r < f->row_count; r++) {
        double at, half;

        if (is(f, r, "panel")) {
            left = number(f, r, "x") * canvas->width;
            right = number(f, r, "x2") * canvas->width;
        } else if (is(f, r, "x_axis")) {
            from = number(f, r, "x");
            to = number(f, r, "x2");
            is_log = strcmp(cell(f, r, "text"), "log") == 0;
        } else if (is(f, r, "x_tick")) {
            at = number(f, r, "x");
            at = is_log ? log(at / from) / log(to / from) : (at - from) / (to - from);
            half = sim_canvas_width_of(canvas, words(f, r)) / 2.0;
            at = left + at * (right - left);
            cr_assert(at - half >= -2.0 && at + half <= canvas->width + 2.0, "%s: tick '%s' leaves the sheet",
                      sim_chart_names[c->kind], words(f, r));
        }
    }
}

static void check_inside(const chart_case *c, const sim_frame *f, bool text)
{
    const sim_canvas canvas = sheet_of(f, text);
    const double edge = text ? 0.2 : 1.0;

    check_ticks(c, f, &canvas);
    for (int64_t r = 1; r < f->row_count; r++) {
        const char *part = cell(f, r, "part");

        if (strcmp(part, "words") == 0) {
            const sim_box box = box_of_words(&canvas, f, r);

            cr_assert(box.x >= -edge && box.y >= -edge && box.x2 <= canvas.width + edge &&
                          box.y2 <= canvas.height + edge,
                      "%s: '%s' at %g..%g, %g..%g leaves the sheet %g x %g", sim_chart_names[c->kind],
                      cell(f, r, "text"), box.x, box.x2, box.y, box.y2, canvas.width, canvas.height);
        } else if (strcmp(part, "box") == 0 || strcmp(part, "panel") == 0) {
            cr_assert(number(f, r, "x") >= 0 && number(f, r, "x2") <= 1.001 && number(f, r, "y") >= 0 &&
                          number(f, r, "y2") <= 1.001,
                      "%s: a %s leaves the sheet", sim_chart_names[c->kind], part);
            cr_assert_leq(number(f, r, "x"), number(f, r, "x2"));
            cr_assert_leq(number(f, r, "y"), number(f, r, "y2"));
        }
    }
}

Test(chart, nothing_leaves_the_sheet)
{
    for (int i = 0; i < CASES; i++) {
        sim_frame f = lay_out(&cases[i], 800, 0, false);

        check_inside(&cases[i], &f, false);
        f = lay_out(&cases[i], 1200, 500, false);
        check_inside(&cases[i], &f, false);
        f = lay_out(&cases[i], 100, 0, true);
        check_inside(&cases[i], &f, true);
        f = lay_out(&cases[i], 60, 0, true);
        check_inside(&cases[i], &f, true);
    }
}

/* Words in pictures of ordinary size; tiles of a heatmap have theirs upon boxes, which is meant. */
Test(chart, no_words_upon_words)
{
    for (int i = 0; i < CASES; i++) {
        const sim_frame f = lay_out(&cases[i], 800, 0, false);
        const sim_canvas canvas = sheet_of(&f, false);

        for (int64_t a = 0; a < f.row_count; a++)
            for (int64_t b = a + 1; b < f.row_count; b++) {
                sim_box p, q;

                if (!is(&f, a, "words") || !is(&f, b, "words") || fmod(number(&f, a, "y2"), 90) != 0 ||
                    fmod(number(&f, b, "y2"), 90) != 0)
                    continue;
                p = box_of_words(&canvas, &f, a);
                q = box_of_words(&canvas, &f, b);
                cr_assert_not(p.x < q.x2 && q.x < p.x2 && p.y < q.y2 && q.y < p.y2, "%s: '%s' upon '%s'",
                              sim_chart_names[cases[i].kind], cell(&f, b, "text"), cell(&f, a, "text"));
            }
    }
}

Test(chart, points_and_ticks_lie_on_their_axes)
{
    for (int i = 0; i < CASES; i++) {
        const sim_frame f = lay_out(&cases[i], 800, 0, false);

        for (int64_t r = 0; r < f.row_count; r++) {
            const bool x_axis = is(&f, r, "x_axis");

            if (!x_axis && !is(&f, r, "y_axis"))
                continue;
            cr_assert_lt(number(&f, r, "x"), number(&f, r, "x2"));
            for (int64_t p = 0; p < f.row_count; p++) {
                double at = NAN;

                if (number(&f, p, "panel") != number(&f, r, "panel"))
                    continue;
                if (is(&f, p, "point") || is(&f, p, "cloud"))
                    at = number(&f, p, x_axis ? "x" : "y");
                else if (is(&f, p, x_axis ? "x_tick" : "y_tick"))
                    at = number(&f, p, "x");
                if (!isnan(at))
                    cr_assert(at >= number(&f, r, "x") * (1 - 1e-6) - 1e-12 &&
                                  at <= number(&f, r, "x2") * (1 + 1e-6) + 1e-12,
                              "%s: %s at %g", sim_chart_names[cases[i].kind], cell(&f, p, "part"), at);
            }
        }
    }
}

/* A picture of twice the pixels differs in its size alone. */
Test(chart, larger_is_the_same_picture)
{
    for (int i = 0; i < CASES; i++) {
        const sim_frame one = lay_out(&cases[i], 800, 0, false), two = lay_out(&cases[i], 1600, 0, false);

        cr_assert_eq(one.row_count, two.row_count);
        cr_assert_eq(number(&two, 0, "x"), 1600);
        cr_assert_float_eq(number(&two, 0, "y"), 2 * number(&one, 0, "y"), 1.0);
        for (int64_t r = 1; r < one.row_count; r++)
            for (int c = 0; c < one.column_count; c++)
                cr_assert_str_eq(sim_frame_text(&one, r, c), sim_frame_text(&two, r, c));
    }
}

Test(chart, survives_every_failing_allocation)
{
    for (int i = 0; i < CASES; i++) {
        const sim_chart_options options = {.width_px = 800};
        sim_frame frames[4];
        const int count = open_files(&cases[i], frames);

        for (long n = 1;; n += 1 + n / 20) {
            failing state = {.fail_at = n, .for_good = true};
            sim_text csv = {.allocator = failing_allocator(&state)};
            sim_err err = {0};
            sim_arena own;
            sim_status status;

            sim_arena_init(&own, &csv.allocator);
            own.block_bytes = 1;
            status = sim_chart(cases[i].kind, frames, count, &options, &own, &csv, &err);
            sim_arena_free(&own);
            sim_text_free(&csv);
            cr_assert_eq(state.live, 0);
            if (state.calls < state.fail_at) {
                cr_assert_eq(status, SIM_OK);
                break;
            }
            cr_assert_eq(status, SIM_NO_MEMORY, "%s hides that allocation %ld failed",
                         sim_chart_names[cases[i].kind], n);
        }
    }
}

/* ---- the front
 * --------------------------------------------------------------------------------------------- */

Test(chart, front_is_what_brute_force_finds)
{
    for (int round = 0; round < 40; round++) {
        ref_random random = {(uint64_t)round};
        const int count = (int)ref_random_int(&random, 1, 60);
        const sim_chart_options options = {.width_px = 800, .y = round % 2 ? "tokens_per_s" : "energy_j"};
        const double sign = round % 2 ? -1 : 1;
        double x[60], y[60];
        sim_text csv = {.length = 0}, out = {.length = 0};
        sim_frame frame, chart;
        sim_err err = {0};
        int best = 0, drawn = 0;

        sim_text_printf(&csv, "policy,latency_s,%s\n", options.y);
        for (int i = 0; i < count; i++) {
            x[i] = (double)ref_random_int(&random, 1, 30); /* few values: equal ones happen */
            y[i] = (double)ref_random_int(&random, 1, 30);
            sim_text_printf(&csv, "p%d,%g,%g\n", i, x[i], y[i]);
        }
        for (int i = 0; i < count; i++) {
            bool beaten = false;

            for (int j = 0; j < count && !beaten; j++)
                beaten = x[j] <= x[i] && sign * y[j] <= sign * y[i] &&
                         (x[j] < x[i] || sign * y[j] < sign * y[i] || j < i);
            best += !beaten;
        }
        cr_assert_eq(sim_chart_source_text(csv.data, csv.length, "p", &arena, &frame, &err), SIM_OK);
        cr_assert_eq(sim_chart(SIM_CHART_PARETO, &frame, 1, &options, &arena, &out, &err), SIM_OK);
        cr_assert_eq(sim_chart_source_text(out.data, out.length, "c", &arena, &chart, &err), SIM_OK);
        for (int64_t r = 0; r < chart.row_count; r++)
            drawn += is(&chart, r, "point");
        cr_assert_eq(drawn, best, "round %d: %d on the front, not %d", round, drawn, best);
        sim_text_free(&csv);
        sim_text_free(&out);
    }
}

/* ---- words and axes
 * ---------------------------------------------------------------------------------------- */

Test(chart, words_are_cut_in_the_middle_and_stay_utf8)
{
    static const char *const names[] = {"layers.0-31.self_attn.q_proj.weight", "ééééééééééééééééééé",
                                        "层层层层层层层层层层层层层层", "a", ""};
    sim_text out = {.length = 0};
    sim_canvas canvas;

    for (int text = 0; text < 2; text++) {
        sim_canvas_init(&canvas, &out, &arena, text, 800, 400);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            for (double width = text ? 2 : 20; width < 260; width += 3) {
                const char *cut = sim_canvas_fit(&canvas, names[i], width);
                const double full = sim_canvas_width_of(&canvas, names[i]);

                cr_assert(sim_canvas_width_of(&canvas, cut) <= width || strcmp(cut, names[i]) == 0);
                cr_assert((full <= width) == (strcmp(cut, names[i]) == 0), "'%s' at %g: '%s'", names[i],
                          width, cut);
                for (const char *p = cut; *p; p++) /* no continuation byte without its start */
                    if ((*p & 0xc0) == 0x80)
                        cr_assert(p > cut && (p[-1] & 0x80));
            }
    }
    sim_text_free(&out);
}

Test(chart, numbers_for_people)
{
    static const struct {
        double value;
        const char *unit, *text;
    } wanted[] = {{0, "s", "0 s"},
                  {0.16, "s", "160 ms"},
                  {1.5e9, "MAC/s", "1.50 GMAC/s"},
                  {25.6e9, "B/s", "25.6 GB/s"},
                  {42, "", "42"},
                  {6260, "tokens/s", "6.26 k tokens/s"},
                  {12.34, "%", "12.3%"},
                  {999.7, "J", "1.00 kJ"},
                  {3, "bits", "3 bits"},
                  {2.5e-6, "s", "2.50 µs"},
                  {-0.002, "J", "-2.00 mJ"},
                  {1234.5, "mm2", "1234 mm²"}};
    sim_text out = {.length = 0};
    sim_canvas canvas;

    sim_canvas_init(&canvas, &out, &arena, false, 800, 400);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        cr_expect_str_eq(sim_canvas_number(&canvas, wanted[i].value, wanted[i].unit), wanted[i].text);
    sim_text_free(&out);
}

/* Every range has at least two ticks, in order, all different, none beyond the axis. */
Test(chart, axes_have_ticks)
{
    ref_random random = {7};

    for (int round = 0; round < 2000; round++) {
        const double lo = pow(10, (double)ref_random_int(&random, -1200, 900) / 100.0);
        const double hi = lo * pow(10, (double)ref_random_int(&random, 1, 900) / 100.0);
        const sim_axis axis =
            round % 2 ? sim_axis_log("", "s", lo, hi) : sim_axis_linear("", "s", lo, hi, round % 4 == 0);
        const sim_axis other = sim_axis_linear("", "", 0, 1, true);
        sim_text out = {.length = 0};
        sim_canvas canvas;
        sim_frame f;
        sim_err err = {0};
        int ticks = 0;
        double last = -INFINITY;
        const char *last_text = "";

        sim_canvas_init(&canvas, &out, &arena, false, 800, 400);
        sim_canvas_panel(&canvas, (sim_box){80, 50, 780, 380}, axis, other);
        cr_assert_eq(sim_chart_source_text(out.data, out.length, "axis", &arena, &f, &err), SIM_OK);
        cr_assert(axis.from <= lo * (1 + 1e-9) && axis.to >= hi * (1 - 1e-9));
        for (int64_t r = 0; r < f.row_count; r++)
            if (is(&f, r, "x_tick")) {
                cr_assert_gt(number(&f, r, "x"), last);
                cr_assert_str_neq(cell(&f, r, "text"), last_text, "%g..%g: twice '%s'", lo, hi, last_text);
                last = number(&f, r, "x");
                last_text = cell(&f, r, "text");
                ticks++;
            }
        cr_assert_geq(ticks, 2, "%g..%g, %s", lo, hi, round % 2 ? "log" : "linear");
        cr_assert_leq(ticks, 24);
        sim_text_free(&out);
    }
}
