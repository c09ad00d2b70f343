/* Measured latencies of whole steps of encoders, from CSV: what `simacc calibrate --steps` fits and scores.
 *
 * Columns by name, in any order; others are ignored, missing or empty cells are unknown:
 *
 *   model       required; a label. Rows of one model and tokens are held out together
 *   layers, hidden, heads, ffn
 *               required; the encoder's shape, heads dividing hidden
 *   precision   required; fp16, bf16, fp8 or w8a8: operands of every product, and what kernels leave
 *   batch, tokens
 *               required; sequences, and tokens of each, padding included
 *   latency_ms  required, above 0: of one step among many, the board at its power limit where it has one
 *   attention   flash, per_head or unfused; per_head
 *   gpu, impl ("engine" when unknown), session, source
 *
 * A step is what engines make of an encoder with a head for question answering: embedding and norm; for each
 * layer one product for q, k and v, fused attention, projection, residual and norm in one, up projection with
 * its activation in the epilogue, down projection, residual and norm in one; the head. */
#ifndef SIM_EXPLORE_ENGINE_STEPS_H
#define SIM_EXPLORE_ENGINE_STEPS_H

#include "base/arena.h"
#include "base/err.h"
#include "model/types.h"

typedef struct sim_encoder {
    int64_t layers, hidden, heads, ffn;
} sim_encoder;

typedef struct sim_step_row {
    const char *gpu, *impl, *model, *session, *source; /* "" when unknown; impl "engine" */
    sim_encoder shape;
    sim_number number; /* of weights and activations */
    int attention;     /* sim_gpu_attention */
    int64_t batch, tokens;
    double latency_us;
    int line;
} sim_step_row;

typedef struct sim_engine_steps {
    const char *file;
    const sim_step_row *rows;
    int64_t count;
} sim_engine_steps;

/* All errors of the file are reported together, each with its line: a missing column, a cell that is empty or
 * no number or out of range, an unknown precision, heads that do not divide hidden, no rows. SIM_BAD_INPUT,
 * SIM_NO_MEMORY. */
sim_status sim_engine_steps_parse(const char *text, size_t length, const char *name, sim_arena *arena,
                                  sim_engine_steps *out, sim_err *err);
sim_status sim_engine_steps_load(const char *path, sim_arena *arena, sim_engine_steps *out, sim_err *err);

/* "w8a8", as the column has it; "" of others. */
const char *sim_step_precision(sim_number number);

/* Rows of the GPU that an arch's name says (those that name none included), in order; `others` names those
 * that were left out, NULL when none were. SIM_BAD_INPUT when there are none. */
sim_status sim_engine_steps_of(const sim_arch *arch, const sim_engine_steps *from, sim_arena *arena,
                               sim_engine_steps *out, const char **others, sim_err *err);

/* The kernels of one step. Scores of attention stay on chip unless the machine keeps none there.
 * SIM_NO_MEMORY; SIM_OVERFLOW when batch * tokens exceeds 63 bits. */
sim_status sim_encoder_workload(const sim_encoder *shape, int64_t batch, int64_t tokens, sim_arena *arena,
                                sim_workload *out, sim_err *err);

#endif
