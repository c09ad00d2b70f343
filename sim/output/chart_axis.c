/* Axes: ranges that end at round numbers, ticks, units with SI prefixes. */
#include "output/chart_canvas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TICK_SIZE = 48, LABEL_GAP = 6 };

/* ---- units ------------------------------------------------------------------------------------------ */

static const char *const prefixes[] = {"f", "p", "n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
enum { PREFIX_NONE = 5, PREFIX_LAST = 11 };

/* Percentages, bits and units that already have a prefix stand as they are. */
static bool takes_prefix(const char *unit)
{
    static const char *const fixed[] = {"%",   "bits", "mm2", "MHz", "KiB", "MiB",
                                        "GiB", "GB/s", "nm",  "x",   NULL};

    for (int i = 0; fixed[i]; i++)
        if (strcmp(unit, fixed[i]) == 0)
            return false;
    return true;
}

/* "GMAC/s", "ms", but "k tokens/s". */
static const char *joint(const char *unit)
{
    return unit[0] == '\0' || unit[1] == '\0' || (unit[0] >= 'A' && unit[0] <= 'Z') ? "" : " ";
}

/* As it is written: a square needs no ASCII in a picture. */
static const char *written(const sim_canvas *canvas, const char *unit)
{
    return strcmp(unit, "mm2") == 0 && !canvas->text ? "mm²" : unit;
}

static int prefix_of(double magnitude, const char *unit)
{
    int p = PREFIX_NONE;

    if (!takes_prefix(unit) || !(magnitude > 0.0))
        return PREFIX_NONE;
    while (magnitude >= 999.5 && p < PREFIX_LAST) {
        magnitude /= 1000.0;
        p++;
    }
    while (magnitude < 0.9995 && p > 0 && *unit) {
        magnitude *= 1000.0;
        p--;
    }
    return p;
}

static const char *prefix_text(const sim_canvas *canvas, int p)
{
    return p == 3 && !canvas->text ? "µ" : prefixes[p];
}

static void point_only(char *number)
{
    for (; *number; number++)
        if (!strchr("+-0123456789e", *number))
            *number = '.';
}

const char *sim_canvas_number(const sim_canvas *canvas, double value, const char *unit)
{
    const int p = prefix_of(fabs(value), unit);
    const double scaled = value / pow(1000.0, p - PREFIX_NONE), magnitude = fabs(scaled);
    const bool whole = p == PREFIX_NONE && magnitude == floor(magnitude) && magnitude < 1e6;
    const bool tight = *unit == '%' || *unit == 'x';
    char number[TICK_SIZE];
    const char *text;

    if (magnitude > 0 && (magnitude < 0.00995 || magnitude >= 1e6))
        snprintf(number, sizeof number, "%.2e", scaled);
    else
        snprintf(number, sizeof number, "%.*f",
                 whole               ? 0
                 : magnitude < 9.995 ? 2
                 : magnitude < 99.95 ? 1
                                     : 0,
                 scaled);
    point_only(number);
    text = sim_arena_printf(canvas->arena, "%s%s%s%s%s", number,
                            tight || (!*unit && p == PREFIX_NONE) ? "" : " ", prefix_text(canvas, p),
                            p == PREFIX_NONE || !*unit ? "" : joint(unit), written(canvas, unit));
    return text ? text : "";
}

/* ---- ranges ----------------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten: the least that is at least `step`. */
static double round_step(double step)
{
    const double power = pow(10.0, floor(log10(step)));
    const double lead = step / power;

    return power * (lead <= 1.0 + 1e-9 ? 1.0 : lead <= 2.0 + 1e-9 ? 2.0 : lead <= 5.0 + 1e-9 ? 5.0 : 10.0);
}

sim_axis sim_axis_linear(const char *label, const char *unit, double lo, double hi, bool zero)
{
    sim_axis axis = {.label = label, .unit = unit};
    double step;

    if (!(lo <= hi)) {
        lo = 0.0;
        hi = 1.0;
    }
    if (zero) {
        lo = fmin(lo, 0.0);
        hi = fmax(hi, 0.0);
    }
    if (lo == hi) {
        const double around = lo != 0.0 ? fabs(lo) * 0.5 : 1.0;

        lo -= zero ? 0.0 : around;
        hi += around;
    }
    step = round_step((hi - lo) / 5.0);
    axis.from = zero && lo == 0.0 ? 0.0 : lo - (hi - lo) * 0.04;
    axis.to = hi + (hi - lo) * 0.04;
    if (ceil(hi / step) * step - hi <= 0.08 * (hi - lo))
        axis.to = fmax(axis.to, ceil(hi / step) * step);
    axis.prefix = pow(1000.0, prefix_of(fmax(fabs(lo), fabs(hi)), unit) - PREFIX_NONE);
    return axis;
}

sim_axis sim_axis_log(const char *label, const char *unit, double lo, double hi)
{
    const double margin = pow(hi / lo, 0.04);

    return (sim_axis){.label = label,
                      .unit = unit,
                      .log = true,
                      .from = lo / fmax(margin, 1.15),
                      .to = hi * fmax(margin, 1.15),
                      .prefix = 1.0};
}

sim_axis sim_axis_choose(const char *label, const char *unit, double lo, double hi)
{
    return lo > 0.0 && hi / lo > 30.0 ? sim_axis_log(label, unit, lo, hi)
                                      : sim_axis_linear(label, unit, lo, hi, lo >= 0.0 && lo < 0.5 * hi);
}

/* ---- ticks ------------------------------------------------------------------------------------------ */

typedef struct tick {
    double at;
    const char *text;
} tick;

enum { TICKS_MAX = 24 };

static int linear_ticks(const sim_canvas *canvas, const sim_axis *axis, int most, tick ticks[TICKS_MAX])
{
    const double least = (axis->to - axis->from) / most;
    const double step =
        strcmp(axis->unit, "bits") == 0 ? fmax(1.0, pow(2.0, ceil(log2(least)))) : round_step(least);
    const double shown = step / axis->prefix, first = ceil(axis->from / step - 1e-9);
    const int digits = shown >= 1.0 ? 0 : (int)fmin(12.0, ceil(-log10(shown) - 1e-9));
    int count = 0;

    for (int i = 0; i < TICKS_MAX && (first + i) * step <= axis->to + step * 1e-9; i++) {
        char number[TICK_SIZE];

        snprintf(number, sizeof number, "%.*f", digits, (first + i) * step / axis->prefix + 0.0);
        point_only(number);
        ticks[count].at = (first + i) * step;
        ticks[count].text = sim_arena_printf(canvas->arena, "%s", number);
        count += ticks[count].text != NULL;
    }
    return count;
}

/* Less than a decade has ticks as a linear axis has, where they lie. */
static int short_log_ticks(const sim_canvas *canvas, const sim_axis *axis, int most, tick ticks[TICKS_MAX])
{
    double step = round_step((axis->to - axis->from) / most), first;
    int count = 0;

    while (floor(axis->to / step) - ceil(axis->from / step) < 1.0)
        step = round_step(step * 0.45);
    first = ceil(axis->from / step - 1e-9);
    while (count < TICKS_MAX && (first + count) * step <= axis->to * (1 + 1e-9)) {
        ticks[count].at = (first + count) * step;
        ticks[count].text = sim_canvas_number(canvas, ticks[count].at, axis->unit);
        count++;
    }
    return count;
}

static int log_ticks(const sim_canvas *canvas, const sim_axis *axis, int most, tick ticks[TICKS_MAX])
{
    static const double few[] = {1.0}, some[] = {1.0, 3.0}, many[] = {1.0, 2.0, 5.0};
    const double decades = log10(axis->to / axis->from);
    const double *leads = decades * 3.0 <= most ? many : decades * 2.0 <= most ? some : few;
    const int lead_count = leads == many ? 3 : leads == some ? 2 : 1;
    const int every = leads == few ? (int)fmax(1.0, ceil(decades / most)) : 1;
    int count = 0;

    if (decades < 0.8)
        return short_log_ticks(canvas, axis, most < 5 ? most : 5, ticks);
    for (int power = (int)floor(log10(axis->from)); power <= (int)ceil(log10(axis->to)); power++)
        for (int i = 0; i < lead_count && count < TICKS_MAX; i++) {
            const double at = leads[i] * pow(10.0, power);
            const char *text;

            if (at < axis->from * (1 - 1e-9) || at > axis->to * (1 + 1e-9) || power % every != 0)
                continue;
            text = sim_canvas_number(canvas, at, axis->unit);
            /* "10 GMAC/s" at every tick is too much: the unit then stands in the label alone. "1.00" is "1".
             */
            ticks[count].at = at;
            ticks[count++].text = text;
        }
    return count;
}

/* A tick of a log axis has one digit: "1.00 ms" becomes "1 ms", "0.30" becomes "0.3". */
static const char *without_zeros(const sim_canvas *canvas, const char *text)
{
    const char *point = strchr(text, '.'), *end, *kept;

    if (!point)
        return text;
    end = kept = point + 1 + strspn(point + 1, "0123456789");
    if (*end == 'e')
        return text;
    while (kept[-1] == '0')
        kept--;
    if (kept - 1 == point)
        kept = point;
    text = sim_arena_printf(canvas->arena, "%.*s%s", (int)(kept - text), text, end);
    return text ? text : "";
}

/* The unit of a log axis stands at the ticks when it is short, else in the label with the ticks' prefixes. */
static bool unit_at_ticks(const sim_axis *axis)
{
    return axis->log && strlen(axis->unit) <= 1;
}

static int ticks_of(const sim_canvas *canvas, const sim_axis *axis, int most, tick ticks[TICKS_MAX])
{
    sim_axis bare = *axis;
    int count;

    if (axis->no_ticks || axis->own_ticks)
        return 0;
    if (!axis->log)
        return linear_ticks(canvas, axis, most, ticks);
    if (!unit_at_ticks(axis) && takes_prefix(axis->unit))
        bare.unit = "";
    count = log_ticks(canvas, &bare, most, ticks);
    for (int i = 0; i < count; i++)
        ticks[i].text = without_zeros(canvas, ticks[i].text);
    return count;
}

const char *sim_axis_words(const sim_canvas *canvas, const sim_axis *axis)
{
    const int p = axis->log ? PREFIX_NONE : prefix_of(axis->prefix, axis->unit);
    const char *text;

    if (!*axis->label || unit_at_ticks(axis) || (!*axis->unit && p == PREFIX_NONE))
        return axis->label;
    text = sim_arena_printf(canvas->arena, "%s (%s%s%s)", axis->label, prefix_text(canvas, p),
                            p == PREFIX_NONE || !*axis->unit ? "" : joint(axis->unit),
                            written(canvas, axis->unit));
    return text ? text : "";
}

/* ---- panels ----------------------------------------------------------------------------------------- */

static int most_y(const sim_canvas *canvas, double height)
{
    return (int)fmax(2.0, fmin(8.0, height / (canvas->line * 2.4)));
}

static int most_x(const sim_canvas *canvas, double width)
{
    return (int)fmax(2.0, fmin(10.0, width / (canvas->text ? 12.0 : 62.0)));
}

double sim_canvas_room_left(const sim_canvas *canvas, const sim_axis *y, double height)
{
    tick ticks[TICKS_MAX];
    const int count = ticks_of(canvas, y, most_y(canvas, height), ticks);
    double widest = 0.0;

    for (int i = 0; i < count; i++)
        widest = fmax(widest, sim_canvas_width_of(canvas, ticks[i].text));
    /* In text the label of a y axis stands above it. */
    return widest + (canvas->text ? 2.0 : LABEL_GAP * 2.0 + (*y->label ? canvas->line : 0.0));
}

double sim_canvas_room_below(const sim_canvas *canvas, const sim_axis *x)
{
    const double ticks = x->no_ticks ? 0.0 : 1.0;

    return canvas->line * (ticks + (*x->label ? 1.0 : 0.0)) + (canvas->text ? 1.0 : 10.0);
}

/* A label at the end of an x axis may reach beyond the sheet: its tick then goes without. */
static bool reaches_beyond(const sim_canvas *canvas, const sim_panel *panel, const tick *t)
{
    const double at = sim_panel_x(panel, t->at), half = sim_canvas_width_of(canvas, t->text) / 2.0;

    return at - half < 0.0 || at + half > canvas->width;
}

static void put_axis(sim_canvas *canvas, const sim_panel *panel, bool is_x, const sim_axis *axis, int most)
{
    tick ticks[TICKS_MAX];
    const int count = ticks_of(canvas, axis, most, ticks);

    sim_canvas_row(canvas, is_x ? "x_axis" : "y_axis", panel->number, 0, axis->log ? "log" : "linear",
                   axis->from, NAN, axis->to, NAN);
    for (int i = 0; i < count; i++)
        sim_canvas_row(canvas, is_x ? "x_tick" : "y_tick", panel->number, 0,
                       is_x && reaches_beyond(canvas, panel, &ticks[i]) ? "" : ticks[i].text, ticks[i].at,
                       NAN, NAN, NAN);
}

sim_panel sim_canvas_panel(sim_canvas *canvas, sim_box box, sim_axis x, sim_axis y)
{
    const sim_panel panel = {.number = ++canvas->panels, .box = box, .x = x, .y = y};
    const double cell = canvas->text ? 1.0 : 0.0;
    const char *x_label = sim_axis_words(canvas, &x), *y_label = sim_axis_words(canvas, &y);

    /* In text the border takes the cells before the first and below the lowest of the panel. */
    sim_canvas_row(canvas, "panel", panel.number, 0, "", sim_canvas_part_x(canvas, box.x - cell),
                   sim_canvas_part_y(canvas, box.y - cell), sim_canvas_part_x(canvas, box.x2 - cell),
                   sim_canvas_part_y(canvas, box.y2 - cell));
    put_axis(canvas, &panel, true, &x, most_x(canvas, box.x2 - box.x));
    put_axis(canvas, &panel, false, &y, most_y(canvas, box.y2 - box.y));
    if (*x_label)
        sim_canvas_words(
            canvas, SIM_ROLE_MUTED,
            sim_canvas_fit(canvas, x_label, box.x2 - box.x + (canvas->text ? 0.0 : 24.0)),
            (box.x + box.x2) / 2.0,
            box.y - sim_canvas_room_below(canvas, &x) + canvas->line * 0.5 + (canvas->text ? 0.0 : 1.0), 0);
    if (*y_label && canvas->text) {
        sim_canvas_words(canvas, SIM_ROLE_MUTED, sim_canvas_fit(canvas, y_label, box.x2 - box.x), box.x,
                         box.y2, -1);
    } else if (*y_label) {
        const double left = box.x - sim_canvas_room_left(canvas, &y, box.y2 - box.y);

        sim_canvas_row(canvas, "words", 0, SIM_ROLE_MUTED, y_label,
                       (left + canvas->line * 0.5) / canvas->width, (box.y + box.y2) / 2.0 / canvas->height,
                       0, 90);
    }
    return panel;
}
