/* Systolic cycles against Verilog arrays and against SCALE-Sim. */
#include "explore/ledger.h"
#include "model/backend.h"

#include <string.h>

static int dataflow_of(const char *name)
{
    for (int i = 0; sim_dataflow_names[i]; i++)
        if (strcmp(sim_dataflow_names[i], name) == 0)
            return i;
    return -1;
}

/* An array without limits other than its size. */
static sim_arch bare_array(int64_t rows, int64_t cols, int dataflow, sim_timing timing)
{
    return (sim_arch){
        .name = "array",
        .backend = sim_backend_find("systolic"),
        .clock_mhz = 1000,
        .array_rows = rows,
        .array_cols = cols,
        .array_count = 1,
        .array_dataflow = dataflow,
        .array_timing = timing,
        .array_w_bits = 8,
        .array_a_bits = 8,
        .array_acc_bits = 32,
        .output_bits = 8,
    };
}

/* Compute cycles of one untiled product. */
static sim_status cycles_of(const sim_arch *arch, int64_t m, int64_t n, int64_t k, int64_t *out, sim_err *err)
{
    sim_gemm gemm = {
        .extent = {m, n, k}, .batch = 1, .w_bits = 8, .a_bits = 8, .out_bits = 8, .acc_bits = 32};
    sim_tiling tiling = {.tile = {m, n, k}, .order = {SIM_M, SIM_N, SIM_K}};
    sim_way ways[SIM_WAYS_MAX];
    sim_compute compute = {0};
    sim_status status;

    arch->backend->ways(arch, &gemm, ways);
    status = arch->backend->compute(arch, &gemm, &ways[0], &tiling, &compute, err);
    *out = compute.cycles;
    return status;
}

static sim_status read_ints(const sim_csv *csv, int64_t row, const char *const *columns, int64_t *out,
                            int count, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int i = 0; i < count && status == SIM_OK; i++) {
        status = sim_csv_int(csv, row, columns[i], &out[i], err);
        if (status == SIM_OK && (out[i] < 0 || out[i] > INT32_MAX))
            status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[row], "column '%s' is out of range",
                              columns[i]);
    }
    return status;
}

static sim_status read_dataflow(const sim_csv *csv, int64_t row, int *out, sim_err *err)
{
    int column = sim_csv_column(csv, "dataflow");

    *out = column < 0 ? -1 : dataflow_of(sim_csv_text(csv, row, column));
    if (*out < 0 || *out > SIM_DATAFLOW_IS)
        return sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[row],
                        "column 'dataflow' must be ws, os or is");
    return SIM_OK;
}

sim_status sim_check_rtl(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const char *const columns[] = {"rows",   "cols",   "steps", "folds", "interval_cycles",
                                          "cycles", "correct"};
    sim_csv csv;
    sim_status status = sim_ledger_csv(context, "rtl_cycles.csv", &csv, err);
    int compared = 0, equal = 0;

    for (int64_t i = 0; status == SIM_OK && i < csv.row_count; i++) {
        int64_t v[7], r, c, t, f, cycles;
        int dataflow;
        sim_arch arch;

        status = read_dataflow(&csv, i, &dataflow, err);
        if (status == SIM_OK)
            status = read_ints(&csv, i, columns, v, 7, err);
        if (status != SIM_OK)
            return status;
        r = v[0], c = v[1], t = v[2], f = v[3];
        if (!v[6]) /* started too early: corrupts data, as it must */
            continue;
        if (f > 1 && v[4] != (t > r ? t : r)) {
            /* Without overlap: the serial timing. */
            arch = bare_array(r, c, dataflow, SIM_TIMING_SERIAL);
        } else {
            arch = bare_array(r, c, dataflow, SIM_TIMING_PIPELINED);
        }
        /* `folds` folds: that many along the rows' dimension (WS: k) or the columns' (OS: n). */
        status = dataflow == SIM_DATAFLOW_OS ? cycles_of(&arch, r, c * f, t, &cycles, err)
                                             : cycles_of(&arch, t, c, r * f, &cycles, err);
        if (status != SIM_OK)
            return status;
        compared++;
        equal += cycles == v[5];
    }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "systolic cycles against Verilog arrays",
        .target = "exact",
        .result = sim_ledger_text(context, "%d of %d exact", equal, compared),
        .source = "own Verilog under Icarus (tests/rtl: 306 more chains)",
        .met = compared > 0 && equal == compared,
    };
    return SIM_OK;
}

sim_status sim_check_scalesim(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const char *const columns[] = {"rows", "cols", "m", "n", "k", "cycles"};
    sim_csv csv;
    sim_status status = sim_ledger_csv(context, "scalesim_cycles.csv", &csv, err);
    int64_t equal = 0;

    for (int64_t i = 0; status == SIM_OK && i < csv.row_count; i++) {
        int64_t v[6], cycles;
        int dataflow;
        sim_arch arch;

        status = read_dataflow(&csv, i, &dataflow, err);
        if (status == SIM_OK)
            status = read_ints(&csv, i, columns, v, 6, err);
        if (status != SIM_OK)
            return status;
        arch = bare_array(v[0], v[1], dataflow, SIM_TIMING_SCALESIM);
        status = cycles_of(&arch, v[2], v[3], v[4], &cycles, err);
        equal += cycles == v[5];
    }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "SCALE-Sim mode against SCALE-Sim",
        .target = "exact",
        .result = sim_ledger_text(context, "%lld of %lld exact", (long long)equal, (long long)csv.row_count),
        .source = "SCALE-Sim v3 1d62b68 and v2 22f88b1",
        .met = csv.row_count > 0 && equal == csv.row_count,
    };
    return SIM_OK;
}
