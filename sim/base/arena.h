/* Memory: an arena for each load and each worker; everything in it is freed at once. */
#ifndef SIM_BASE_ARENA_H
#define SIM_BASE_ARENA_H

#include <stddef.h>

/* Where an arena gets its blocks. `alloc` returns NULL on failure and memory aligned like malloc's;
 * the pair may be replaced by a test that makes the n-th allocation fail. */
typedef struct sim_allocator {
    void *(*alloc)(void *user, size_t bytes);
    void (*free)(void *user, void *block);
    void *user;
} sim_allocator;

typedef struct sim_arena {
    sim_allocator allocator; /* all zero: malloc and free */
    struct sim_arena_block *blocks;
    size_t used_bytes;  /* sum over all allocations, for reports */
    size_t block_bytes; /* asked of the allocator at least; 0 (the usual): 64 KiB. A test sets 1: no two
                         * allocations then share a block, and each can be made to fail. */
} sim_arena;

/* A NULL `allocator` means malloc and free. Allocates nothing. */
void sim_arena_init(sim_arena *arena, const sim_allocator *allocator);
void sim_arena_free(sim_arena *arena);

/* Frees what was allocated but keeps one block for what comes: for loops that fill an arena again and again.
 */
void sim_arena_reset(sim_arena *arena);

/* Zeroed memory of count * size bytes, aligned for any type; NULL when it cannot be had or the product
 * overflows. Zero bytes give a unique non-NULL pointer. */
void *sim_arena_alloc(sim_arena *arena, size_t count, size_t size);

/* A copy of the first `length` bytes of `text`, NUL-terminated; NULL when memory is out. */
char *sim_arena_text(sim_arena *arena, const char *text, size_t length);

/* printf into the arena; NULL when memory is out. */
char *sim_arena_printf(sim_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
