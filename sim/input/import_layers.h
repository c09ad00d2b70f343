/* The tensors of a checkpoint against the layers of the model: what each layer is stored in. Private to the
 * import. */
#ifndef SIM_INPUT_IMPORT_LAYERS_H
#define SIM_INPUT_IMPORT_LAYERS_H

#include "format/checkpoint.h"
#include "model/types.h"

/* What is stored of a layer's weights; layers that share tensors (a fused q, k and v) have one record, that
 * of the first. */
typedef struct sim_import_layer {
    const sim_layer *layer; /* NULL: its record is another's */
    int64_t elements;       /* that the model has, of all that share the record */
    int64_t found;          /* of its tensors, as they are counted there: packed ones are fewer */
    int64_t weight_bytes, scale_bytes, zero_bytes, scales;
    const sim_dtype *dtype, *scale_dtype;
    int leader; /* whose record this layer's is */
    /* Of the weights; bits 0: nothing found, or nothing that fits. */
    sim_number number;
    int group, group_bits; /* bits that a group takes beside its weights; 0 and 0: no groups */
} sim_import_layer;

typedef struct sim_import_sizes {
    sim_import_layer *layers; /* one per layer of the workload, in its order */
    int64_t layer_count;
    int64_t parameters;                  /* of the checkpoint */
    int64_t missing, misfits, strangers; /* layers without tensors; of another size; tensors
                                          * of no layer */
    const char *missing_name, *misfit_name, *stranger_name; /* the first of each */
    int64_t stranger_bytes;
} sim_import_sizes;

/* Layers without weights of their own have elements 0. SIM_NO_MEMORY. */
sim_status sim_import_measure(const sim_checkpoint *checkpoint, const sim_workload *workload,
                              sim_arena *arena, sim_import_sizes *out, sim_err *err);

/* Whether any weights are quantized, which is when a checkpoint says more than "half precision". */
bool sim_import_is_quantized(const sim_import_sizes *sizes);

/* Sets the layers' own precision, as input/quant_config.h does for a config: weights as they are stored,
 * activations and cache in half precision; *method: what they are called. Nothing where nothing is quantized.
 */
void sim_import_apply(const sim_import_sizes *sizes, sim_layer *layers, const char **method);

#endif
