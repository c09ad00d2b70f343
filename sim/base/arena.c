#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BLOCK_BYTES = 64 * 1024 };

/* `data` begins at an address that is aligned for any type. */
typedef struct sim_arena_block {
    struct sim_arena_block *next;
    size_t used, size; /* of data */
    _Alignas(max_align_t) unsigned char data[];
} arena_block;

static void *from_malloc(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void to_free(void *user, void *block)
{
    (void)user;
    free(block);
}

void sim_arena_init(sim_arena *arena, const sim_allocator *allocator)
{
    *arena = (sim_arena){0};
    if (allocator)
        arena->allocator = *allocator;
}

void sim_arena_free(sim_arena *arena)
{
    sim_allocator a = arena->allocator;
    arena_block *next;

    for (arena_block *block = arena->blocks; block; block = next) {
        next = block->next;
        (a.free ? a.free : to_free)(a.user, block);
    }
    arena->blocks = NULL;
    arena->used_bytes = 0;
}

void sim_arena_reset(sim_arena *arena)
{
    arena_block *largest = arena->blocks, **at = &arena->blocks;

    for (arena_block *block = largest; block; block = block->next)
        if (block->size > largest->size)
            largest = block;
    if (!largest)
        return;
    while (*at != largest)
        at = &(*at)->next;
    *at = largest->next;
    sim_arena_free(arena);
    largest->next = NULL;
    largest->used = 0;
    arena->blocks = largest;
}

/* A block with room for `bytes`. The block being filled stays in front when it has more room left than the
 * new one would have: one large allocation does not waste it. */
static arena_block *add_block(sim_arena *arena, size_t bytes)
{
    sim_allocator a = arena->allocator;
    size_t header = offsetof(arena_block, data);
    size_t least = arena->block_bytes ? arena->block_bytes : DEFAULT_BLOCK_BYTES;
    size_t size = least > header && least - header > bytes ? least - header : bytes;
    arena_block *block, *front = arena->blocks;

    if (size > SIZE_MAX - header)
        return NULL;
    block = (a.alloc ? a.alloc : from_malloc)(a.user, header + size);
    if (!block)
        return NULL;
    block->used = 0;
    block->size = size;
    if (front && front->size - front->used > size - bytes) {
        block->next = front->next;
        front->next = block;
    } else {
        block->next = front;
        arena->blocks = block;
    }
    return block;
}

void *sim_arena_alloc(sim_arena *arena, size_t count, size_t size)
{
    size_t align = _Alignof(max_align_t), bytes;
    arena_block *block = arena->blocks;
    void *memory;

    if (size > 0 && count > SIZE_MAX / size)
        return NULL;
    bytes = count * size;
    if (bytes == 0)
        bytes = 1;
    if (bytes > SIZE_MAX - align)
        return NULL;
    bytes = (bytes + align - 1) / align * align;
    if (!block || block->size - block->used < bytes)
        block = add_block(arena, bytes);
    if (!block)
        return NULL;
    memory = block->data + block->used;
    block->used += bytes;
    arena->used_bytes += bytes;
    return memset(memory, 0, bytes);
}

char *sim_arena_text(sim_arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? sim_arena_alloc(arena, length + 1, 1) : NULL;

    if (copy && length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *sim_arena_printf(sim_arena *arena, const char *format, ...)
{
    char *out = NULL;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length >= 0)
        out = sim_arena_alloc(arena, (size_t)length + 1, 1);
    if (out) {
        va_start(args, format);
        vsnprintf(out, (size_t)length + 1, format, args);
        va_end(args);
    }
    return out;
}
