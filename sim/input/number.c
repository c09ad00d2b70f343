#include "input/number.h"

#include <stddef.h>

int sim_format_bits(sim_format format)
{
    switch (format) {
    case SIM_FORMAT_BF:
        return 16;
    case SIM_FORMAT_FP8:
        return 8;
    case SIM_FORMAT_MXFP:
    case SIM_FORMAT_NVFP:
        return 4;
    default:
        return 0;
    }
}

bool sim_number_exists(sim_format format, int64_t bits)
{
    switch (format) {
    case SIM_FORMAT_INT:
        return bits >= 1 && bits <= SIM_INT_BITS_MAX;
    case SIM_FORMAT_FP:
        return bits == 16 || bits == 32;
    default:
        return bits == sim_format_bits(format);
    }
}

const char *sim_format_widths(sim_format format)
{
    static const char *const widths[SIM_FORMAT_COUNT] = {"integers have 1 to 16 bits",
                                                         "fp has 16 or 32 bits",
                                                         "bf has 16 bits",
                                                         "fp8 has 8 bits",
                                                         "mxfp has 4 bits",
                                                         "nvfp has 4 bits"};

    return widths[format];
}
