#include "explore/sweep_rows.h"

#include "base/text.h"
#include "base/version.h"

#include <math.h>
#include <string.h>

/* Columns of every sweep; axes of these names have no other. */
static const char *const fixed[] = {"version", "arch", "workload", "phase", "policy", "objective",
                                    "status",  "why",  "w",        "a",     "kv"};
enum { FIXED = sizeof fixed / sizeof *fixed, COLUMNS_MAX = FIXED + SIM_SPACE_AXES_MAX + SIM_SWEEP_FIGURES };

static const char *const status_words[] = {"ok", "infeasible", "excluded"};

static bool is_fixed(const char *name)
{
    for (int i = 0; i < FIXED; i++)
        if (strcmp(fixed[i], name) == 0)
            return true;
    return false;
}

sim_status sim_sweep_open_columns(const sim_sweep *sweep, sim_store *store, sim_err *err)
{
    const char *names[COLUMNS_MAX];
    int count = 0, axes;

    for (int i = 0; i < FIXED; i++)
        names[count++] = fixed[i];
    for (int i = 0; i < sim_space_axes(sweep->space); i++)
        if (!is_fixed(sim_space_name(sweep->space, i)))
            names[count++] = sim_space_name(sweep->space, i);
    axes = count - FIXED;
    for (int i = 0; i < SIM_SWEEP_FIGURES; i++)
        names[count++] = sim_sweep_figures[i];
    return sim_store_columns(store, names, count, names + FIXED, axes, sweep->layers, err);
}

static sim_store_value text_value(const char *text)
{
    return (sim_store_value){.type = text ? SIM_STORE_TEXT : SIM_STORE_NULL, .text = text};
}

/* Whole numbers are stored as such: so they print as they do in `run`. */
static sim_store_value number_value(double x)
{
    if (isnan(x))
        return (sim_store_value){.type = SIM_STORE_NULL};
    if (x == floor(x) && fabs(x) < 9e15)
        return (sim_store_value){.type = SIM_STORE_INT, .integer = (int64_t)x};
    return (sim_store_value){.type = SIM_STORE_REAL, .real = x};
}

static sim_store_value count_value(int64_t n, bool there)
{
    return (sim_store_value){.type = there ? SIM_STORE_INT : SIM_STORE_NULL, .integer = n};
}

static sim_store_value axis_value(const sim_sweep *sweep, const sim_point_row *row, int axis, char *buffer,
                                  int size)
{
    double number;

    if (sim_space_real(sweep->space, row->index, axis, &number))
        return number_value(number);
    return text_value(sim_space_value(sweep->space, row->index, axis, buffer, size));
}

/* The bits that an axis gives, else those of a uniform policy. */
static sim_store_value bits_value(const sim_sweep *sweep, const sim_point_row *row, const char *axis,
                                  int64_t uniform)
{
    int i = sim_space_find(sweep->space, axis);

    return i >= 0 ? axis_value(sweep, row, i, NULL, 0) : count_value(uniform, uniform > 0);
}

static sim_status put_layers(sim_store *store, const sim_point_row *row, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int64_t i = 0; i < row->layer_count && status == SIM_OK; i++) {
        const sim_layer_result *l = &row->layers[i];
        const sim_store_value values[SIM_STORE_LAYER_VALUES] = {
            count_value(i, true),
            text_value(l->name),
            text_value(sim_op_names[l->op]),
            text_value(l->phase == SIM_PHASE_NONE ? NULL : sim_phase_names[l->phase]),
            count_value(l->repeat, true),
            count_value(l->steps, true),
            count_value(l->m, l->m > 0),
            count_value(l->n, l->n > 0),
            count_value(l->k, l->k > 0),
            count_value(l->batch, l->batch > 0),
            count_value(l->w.bits, l->w.bits > 0),
            count_value(l->a.bits, l->a.bits > 0),
            count_value(l->kv.bits, l->kv.bits > 0),
            count_value(l->macs, true),
            count_value(l->compute_cycles, true),
            count_value(l->memory_cycles, true),
            count_value(l->cycles, true),
            number_value(l->latency_s),
            number_value(sim_energy_total_j(&l->energy)),
            count_value(l->dram_read_bytes, true),
            count_value(l->dram_write_bytes, true),
            text_value(sim_bound_names[l->bound]),
        };

        status = sim_store_put_layer(store, row->key, values, err);
    }
    return status;
}

sim_status sim_sweep_put(const sim_sweep *sweep, sim_store *store, const sim_point_row *row, sim_err *err)
{
    const sim_space *space = sweep->space;
    sim_store_value values[COLUMNS_MAX];
    char buffers[SIM_SPACE_AXES_MAX][48];
    int n = 0;
    sim_status status;

    values[n++] = text_value(SIMACC_VERSION);
    values[n++] = text_value(row->arch);
    values[n++] = text_value(row->workload);
    values[n++] = text_value(row->phase);
    values[n++] = text_value(row->policy);
    values[n++] = text_value(row->objective);
    values[n++] = text_value(status_words[row->status]);
    values[n++] = text_value(row->why);
    values[n++] = bits_value(sweep, row, "w", row->w_bits);
    values[n++] = bits_value(sweep, row, "a", row->a_bits);
    values[n++] = bits_value(sweep, row, "kv", row->kv_bits);
    for (int i = 0; i < sim_space_axes(space); i++)
        if (!is_fixed(sim_space_name(space, i)))
            values[n++] = axis_value(sweep, row, i, buffers[i], sizeof buffers[i]);
    for (int i = 0; i < SIM_SWEEP_FIGURES; i++)
        values[n++] = number_value(row->figures[i]);
    status = sim_store_put(store, row->key, values, err);
    return status == SIM_OK ? put_layers(store, row, err) : status;
}
