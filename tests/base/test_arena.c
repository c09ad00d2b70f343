#include "base/arena.h"
#include "reference/failing.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

static bool is_zero(const unsigned char *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* Sizes around block and alignment boundaries: zeroed, aligned, and nobody's memory overlaps another's. */
Test(arena, allocations_are_zeroed_aligned_and_apart)
{
    static const size_t sizes[] = {1, 7, 16, 17, 4096, 65535, 65536, 65537, 200000, 3};
    enum { SIZES = sizeof sizes / sizeof *sizes, ROUNDS = 20 };
    unsigned char *at[SIZES * ROUNDS];
    sim_arena arena;
    size_t asked = 0;

    sim_arena_init(&arena, NULL);
    for (int i = 0; i < SIZES * ROUNDS; i++) {
        size_t size = sizes[i % SIZES];

        at[i] = sim_arena_alloc(&arena, size, 1);
        cr_assert_not_null(at[i]);
        cr_assert_eq((uintptr_t)at[i] % _Alignof(max_align_t), 0);
        cr_assert(is_zero(at[i], size), "allocation %d of %zu bytes", i, size);
        memset(at[i], i % 255 + 1, size);
        asked += size;
    }
    for (int i = 0; i < SIZES * ROUNDS; i++)
        for (size_t j = 0; j < sizes[i % SIZES]; j++)
            cr_assert_eq(at[i][j], i % 255 + 1);
    cr_assert_geq(arena.used_bytes, asked);
    sim_arena_free(&arena);
    cr_assert_null(arena.blocks);
    cr_assert_eq(arena.used_bytes, 0);
}

Test(arena, small_allocations_share_blocks_around_a_large_one)
{
    failing f = {0};
    sim_allocator allocator = failing_allocator(&f);
    sim_arena arena;

    sim_arena_init(&arena, &allocator);
    for (int i = 0; i < 100; i++) {
        cr_assert_not_null(sim_arena_alloc(&arena, 1, 100));
        if (i == 50)
            cr_assert_not_null(sim_arena_alloc(&arena, 1, 1000000));
    }
    cr_assert_eq(f.calls, 2, "%ld blocks", f.calls);
    sim_arena_free(&arena);
    cr_assert_eq(f.live, 0);
}

Test(arena, a_freed_arena_can_be_used_again)
{
    failing f = {0};
    sim_allocator allocator = failing_allocator(&f);
    sim_arena arena;

    sim_arena_init(&arena, &allocator);
    cr_assert_not_null(sim_arena_alloc(&arena, 1, 1));
    sim_arena_free(&arena);
    cr_assert_not_null(sim_arena_alloc(&arena, 1, 1));
    cr_assert_eq(f.live, 1);
    sim_arena_free(&arena);
    cr_assert_eq(f.live, 0);
}

Test(arena, zero_bytes_are_something)
{
    sim_arena arena;
    void *a, *b;

    sim_arena_init(&arena, NULL);
    a = sim_arena_alloc(&arena, 0, 8);
    b = sim_arena_alloc(&arena, 8, 0);
    cr_assert_not_null(a);
    cr_assert_not_null(b);
    cr_assert_neq(a, b);
    sim_arena_free(&arena);
}

Test(arena, a_product_that_overflows_is_no_memory)
{
    sim_arena arena;

    sim_arena_init(&arena, NULL);
    cr_assert_null(sim_arena_alloc(&arena, SIZE_MAX / 2, 3));
    cr_assert_null(sim_arena_alloc(&arena, SIZE_MAX, 1));
    cr_assert_null(sim_arena_alloc(&arena, SIZE_MAX - 20, 1));
    cr_assert_null(sim_arena_text(&arena, "x", SIZE_MAX));
    sim_arena_free(&arena);
}

Test(arena, text)
{
    sim_arena arena;

    sim_arena_init(&arena, NULL);
    cr_assert_str_eq(sim_arena_text(&arena, "gate_proj", 4), "gate");
    cr_assert_str_eq(sim_arena_text(&arena, NULL, 0), "");
    cr_assert_str_eq(sim_arena_printf(&arena, "layers.%d.%s", 31, "q_proj"), "layers.31.q_proj");
    sim_arena_free(&arena);
}

/* With block_bytes 1 each allocation asks the allocator, so each can be made to fail; what came before a
 * failure stays valid, and what comes after one works again. */
Test(arena, every_allocation_can_fail)
{
    enum { ALLOCATIONS = 6 };

    for (long n = 1; n <= ALLOCATIONS; n++) {
        failing f = {.fail_at = n};
        sim_allocator allocator = failing_allocator(&f);
        sim_arena arena;
        void *got[ALLOCATIONS];

        sim_arena_init(&arena, &allocator);
        arena.block_bytes = 1;
        got[0] = sim_arena_alloc(&arena, 1, 8);
        got[1] = sim_arena_text(&arena, "ab", 2);
        got[2] = sim_arena_printf(&arena, "%d", 12);
        got[3] = sim_arena_alloc(&arena, 10, 100000);
        got[4] = sim_arena_alloc(&arena, 0, 0);
        got[5] = sim_arena_text(&arena, "", 0);
        cr_assert_eq(f.calls, ALLOCATIONS);
        for (int i = 0; i < ALLOCATIONS; i++)
            cr_assert_eq(got[i] == NULL, i == n - 1, "allocation %d when %ld fails", i + 1, n);
        sim_arena_free(&arena);
        cr_assert_eq(f.live, 0);
    }
}
