#include "output/chart_canvas.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHEET_UNITS = 800, LINE_UNITS = 17, FONT_UNITS = 12, TITLE_PERCENT = 130 };

/* ---- rows ------------------------------------------------------------------------------------------ */

static void put_cell(sim_text *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        const unsigned char byte = (unsigned char)*p;

        if (byte < 0x20 || byte == 0x7f || strchr(",\"%\\", *p))
            sim_text_printf(out, "%%%02X", byte);
        else
            sim_text_bytes(out, p, 1);
    }
}

void sim_canvas_row(sim_canvas *canvas, const char *part, int panel, int series, const char *text, double x,
                    double y, double x2, double y2)
{
    const double numbers[] = {x, y, x2, y2};

    sim_text_printf(canvas->out, "%s,%d,%d,", part, panel, series);
    put_cell(canvas->out, text);
    for (int i = 0; i < 4; i++) {
        sim_text_add(canvas->out, ",");
        if (isfinite(numbers[i])) {
            char number[32];

            /* Seven digits: more than any picture shows, and the same on every machine. */
            snprintf(number, sizeof number, "%.7g", numbers[i]);
            for (char *p = number; *p; p++)
                if (!strchr("+-0123456789e", *p))
                    *p = '.';
            sim_text_add(canvas->out, number);
        }
    }
    sim_text_add(canvas->out, "\n");
}

void sim_canvas_init(sim_canvas *canvas, sim_text *out, sim_arena *arena, bool text, int width_px,
                     double height)
{
    *canvas = (sim_canvas){.out = out, .arena = arena, .text = text};
    canvas->width = text ? width_px : SHEET_UNITS;
    canvas->scale = text ? 1.0 : width_px / (double)SHEET_UNITS;
    canvas->height = height;
    canvas->line = text ? 1.0 : LINE_UNITS;
    sim_text_add(out, "part,panel,series,text,x,y,x2,y2\n");
    sim_canvas_row(canvas, "size", 0, 0, "", width_px, floor(height * canvas->scale + 0.5), canvas->scale,
                   NAN);
}

/* ---- words ------------------------------------------------------------------------------------------ */

/* Width of a character in units of the font size: the widths of DejaVu Sans, which is wider than most. */
static double character_width(int32_t character)
{
    if (character < 0 || character > 126)
        return character > 0x2e80 ? 1.0 : 0.7;
    if (strchr("ijl.,:;'|!I", character))
        return 0.32;
    if (strchr(" frt-()[]/\\\"", character))
        return 0.4;
    if (strchr("mwMW@%", character))
        return 0.95;
    if (character >= 'A' && character <= 'Z')
        return 0.72;
    return 0.63;
}

double sim_canvas_width_of(const sim_canvas *canvas, const char *text)
{
    double width = 0.0;
    size_t left = strlen(text);

    while (left > 0) {
        int32_t character;
        const size_t bytes = sim_utf8_next(text, left, &character);

        width += canvas->text ? 1.0 : FONT_UNITS * character_width(character);
        text += bytes;
        left -= bytes;
    }
    return width;
}

const char *sim_canvas_fit(const sim_canvas *canvas, const char *text, double width)
{
    const char *dots = canvas->text ? "~" : "…";
    const double room = width - sim_canvas_width_of(canvas, dots);
    size_t length = strlen(text), head = 0, tail = length;
    double used = 0.0;
    char *copy;

    if (sim_canvas_width_of(canvas, text) <= width)
        return text;
    /* Characters are kept from both ends in turn. */
    for (bool front = true; head < tail; front = !front) {
        int32_t character;
        size_t bytes;

        if (front) {
            bytes = sim_utf8_next(text + head, tail - head, &character);
        } else {
            bytes = 1;
            while (tail - bytes > head && sim_utf8_is_continuation(text[tail - bytes]))
                bytes++;
            sim_utf8_next(text + tail - bytes, bytes, &character);
        }
        used += canvas->text ? 1.0 : FONT_UNITS * character_width(character);
        if (used > room)
            break;
        if (front)
            head += bytes;
        else
            tail -= bytes;
    }
    copy = sim_arena_printf(canvas->arena, "%.*s%s%s", (int)head, text, dots, text + tail);
    return copy ? copy : "";
}

/* Where units lie on the sheet, as gnuplot counts: fractions from the lower left. In text they name cells,
 * the first 0 and the last 1. */
double sim_canvas_part_x(const sim_canvas *canvas, double x)
{
    return canvas->text ? (floor(x) + 0.01) / fmax(canvas->width - 1.0, 1.0) : x / canvas->width;
}

double sim_canvas_part_y(const sim_canvas *canvas, double y)
{
    return canvas->text ? (floor(y) + 0.01) / fmax(canvas->height - 1.0, 1.0) : y / canvas->height;
}

void sim_canvas_words(sim_canvas *canvas, int role, const char *text, double x, double y, int align)
{
    if (canvas->text) { /* gnuplot rounds the middle and the right end each in its own way */
        const double width = sim_canvas_width_of(canvas, text);

        x = fmax(0.0, align > 0 ? x - width : align == 0 ? floor(x - (width - 1.0) / 2.0) : x);
        align = -1;
    }
    sim_canvas_row(canvas, "words", 0, role, text, sim_canvas_part_x(canvas, x), sim_canvas_part_y(canvas, y),
                   align, 0);
}

void sim_canvas_words_turned(sim_canvas *canvas, int role, const char *text, double x, double y)
{
    sim_canvas_row(canvas, "words", 0, role, text, sim_canvas_part_x(canvas, x), sim_canvas_part_y(canvas, y),
                   1, 90);
}

double sim_canvas_head(sim_canvas *canvas, const char *title, const char *subtitle)
{
    const double margin = canvas->text ? 0.0 : 12.0, room = canvas->width - 2.0 * margin;
    double y = canvas->height - (canvas->text ? 1.0 : 22.0);
    const double title_room = canvas->text ? room : room * 100.0 / TITLE_PERCENT;

    sim_canvas_words(canvas, SIM_ROLE_TITLE, sim_canvas_fit(canvas, title, title_room), margin, y, -1);
    y -= canvas->text ? 1.0 : 22.0;
    if (*subtitle) {
        sim_canvas_words(canvas, SIM_ROLE_MUTED, sim_canvas_fit(canvas, subtitle, room), margin, y, -1);
        y -= canvas->line;
    }
    return y;
}

/* ---- panels ----------------------------------------------------------------------------------------- */

static double place(const sim_axis *axis, double value)
{
    if (axis->log)
        return (log10(value) - log10(axis->from)) / (log10(axis->to) - log10(axis->from));
    return (value - axis->from) / (axis->to - axis->from);
}

double sim_panel_x(const sim_panel *panel, double x)
{
    return panel->box.x + place(&panel->x, x) * (panel->box.x2 - panel->box.x);
}

double sim_panel_y(const sim_panel *panel, double y)
{
    return panel->box.y + place(&panel->y, y) * (panel->box.y2 - panel->box.y);
}

/* ---- boxes ------------------------------------------------------------------------------------------ */

char sim_canvas_character(sim_key_kind kind, int style)
{
    static const char boxes[] = "#o=%+x:*", marks[] = "ABCDEFGH";

    return (kind == SIM_KEY_BOXES ? boxes : marks)[(style - 1) % SIM_CHART_STYLES];
}

static void put_box(sim_canvas *canvas, int panel, int style, const sim_box *box)
{
    sim_canvas_row(canvas, "box", panel, style, "", sim_canvas_part_x(canvas, box->x),
                   sim_canvas_part_y(canvas, box->y), sim_canvas_part_x(canvas, box->x2),
                   sim_canvas_part_y(canvas, box->y2));
}

/* Characters from column x up to column x2. */
static void put_run(sim_canvas *canvas, int style, double x, double x2, double y)
{
    const int from = (int)floor(x + 0.5), length = (int)floor(x2 + 0.5) - from;
    char *run = length > 0 ? sim_arena_alloc(canvas->arena, (size_t)length + 1, 1) : NULL;

    if (length <= 0)
        return;
    if (!run) {
        canvas->failed = true;
        return;
    }
    memset(run, sim_canvas_character(SIM_KEY_BOXES, style), (size_t)length);
    sim_canvas_words(canvas, style, run, from, y, -1);
}

void sim_canvas_bar(sim_canvas *canvas, const sim_panel *panel, int style, double from, double to, double y,
                    double thickness)
{
    const double x = sim_panel_x(panel, from), x2 = sim_panel_x(panel, to);
    /* A hair of ground between the parts of a bar. */
    const sim_box box = {x, y - thickness / 2.0, x2 - x > 2.0 ? x2 - 0.7 : x2, y + thickness / 2.0};

    if (canvas->text)
        put_run(canvas, style, x, x2, y);
    else if (x2 > x)
        put_box(canvas, panel->number, style, &box);
}

/* ---- the key ---------------------------------------------------------------------------------------- */

double sim_canvas_key(sim_canvas *canvas, sim_key_kind kind, const sim_key_entry *entries, int count,
                      double x, double x2, double y)
{
    const double swatch = canvas->text ? 2.0 : 16.0, gap = canvas->text ? 3.0 : 18.0;
    double at = x;

    for (int i = 0; i < count; i++) {
        const char *text = sim_canvas_fit(canvas, entries[i].text, x2 - x - swatch);
        const double width = swatch + sim_canvas_width_of(canvas, text);
        const int style = (entries[i].style - 1) % SIM_CHART_STYLES + 1;

        if (at > x && at + width > x2) {
            at = x;
            y -= canvas->line;
        }
        if (canvas->text) {
            const char symbol[] = {sim_canvas_character(kind, style), '\0'};

            sim_canvas_words(canvas, style, symbol, at, y, -1);
        } else if (kind == SIM_KEY_BOXES) {
            put_box(canvas, 0, style, &(sim_box){at, y - 5.0, at + 11.0, y + 5.0});
        } else {
            sim_canvas_row(canvas, "mark", 0, style, "", sim_canvas_part_x(canvas, at + 6.0),
                           sim_canvas_part_y(canvas, y), NAN, NAN);
        }
        sim_canvas_words(canvas, SIM_ROLE_PLAIN, text, at + swatch, y, -1);
        at += width + gap;
    }
    return y - canvas->line;
}

/* ---- words near data -------------------------------------------------------------------------------- */

static bool overlap(const sim_box *a, const sim_box *b)
{
    return a->x < b->x2 && b->x < a->x2 && a->y < b->y2 && b->y < a->y2;
}

void sim_canvas_take(sim_canvas *canvas, sim_box box)
{
    if (canvas->taken_count == canvas->taken_room) {
        const int room = canvas->taken_room > 0 ? 2 * canvas->taken_room : 64;
        sim_box *grown = sim_arena_alloc(canvas->arena, (size_t)room, sizeof *grown);

        if (!grown) {
            canvas->failed = true;
            return;
        }
        if (canvas->taken_count > 0)
            memcpy(grown, canvas->taken, (size_t)canvas->taken_count * sizeof *grown);
        canvas->taken = grown;
        canvas->taken_room = room;
    }
    canvas->taken[canvas->taken_count++] = box;
}

void sim_canvas_line(sim_canvas *canvas, const sim_panel *panel, int series, double x, double y, double x2,
                     double y2)
{
    const double from_x = sim_panel_x(panel, x), from_y = sim_panel_y(panel, y);
    const double way_x = sim_panel_x(panel, x2) - from_x, way_y = sim_panel_y(panel, y2) - from_y;
    const double half = canvas->text ? 0.3 : 2.5;
    const int steps = (int)(hypot(way_x, way_y) / (2.0 * half)) + 1;

    sim_canvas_row(canvas, "line", panel->number, series, "", x, y, x2, y2);
    for (int i = 0; i <= steps; i++) {
        const double cx = from_x + way_x * i / steps, cy = from_y + way_y * i / steps;

        sim_canvas_take(canvas, (sim_box){cx - half, cy - half, cx + half, cy + half});
    }
}

bool sim_canvas_is_free(const sim_canvas *canvas, const sim_box *box, const sim_box *within)
{
    if (box->x < within->x || box->x2 > within->x2 || box->y < within->y || box->y2 > within->y2)
        return false;
    for (int i = 0; i < canvas->taken_count; i++)
        if (overlap(box, &canvas->taken[i]))
            return false;
    return true;
}

bool sim_canvas_label(sim_canvas *canvas, int role, const char *text, double x, double y, double radius,
                      sim_box within)
{
    /* Beside, above and below, then the corners; farther out only with a leader. */
    static const int directions[][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}};
    static const double distances[] = {0.0, 1.0, 2.0, 3.5};
    const double width = sim_canvas_width_of(canvas, text), half = canvas->line * 0.45;
    const double gap = canvas->text ? 1.5 : 4.0;

    for (size_t ring = 0; ring < sizeof distances / sizeof distances[0]; ring++) {
        for (size_t i = 0; i < sizeof directions / sizeof directions[0]; i++) {
            const int dx = directions[i][0], dy = directions[i][1];
            const double away = radius + gap + distances[ring] * canvas->line;
            const double cx = x + dx * away * (dy ? 0.8 : 1.0),
                         cy = y + dy * (away + half) * (dx ? 0.8 : 1.0);
            const double left = dx > 0 ? cx : dx < 0 ? cx - width : cx - width / 2.0;
            const sim_box box = {left, cy - half, left + width, cy + half};

            if (!sim_canvas_is_free(canvas, &box, &within))
                continue;
            sim_canvas_words(canvas, role, text, cx, cy, -dx);
            sim_canvas_take(canvas, box);
            if (ring > 0 && !canvas->text)
                sim_canvas_row(
                    canvas, "leader", 0, SIM_ROLE_MUTED, "", sim_canvas_part_x(canvas, x + dx * radius),
                    sim_canvas_part_y(canvas, y + dy * radius), sim_canvas_part_x(canvas, cx - dx * 2.0),
                    sim_canvas_part_y(canvas, dx ? cy : cy - dy * half));
            return true;
        }
        if (canvas->text && ring == 1) /* a leader cannot be drawn */
            break;
    }
    return false;
}
