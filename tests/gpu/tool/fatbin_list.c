/* Lists the device code in a library built by nvcc, one "elf sm_75" or "ptx sm_90" per image: what cuobjdump
 * --list-elf tells, for toolkits that come without it.
 *
 * A fat binary starts with the number 0xba55ed50, a version, the size of this header (16) and the size of
 * what follows; then come images: kind (1 PTX, 2 ELF), version, header size, size of the data behind it, and
 * at byte 28 the architecture. All little-endian. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number(const unsigned char *at, int bytes)
{
    uint64_t value = 0;

    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

static void list_images(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= 32) {
        uint64_t kind = number(at, 2), header = number(at + 4, 4), size = number(at + 8, 8);

        if (header < 32 || header > (uint64_t)(end - at) || size > (uint64_t)(end - at) - header)
            return;
        printf("%s sm_%u\n", kind == 2 ? "elf" : "ptx", (unsigned)number(at + 28, 4));
        at += header + size;
    }
}

int main(int count, char **arguments)
{
    static const unsigned char magic[4] = {0x50, 0xed, 0x55, 0xba};
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    unsigned char *data = NULL;
    long size;

    if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) <= 0 ||
        fseek(file, 0, SEEK_SET) != 0 || !(data = malloc((size_t)size)) ||
        fread(data, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "usage: fatbin_list LIBRARY\n");
        free(data);
        if (file)
            fclose(file);
        return 2;
    }
    fclose(file);
    for (long i = 0; i + 16 <= size; i += 8) {
        uint64_t header, length;

        if (memcmp(data + i, magic, sizeof magic) != 0)
            continue;
        header = number(data + i + 6, 2);
        length = number(data + i + 8, 8);
        if (header >= 16 && length <= (uint64_t)(size - i) && header <= (uint64_t)(size - i) - length)
            list_images(data + i + header, data + i + header + length);
    }
    free(data);
    return 0;
}
