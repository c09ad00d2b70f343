/* Help texts that no table can generate. At most 100 columns wide. */
#ifndef SIM_CLI_TOPICS_H
#define SIM_CLI_TOPICS_H

extern const char sim_topic_arch[]; /* goes before the table of keys */
extern const char sim_topic_workload[];
extern const char sim_topic_policy[];

#endif
