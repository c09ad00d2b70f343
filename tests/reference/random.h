/* Reproducible randomness for tests: the same cases on every machine and with every C library. */
#ifndef TESTS_REFERENCE_RANDOM_H
#define TESTS_REFERENCE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014); any seed is good. */
typedef struct ref_random {
    uint64_t state;
} ref_random;

uint64_t ref_random_bits(ref_random *random);
/* Uniform in least..most, both included. */
int64_t ref_random_int(ref_random *random, int64_t least, int64_t most);
/* An integer in least..most (least >= 1), small values as likely as large ones (uniform in the logarithm). */
int64_t ref_random_scale(ref_random *random, int64_t least, int64_t most);
/* Uniform in least..most. */
double ref_random_real(ref_random *random, double least, double most);
/* True once in `of` times. */
bool ref_random_one_in(ref_random *random, int64_t of);

#endif
