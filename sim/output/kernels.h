/* Which GPU kernels a run used, and what their times rest on. */
#ifndef SIM_OUTPUT_KERNELS_H
#define SIM_OUTPUT_KERNELS_H

#include "base/text.h"
#include "model/types.h"

/* Appends "gemm_w8a8, softmax calibrated; gemm_w4a16 after a like kernel; copy by starting values". Nothing
 * for machines that are not priced by kernels. */
void sim_kernels_add(const sim_result *result, sim_text *out);

#endif
