/* How long a run takes once its files are read: models and phases on a machine, one thread, public API.
 *
 *   bench_run SOURCE_DIR [ARCH.cfg ...]      (default: edge.cfg, systolic_128.cfg and h100.cfg)
 *
 * stdout: one CSV line per model and phase, the least time of some runs in ms. stderr: the slowest of each
 * machine and phase. Exit status 2 after an error. */
#include "simacc.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *name;
    sim_workload_options options;
} phases[] = {
    {"prefill 2048", {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 2048}},
    {"prefill 2048 by 512", {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 2048, .chunk_tokens = 512}},
    {"decode 4096", {.phase = SIM_PHASE_DECODE, .batch = 8, .context_tokens = 4096}},
    {"generate 128 + 128", {.phase = SIM_PHASE_GENERATE, .prompt_tokens = 128, .new_tokens = 128}},
    {"generate 128 + 100000", {.phase = SIM_PHASE_GENERATE, .prompt_tokens = 128, .new_tokens = 100000}},
};

static const char *const models[] = {"llama2_7b",  "llama3.1_405b", "mixtral_8x7b",    "deepseek_v3",
                                     "gemma3_27b", "gpt_oss_120b",  "qwen3_235b_a22b", "mt_nlg_530b",
                                     "opt_125m",   "falcon_40b",    "llama4_maverick", "qwen3.5_35b_a3b"};

enum { PHASES = sizeof phases / sizeof *phases, MODELS = sizeof models / sizeof *models, PATH_BYTES = 4096 };

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + (double)t.tv_nsec / 1e6;
}

static int complain(const sim_err *err)
{
    for (int i = 0; i < err->count; i++)
        fprintf(stderr, "%s:%d: error: %s\n", err->items[i].file, err->items[i].line, err->items[i].text);
    return 2;
}

/* The least time of a few runs; -1: an error. */
static double time_ms(const sim_arch_handle *arch, const sim_workload_handle *workload,
                      const sim_policy_handle *policy, sim_err *err)
{
    double least = -1;

    for (int i = 0; i < 5; i++) {
        sim_result_handle *result = NULL;
        double start = now_ms(), took;

        if (sim_run(arch, workload, policy, SIM_OBJECTIVE_BALANCED, &result, err) != SIM_OK)
            return -1;
        took = now_ms() - start;
        sim_result_close(result);
        if (least < 0 || took < least)
            least = took;
    }
    return least;
}

static int bench_phase(const char *root, const sim_arch_handle *arch, const sim_policy_handle *policy, int p)
{
    const char *slowest = "";
    double most = 0;

    for (int m = 0; m < MODELS; m++) {
        sim_workload_handle *workload = NULL;
        char path[PATH_BYTES];
        sim_err err = {0};
        double ms = -1;

        snprintf(path, sizeof path, "%s/workloads/models/%s.json", root, models[m]);
        if (sim_workload_open(path, &phases[p].options, &workload, &err) == SIM_OK)
            ms = time_ms(arch, workload, policy, &err);
        sim_workload_close(workload);
        if (ms < 0)
            return complain(&err);
        printf("%s,%s,%s,%.3f\n", sim_arch_get(arch)->name, models[m], phases[p].name, ms);
        if (ms > most) {
            most = ms;
            slowest = models[m];
        }
    }
    fprintf(stderr, "%-16s %-22s slowest: %8.2f ms, %s\n", sim_arch_get(arch)->name, phases[p].name, most,
            slowest);
    return 0;
}

static int bench_arch(const char *root, const char *file)
{
    sim_arch_handle *arch = NULL;
    sim_policy_handle *policy = NULL;
    char path[PATH_BYTES];
    sim_err err = {0};
    int code = 0;

    snprintf(path, sizeof path, "%s/arch/%s", root, file);
    if (sim_arch_open(path, NULL, 0, &arch, &err) != SIM_OK ||
        sim_policy_open("w8a8", &policy, &err) != SIM_OK)
        code = complain(&err);
    for (int p = 0; p < PHASES && code == 0; p++)
        code = bench_phase(root, arch, policy, p);
    sim_policy_close(policy);
    sim_arch_close(arch);
    return code;
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"edge.cfg", "systolic_128.cfg", "h100.cfg"};
    int code = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_run SOURCE_DIR [ARCH.cfg ...]\n");
        return 2;
    }
    printf("arch,model,phase,ms\n");
    for (int i = 2; i < argc && code == 0; i++)
        code = bench_arch(argv[1], argv[i]);
    for (size_t i = 0; argc == 2 && i < sizeof usual / sizeof *usual && code == 0; i++)
        code = bench_arch(argv[1], usual[i]);
    return code;
}
