/* Policies: "w4a8", "w4a16g128", "w4a8kv4", "fp16", or a JSON file with rules by layer name or with bits by
 * position. */
#ifndef SIM_INPUT_POLICY_H
#define SIM_INPUT_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "model/types.h"

/* `spec` NULL: no policy given. A spec that looks like a path (contains '/' or ends in ".json") is read as a
 * file:
 *   {"name": "...", "default": "w8a8",
 *    "policy": [{"layer": "layers.*.down_proj", "w_bits": 4, "a_bits": 8, "kv_bits": 8,
 *                "w_format": "int", "a_format": "int", "kv_format": "int", "group": 128}, ...]}
 * "group_bits" beside "group" says how many bits a group's scale (and zero point) takes, as checkpoints of
 * ggml have it; without, 16 and the weights' width.
 * A search result has the same "policy" list; its other members (objective, cost, budget, lower_bound, gap,
 * method) are accepted. "rules" is another name of "policy". "layer" is matched by sim_match_name().
 *
 * By position, as HAQ (github.com/mit-han-lab/haq) prints its policies:
 *   [[8, -1], [7, 7], ...]   or   {"network": "...", "source": "...", "layers_w_a_bits": [[8, -1], ...]}
 * w and a bits of each layer with weights, in the order of the workload; -1 is not quantized, priced at 8
 * bits. The object may have "name", "default" (for what has no weights: KV cache, dynamic products, vector
 * operations) and "policy" too; rules come after positions. */
sim_status sim_policy_load(const char *spec, sim_arena *arena, sim_policy *out, sim_err *err);

/* The same for the text of a policy file; `name` is its file name for messages. */
sim_status sim_policy_read(const char *text, size_t length, const char *name, sim_arena *arena,
                           sim_policy *out, sim_err *err);

/* Parses one uniform spec into a precision; false (with `why`) when it is none. */
bool sim_policy_parse(const char *spec, sim_precision *out, char *why, size_t why_size);

#endif
