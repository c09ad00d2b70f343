#include "model/link.h"

#include <math.h>

bool sim_is_exchange(sim_op op)
{
    return op == SIM_OP_ALLREDUCE || op == SIM_OP_ALLTOALL || op == SIM_OP_SEND || op == SIM_OP_ALLGATHER;
}

/* Steps, each with its latency, and bytes that leave the busiest device, one after another. */
typedef struct way {
    double steps, serial_bytes;
} way;

static double way_us(const sim_link *link, const way *w)
{
    return w->steps * link->latency_us +
           w->serial_bytes / (link->bandwidth_gb_s * 1e3 * link->efficiency_frac);
}

/* Levels of a binary tree of so many devices. */
static double levels(int64_t devices)
{
    double depth = 0;

    for (int64_t reached = 1; reached < devices; reached *= 2)
        depth++;
    return depth;
}

static way allreduce(const sim_link *link, double p, int64_t devices, double bytes)
{
    way ring = {2 * (p - 1), 2 * (p - 1) / p * bytes};
    way tree = {2 * levels(devices), 2 * bytes};

    return link->topology == SIM_TOPOLOGY_SWITCH && way_us(link, &tree) < way_us(link, &ring) ? tree : ring;
}

void sim_link_cost_of(const sim_link *link, sim_op op, int64_t devices, double bytes, sim_link_cost *out)
{
    double p = (double)devices;
    way w;

    *out = (sim_link_cost){0};
    if (devices <= 1)
        return;
    switch (op) {
    case SIM_OP_ALLREDUCE:
        w = allreduce(link, p, devices, bytes);
        /* Every element but one's own is sent towards its sum once and the sum to all others once, whatever
         * the way. */
        out->sent_bytes = 2 * (p - 1) * bytes;
        out->added_bytes = (p - 1) / p * bytes;
        break;
    case SIM_OP_ALLGATHER:
        w = (way){p - 1, (p - 1) * bytes};
        out->sent_bytes = p * (p - 1) * bytes;
        break;
    case SIM_OP_ALLTOALL: {
        bool ring = link->topology == SIM_TOPOLOGY_RING;

        w = (way){p - 1, ring ? (p - 1) / 2 * bytes : (p - 1) / p * bytes};
        out->sent_bytes = p * w.serial_bytes;
        break;
    }
    default: /* a send, from one device to one other */
        w = (way){1, bytes};
        out->sent_bytes = bytes;
        break;
    }
    out->launch_us = link->launch_us + w.steps * link->latency_us;
    out->us = link->launch_us + way_us(link, &w);
}
