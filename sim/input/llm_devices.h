/* A model on several devices: tensor and pipeline parallel. Private to the expansion (llm.c).
 *
 * Tensor parallel after Megatron-LM (arXiv 1909.08053): each device is given a model of its own, with its
 * share of the heads and of the FFN's width, or of whole experts, and of the vocabulary; it is expanded like
 * any other.
 *
 *   q, k, v, gate, up    split by outputs, o and down by inputs: each device has a part of their sum, which
 * an all-reduce makes whole before whatever needs it (`o_proj.allreduce`, once for attention and FFN side by
 * side) KV heads             where they are fewer than devices, each device holds one, and several the same
 *   experts              split by width, or whole ones (expert_parallel): every device has all tokens, so
 * that none must be sent to an expert; sums are all-reduced like those of a dense FFN embedding            by
 * rows: each device looks up what it has, and sums are all-reduced last linear          by outputs, which are
 * gathered (`lm_head.allgather`); a vocabulary that the devices do not divide is filled up norms, routers,
 * latents, indexers and whatever else has no heads    the same on all devices
 *
 * Pipeline parallel: blocks in equal runs, one stage each; the embedding goes with the first and the last
 * linear with the last, which holds a copy of a tied embedding. Each device of a stage sends the residual
 * stream to its like in the next. */
#ifndef SIM_INPUT_LLM_DEVICES_H
#define SIM_INPUT_LLM_DEVICES_H

#include "input/llm.h"
#include "input/llm_model.h"

/* Devices that share a block, and stages; 1 each where the request says nothing. */
int64_t sim_llm_shares(const sim_llm_request *request);
int64_t sim_llm_stages(const sim_llm_request *request);

/* The model of one device. SIM_BAD_INPUT: heads, widths or experts that the devices do not divide; more
 * stages than blocks; SIM_NO_MEMORY. */
sim_status sim_llm_share(const sim_llm_model *model, const sim_llm_request *request, const char *file,
                         sim_arena *arena, sim_llm_model *out, sim_err *err);

/* From `whole` (the model expanded) and `share` (the model of one device, expanded alike) to what all devices
 * do, in `whole`: their layers, with exchanges and stages. SIM_NO_MEMORY; SIM_OVERFLOW. */
sim_status sim_llm_spread(const sim_llm_model *model, const sim_llm_request *request,
                          const sim_workload *share, sim_arena *arena, sim_workload *whole, sim_err *err);

#endif
