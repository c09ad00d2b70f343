/* The tiles that the plug-in holds, named by rows x columns; for few rows there is the skinny kernel too.
 * gemm_run.cuh chooses among them. */
#ifndef SIMACC_GEMM_SHAPES_CUH
#define SIMACC_GEMM_SHAPES_CUH

#include "gemm_skinny.cuh"
#include "gemm_tile.cuh"

namespace simacc
{

/* warps along m and n; 8 rows and 32 columns of each; stages; blocks per multiprocessor */
typedef tile_shape<1, 4, 4, 1, 4, 4> tile_32x128;
typedef tile_shape<1, 4, 8, 1, 4, 2> tile_64x128;
/* int8: 64 x 64 per warp reads least from shared memory. */
typedef tile_shape<2, 2, 8, 2, 3, 2> tile_128x128;
typedef tile_shape<4, 2, 8, 2, 3, 1> tile_256x128;
/* int4: each weight is turned into fp16 by one warp only. */
typedef tile_shape<1, 4, 16, 1, 4, 2> tile_128x128_w4;
typedef tile_shape<1, 8, 16, 1, 4, 1> tile_128x256_w4;

} // namespace simacc

#endif
