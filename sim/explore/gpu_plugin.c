#include "explore/gpu_plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set by the build; without it only the dynamic linker's places are looked at. */
#ifndef SIMACC_PLUGIN_DIR
#define SIMACC_PLUGIN_DIR ""
#endif

/* Stays mapped after it is closed: the CUDA runtime inside it has threads and handlers that outlive a
 * session. */
#ifdef RTLD_NODELETE
enum { OPEN_FLAGS = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE };
#else
enum { OPEN_FLAGS = RTLD_NOW | RTLD_LOCAL };
#endif

static const char library_name[] = "libsimacc_cuda.so";

/* The first word that tells one GPU from another; brands of several words keep the number behind them. */
char *sim_gpu_short_name(const char *name, char *out, size_t size)
{
    static const char *const dropped[] = {"NVIDIA ", "Tesla ", "GeForce "};
    static const char *const brands[] = {"RTX ", "GTX ", "TITAN ", "Quadro "};
    size_t length = 0, brand = 0;

    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
        if (strncmp(name, dropped[i], strlen(dropped[i])) == 0)
            name += strlen(dropped[i]);
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++)
        if (strncmp(name, brands[i], strlen(brands[i])) == 0)
            brand = strlen(brands[i]);
    length = brand + strcspn(name + brand, " -,\"");
    if (length >= size)
        length = size - 1;
    memcpy(out, name, length);
    out[length] = '\0';
    for (char *c = out; *c; c++)
        if (*c == ' ')
            *c = '-';
    return out;
}

/* ---- finding and opening the library ---------------------------------------------------------------- */

static sim_status not_found(const char *path, sim_err *err)
{
    sim_status status;

    if (path) {
        status = sim_fail(err, SIM_MISSING, path, 0, "no such CUDA plug-in");
        sim_hint(err, "SIMACC_CUDA_PLUGIN names a %s that was built with simacc", library_name);
    } else {
        status = sim_fail(err, SIM_MISSING, NULL, 0, "no CUDA plug-in (%s) was found", library_name);
        sim_hint(err, "it is built where nvcc is found (cmake -DSIMACC_CUDA=ON says why it is not); "
                      "SIMACC_CUDA_PLUGIN can name one; without a GPU, calibrate from a CSV file");
    }
    return status;
}

/* Opens `path`, which is there. */
static sim_status load(const char *path, sim_gpu_plugin *out, sim_err *err)
{
    sim_status status;

    out->handle = dlopen(path, OPEN_FLAGS);
    if (!out->handle) {
        const char *why = dlerror();
        status = sim_fail(err, SIM_MISSING, path, 0, "the CUDA plug-in does not load: %s", why ? why : "?");
        sim_hint(err, "build it on this machine again");
        return status;
    }
    return SIM_OK;
}

static sim_status find(const char *path, sim_arena *arena, sim_gpu_plugin *out, sim_err *err)
{
    char *beside;

    if (!path) {
        path = getenv("SIMACC_CUDA_PLUGIN");
        if (path && !*path)
            path = NULL;
    }
    if (path) {
        if (access(path, F_OK) != 0)
            return not_found(path, err);
        out->path = sim_arena_text(arena, path, strlen(path));
    } else {
        beside = sim_arena_printf(arena, "%s/%s", SIMACC_PLUGIN_DIR, library_name);
        if (!beside)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        if (*SIMACC_PLUGIN_DIR && access(beside, F_OK) == 0) {
            out->path = beside;
        } else {
            out->handle = dlopen(library_name, OPEN_FLAGS);
            if (!out->handle)
                return not_found(NULL, err);
            out->path = library_name;
            return SIM_OK;
        }
    }
    if (!out->path)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return load(out->path, out, err);
}

/* ---- its interface ---------------------------------------------------------------------------------- */

static sim_status ask(sim_gpu_plugin *out, sim_err *err)
{
    void *symbol = dlsym(out->handle, SIMACC_CUDA_SYMBOL);
    simacc_cuda_plugin_function *function;
    sim_status status;

    if (!symbol) {
        status = sim_fail(err, SIM_MISSING, out->path, 0, "a library, but no CUDA plug-in of simacc");
        sim_hint(err, "it has no symbol '%s'", SIMACC_CUDA_SYMBOL);
        return status;
    }
    /* POSIX lets a data pointer hold a function's address; ISO C has no cast for it. */
    memcpy(&function, &symbol, sizeof function);
    out->api = function();
    if (!out->api)
        return sim_fail(err, SIM_MISSING, out->path, 0, "the CUDA plug-in offers no interface");
    if (out->api->abi != SIMACC_CUDA_ABI) {
        status = sim_fail(err, SIM_MISSING, out->path, 0,
                          "the CUDA plug-in has interface version %d, this simacc has %d", out->api->abi,
                          SIMACC_CUDA_ABI);
        sim_hint(err, "build simacc and the plug-in from the same source");
        return status;
    }
    return SIM_OK;
}

/* What a failed open means, and what to do about it. */
static sim_status explain(const sim_gpu_plugin *plugin, simacc_cuda_status status, const char *text,
                          sim_err *err)
{
    static const struct {
        simacc_cuda_status status;
        const char *what, *hint;
    } known[] = {
        {SIMACC_CUDA_NO_DRIVER, "no working NVIDIA driver", "nvidia-smi must list the GPU first"},
        {SIMACC_CUDA_DRIVER_TOO_OLD, "the NVIDIA driver is too old for this plug-in",
         "update the driver, or build the plug-in with an older CUDA toolkit"},
        {SIMACC_CUDA_NO_DEVICE, "no GPU", "CUDA_VISIBLE_DEVICES may hide it"},
        {SIMACC_CUDA_OLD_DEVICE, "the plug-in holds no code for this GPU",
         "it needs compute capability 7.5 or later: Turing, Ampere, Ada, Hopper and what follows"},
        {SIMACC_CUDA_NO_MEMORY, "the GPU has too little free memory",
         "end other processes on the GPU (nvidia-smi lists them)"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].status == status) {
            sim_fail(err, SIM_MISSING, NULL, 0, "%s: %s", known[i].what, text);
            sim_hint(err, "%s", known[i].hint);
            return SIM_MISSING;
        }
    }
    return sim_fail(err, SIM_MISSING, plugin->path, 0, "the CUDA plug-in failed: %s", text);
}

static sim_status start(int index, sim_arena *arena, sim_gpu_plugin *out, sim_err *err)
{
    char text[256] = "", name[64];
    simacc_cuda_status status = out->api->open(index, &out->session, &out->device, text, sizeof text);

    if (status != SIMACC_CUDA_OK) {
        out->session = NULL;
        return explain(out, status, text, err);
    }
    if (out->device.free_bytes < SIM_GPU_LEAST_MIB * 1048576.0) {
        snprintf(text, sizeof text, "%.0f MiB are free of %.0f MiB on '%s', %d MiB are needed",
                 out->device.free_bytes / 1048576, out->device.memory_bytes / 1048576, out->device.name,
                 SIM_GPU_LEAST_MIB);
        return explain(out, SIMACC_CUDA_NO_MEMORY, text, err);
    }
    sim_gpu_short_name(out->device.name, name, sizeof name);
    out->gpu = sim_arena_text(arena, name, strlen(name));
    return out->gpu ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

sim_status sim_gpu_plugin_open(const char *path, int index, sim_arena *arena, sim_gpu_plugin *out,
                               sim_err *err)
{
    sim_status status;

    *out = (sim_gpu_plugin){0};
    status = find(path, arena, out, err);
    if (status == SIM_OK)
        status = ask(out, err);
    if (status == SIM_OK)
        status = start(index, arena, out, err);
    if (status != SIM_OK)
        sim_gpu_plugin_close(out);
    return status;
}

void sim_gpu_plugin_close(sim_gpu_plugin *plugin)
{
    if (plugin->session)
        plugin->api->close(plugin->session);
    if (plugin->handle)
        dlclose(plugin->handle);
    *plugin = (sim_gpu_plugin){0};
}
