/* What joins a device to others like it. */
#ifndef SIM_MODEL_LINK_SPEC_H
#define SIM_MODEL_LINK_SPEC_H

#include <stdint.h>

typedef enum sim_topology {
    SIM_TOPOLOGY_NONE,   /* a single device */
    SIM_TOPOLOGY_RING,   /* each device sends to the next */
    SIM_TOPOLOGY_SWITCH, /* each device reaches each other at its full bandwidth */
    SIM_TOPOLOGY_COUNT
} sim_topology;

extern const char *const sim_topology_names[SIM_TOPOLOGY_COUNT + 1]; /* "none" "ring" "switch" */

/* As the keys of an arch (link.*) state it. */
typedef struct sim_link {
    int64_t devices;        /* most that may be joined */
    int topology;           /* sim_topology */
    double bandwidth_gb_s;  /* of one device, in each direction */
    double efficiency_frac; /* of that, reached by large messages */
    double launch_us;       /* of any exchange, once */
    double latency_us;      /* of each of its steps */
    double pj_per_bit;      /* sent */
} sim_link;

#endif
