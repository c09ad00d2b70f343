#include "output/chart_bars.h"

#include <math.h>

enum { ROW_UNITS = 27 };

double sim_bars_height(int row_count)
{
    return 145.0 + ROW_UNITS * (row_count < 3 ? 3 : row_count);
}

int sim_bars_lines(int row_count)
{
    return 9 + row_count;
}

static double label_room(const sim_canvas *canvas, const sim_bar_chart *chart)
{
    double widest = 0.0;

    for (int i = 0; i < chart->row_count; i++)
        if (!chart->rows[i].heading)
            widest = fmax(widest, sim_canvas_width_of(canvas, chart->rows[i].label));
    return fmin(widest, canvas->width * 0.28);
}

/* The widest of the values behind the bars. */
static double value_room(const sim_canvas *canvas, const sim_bar_chart *chart, int panel)
{
    double widest = 0.0;

    for (int i = 0; i < chart->row_count; i++)
        if (chart->rows[i].value[panel])
            widest = fmax(widest, sim_canvas_width_of(canvas, chart->rows[i].value[panel]));
    return widest + (canvas->text ? 2.0 : 10.0);
}

/* The line at the mark, along the bars: headings are left free. */
static void draw_mark(sim_canvas *canvas, const sim_bar_chart *chart, const sim_panel *panel)
{
    for (int i = 0; i < chart->row_count;) {
        int end = i;

        while (end < chart->row_count && !chart->rows[end].heading)
            end++;
        if (end > i)
            sim_canvas_row(canvas, "rule", panel->number, 0, "", chart->mark,
                           1.0 - (double)end / chart->row_count, chart->mark,
                           1.0 - (double)i / chart->row_count);
        i = end + (end == i);
    }
}

static void draw_panel(sim_canvas *canvas, const sim_bar_chart *chart, int which, sim_box box)
{
    sim_axis x = chart->axes[which];
    const sim_axis none = {.label = "", .unit = "", .from = 0, .to = 1, .no_ticks = true};
    /* In text a row is a line, and ticks take the lowest line of the panel. */
    const double step = canvas->text ? 1.0 : (box.y2 - box.y) / chart->row_count,
                 thickness = fmin(step * 0.72, 26.0);
    const double room = value_room(canvas, chart, which), gap = canvas->text ? 1.0 : 6.0;
    sim_panel panel;

    /* The longest bar and its value end inside. */
    x.to = fmax(x.to, x.to * (box.x2 - box.x) / fmax(box.x2 - box.x - room, 1.0) * 0.98);
    panel = sim_canvas_panel(canvas, box, x, none);
    if (chart->mark > 0)
        draw_mark(canvas, chart, &panel);
    for (int i = 0; i < chart->row_count; i++) {
        const sim_bar_row *row = &chart->rows[i];
        const double y = box.y2 - (i + 0.5) * step;
        double from = 0.0;

        if (row->heading) {
            if (which == 0)
                sim_canvas_words(canvas, SIM_ROLE_STRONG,
                                 sim_canvas_fit(canvas, row->label, canvas->width * 0.6),
                                 canvas->text ? 0.0 : 12.0, y - (canvas->text ? 0.0 : 3.0), -1);
            continue;
        }
        for (int p = 0; p < SIM_BAR_PARTS; p++)
            if (row->part[which][p] > 0) {
                sim_canvas_bar(canvas, &panel, chart->styles[which][p], from, from + row->part[which][p], y,
                               thickness);
                from += row->part[which][p];
            }
        if (row->value[which])
            sim_canvas_words(canvas, SIM_ROLE_PLAIN, row->value[which],
                             floor(sim_panel_x(&panel, fmax(from, chart->mark)) + 0.5) + gap, y, -1);
        if (which == 0)
            sim_canvas_words(canvas, SIM_ROLE_PLAIN, sim_canvas_fit(canvas, row->label, canvas->width * 0.28),
                             box.x - gap, y, 1);
    }
}

void sim_bars_draw(sim_canvas *canvas, const sim_bar_chart *chart, double y)
{
    const double edge = canvas->text ? 1.0 : 12.0, between = canvas->text ? 3.0 : 26.0;
    const double left = edge + label_room(canvas, chart) + (canvas->text ? 1.0 : 8.0);
    const double wide =
        (canvas->width - edge - left - between * (chart->panel_count - 1)) / chart->panel_count;
    double bottom = 0.0, top = y;

    for (int p = 0; p < chart->panel_count; p++) {
        const double x = left + p * (wide + between);
        double below = y;

        if (chart->keys[p])
            below =
                sim_canvas_key(canvas, SIM_KEY_BOXES, chart->keys[p], chart->key_counts[p], x, x + wide, y);
        top = fmin(top, below);
        bottom = fmax(bottom, sim_canvas_room_below(canvas, &chart->axes[p]));
    }
    for (int p = 0; p < chart->panel_count; p++) {
        const double x = left + p * (wide + between);

        draw_panel(canvas, chart, p,
                   (sim_box){x, bottom, x + wide,
                             canvas->text ? fmin(top, bottom + chart->row_count + 1.0) : top + 6.0});
    }
}
