#include "reference/checkpoint_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void put_u8(sim_text *t, unsigned value)
{
    char byte = (char)value;

    sim_text_bytes(t, &byte, 1);
}

void put_u32(sim_text *t, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        put_u8(t, value >> (8 * i) & 255);
}

void put_u64(sim_text *t, uint64_t value)
{
    put_u32(t, (uint32_t)value);
    put_u32(t, (uint32_t)(value >> 32));
}

void put_zeros(sim_text *t, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        put_u8(t, 0);
}

/* ---- GGUF ------------------------------------------------------------------------------------------- */

void gguf_begin(sim_text *t, uint32_t version, uint64_t tensors, uint64_t pairs)
{
    sim_text_add(t, "GGUF");
    put_u32(t, version);
    put_u64(t, tensors);
    put_u64(t, pairs);
}

void gguf_text(sim_text *t, const char *text)
{
    put_u64(t, strlen(text));
    sim_text_add(t, text);
}

void gguf_key(sim_text *t, const char *key, uint32_t type)
{
    gguf_text(t, key);
    put_u32(t, type);
}

void gguf_pair_u32(sim_text *t, const char *key, uint32_t value)
{
    gguf_key(t, key, GGUF_U32);
    put_u32(t, value);
}

void gguf_pair_text(sim_text *t, const char *key, const char *value)
{
    gguf_key(t, key, GGUF_TEXT);
    gguf_text(t, value);
}

void gguf_tensor(sim_text *t, const char *name, uint32_t rank, const uint64_t *sizes, uint32_t type,
                 uint64_t offset)
{
    gguf_text(t, name);
    put_u32(t, rank);
    for (uint32_t i = 0; i < rank; i++)
        put_u64(t, sizes[i]);
    put_u32(t, type);
    put_u64(t, offset);
}

void gguf_align(sim_text *t, int64_t alignment)
{
    while (t->length % (size_t)alignment != 0)
        put_u8(t, 0);
}

/* ---- whole files ------------------------------------------------------------------------------------ */

void write_safetensors(sim_text *t, const written_tensor *tensors, int count)
{
    sim_text header = {.length = 0};
    int64_t at = 0;

    sim_text_add(&header, "{");
    for (int i = 0; i < count; i++) {
        sim_text_printf(&header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "", tensors[i].name,
                        tensors[i].dtype);
        for (int d = 0; d < tensors[i].rank; d++)
            sim_text_printf(&header, "%s%" PRId64, d ? "," : "", tensors[i].shape[d]);
        sim_text_printf(&header, "],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}", at, at + tensors[i].bytes);
        at += tensors[i].bytes;
    }
    sim_text_add(&header, "}");
    put_u64(t, header.length);
    sim_text_bytes(t, header.data, header.length);
    put_zeros(t, at);
    sim_text_free(&header);
}

void write_gguf(sim_text *t, const char *const *pairs, const written_tensor *tensors, int count)
{
    uint64_t pair_count = 0, at = 0;
    int64_t number;

    while (pairs[2 * pair_count])
        pair_count++;
    gguf_begin(t, 3, (uint64_t)count, pair_count);
    for (; *pairs; pairs += 2)
        if (sim_parse_int(pairs[1], &number))
            gguf_pair_u32(t, pairs[0], (uint32_t)number);
        else
            gguf_pair_text(t, pairs[0], pairs[1]);
    for (int i = 0; i < count; i++) {
        uint64_t sizes[4];

        for (int d = 0; d < tensors[i].rank; d++)
            sizes[d] = (uint64_t)tensors[i].shape[tensors[i].rank - 1 - d];
        gguf_tensor(t, tensors[i].name, (uint32_t)tensors[i].rank, sizes, tensors[i].type, at);
        at += ((uint64_t)tensors[i].bytes + 31) / 32 * 32;
    }
    gguf_align(t, 32);
    put_zeros(t, (int64_t)at);
}

bool save_file(sim_text *t, const char *folder, const char *name)
{
    char path[512];
    FILE *file;
    bool done;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    done = file && !t->failed && fwrite(t->data ? t->data : "", 1, t->length, file) == t->length;
    if (file)
        done = fclose(file) == 0 && done;
    sim_text_free(t);
    return done;
}
