/* Measurement files: what is read, and what is said of what cannot be. */
#include "explore/measurements.h"

#include "base/text.h"
#include "reference/failing.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static sim_status parse(const char *text, sim_arena *arena, sim_measurements *out, sim_err *err)
{
    *err = (sim_err){0};
    return sim_measurements_parse(text, strlen(text), "m.csv", arena, out, err);
}

Test(measurements, columns_come_in_any_order_and_empty_cells_are_unknown)
{
    sim_arena arena;
    sim_err err;
    sim_measurements got;

    sim_arena_init(&arena, NULL);
    cr_assert_eq(parse("# source: nobody\n"
                       "latency_us,k,extra,n,m,kernel,impl,regime,clock_mhz,energy_mj,gpu,batch\n"
                       "12.5,64,x,32,16,gemm_w4a16,own,sustained,1500,0.25,T4,3\n"
                       "7, 64 ,,32,16.0,gemm_fp32,,,,,,\n"
                       "3,,,128,4,rmsnorm,,,,,,\n"
                       "2,,,,,empty,,,,,,\n",
                       &arena, &got, &err),
                 SIM_OK);
    cr_assert_eq(got.count, 4);
    cr_expect_eq(got.rows[0].kernel, SIM_KERNEL_GEMM_W4A16);
    cr_expect_eq(got.rows[0].regime, SIM_REGIME_SUSTAINED);
    cr_expect(got.rows[0].m == 16 && got.rows[0].n == 32 && got.rows[0].k == 64 && got.rows[0].batch == 3);
    cr_expect(got.rows[0].w_bits == 4 && got.rows[0].a_bits == 16);
    cr_expect(got.rows[0].latency_us == 12.5 && got.rows[0].clock_mhz == 1500 &&
              got.rows[0].energy_mj == .25);
    cr_expect_str_eq(got.rows[0].impl, "own");
    cr_expect_eq(got.rows[0].line, 3);
    cr_expect_eq(got.rows[1].regime, SIM_REGIME_BURST);
    cr_expect(got.rows[1].m == 16 && got.rows[1].batch == 1 && got.rows[1].k == 64);
    cr_expect(isnan(got.rows[1].energy_mj) && got.rows[1].clock_mhz == 0);
    cr_expect_str_eq(got.rows[1].impl, "");
    cr_expect(got.rows[2].w_bits == 0 && got.rows[2].a_bits == 16);
    sim_arena_free(&arena);
}

Test(measurements, bytes_are_those_of_the_operands)
{
    sim_arena arena;
    sim_err err;
    sim_measurements got;
    sim_gpu_gemm g;

    sim_arena_init(&arena, NULL);
    cr_assert_eq(parse("kernel,m,n,k,latency_us,a_bits,w_bits\n"
                       "gemm_w4a16,1,2,3,1,,\n"
                       "gemm_w8a8,1,2,3,1,8,4\n"
                       "gemm_fp32,1,2,3,1,,\n"
                       "residual,5,7,,1,,\n"
                       "quantize,5,7,,1,,\n"
                       "softmax,5,7,,1,32,\n"
                       "empty,,,,1,,\n",
                       &arena, &got, &err),
                 SIM_OK);
    g = sim_measurement_gemm(&got.rows[0]);
    cr_expect_float_eq(g.w_bytes, (4 + 20.0 / 128) / 8, 1e-15, "a scale and a zero point per 128");
    cr_expect(g.a_bytes == 2 && g.out_bytes == 2 && g.dequantized);
    g = sim_measurement_gemm(&got.rows[1]);
    cr_expect(g.w_bytes == .5 && g.a_bytes == 1 && g.out_bytes == 2 && !g.dequantized);
    g = sim_measurement_gemm(&got.rows[2]);
    cr_expect(g.w_bytes == 4 && g.a_bytes == 4 && g.out_bytes == 4);
    cr_expect_eq(sim_measurement_bytes(&got.rows[3]), 35 * 3 * 2);
    cr_expect_eq(sim_measurement_bytes(&got.rows[4]), 35 * 3);
    cr_expect_eq(sim_measurement_bytes(&got.rows[5]), 35 * 2 * 4);
    cr_expect_eq(sim_measurement_bytes(&got.rows[6]), 0);
    sim_arena_free(&arena);
}

Test(measurements, what_is_wrong_is_told_with_its_line)
{
    static const struct {
        const char *text;
        int line;
        const char *says;
    } cases[] = {
        {"", 1, "no header line"},
        {"# nothing but this\n\n", 3, "no header line"},
        {"kernel,m,n,k,latency_us\n", 1, "no measurements below the header"},
        {"# x\nkernel,m,n,k\ngemm_fp16,1,2,3\n", 2, "no column 'latency_us'"},
        {"m,n,k,latency_us\n1,2,3,4\n", 1, "no column 'kernel'"},
        {"kernel,m,n,latency_us\ngemm_fp16,1,2,3\n", 1, "no column 'k'"},
        {"kernel,m,n,k,m,latency_us\ngemm_fp16,1,2,3,4,5\n", 1, "duplicate column 'm'"},
        {"kernel,m,n,k,latency_us\ngemm_fp16,1,2,3\n", 2, "4 cells, but the header has 5"},
        {"kernel,m,n,k,latency_us\ngemm_fp16,1,2,3,fast\n", 2, "column 'latency_us': 'fast' is not a number"},
        {"kernel,m,n,k,latency_us\ngemm_fp16,1,2,3,\n", 2, "column 'latency_us': empty"},
        {"kernel,m,n,k,latency_us\ngemm_fp16,1,2,3,nan\n", 2, "'nan' is not a number"},
        {"kernel,m,n,k,latency_us\ngemm_fp16,1,2,3,inf\n", 2, "'inf' is not a number"},
        {"kernel,m,n,k,latency_us\n\ngemm_fp16,1,2,3,-5\n", 3,
         "column 'latency_us': -5, but a time is above 0"},
        {"kernel,m,n,k,latency_us\ngemm_fp16,1,2,3,0\n", 2, "0, but a time is above 0"},
        {"kernel,m,n,k,latency_us\ngemm_fp16,0,2,3,1\n", 2, "column 'm': 0 is not within"},
        {"kernel,m,n,k,latency_us\ngemm_fp16,1.5,2,3,1\n", 2, "column 'm': '1.5' is not an integer"},
        {"kernel,m,n,k,latency_us\ngemm_fp61,1,2,3,1\n", 2, "column 'kernel': unknown value 'gemm_fp61'"},
        {"kernel,m,n,k,latency_us,regime\ngemm_fp16,1,2,3,1,bust\n", 2,
         "column 'regime': unknown value 'bust'"},
        {"kernel,m,n,k,latency_us,w_bits\ngemm_fp16,1,2,3,1,8\n", 2,
         "8 x 16 bits are not those of gemm_fp16"},
        {"kernel,m,n,k,latency_us,a_format\ngemm_fp16,1,2,3,1,bf\n", 2, "not those of gemm_fp16 (fp x fp)"},
        {"kernel,m,n,k,latency_us,clock_mhz\ngemm_fp16,1,2,3,1,-1\n", 2,
         "column 'clock_mhz': -1 is not within"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        sim_err err;
        sim_measurements got;

        sim_arena_init(&arena, NULL);
        cr_expect_eq(parse(cases[i].text, &arena, &got, &err), SIM_BAD_INPUT, "case %zu", i);
        cr_expect_eq(err.count, 1, "case %zu: %d errors", i, err.count);
        cr_expect_eq(err.items[0].line, cases[i].line, "case %zu: line %d", i, err.items[0].line);
        cr_expect(strstr(err.items[0].text, cases[i].says), "case %zu: '%s'", i, err.items[0].text);
        sim_arena_free(&arena);
    }
}

Test(measurements, all_errors_are_told_and_slips_get_a_hint)
{
    sim_arena arena;
    sim_err err;
    sim_measurements got;

    sim_arena_init(&arena, NULL);
    parse("kernel,m,n,k,latency_us\ngemm_fp61,1,2,3,1\ngemm_fp16,x,2,3,1\ngemm_fp16,1,2,3,-1\n", &arena, &got,
          &err);
    cr_assert_eq(err.count, 3);
    cr_expect_str_eq(err.items[0].hint, "did you mean 'gemm_fp16'?");
    cr_expect_eq(err.items[2].line, 4);
    parse("kernel,m,n,k,latency\ngemm_fp16,1,2,3,1\n", &arena, &got, &err);
    cr_expect_str_eq(err.items[0].hint, "there is a column 'latency'");
    sim_arena_free(&arena);
}

Test(measurements, several_files_are_one)
{
    static const char *const paths[] = {SIMACC_SOURCE_DIR "/cuda_ref/data/a100_vector.csv",
                                        SIMACC_SOURCE_DIR "/cuda_ref/data/h100_vector.csv"};
    sim_arena arena;
    sim_err err = {0};
    sim_measurements all, first;

    sim_arena_init(&arena, NULL);
    cr_assert_eq(sim_measurements_load(paths[0], &arena, &first, &err), SIM_OK);
    cr_assert_eq(sim_measurements_load_all(paths, 2, &arena, &all, &err), SIM_OK);
    cr_expect_str_eq(all.file, "a100_vector.csv and h100_vector.csv");
    cr_expect(all.count > first.count);
    cr_expect_str_eq(all.rows[first.count - 1].gpu, "A100");
    cr_expect_str_eq(all.rows[first.count].gpu, "H100");
    cr_expect(strstr(all.rows[first.count].file, "h100_vector.csv"), "messages name the file of the row");
    sim_arena_free(&arena);
}

Test(measurements, memory_running_out_is_told)
{
    static const char text[] = "kernel,m,n,k,latency_us,impl\n gemm_fp16 ,1,2,3,4, own \n";

    for (long n = 1;; n++) {
        failing state = {.fail_at = n};
        sim_allocator allocator = failing_allocator(&state);
        sim_arena arena;
        sim_err err = {0};
        sim_measurements got;
        sim_status status;

        sim_arena_init(&arena, &allocator);
        arena.block_bytes = 1;
        status = sim_measurements_parse(text, strlen(text), "m.csv", &arena, &got, &err);
        sim_arena_free(&arena);
        cr_assert_eq(state.live, 0);
        if (state.calls < n) {
            cr_expect_eq(status, SIM_OK);
            cr_expect(n > 4);
            break;
        }
        cr_expect_eq(status, SIM_NO_MEMORY, "call %ld: %d", n, status);
    }
}
