/* Mapped products, so that equal ones are mapped once. */
#ifndef SIM_MODEL_GEMM_MEMO_H
#define SIM_MODEL_GEMM_MEMO_H

#include "model/layer.h"

struct sim_gemm_memo *sim_gemm_memo_new(sim_arena *arena); /* NULL: out of memory */
int64_t sim_gemm_memo_count(const struct sim_gemm_memo *memo);

/* The best mapping of `gemm`, found now or before; `name` is for messages. Errors of sim_map(). */
sim_status sim_gemm_map_once(const sim_layer_context *x, const sim_gemm *gemm, const char *name,
                             const sim_map_choice **out, sim_err *err);

#endif
