// CUDA C++ on the host, for tests without a GPU: kernels are compiled as plain C++, every thread of a block is a fiber, blocks run one after the other.
//
// What a kernel may use: threadIdx/blockIdx/blockDim/gridDim, __shared__ arrays, __syncthreads, __syncwarp, shuffles and votes of whole warps, float math, bfloat16, vector types.
// What it may not: inline assembly, tensor-core fragments, dynamic parallelism, a barrier or shuffle that not all (living) threads of the block or warp reach (that aborts).
#pragma once
#include <csetjmp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <algorithm>
#include <memory>
#include <numeric>
#include <ucontext.h>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
// Blocks of an OS thread run one after the other, so a block's shared memory may be a static one of its thread. It is not cleared, as on the chip.
#define __shared__ static thread_local

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x = 1, y = 1, z = 1; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
using std::max;
using std::min;

namespace emulated {

// A barrier of `size` fibers that live.
struct Barrier {
    unsigned size = 0, arrived = 0;
    uint64_t turn = 0;
};

struct Warp {
    Barrier barrier;
    // What lanes hand each other: two generations, so that one barrier an exchange is enough.
    uint64_t values[2][32];
};

struct Fiber {
    uint3 index;
    unsigned lane;
    Warp *warp;
    jmp_buf at;
    bool started, done;
};

constexpr size_t STACK = 64 << 10;

// The order in which the warps of a block, and the threads of a warp, take turns: 0 ascending, 1 descending, from 2 on shuffled with that seed. A kernel that lacks a barrier gives other bits
// in some order.
inline unsigned order = getenv("KDPIPE_TEST_EMULATED_ORDER") ? atoi(getenv("KDPIPE_TEST_EMULATED_ORDER")) : 0;

struct Block {
    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    std::vector<unsigned> turns;
    std::unique_ptr<char[]> stacks;
    Barrier barrier;
    jmp_buf scheduler;
    void (*body)(void *);
    void *arguments;
    uint64_t progress;
};

inline thread_local Block *block;
inline thread_local Fiber *self;
inline thread_local uint3 block_index;
inline thread_local dim3 block_size, grid_size;

inline void yield() {
    if (_setjmp(self->at) == 0) _longjmp(block->scheduler, 1);
}

inline void release(Barrier &barrier) {
    barrier.arrived = 0;
    barrier.turn++;
    block->progress++;
}

inline void wait(Barrier &barrier) {
    const uint64_t turn = barrier.turn;
    if (++barrier.arrived == barrier.size) return release(barrier);
    while (barrier.turn == turn) yield();
}

// A thread that has returned is waited for no more.
inline void leave(Barrier &barrier) {
    if (--barrier.size > 0 && barrier.arrived == barrier.size) release(barrier);
}

inline void enter() {
    block->body(block->arguments);
    leave(self->warp->barrier);
    leave(block->barrier);
    self->done = true;
    block->progress++;
    _longjmp(block->scheduler, 1);
}

// Lets a fiber run up to where it has to wait; whether it has returned by that.
inline bool resume(Fiber &fiber, unsigned index) {
    if (fiber.done) return false;
    self = &fiber;
    if (_setjmp(block->scheduler) == 0) {
        if (fiber.started) _longjmp(fiber.at, 1);
        fiber.started = true;
        ucontext_t context;
        getcontext(&context);
        context.uc_stack.ss_sp = block->stacks.get() + index * STACK;
        context.uc_stack.ss_size = STACK;
        context.uc_link = nullptr;
        makecontext(&context, enter, 0);
        setcontext(&context);
    }
    return self->done;
}

inline void run_block() {
    const unsigned count = block_size.x * block_size.y * block_size.z;
    Block &here = *block;
    here.fibers.resize(count);
    here.warps.assign((count + 31) / 32, Warp());
    if (!here.stacks || here.turns.size() != count) {
        here.stacks.reset(new char[count * STACK]);
        here.turns.resize(count);
    }
    // Warps, and lanes of each, in the order asked for.
    std::iota(here.turns.begin(), here.turns.end(), 0u);
    unsigned state = order * 2654435761u + block_index.x;
    const auto arranged = [&](unsigned *all, unsigned size) {
        if (order == 1) std::reverse(all, all + size);
        for (unsigned i = size; order >= 2 && i > 1; i--) {
            state = state * 1664525u + 1013904223u;
            std::swap(all[i - 1], all[(state >> 8) % i]);
        }
    };
    std::vector<unsigned> warps((count + 31) / 32);
    std::iota(warps.begin(), warps.end(), 0u);
    arranged(warps.data(), warps.size());
    for (unsigned first = 0; first < count; first += 32) arranged(&here.turns[first], std::min(32u, count - first));
    here.barrier = Barrier{count};
    for (unsigned i = 0; i < count; i++) {
        Warp *warp = &here.warps[i / 32];
        warp->barrier.size++;
        here.fibers[i].index = {i % block_size.x, i / block_size.x % block_size.y, i / block_size.x / block_size.y};
        here.fibers[i].lane = i % 32;
        here.fibers[i].warp = warp;
        here.fibers[i].started = here.fibers[i].done = false;
    }
    volatile unsigned living = count;
    while (living > 0) {
        const uint64_t before = here.progress;
        // Each warp goes as far as it can before the next one moves at all, which no chip does so purely: what lacks a barrier shows.
        for (const unsigned warp : warps) {
            uint64_t reached;
            do {
                reached = here.progress;
                for (volatile unsigned k = warp * 32; k < std::min(count, warp * 32 + 32); k = k + 1)
                    if (resume(here.fibers[here.turns[k]], here.turns[k])) living = living - 1;
            } while (here.progress != reached);
        }
        if (living > 0 && here.progress == before) {
            fprintf(stderr, "a barrier or a shuffle that not every thread of the block or warp reaches\n");
            abort();
        }
    }
}

// Runs body(arguments) for every thread of the grid.
inline void launch(dim3 grid, dim3 size, void (*body)(void *), void *arguments) {
    thread_local Block here;
    block = &here;
    here.body = body;
    here.arguments = arguments;
    grid_size = grid;
    block_size = size;
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                block_index = {x, y, z};
                run_block();
            }
}

// A kernel by its address: unpacks what cuLaunchKernel gets.
template <class... A, size_t... I> void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_const_t<A> *>(arguments[I])...);
}
template <auto KERNEL> struct Body;
template <class... A, void (*KERNEL)(A...)> struct Body<KERNEL> {
    static void run(void *arguments) { call(KERNEL, static_cast<void **>(arguments), std::index_sequence_for<A...>()); }
};

template <class T> T exchange(T value, unsigned from) {
    static_assert(sizeof(T) <= 8);
    Warp &warp = *self->warp;
    const unsigned turn = warp.barrier.turn % 2;
    memcpy(&warp.values[turn][self->lane], &value, sizeof(T));
    wait(warp.barrier);
    memcpy(&value, &warp.values[turn][from], sizeof(T));
    return value;
}

}  // namespace emulated

#define threadIdx (emulated::self->index)
#define blockIdx (emulated::block_index)
#define blockDim (emulated::block_size)
#define gridDim (emulated::grid_size)
static inline void __syncthreads() { emulated::wait(emulated::block->barrier); }
static inline void __syncwarp(unsigned = ~0u) { emulated::wait(emulated::self->warp->barrier); }
template <class T> T __shfl_xor_sync(unsigned, T value, int lanes) { return emulated::exchange(value, emulated::self->lane ^ lanes); }
template <class T> T __shfl_sync(unsigned, T value, int from) { return emulated::exchange(value, from); }
template <class T> T __shfl_down_sync(unsigned, T value, int by) {
    const unsigned lane = emulated::self->lane;
    return emulated::exchange(value, lane + by < 32 ? lane + by : lane);
}

static inline unsigned __float_as_uint(float x) {
    unsigned bits;
    memcpy(&bits, &x, 4);
    return bits;
}
static inline float __uint_as_float(unsigned bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}
#define __expf(x) expf(x)
static inline float __fdividef(float x, float y) { return x / y; }
static inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
