/* Words that look alike, and globs. Case folding is ASCII's: names of ours are ASCII. */
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
