/* Each way in which the plug-in can be missing or broken has its own message and a hint. */
#include "explore/gpu_plugin.h"
#include "gpu_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sim_arena arena;
static sim_err err;
static sim_gpu_plugin plugin;

static sim_status try_open(const char *path, int index)
{
    memset(&err, 0, sizeof err);
    sim_arena_free(&arena);
    sim_arena_init(&arena, NULL);
    return sim_gpu_plugin_open(path, index, &arena, &plugin, &err);
}

/* The open fails with SIM_MISSING, these words and some hint, and leaves nothing behind. */
static void fails(const char *path, int index, const char *words)
{
    cr_expect_eq(try_open(path, index), SIM_MISSING);
    cr_assert_eq(err.count, 1);
    cr_expect(strstr(err.items[0].text, words), "'%s' does not say '%s'", err.items[0].text, words);
    cr_expect_null(plugin.handle);
    cr_expect_null(plugin.session);
}

static void end(void)
{
    sim_gpu_plugin_close(&plugin);
    sim_arena_free(&arena);
}

TestSuite(gpu_plugin, .fini = end);

Test(gpu_plugin, opens_the_fake)
{
    cr_assert_eq(try_open(FAKE_PLUGIN, 0), SIM_OK);
    cr_expect_str_eq(plugin.gpu, "T4");
    cr_expect_str_eq(plugin.path, FAKE_PLUGIN);
    cr_expect_eq(plugin.device.sms, 40);
    sim_gpu_plugin_close(&plugin);
    cr_expect_null(plugin.api);
    sim_gpu_plugin_close(&plugin);
}

Test(gpu_plugin, the_environment_names_it)
{
    setenv("SIMACC_CUDA_PLUGIN", FAKE_PLUGIN, 1);
    cr_assert_eq(try_open(NULL, 0), SIM_OK);
    cr_expect_str_eq(plugin.path, FAKE_PLUGIN);
}

Test(gpu_plugin, not_found)
{
    fails("/nowhere/libsimacc_cuda.so", 0, "no such CUDA plug-in");
    setenv("SIMACC_CUDA_PLUGIN", "/nowhere/else.so", 1);
    fails(NULL, 0, "no such CUDA plug-in");
    cr_expect_str_eq(err.items[0].file, "/nowhere/else.so");
}

Test(gpu_plugin, no_library)
{
    const char *path = gpu_temporary("libsimacc_cuda.so");

    gpu_write(path, "not an ELF file");
    fails(path, 0, "does not load");
    gpu_cleanup();
}

Test(gpu_plugin, another_library)
{
    fails(FAKE_NOTHING, 0, "no CUDA plug-in of simacc");
}

Test(gpu_plugin, another_interface_version)
{
    fails(FAKE_OTHER, 0, "interface version 999, this simacc has 1");
    cr_expect(strstr(err.items[0].hint, "from the same source"));
}

Test(gpu_plugin, what_the_machine_lacks)
{
    static const struct {
        simacc_cuda_status status;
        const char *words;
    } cases[] = {
        {SIMACC_CUDA_NO_DRIVER, "no working NVIDIA driver: the fake says 2"},
        {SIMACC_CUDA_DRIVER_TOO_OLD, "driver is too old"},
        {SIMACC_CUDA_NO_DEVICE, "no GPU"},
        {SIMACC_CUDA_OLD_DEVICE, "no code for this GPU"},
        {SIMACC_CUDA_NO_MEMORY, "too little free memory"},
        {SIMACC_CUDA_FAILED, "the CUDA plug-in failed: the fake says 9"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[16];

        snprintf(value, sizeof value, "%d", (int)cases[i].status);
        setenv("FAKE_OPEN", value, 1);
        fails(FAKE_PLUGIN, 0, cases[i].words);
        if (cases[i].status != SIMACC_CUDA_FAILED)
            cr_expect(*err.items[0].hint);
    }
}

Test(gpu_plugin, another_device_number)
{
    fails(FAKE_PLUGIN, 3, "no GPU");
}

Test(gpu_plugin, too_little_memory)
{
    setenv("FAKE_FREE_MIB", "300", 1);
    fails(FAKE_PLUGIN, 0, "300 MiB are free of 15360 MiB on 'Tesla T4', 1536 MiB are needed");
}

Test(gpu_plugin, short_names)
{
    static const char *const names[][2] = {
        {"Tesla T4", "T4"},
        {"NVIDIA A100-SXM4-80GB", "A100"},
        {"NVIDIA H100 80GB HBM3", "H100"},
        {"NVIDIA H200", "H200"},
        {"NVIDIA L40S", "L40S"},
        {"NVIDIA GeForce RTX 4090", "RTX-4090"},
        {"Tesla V100-SXM2-16GB", "V100"},
        {"NVIDIA RTX A6000", "RTX-A6000"},
        {"odd, \"name\"", "odd"},
        {"", ""},
    };
    char out[16];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_str_eq(sim_gpu_short_name(names[i][0], out, sizeof out), names[i][1]);
    cr_expect_str_eq(sim_gpu_short_name("NVIDIA A100-SXM4", out, 3), "A1");
}
