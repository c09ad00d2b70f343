#include "base/utf8.h"

bool sim_utf8_is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t sim_utf8_next(const char *text, size_t length, int32_t *character)
{
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* by bytes taken */
    unsigned char first = (unsigned char)text[0];
    size_t bytes = first < 0x80   ? 1
                   : first < 0xc0 ? 0
                   : first < 0xe0 ? 2
                   : first < 0xf0 ? 3
                   : first < 0xf8 ? 4
                                  : 0;
    int32_t c;

    *character = -1;
    if (bytes == 0 || bytes > length)
        return 1;
    c = bytes == 1 ? first : first & (0x7f >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if (!sim_utf8_is_continuation(text[i]))
            return 1;
        c = c << 6 | ((unsigned char)text[i] & 0x3f);
    }
    if (c < least[bytes] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 1;
    *character = c;
    return bytes;
}
