/* UTF-8, one character at a time. */
#ifndef SIM_BASE_UTF8_H
#define SIM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the first character of `length` > 0 bytes; returns the bytes it takes. What is no UTF-8 (also
 * overlong forms, surrogates, a sequence cut short) takes one byte and sets *character to -1. */
size_t sim_utf8_next(const char *text, size_t length, int32_t *character);

bool sim_utf8_is_continuation(char byte);

#endif
