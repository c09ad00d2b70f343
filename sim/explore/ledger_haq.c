/* HAQ's published latencies: its table of MobileNet-V2's layers, and whole networks at fixed bits. */
#include "explore/ledger.h"
#include "input/arch.h"
#include "model/backend.h"

#include <math.h>
#include <string.h>

static const char arch_name[] = "bismo_haq_cloud.cfg";
static const double table_target = 0.002, latency_target = 0.001;
static const int64_t published_images = 16;

static sim_status missing_column(const sim_csv *csv, const char *name, sim_err *err)
{
    return sim_fail(err, SIM_BAD_INPUT, csv->file, 1, "no column '%s'", name);
}

static sim_status read_sizes(const sim_csv *csv, int64_t row, const char *const *columns, int count,
                             int64_t *out, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int i = 0; i < count && status == SIM_OK; i++) {
        status = sim_csv_int(csv, row, columns[i], &out[i], err);
        if (status == SIM_OK && (out[i] < 1 || out[i] > 1 << 20))
            status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[row], "column '%s' is out of range",
                              columns[i]);
    }
    return status;
}

/* A row as a layer of `images`. Types: conv, pw (1x1), dw (one input channel per group and output), fc (a
 * product with a row per image). Kernels are odd and padded by half of them, as everywhere in MobileNets. */
static sim_status read_layer(const sim_csv *csv, int64_t row, int64_t images, sim_layer *out, sim_err *err)
{
    static const char *const columns[] = {"cin", "cout", "k", "stride", "h_in"};
    enum { C_IN, C_OUT, KERNEL, STRIDE, H_IN, COUNT };
    int64_t v[COUNT], groups, side;
    int type_column = sim_csv_column(csv, "type");
    const char *type;
    sim_status status = read_sizes(csv, row, columns, COUNT, v, err);

    if (status == SIM_OK && type_column < 0)
        status = missing_column(csv, "type", err);
    if (status != SIM_OK)
        return status;
    type = sim_csv_text(csv, row, type_column);
    groups = strcmp(type, "dw") == 0 ? v[C_IN] : 1;
    if (v[C_OUT] % groups != 0)
        return sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[row],
                        "column 'cout' is no multiple of the groups");
    *out = (sim_layer){.name = "layer", .op = SIM_OP_MATMUL, .repeat = 1, .m = images, .batch = groups};
    out->n = v[C_OUT] / groups;
    out->k = v[C_IN] / groups * v[KERNEL] * v[KERNEL];
    if (strcmp(type, "fc") == 0)
        return SIM_OK;
    out->op = SIM_OP_CONV2D;
    out->conv = (sim_conv2d){images,    v[H_IN],   v[H_IN],   v[C_IN],       v[C_OUT],
                             v[KERNEL], v[KERNEL], v[STRIDE], v[KERNEL] / 2, groups};
    side = sim_conv_positions(v[H_IN], v[KERNEL], out->conv.padding, v[STRIDE]);
    out->m *= side * side;
    return SIM_OK;
}

static sim_status load(const sim_ledger_context *context, const char *table, sim_csv *csv, sim_arch *arch,
                       sim_layer **layers, sim_err *err)
{
    sim_status status = sim_ledger_csv(context, table, csv, err);

    if (status == SIM_OK)
        status = sim_ledger_arch(context, arch_name, arch, err);
    if (status != SIM_OK)
        return status;
    *layers = sim_arena_alloc(context->arena, (size_t)csv->row_count + 1, sizeof **layers);
    return *layers ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

sim_status sim_check_haq_table(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const char *const columns[] = {"batch", "w_bits", "a_bits"};
    sim_csv csv;
    sim_arch arch;
    sim_layer *layers;
    sim_result result;
    int64_t exact = 0;
    double sum = 0;
    sim_status status = load(context, "haq_mobilenetv2_cloud.csv", &csv, &arch, &layers, err);

    for (int64_t i = 0; status == SIM_OK && i < csv.row_count; i++) {
        int64_t v[3];

        status = read_sizes(&csv, i, columns, 3, v, err);
        if (status == SIM_OK)
            status = read_layer(&csv, i, v[0], &layers[i], err);
        if (status == SIM_OK)
            layers[i].own = (sim_precision){.w = {SIM_FORMAT_INT, v[1] < 32 ? (int)v[1] : 32},
                                            .a = {SIM_FORMAT_INT, v[2] < 32 ? (int)v[2] : 32}};
    }
    if (status == SIM_OK && csv.row_count > 0)
        status = sim_ledger_run(context, &arch, layers, csv.row_count, SIM_LEDGER_OWN_BITS, &result, err);
    for (int64_t i = 0; status == SIM_OK && i < csv.row_count; i++) {
        int64_t expected;

        status = sim_csv_int(&csv, i, "cycles", &expected, err);
        if (status == SIM_OK && expected < 1)
            status = sim_fail(err, SIM_BAD_INPUT, csv.file, csv.lines[i], "column 'cycles' must be positive");
        if (status != SIM_OK)
            break;
        exact += result.layers[i].cycles == expected; /* no name has an index: nothing is grouped */
        sum += fabs((double)result.layers[i].cycles / (double)expected - 1);
    }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "HAQ cloud (BISMO): cycles of MobileNet-V2's layers at w, a of 1 to 8 bits",
        .target = "mean error within 0.2%",
        .result = sim_ledger_text(context, "%lld of %lld exact, mean error %.3f%%", (long long)exact,
                                  (long long)csv.row_count,
                                  csv.row_count > 0 ? 100 * sum / (double)csv.row_count : 0),
        .source = "mit-han-lab/haq 8228d12, every fifth row of its latency table",
        .met = csv.row_count > 0 && sum <= table_target * (double)csv.row_count,
    };
    return SIM_OK;
}

/* Milliseconds of a network at `bits`, without its first and last layer, as HAQ counts. */
static sim_status network_ms(const sim_ledger_context *context, const sim_arch *arch, const sim_csv *csv,
                             sim_layer *layers, const char *network, int bits, double *out, sim_err *err)
{
    int column = sim_csv_column(csv, "network");
    int64_t count = 0;
    sim_result result;
    sim_status status = column < 0 ? missing_column(csv, "network", err) : SIM_OK;

    for (int64_t i = 0; status == SIM_OK && i < csv->row_count; i++)
        if (strcmp(sim_csv_text(csv, i, column), network) == 0)
            status = read_layer(csv, i, published_images, &layers[count++], err);
    if (status == SIM_OK && count < 3)
        status = sim_fail(err, SIM_BAD_INPUT, csv->file, 1, "'%s' has %d layers", network, (int)count);
    if (status == SIM_OK)
        status = sim_ledger_run(context, arch, layers + 1, count - 2, bits, &result, err);
    if (status == SIM_OK)
        *out = result.totals.latency_s * 1e3;
    return status;
}

static sim_status check_latency(const sim_ledger_context *context, const char *network, const char *claim,
                                const char *source, sim_ledger_row *out, sim_err *err)
{
    sim_csv networks, published;
    sim_arch arch;
    sim_layer *layers;
    const char *text = "";
    double worst = 0;
    int64_t compared = 0;
    int column;
    sim_status status = load(context, "haq_networks.csv", &networks, &arch, &layers, err);

    if (status == SIM_OK)
        status = sim_ledger_csv(context, "haq_published.csv", &published, err);
    if (status != SIM_OK)
        return status;
    column = sim_csv_column(&published, "network");
    if (column < 0)
        return missing_column(&published, "network", err);
    for (int64_t i = 0; i < published.row_count; i++) {
        int64_t bits;
        double ms, expected;

        if (strcmp(sim_csv_text(&published, i, column), network) != 0)
            continue;
        status = sim_csv_int(&published, i, "bits", &bits, err);
        if (status == SIM_OK)
            status = sim_csv_real(&published, i, "latency_ms", &expected, err);
        if (status == SIM_OK && (bits < 1 || bits > 16 || !(expected > 0)))
            status = sim_fail(err, SIM_BAD_INPUT, published.file, published.lines[i],
                              "'bits' must be 1 to 16 and 'latency_ms' positive");
        if (status == SIM_OK)
            status = network_ms(context, &arch, &networks, layers, network, (int)bits, &ms, err);
        if (status != SIM_OK)
            return status;
        worst = fmax(worst, fabs(ms / expected - 1));
        text = sim_ledger_text(context, "%s%s%.2f (%.2f)", text, compared++ ? ", " : "", ms, expected);
    }
    *out = (sim_ledger_row){
        .claim = claim,
        .target = "within 0.1%",
        .result = sim_ledger_text(context, "%s ms, within %.3f%%", text, 100 * worst),
        .source = source,
        .met = compared > 0 && worst <= latency_target,
    };
    return SIM_OK;
}

sim_status sim_check_haq_v2(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return check_latency(context, "MobileNet-V2",
                         "HAQ cloud (BISMO): MobileNet-V2 at 4, 5, 6, 8 bits (published)",
                         "HAQ, CVPR 2019; first and last layer left out as there", out, err);
}

sim_status sim_check_haq_v1(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return check_latency(context, "MobileNet-V1",
                         "HAQ cloud (BISMO): MobileNet-V1 at 4, 5, 6, 8 bits (published)",
                         "HAQ, CVPR 2019, as recalled; nothing was fitted to this network", out, err);
}
