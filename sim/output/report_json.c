/* The one JSON object of `run --json`. Every key is always there; what does not apply or is unknown is null.
 */
#include "base/json.h"
#include "base/version.h"
#include "model/backend.h"
#include "output/fields.h"
#include "output/report.h"

#include <string.h>

static void put_field(sim_json_writer *w, const sim_field *field)
{
    switch (field->type) {
    case SIM_FIELD_NULL:
        sim_json_put_null(w, field->key);
        break;
    case SIM_FIELD_TEXT:
        sim_json_put_text(w, field->key, field->text);
        break;
    case SIM_FIELD_INT:
        sim_json_put_int(w, field->key, field->integer);
        break;
    case SIM_FIELD_REAL:
        sim_json_put_real(w, field->key, field->real);
        break;
    case SIM_FIELD_BOOL:
        sim_json_put_bool(w, field->key, field->integer != 0);
        break;
    }
}

/* Neighbours of one group become one object, on one line; a group that holds nothing is null. */
static void put_fields(sim_json_writer *w, const sim_field *fields, int count)
{
    for (int i = 0; i < count;) {
        const char *group = fields[i].group;
        int end = i;
        bool any = false;

        if (!group) {
            put_field(w, &fields[i++]);
            continue;
        }
        while (end < count && fields[end].group && strcmp(fields[end].group, group) == 0)
            any |= fields[end++].type != SIM_FIELD_NULL;
        if (any) {
            sim_json_begin(w, group, '{', true);
            for (int j = i; j < end; j++)
                put_field(w, &fields[j]);
            sim_json_end(w, '}');
        } else {
            sim_json_put_null(w, group);
        }
        i = end;
    }
}

static void put_positive(sim_json_writer *w, const char *key, int64_t value)
{
    if (value > 0)
        sim_json_put_int(w, key, value);
    else
        sim_json_put_null(w, key);
}

void sim_report_json(const sim_result *result, sim_text *out)
{
    const sim_arch *arch = result->arch;
    const sim_workload *workload = result->workload;
    sim_json_writer w = {.out = out, .first = true};
    sim_field fields[SIM_FIELDS_MAX];

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_int(&w, "schema", 1);
    sim_json_put_text(&w, "simacc", SIMACC_VERSION);

    sim_json_begin(&w, "arch", '{', true);
    sim_json_put_text(&w, "name", arch->name);
    sim_json_put_text(&w, "backend", arch->backend->name);
    sim_json_put_text(&w, "file", arch->file);
    sim_json_end(&w, '}');

    sim_json_begin(&w, "workload", '{', true);
    sim_json_put_text(&w, "name", workload->name);
    sim_json_put_text(&w, "phase",
                      workload->phase == SIM_PHASE_NONE ? NULL : sim_phase_names[workload->phase]);
    put_positive(&w, "batch", workload->batch);
    put_positive(&w, "tokens", workload->tokens);
    sim_json_end(&w, '}');

    sim_json_put_text(&w, "policy", result->policy->name);

    sim_json_begin(&w, "totals", '{', false);
    put_fields(&w, fields, sim_total_fields(result, fields));
    sim_json_end(&w, '}');

    sim_json_begin(&w, "layers", '[', false);
    for (int64_t i = 0; i < result->layer_count; i++) {
        sim_json_begin(&w, NULL, '{', false);
        put_fields(&w, fields, sim_layer_fields(&result->layers[i], fields));
        sim_json_end(&w, '}');
    }
    sim_json_end(&w, ']');

    sim_json_begin(&w, "provenance", '{', true);
    sim_json_put_text(&w, "energy", sim_provenance_names[result->energy_provenance]);
    sim_json_put_text(&w, "calibration", result->calibration ? result->calibration : "none");
    sim_json_end(&w, '}');
    sim_json_end(&w, '}');
    sim_text_add(out, "\n");
}
