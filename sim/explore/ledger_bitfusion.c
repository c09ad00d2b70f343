/* BitFusion's published results, from its arch file: products, layers of networks, gains over Eyeriss. */
#include "explore/ledger.h"
#include "input/arch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char arch_name[] = "bitfusion_isca18.cfg";
static const double close_enough = 0.01; /* of totals */
static const double most_share = 0.99;   /* of rows that must be as close */
/* Geometric means over the eight networks, as published. */
static const double published_speedup = 3.925, published_energy_gain = 5.117;

static const char source[] = "hsharma35/bitfusion 04ec1c8, the paper's own simulator";

/* ---- rows ------------------------------------------------------------------------------------------ */

/* Integers of a row, each at least 1 and of at most 31 bits. */
static sim_status read_sizes(const sim_csv *csv, int64_t row, const char *const *columns, int count,
                             int64_t *out, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int i = 0; i < count && status == SIM_OK; i++) {
        status = sim_csv_int(csv, row, columns[i], &out[i], err);
        if (status == SIM_OK && (out[i] < 1 || out[i] > INT32_MAX))
            status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[row], "column '%s' is out of range",
                              columns[i]);
    }
    return status;
}

/* What the simulator says of a row. */
typedef struct figures {
    int64_t compute_cycles, cycles;
    double energy_nj;
} figures;

static sim_status read_figures(const sim_csv *csv, int64_t row, figures *out, sim_err *err)
{
    static const char *const columns[] = {"compute_cycles", "cycles"};
    int64_t v[2];
    sim_status status = read_sizes(csv, row, columns, 2, v, err);

    if (status == SIM_OK)
        status = sim_csv_real(csv, row, "energy_nj", &out->energy_nj, err);
    if (status == SIM_OK && !(out->energy_nj > 0))
        status =
            sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[row], "column 'energy_nj' must be positive");
    if (status == SIM_OK) {
        out->compute_cycles = v[0];
        out->cycles = v[1];
    }
    return status;
}

static sim_precision bits(int64_t w, int64_t a)
{
    return (sim_precision){.w = {SIM_FORMAT_INT, (int)w}, .a = {SIM_FORMAT_INT, (int)a}};
}

/* A row of bitfusion_networks.csv as a layer. Outputs are square, and so is the input they span: padding is
 * part of it, as the simulator has it. */
static sim_status read_layer(const sim_csv *csv, int64_t row, sim_layer *out, sim_err *err)
{
    static const char *const columns[] = {"kernel", "out",    "stride", "c_in",
                                          "c_out",  "images", "w_bits", "a_bits"};
    enum { KERNEL, OUT, STRIDE, C_IN, C_OUT, IMAGES, W, A, COUNT };
    int64_t v[COUNT], side;
    sim_status status = read_sizes(csv, row, columns, COUNT, v, err);
    int name = sim_csv_column(csv, "layer");

    if (status == SIM_OK && name < 0)
        status = sim_fail(err, SIM_BAD_INPUT, csv->file, 1, "no column 'layer'");
    if (status != SIM_OK)
        return status;
    *out = (sim_layer){.name = sim_csv_text(csv, row, name),
                       .op = v[KERNEL] > 1 || v[OUT] > 1 ? SIM_OP_CONV2D : SIM_OP_MATMUL,
                       .repeat = 1,
                       .n = v[C_OUT],
                       .batch = 1,
                       .own = bits(v[W], v[A])};
    side = (v[OUT] - 1) * v[STRIDE] + v[KERNEL];
    out->conv = (sim_conv2d){v[IMAGES], side, side, v[C_IN], v[C_OUT], v[KERNEL], v[KERNEL], v[STRIDE], 0, 1};
    if (__builtin_mul_overflow(v[OUT] * v[OUT], v[IMAGES], &out->m) ||
        __builtin_mul_overflow(v[KERNEL] * v[KERNEL], v[C_IN], &out->k))
        return sim_fail(err, SIM_OVERFLOW, csv->file, csv->lines[row], "the layer exceeds 63 bits");
    return SIM_OK;
}

static sim_status run_layer(const sim_ledger_context *context, const sim_arch *arch, const sim_layer *layer,
                            sim_totals *out, sim_err *err)
{
    sim_layer *one = sim_arena_alloc(context->arena, 1, sizeof *one);
    sim_result result;
    sim_status status;

    if (!one)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    *one = *layer;
    status = sim_ledger_run(context, arch, one, 1, SIM_LEDGER_OWN_BITS, &result, err);
    if (status == SIM_OK)
        *out = result.totals;
    return status;
}

/* ---- scores ---------------------------------------------------------------------------------------- */

typedef struct score {
    int64_t rows, exact, near, energy_near;
    double fastest, slowest, worst_energy; /* range of simacc / simulator - 1, and largest distance */
} score;

static void add(score *s, const figures *expected, const sim_totals *t)
{
    double cycles = (double)t->cycles / (double)expected->cycles - 1;
    double energy = fabs(sim_energy_total_j(&t->energy) * 1e9 / expected->energy_nj - 1);

    s->fastest = s->rows ? fmin(s->fastest, cycles) : cycles;
    s->slowest = s->rows ? fmax(s->slowest, cycles) : cycles;
    s->worst_energy = fmax(s->worst_energy, energy);
    s->rows++;
    s->exact += t->compute_cycles == expected->compute_cycles;
    s->near += fabs(cycles) <= close_enough;
    s->energy_near += energy <= close_enough;
}

static sim_ledger_row row_of(const sim_ledger_context *context, const char *claim, const score *s)
{
    return (sim_ledger_row){
        .claim = claim,
        .target = "compute exact; cycles within 1% on >= 99%, none above; energy within 1%",
        .result =
            sim_ledger_text(context,
                            "compute %lld of %lld exact; cycles %lld within 1%%, %+.2f to %+.2f%%; energy "
                            "within %.2f%%",
                            (long long)s->exact, (long long)s->rows, (long long)s->near, s->fastest * 100,
                            s->slowest * 100, s->worst_energy * 100),
        .source = source,
        .met = s->rows > 0 && s->exact == s->rows && (double)s->near >= most_share * (double)s->rows &&
               s->slowest <= close_enough && s->energy_near == s->rows,
    };
}

/* ---- checks ---------------------------------------------------------------------------------------- */

/* The array of a row: the paper evaluates two. */
static sim_status load_array(const sim_ledger_context *context, const int64_t rows_cols_bits[3],
                             sim_arch *out, sim_err *err)
{
    enum { SETTINGS = 4 };
    static const char *const keys[SETTINGS] = {"array.rows", "array.cols", "array.w_bits", "array.a_bits"};
    sim_arch_setting settings[SETTINGS];
    const char *path = sim_arena_printf(context->arena, "%s/%s", context->arch_folder, arch_name);

    for (int i = 0; i < SETTINGS; i++) {
        settings[i].key = keys[i];
        settings[i].value =
            sim_arena_printf(context->arena, "%lld", (long long)rows_cols_bits[i < 3 ? i : 2]);
        if (!settings[i].value)
            path = NULL;
    }
    if (!path)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return sim_arch_load(path, settings, SETTINGS, context->arena, out, err);
}

sim_status sim_check_bitfusion_gemms(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const char *const columns[] = {"rows", "cols", "widest_bits", "m", "n", "k", "w_bits", "a_bits"};
    enum { ARRAY = 3, M = ARRAY, N, K, W, A, COUNT };
    int64_t v[COUNT], loaded[ARRAY] = {0};
    sim_csv csv;
    sim_arch *arch = NULL;
    score s = {0};
    sim_status status = sim_ledger_csv(context, "bitfusion_gemm.csv", &csv, err);

    for (int64_t i = 0; status == SIM_OK && i < csv.row_count; i++) {
        sim_layer layer = {.name = "gemm", .op = SIM_OP_MATMUL, .repeat = 1, .batch = 1};
        sim_totals totals = {0};
        figures expected = {0};

        status = read_sizes(&csv, i, columns, COUNT, v, err);
        if (status == SIM_OK)
            status = read_figures(&csv, i, &expected, err);
        if (status == SIM_OK && memcmp(v, loaded, sizeof loaded) != 0) {
            memcpy(loaded, v, sizeof loaded);
            arch = sim_arena_alloc(context->arena, 1, sizeof *arch);
            status = arch ? load_array(context, loaded, arch, err)
                          : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        }
        if (status != SIM_OK)
            break;
        layer.m = v[M];
        layer.n = v[N];
        layer.k = v[K];
        layer.own = bits(v[W], v[A]);
        status = run_layer(context, arch, &layer, &totals, err);
        if (status == SIM_OK)
            add(&s, &expected, &totals);
    }
    *out = row_of(context, "BitFusion GEMMs in its simulator's accounting, both arrays", &s);
    return status;
}

sim_status sim_check_bitfusion_networks(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_csv csv;
    sim_arch arch;
    score s = {0};
    int column = -1;
    sim_status status = sim_ledger_csv(context, "bitfusion_networks.csv", &csv, err);

    if (status == SIM_OK)
        status = sim_ledger_arch(context, arch_name, &arch, err);
    if (status == SIM_OK && (column = sim_csv_column(&csv, "cycles")) < 0)
        status = sim_fail(err, SIM_BAD_INPUT, csv.file, 1, "no column 'cycles'");
    for (int64_t i = 0; status == SIM_OK && i < csv.row_count; i++) {
        sim_layer layer;
        sim_totals totals = {0};
        figures expected = {0};

        if (*sim_csv_text(&csv, i, column) == '\0') /* a shape only */
            continue;
        status = read_layer(&csv, i, &layer, err);
        if (status == SIM_OK)
            status = read_figures(&csv, i, &expected, err);
        if (status == SIM_OK)
            status = run_layer(context, &arch, &layer, &totals, err);
        if (status == SIM_OK)
            add(&s, &expected, &totals);
    }
    *out = row_of(context, "BitFusion layers of AlexNet, SVHN, CIFAR-10, LeNet-5", &s);
    return status;
}

/* Runs the layers of `network` as one workload; `images` is their batch. */
static sim_status run_network(const sim_ledger_context *context, const sim_arch *arch, const sim_csv *csv,
                              const char *network, int64_t *images, sim_totals *out, sim_err *err)
{
    sim_layer *layers = sim_arena_alloc(context->arena, (size_t)csv->row_count, sizeof *layers);
    int column = sim_csv_column(csv, "network");
    sim_result result;
    int64_t count = 0;
    sim_status status = SIM_OK;

    if (!layers)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (column < 0)
        return sim_fail(err, SIM_BAD_INPUT, csv->file, 1, "no column 'network'");
    for (int64_t i = 0; i < csv->row_count && status == SIM_OK; i++)
        if (strcmp(sim_csv_text(csv, i, column), network) == 0)
            status = read_layer(csv, i, &layers[count++], err);
    if (status != SIM_OK)
        return status;
    if (count == 0)
        return sim_fail(err, SIM_BAD_INPUT, csv->file, 0, "no layers of network '%s'", network);
    *images = layers[0].conv.images;
    status = sim_ledger_run(context, arch, layers, count, SIM_LEDGER_OWN_BITS, &result, err);
    if (status == SIM_OK)
        *out = result.totals;
    return status;
}

sim_status sim_check_bitfusion_eyeriss(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_csv eyeriss, shapes;
    sim_arch arch;
    double speedup = 0, energy_gain = 0;
    int column;
    sim_status status = sim_ledger_csv(context, "bitfusion_eyeriss.csv", &eyeriss, err);

    if (status == SIM_OK)
        status = sim_ledger_csv(context, "bitfusion_networks.csv", &shapes, err);
    if (status == SIM_OK)
        status = sim_ledger_arch(context, arch_name, &arch, err);
    if (status != SIM_OK)
        return status;
    column = sim_csv_column(&eyeriss, "network");
    if (column < 0)
        return sim_fail(err, SIM_BAD_INPUT, eyeriss.file, 1, "no column 'network'");
    for (int64_t i = 0; i < eyeriss.row_count; i++) {
        double ms, mj, per_image;
        int64_t images = 1;
        sim_totals t = {0};

        status = sim_csv_real(&eyeriss, i, "eyeriss_ms_per_image", &ms, err);
        if (status == SIM_OK)
            status = sim_csv_real(&eyeriss, i, "eyeriss_mj_per_image", &mj, err);
        if (status == SIM_OK && !(ms > 0 && mj > 0))
            status = sim_fail(err, SIM_BAD_INPUT, eyeriss.file, eyeriss.lines[i], "values must be positive");
        if (status == SIM_OK)
            status =
                run_network(context, &arch, &shapes, sim_csv_text(&eyeriss, i, column), &images, &t, err);
        if (status != SIM_OK)
            return status;
        per_image = 1e3 / (double)images; /* in ms and mJ */
        speedup += log(ms / (t.latency_s * per_image));
        energy_gain += log(mj / (sim_energy_total_j(&t.energy) * per_image));
    }
    speedup = exp(speedup / (double)eyeriss.row_count);
    energy_gain = exp(energy_gain / (double)eyeriss.row_count);
    *out = (sim_ledger_row){
        .claim = "BitFusion over Eyeriss, geometric mean of eight networks",
        .target = "3.9x faster, 5.1x less energy (3.925, 5.117 within 1%)",
        .result = sim_ledger_text(context, "%.3fx faster, %.3fx less energy", speedup, energy_gain),
        .source = "Eyeriss figures: hsharma35/bitfusion 04ec1c8; BitFusion side simulated here",
        .met = eyeriss.row_count > 0 && fabs(speedup / published_speedup - 1) <= close_enough &&
               fabs(energy_gain / published_energy_gain - 1) <= close_enough,
    };
    return SIM_OK;
}
