/* Machines and GEMMs for tests, built by hand or at random: no file is read. */
#ifndef TESTS_REFERENCE_ARCH_CASE_H
#define TESTS_REFERENCE_ARCH_CASE_H

#include "model/backend.h"
#include "reference/random.h"

/* A plain machine: 8x8 array of 8-bit PEs (or of serial units 16 deep, one bit of each operand per cycle, no
 * ports) at 1 GHz, 32-bit accumulators, 8-bit outputs, split double-buffered
 * buffers of 8 KiB each, 16 GB/s at efficiency 1, energies of the order of 45 nm. `backend` must exist. */
void arch_case_plain(sim_arch *arch, const char *backend);

/* What random machines may vary beside array, buffers, clock and energies. */
typedef struct arch_case_options {
    int64_t side_most; /* largest rows and cols */
    double buffer_kib_least, buffer_kib_most;
    bool curve;                     /* run-length and turn-around effects of DRAM, both layouts */
    bool ports, read_first, counts; /* weight port, output_read_first, several arrays */
} arch_case_options;

/* Every array back end, NULL-terminated: the laws of the tests are checked on all of them. */
extern const char *const arch_case_backends[];

/* The widest operands of a machine. */
int arch_case_bits_most(const sim_arch *arch);

void arch_case_random(sim_arch *arch, const char *backend, const arch_case_options *options,
                      ref_random *random);

/* A GEMM of the given extents whose stored bits are dense: elements times bits, no padding, no scales. */
sim_gemm gemm_case_dense(const sim_arch *arch, const int64_t extent[SIM_DIMS], int w_bits, int a_bits);

#endif
