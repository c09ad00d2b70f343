/* A run as a timeline in the trace-event format, for Perfetto and chrome://tracing. */
#ifndef SIM_OUTPUT_TRACE_H
#define SIM_OUTPUT_TRACE_H

#include "base/text.h"
#include "model/types.h"

/* One JSON object {"traceEvents": [...]}: the layers one after the other, and how long the array (or the
 * vector unit) and the DRAM channel are busy in each; times in microseconds. */
void sim_trace(const sim_result *result, sim_text *out);

#endif
