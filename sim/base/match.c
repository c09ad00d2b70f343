/* Words that look alike, globs, and names with numbers. Case folding is ASCII's: names of ours are ASCII. */
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

enum { WORD_MAX = 64 };

static char fold_case(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps
 * of neighbours. Both at most WORD_MAX long. */
static int distance(const char *a, int a_length, const char *b, int b_length)
{
    int rows[3][WORD_MAX + 1]; /* i-2, i-1, i: the last three prefixes of a */

    for (int j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (int i = 1; i <= a_length; i++) {
        int *now = rows[i % 3], *before = rows[(i + 2) % 3], *twice_before = rows[(i + 1) % 3];

        now[0] = i;
        for (int j = 1; j <= b_length; j++) {
            char ca = fold_case(a[i - 1]), cb = fold_case(b[j - 1]);

            now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == fold_case(b[j - 2]) && fold_case(a[i - 2]) == cb)
                now[j] = least(now[j], twice_before[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

const char *sim_nearest(const char *word, const char *const *words)
{
    size_t length = strlen(word);
    int limit = length / 3 > 1 ? (int)(length / 3) : 1;
    const char *best = NULL;

    if (length > WORD_MAX)
        return NULL;
    for (; *words; words++) {
        size_t other = strlen(*words);
        int d;

        if (other > WORD_MAX || other == 0)
            continue;
        d = distance(word, (int)length, *words, (int)other);
        /* below the length: of a single letter nothing is left when it is replaced */
        if (d <= limit && (d < (int)length || d == 0)) {
            best = *words;
            limit = d - 1; /* of equals the first */
        }
    }
    return best;
}

void sim_hint_words(sim_err *err, const char *word, const char *const *words)
{
    const char *nearest = sim_nearest(word, words);
    char list[SIM_ERR_HINT] = "";

    if (nearest) {
        sim_hint(err, "did you mean '%s'?", nearest);
        return;
    }
    for (int i = 0; words[i]; i++) {
        strncat(list, i ? " " : "", sizeof list - strlen(list) - 1);
        strncat(list, words[i], sizeof list - strlen(list) - 1);
    }
    sim_hint(err, "one of: %s", list);
}

/* ---- globs ------------------------------------------------------------------------------------ */

/* The character at *p, which moves on; a byte that is no UTF-8 is a character of its own. */
static int32_t next_character(const char **p)
{
    int32_t c;
    size_t bytes = sim_utf8_next(*p, strlen(*p), &c);

    if (c < 0)
        c = 0x110000 + (unsigned char)**p;
    *p += bytes;
    return c;
}

/* The ']' of the set whose '[' stands before `p`; NULL when there is none: the '[' is then itself. */
static const char *set_end(const char *p)
{
    if (*p == '!' || *p == '^')
        p++;
    if (*p == ']') /* first: an ordinary member */
        p++;
    for (; *p && *p != ']'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p : NULL;
}

static int32_t set_member(const char **p)
{
    if (**p == '\\' && (*p)[1])
        ++*p;
    return next_character(p);
}

static bool in_set(const char *p, const char *end, int32_t c)
{
    bool negated = *p == '!' || *p == '^', found = false;

    p += negated;
    while (p < end) {
        int32_t low = set_member(&p), high = low;

        if (*p == '-' && p + 1 < end) {
            p++;
            high = set_member(&p);
        }
        found = found || (c >= low && c <= high);
    }
    return found != negated;
}

/* Matches one pattern element other than '*' with the character at *string; both move on when it does. */
static bool match_one(const char **pattern, const char **string)
{
    const char *p = *pattern, *s = *string, *end;
    int32_t c;
    bool same;

    if (*p == '\0' || *s == '\0')
        return false;
    c = next_character(&s);
    if (*p == '?') {
        p++;
        same = true;
    } else if (*p == '[' && (end = set_end(p + 1)) != NULL) {
        same = in_set(p + 1, end, c);
        p = end + 1;
    } else {
        if (*p == '\\' && p[1])
            p++;
        same = next_character(&p) == c;
    }
    if (same) {
        *pattern = p;
        *string = s;
    }
    return same;
}

bool sim_glob(const char *pattern, const char *string)
{
    const char *star = NULL, *resume = NULL; /* after the last '*', and where its run ends so far */

    for (;;) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = string;
        } else if (*pattern == '\0' && *string == '\0') {
            return true;
        } else if (!match_one(&pattern, &string)) {
            if (!star || *resume == '\0')
                return false;
            next_character(&resume); /* the run takes one character more */
            pattern = star;
            string = resume;
        }
    }
}

/* ---- names with numbers ----------------------------------------------------------------------- */

enum { NAME_MAX_BYTES = 511 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *digits_end(const char *p)
{
    while (is_digit(*p))
        p++;
    return p;
}

/* The end of the list of numbers and ranges ("0-3,8") that starts at the digit at `p`; NULL when there is
 * but one number. */
static const char *list_end(const char *p)
{
    const char *one = digits_end(p), *end;

    for (p = one;; p = end) {
        if (*p == '-' && is_digit(p[1]))
            p = digits_end(p + 1);
        end = p;
        if (*p != ',' || !is_digit(p[1]))
            break;
        end = digits_end(p + 1);
    }
    return end > one ? end : NULL;
}

/* Of numbers of any length: below 0, 0 or above as a < b, a = b or a > b. */
static int compare_digits(const char *a, const char *a_end, const char *b, const char *b_end)
{
    while (a < a_end && *a == '0')
        a++;
    while (b < b_end && *b == '0')
        b++;
    if (a_end - a != b_end - b)
        return a_end - a < b_end - b ? -1 : 1;
    return strncmp(a, b, (size_t)(a_end - a));
}

static bool in_list(const char *list, const char *list_stop, const char *number, const char *number_end)
{
    while (list < list_stop) {
        const char *low = list, *low_end = digits_end(low), *high = low, *high_end = low_end;

        if (*low_end == '-' && low_end < list_stop) {
            high = low_end + 1;
            high_end = digits_end(high);
        }
        if (compare_digits(low, low_end, number, number_end) <= 0 &&
            compare_digits(number, number_end, high, high_end) <= 0)
            return true;
        list = high_end + 1; /* past the comma */
    }
    return false;
}

/* The end of the pattern element at `p`; *is_list when it is a list of numbers. */
static const char *element_end(const char *p, bool *is_list)
{
    const char *end = *p == '[' ? set_end(p + 1) : NULL;

    *is_list = false;
    if (end)
        return end + 1;
    if (is_digit(*p)) {
        end = list_end(p);
        *is_list = end != NULL;
        return end ? end : digits_end(p);
    }
    if (*p == '\\' && p[1])
        p++;
    next_character(&p);
    return p;
}

static bool has_list(const char *pattern)
{
    bool is_list = false;

    while (*pattern && !is_list)
        pattern = element_end(pattern, &is_list);
    return is_list;
}

/* All places of a name that a pattern may have got to: lists match in two ways, so there can be several. */
typedef struct places {
    bool at[NAME_MAX_BYTES + 1];
} places;

static void match_star(places *here, const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (here->at[i]) {
            const char *next = name + i;

            next_character(&next);
            here->at[next - name] = true;
        }
}

static void match_list(const places *here, const char *list, const char *list_stop, const char *name,
                       size_t length, places *next)
{
    const size_t list_length = (size_t)(list_stop - list);

    for (size_t i = 0; i < length; i++) {
        const char *number = name + i, *end = digits_end(number);

        if (!here->at[i])
            continue;
        if (strncmp(number, list, list_length) == 0)
            next->at[i + list_length] = true;
        if (end > number && (i == 0 || !is_digit(number[-1])) && in_list(list, list_stop, number, end))
            next->at[end - name] = true;
    }
}

static void match_characters(const places *here, const char *element, const char *stop, const char *name,
                             size_t length, places *next)
{
    for (size_t i = 0; i < length; i++) {
        const char *p = element, *s = name + i;

        if (!here->at[i])
            continue;
        while (p < stop && match_one(&p, &s))
            ;
        if (p == stop)
            next->at[s - name] = true;
    }
}

bool sim_match_name(const char *pattern, const char *name)
{
    const size_t length = strlen(name);
    places sets[2] = {{{true}}, {{false}}};
    places *here = &sets[0], *next = &sets[1], *swap;

    if (!has_list(pattern) || length > NAME_MAX_BYTES)
        return sim_glob(pattern, name);
    while (*pattern) {
        bool is_list;
        const char *end = element_end(pattern, &is_list);

        if (*pattern == '*') {
            match_star(here, name, length);
        } else {
            *next = (places){{false}};
            if (is_list)
                match_list(here, pattern, end, name, length, next);
            else
                match_characters(here, pattern, end, name, length, next);
            swap = here, here = next, next = swap;
        }
        pattern = end;
    }
    return here->at[length];
}
