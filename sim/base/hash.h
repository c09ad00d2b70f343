/* A 64-bit hash (FNV-1a) for identifying canonical text; not for hostile keys. */
#ifndef SIM_BASE_HASH_H
#define SIM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SIM_HASH_START UINT64_C(0xcbf29ce484222325)

/* Continues `hash` (start with SIM_HASH_START) over `length` bytes. */
uint64_t sim_hash(uint64_t hash, const void *bytes, size_t length);

/* The same purpose for tables in memory, eight bytes at a time (a rest is left out): several times as fast,
 * and another value on a machine of another byte order. */
uint64_t sim_hash_words(uint64_t hash, const void *bytes, size_t length);

#endif
