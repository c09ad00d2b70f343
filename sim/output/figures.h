/* Figures for people, beside base's sim_scaled: always with a '.', whatever the locale. */
#ifndef SIM_OUTPUT_FIGURES_H
#define SIM_OUTPUT_FIGURES_H

#include <stddef.h>
#include <stdint.h>

/* "12.3%"; "-" when unknown. Returns `out`. */
char *sim_percent(double frac, char *out, size_t size);

/* "6.74 billion", "12.3 million", "738". Returns `out`. */
char *sim_large_count(int64_t value, char *out, size_t size);

/* "1.02". Returns `out`. */
char *sim_ratio(double value, char *out, size_t size);

/* Three significant digits, all digits from 1000 on. Returns `out`. */
char *sim_short_real(double value, char *out, size_t size);

#endif
