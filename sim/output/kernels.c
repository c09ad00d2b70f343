#include "output/kernels.h"

#include "model/backend.h"
#include "output/fields.h"

enum { BASES = SIM_GPU_STARTING + 1 };

void sim_kernels_add(const sim_result *result, sim_text *out)
{
    static const char *const words[BASES] = {"calibrated", "after a like kernel", "by starting values"};
    bool used[SIM_KERNEL_COUNT] = {false};
    const char *separator = "";

    if (!result->arch->backend->kernels)
        return;
    for (int64_t i = 0; i < result->layer_count; i++) {
        const sim_layer_result *layer = &result->layers[i];
        sim_gpu_kernel_kind kind = sim_gpu_vector_kernel(layer->op);
        sim_gpu_math math;

        if (sim_layer_is_product(layer) && !sim_gpu_kernel_of(result->arch, layer->w, layer->a, &kind, &math))
            continue;
        used[kind] |= layer->cycles > 0;
    }
    for (int basis = 0; basis < BASES; basis++) {
        bool any = false;

        for (int kind = 0; kind < SIM_KERNEL_COUNT; kind++) {
            sim_gpu_kernel kernel;

            if (!used[kind] ||
                (int)sim_gpu_kernel_on(result->arch, (sim_gpu_kernel_kind)kind, &kernel) != basis)
                continue;
            sim_text_printf(out, "%s%s", any ? ", " : separator, sim_gpu_kernel_names[kind]);
            any = true;
        }
        if (any) {
            sim_text_printf(out, " %s", words[basis]);
            separator = "; ";
        }
    }
}
