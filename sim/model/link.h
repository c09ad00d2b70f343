/* Exchanges between devices: what they take and what they move.
 *
 * p devices exchange messages of S bytes over links of B bytes per microsecond and direction, of which large
 * messages reach the share e. An exchange costs its launch L once, and the latency l with each of its steps:
 *
 *   all-reduce   ring: 2 (p-1) l + 2 (p-1)/p S/(e B)     reduce-scatter, then all-gather, S/p at a time
 *                tree: 2 ceil(log2 p) l + 2 S/(e B)      up to the root and down again, in chunks
 *                L + the ring; behind a switch, L + the lesser of the two
 *   all-gather   (p-1) l + (p-1) S/(e B)                 S: the part that each device has
 *   all-to-all   (p-1) l + (p-1)/p S/(e B) behind a switch; on a ring a part passes 1 to p-1 devices:
 *                (p-1) l + (p-1)/2 S/(e B)
 *   send         l + S/(e B)
 *
 * (R. Thakur, R. Rabenseifner, W. Gropp: Optimization of Collective Communication Operations in MPICH, 2005.)
 * With L, l and e fitted, the all-reduce is within 5.4% (mean) of the medians that microsoft/vidur measured
 * on 2, 4 and 8 GPUs of a DGX A100 and a DGX H100 from 1 to 64 MiB; protocols of their own for small
 * messages, as NCCL has them, did not predict these better. */
#ifndef SIM_MODEL_LINK_H
#define SIM_MODEL_LINK_H

#include "model/types.h"

typedef struct sim_link_cost {
    double us;          /* from the first to the last device */
    double launch_us;   /* of this, what does not depend on S */
    double sent_bytes;  /* over links, by all devices together */
    double added_bytes; /* of operands that one device adds to its own (all-reduce) */
} sim_link_cost;

/* Whether `op` goes over links: an exchange between the devices that share a layer. */
bool sim_is_exchange(sim_op op);

/* `op` among `devices` (at least 1; with 1 nothing happens) that each hold a message of `bytes`. */
void sim_link_cost_of(const sim_link *link, sim_op op, int64_t devices, double bytes, sim_link_cost *out);

#endif
