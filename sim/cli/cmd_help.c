/* simacc help: commands from their rows, arch keys from the parameter tables, the rest from topics.c. */
#include "cli/cmd.h"
#include "cli/topics.h"
#include "output/describe.h"

#include <string.h>

static const char *const operands[] = {"COMMAND|arch|workload|policy", NULL};

static const char text[] = "  simacc help run        options of a command\n"
                           "  simacc help arch       every key of an arch file\n"
                           "  simacc help workload   how to write a workload\n"
                           "  simacc help policy     how to say which bits a layer has\n";

enum { TOPICS_MAX = 40 };

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    static const char *const topics[] = {"arch", "workload", "policy"};
    const char *names[TOPICS_MAX] = {NULL}, *wanted, *nearest;
    sim_text out = {.length = 0};
    int count = 0;

    (void)arena;
    if (opts->operand_count == 0) {
        sim_cmd_overview(term->width, &out);
        return sim_cmd_answer(&out, NULL, err);
    }
    wanted = opts->operands[0];
    if (strcmp(wanted, "arch") == 0) {
        sim_text_add(&out, sim_topic_arch);
        sim_describe_arch_keys(term->width, &out);
    } else if (strcmp(wanted, "workload") == 0) {
        sim_text_add(&out, sim_topic_workload);
    } else if (strcmp(wanted, "policy") == 0) {
        sim_text_add(&out, sim_topic_policy);
    }
    for (int i = 0; sim_commands[i]; i++) {
        if (strcmp(sim_commands[i]->name, wanted) == 0)
            sim_cmd_help_text(sim_commands[i], term->width, &out);
        names[count++] = sim_commands[i]->name;
    }
    if (out.length > 0 || out.failed)
        return sim_cmd_answer(&out, NULL, err);

    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        names[count++] = topics[i];
    nearest = sim_nearest(wanted, names);
    sim_fail(err, SIM_USAGE, NULL, 0, "help: unknown topic '%s'", wanted);
    if (nearest)
        sim_hint(err, "did you mean '%s'?", nearest);
    else
        sim_hint(err, "'simacc help' lists the commands; further topics: arch workload policy");
    return SIM_USAGE;
}

const sim_command sim_cmd_help = {
    .name = "help",
    .operands = operands,
    .summary = "Help on a command, or on how to write an arch, a workload or a policy.",
    .text = text,
    .run = run,
};
