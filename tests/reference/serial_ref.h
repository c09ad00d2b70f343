/* A bit-serial dot-product array behind two ports, event by event: every block and every load is walked.
 *
 * The oracle of the bitserial back end. The grid is rows x cols units; a block is rows x cols outputs over
 * one depth of k. Each port brings in the blocks of its operand one after another. A block starts when both
 * its operands have begun to enter and the block before it is done, and ends when its cycles are over and
 * both operands are in. */
#ifndef TESTS_REFERENCE_SERIAL_REF_H
#define TESTS_REFERENCE_SERIAL_REF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct serial_array {
    int64_t rows, cols, depth;
    int w_step, a_step;       /* bits of an operand taken per cycle */
    int64_t w_port, a_port;   /* bits entering per cycle; 0: no limit */
    int64_t w_words, a_words; /* words of `depth` bits that a buffer holds */
    int64_t slot;             /* least elements that a packed group occupies */
} serial_array;

typedef struct serial_product {
    bool conv;                 /* small groups share words */
    bool direct;               /* kernel positions one after another */
    int64_t images, positions; /* of one image */
    int64_t n, channels, taps; /* of one group */
    int64_t groups;
    int w_bits, a_bits;
} serial_product;

typedef struct serial_cycles {
    int64_t all;
    int64_t busy; /* spent on blocks */
} serial_cycles;

serial_cycles serial_run(const serial_array *array, const serial_product *product);

#endif
