/* Cost tables: CSV for tools, notes for people. */
#include "output/fields.h"
#include "output/report.h"

#include <inttypes.h>
#include <stdio.h>

void sim_cost_table_csv(const sim_cost_table *table, sim_text *out)
{
    sim_field fields[SIM_FIELDS_MAX];
    int count = sim_cell_fields(table, 0, 0, fields);

    sim_fields_csv(fields, count, true, out);
    for (int64_t layer = 0; layer < table->workload->layer_count; layer++)
        for (int64_t p = 0; p < table->precision_count; p++) {
            count = sim_cell_fields(table, layer, p, fields);
            sim_fields_csv(fields, count, false, out);
        }
}

/* "w4a8", "w4a8kv4". */
static const char *bits_text(const sim_cost_table *table, int64_t precision, char *out, size_t size)
{
    const sim_precision *p = &table->precisions[precision];

    if (table->has_kv)
        snprintf(out, size, "w%da%dkv%d", p->w.bits, p->a.bits, p->kv.bits);
    else
        snprintf(out, size, "w%da%d", p->w.bits, p->a.bits);
    return out;
}

/* "1.2%", whatever the locale. */
static const char *percent_text(double frac, char *out, size_t size)
{
    const int64_t tenths = (int64_t)(frac * 1000 + 0.5);

    snprintf(out, size, tenths % 10 ? "%" PRId64 ".%d%%" : "%" PRId64 "%%", tenths / 10, (int)(tenths % 10));
    return out;
}

void sim_cost_table_notes(const sim_cost_table *t, sim_err *notes)
{
    const sim_layer *layers = t->workload->layers;
    char from[24], to[24], slack[48], most[48];

    if (t->impossible_count > 0) {
        sim_fail(notes, SIM_OK, NULL, 0,
                 "%" PRId64 " of %" PRId64 " cells are empty: '%s' (%s) cannot run layer '%s' at %s",
                 t->impossible_count, t->workload->layer_count * t->precision_count, t->arch->name,
                 t->arch->backend_name, layers[t->first_impossible_layer].name,
                 bits_text(t, t->first_impossible_precision, from, sizeof from));
        sim_hint(notes, "%s", t->why_impossible);
    }
    if (t->slower_count > 0) {
        sim_fail(notes, SIM_OK, NULL, 0,
                 "%" PRId64 " of %" PRId64 " layers get slower with fewer bits, by more than %s; most of all "
                 "'%s': %s -> %s takes %s more cycles",
                 t->slower_count, t->workload->layer_count, percent_text(t->slower_frac, slack, sizeof slack),
                 layers[t->slower_layer].name, bits_text(t, t->slower_from, from, sizeof from),
                 bits_text(t, t->slower_to, to, sizeof to),
                 percent_text(t->slower_most_frac, most, sizeof most));
        sim_hint(notes, "'simacc help table' says when that is so");
    }
}
