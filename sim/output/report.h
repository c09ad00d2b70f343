/* Results -> text: the table for people, JSON and CSV for tools. */
#ifndef SIM_OUTPUT_REPORT_H
#define SIM_OUTPUT_REPORT_H

#include "base/text.h"
#include "model/types.h"

typedef struct sim_table_style {
    bool colour; /* ANSI escapes */
    int width;   /* columns at most; 0: 100 */
} sim_table_style;

void sim_report_table(const sim_result *result, const sim_table_style *style, sim_text *out);
void sim_report_json(const sim_result *result, sim_text *out);
void sim_report_csv(const sim_result *result, sim_text *out);

/* A cost table as CSV: a row for each layer and precision, layers in the order of the workload. Cells that
 * are not possible have no cost. */
void sim_cost_table_csv(const sim_cost_table *table, sim_text *out);
/* What to know of it: cells without a cost, and layers that fewer bits make slower. Nothing when there is
 * nothing to know. */
void sim_cost_table_notes(const sim_cost_table *table, sim_err *notes);

#endif
