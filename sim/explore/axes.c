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

typedef struct reader {
    int axis; /* of the values to come; SIM_AXES: none was named yet, UNKNOWN: one that there is not */
    bool given[SIM_AXES];
    sim_axes *out;
    sim_err *err;
} reader;

enum { UNKNOWN = -1 };

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
    sim_fail(err, SIM_USAGE, NULL, 0, "option '--bits': unknown axis '%s'", word);
    near = sim_nearest(word, names);
    if (near)
        sim_hint(err, "did you mean '%s'? (axes: w a kv)", near);
    else
        sim_hint(err, "axes: w a kv");
    return UNKNOWN;
}

/* A width; 0 after an error. */
static int read_width(const reader *r, const char *start, int length, const part *whole)
{
    char word[WORD_BYTES];
    int64_t bits;

    if (length == 0 || (int)strspn(start, "0123456789") < length) {
        sim_fail(r->err, SIM_USAGE, NULL, 0,
                 "option '--bits': axis '%s': '%.*s' is neither a number of bits nor a range", names[r->axis],
                 whole->length, whole->start);
        sim_hint(r->err, FORM);
        return 0;
    }
    word_of(start, length, word);
    if (!sim_parse_int(word, &bits) || bits < 1 || bits > SIM_AXIS_BITS_MAX) {
        sim_fail(r->err, SIM_USAGE, NULL, 0, "option '--bits': axis '%s': %s bits are not supported",
                 names[r->axis], word);
        sim_hint(r->err, "integers have 1 to 16 bits");
        return 0;
    }
    return (int)bits;
}

/* From `low` to `high` bits, both included. */
static sim_bit_set set_of(int low, int high)
{
    return (((sim_bit_set)1 << high) - 1) & ~(((sim_bit_set)1 << (low - 1)) - 1);
}

/* "4" or "2..8" as a set; empty after an error. */
static sim_bit_set read_values(const reader *r, const part *p)
{
    const char *dots = NULL;
    int low, high, low_length = p->length;

    if (p->length == 0) {
        sim_fail(r->err, SIM_USAGE, NULL, 0, "option '--bits': axis '%s': a number is missing",
                 names[r->axis]);
        sim_hint(r->err, FORM);
        return 0;
    }
    for (int i = 0; i + 1 < p->length && !dots; i++)
        if (p->start[i] == '.' && p->start[i + 1] == '.') {
            dots = p->start + i;
            low_length = i;
        }
    low = high = read_width(r, p->start, low_length, p);
    if (dots && low > 0)
        high = read_width(r, dots + 2, p->length - low_length - 2, p);
    if (low == 0 || high == 0)
        return 0;
    if (low > high) {
        sim_fail(r->err, SIM_USAGE, NULL, 0, "option '--bits': axis '%s': the range '%d..%d' is empty",
                 names[r->axis], low, high);
        sim_hint(r->err, "did you mean '%d..%d'?", high, low);
        return 0;
    }
    return set_of(low, high);
}

static void read_part(reader *r, part p)
{
    const char *equals = memchr(p.start, '=', (size_t)p.length);

    if (equals) {
        const part name = {p.start, (int)(equals - p.start)};

        r->axis = find_axis(&name, r->err);
        if (r->axis != UNKNOWN && r->given[r->axis]) {
            sim_fail(r->err, SIM_USAGE, NULL, 0, "option '--bits': axis '%s' is there twice", names[r->axis]);
            sim_hint(r->err, "one list may hold several numbers and ranges: %s=2,4..8", names[r->axis]);
        }
        if (r->axis != UNKNOWN)
            r->given[r->axis] = true;
        p.length -= name.length + 1;
        p.start = equals + 1;
    } else if (r->axis == SIM_AXES) {
        if (p.length == 0)
            sim_fail(r->err, SIM_USAGE, NULL, 0, "option '--bits': an axis is missing");
        else
            sim_fail(r->err, SIM_USAGE, NULL, 0, "option '--bits': '%.*s' belongs to no axis", p.length,
                     p.start);
        sim_hint(r->err, FORM);
        r->axis = UNKNOWN;
    }
    if (r->axis != UNKNOWN) /* the values of an unknown axis are not judged */
        r->out->bits[r->axis] |= read_values(r, &p);
}

sim_status sim_axes_parse(const char *spec, sim_axes *out, sim_err *err)
{
    const int before = err->count + err->dropped;
    reader r = {.axis = SIM_AXES, .out = out, .err = err};

    *out = (sim_axes){{0}};
    for (const char *p = spec; p;) {
        const int length = (int)strcspn(p, ",");

        read_part(&r, (part){p, length});
        p = p[length] ? p + length + 1 : NULL;
    }
    for (int i = SIM_AXIS_W; i <= SIM_AXIS_A; i++)
        if (!r.given[i])
            out->bits[i] = set_of(1, 8);
    return err->count + err->dropped == before ? SIM_OK : SIM_USAGE;
}
