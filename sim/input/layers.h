/* Explicit lists of layers: the "layers" member of a workload file -> sim_layer. Private to
 * workload.c and images.c. */
#ifndef SIM_INPUT_LAYERS_H
#define SIM_INPUT_LAYERS_H

#include "base/arena.h"
#include "input/json_read.h"
#include "model/types.h"

/* Reads the array `list` into out->layers. Every layer has "name" (unique), "op", and:
 *
 *   matmul       m n k, batch; weights "static" or "dynamic"
 *   conv2d       h_in w_in c_in c_out kernel_h kernel_w, images stride padding groups; lowered to im2col
 *   softmax norm elementwise quantize allreduce
 *                m rows of n elements, batch times; ops_per_element; elementwise also inputs (1 to 8)
 *   embedding    m look-ups of n elements in a table of k rows
 *   all          repeat; a_bits a_format; where there is a second operand w_bits w_format group
 *
 * `images` above 0 overrides that of all convolutions (images.h), of which there must be one. out->batch
 * becomes the number of images where all convolutions agree on it. Errors are reported through `r`. */
void sim_layers_read(sim_json_reader *r, const sim_json *list, int64_t images, sim_arena *arena,
                     sim_workload *out);

/* Whether all instances' MACs (of vector operations: elements) and an embedding's table fit 63 bits. */
bool sim_layer_fits(const sim_layer *layer);

#endif
