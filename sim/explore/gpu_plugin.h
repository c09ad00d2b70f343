/* The CUDA plug-in, opened at run time: the simulator itself neither links nor needs CUDA. */
#ifndef SIM_EXPLORE_GPU_PLUGIN_H
#define SIM_EXPLORE_GPU_PLUGIN_H

#include "base/arena.h"
#include "base/err.h"
#include "cuda_ref/simacc_cuda.h"

typedef struct sim_gpu_plugin {
    const char *path; /* of the library, as it was opened */
    void *handle;     /* of dlopen */
    const simacc_cuda_api *api;
    simacc_cuda_session *session;
    simacc_cuda_device device;
    const char *gpu; /* short name for tables: "T4", "H100" */
} sim_gpu_plugin;

/* Least free memory of a device that is worth measuring: a quarter of a GiB stays free (session_reserve),
 * what is left holds many times any L2 (50 MB on H100) and nearly all shapes of the suite. */
enum { SIM_GPU_LEAST_MIB = 1536 };

/* Opens a plug-in and a session on device `index`. `path` NULL: the environment's SIMACC_CUDA_PLUGIN when set
 * and not empty, else libsimacc_cuda.so in the folder that the library was built in, else wherever the
 * dynamic linker looks. On failure `out` is zero and nothing is left open.
 *
 * SIM_MISSING, each with its own message and a hint at what to do: no plug-in found; one that does not load;
 * no plug-in at all but another library; another ABI version; no driver; a driver too old; no device; a
 * device too old; too little free memory; any other failure, with what the plug-in said. SIM_NO_MEMORY: the
 * arena's. `path` and `gpu` live as long as the arena. */
sim_status sim_gpu_plugin_open(const char *path, int index, sim_arena *arena, sim_gpu_plugin *out,
                               sim_err *err);

/* Closes what is open; a zero struct is fine. */
void sim_gpu_plugin_close(sim_gpu_plugin *plugin);

/* "NVIDIA A100-SXM4-80GB" -> "A100": without vendor, brand, form factor and memory size. At most size - 1
 * bytes are written, and a NUL; size is at least 1. Returns `out`. */
char *sim_gpu_short_name(const char *name, char *out, size_t size);

#endif
