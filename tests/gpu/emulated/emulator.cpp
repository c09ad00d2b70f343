#include "emulator.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <vector>

namespace simacc
{

bool emulator_late, emulator_quiet;
uint64_t emulator_order;
void (*emulator_capture)(const std::function<void()> &work);
int emulator_complaints;

namespace
{

enum { STACK_BYTES = 256 * 1024 };
enum fiber_state { READY, AT_BARRIER, AT_WARP, ENDED };

struct pending_copy {
    unsigned char *to, data[16];
};

struct fiber {
    ucontext_t begin;
    jmp_buf at;
    bool begun;
    fiber_state state;
    std::vector<unsigned char> stack;
    std::vector<pending_copy> open;               /* not yet committed */
    std::deque<std::vector<pending_copy>> groups; /* committed, oldest first */
};

struct warp {
    int arrived;
    warp_function *function;
    warp_words in[32], out[32];
};

std::vector<fiber> fibers;
std::vector<warp> warps;
unsigned char *shared;
int64_t shared_size;
const std::function<void()> *program;

jmp_buf scheduler;
int current, threads_of_block, grid_size, block_of[2], at_barrier, ended;
uint64_t random_state;

uint32_t next_random()
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

void enter_fiber()
{
    (*program)();
    fibers[current].state = ENDED;
    ended++;
    _longjmp(scheduler, 1);
}

/* Lets others run; comes back when this fiber is ready again. */
void wait_as(fiber_state state)
{
    fiber &self = fibers[current];

    self.state = state;
    if (_setjmp(self.at) == 0)
        _longjmp(scheduler, 1);
}

void release_barrier_if_complete()
{
    if (at_barrier == 0 || at_barrier + ended < threads_of_block)
        return;
    at_barrier = 0;
    for (fiber &f : fibers)
        if (f.state == AT_BARRIER)
            f.state = READY;
}

void run_fiber(int index)
{
    fiber &f = fibers[index];

    current = index;
    if (_setjmp(scheduler))
        return;
    if (f.begun)
        _longjmp(f.at, 1);
    f.begun = true;
    setcontext(&f.begin);
}

void run_block()
{
    for (int i = 0; i < threads_of_block; i++) {
        fiber &f = fibers[i];

        f.begun = false;
        f.state = READY;
        f.open.clear();
        f.groups.clear();
        getcontext(&f.begin);
        f.begin.uc_stack.ss_sp = f.stack.data();
        f.begin.uc_stack.ss_size = f.stack.size();
        f.begin.uc_link = nullptr;
        makecontext(&f.begin, enter_fiber, 0);
    }
    for (warp &w : warps)
        w.arrived = 0;
    for (int64_t i = 0; i < shared_size; i++)
        shared[i] = (unsigned char)next_random();
    at_barrier = ended = 0;
    std::vector<int> order(threads_of_block);
    bool ordered = false;
    for (int i = 0; i < threads_of_block; i++)
        order[i] = i;
    while (ended < threads_of_block) {
        bool ran = false;

        /* Even seeds: all that are ready in turn, in a new order every round (0: by number). Odd seeds:
         * always the first that is ready in an order that stays, so that some threads run ahead as far as
         * they can. */
        for (int i = threads_of_block - 1; i > 0 && emulator_order && (emulator_order % 2 == 0 || !ordered);
             i--)
            std::swap(order[i], order[next_random() % (uint32_t)(i + 1)]);
        ordered = true;
        for (int index : order) {
            if (fibers[index].state != READY)
                continue;
            run_fiber(index);
            ran = true;
            release_barrier_if_complete();
            if (emulator_order % 2)
                break;
        }
        if (!ran) {
            complain_unless(false, "deadlock: threads wait for others that wait elsewhere or have ended");
            return;
        }
    }
    for (fiber &f : fibers)
        complain_unless(f.groups.empty() && f.open.empty(), "a thread ends with copies under way");
}

} // namespace

enum { PAGE = 4096 };

static int64_t guarded_pages(int64_t bytes)
{
    return (bytes + 15) / PAGE + 1;
}

void *guarded_memory(int64_t bytes)
{
    int64_t inner = guarded_pages(bytes) * PAGE;
    void *all = mmap(nullptr, (size_t)(inner + 2 * PAGE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (all == MAP_FAILED || mprotect((char *)all + PAGE, (size_t)inner, PROT_READ | PROT_WRITE) != 0)
        abort();
    return (char *)all + PAGE + inner - (bytes + 15) / 16 * 16;
}

void guarded_free(void *memory, int64_t bytes)
{
    int64_t inner = guarded_pages(bytes) * PAGE;
    char *all = (char *)memory + (bytes + 15) / 16 * 16 - inner - PAGE;

    munmap(all, (size_t)(inner + 2 * PAGE));
}

void complain_unless(bool condition, const char *what)
{
    static std::vector<std::string> seen;

    if (condition)
        return;
    emulator_complaints++;
    if (std::find(seen.begin(), seen.end(), what) != seen.end())
        return;
    seen.push_back(what);
    if (!emulator_quiet)
        printf("emulator: %s\n", what);
}

void emulate(int x, int y, int threads, int shared_bytes, const std::function<void()> &body)
{
    if ((int)fibers.size() != threads) {
        fibers = std::vector<fiber>(threads);
        for (fiber &f : fibers)
            f.stack.resize(STACK_BYTES);
        warps = std::vector<warp>((threads + 31) / 32);
    }
    shared = (unsigned char *)guarded_memory(shared_bytes);
    shared_size = shared_bytes;
    program = &body;
    threads_of_block = threads;
    grid_size = x;
    random_state = emulator_order;
    for (block_of[1] = 0; block_of[1] < y; block_of[1]++)
        for (block_of[0] = 0; block_of[0] < x; block_of[0]++)
            run_block();
    guarded_free(shared, shared_bytes);
}

void emulator_queue(const std::function<void()> &work)
{
    if (emulator_capture)
        emulator_capture(work);
    else
        work();
}

int thread_index()
{
    return current;
}

int block_x()
{
    return block_of[0];
}

int block_y()
{
    return block_of[1];
}

int grid_x()
{
    return grid_size;
}

unsigned char *shared_memory()
{
    return shared;
}

uint64_t timer_ns()
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Of a clock of 1 GHz. */
int64_t cycle_count()
{
    return (int64_t)timer_ns();
}

void barrier()
{
    at_barrier++;
    wait_as(AT_BARRIER);
}

warp_words warp_instruction(warp_function *function, const warp_words &in)
{
    warp &w = warps[current / 32];
    int lane = current % 32;

    if (w.arrived == 0)
        w.function = function;
    complain_unless(w.function == function, "lanes of a warp are at different instructions");
    w.in[lane] = in;
    if (++w.arrived == 32) {
        w.function(w.in, w.out);
        w.arrived = 0;
        for (int i = 0; i < 32; i++)
            fibers[current / 32 * 32 + i].state = READY;
        return w.out[lane];
    }
    wait_as(AT_WARP);
    return warps[current / 32].out[lane];
}

static void shuffle(const warp_words *in, warp_words *out)
{
    for (int lane = 0; lane < 32; lane++)
        out[lane].word[0] = in[lane ^ (int)in[lane].word[1]].word[0];
}

float shuffle_xor(float value, int mask)
{
    warp_words in = {{0, (uint32_t)mask}};

    memcpy(&in.word[0], &value, sizeof value);
    in = warp_instruction(shuffle, in);
    memcpy(&value, &in.word[0], sizeof value);
    return value;
}

int shuffle_xor(int value, int mask)
{
    warp_words in = {{(uint32_t)value, (uint32_t)mask}};

    return (int)warp_instruction(shuffle, in).word[0];
}

void copy16_async(void *to_shared, const void *from, bool valid)
{
    pending_copy c = {(unsigned char *)to_shared, {0}};
    unsigned char probe[16];
    int64_t offset = c.to - shared;

    complain_unless(offset >= 0 && offset + 16 <= shared_size,
                    "an asynchronous copy goes beyond shared memory");
    complain_unless(aligned16(to_shared) && aligned16(from), "an asynchronous copy is not aligned");
    memcpy(probe, from, sizeof probe); /* must be readable either way */
    if (valid)
        memcpy(c.data, probe, sizeof probe);
    fibers[current].open.push_back(c);
    if (!emulator_late)
        memcpy(c.to, c.data, sizeof c.data);
}

void copies_commit()
{
    fibers[current].groups.push_back(fibers[current].open);
    fibers[current].open.clear();
}

void copies_wait_for(int pending)
{
    std::deque<std::vector<pending_copy>> &groups = fibers[current].groups;

    for (; (int)groups.size() > pending; groups.pop_front())
        if (emulator_late)
            for (const pending_copy &c : groups.front())
                memcpy(c.to, c.data, sizeof c.data);
}

} // namespace simacc
