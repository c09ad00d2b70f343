#include "output/figures.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A comma locale must not change what is printed: whatever stands for the point becomes one. */
static char *with_point(char *number)
{
    char *to = number;

    for (const char *from = number; *from; from++) {
        if (strchr("0123456789eE+-.%<", *from))
            *to++ = *from;
        else if (to > number && to[-1] != '.')
            *to++ = '.';
    }
    *to = '\0';
    return number;
}

char *sim_ratio(double value, char *out, size_t size)
{
    snprintf(out, size, value < 100 ? "%.2f" : "%.0f", value);
    return with_point(out);
}

char *sim_short_real(double value, char *out, size_t size)
{
    snprintf(out, size, fabs(value) < 1000 ? "%.3g" : "%.0f", value);
    return with_point(out);
}

char *sim_percent(double frac, char *out, size_t size)
{
    if (!isfinite(frac)) {
        snprintf(out, size, "-");
        return out;
    }
    if (frac > 0 && frac < 0.0005)
        snprintf(out, size, "<0.1%%");
    else
        snprintf(out, size, "%.1f%%", 100.0 * frac);
    return with_point(out);
}

char *sim_large_count(int64_t value, char *out, size_t size)
{
    char number[32];

    if (value >= 1000000000)
        snprintf(out, size, "%s billion", sim_ratio((double)value / 1e9, number, sizeof number));
    else if (value >= 1000000)
        snprintf(out, size, "%s million", sim_ratio((double)value / 1e6, number, sizeof number));
    else
        snprintf(out, size, "%" PRId64, value);
    return out;
}
