/* Calibration files (libconfig, arch/calib/NAME.cfg) -> sim_gpu_calibration. `simacc calibrate` writes them.
 *
 *   calibration = {
 *       name = "t4_public";          # for reports; required
 *       gpu = "T4";                  # the device that was measured; required
 *       source = "...";              # where all measurements come from, in one line; required
 *       arch_clock_mhz = 1590.0;     # clock_mhz of the arch that it was fitted with; none: not recorded
 *       kernels = {
 *           w8a8_cutlass = {         # any name; one group per kernel, implementation and regime
 *               kernel = "gemm_w8a8";       # required: a name of sim_gpu_kernel_names
 *               impl = "cutlass";           # none: of no particular implementation
 *               regime = "burst";           # or "sustained"; burst when not given
 *               dispatch = "host";          # or "graph", when not given
 *               default = true;             # of its kernel and regime; false when not given
 *               c_us = 6.83;                # required
 *               em = 0.619;                 # required, but of `empty`
 *               es = 0.291;                 # required of a GEMM
 *               q = 2.35; lam = 0.433; k0 = 174.0; al = 0.518; rr = 0.301; th = 0.187;
 *               floor_us = 0.0; tau_us = 700.0; k_step = 32; occupancy_least = 1; occupancy_most = 4;
 *               dequant_frac = 0.0;         # multiply-accumulates per weight widened
 *               row_us = 0.0;               # softmax, rmsnorm
 *               tiles = ( (128, 128), (64, 128) );          # rows (of m), columns (of n)
 *               residuals = ( (4096, 4096, 16, -0.013), );  # n, k, m, log(measured / law); rising
 *               residual_weight_frac = 0.7;
 *               from_prior = [ "k0", "al" ];  # parameters that the data could not pin down
 *               rows = 17; groups = 4;      # measurements, weight shapes (n, k)
 *               mape_pct = 1.2;             # on the rows fitted, residuals not applied; none: not known
 *               held_out_mape_pct = 4.0;    # on weight shapes held out; none: not known
 *               clock_mhz = 1590.0;         # mean while measured; none: not recorded
 *               source = "...";             # of these measurements; the calibration's when not given
 *           };
 *       };
 *       step = {                     # none: steps were not measured
 *           impl = "tensorrt";               # required; kernels of this impl must be there
 *           attention = "per_head";          # flash, unfused; auto when not given
 *           t0_us = 46.0;                    # required
 *           attention_fp16_es = 0.41;        # and fp32, bf16, fp8, int8, int4
 *           fp16_mac_fj = 3600.0;            # likewise
 *           rows = 220; groups = 3; mape_pct = 4.2; held_out_mape_pct = 5.0; source = "...";
 *       };
 *   };
 *
 * What is not required and not given has the starting value of its kernel (sim_gpu_kernel_start); parameters
 * that a kernel does not use are accepted and do nothing. Unknown keys are errors, so are two kernels of the
 * same kind, impl and regime, and two defaults of the same kind and regime. */
#ifndef SIM_INPUT_CALIB_H
#define SIM_INPUT_CALIB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "model/backend.h"
#include "model/types.h"

/* Reads the calibration `path`. All errors of the file are reported together, with file and line (of a list:
 * its line and the row's number). Everything lives in `arena`. Every number is appended to `canonical`,
 * unless that is NULL. */
sim_status sim_calibration_load(const char *path, sim_arena *arena, sim_gpu_calibration *out,
                                sim_text *canonical, sim_err *err);

/* Keys of one kernel's group and of the calibration itself, for help. Offsets are private to calib.c. */
extern const sim_param sim_calibration_params[];
extern const int sim_calibration_param_count;
extern const sim_param sim_calibration_kernel_params[];
extern const int sim_calibration_kernel_param_count;
extern const sim_param sim_calibration_step_params[];
extern const int sim_calibration_step_param_count;

#endif
