/* A run as a timeline. Layers come in the order of the workload: an instance "layers.7.q_proj" is looked up
 * in the group "layers.0-31.q_proj" that the result holds for it. */
#include "output/trace.h"

#include "base/arena.h"
#include "base/json.h"
#include "output/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESS = 1, TRACK_LAYERS = 1, TRACK_ARRAY, TRACK_VECTOR, TRACK_DRAM, TRACK_END };

static const char *const track_names[TRACK_END] = {[TRACK_LAYERS] = "layers",
                                                   [TRACK_ARRAY] = "array",
                                                   [TRACK_VECTOR] = "vector unit",
                                                   [TRACK_DRAM] = "DRAM"};

/* ---- which group an instance belongs to ---------------------------------------------------------- */

/* Whether `index` is in a list such as "0-2,4,6-31"; `*end` is where the list ends. */
static bool in_ranges(const char *list, int64_t index, const char **end)
{
    bool found = false;

    while (*list >= '0' && *list <= '9') {
        char *after;
        int64_t first = strtoll(list, &after, 10), last = first;

        if (*after == '-')
            last = strtoll(after + 1, &after, 10);
        found |= index >= first && index <= last;
        list = after;
        if (*list != ',')
            break;
        list++;
    }
    *end = list;
    return found;
}

/* "layers.0-31.q_proj" stands for "layers.7.q_proj". */
static bool stands_for(const char *group, const char *instance)
{
    static const char stem[] = "layers.";
    const char *at = strstr(instance, stem), *suffix;
    size_t prefix;
    char *after;
    int64_t index;

    if (strcmp(group, instance) == 0)
        return true;
    if (!at)
        return false;
    prefix = (size_t)(at - instance) + sizeof stem - 1;
    if (strncmp(group, instance, prefix) != 0 || instance[prefix] < '0' || instance[prefix] > '9')
        return false;
    index = strtoll(instance + prefix, &after, 10);
    return in_ranges(group + prefix, index, &suffix) && strcmp(suffix, after) == 0;
}

/* The group with instances left that stands for the layer; -1 for none. */
static int64_t find_group(const sim_result *result, const int64_t *left, const sim_layer *layer)
{
    for (int64_t g = 0; g < result->layer_count; g++)
        if (left[g] > 0 && result->layers[g].phase == layer->phase &&
            stands_for(result->layers[g].name, layer->name))
            return g;
    return -1;
}

/* ---- events -------------------------------------------------------------------------------------- */

static void put_track(sim_json_writer *w, const char *what, int track, const char *name)
{
    sim_json_begin(w, NULL, '{', true);
    sim_json_put_text(w, "name", what);
    sim_json_put_text(w, "ph", "M");
    sim_json_put_int(w, "pid", PROCESS);
    sim_json_put_int(w, "tid", track);
    sim_json_begin(w, "args", '{', true);
    sim_json_put_text(w, "name", name);
    sim_json_end(w, '}');
    sim_json_end(w, '}');
}

static void begin_slice(sim_json_writer *w, const char *name, const sim_layer_result *layer, int track,
                        double start_us, double length_us)
{
    sim_json_begin(w, NULL, '{', true);
    sim_json_put_text(w, "name", name);
    sim_json_put_text(w, "cat", sim_op_names[layer->op]);
    sim_json_put_text(w, "ph", "X");
    sim_json_put_int(w, "pid", PROCESS);
    sim_json_put_int(w, "tid", track);
    sim_json_put_real(w, "ts", start_us);
    sim_json_put_real(w, "dur", length_us);
}

/* What a click on the slice shows: the fields of the report, of one instance. */
static void put_arguments(sim_json_writer *w, const sim_layer_result *layer, int64_t repeat)
{
    sim_field fields[SIM_FIELDS_MAX];
    const int count = sim_layer_fields(layer, fields);

    sim_json_begin(w, "args", '{', true);
    sim_json_put_int(w, "instances", repeat);
    for (int i = 0; i < count; i++) {
        const sim_field *f = &fields[i];

        if (f->group || strcmp(f->key, "name") == 0 || strcmp(f->key, "repeat") == 0)
            continue;
        if (f->type == SIM_FIELD_TEXT)
            sim_json_put_text(w, f->key, f->text);
        else if (f->type == SIM_FIELD_INT)
            sim_json_put_int(w, f->key, f->integer);
        else if (f->type == SIM_FIELD_REAL)
            sim_json_put_real(w, f->key, f->real);
    }
    sim_json_end(w, '}');
}

static void put_counter(sim_json_writer *w, const char *name, const char *unit, double at_us, double value)
{
    sim_json_begin(w, NULL, '{', true);
    sim_json_put_text(w, "name", name);
    sim_json_put_text(w, "ph", "C");
    sim_json_put_int(w, "pid", PROCESS);
    sim_json_put_real(w, "ts", at_us);
    sim_json_begin(w, "args", '{', true);
    sim_json_put_real(w, unit, value);
    sim_json_end(w, '}');
    sim_json_end(w, '}');
}

/* One layer of the workload, `repeat` instances of the group; of several steps, all of them on end. Where
 * within a layer the units are busy is not part of the result: the channel is drawn from the layer's start,
 * since loads come first, and the array up to its end. */
static void put_layer(sim_json_writer *w, const sim_result *result, const sim_layer_result *layer,
                      const char *name, int64_t repeat, double start_us)
{
    const double times = (double)repeat, length_us = layer->latency_s * 1e6 * times;
    const double cycle_us = 1.0 / result->arch->clock_mhz;
    double compute_us = (double)layer->compute_cycles * cycle_us * times;
    double memory_us = (double)layer->memory_cycles * cycle_us * times;
    const double bytes = (double)layer->dram_read_bytes + (double)layer->dram_write_bytes;

    compute_us = compute_us > length_us ? length_us : compute_us;
    memory_us = memory_us > length_us ? length_us : memory_us;
    begin_slice(w, name, layer, TRACK_LAYERS, start_us, length_us);
    put_arguments(w, layer, repeat);
    sim_json_end(w, '}');
    if (compute_us > 0) {
        begin_slice(w, name, layer, sim_layer_is_product(layer) ? TRACK_ARRAY : TRACK_VECTOR,
                    start_us + length_us - compute_us, compute_us);
        sim_json_end(w, '}');
    }
    if (memory_us > 0) {
        begin_slice(w, name, layer, TRACK_DRAM, start_us, memory_us);
        sim_json_end(w, '}');
    }
    if (length_us > 0) {
        put_counter(w, "DRAM traffic", "GB/s", start_us, bytes * times / length_us * 1e-3);
        put_counter(w, "power", "W", start_us, sim_energy_total_j(&layer->energy) * times / length_us * 1e6);
    }
}

void sim_trace(const sim_result *result, sim_text *out)
{
    const sim_workload *workload = result->workload;
    sim_json_writer w = {.out = out, .first = true};
    double now_us = 0.0;
    sim_arena arena;
    int64_t *left;

    sim_arena_init(&arena, &out->allocator);
    left = sim_arena_alloc(&arena, (size_t)result->layer_count, sizeof *left);
    if (!left) {
        out->failed = true;
        return;
    }
    for (int64_t g = 0; g < result->layer_count; g++)
        left[g] = result->layers[g].repeat;

    sim_json_begin(&w, NULL, '{', false);
    sim_json_put_text(&w, "displayTimeUnit", "ms");
    sim_json_begin(&w, "otherData", '{', true);
    sim_json_put_text(&w, "arch", result->arch->name);
    sim_json_put_text(&w, "workload", workload->name);
    sim_json_put_text(&w, "policy", result->policy->name);
    sim_json_end(&w, '}');
    sim_json_begin(&w, "traceEvents", '[', false);
    put_track(&w, "process_name", 0, result->arch->name);
    for (int track = TRACK_LAYERS; track < TRACK_END; track++)
        put_track(&w, "thread_name", track, track_names[track]);

    for (int64_t i = 0; i < workload->layer_count; i++) {
        const sim_layer *instance = &workload->layers[i];
        const int64_t g = find_group(result, left, instance),
                      steps = instance->steps > 1 ? instance->steps : 1;
        int64_t repeat;

        if (g < 0)
            continue;
        repeat = instance->repeat * (steps / result->layers[g].steps); /* a sum holds all of its steps */
        put_layer(&w, result, &result->layers[g], instance->name, repeat, now_us);
        now_us += result->layers[g].latency_s * 1e6 * (double)repeat;
        left[g] -= repeat;
    }
    put_counter(&w, "DRAM traffic", "GB/s", now_us, 0.0);
    put_counter(&w, "power", "W", now_us, 0.0);
    sim_json_end(&w, ']');
    sim_json_end(&w, '}');
    sim_text_add(out, "\n");
    sim_arena_free(&arena);
}
