/* Several devices: what they exchange costs, and what a layer that they share comes to. */
#ifndef SIM_MODEL_DEVICES_H
#define SIM_MODEL_DEVICES_H

#include "model/layer.h"

/* An exchange (link.h) as a layer, of one device: it reads its message, writes what it gets, and adds on the
 * way; link, DRAM and vector unit work at the same time. Messages have the width of finished outputs, 16 bits
 * at least, since sums are exchanged. SIM_INFEASIBLE: more devices than the arch joins. */
sim_status sim_exchange_cost(const sim_layer_context *x, const sim_layer_request *q, sim_layer_cost *out,
                             sim_err *err);

/* From one device to all that share the layer: macs, bytes and bits of the result and the memory of `out`.
 * The counts of `out` stay one device's. SIM_OVERFLOW. */
sim_status sim_devices_sum(const sim_layer_context *x, const sim_layer_request *q, sim_layer_cost *out,
                           sim_err *err);

#endif
