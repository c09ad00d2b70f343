#include "reference/random.h"

uint64_t ref_random_bits(ref_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = random->state;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

int64_t ref_random_int(ref_random *random, int64_t least, int64_t most)
{
    const uint64_t span = (uint64_t)(most - least) + 1;
    return least + (int64_t)(span ? ref_random_bits(random) % span : ref_random_bits(random));
}

int64_t ref_random_scale(ref_random *random, int64_t least, int64_t most)
{
    /* Doubling by integer steps, not pow(): libm differs between machines. */
    int doublings = 0;
    while (doublings < 62 && least <= most >> (doublings + 1))
        doublings++;
    const int64_t low = least << ref_random_int(random, 0, doublings);
    const int64_t high = low > most / 2 ? most : 2 * low - 1;
    return ref_random_int(random, low, high < low ? low : high);
}

double ref_random_real(ref_random *random, double least, double most)
{
    return least + (most - least) * ((double)(ref_random_bits(random) >> 11) / 9007199254740992.0);
}

bool ref_random_one_in(ref_random *random, int64_t of)
{
    return ref_random_int(random, 1, of) == 1;
}
