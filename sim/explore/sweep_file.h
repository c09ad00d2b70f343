/* Sweep files (libconfig): what `simacc sweep FILE.cfg` runs.
 *
 *   arch = "arch/edge.cfg";                      // or a list: an axis
 *   workload = "workloads/llama2_7b_decode.json";
 *   policy = "w4a8";  objective = "balanced";    // optional, or lists
 *   set = { dram = { bandwidth_gb_s = 51.2; }; };
 *   phase = "decode"; batch = 1; context = 2048;   // optional; likewise prompt, new, chunk, draft, tp, pp,
 * mla axes = { w = "2..8"; a = [4, 8]; batch = "1..64:x2"; array = { rows = [16, 32]; cols = [16, 32]; };
 *   };
 *   zip = ["array.rows,array.cols"];
 *   filter = "w <= a";
 *   constraint = "area_mm2 <= 4 && memory_fits";
 *
 * Relative paths count from the file's folder, else from the current one. */
#ifndef SIM_EXPLORE_SWEEP_FILE_H
#define SIM_EXPLORE_SWEEP_FILE_H

#include "explore/sweep.h"

/* SIM_BAD_INPUT: every slip with file and line. `out` keeps what it has of other things (jobs, shards). The
 * space is finished. */
sim_status sim_sweep_load(const char *path, sim_arena *arena, sim_sweep *out, sim_err *err);

#endif
