/* Topologies of SCALE-Sim: one layer per line, convolutions or GEMMs.
 *
 *   Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
 *   Layer, M, N, K,
 *
 * M x K inputs times K x N weights: M, N and K mean what they mean here. Lines end in a comma; columns behind
 * these (sparsity) are not read. The input of a convolution has its padding in it, and where the stride does
 * not divide, SCALE-Sim counts one more output than there is room for, ceil((h - r + stride) / stride)
 * (https://github.com/scalesim-project/SCALE-Sim, scalesim/topology_utils.py): the input grows to make room.
 */
#include "input/import.h"

#include "base/text.h"
#include "format/csv.h"
#include "input/json_tree.h"

#include <ctype.h>
#include <string.h>

enum { FILE_MAX_BYTES = 64 * 1024 * 1024, NAME_BYTES = 64 };

typedef enum column {
    COLUMN_NAME,
    COLUMN_H,
    COLUMN_W,
    COLUMN_R,
    COLUMN_S,
    COLUMN_C,
    COLUMN_FILTERS,
    COLUMN_STRIDE,
    COLUMN_M,
    COLUMN_N,
    COLUMN_K,
    COLUMN_COUNT
} column;

/* Headers, in small letters and digits alone. */
static const struct {
    const char *word;
    column is;
} words[] = {
    {"layername", COLUMN_NAME},
    {"layer", COLUMN_NAME},
    {"name", COLUMN_NAME},
    {"ifmapheight", COLUMN_H},
    {"ifmapwidth", COLUMN_W},
    {"filterheight", COLUMN_R},
    {"filterwidth", COLUMN_S},
    {"channels", COLUMN_C},
    {"numfilter", COLUMN_FILTERS},
    {"numfilters", COLUMN_FILTERS},
    {"strides", COLUMN_STRIDE},
    {"stride", COLUMN_STRIDE},
    {"m", COLUMN_M},
    {"n", COLUMN_N},
    {"k", COLUMN_K},
};

typedef struct topology {
    const sim_csv *csv;
    int at[COLUMN_COUNT]; /* -1: absent */
    sim_json_maker make;
    sim_err *err;
    sim_status status;
    bool grown; /* an input was made larger */
} topology;

/* Lines without the blanks and commas that they end in. */
static void trim_lines(char *text, size_t *length)
{
    size_t to = 0;

    for (size_t from = 0; from < *length; from++) {
        if (text[from] == '\n')
            while (to > 0 && strchr(", \t\r", text[to - 1]))
                to--;
        text[to++] = text[from];
    }
    while (to > 0 && strchr(", \t\r", text[to - 1]))
        to--;
    text[to] = '\0';
    *length = to;
}

static void find_columns(topology *t)
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        t->at[i] = -1;
    for (int i = 0; i < t->csv->column_count; i++) {
        char word[NAME_BYTES];
        size_t n = 0;

        for (const char *p = t->csv->columns[i]; *p && n + 1 < sizeof word; p++)
            if (isalnum((unsigned char)*p))
                word[n++] = (char)tolower((unsigned char)*p);
        word[n] = '\0';
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            if (strcmp(words[w].word, word) == 0 && t->at[words[w].is] < 0)
                t->at[words[w].is] = i;
    }
}

/* A cell without blanks around it, in the arena; NULL when memory is out. */
static char *cell_of(topology *t, int64_t row, column c)
{
    const char *text = sim_csv_text(t->csv, row, t->at[c]);
    size_t length;

    text += strspn(text, " \t");
    for (length = strlen(text); length > 0 && strchr(" \t", text[length - 1]);)
        length--;
    return sim_arena_text(t->make.arena, text, length);
}

/* A positive number; 0 after an error. */
static int64_t number_of(topology *t, int64_t row, column c)
{
    const char *text = cell_of(t, row, c), *name = t->csv->columns[t->at[c]];
    int64_t value = 0;

    if (!text)
        t->make.failed = true;
    else if (sim_parse_int(text, &value) && value > 0)
        return value;
    else
        t->status = sim_fail(t->err, SIM_BAD_INPUT, t->csv->file, t->csv->lines[row],
                             "column '%s': '%s' is not a positive integer", name + strspn(name, " \t"), text);
    return 0;
}

/* The input that holds all outputs which SCALE-Sim counts. */
static int64_t room_for(topology *t, int64_t row, int64_t input, int64_t kernel, int64_t stride)
{
    int64_t rest = input >= kernel ? (input - kernel) % stride : 0;

    if (rest == 0)
        return input; /* a kernel that does not fit is an error of the layer */
    if (input > INT64_MAX - stride) {
        t->status = sim_fail(t->err, SIM_OVERFLOW, t->csv->file, t->csv->lines[row], "sizes beyond 63 bits");
        return input;
    }
    t->grown = true;
    return input + stride - rest;
}

static void read_convolution(topology *t, int64_t row, sim_json_open *layer)
{
    int64_t stride = number_of(t, row, COLUMN_STRIDE), h = number_of(t, row, COLUMN_H);
    int64_t w = number_of(t, row, COLUMN_W), r = number_of(t, row, COLUMN_R), s = number_of(t, row, COLUMN_S);

    sim_json_make_text(&t->make, layer, "op", "conv2d");
    if (h > 0 && w > 0 && r > 0 && s > 0 && stride > 0) {
        sim_json_make_int(&t->make, layer, "h_in", room_for(t, row, h, r, stride));
        sim_json_make_int(&t->make, layer, "w_in", room_for(t, row, w, s, stride));
    }
    sim_json_make_int(&t->make, layer, "c_in", number_of(t, row, COLUMN_C));
    sim_json_make_int(&t->make, layer, "c_out", number_of(t, row, COLUMN_FILTERS));
    sim_json_make_int(&t->make, layer, "kernel_h", r);
    sim_json_make_int(&t->make, layer, "kernel_w", s);
    sim_json_make_int(&t->make, layer, "stride", stride);
}

static void read_product(topology *t, int64_t row, sim_json_open *layer)
{
    sim_json_make_text(&t->make, layer, "op", "matmul");
    sim_json_make_int(&t->make, layer, "m", number_of(t, row, COLUMN_M));
    sim_json_make_int(&t->make, layer, "n", number_of(t, row, COLUMN_N));
    sim_json_make_int(&t->make, layer, "k", number_of(t, row, COLUMN_K));
}

static bool has(const topology *t, column first, column last)
{
    for (int i = (int)first; i <= (int)last; i++)
        if (t->at[i] < 0)
            return false;
    return true;
}

static sim_status read_rows(topology *t, const char *name, const sim_json **root)
{
    const bool convolutions = has(t, COLUMN_H, COLUMN_STRIDE);
    sim_json_open workload = sim_json_make(&t->make, NULL, NULL, SIM_JSON_OBJECT);
    sim_json_open layers;

    sim_json_make_text(&t->make, &workload, "name", name);
    layers = sim_json_make(&t->make, &workload, "layers", SIM_JSON_ARRAY);
    for (int64_t row = 0; row < t->csv->row_count; row++) {
        sim_json_open layer;

        t->make.line = t->csv->lines[row];
        layer = sim_json_make(&t->make, &layers, NULL, SIM_JSON_OBJECT);
        sim_json_make_text(&t->make, &layer, "name", cell_of(t, row, COLUMN_NAME));
        if (convolutions)
            read_convolution(t, row, &layer);
        else
            read_product(t, row, &layer);
    }
    *root = workload.value;
    if (t->make.failed)
        return sim_fail(t->err, SIM_NO_MEMORY, t->csv->file, 0, "out of memory");
    return t->status;
}

sim_status sim_import_topology(const char *path, sim_arena *arena, sim_import *out, sim_err *err)
{
    topology t = {.err = err, .make = {.arena = arena, .line = 1}};
    char *text;
    size_t length;
    sim_csv csv;
    sim_status status = sim_text_read_file(path, FILE_MAX_BYTES, arena, &text, &length, err);

    if (status != SIM_OK)
        return status;
    trim_lines(text, &length);
    status = sim_csv_parse(text, length, path, arena, &csv, err);
    if (status != SIM_OK)
        return status;
    t.csv = &csv;
    find_columns(&t);
    if (t.at[COLUMN_NAME] < 0 || !(has(&t, COLUMN_H, COLUMN_STRIDE) || has(&t, COLUMN_M, COLUMN_K))) {
        sim_fail(err, SIM_BAD_INPUT, path, csv.header_line, "is no topology of SCALE-Sim");
        sim_hint(err, "its columns are Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, "
                      "Channels, Num Filter, Strides; or Layer, M, N, K");
        return SIM_BAD_INPUT;
    }
    out->is_list = true;
    status = read_rows(&t, out->name, &out->root);
    if (t.grown)
        out->assumed = "where a stride does not divide, outputs are counted as SCALE-Sim does, one more";
    return status;
}
