#include "reference/serial_ref.h"
#include "reference/arithmetic.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* One operand of a chunk: items (rows of A, columns of W), grouped into blocks of units. */
typedef struct stream {
    int64_t items, per_block, word_bits, port, steps;
} stream;

static int64_t block_count(const stream *s)
{
    int64_t blocks = 0;
    for (int64_t at = 0; at < s->items; at += s->per_block)
        blocks++;
    return blocks;
}

/* When the port begins and ends to bring in block `index`, the port never idling. */
static void load_times(const stream *s, int64_t index, int64_t *begin, int64_t *end)
{
    int64_t at = 0, t = 0;
    *begin = *end = 0;
    for (int64_t b = 0; b <= index; b++) {
        int64_t items = s->items - at < s->per_block ? s->items - at : s->per_block;
        *begin = t;
        if (s->port > 0)
            t += ref_ceil_div(items * s->word_bits, s->port);
        at += items;
    }
    *end = t;
}

/* Which arrivals of the outer operand's blocks are waited for: all; only the first one's, which belongs to
 * the beginning; only those of the last two (less the first, unless it is the only one). */
typedef enum waits { ALL, FIRST, LAST } waits;

/* The end of a pass. LAST: of a walk that begins when the first such block has arrived. */
static int64_t walk(const stream *outer, const stream *inner, int64_t block, waits which, int64_t *busy)
{
    const int64_t outer_blocks = block_count(outer), inner_blocks = block_count(inner);
    const int64_t last = outer_blocks <= 2 ? outer_blocks - 1 : outer_blocks - 2;
    int64_t t = 0;
    bool arriving = which == LAST;
    *busy = 0;
    for (int64_t i = which == LAST ? last : 0; i < outer_blocks; i++) {
        int64_t outer_begin, outer_end;
        load_times(outer, i, &outer_begin, &outer_end);
        if (which == FIRST && i > 0)
            outer_begin = outer_end = 0;
        for (int64_t j = 0; j < inner_blocks; j++) {
            int64_t inner_begin = 0, inner_end = 0;
            if (which != LAST)
                load_times(inner, j, &inner_begin, &inner_end); /* long over after the first round */
            if (arriving)
                t = outer_end;
            else
                t = later(later(t, later(outer_begin, inner_begin)) + block, later(outer_end, inner_end));
            arriving = false;
            *busy += block;
        }
    }
    return t;
}

typedef struct pass {
    int64_t cycles, last, busy;
} pass;

/* One depth of k in one loop order; `last`: when nothing follows. The units then go on with the other planes
 * of the outer operand; or, where they waited for its last blocks, with all its planes against all but the
 * first of the inner operand's. */
static pass pass_in(const stream *outer, const stream *inner)
{
    const int64_t block = outer->steps * inner->steps;
    int64_t ignored;
    pass p;
    p.cycles = walk(outer, inner, block, ALL, &p.busy);
    p.last = later(walk(outer, inner, block, FIRST, &ignored) + outer->steps - 1,
                   walk(outer, inner, block, LAST, &ignored) + (inner->steps - 1) * outer->steps);
    return p;
}

/* All depths of k of one chunk, in the faster loop order. */
static serial_cycles chunk(const stream *a, const stream *w, int64_t depths)
{
    const stream *outer[2] = {a, w}, *inner[2] = {w, a};
    serial_cycles best = {0, 0};
    for (int order = 0; order < 2; order++) {
        pass p = {0, 0, 0};
        serial_cycles c = {0, 0};
        for (int64_t d = 0; d < depths; d++) {
            if (d == 0) /* each depth is like the first: words are of the full depth */
                p = pass_in(outer[order], inner[order]);
            c.all += d + 1 < depths ? p.cycles : p.last;
            c.busy += p.busy;
        }
        if (order == 0 || c.all < best.all)
            best = c;
    }
    return best;
}

/* The size of equal chunks, as few as fit, in whole blocks. */
static int64_t chunk_size(int64_t items, int64_t words_each, int64_t room, int64_t per_block)
{
    int64_t chunks = 1;
    while (chunks * room < items * words_each)
        chunks++;
    return ref_ceil_div(ref_ceil_div(items, chunks), per_block) * per_block;
}

/* One image of a set of groups that are side by side. */
static serial_cycles image(const serial_array *array, const serial_product *p, int64_t columns,
                           int64_t depths)
{
    const bool chunked = array->w_port > 0 || array->a_port > 0;
    stream a = {0, array->rows, array->depth * p->a_bits, array->a_port,
                ref_ceil_div(p->a_bits, array->a_step)};
    stream w = {0, array->cols, array->depth * p->w_bits, array->w_port,
                ref_ceil_div(p->w_bits, array->w_step)};
    const int64_t m_size =
        chunked ? chunk_size(p->positions, depths * p->a_bits, array->a_words, array->rows) : p->positions;
    const int64_t n_size =
        chunked ? chunk_size(columns, depths * p->w_bits, array->w_words, array->cols) : columns;
    serial_cycles sum = {0, 0};
    for (int64_t m = 0; m < p->positions; m += m_size)
        for (int64_t n = 0; n < columns; n += n_size) {
            a.items = p->positions - m < m_size ? p->positions - m : m_size;
            w.items = columns - n < n_size ? columns - n : n_size;
            const serial_cycles c = chunk(&a, &w, depths);
            sum.all += c.all;
            sum.busy += c.busy;
        }
    return sum;
}

serial_cycles serial_run(const serial_array *array, const serial_product *p)
{
    const int64_t elements = p->direct ? p->channels : p->channels * p->taps;
    int64_t depths = 0, slot = 1, abreast = 1;
    for (int64_t tap = 0; tap < (p->direct ? p->taps : 1); tap++)
        for (int64_t k = 0; k < elements; k += array->depth)
            depths++;
    while (slot < elements)
        slot *= 2;
    slot = later(slot, array->slot);
    if (p->conv && slot < array->depth)
        abreast = array->depth / slot;
    serial_cycles sum = {0, 0};
    for (int64_t group = 0; group < p->groups; group += abreast) {
        const int64_t here = p->groups - group < abreast ? p->groups - group : abreast;
        for (int64_t i = 0; i < p->images; i++) {
            const serial_cycles c = image(array, p, here * p->n, depths);
            sum.all += c.all;
            sum.busy += c.busy;
        }
    }
    return sum;
}
