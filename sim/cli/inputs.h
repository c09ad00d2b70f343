/* ARCH and WORKLOAD, and the options about them: what every command on the two takes alike. */
#ifndef SIM_CLI_INPUTS_H
#define SIM_CLI_INPUTS_H

#include "base/arena.h"
#include "base/err.h"
#include "cli/opt.h"
#include "simacc.h"

/* Rows of a command's table of options. */
#define SIM_INPUT_OPTIONS                                                                                    \
    {"--set", "KEY=VALUE",                                                                                   \
     "Overrides a key of the arch file, e.g. --set array.rows=32; may be given repeatedly. See 'simacc "     \
     "help arch'."},                                                                                         \
        {"--objective", "O",                                                                                 \
         "What mapping is best: balanced (default: latency, then energy within mapper.slack_frac of it), "   \
         "latency, energy, edp, dram."},                                                                     \
        {"--phase", "PHASE", "For a model: prefill, decode (one step) or generate (both, token by token)."}, \
        {"--batch", "N", "For a model: sequences at a time. For layers with conv2d: images at a time."},     \
        {"--context", "N", "For a model in decode: tokens already in the KV cache."},                        \
        {"--prompt", "N", "For a model in prefill or generate: tokens of each prompt."},                     \
        {"--new", "N", "For a model in generate: new tokens of each sequence."},                             \
        {"--chunk", "N", "For a model in prefill or generate: the prompt comes in chunks of N tokens."},     \
        {"--draft", "K", "For a model in decode: K drafted tokens are verified beside the next one."},       \
        {"--tp", "N", "For a model: devices that share each block (tensor parallel); see link.*."},          \
        {"--pp", "N", "For a model: stages that its blocks are spread over (pipeline parallel)."},           \
        {"--mla", "HOW",                                                                                     \
         "Latent attention (DeepSeek): absorbed, over the cache itself; plain, over keys and values "        \
         "expanded from it; auto (default): plain in prefill, absorbed in decode."},                         \
        {"--merged", NULL,                                                                                   \
         "For a model: q, k and v in one product, and gate and up, as serving engines run them."},           \
    {                                                                                                        \
        "--full-attention", NULL,                                                                            \
            "Count the whole square of causal attention, as kernels without masking do, instead of its "     \
            "triangle."                                                                                      \
    }

typedef struct sim_inputs {
    sim_setting *settings;
    int setting_count;
    sim_workload_options workload;
    int objective; /* sim_objective */
} sim_inputs;

/* The options, before anything is read; what is wrong goes into `err`. */
void sim_inputs_read(const sim_opts *opts, sim_arena *arena, sim_inputs *out, sim_err *err);

/* Opens the first two operands. Both are read even when one is wrong, so that all errors are reported
 * together; what could be opened is the caller's to close. */
sim_status sim_inputs_open(const sim_opts *opts, const sim_inputs *inputs, sim_arena *arena,
                           sim_arch_handle **arch, sim_workload_handle **workload, sim_err *err);

#endif
