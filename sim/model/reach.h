/* Which keys the tokens of a pass attend to: how many, in how many pairs, and what a layer becomes at one of
 * its steps. Closed forms, exact in 63 bits.
 *
 * Step s of a reach handles the T = new_tokens tokens at positions P .. P+T-1, P = past_tokens + s T. The
 * token at position p sees
 *   plain           the keys of positions 0 .. p
 *   window W        of these the last W: min(p + 1, W)
 *   chunk C         of these the ones in its own chunk of C positions: (p mod C) + 1
 *   stride R        one key per whole group of R positions that is past: floor((p + 1) / R)
 *   top_k K         at most K of the keys above
 * Not masked, every token sees what the last one and the first one see together. */
#ifndef SIM_MODEL_REACH_H
#define SIM_MODEL_REACH_H

#include "model/types.h"

/* Keys that any token of the step may read, each counted once: the last token's reach back to the first
 * one's, of T tokens with a window min(P + T, W + T - 1). With top_k at most as many as there are pairs. At
 * least 1 (with a stride there may be none yet), so that no extent is 0. -1: does not fit 63 bits. */
int64_t sim_reach_keys(const sim_reach *reach, int64_t step);

/* Pairs of a token of the step and a key that it reads; T * keys when nothing is masked. At least 1, at most
 * T * keys. -1: does not fit 63 bits. */
int64_t sim_reach_pairs(const sim_reach *reach, int64_t step);

/* Rows that a cache keeps of a sequence of so many tokens. */
int64_t sim_cache_kept(const sim_cache_law *law, int64_t tokens);

/* The plain layer of one step, 0 .. steps - 1: `steps` is 1, and of a layer that attends the extent `along`,
 * needed_macs and map_* are those of the step. A product needs
 *   pairs * (m / T) * batch * the extent that is neither m nor along
 * multiply-accumulates, 0 (all) where nothing is masked; map_n or map_k is then pairs / T, rounded up, the
 * mean number of keys. Only the extents other than `along` need to be set in `layer`; along m, its m must be
 * that of step 0. False: a count does not fit 63 bits; `out` is then undefined. */
bool sim_layer_at_step(const sim_layer *layer, int64_t step, sim_layer *out);

#endif
