/* Matrix product by tiles: a block computes rows x columns of outputs, each of its warps 8 MT x 32 NB of
 * them, going through k in steps of 64 bytes that pass through shared memory.
 *
 * From sm_80 on the copies are asynchronous, `stages` - 1 steps ahead; one barrier per step suffices, because
 * the stage that is overwritten was read before it. On sm_75 the next step is loaded into registers while the
 * current one is multiplied, and put into the other of two stages. */
#ifndef SIMACC_GEMM_TILE_CUH
#define SIMACC_GEMM_TILE_CUH

#include "weights.cuh"

namespace simacc
{

template <int warps_m_, int warps_n_, int mt_, int nb_, int stages_, int blocks_> struct tile_shape {
    enum {
        WARPS_M = warps_m_,
        WARPS_N = warps_n_, /* warps of a block */
        MT = mt_,
        NB = nb_,         /* 8 rows (tokens), 32 columns (features), of a warp */
        STAGES = stages_, /* with asynchronous copies */
        BLOCKS = blocks_, /* at once on a multiprocessor as far as registers go: __launch_bounds__; its
                           * shared memory may allow fewer (sm_75 has 64 KiB, sm_86 and sm_89 100 KiB) */
        THREADS = 32 * WARPS_M * WARPS_N,
        ROWS = 8 * MT * WARPS_M,
        COLUMNS = BLOCK_COLUMNS * NB * WARPS_N,
    };
};

template <class Weights, class Tile> struct tile_memory {
    enum {
        A_BYTES = Tile::ROWS * STEP_BYTES,
        W_BYTES = Tile::COLUMNS / BLOCK_COLUMNS * Weights::BLOCK_BYTES,
        STAGE_BYTES = A_BYTES + W_BYTES,
    };
};

/* Shared memory of a block. */
template <class Weights, class Tile> SIMACC_BOTH int tile_shared_bytes(bool async_copies)
{
    return tile_memory<Weights, Tile>::STAGE_BYTES * (async_copies ? (int)Tile::STAGES : 2);
}

/* 16-byte pieces of COUNT rows of 64 bytes, dealt to the threads: thread i takes piece i % 4 of rows
 * i / 4, i / 4 + THREADS / 4, ... */
template <int COUNT, int THREADS> struct row_pieces {
    enum { EACH = (COUNT * 4 + THREADS - 1) / THREADS, ROW_STEP = THREADS / 4 };
    const unsigned char *base, *first;
    int64_t stride;
    int rows, row_bytes, row, column;

    /* Rows from `begin` on of a matrix of `rows_in_all`. */
    SIMACC_DEVICE void start(const unsigned char *matrix, int row_bytes_, int rows_in_all, int begin)
    {
        row = thread_index() / 4;
        column = thread_index() % 4 * PIECE_BYTES;
        base = matrix;
        first = matrix + (int64_t)(begin + row) * row_bytes_ + column;
        stride = (int64_t)ROW_STEP * row_bytes_;
        row_bytes = row_bytes_;
        rows = rows_in_all - begin < COUNT ? rows_in_all - begin : COUNT;
    }

    SIMACC_DEVICE bool has(int i) const
    {
        return COUNT * 4 % THREADS == 0 || row + i * ROW_STEP < COUNT;
    }

    SIMACC_DEVICE bool valid(int i, int step) const
    {
        return row + i * ROW_STEP < rows && column + step * STEP_BYTES < row_bytes;
    }

    SIMACC_DEVICE const unsigned char *from(int i, int step) const
    {
        return first + i * stride + (int64_t)step * STEP_BYTES;
    }

    SIMACC_DEVICE int to(int i) const
    {
        return (row + i * ROW_STEP) * STEP_BYTES + column;
    }
};

/* The same of COUNT blocks of packed weights, BYTES each per step. */
template <int COUNT, int BYTES, int THREADS> struct packed_pieces {
    enum {
        OF_BLOCK = BYTES / PIECE_BYTES,
        EACH = (COUNT * OF_BLOCK + THREADS - 1) / THREADS,
        BLOCK_STEP = THREADS / OF_BLOCK,
    };
    static_assert(THREADS % OF_BLOCK == 0, "a thread's pieces are at the same place of their blocks");
    const unsigned char *base, *first;
    int64_t stride;
    int left, block;

    /* Blocks from `begin` on of `blocks_in_all`. */
    SIMACC_DEVICE void start(const unsigned char *packed, int steps, int blocks_in_all, int begin)
    {
        int64_t block_bytes = (int64_t)steps * BYTES;

        block = thread_index() / OF_BLOCK;
        left = blocks_in_all - begin;
        base = packed;
        first = packed + (begin + block) * block_bytes + thread_index() % OF_BLOCK * PIECE_BYTES;
        stride = BLOCK_STEP * block_bytes;
    }

    SIMACC_DEVICE bool has(int i) const
    {
        return COUNT * OF_BLOCK % THREADS == 0 || thread_index() + i * THREADS < COUNT * OF_BLOCK;
    }

    SIMACC_DEVICE bool valid(int i, int) const
    {
        return block + i * BLOCK_STEP < left;
    }

    SIMACC_DEVICE const unsigned char *from(int i, int step) const
    {
        return first + i * stride + (int64_t)step * BYTES;
    }

    SIMACC_DEVICE int to(int i) const
    {
        return (thread_index() + i * THREADS) * PIECE_BYTES;
    }
};

#if SIMACC_ASYNC

template <class Pieces> SIMACC_DEVICE void copy_step(const Pieces &p, int step, unsigned char *stage)
{
#pragma unroll
    for (int i = 0; i < Pieces::EACH; i++) {
        bool valid = p.valid(i, step);
        if (p.has(i))
            copy16_async(stage + p.to(i), valid ? p.from(i, step) : p.base, valid);
    }
}

#else

template <class Pieces> SIMACC_DEVICE void read_step(const Pieces &p, int step, words4 (&held)[Pieces::EACH])
{
#pragma unroll
    for (int i = 0; i < Pieces::EACH; i++) {
        held[i] = words4{{0, 0, 0, 0}};
        if (p.has(i) && p.valid(i, step))
            held[i] = load16(p.from(i, step));
    }
}

template <class Pieces>
SIMACC_DEVICE void keep_step(const Pieces &p, const words4 (&held)[Pieces::EACH], unsigned char *stage)
{
#pragma unroll
    for (int i = 0; i < Pieces::EACH; i++)
        if (p.has(i))
            store16(stage + p.to(i), held[i]);
}

#endif

/* One step of the warp's outputs. */
template <class Weights, class Tile, class Columns>
SIMACC_DEVICE void multiply_step(const unsigned char *a, const unsigned char *w, int lane, Columns &columns,
                                 typename Weights::sum (&sum)[Tile::MT][2 * Tile::NB][4])
{
    block_registers weights[Tile::NB];

#pragma unroll
    for (int b = 0; b < Tile::NB; b++)
        columns.load(w + b * Weights::BLOCK_BYTES, b, lane, weights[b]);
    a += lane / 4 * STEP_BYTES + lane % 4 * PIECE_BYTES;
#pragma unroll
    for (int i = 0; i < Tile::MT; i++) {
        words4 tokens = load16(a + 8 * i * STEP_BYTES);
#pragma unroll
        for (int s = 0; s < 2; s++)
#pragma unroll
            for (int h = 0; h < 2 * Tile::NB; h++)
                multiply(sum[i][h], weights[h / 2].w[h % 2][s], tokens.w[2 * s], tokens.w[2 * s + 1]);
    }
}

/* Grid: x tiles of outputs, y parts of k. */
template <class Weights, class Tile> SIMACC_KERNEL(Tile::THREADS, Tile::BLOCKS) tile_gemm(gemm_args g)
{
    typedef tile_memory<Weights, Tile> memory;
    unsigned char *shared = shared_memory();
    int lane = thread_index() % 32, warp = thread_index() / 32;
    int warp_m = warp % Tile::WARPS_M, warp_n = warp / Tile::WARPS_M;
    int tile_m, tile_n, begin, end;

    tile_of_block(block_x(), (g.m + Tile::ROWS - 1) / Tile::ROWS, (g.n + Tile::COLUMNS - 1) / Tile::COLUMNS,
                  &tile_m, &tile_n);
    split_steps(g.steps, Weights::SPLIT_UNIT, g.parts, block_y(), &begin, &end);

    int row = tile_m * Tile::ROWS, column = tile_n * Tile::COLUMNS;
    int warp_row = warp_m * 8 * Tile::MT, warp_block = warp_n * Tile::NB;
    typedef row_pieces<Tile::ROWS, Tile::THREADS> row_pieces_type;
    typedef packed_pieces<Tile::COLUMNS / BLOCK_COLUMNS, Weights::BLOCK_BYTES, Tile::THREADS>
        packed_pieces_type;
    row_pieces_type a_pieces;
    packed_pieces_type w_pieces;
    typename Weights::template columns<Tile::NB> columns;
    typename Weights::sum sum[Tile::MT][2 * Tile::NB][4] = {};

    a_pieces.start(g.a, g.row_bytes, g.m, row);
    w_pieces.start(g.w, g.steps, (int)column_blocks(g.n), column / BLOCK_COLUMNS);
    columns.start(g, column / BLOCK_COLUMNS + warp_block, begin);
    int a_offset = warp_row * STEP_BYTES, w_offset = memory::A_BYTES + warp_block * Weights::BLOCK_BYTES;

#if SIMACC_ASYNC
    enum { AHEAD = Tile::STAGES - 1 };
#pragma unroll
    for (int i = 0; i < AHEAD; i++) {
        if (begin + i < end) {
            copy_step(a_pieces, begin + i, shared + i * memory::STAGE_BYTES);
            copy_step(w_pieces, begin + i, shared + i * memory::STAGE_BYTES + memory::A_BYTES);
        }
        copies_commit();
    }
    int stage = 0, filled = AHEAD;
    for (int step = begin; step < end; step++) {
        copies_wait<AHEAD - 1>(); /* this step has arrived, of this thread's copies */
        barrier();                /* and of all others'; all have read the stage that is filled next */
        if (step + AHEAD < end) {
            copy_step(a_pieces, step + AHEAD, shared + filled * memory::STAGE_BYTES);
            copy_step(w_pieces, step + AHEAD, shared + filled * memory::STAGE_BYTES + memory::A_BYTES);
        }
        copies_commit(); /* empty at the end, so that the count of groups stays right */
        columns.step(g, step);
        multiply_step<Weights, Tile>(shared + stage * memory::STAGE_BYTES + a_offset,
                                     shared + stage * memory::STAGE_BYTES + w_offset, lane, columns, sum);
        stage = stage + 1 == Tile::STAGES ? 0 : stage + 1;
        filled = filled + 1 == Tile::STAGES ? 0 : filled + 1;
    }
    copies_wait<0>();
#else
    words4 a_held[row_pieces_type::EACH], w_held[packed_pieces_type::EACH];
    int stage = 0;
    if (begin < end) {
        read_step(a_pieces, begin, a_held);
        read_step(w_pieces, begin, w_held);
        keep_step(a_pieces, a_held, shared);
        keep_step(w_pieces, w_held, shared + memory::A_BYTES);
    }
    barrier();
    for (int step = begin; step < end; step++) {
        if (step + 1 < end) {
            read_step(a_pieces, step + 1, a_held);
            read_step(w_pieces, step + 1, w_held);
        }
        columns.step(g, step);
        multiply_step<Weights, Tile>(shared + stage * memory::STAGE_BYTES + a_offset,
                                     shared + stage * memory::STAGE_BYTES + w_offset, lane, columns, sum);
        stage ^= 1;
        if (step + 1 < end) {
            keep_step(a_pieces, a_held, shared + stage * memory::STAGE_BYTES);
            keep_step(w_pieces, w_held, shared + stage * memory::STAGE_BYTES + memory::A_BYTES);
        }
        barrier(); /* the other stage is whole, and this one read by all */
    }
#endif

#pragma unroll
    for (int i = 0; i < Tile::MT; i++)
#pragma unroll
        for (int h = 0; h < 2 * Tile::NB; h++) {
            int r = row + warp_row + 8 * i + lane % 4 * 2;
            int c = column + warp_block * BLOCK_COLUMNS + 16 * h + lane / 4;
            put_tokens(sum[i][h][0], sum[i][h][1], r, c, block_y(), g);
            put_tokens(sum[i][h][2], sum[i][h][3], r, c + 8, block_y(), g);
        }
}

} // namespace simacc

#endif
