/* Numbers to text and back. printf and strtod follow the locale of the process, which is the caller's
 * business: here its decimal point is replaced by '.', whatever it is. */
#include "base/text.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REAL_MAX = 64, NUMBER_MAX = 400 /* DBL_MIN has 308 leading zeros */ };

/* Replaces the decimal point of a finite number that printf wrote. The locale's may take several bytes. */
static void fix_point(char *number)
{
    char *from = number, *to = number;

    while (*from) {
        if (strchr("+-0123456789e", *from)) {
            *to++ = *from++;
            continue;
        }
        while (*from && !strchr("+-0123456789e", *from))
            from++;
        *to++ = '.';
    }
    *to = '\0';
}

void sim_text_real(sim_text *text, double value)
{
    char number[REAL_MAX];
    /* 15 digits always survive the way through a double, so a shorter number comes out as itself; subnormal
     * ones have fewer good digits. */
    int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG;

    if (!isfinite(value)) {
        sim_text_add(text, "null");
        return;
    }
    for (; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, value);
        if (strtod(number, NULL) == value)
            break;
    }
    fix_point(number);
    sim_text_add(text, number);
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

bool sim_parse_int(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    const char *p = text + (*text == '-' || *text == '+');
    int64_t sum = 0;

    if (*p == '\0' || *skip_digits(p) != '\0')
        return false;
    for (; *p; p++) { /* downwards: the most negative number has no positive twin */
        int digit = *p - '0';

        if (sum < (INT64_MIN + digit) / 10)
            return false;
        sum = sum * 10 - digit;
    }
    if (!negative && sum == INT64_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}

/* Where [+-]digits[.digits][e[+-]digits] has its point (or would have it) and where it ends; NULL when
 * `text` does not begin with such a number. */
static const char *scan_real(const char *text, const char **point, bool *is_zero)
{
    const char *p = text + (*text == '-' || *text == '+'), *start = p;
    size_t digits;

    p = *point = skip_digits(p);
    digits = (size_t)(p - start);
    if (*p == '.') {
        p = skip_digits(p + 1);
        digits += (size_t)(p - *point - 1);
    }
    if (digits == 0)
        return NULL;
    *is_zero = strspn(start, "0.") == (size_t)(p - start);
    if (*p == 'e' || *p == 'E') {
        const char *exponent = p + 1 + (p[1] == '+' || p[1] == '-');

        p = skip_digits(exponent);
        if (p == exponent)
            return NULL;
    }
    return p;
}

bool sim_parse_real(const char *text, double *value)
{
    char number[NUMBER_MAX + 8], half[16];
    const char *point, *end;
    size_t length = strlen(text), before, point_length;
    bool is_zero;
    double parsed;

    end = length <= NUMBER_MAX ? scan_real(text, &point, &is_zero) : NULL;
    if (!end || *end)
        return false;
    /* "0.5" as this locale writes it shows the point that strtod wants to see */
    snprintf(half, sizeof half, "%.1f", 0.5);
    point_length = strlen(half) - 2;
    if (point_length > 7)
        return false;
    before = (size_t)(point - text);
    memcpy(number, text, before);
    if (*point == '.') {
        memcpy(number + before, half + 1, point_length);
        memcpy(number + before + point_length, point + 1, length - before); /* and the NUL */
    } else {
        memcpy(number + before, point, length - before + 1);
    }
    parsed = strtod(number, NULL);
    if (!isfinite(parsed) || (parsed == 0 && !is_zero))
        return false;
    *value = parsed;
    return true;
}

/* "12.3", "1.23", "123" in `out`: three significant digits of a value from 0 to 9999. */
static void three_digits(double value, char *out, size_t size)
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

    snprintf(out, size, "%.*f", decimals, value);
    fix_point(out);
}

char *sim_scaled(double value, const char *unit, bool binary, char *out, size_t size)
{
    static const char *const large[] = {"", "k", "M", "G", "T", "P", "E"};
    static const char *const large_binary[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    static const char *const small[] = {"", "m", "u", "n", "p", "f", "a"};
    double magnitude = fabs(value), step = binary ? 1024 : 1000;
    char number[48];
    int power = 0;

    if (!isfinite(value)) {
        snprintf(out, size, "-");
        return out;
    }
    /* at 999.5 three digits round up to 1000 */
    while (magnitude >= (binary ? 1023.5 : 999.5) && power < 6) {
        magnitude /= step;
        power++;
    }
    if (!binary)
        while (magnitude > 0 && magnitude < 0.9995 && power <= 0 && power > -6) {
            magnitude *= step;
            power--;
        }
    if (magnitude >= 9999.5) {
        snprintf(number, sizeof number, "%.2e", magnitude);
        fix_point(number);
    } else if (power == 0 && magnitude == floor(magnitude)) {
        snprintf(number, sizeof number, "%.0f", magnitude);
    } else {
        three_digits(magnitude, number, sizeof number);
    }
    snprintf(out, size, "%s%s%s%s%s", value < 0 ? "-" : "", number, *unit || power ? " " : "",
             power < 0 ? small[-power]
             : binary  ? large_binary[power]
                       : large[power],
             unit);
    return out;
}
