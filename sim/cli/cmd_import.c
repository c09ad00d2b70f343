/* simacc import: what people have on disk, as a workload. */
#include "cli/cmd.h"
#include "cli/inputs.h"
#include "simacc.h"

#include <string.h>

static const char *const operands[] = {"PATH", NULL};

static const sim_opt options[] = {
    {"-o", "FILE", "Write the workload to FILE, whole or not at all, instead of stdout."},
    {"--policy-out", "FILE",
     "Also write the policy that the checkpoint implies: the format, bits and group of each layer's weights "
     "as "
     "they are stored, activations as the config says."},
    {"--phase", "PHASE", "Of a model: prefill, decode or generate; default decode, of an encoder prefill."},
    {"--batch", "N", "Of a model: sequences at a time; of a checkpoint without a config: tokens."},
    {"--context", "N", "Of a model in decode: tokens already in the KV cache; default 2048."},
    {"--prompt", "N", "Of a model in prefill or generate: tokens of each prompt; default 2048."},
    {"--new", "N", "Of a model in generate: new tokens of each sequence."},
};

static const char text[] =
    "Turns PATH into a workload file (JSON) that 'simacc run' and the other commands take. PATH is\n"
    "\n"
    "  config.json            of a transformer, as HF writes it\n"
    "  a folder               with a config.json, and the checkpoint whose headers are then compared\n"
    "                         with it (*.safetensors, with or without an index; hf_quant_config.json)\n"
    "  *.safetensors          with the config.json beside it; without one, a list of its matrices\n"
    "  *.gguf                 its metadata; the first part of a split one\n"
    "  *.csv                  a topology of SCALE-Sim, of convolutions or of GEMMs\n"
    "\n"
    "  simacc import workloads/topologies/gemm.csv -o gemm.json\n"
    "  simacc import workloads/models/opt_6.7b.json --phase prefill --prompt 512 -o opt.json\n"
    "\n"
    "What was found and assumed goes to stderr: parameters, bytes by type, layers without tensors,\n"
    "tensors that no layer has. Only headers are read, so that a checkpoint of any size takes no time.\n"
    "ONNX is not read: give the config.json, or list the layers.\n"
    "\n"
    "'simacc run' takes the same paths directly; a GGUF file then keeps the bits of its weights.\n";

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    const char *file = sim_opt_value(opts, "-o"), *policy_file = sim_opt_value(opts, "--policy-out");
    sim_text workload = {.length = 0}, policy = {.length = 0};
    sim_err notes = {0};
    sim_inputs inputs;
    int code;

    (void)term;
    sim_inputs_read(opts, arena, &inputs, err);
    if (policy_file && strcmp(file ? file : "-", policy_file) == 0)
        sim_fail(err, SIM_USAGE, NULL, 0, "-o and --policy-out name the same file '%s'", policy_file);
    if (err->count > 0)
        return sim_err_status(err);
    code = sim_import_file(opts->operands[0], &inputs.workload, &workload, policy_file ? &policy : NULL,
                           &notes, err);
    if (code != SIM_OK)
        sim_cmd_hint_file(opts->operands[0], "workloads", ".json", arena, err);
    if (code == SIM_OK && policy_file)
        code = sim_cmd_answer(&policy, policy_file, err);
    if (code == SIM_OK)
        code = sim_cmd_answer(&workload, file, err);
    if (code == SIM_OK)
        sim_term_errors(&notes);
    sim_text_free(&workload);
    sim_text_free(&policy);
    return code;
}

const sim_command sim_cmd_import = {
    .name = "import",
    .operands = operands,
    .least_operands = 1,
    .summary = "Checkpoints (safetensors, GGUF), config.json and SCALE-Sim topologies as workloads.",
    .text = text,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
