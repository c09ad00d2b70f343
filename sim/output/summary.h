/* What a run says in sentences: before the table of layers, and after it. */
#ifndef SIM_OUTPUT_SUMMARY_H
#define SIM_OUTPUT_SUMMARY_H

#include "base/text.h"
#include "model/types.h"

/* Arch, workload, policy, and what bounds the whole. */
void sim_summary_head(const sim_result *result, int width, bool colour, sim_text *out);

/* Latency, energy, traffic, memory, trust, and notes on what ran otherwise than asked. */
void sim_summary_totals(const sim_result *result, int width, bool colour, sim_text *out);

#endif
