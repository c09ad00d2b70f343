/* JSON and CSV of a result: the contract that tools depend on. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "output/report.h"
#include "result_fixture.h"

static const char *const top_keys[] = {"schema", "simacc", "arch",       "workload", "policy",
                                       "totals", "layers", "provenance", NULL};
static const char *const total_keys[] = {"macs",
                                         "compute_cycles",
                                         "cycles",
                                         "latency_s",
                                         "energy_j",
                                         "power_w",
                                         "dram_read_bytes",
                                         "dram_write_bytes",
                                         "weight_bytes",
                                         "kv_cache_bytes",
                                         "peak_memory_bytes",
                                         "memory_fits",
                                         "tokens_per_s",
                                         "utilization_frac",
                                         "area_mm2",
                                         "energy_breakdown_j",
                                         "devices",
                                         "device_memory_bytes",
                                         "link_bytes",
                                         "steady_tokens_per_s",
                                         "arch",
                                         "workload",
                                         "policy",
                                         "peak_macs_per_s",
                                         "dram_bandwidth_bytes_per_s",
                                         NULL};
static const char *const layer_keys[] = {"name",
                                         "op",
                                         "repeat",
                                         "m",
                                         "n",
                                         "k",
                                         "batch",
                                         "w_format",
                                         "w_bits",
                                         "a_format",
                                         "a_bits",
                                         "kv_bits",
                                         "macs",
                                         "compute_cycles",
                                         "memory_cycles",
                                         "cycles",
                                         "latency_s",
                                         "energy_j",
                                         "energy_breakdown_j",
                                         "dram_read_bytes",
                                         "dram_write_bytes",
                                         "sram_read_bits",
                                         "sram_write_bits",
                                         "utilization_frac",
                                         "bound",
                                         "mapping",
                                         "devices",
                                         "link_bytes",
                                         NULL};
static const char *const energy_keys[] = {"mac",    "register", "sram", "dram",
                                          "vector", "static",   "link", NULL};
static const char *const mapping_keys[] = {"dataflow", "tile_m", "tile_n", "tile_k", "order", NULL};

static const char csv_header[] =
    "name,op,repeat,m,n,k,batch,w_format,w_bits,a_format,a_bits,kv_bits,macs,"
    "compute_cycles,memory_cycles,cycles,latency_s,energy_j,"
    "energy_breakdown_j_mac,energy_breakdown_j_register,energy_breakdown_j_sram,"
    "energy_breakdown_j_dram,energy_breakdown_j_vector,"
    "energy_breakdown_j_static,energy_breakdown_j_link,dram_read_bytes,dram_write_bytes,sram_read_bits,"
    "sram_write_bits,utilization_frac,bound,"
    "mapping_dataflow,mapping_tile_m,mapping_tile_n,mapping_tile_k,mapping_"
    "order,devices,link_bytes,arch,workload,policy,peak_macs_per_s,"
    "dram_bandwidth_bytes_per_s";

static fixture f;
static sim_arena arena;
static sim_text text;

static void setup(void)
{
    fixture_init(&f);
    sim_arena_init(&arena, NULL);
    text = (sim_text){.length = 0};
}

static void teardown(void)
{
    sim_arena_free(&arena);
    sim_text_free(&text);
}

TestSuite(report, .init = setup, .fini = teardown);

static const sim_json *parse(void)
{
    sim_err err = {0};
    const sim_json *root = NULL;

    sim_report_json(&f.result, &text);
    cr_assert_not(text.failed);
    cr_assert_eq(sim_json_parse(text.data, text.length, "report", &arena, &root, &err), SIM_OK, "%s",
                 err.items[0].text);
    return root;
}

/* All keys, no others, in this order. */
static void check_keys(const sim_json *object, const char *const *keys)
{
    const sim_json *member = object->child;

    cr_assert_eq(object->type, SIM_JSON_OBJECT);
    for (int i = 0; keys[i]; i++, member = member->next) {
        cr_assert_not_null(member, "'%s' is missing", keys[i]);
        cr_assert_str_eq(member->key, keys[i]);
    }
    cr_assert_null(member, "unexpected '%s'", member->key);
}

static const sim_json *at(const sim_json *object, const char *key)
{
    const sim_json *value = sim_json_get(object, key);

    cr_assert_not_null(value, "'%s' is missing", key);
    return value;
}

static bool is_null(const sim_json *object, const char *key)
{
    return at(object, key)->type == SIM_JSON_NULL;
}

Test(report, json_has_every_key_in_order)
{
    const sim_json *root = parse(), *layers = at(root, "layers");

    check_keys(root, top_keys);
    check_keys(at(root, "totals"), total_keys);
    check_keys(at(at(root, "totals"), "energy_breakdown_j"), energy_keys);
    cr_assert_eq(layers->count, FIXTURE_LAYERS);
    for (const sim_json *layer = layers->child; layer; layer = layer->next) {
        check_keys(layer, layer_keys);
        check_keys(at(layer, "energy_breakdown_j"), energy_keys);
        if (!is_null(layer, "mapping"))
            check_keys(at(layer, "mapping"), mapping_keys);
    }
    cr_assert_str_eq(at(at(root, "arch"), "file")->text, "arch/paper.cfg");
    cr_assert_str_eq(at(at(root, "arch"), "backend")->text, "paper");
    cr_assert_str_eq(at(at(root, "workload"), "phase")->text, "decode");
    cr_assert_str_eq(at(at(root, "provenance"), "energy")->text, "assumed");
    cr_assert_str_eq(at(at(root, "provenance"), "calibration")->text, "none");
}

Test(report, json_values_round_trip)
{
    const sim_json *root = parse(), *first = at(root, "layers")->child;
    const sim_json *map = at(first, "mapping");

    cr_assert_eq(at(first, "sram_read_bits")->real, 123456789.5);
    cr_assert_eq(at(first, "sram_write_bits")->real, 1e17);
    cr_assert_eq(at(first, "latency_s")->real, 9.1e-6);
    cr_assert_eq(at(first, "energy_j")->real, sim_energy_total_j(&f.layers[0].energy));
    cr_assert_eq(at(first, "w_bits")->integer, 3);
    cr_assert_eq(at(first, "macs")->integer, 16777216);
    cr_assert_str_eq(at(map, "dataflow")->text, "ws");
    cr_assert_str_eq(at(map, "order")->text, "nkm");
    cr_assert_eq(at(map, "tile_n")->integer, 512);
    cr_assert_eq(at(at(root, "totals"), "power_w")->real,
                 sim_energy_total_j(&f.result.totals.energy) / 131.3e-6);
    cr_assert(at(at(root, "totals"), "memory_fits")->boolean);
    cr_assert_str_eq(at(first->next->next->next, "name")->text, "stem, \"first\" conv");
    cr_assert_str_eq(at(first->next->next->next, "w_format")->text, "fp");
}

Test(report, what_does_not_apply_or_is_unknown_is_null)
{
    const sim_json *root, *totals, *vector;

    f.workload.phase = SIM_PHASE_NONE;
    f.workload.tokens = 0;
    root = parse();
    totals = at(root, "totals");
    vector = at(root, "layers")->child->next->next;
    cr_assert(is_null(at(root, "workload"), "phase"));
    cr_assert(is_null(at(root, "workload"), "tokens"));
    cr_assert(is_null(totals, "kv_cache_bytes"));
    cr_assert(is_null(totals, "tokens_per_s"));
    cr_assert(is_null(totals, "area_mm2"));
    for (int i = 0; i < 5; i++)
        cr_assert(is_null(
            vector, ((const char *const[]){"k", "w_format", "w_bits", "mapping", "utilization_frac"})[i]));
    cr_assert(is_null(at(root, "layers")->child, "kv_bits"));
    cr_assert_eq(at(vector, "macs")->integer, 0);
    cr_assert_eq(at(at(root, "layers")->child->next, "kv_bits")->integer, 4);
}

Test(report, what_is_known_is_not_null)
{
    const sim_json *totals;

    f.result.totals.kv_cache_bytes = 0;
    f.result.totals.tokens_per_s = 7616.5;
    f.result.totals.area_mm2 = 1.25;
    f.result.calibration = "arch/calib/paper.cfg";
    totals = at(parse(), "totals");
    cr_assert_eq(at(totals, "kv_cache_bytes")->integer, 0);
    cr_assert_eq(at(totals, "tokens_per_s")->real, 7616.5);
    cr_assert_eq(at(totals, "area_mm2")->real, 1.25);
    cr_assert_not_null(strstr(text.data, "\"calibration\": \"arch/calib/paper.cfg\""));
}

/* Copies the field number `index` of a CSV line and unquotes it. */
static void csv_field(const char *line, int index, char *out)
{
    bool quoted = false;

    for (; *line && *line != '\n'; line++) {
        if (*line == '"') {
            if (quoted && line[1] == '"' && index == 0)
                *out++ = *line++;
            else
                quoted = !quoted;
        } else if (*line == ',' && !quoted) {
            if (index-- == 0)
                break;
        } else if (index == 0) {
            *out++ = *line;
        }
    }
    *out = '\0';
}

static int csv_column(const char *name)
{
    char field[128];

    for (int i = 0;; i++) {
        csv_field(csv_header, i, field);
        cr_assert_neq(field[0], '\0', "no column '%s'", name);
        if (strcmp(field, name) == 0)
            return i;
    }
}

static void check_csv(int row, const char *column, const char *expected)
{
    const char *line = text.data;
    char field[512];

    for (int i = 0; i <= row; i++)
        line = strchr(line, '\n') + 1;
    csv_field(line, csv_column(column), field);
    cr_assert_str_eq(field, expected, "row %d, %s: '%s' is not '%s'", row, column, field, expected);
}

Test(report, csv_has_the_names_of_the_json)
{
    sim_report_csv(&f.result, &text);
    cr_assert_not(text.failed);
    cr_assert_eq(strncmp(text.data, csv_header, sizeof csv_header - 1), 0);
    cr_assert_eq(text.data[sizeof csv_header - 1], '\n');
}

Test(report, csv_rows)
{
    int lines = 0;

    sim_report_csv(&f.result, &text);
    for (const char *p = text.data; *p; p++)
        lines += *p == '\n';
    cr_assert_eq(lines, 1 + FIXTURE_LAYERS);
    check_csv(0, "name", "layers.0-2.q_proj");
    check_csv(0, "repeat", "3");
    check_csv(0, "latency_s", "9.1e-06");
    check_csv(0, "energy_breakdown_j_static", "1e-07");
    check_csv(0, "mapping_order", "nkm");
    check_csv(0, "dram_bandwidth_bytes_per_s", "25600000000");
    check_csv(2, "k", "");
    check_csv(2, "w_format", "");
    check_csv(2, "mapping_dataflow", "");
    check_csv(2, "utilization_frac", "");
    check_csv(2, "arch", "paper_edge");
    check_csv(3, "name", "stem, \"first\" conv");
    check_csv(3, "op", "conv2d");
    check_csv(4, "workload", "paper_decode");
    check_csv(4, "policy", "w3a8");
}

/* Control characters in a name neither break the CSV nor reach the JSON unescaped. */
Test(report, hostile_names)
{
    const sim_json *root;

    f.layers[0].name = "a\nb\"c\033[31m,d";
    root = parse();
    cr_assert_str_eq(at(at(root, "layers")->child, "name")->text, "a\nb\"c\033[31m,d");
    cr_assert_null(strchr(text.data, '\033'));
    sim_text_free(&text);
    text = (sim_text){.length = 0};
    sim_report_csv(&f.result, &text);
    cr_assert_not_null(strstr(text.data, "\n\"a\nb\"\"c\033[31m,d\",matmul,3,"));
}

Test(report, is_deterministic)
{
    sim_text again = {.length = 0};

    sim_report_json(&f.result, &text);
    sim_report_csv(&f.result, &text);
    sim_report_json(&f.result, &again);
    sim_report_csv(&f.result, &again);
    cr_assert_eq(text.length, again.length);
    cr_assert_eq(memcmp(text.data, again.data, text.length), 0);
    sim_text_free(&again);
}

Test(report, empty_workload)
{
    f.result.layer_count = 0;
    cr_assert_eq(at(parse(), "layers")->count, 0);
    sim_text_free(&text);
    text = (sim_text){.length = 0};
    sim_report_csv(&f.result, &text);
    cr_assert_str_eq(text.data + sizeof csv_header - 1, "\n");
}
