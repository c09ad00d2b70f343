/* Every allocation of an import can fail: it then says SIM_NO_MEMORY, and nothing stays open or allocated. */
#include "import_fixture.h"
#include "reference/failing.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void survive(import_fixture *f, const char *name, const sim_workload_request *request, bool for_good)
{
    const char *path = import_path(f, name);
    long n;

    for (n = 1;; n++) {
        failing state = {.fail_at = n, .for_good = for_good};
        sim_allocator allocator = failing_allocator(&state);
        sim_arena arena;
        sim_workload w;
        sim_err err = {0};
        sim_status status;

        sim_arena_init(&arena, &allocator);
        arena.block_bytes = 1; /* no allocation hides in a block that is already there */
        status = sim_import_load(path, request, &arena, &w, &err);
        sim_arena_free(&arena);
        cr_assert_eq(state.live, 0, "%s: %ld blocks kept after allocation %ld failed", name, state.live, n);
        if (state.calls < n) { /* nothing failed */
            cr_assert_eq(status, SIM_OK, "%s: %s", name, err.items[0].text);
            break;
        }
        cr_assert_eq(status, SIM_NO_MEMORY, "%s: status %d after allocation %ld failed: %s", name,
                     (int)status, n, err.count > 0 ? err.items[0].text : "no error");
        cr_assert_eq(sim_err_status(&err), status);
    }
    cr_assert_gt(n, 20, "only %ld allocations: are they all seen?", n);
}

Test(import_alloc, each_failure_is_reported)
{
    const sim_workload_request model = {.phase = SIM_PHASE_DECODE, .context_tokens = 9}, list = {.batch = 2};
    tiny_tensors hf, gguf;
    import_fixture f;

    import_begin(&f);
    tiny_hf(&hf);
    tiny_gguf(&gguf, 12, 256, 144);
    import_put_safetensors(&f, "bare.safetensors", &hf);
    import_put(&f, "model.safetensors.index.json",
               "{\"weight_map\": {\"lm_head.weight\": \"bare.safetensors\"}}");
    import_put_gguf(&f, "tiny.gguf", tiny_pairs, &gguf);
    import_put(&f, "gemm.csv", "Layer,M,N,K,\na,1,2,3,\nb,4,5,6,\n");
    import_put(&f, "conv.csv",
               "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,"
               "Strides,\nc1,34,34,3,3,3,32,2,\n");
    for (int for_good = 0; for_good < 2; for_good++) {
        survive(&f, "bare.safetensors", &list, for_good);
        survive(&f, "model.safetensors.index.json", &list, for_good);
        survive(&f, "tiny.gguf", &model, for_good);
        survive(&f, "gemm.csv", NULL, for_good);
        survive(&f, "conv.csv", NULL, for_good);
    }
    import_put(&f, "config.json", tiny_config);
    import_put(&f, "hf_quant_config.json", "{\"quantization\": {\"quant_algo\": \"FP8\"}}");
    survive(&f, "", &model, false);
    survive(&f, "", &model, true);
    import_end(&f);
}
