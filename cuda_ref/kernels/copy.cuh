/* Copies memory: what bandwidth a kernel can have. */
#ifndef SIMACC_COPY_CUH
#define SIMACC_COPY_CUH

#include "rows.cuh"

namespace simacc
{

/* `pieces` of 16 bytes; four at a time per thread, so that enough loads are under way. */
SIMACC_KERNEL(ROW_THREADS, 4) copy_pieces(const unsigned char *in, unsigned char *out, int64_t pieces)
{
    int64_t stride = (int64_t)grid_x() * ROW_THREADS, i = (int64_t)block_x() * ROW_THREADS + thread_index();

    for (; i + 3 * stride < pieces; i += 4 * stride) {
        words4 held[4];
#pragma unroll
        for (int j = 0; j < 4; j++)
            held[j] = load16(in + (i + j * stride) * PIECE_BYTES);
#pragma unroll
        for (int j = 0; j < 4; j++)
            store16(out + (i + j * stride) * PIECE_BYTES, held[j]);
    }
    for (; i < pieces; i += stride)
        store16(out + i * PIECE_BYTES, load16(in + i * PIECE_BYTES));
}

} // namespace simacc

#endif
