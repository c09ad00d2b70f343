/* Values of GGUF metadata: from the bytes of the file to numbers. */
#include "format/bytes.h"
#include "format/gguf.h"

#include <stdlib.h>
#include <string.h>

int sim_gguf_type_bytes(sim_gguf_type type)
{
    static const int sizes[SIM_GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};

    return sizes[type];
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const sim_gguf_pair *)a)->key, ((const sim_gguf_pair *)b)->key);
}

const sim_gguf_pair *sim_gguf_get(const sim_gguf *gguf, const char *key)
{
    const sim_gguf_pair wanted = {.key = key};

    return gguf->pair_count > 0
               ? bsearch(&wanted, gguf->pairs, (size_t)gguf->pair_count, sizeof *gguf->pairs, by_key)
               : NULL;
}

const char *sim_gguf_text(const sim_gguf *gguf, const char *key)
{
    const sim_gguf_pair *pair = sim_gguf_get(gguf, key);

    return pair ? pair->text : NULL;
}

static const unsigned char *element(const sim_gguf_pair *pair, int64_t index)
{
    if (!pair || index < 0 || index >= pair->count || pair->type == SIM_GGUF_TEXT)
        return NULL;
    return pair->data + index * sim_gguf_type_bytes(pair->type);
}

bool sim_gguf_int(const sim_gguf_pair *pair, int64_t index, int64_t *out)
{
    const unsigned char *p = element(pair, index);

    if (!p)
        return false;
    switch (pair->type) {
    case SIM_GGUF_U8:
        *out = p[0];
        return true;
    case SIM_GGUF_I8:
        *out = p[0] < 128 ? p[0] : p[0] - 256;
        return true;
    case SIM_GGUF_U16:
        *out = p[0] | p[1] << 8;
        return true;
    case SIM_GGUF_I16:
        *out = (int16_t)(p[0] | p[1] << 8);
        return true;
    case SIM_GGUF_U32:
        *out = (int64_t)sim_bytes_u32(p);
        return true;
    case SIM_GGUF_I32:
        *out = (int32_t)sim_bytes_u32(p);
        return true;
    case SIM_GGUF_U64:
        *out = sim_bytes_i64(p);
        return *out >= 0;
    case SIM_GGUF_I64:
        *out = sim_bytes_i64(p);
        return true;
    default:
        return false;
    }
}

bool sim_gguf_real(const sim_gguf_pair *pair, int64_t index, double *out)
{
    const unsigned char *p = element(pair, index);
    int64_t integer;

    if (p && pair->type == SIM_GGUF_F32) {
        uint32_t word = sim_bytes_u32(p);
        float value;

        memcpy(&value, &word, sizeof value);
        *out = value;
        return true;
    }
    if (p && pair->type == SIM_GGUF_F64) {
        uint64_t word = sim_bytes_u64(p);

        memcpy(out, &word, sizeof *out);
        return true;
    }
    if (!sim_gguf_int(pair, index, &integer))
        return false;
    *out = (double)integer;
    return true;
}

bool sim_gguf_bool(const sim_gguf_pair *pair, int64_t index, bool *out)
{
    const unsigned char *p = element(pair, index);

    if (!p || pair->type != SIM_GGUF_BOOL)
        return false;
    *out = p[0] == 1;
    return true;
}
