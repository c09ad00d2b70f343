/* What is said of a layer and of a run, named once: JSON and CSV both walk these lists, so that the same
 * thing has the same name in both. */
#ifndef SIM_OUTPUT_FIELDS_H
#define SIM_OUTPUT_FIELDS_H

#include "base/text.h"
#include "model/types.h"

typedef enum sim_field_type {
    SIM_FIELD_NULL, /* does not apply, or unknown */
    SIM_FIELD_TEXT,
    SIM_FIELD_INT,
    SIM_FIELD_REAL,
    SIM_FIELD_BOOL,
} sim_field_type;

typedef struct sim_field {
    const char *group; /* NULL, or the nested object that the field is a member of */
    const char *key;
    sim_field_type type;
    const char *text;
    int64_t integer; /* also of SIM_FIELD_BOOL */
    double real;
} sim_field;

enum { SIM_FIELDS_MAX = 64 };

/* Numbers of one instance of the layer (of a sum over steps: of all of them). Members of a group are
 * neighbours; the number of fields, their keys and their order are the same for every layer. Returns how
 * many. */
int sim_layer_fields(const sim_layer_result *layer, sim_field fields[SIM_FIELDS_MAX]);

/* Sums over all layers and repeats. */
int sim_total_fields(const sim_result *result, sim_field fields[SIM_FIELDS_MAX]);

/* What each row of a CSV says beside the layer, so that a chart needs nothing but the file. */
int sim_context_fields(const sim_result *result, sim_field fields[SIM_FIELDS_MAX]);

/* A cell of a cost table: its key, its cost, and what the layer is. */
int sim_cell_fields(const sim_cost_table *table, int64_t layer, int64_t precision,
                    sim_field fields[SIM_FIELDS_MAX]);

/* One row of CSV, RFC 4180 with a plain line feed: the values, or the names with those of groups in front. */
void sim_fields_csv(const sim_field *fields, int count, bool names, sim_text *out);

/* True when the layer has multiply-accumulates: a matmul or a convolution. */
bool sim_layer_is_product(const sim_layer_result *layer);

#endif
