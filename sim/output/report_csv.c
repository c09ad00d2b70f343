/* One row per layer, RFC 4180 (with plain line feeds): the seam to charts and spreadsheets. */
#include "output/fields.h"
#include "output/report.h"

#include <inttypes.h>
#include <string.h>

static void put_quoted(sim_text *out, const char *value)
{
    if (!strpbrk(value, ",\"\r\n")) {
        sim_text_add(out, value);
        return;
    }
    sim_text_add(out, "\"");
    for (const char *p = value; *p; p++)
        sim_text_bytes(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    sim_text_add(out, "\"");
}

static void put_value(sim_text *out, const sim_field *field)
{
    switch (field->type) {
    case SIM_FIELD_NULL:
        break;
    case SIM_FIELD_TEXT:
        put_quoted(out, field->text);
        break;
    case SIM_FIELD_INT:
        sim_text_printf(out, "%" PRId64, field->integer);
        break;
    case SIM_FIELD_REAL:
        sim_text_real(out, field->real);
        break;
    case SIM_FIELD_BOOL:
        sim_text_add(out, field->integer ? "true" : "false");
        break;
    }
}

void sim_fields_csv(const sim_field *fields, int count, bool names, sim_text *out)
{
    for (int i = 0; i < count; i++) {
        if (i > 0)
            sim_text_add(out, ",");
        if (!names)
            put_value(out, &fields[i]);
        else if (fields[i].group)
            sim_text_printf(out, "%s_%s", fields[i].group, fields[i].key);
        else
            sim_text_add(out, fields[i].key);
    }
    sim_text_add(out, "\n");
}

void sim_report_csv(const sim_result *result, sim_text *out)
{
    static const sim_layer_result nothing;
    sim_field fields[2 * SIM_FIELDS_MAX];
    int count = sim_layer_fields(&nothing, fields);

    sim_fields_csv(fields, count + sim_context_fields(result, fields + count), true, out);
    for (int64_t i = 0; i < result->layer_count; i++) {
        count = sim_layer_fields(&result->layers[i], fields);
        sim_fields_csv(fields, count + sim_context_fields(result, fields + count), false, out);
    }
}
