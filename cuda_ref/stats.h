/* Order statistics of timing samples. */
#ifndef SIMACC_STATS_H
#define SIMACC_STATS_H

#include <stdlib.h>

namespace simacc
{

struct sample_stats {
    double least, p10, median, p90;
};

inline int stats_compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* Linear between neighbours: quantile 0 is the least, 1 the largest. */
inline double quantile_of_sorted(const double *sorted, int count, double quantile)
{
    double at = quantile * (count - 1);
    int below = (int)at;

    if (below >= count - 1)
        return sorted[count - 1];
    return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}

/* Sorts `samples`; count is at least 1. */
inline sample_stats stats_of(double *samples, int count)
{
    qsort(samples, (size_t)count, sizeof *samples, stats_compare);
    return {samples[0], quantile_of_sorted(samples, count, 0.1), quantile_of_sorted(samples, count, 0.5),
            quantile_of_sorted(samples, count, 0.9)};
}

} // namespace simacc

#endif
