/* A run as a timeline. Layers come in the order of the workload: an instance "layers.7.q_proj" is looked up
 * in the group "layers.0-31.q_proj" that the result holds for it. */
#include "output/trace.h"

#include "base/arena.h"
#include "base/json.h"
#include "output/fields.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESS = 1, TRACK_LAYERS = 1, TRACK_ARRAY, TRACK_VECTOR, TRACK_DRAM, TRACK_TILES, TRACK_END };

/* A layer of many tiles is drawn as a few runs of tiles: 16 at most, and fewer in a trace of many layers,
 * whose slices of tiles number about SLICES_MOST in all. */
enum { RUNS_MOST = 16, SLICES_MOST = 20000, TRACKS_OF_TILES = 3 };

static const struct {
    const char *name;
    int place; /* from the top */
} tracks[TRACK_END] = {[TRACK_LAYERS] = {"layers", 1},
                       [TRACK_ARRAY] = {"array", 3},
                       [TRACK_VECTOR] = {"vector unit", 4},
                       [TRACK_DRAM] = {"DRAM", 5},
                       [TRACK_TILES] = {"tiles", 2}};

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

static void begin_metadata(sim_json_writer *w, const char *what, int track)
{
    sim_json_begin(w, NULL, '{', true);
    sim_json_put_text(w, "name", what);
    sim_json_put_text(w, "ph", "M");
    sim_json_put_int(w, "pid", PROCESS);
    sim_json_put_int(w, "tid", track);
    sim_json_begin(w, "args", '{', true);
}

static void end_metadata(sim_json_writer *w)
{
    sim_json_end(w, '}');
    sim_json_end(w, '}');
}

static void put_tracks(sim_json_writer *w, const char *process)
{
    begin_metadata(w, "process_name", 0);
    sim_json_put_text(w, "name", process);
    end_metadata(w);
    for (int track = TRACK_LAYERS; track < TRACK_END; track++) {
        begin_metadata(w, "thread_name", track);
        sim_json_put_text(w, "name", tracks[track].name);
        end_metadata(w);
        begin_metadata(w, "thread_sort_index", track);
        sim_json_put_int(w, "sort_index", tracks[track].place);
        end_metadata(w);
    }
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

/* ---- tiles --------------------------------------------------------------------------------------- */

static int64_t tiles_of(const sim_layer_result *layer, int64_t repeat)
{
    const sim_mapping *map = &layer->mapping;
    double tiles = (double)repeat * (double)layer->batch;

    if (!layer->has_mapping || map->tile_m < 1 || map->tile_n < 1 || map->tile_k < 1)
        return 1;
    tiles *= ceil((double)layer->m / (double)map->tile_m) * ceil((double)layer->n / (double)map->tile_n) *
             ceil((double)layer->k / (double)map->tile_k);
    return tiles >= 1 && tiles < 9e15 ? (int64_t)tiles : 1;
}

/* The slices of one layer, over which tiles are spread evenly. */
typedef struct span {
    const char *name;
    const sim_layer_result *layer;
    double start_us, length_us;
    int64_t tiles, runs;
} span;

/* Run i of tiles on the track of tiles: which of them it holds. */
static void put_tiles(sim_json_writer *w, const span *s)
{
    for (int64_t i = 0; i < s->runs; i++) {
        const double share = s->length_us / (double)s->runs;
        const int64_t first = s->tiles / s->runs * i + (s->tiles % s->runs) * i / s->runs;
        const int64_t last = s->tiles / s->runs * (i + 1) + (s->tiles % s->runs) * (i + 1) / s->runs;

        begin_slice(w, s->name, s->layer, TRACK_TILES, s->start_us + share * (double)i, share);
        sim_json_begin(w, "args", '{', true);
        sim_json_put_int(w, "first_tile", first + 1);
        sim_json_put_int(w, "tiles", last - first);
        sim_json_put_int(w, "of", s->tiles);
        sim_json_end(w, '}');
        sim_json_end(w, '}');
    }
}

/* What a unit is busy in the layer, an equal part in each run of tiles: at its start (loads come first) or up
 * to its end. */
static void put_busy(sim_json_writer *w, const span *s, int track, double busy_us, bool at_start)
{
    const double share = s->length_us / (double)s->runs, busy = fmin(busy_us, s->length_us) / (double)s->runs;

    for (int64_t i = 0; i < s->runs && busy > 0; i++) {
        begin_slice(w, s->name, s->layer, track,
                    s->start_us + share * (double)i + (at_start ? 0.0 : share - busy), busy);
        sim_json_end(w, '}');
    }
}

/* One layer of the workload, `repeat` instances of the group; of several steps, all of them on end. When
 * within a layer the units are busy is not part of the result, only for how long. */
static void put_layer(sim_json_writer *w, const sim_result *result, const sim_layer_result *layer,
                      const char *name, int64_t repeat, double start_us, int64_t runs_most)
{
    const double times = (double)repeat, length_us = layer->latency_s * 1e6 * times;
    const double cycle_us = 1.0 / result->arch->clock_mhz;
    const double bytes = (double)layer->dram_read_bytes + (double)layer->dram_write_bytes;
    const int64_t tiles = tiles_of(layer, repeat), runs = tiles < runs_most ? tiles : runs_most;
    const span s = {name, layer, start_us, length_us, tiles, runs};

    begin_slice(w, name, layer, TRACK_LAYERS, start_us, length_us);
    put_arguments(w, layer, repeat);
    sim_json_end(w, '}');
    if (layer->has_mapping && length_us > 0)
        put_tiles(w, &s);
    put_busy(w, &s, sim_layer_is_product(layer) ? TRACK_ARRAY : TRACK_VECTOR,
             (double)layer->compute_cycles * cycle_us * times, false);
    put_busy(w, &s, TRACK_DRAM, (double)layer->memory_cycles * cycle_us * times, true);
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
    int64_t runs_most = SLICES_MOST / TRACKS_OF_TILES / (workload->layer_count + 1);
    sim_arena arena;
    int64_t *left;

    runs_most = runs_most < 1 ? 1 : runs_most > RUNS_MOST ? RUNS_MOST : runs_most;

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
    put_tracks(&w, result->arch->name);

    for (int64_t i = 0; i < workload->layer_count; i++) {
        const sim_layer *instance = &workload->layers[i];
        const int64_t g = find_group(result, left, instance),
                      steps = instance->steps > 1 ? instance->steps : 1;
        int64_t repeat;

        if (g < 0)
            continue;
        repeat = instance->repeat * (steps / result->layers[g].steps); /* a sum holds all of its steps */
        put_layer(&w, result, &result->layers[g], instance->name, repeat, now_us, runs_most);
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
