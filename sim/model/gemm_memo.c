#include "model/gemm_memo.h"

#include "base/hash.h"

#include <string.h>

enum { GEMM_NUMBERS = SIM_DIMS + 10 + SIM_OPERAND_COUNT + 8 };

/* Everything that tells products apart, as numbers: structs have padding. */
static void numbers_of(const sim_gemm *g, int64_t out[GEMM_NUMBERS])
{
    const int64_t numbers[GEMM_NUMBERS] = {
        g->extent[SIM_M],
        g->extent[SIM_N],
        g->extent[SIM_K],
        g->batch,
        g->w_bits,
        g->a_bits,
        g->w_group,
        g->out_bits,
        g->acc_bits,
        g->w_stored_bits,
        g->a_stored_bits,
        g->out_stored_bits,
        g->w_once_bits,
        g->on_chip[SIM_OPERAND_WEIGHT],
        g->on_chip[SIM_OPERAND_INPUT],
        g->on_chip[SIM_OPERAND_OUTPUT],
        g->window.rows_out,
        g->window.cols_out,
        g->window.kernel_h,
        g->window.kernel_w,
        g->window.stride,
        g->window.pad_rows,
        g->window.pad_cols,
        g->window.direct,
    };

    memcpy(out, numbers, sizeof numbers);
}

typedef struct memo_entry {
    int64_t numbers[GEMM_NUMBERS];
    sim_map_choice choice;
    struct memo_entry *next;
} memo_entry;

enum { MEMO_CHAINS = 256 };

struct sim_gemm_memo {
    sim_arena *arena;
    int64_t count;
    memo_entry *chains[MEMO_CHAINS];
};

struct sim_gemm_memo *sim_gemm_memo_new(sim_arena *arena)
{
    struct sim_gemm_memo *memo = sim_arena_alloc(arena, 1, sizeof *memo);

    if (memo)
        memo->arena = arena;
    return memo;
}

int64_t sim_gemm_memo_count(const struct sim_gemm_memo *memo)
{
    return memo->count;
}

sim_status sim_gemm_map_once(const sim_layer_context *x, const sim_gemm *gemm, const char *name,
                             const sim_map_choice **out, sim_err *err)
{
    int64_t numbers[GEMM_NUMBERS];
    memo_entry **chain, *entry;
    sim_status status;

    numbers_of(gemm, numbers);
    chain = &x->memo->chains[sim_hash_words(SIM_HASH_START, numbers, sizeof numbers) % MEMO_CHAINS];
    for (entry = *chain; entry; entry = entry->next)
        if (memcmp(entry->numbers, numbers, sizeof numbers) == 0) {
            *out = &entry->choice;
            return SIM_OK;
        }
    entry = sim_arena_alloc(x->memo->arena, 1, sizeof *entry);
    if (!entry)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory while mapping layer '%s'", name);
    status = sim_map(x->arch, gemm, name, x->objective, x->cache, &entry->choice, err);
    if (status != SIM_OK)
        return status;
    memcpy(entry->numbers, numbers, sizeof numbers);
    entry->next = *chain;
    *chain = entry;
    x->memo->count++;
    *out = &entry->choice;
    return SIM_OK;
}
