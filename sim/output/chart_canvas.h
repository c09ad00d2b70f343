/* The sheet that a chart is laid out on, and the CSV that describes it.
 *
 * Everything that needs thought is decided here, where it can be tested: where panels lie, which ticks an
 * axis has, which words stand where. The gnuplot scripts of plots/ only draw what the CSV says. One row is
 * one thing to draw:
 *
 *   part,panel,series,text,x,y,x2,y2
 *   size                     x, y: pixels (text: columns, lines); x2: pixels per unit of the layout
 *   panel   N                x..x2, y..y2: left, right, bottom, top, as fractions of the sheet
 *   x_axis  N  log|linear    x..x2: range; y_axis alike
 *   x_tick  N        label   x: position; y_tick alike
 *   words      role  text    at x, y of the sheet; x2: -1 left, 0 centred, 1 right aligned; y2: degrees
 *   mark       style         a marker of the key, at x, y of the sheet
 *   box     N  style         a filled box, from x, y to x2, y2 of the sheet
 *   leader     role          a thin line between two places of the sheet
 *   others                   in data coordinates of their panel; each script says which it draws
 *
 * Cells are percent-encoded where they hold a comma, a quote, '%', a backslash or a control character:
 * gnuplot 5.4 takes a comma in a quoted cell for its end, and "\n" in a cell for a new line. A number that
 * does not apply is empty. */
#ifndef SIM_OUTPUT_CHART_CANVAS_H
#define SIM_OUTPUT_CHART_CANVAS_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Of words and leaders: which of the shared text styles. Positive roles are the colours of series. */
typedef enum sim_role {
    SIM_ROLE_MUTED = 0,
    SIM_ROLE_TITLE = -1,
    SIM_ROLE_PLAIN = -2,
    SIM_ROLE_ON_DARK = -3, /* upon a dark box, in either theme */
    SIM_ROLE_ON_LIGHT = -4,
    SIM_ROLE_STRONG = -5,
} sim_role;

enum { SIM_CHART_STYLES = 8 }; /* distinct colours, markers and dashes of plots/style.gp */

/* Layout is in units: a sheet is 800 units wide whatever its pixels, so that a picture twice as large is the
 * same picture. In text a unit is a character cell. */
typedef struct sim_canvas {
    sim_text *out;
    sim_arena *arena;
    bool text;
    double width, height; /* units */
    double scale;         /* pixels per unit; 1 in text */
    double line;          /* height of a line of words, units */
    int panels;           /* so far */
    struct sim_box *taken;
    int taken_count, taken_room;
    bool failed; /* memory is out; checked once at the end */
} sim_canvas;

/* A rectangle of the sheet in units, y upwards. */
typedef struct sim_box {
    double x, y, x2, y2;
} sim_box;

typedef struct sim_axis {
    const char *label; /* with its unit, unless the ticks carry it; "" for none */
    const char *unit;  /* of the quantity, "" for a count */
    double from, to;
    bool log;
    bool no_ticks;
    bool own_ticks; /* written by the chart itself */
    double prefix;  /* what ticks of a linear axis are divided by; set by sim_axis_linear */
} sim_axis;

typedef struct sim_panel {
    int number;
    sim_box box;
    sim_axis x, y;
} sim_panel;

/* Starts the CSV. `height` in units. */
void sim_canvas_init(sim_canvas *canvas, sim_text *out, sim_arena *arena, bool text, int width_px,
                     double height);

/* One row; NaN is an empty cell. */
void sim_canvas_row(sim_canvas *canvas, const char *part, int panel, int series, const char *text, double x,
                    double y, double x2, double y2);

/* Units as the fractions of the sheet that rows have. */
double sim_canvas_part_x(const sim_canvas *canvas, double x);
double sim_canvas_part_y(const sim_canvas *canvas, double y);

/* How far `text` reaches, in units: an upper estimate for common sans-serif fonts. */
double sim_canvas_width_of(const sim_canvas *canvas, const char *text);

/* `text` no wider than `width` units: characters in the middle give way to an ellipsis. */
const char *sim_canvas_fit(const sim_canvas *canvas, const char *text, double width);

/* Words at a place of the sheet, in units; align -1 left, 0 centred, 1 right. Titles are larger. */
void sim_canvas_words(sim_canvas *canvas, int role, const char *text, double x, double y, int align);
void sim_canvas_words_turned(sim_canvas *canvas, int role, const char *text, double x, double y);

/* Title and what it says below, each cut to the sheet. Returns the y below them. */
double sim_canvas_head(sim_canvas *canvas, const char *title, const char *subtitle);

/* ---- axes ------------------------------------------------------------------------------------------ */

/* A range that holds lo..hi and ends at ticks where that costs little; unit prefix chosen. zero: from 0. */
sim_axis sim_axis_linear(const char *label, const char *unit, double lo, double hi, bool zero);
/* Positive values over decades. */
sim_axis sim_axis_log(const char *label, const char *unit, double lo, double hi);
/* Logarithmic where all values are positive and they span more than a factor of 30. */
sim_axis sim_axis_choose(const char *label, const char *unit, double lo, double hi);

/* Label and unit as they stand at the axis: "latency (ms)". */
const char *sim_axis_words(const sim_canvas *canvas, const sim_axis *axis);

/* "100 ms", "1.5 GMAC/s", "42": three digits with a prefix, of any unit. */
const char *sim_canvas_number(const sim_canvas *canvas, double value, const char *unit);

/* Opens the next panel in `box` (the area of the plot without ticks and axis labels) and writes its axes. */
sim_panel sim_canvas_panel(sim_canvas *canvas, sim_box box, sim_axis x, sim_axis y);

/* Room that the tick labels and the label of a y axis need left of a panel. */
double sim_canvas_room_left(const sim_canvas *canvas, const sim_axis *y, double height);
/* The same below, of an x axis. */
double sim_canvas_room_below(const sim_canvas *canvas, const sim_axis *x);

/* Where a value of the panel lies on the sheet, units. */
double sim_panel_x(const sim_panel *panel, double x);
double sim_panel_y(const sim_panel *panel, double y);

/* ---- words near data ------------------------------------------------------------------------------- */

/* Marks a part of the sheet as taken. */
void sim_canvas_take(sim_canvas *canvas, sim_box box);

/* A row "line" between two points of a panel, which no words are put upon later. */
void sim_canvas_line(sim_canvas *canvas, const sim_panel *panel, int series, double x, double y, double x2,
                     double y2);

/* Whether a box lies inside `within` and upon nothing that is taken. */
bool sim_canvas_is_free(const sim_canvas *canvas, const sim_box *box, const sim_box *within);

/* Puts `text` beside the place x, y (units) that a marker of radius `radius` covers, inside `within` and upon
 * nothing that is taken; with a leader when only a place farther away is free. False: no room, nothing put.
 */
bool sim_canvas_label(sim_canvas *canvas, int role, const char *text, double x, double y, double radius,
                      sim_box within);

/* ---- the key --------------------------------------------------------------------------------------- */

typedef struct sim_key_entry {
    int style; /* from 1 */
    const char *text;
} sim_key_entry;

typedef enum sim_key_kind { SIM_KEY_BOXES, SIM_KEY_MARKS } sim_key_kind;

/* Entries from left to right, in as many lines as they need, from x to x2, the first line at y. Returns the y
 * below. */
double sim_canvas_key(sim_canvas *canvas, sim_key_kind kind, const sim_key_entry *entries, int count,
                      double x, double x2, double y);

/* In text, the character that stands for a box or a marker of a style. */
char sim_canvas_character(sim_key_kind kind, int style);

/* A horizontal bar of a panel between two values of its x axis, thickness in units, at height y (units). In
 * text it is a run of characters. */
void sim_canvas_bar(sim_canvas *canvas, const sim_panel *panel, int style, double from, double to, double y,
                    double thickness);

#endif
