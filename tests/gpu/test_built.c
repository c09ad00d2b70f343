/* The plug-in that was built: it opens, or says why the machine cannot use it; and where there is a GPU,
 * every kernel is right on edge shapes, in all the ways in which it can be run. */
#include "explore/gpu_plugin.h"

#include <criterion/criterion.h>
#include <string.h>

#ifdef BUILT_PLUGIN

static sim_arena arena;
static sim_err err;
static sim_gpu_plugin plugin;

static void end(void)
{
    sim_gpu_plugin_close(&plugin);
    sim_arena_free(&arena);
}

TestSuite(gpu_built, .fini = end);

Test(gpu_built, opens_or_says_why_not, .timeout = 120)
{
    static const char *const reasons[] = {"no working NVIDIA driver", "driver is too old", "no GPU",
                                          "no code for this GPU", "too little free memory"};
    bool known = false;

    sim_arena_init(&arena, NULL);
    if (sim_gpu_plugin_open(BUILT_PLUGIN, 0, &arena, &plugin, &err) == SIM_OK) {
        cr_expect_geq(plugin.device.sm, 75);
        cr_expect_gt(plugin.device.sms, 0);
        return;
    }
    cr_assert_eq(err.items[0].status, SIM_MISSING);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        known |= strstr(err.items[0].text, reasons[i]) != NULL;
    cr_expect(known, "%s", err.items[0].text);
    cr_expect(*err.items[0].hint);
}

Test(gpu_built, kernels_are_right_on_edges, .timeout = 240)
{
    static const int64_t shapes[][3] = {{1, 1, 1},     {1, 33, 129},   {7, 64, 128},    {16, 95, 1000},
                                        {17, 65, 257}, {64, 128, 512}, {129, 257, 640}, {300, 40, 136}};
    const simacc_cuda_kernel *kernels;
    int count;

    sim_arena_init(&arena, NULL);
    if (sim_gpu_plugin_open(BUILT_PLUGIN, 0, &arena, &plugin, &err) != SIM_OK)
        return; /* no GPU here: the test above says so */
    kernels = plugin.api->kernels(plugin.session, &count);
    cr_assert_gt(count, 10);
    for (int i = 0; i < count; i++) {
        for (size_t s = 0; kernels[i].available && s < sizeof shapes / sizeof *shapes; s++) {
            simacc_cuda_request request = {.kernel = kernels[i].name,
                                           .impl = kernels[i].impl,
                                           .m = shapes[s][0],
                                           .n = shapes[s][1],
                                           .k = shapes[s][2],
                                           .check = SIMACC_CUDA_CHECK_ONLY,
                                           .seed = s};
            simacc_cuda_measurement got;
            char text[256] = "";
            simacc_cuda_status status =
                plugin.api->measure(plugin.session, &request, &got, text, sizeof text);

            /* The library may lack a kernel for a shape; our own run all of these. */
            cr_expect(status == SIMACC_CUDA_OK ||
                          (status == SIMACC_CUDA_UNSUPPORTED && strcmp(kernels[i].impl, "cublaslt") == 0),
                      "%s (%s) m %d n %d k %d: %s", kernels[i].name, kernels[i].impl, (int)shapes[s][0],
                      (int)shapes[s][1], (int)shapes[s][2], text);
        }
    }
}

#endif
