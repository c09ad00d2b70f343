/* safetensors: the header of a file -> its tensors.
 *
 * A file is: 8 bytes, the header's length (little-endian); the header, a JSON object of
 * {"name": {"dtype": "BF16", "shape": [outputs, inputs], "data_offsets": [begin, end]}, ...}, with an
 * optional
 * "__metadata__" of texts, padded with blanks; then the data, which offsets count from and which the tensors
 * fill without holes (https://github.com/huggingface/safetensors, README.md, "Format"). */
#ifndef SIM_FORMAT_SAFETENSORS_H
#define SIM_FORMAT_SAFETENSORS_H

#include "base/json.h"
#include "format/tensor.h"

enum { SIM_SAFETENSORS_HEADER_MAX = 100000000 }; /* bytes; the limit of the format's own library */

typedef struct sim_safetensors {
    sim_tensor *tensors; /* sorted by name; offsets from the beginning of the file; `file` is 0 */
    int64_t tensor_count;
    const sim_json *metadata; /* "__metadata__"; NULL: none */
    int64_t data_offset;      /* where the data begins */
} sim_safetensors;

/* Reads the header of a file of `bytes` bytes at `data`; `name` is the file's, for messages. What is wrong
 * with tensors is reported together, each with its name. SIM_BAD_INPUT, SIM_NO_MEMORY; on failure `out` is
 * empty. */
sim_status sim_safetensors_parse(const unsigned char *data, int64_t bytes, const char *name, sim_arena *arena,
                                 sim_safetensors *out, sim_err *err);

#endif
