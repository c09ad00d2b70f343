/* Checks that are counted; the first failures are printed. */
#ifndef CHECK_H
#define CHECK_H

#include <stdarg.h>
#include <stdio.h>

static int checks_done, checks_failed;

#define check(condition, ...)                                                                                          \
    do {                                                                                                               \
        checks_done++;                                                                                                 \
        if (!(condition) && ++checks_failed <= 20) {                                                                   \
            printf("%s:%d: ", __FILE__, __LINE__);                                                                     \
            printf(__VA_ARGS__);                                                                                       \
            printf("\n");                                                                                              \
        }                                                                                                              \
    } while (0)

static inline int check_summary(void)
{
    printf("%d checks, %d failed\n", checks_done, checks_failed);
    return checks_failed != 0 || checks_done == 0;
}

#endif
