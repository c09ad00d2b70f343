#include "input/images.h"

#include "input/layers.h"

int64_t sim_layers_images(const sim_layer *layers, int64_t count)
{
    int64_t images = 0;

    for (int64_t i = 0; i < count; i++) {
        if (layers[i].op != SIM_OP_CONV2D)
            continue;
        if (images > 0 && layers[i].conv.images != images)
            return 0;
        images = layers[i].conv.images;
    }
    return images;
}

static void report_difference(sim_json_reader *r, const sim_layer *layers, int64_t count)
{
    const sim_layer *first = NULL;

    for (int64_t i = 0; i < count; i++) {
        const sim_layer *l = &layers[i];

        if (l->op != SIM_OP_CONV2D)
            continue;
        if (!first)
            first = l;
        if (l->conv.images == first->conv.images)
            continue;
        sim_json_error(
            r, SIM_BAD_INPUT, l->line,
            "--batch needs one number of images in all conv2d layers; '%s' has %lld, '%s' has %lld",
            first->name, (long long)first->conv.images, l->name, (long long)l->conv.images);
        return;
    }
}

void sim_layers_set_images(sim_json_reader *r, sim_layer *layers, int64_t count, int64_t images)
{
    const int64_t before = sim_layers_images(layers, count);

    if (before == 0) {
        report_difference(r, layers, count);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        sim_layer *l = &layers[i];
        const bool by_products = l->op == SIM_OP_MATMUL && l->weights == SIM_WEIGHTS_DYNAMIC;
        int64_t *scaled = by_products ? &l->batch : &l->m;

        if (*scaled % before != 0) {
            sim_json_error(
                r, SIM_BAD_INPUT, l->line,
                "--batch cannot scale layer '%s': its '%s' is %lld, no multiple of the %lld images "
                "of the conv2d layers",
                l->name, by_products ? "batch" : "m", (long long)*scaled, (long long)before);
        } else if (__builtin_mul_overflow(*scaled / before, images, scaled) || !sim_layer_fits(l)) {
            sim_json_error(r, SIM_OVERFLOW, l->line,
                           "the work of layer '%s' at --batch %lld does not fit 63 bits", l->name,
                           (long long)images);
        }
        if (l->op == SIM_OP_CONV2D)
            l->conv.images = images;
    }
}
