/* Horizontal bars in one or two panels side by side, the names of the rows at the left: what breakdown and
 * speedup are drawn with. */
#ifndef SIM_OUTPUT_CHART_BARS_H
#define SIM_OUTPUT_CHART_BARS_H

#include "output/chart_parts.h"

enum { SIM_BAR_PARTS = 8, SIM_BAR_PANELS = 2 };

typedef struct sim_bar_row {
    const char *label;
    bool heading;                               /* a line of its own, without bars */
    double part[SIM_BAR_PANELS][SIM_BAR_PARTS]; /* lengths, stacked in this order */
    const char *value[SIM_BAR_PANELS];          /* what stands behind the bar */
} sim_bar_row;

typedef struct sim_bar_chart {
    sim_bar_row *rows;
    int row_count;
    int panel_count;
    sim_axis axes[SIM_BAR_PANELS];             /* of the lengths */
    int styles[SIM_BAR_PANELS][SIM_BAR_PARTS]; /* of the parts */
    const sim_key_entry *keys[SIM_BAR_PANELS]; /* what the colours mean; may be NULL */
    int key_counts[SIM_BAR_PANELS];
    double mark; /* a line through all rows of each panel; 0: none */
} sim_bar_chart;

/* The height of a sheet for so many rows, units. */
double sim_bars_height(int row_count);
int sim_bars_lines(int row_count);

/* Draws below `y`. */
void sim_bars_draw(sim_canvas *canvas, const sim_bar_chart *chart, double y);

#endif
