#include "input/cfg_literal.h"

#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static const char *skip_sign(const char *p, const char *end)
{
    return p < end && (*p == '+' || *p == '-') ? p + 1 : p;
}

static bool is_hex_literal(const char *p, const char *end)
{
    return end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && is_hex(p[2]);
}

static const char *skip_suffix(const char *p, const char *end)
{
    while (p < end && *p == 'L')
        p++;
    return p;
}

const char *sim_cfg_number_end(const char *start, const char *end)
{
    const char *p = skip_sign(start, end), *exponent;

    if (is_hex_literal(p, end)) {
        for (p += 2; p < end && is_hex(*p);)
            p++;
        return skip_suffix(p, end);
    }
    while (p < end && (is_digit(*p) || *p == '.'))
        p++;
    if (p == start)
        return p + 1;
    if (p < end && (*p == 'e' || *p == 'E')) {
        exponent = skip_sign(p + 1, end);
        if (exponent < end && is_digit(*exponent))
            for (p = exponent; p < end && is_digit(*p);)
                p++;
    }
    return skip_suffix(p, end);
}

/* The value of the digits [p, end) in `base`, saturating above 2^63. */
static uint64_t magnitude(const char *p, const char *end, unsigned base)
{
    const uint64_t most = UINT64_C(1) << 63;
    uint64_t value = 0;

    for (; p < end; p++) {
        unsigned digit = is_digit(*p) ? (unsigned)(*p - '0') : (unsigned)((*p | 0x20) - 'a' + 10);

        if (value > (most - digit) / base)
            return most + 1;
        value = value * base + digit;
    }
    return value;
}

/* The literal for a message, cut when it is long. */
typedef struct shown {
    int length;
    const char *rest;
} shown;

static shown show(const char *start, const char *end)
{
    return end - start > 40 ? (shown){40, "..."} : (shown){(int)(end - start), ""};
}

sim_status sim_cfg_check_number(const char *start, const char *end, const char *file, int line, sim_err *err)
{
    const char *digits = skip_sign(start, end), *last = end;
    bool hex = is_hex_literal(digits, end), wide = end > start && end[-1] == 'L', any = false;
    shown text = show(start, end);
    uint64_t value, most;

    while (last > digits && last[-1] == 'L')
        last--;
    for (const char *p = digits; p < last; p++) {
        if (!hex && (*p == '.' || *p == 'e' || *p == 'E')) {
            if (any || (p + 1 < last && is_digit(p[1])))
                return SIM_OK; /* a real */
            break;
        }
        any |= is_digit(*p);
    }
    if (!any)
        return sim_fail(err, SIM_BAD_INPUT, file, line, "'%.*s%s' is not a number", text.length, start,
                        text.rest);
    value = hex ? magnitude(digits + 2, last, 16) : magnitude(digits, last, 10);
    most = UINT64_C(1) << (wide ? 63 : 31);
    if (value < most || (value == most && *start == '-'))
        return SIM_OK;
    if (value >= UINT64_C(1) << 63)
        return sim_fail(err, SIM_BAD_INPUT, file, line, "integer %.*s%s does not fit 63 bits", text.length,
                        start, text.rest);
    sim_fail(err, SIM_BAD_INPUT, file, line, "integer %.*s%s does not fit 32 bits", text.length, start,
             text.rest);
    sim_hint(err, "write %.*sL for a 64-bit integer", text.length, start);
    return SIM_BAD_INPUT;
}

sim_status sim_cfg_check_word(const char *start, const char *end, const char *file, int line, sim_err *err)
{
    static const char *const words[] = {"nan", "inf", "infinity"};
    const char *word = skip_sign(start, end);
    size_t length = (size_t)(end - word);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t same = 0;

        while (same < length && words[i][same] && (word[same] | 0x20) == words[i][same])
            same++;
        if (same == length && !words[i][same])
            return sim_fail(err, SIM_BAD_INPUT, file, line, "%.*s is not a number that can be used",
                            (int)(end - start), start);
    }
    return SIM_OK;
}
