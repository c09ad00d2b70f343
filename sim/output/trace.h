/* A run as a timeline in the trace-event format, for Perfetto and chrome://tracing. */
#ifndef SIM_OUTPUT_TRACE_H
#define SIM_OUTPUT_TRACE_H

#include "base/text.h"
#include "model/types.h"

/* One JSON object {"traceEvents": [...]}, times in microseconds. Tracks, from the top:
 *   layers       one after the other, in the order of the workload; their fields are those of the report
 *   tiles        of mapped products; neighbours are drawn together, at most 16 slices to a layer
 *   array        busy with products       | in each layer exactly as long as the report says (never longer
 *   vector unit  busy with the others     | than the layer), an equal part in each slice of tiles
 *   DRAM         the channel is busy      |
 * and two counters, DRAM traffic and power, whose areas are the bytes and the energy of the report. A
 * workload of many layers has fewer slices of tiles to each, so that a trace stays at a few megabytes. */
void sim_trace(const sim_result *result, sim_text *out);

#endif
