/* Tensor-core instructions by their documented fragment layouts: which element of which matrix each register
 * of each lane holds. groupID = lane / 4, threadID_in_group = lane % 4, i the element of the lane's
 * fragment. */
#include "emulator.h"

namespace simacc
{

namespace
{

struct place {
    int row, column;
};

/* .s8: four elements of a register, .f16: two. */
place a_m16n8k32(int lane, int i)
{
    return {i < 4 || (i >= 8 && i < 12) ? lane / 4 : lane / 4 + 8,
            lane % 4 * 4 + (i & 3) + (i >= 8 ? 16 : 0)};
}

place b_m16n8k32(int lane, int i)
{
    return {lane % 4 * 4 + (i & 3) + (i >= 4 ? 16 : 0), lane / 4};
}

place a_m8n8k16(int lane, int i)
{
    return {lane / 4, lane % 4 * 4 + i};
}

place b_m8n8k16(int lane, int i)
{
    return {lane % 4 * 4 + i, lane / 4};
}

place a_m16n8k16(int lane, int i)
{
    return {i < 2 || (i >= 4 && i < 6) ? lane / 4 : lane / 4 + 8, lane % 4 * 2 + (i & 1) + (i >= 4 ? 8 : 0)};
}

place b_m16n8k16(int lane, int i)
{
    return {lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0), lane / 4};
}

place a_m16n8k8(int lane, int i)
{
    return {i < 2 ? lane / 4 : lane / 4 + 8, lane % 4 * 2 + (i & 1)};
}

place b_m16n8k8(int lane, int i)
{
    return {lane % 4 * 2 + (i & 1), lane / 4};
}

/* Accumulators of all of them; with 8 rows only the first two. */
place c_place(int lane, int i)
{
    return {i < 2 ? lane / 4 : lane / 4 + 8, lane % 4 * 2 + (i & 1)};
}

typedef place place_function(int lane, int i);

float as_float(uint32_t word)
{
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

uint32_t as_word(float value)
{
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

/* Words 0.. of a lane are its a registers, then w, then c. */
template <int rows, int depth, bool integers>
void multiply(const warp_words *in, warp_words *out, place_function *a_place, place_function *b_place)
{
    enum {
        PER_WORD = integers ? 4 : 2,
        A_WORDS = rows * depth / 32 / PER_WORD,
        B_WORDS = depth * 8 / 32 / PER_WORD,
        C_WORDS = rows * 8 / 32
    };
    double a[rows][depth], b[depth][8];
    auto element = [](uint32_t word, int i) {
        return integers ? (double)(int8_t)(word >> 8 * i) : fp16_value((uint16_t)(word >> 16 * i));
    };

    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < A_WORDS * PER_WORD; i++) {
            place p = a_place(lane, i);
            a[p.row][p.column] = element(in[lane].word[i / PER_WORD], i % PER_WORD);
        }
        for (int i = 0; i < B_WORDS * PER_WORD; i++) {
            place p = b_place(lane, i);
            b[p.row][p.column] = element(in[lane].word[A_WORDS + i / PER_WORD], i % PER_WORD);
        }
    }
    for (int lane = 0; lane < 32; lane++)
        for (int i = 0; i < C_WORDS; i++) {
            place p = c_place(lane, i);
            uint32_t before = in[lane].word[A_WORDS + B_WORDS + i];

            if (integers) {
                int64_t sum = (int32_t)before;
                for (int k = 0; k < depth; k++)
                    sum += (int64_t)(a[p.row][k] * b[k][p.column]);
                out[lane].word[i] = (uint32_t)sum;
            } else {
                float sum = as_float(before);
                for (int k = 0; k < depth; k++)
                    sum += (float)(a[p.row][k] * b[k][p.column]);
                out[lane].word[i] = as_word(sum);
            }
        }
}

void run_m16n8k32(const warp_words *in, warp_words *out)
{
    multiply<16, 32, true>(in, out, a_m16n8k32, b_m16n8k32);
}

void run_m8n8k16(const warp_words *in, warp_words *out)
{
    multiply<8, 16, true>(in, out, a_m8n8k16, b_m8n8k16);
}

void run_m16n8k8(const warp_words *in, warp_words *out)
{
    multiply<16, 8, false>(in, out, a_m16n8k8, b_m16n8k8);
}

void run_m16n8k16(const warp_words *in, warp_words *out)
{
    multiply<16, 16, false>(in, out, a_m16n8k16, b_m16n8k16);
}

} // namespace

void mma_m16n8k32_s8(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t w0,
                     uint32_t w1)
{
    warp_words r = warp_instruction(run_m16n8k32, {{a0, a1, a2, a3, w0, w1, (uint32_t)c[0], (uint32_t)c[1],
                                                    (uint32_t)c[2], (uint32_t)c[3]}});
    for (int i = 0; i < 4; i++)
        c[i] = (int)r.word[i];
}

void mma_m8n8k16_s8(int &c0, int &c1, uint32_t a, uint32_t w)
{
    warp_words r = warp_instruction(run_m8n8k16, {{a, w, (uint32_t)c0, (uint32_t)c1}});

    c0 = (int)r.word[0];
    c1 = (int)r.word[1];
}

void mma_m16n8k16_f16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t w0,
                      uint32_t w1)
{
    warp_words r = warp_instruction(
        run_m16n8k16, {{a0, a1, a2, a3, w0, w1, as_word(c[0]), as_word(c[1]), as_word(c[2]), as_word(c[3])}});
    for (int i = 0; i < 4; i++)
        c[i] = as_float(r.word[i]);
}

void mma_m16n8k8_f16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t w)
{
    warp_words r = warp_instruction(
        run_m16n8k8, {{a0, a1, w, as_word(c[0]), as_word(c[1]), as_word(c[2]), as_word(c[3])}});

    for (int i = 0; i < 4; i++)
        c[i] = as_float(r.word[i]);
}

} // namespace simacc
