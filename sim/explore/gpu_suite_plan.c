/* Which shapes the suite measures, and in which order: rank by rank, so that a run that ends early has a
 * coarse picture of every kernel and not a fine one of the first. */
#include "explore/gpu_suite.h"

#include <string.h>

/* Weights of the linear layers, [n outputs][k inputs]; those that several models share stand once. Source:
 * the models' config.json (hidden_size, intermediate_size, num_key_value_heads * head_dim, vocab_size;
 * ffn_dim of OPT). In order of how much a fit learns: spread first, near repeats last. */
static const struct {
    int64_t n, k;
    bool head; /* lm_head: stays in floating point */
} weights[] = {
    {4096, 4096, false},  /* 7B, 8B, 6.7B: q, o */
    {8192, 28672, false}, /* Llama-2-70B down */
    {11008, 4096, false}, /* Llama-2-7B gate, up */
    {1024, 8192, false},  /* Llama-2-70B k, v */
    {5120, 13824, false}, /* Llama-2-13B down */
    {4096, 14336, false}, /* Llama-3-8B, Mistral-7B, Mixtral down */
    {16384, 4096, false}, /* OPT-6.7B fc1 */
    {8192, 8192, false},  /* Llama-2-70B q, o */
    {1024, 4096, false},  /* Llama-3-8B, Mistral-7B, Mixtral k, v */
    {28672, 8192, false}, /* Llama-2-70B gate, up */
    {4096, 11008, false}, /* Llama-2-7B down */
    {5120, 5120, false},  /* Llama-2-13B, OPT-13B q, k, v, o */
    {14336, 4096, false}, /* Llama-3-8B, Mistral-7B, Mixtral gate, up */
    {4096, 16384, false}, /* OPT-6.7B fc2 */
    {13824, 5120, false}, /* Llama-2-13B gate, up */
    {20480, 5120, false}, /* OPT-13B fc1 */
    {5120, 20480, false}, /* OPT-13B fc2 */
    {8, 4096, false},     /* Mixtral router */
    {32000, 4096, true},  /* Llama-2-7B, Mistral-7B, Mixtral */
    {128256, 4096, true}, /* Llama-3-8B */
    {32000, 5120, true},  /* Llama-2-13B */
    {32000, 8192, true},  /* Llama-2-70B */
    {50272, 4096, true},  /* OPT-6.7B */
    {50272, 5120, true},  /* OPT-13B */
};

enum {
    WEIGHTS = sizeof weights / sizeof *weights,
    TOKENS = 13, /* m = 2^0 ... 2^12 */
    RANDOM_SHAPES = 24,
    RANKS = 7,
};

/* Ragged and edge shapes: one row, one column, extents around the tiles of the kernels (8, 16, 32, 64, 128),
 * k around groups of 128 and the 16-byte pieces in which operands are read. */
static const struct {
    int64_t m, n, k;
} edges[] = {
    {1, 1, 1},       {1, 1, 128},     {1, 8, 16},      {2, 7, 5},       {3, 33, 65},     {5, 31, 127},
    {8, 32, 128},    {9, 40, 129},    {15, 63, 255},   {16, 64, 256},   {17, 65, 257},   {16, 128, 1000},
    {31, 127, 384},  {32, 128, 512},  {33, 129, 640},  {63, 200, 72},   {64, 256, 1024}, {65, 257, 1111},
    {127, 255, 128}, {128, 128, 128}, {129, 129, 129}, {130, 384, 520}, {255, 512, 96},  {256, 256, 2048},
    {257, 640, 136}, {1, 4097, 4095}, {7, 1, 4096},    {200, 1, 300},   {300, 8, 24},    {1, 11008, 4100},
};

typedef enum kind { MAIN, SECOND, EPILOGUE, VECTOR } kind;

/* The kernels that layers run on come before their variants; O2 and O3 differ from O1 by a scale. */
static kind kind_of(const simacc_cuda_kernel *kernel)
{
    static const char *const second[] = {"gemm_bf16", "gemm_fp32", "gemm_fp8"};

    if (!kernel->is_gemm)
        return VECTOR;
    if (strstr(kernel->impl, "_o"))
        return EPILOGUE;
    for (size_t i = 0; i < sizeof second / sizeof *second; i++)
        if (strcmp(kernel->name, second[i]) == 0)
            return SECOND;
    return MAIN;
}

/* ---- what a case costs ------------------------------------------------------------------------------ */

/* Operations per cycle and multiprocessor that a kernel may reach, 2 per multiply-accumulate: dense peaks of
 * NVIDIA's architecture white papers (TU102, GA100, GH100; GA102 and AD102 taken as TU102) over
 * multiprocessors and clock, int8 and fp8 twice fp16. Rough: it orders and boxes the suite, nothing else, as
 * do the fractions of case_cost_s. */
static double op_per_cycle(const simacc_cuda_device *device, const simacc_cuda_kernel *kernel)
{
    double fp16 = device->sm >= 90 ? 4096 : device->sm == 80 ? 2048 : 1024;

    if (strcmp(kernel->name, "gemm_fp32") == 0)
        return device->sm == 75 || device->sm == 80 ? 128 : 256;
    return kernel->a_bits == 8 ? 2 * fp16 : fp16;
}

static double case_cost_s(const simacc_cuda_device *device, const sim_gpu_case *c)
{
    double bandwidth = device->bandwidth_gb_s > 0 ? device->bandwidth_gb_s * 1e9 : 300e9;
    double clock_hz = device->clock_mhz > 0 ? device->clock_mhz * 1e6 : 1.5e9;
    double mn = (double)c->m * (double)c->n * (double)c->batch, call_s, bytes, check_s = 0.001;

    if (c->kernel->is_gemm) {
        double macs = mn * (double)c->k;
        double compute_s =
            2 * macs /
            (0.4 * op_per_cycle(device, c->kernel) * clock_hz * (device->sms > 0 ? device->sms : 40));

        bytes = (double)c->m * (double)c->k * c->kernel->a_bits / 8 +
                (double)c->n * (double)c->k * c->kernel->w_bits / 8 + 2 * mn;
        call_s = compute_s + bytes / (0.6 * bandwidth);
        check_s += (macs < 268435456.0 ? macs : 4096.0 * (double)c->k) / 2e10;
    } else {
        bytes = 3 * mn * c->kernel->a_bits / 8;
        call_s = bytes / (0.6 * bandwidth);
    }
    call_s += 4e-6;
    if (c->check_only)
        return 0.005 + check_s;
    /* Operands are written once and rotate through more than the L2; candidates are tried before timing. */
    double setup_s = 0.01 + check_s + 2 * (4 * device->l2_bytes + bytes) / bandwidth + 12 * call_s;
    double timed_s = c->regime == SIMACC_CUDA_SUSTAINED ? 2.7 : 6 * call_s > 0.03 ? 6 * call_s : 0.03;
    return setup_s + timed_s;
}

/* ---- the list --------------------------------------------------------------------------------------- */

typedef struct list {
    const simacc_cuda_device *device;
    sim_gpu_case *cases; /* NULL: only count */
    int64_t count;
} list;

static void add(list *l, sim_gpu_case c)
{
    if (l->cases) {
        c.batch = 1;
        c.cost_s = case_cost_s(l->device, &c);
        l->cases[l->count] = c;
    }
    l->count++;
}

static bool is_float(const simacc_cuda_kernel *kernel)
{
    return kernel->w_bits >= 16;
}

/* -1: not in the suite. `token` is log2 m. */
static int gemm_rank(const simacc_cuda_kernel *kernel, int weight, int token)
{
    bool coarse = token == 0 || token == 4 || token == 7 || token == 10;
    bool even = token == 0 || token == 4 || token == 8 || token == 11;
    kind what = kind_of(kernel);

    if (weights[weight].head)
        return what == MAIN && is_float(kernel) ? 5 : what == SECOND && kernel->w_bits == 16 ? 6 : -1;
    if (what == MAIN)
        return coarse && weight < 4 ? 1 : even ? 2 : 4;
    if (what == EPILOGUE)
        return (coarse || token == 12) && weight < 6 ? 3 : -1;
    if (strcmp(kernel->name, "gemm_fp32") == 0)
        return weight < 8 && token <= 10 ? (coarse && weight < 6 ? 3 : 6) : -1;
    return (coarse || token == 12) && weight < 6 ? 3 : 5;
}

static void add_gemms(list *l, const simacc_cuda_kernel *kernel, int weight)
{
    for (int token = 0; token < TOKENS; token++) {
        int rank = gemm_rank(kernel, weight, token);
        int64_t m = INT64_C(1) << token;

        if (rank >= 0)
            add(l,
                (sim_gpu_case){
                    .kernel = kernel, .m = m, .n = weights[weight].n, .k = weights[weight].k, .rank = rank});
        /* Energy: three weight shapes, from bandwidth-bound to power-bound. */
        if (kind_of(kernel) == MAIN && weight < 3 && (token == 0 || token == 6 || token == 11))
            add(l, (sim_gpu_case){.kernel = kernel,
                                  .m = m,
                                  .n = weights[weight].n,
                                  .k = weights[weight].k,
                                  .rank = 3,
                                  .regime = SIMACC_CUDA_SUSTAINED});
    }
}

/* splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A multiple of `step` between step * 2^low and step * 2^high, about evenly spread in the logarithm. */
static int64_t random_extent(uint64_t *state, int64_t step, int low, int high)
{
    uint64_t r = next_random(state);
    int64_t octave = INT64_C(1) << (low + (int)(r % (uint64_t)(high - low)));

    return step * (octave + (int64_t)((r >> 32) % (uint64_t)octave));
}

/* The same shapes for every kernel. */
static void add_random(list *l, const simacc_cuda_kernel *kernel)
{
    uint64_t state = 2026;
    kind what = kind_of(kernel);

    for (int i = 0; i < RANDOM_SHAPES; i++) {
        int64_t m = random_extent(&state, 1, 0, 12), n = random_extent(&state, 64, 2, 8);
        int64_t k = random_extent(&state, 64, 2, 8);

        if (what == MAIN || (what == SECOND && i < 8 && strcmp(kernel->name, "gemm_fp32") != 0))
            add(l, (sim_gpu_case){.kernel = kernel, .m = m, .n = n, .k = k, .rank = what == MAIN ? 4 : 5});
    }
}

static void add_edges(list *l, const simacc_cuda_kernel *kernel)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        add(l, (sim_gpu_case){.kernel = kernel,
                              .m = edges[i].m,
                              .n = kernel->is_gemm ? edges[i].n : edges[i].k,
                              .k = kernel->is_gemm ? edges[i].k : 0,
                              .rank = 0,
                              .check_only = true});
}

/* Rows and row lengths of the models: attention rows of softmax (heads times tokens, of the keys they see),
 * and tokens of hidden_size elements of the others. */
static void add_vector(list *l, const simacc_cuda_kernel *kernel)
{
    static const int64_t keys[] = {128, 512, 2048, 4096}, hidden[] = {4096, 8192, 5120, 11008};
    bool softmax = strcmp(kernel->name, "softmax") == 0;

    if (strcmp(kernel->name, "empty") == 0) {
        add(l, (sim_gpu_case){.kernel = kernel, .m = 1, .n = 1, .rank = 0});
        return;
    }
    if (strcmp(kernel->name, "copy") == 0) {
        for (int64_t m = 1; m <= 8192; m *= 2)
            add(l, (sim_gpu_case){.kernel = kernel, .m = m, .n = 32768, .rank = m >= 1024 ? 0 : 2});
        add(l, (sim_gpu_case){
                   .kernel = kernel, .m = 4096, .n = 32768, .rank = 3, .regime = SIMACC_CUDA_SUSTAINED});
        return;
    }
    for (int i = 0; i < 4; i++) {
        for (int token = 0; token < TOKENS; token += 2) {
            int64_t m = (softmax ? INT64_C(32) : INT64_C(1)) << token;
            int64_t n = softmax ? keys[i] : hidden[i];

            if (m * n <= INT64_C(1) << 28)
                add(l, (sim_gpu_case){.kernel = kernel,
                                      .m = m,
                                      .n = n,
                                      .rank = i < 2 && token % 4 == 0 ? 1
                                              : i < 2                 ? 2
                                                                      : 4});
        }
    }
    add(l, (sim_gpu_case){.kernel = kernel,
                          .m = softmax ? 32768 : 4096,
                          .n = softmax ? 2048 : 8192,
                          .rank = 3,
                          .regime = SIMACC_CUDA_SUSTAINED});
}

/* Weights outermost, so that what a rank has when time ends is whole weight shapes; kernels innermost, so
 * that all of them have the same ones. */
static void fill(list *l, const simacc_cuda_kernel *kernels, int count)
{
    for (int i = 0; i < count; i++) {
        if (kernels[i].available && strcmp(kernels[i].name, "empty") != 0)
            add_edges(l, &kernels[i]);
        if (kernels[i].available && !kernels[i].is_gemm)
            add_vector(l, &kernels[i]);
    }
    for (int weight = 0; weight < WEIGHTS; weight++)
        for (int i = 0; i < count; i++)
            if (kernels[i].available && kernels[i].is_gemm)
                add_gemms(l, &kernels[i], weight);
    for (int i = 0; i < count; i++)
        if (kernels[i].available && kernels[i].is_gemm)
            add_random(l, &kernels[i]);
}

sim_status sim_gpu_suite_plan(const simacc_cuda_device *device, const simacc_cuda_kernel *kernels,
                              int kernel_count, sim_arena *arena, sim_gpu_plan *out, sim_err *err)
{
    list l = {.device = device};
    sim_gpu_case *sorted;
    int64_t at = 0;

    *out = (sim_gpu_plan){0};
    fill(&l, kernels, kernel_count);
    sorted = sim_arena_alloc(arena, (size_t)l.count, sizeof *sorted);
    l.cases = sim_arena_alloc(arena, (size_t)l.count, sizeof *l.cases);
    if (!sorted || !l.cases)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    l.count = 0;
    fill(&l, kernels, kernel_count);
    for (int rank = 0; rank < RANKS; rank++)
        for (int64_t i = 0; i < l.count; i++)
            if (l.cases[i].rank == rank)
                sorted[at++] = l.cases[i];
    for (int64_t i = 0; i < at; i++)
        out->cost_s += sorted[i].cost_s;
    out->cases = sorted;
    out->count = at;
    return SIM_OK;
}
