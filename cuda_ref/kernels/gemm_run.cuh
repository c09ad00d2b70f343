/* The project's own matrix products from outside: how large operands are, which kernels can run a shape, and
 * launching one of them. Compiled into the plug-in and, with the emulator, into the tests. */
#ifndef SIMACC_GEMM_RUN_CUH
#define SIMACC_GEMM_RUN_CUH

#include "gemm_shapes.cuh"

namespace simacc
{

/* ---- sizes ------------------------------------------------------------------------------------------ */

struct gemm_sizes {
    int64_t row_bytes, steps; /* of k, as in gemm_args */
    int64_t out_stride;       /* elements */
    int64_t a_bytes, w_bytes, scale_bytes, out_bytes;
};

/* A weight has `w_bits`: 8 (int8 activations) or 4 (fp16 activations). */
inline gemm_sizes gemm_sizes_of(int w_bits, int64_t m, int64_t n, int64_t k)
{
    gemm_sizes s;

    s.row_bytes = round_up(w_bits == 4 ? 2 * k : k, PIECE_BYTES);
    s.steps = w_bits == 4 ? w4_groups(k) * W4_STEPS_PER_GROUP : w8_steps(k);
    s.out_stride = round_up(n, 8);
    s.a_bytes = m * s.row_bytes;
    s.w_bytes = w_bits == 4 ? w4_bytes(n, k) : w8_bytes(n, k);
    s.scale_bytes = w_bits == 4 ? 4 * w4_scale_words(n, k) : 0;
    s.out_bytes = 2 * m * s.out_stride;
    return s;
}

/* ---- choices ---------------------------------------------------------------------------------------- */

enum { OWN_SKINNY = -1, OWN_CHOICES_MAX = 8 };

struct own_choice {
    int tile;    /* of own_tiles, or OWN_SKINNY */
    int parts;   /* of k */
    double cost; /* own_cost: orders the choices */
};

struct own_tile {
    int rows, columns, blocks; /* blocks: as in tile_shape */
    bool async_only;           /* too large for the registers that hold the next step on sm_75 */
};

template <class Weights> struct own_tiles;

template <> struct own_tiles<weights_int8> {
    typedef tile_32x128 t0;
    typedef tile_64x128 t1;
    typedef tile_128x128 t2;
    typedef tile_256x128 t3;
};

template <> struct own_tiles<weights_int4> {
    typedef tile_32x128 t0;
    typedef tile_64x128 t1;
    typedef tile_128x128_w4 t2;
    typedef tile_128x256_w4 t3;
};

template <class Tile> inline own_tile own_tile_of(bool async_only)
{
    return {Tile::ROWS, Tile::COLUMNS, Tile::BLOCKS, async_only};
}

template <class Weights> inline own_tile own_tile_at(int index)
{
    return index == 0   ? own_tile_of<typename own_tiles<Weights>::t0>(false)
           : index == 1 ? own_tile_of<typename own_tiles<Weights>::t1>(false)
           : index == 2 ? own_tile_of<typename own_tiles<Weights>::t2>(false)
                        : own_tile_of<typename own_tiles<Weights>::t3>(true);
}

/* What blocks take in all: waves of blocks, each its steps of k and some to begin and end with, of as much
 * work as the tile has, which smaller tiles do less well; and the parts' sums going out and coming back. In
 * units of about a multiply-accumulate per thread; the constants are guesses, which suffice to name
 * candidates: choose_way (timing.h) times them. */
inline double own_cost(int64_t blocks, int64_t at_once, double steps, int rows, int columns, int parts,
                       double outputs)
{
    double waves = (double)ceil_div(blocks, at_once);
    double step = rows * columns * (1 + 32.0 / rows + 32.0 / columns);

    return waves * (steps / parts + 8) * step + (parts > 1 ? 40000 + outputs * parts * 0.5 : 0);
}

/* The most promising kernels for a shape, best first; at most OWN_CHOICES_MAX, at least one. */
template <class Weights>
inline int own_choices(bool async, int sms, int64_t m, int64_t n, int64_t steps,
                       own_choice out[OWN_CHOICES_MAX])
{
    int count = 0;

    for (int tile = OWN_SKINNY; tile < 4; tile++) {
        own_tile t =
            tile == OWN_SKINNY ? own_tile{SKINNY_ROWS, BLOCK_COLUMNS, 2, false} : own_tile_at<Weights>(tile);

        if ((tile == OWN_SKINNY && m > SKINNY_ROWS) || (t.async_only && !async))
            continue;
        for (int parts = 1; parts <= 16; parts *= 2) {
            int64_t tiles = ceil_div(m, t.rows) * ceil_div(n, t.columns);
            own_choice c = {tile, parts, 0};

            /* Parts only where blocks are too few without, and each still has some of k. */
            if (parts > 1 &&
                (tiles * parts > 4 * (int64_t)sms * t.blocks || steps / parts < 2 * Weights::SPLIT_UNIT))
                break;
            c.cost = own_cost(tiles * parts, (int64_t)sms * t.blocks, (double)steps, t.rows, t.columns, parts,
                              (double)m * (double)n);
            if (count == OWN_CHOICES_MAX && out[count - 1].cost <= c.cost)
                continue;
            int at = count < OWN_CHOICES_MAX ? count++ : count - 1;
            out[at] = c;
            for (; at > 0 && out[at].cost < out[at - 1].cost; at--) {
                own_choice held = out[at];
                out[at] = out[at - 1];
                out[at - 1] = held;
            }
        }
    }
    return count;
}

/* Bytes of `gemm_args.partial`. */
inline int64_t own_partial_bytes(const own_choice &c, int64_t m, int64_t out_stride)
{
    return c.parts > 1 ? 4 * c.parts * m * out_stride : 0;
}

/* The most that any of the choices needs of it. */
inline int64_t own_work_bytes(const own_choice *choices, int count, int64_t m, int64_t out_stride)
{
    int64_t most = 0;

    for (int i = 0; i < count; i++) {
        int64_t needed = own_partial_bytes(choices[i], m, out_stride);
        most = needed > most ? needed : most;
    }
    return most;
}

/* ---- launching -------------------------------------------------------------------------------------- */

template <class Weights, class Tile>
inline void launch_tile(const gemm_args &g, bool async, launch_stream stream)
{
    int shared = tile_shared_bytes<Weights, Tile>(async);
    int64_t tiles = ceil_div(g.m, Tile::ROWS) * ceil_div(g.n, Tile::COLUMNS);

    if (shared > 48 * 1024)
        SIMACC_ALLOW_SHARED((tile_gemm<Weights, Tile>), shared);
    SIMACC_LAUNCH((tile_gemm<Weights, Tile>), tiles, g.parts, Tile::THREADS, shared, stream, g);
    (void)stream;
}

/* One product, `g.parts` being the choice's. Launch errors are the runtime's to report. */
template <class Weights>
inline void launch_own(const gemm_args &g, int tile, bool async, launch_stream stream)
{
    typedef own_tiles<Weights> tiles;

    switch (tile) {
    case OWN_SKINNY:
        if (g.m <= 8)
            SIMACC_LAUNCH((skinny_gemm<Weights, 1>), ceil_div(g.n, BLOCK_COLUMNS), g.parts, SKINNY_THREADS,
                          skinny_shared_bytes(), stream, g);
        else
            SIMACC_LAUNCH((skinny_gemm<Weights, 2>), ceil_div(g.n, BLOCK_COLUMNS), g.parts, SKINNY_THREADS,
                          skinny_shared_bytes(), stream, g);
        break;
    case 0:
        launch_tile<Weights, typename tiles::t0>(g, async, stream);
        break;
    case 1:
        launch_tile<Weights, typename tiles::t1>(g, async, stream);
        break;
    case 2:
        launch_tile<Weights, typename tiles::t2>(g, async, stream);
        break;
    default:
        launch_tile<Weights, typename tiles::t3>(g, async, stream);
        break;
    }
    if (g.parts > 1)
        SIMACC_LAUNCH((combine_parts<typename Weights::sum>), combine_blocks(g.m, g.n), 1, COMBINE_THREADS, 0,
                      stream, g);
}

} // namespace simacc

#endif
