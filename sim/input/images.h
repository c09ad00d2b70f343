/* How many images a list of layers handles, and another number of them. Private to layers.c. */
#ifndef SIM_INPUT_IMAGES_H
#define SIM_INPUT_IMAGES_H

#include "input/json_read.h"
#include "model/types.h"

/* The `images` that all convolutions share; 0 when there is none, or when they differ. */
int64_t sim_layers_images(const sim_layer *layers, int64_t count);

/* Makes them `images`. What counts rows or products per image goes along in proportion: m of matmul and of
 * vector operations; of products of two activations, which cannot share an operand across images, `batch`. A
 * count that is no multiple of the images so far is an error, as are convolutions that differ in them, and
 * layers that get too large (SIM_OVERFLOW). There must be a convolution. */
void sim_layers_set_images(sim_json_reader *r, sim_layer *layers, int64_t count, int64_t images);

#endif
