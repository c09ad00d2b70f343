/* What the numerics of a quantization scheme cost beyond the products themselves: finding scales, quantizing,
 * rescaling, and what is kept in 16 bits beside.
 *
 * A product with static weights whose activations are narrower than 16 bits takes them from a tensor that its
 * producer would leave in 16 bits. How they get their scales (sim_scales; O1 to O3 after SmoothQuant,
 * arXiv 2211.10438, Table 2) decides what is added:
 *
 *   per_token (O1)   `<consumer>.quantize`: reads the tensor in 16 bits and writes it in a bits; per element
 *                    3 operations: running maximum of magnitudes, scale, round. A row at a time: read once
 *   per_tensor (O2)  the producer keeps a running maximum of what it leaves (1 operation per element, nothing
 *                    moves); `<consumer>.quantize` then scales and rounds (2): it must wait for the whole
 * tensor static (O3)      nothing moves: the producer scales and rounds what it leaves (2 operations per
 * element) none             nothing
 *
 * There is one of these per tensor, named after the first product that reads it: q_proj's is also k_proj's
 * and v_proj's (sim_layer.same_input). Outputs are rescaled as they leave the array: per token and output
 * channel 2 operations, with one scale for the whole product 1. Smoothing itself is folded into norms and
 * weights: it costs nothing. Operands of attention are quantized by whatever produces them.
 *
 * Outliers (LLM.int8(), arXiv 2208.07339): of k input features a share is multiplied in 16-bit floats beside
 * (16-bit integers where there are no floats). A dynamic scheme compares each element once more to find them;
 * `<consumer>.outliers_gather` copies their columns, `<product>.outliers` multiplies them, and
 * `<product>.outliers_sum` adds the two results in 16 bits. Of `<product>` the other columns are left.
 *
 * Groups of weights (gN) have scales of their own along k. An array adds up integers, so either the sum of
 * each group is scaled and added outside of it, m n ceil(k/g) times, or weights are dequantized before they
 * enter, n k times, which takes PEs wider than the weights: the lesser of the two, 2 operations each. Zero
 * points are subtracted on the way in. Integers without groups only need their sign extended: no operation. A
 * GPU's kernels do all this themselves (gpu.h, dequant_frac): nothing is added there. Groups of the KV cache
 * are scaled on its way into the array and not counted.
 *
 * Operations at the outputs or on weights run on the vector unit, beside the array: a layer takes as long as
 * the slower of the two. */
#ifndef SIM_MODEL_NUMERICS_H
#define SIM_MODEL_NUMERICS_H

#include "base/arena.h"
#include "model/layer.h"

/* Vector operations beside one instance of a product (all of its batch): rescaled outputs and groups. */
double sim_numerics_ops(const sim_arch *arch, const sim_layer_request *q);

/* The workload with the work that its precisions need: `out` and `out_requests` (one per layer of `out`) live
 * in `arena`. Where nothing is added they are `workload` and `requests` themselves. SIM_NO_MEMORY. */
sim_status sim_numerics_add(const sim_arch *arch, const sim_workload *workload,
                            const sim_layer_request *requests, sim_arena *arena, sim_workload *out,
                            const sim_layer_request **out_requests, sim_err *err);

#endif
