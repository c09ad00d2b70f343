/* Little-endian numbers at any address. */
#ifndef SIM_FORMAT_BYTES_H
#define SIM_FORMAT_BYTES_H

#include <stdint.h>

static inline uint32_t sim_bytes_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t sim_bytes_u64(const unsigned char *p)
{
    return (uint64_t)sim_bytes_u32(p) | (uint64_t)sim_bytes_u32(p + 4) << 32;
}

static inline int64_t sim_bytes_i64(const unsigned char *p)
{
    return (int64_t)sim_bytes_u64(p);
}

#endif
