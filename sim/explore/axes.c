#include "explore/axes.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { WORD_BYTES = 40 };

static const char *const names[SIM_AXES + 1] = {"w", "a", "kv", NULL};

#define FORM "the form is w=2..8,a=4,8: axes w, a and kv, each with numbers and ranges from 1 to 16"

/* The part of --bits up to a comma: "w=2..8", or a further "4" of the same axis. */
typedef struct part {
    const char *start;
    int length;
} part;

static sim_status slip(sim_err *err, const char *what, const part *p)
{
    return sim_fail(err, SIM_USAGE, NULL, 0, "option '--bits': %s '%.*s'", what, p->length, p->start);
}

/* A copy that is cut where it is too long to be anything known. */
static const char *word_of(const char *start, int length, char word[WORD_BYTES])
{
    snprintf(word, WORD_BYTES, "%.*s", length, start);
    return word;
}

static int find_axis(const part *name, sim_err *err)
{
    char word[WORD_BYTES];
    const char *near;

    word_of(name->start, name->length, word);
    for (int i = 0; i < SIM_AXES; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    slip(err, "unknown axis", name);
    near = sim_nearest(word, names);
    if (near)
        sim_hint(err, "did you mean '%s'? (axes: w a kv)", near);
    else
        sim_hint(err, "axes: w a kv");
    return -1;
}

/* A width; 0 after an error. */
static int read_width(const char *start, int length, const part *whole, sim_err *err)
{
    char word[WORD_BYTES];
    int64_t bits;

    if (length == 0 || (int)strspn(start, "0123456789") < length || length >= WORD_BYTES) {
        slip(err, "neither a number of bits nor a range of them:", whole);
        sim_hint(err, FORM);
        return 0;
    }
    if (!sim_parse_int(word_of(start, length, word), &bits) || bits < 1 || bits > SIM_AXIS_BITS_MAX) {
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--bits': %s bits are not supported", word);
        sim_hint(err, "integers have 1 to 16 bits");
        return 0;
    }
    return (int)bits;
}

static sim_bit_set set_of(int low, int high)
{
    return (((sim_bit_set)1 << high) - 1) & ~(((sim_bit_set)1 << (low - 1)) - 1);
}

/* "4" or "2..8" as a set; empty after an error. */
static sim_bit_set read_values(const part *p, sim_err *err)
{
    const char *dots = NULL;
    int low, high, low_length = p->length;

    if (p->length == 0) {
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--bits': a number is missing");
        sim_hint(err, FORM);
        return 0;
    }
    for (int i = 0; i + 1 < p->length && !dots; i++)
        if (p->start[i] == '.' && p->start[i + 1] == '.') {
            dots = p->start + i;
            low_length = i;
        }
    low = high = read_width(p->start, low_length, p, err);
    if (dots && low > 0)
        high = read_width(dots + 2, p->length - low_length - 2, p, err);
    if (low == 0 || high == 0)
        return 0;
    if (low > high) {
        slip(err, "empty range", p);
        sim_hint(err, "did you mean '%d..%d'?", high, low);
        return 0;
    }
    return set_of(low, high);
}

static void read_part(part p, int *axis, bool given[SIM_AXES], sim_axes *out, sim_err *err)
{
    const char *equals = memchr(p.start, '=', (size_t)p.length);

    if (equals) {
        const part name = {p.start, (int)(equals - p.start)};

        *axis = find_axis(&name, err);
        if (*axis >= 0 && given[*axis])
            slip(err, "there twice: axis", &name);
        if (*axis >= 0)
            given[*axis] = true;
        p.length -= name.length + 1;
        p.start = equals + 1;
    } else if (*axis == SIM_AXES) {
        slip(err, "no axis is named before", &p);
        sim_hint(err, FORM);
        *axis = -1;
    }
    if (*axis >= 0) /* the values of an unknown axis are not judged */
        out->bits[*axis] |= read_values(&p, err);
}

sim_status sim_axes_parse(const char *spec, sim_axes *out, sim_err *err)
{
    const int before = err->count + err->dropped;
    bool given[SIM_AXES] = {false};
    int axis = SIM_AXES; /* none yet; -1: one that is unknown */

    *out = (sim_axes){{0}};
    for (const char *p = spec; p;) {
        const int length = (int)strcspn(p, ",");

        read_part((part){p, length}, &axis, given, out, err);
        p = p[length] ? p + length + 1 : NULL;
    }
    for (int i = SIM_AXIS_W; i <= SIM_AXIS_A; i++)
        if (!given[i])
            out->bits[i] = set_of(1, 8);
    return err->count + err->dropped == before ? SIM_OK : SIM_USAGE;
}
