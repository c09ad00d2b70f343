/* Frames: cells by name, what is unknown, what is no number. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/frame.h"
#include "reference/failing.h"

Test(frame, cells_columns_and_numbers)
{
    sim_arena arena;
    sim_frame_draft draft;
    double value = 0;

    sim_arena_init(&arena, NULL);
    cr_assert(sim_frame_draft_init(&draft, "f.csv", 2, 2, &arena));
    draft.columns[0] = "policy";
    draft.columns[1] = "latency_s";
    sim_frame_draft_set(&draft, 0, 0, "w4a8");
    sim_frame_draft_set(&draft, 1, 1, "1.5e-3");
    cr_assert_eq(sim_frame_column(&draft.frame, "latency_s"), 1);
    cr_assert_eq(sim_frame_column(&draft.frame, "latency"), -1);
    cr_assert_str_eq(sim_frame_text(&draft.frame, 0, 0), "w4a8");
    cr_assert_str_empty(sim_frame_text(&draft.frame, 0, -1));
    cr_assert_str_empty(sim_frame_text(&draft.frame, 1, 0));
    cr_assert(sim_frame_real(&draft.frame, 1, 1, &value));
    cr_assert_eq(value, 1.5e-3);
    cr_assert(sim_frame_real(&draft.frame, 0, 1, &value), "an empty cell is unknown, not wrong");
    cr_assert(isnan(value));
    cr_assert(sim_frame_real(&draft.frame, 0, -1, &value));
    cr_assert(isnan(value));
    cr_assert_not(sim_frame_real(&draft.frame, 0, 0, &value));
    cr_assert_eq(sim_frame_line(&draft.frame, 1), 0);
    sim_arena_free(&arena);
}

Test(frame, draft_without_memory)
{
    for (long n = 1; n <= 2; n++) {
        failing state = {.fail_at = n, .for_good = true};
        const sim_allocator allocator = failing_allocator(&state);
        sim_frame_draft draft;
        sim_arena arena;

        sim_arena_init(&arena, &allocator);
        arena.block_bytes = 1;
        cr_assert_not(sim_frame_draft_init(&draft, "f", 3, 5, &arena));
        sim_arena_free(&arena);
        cr_assert_eq(state.live, 0);
    }
}
