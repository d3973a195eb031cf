// Kernels of the GPU. Every sum has a fixed order: nothing is added atomically. All products of matrices are cuBLAS's.
//
// One text for three compilers, so it includes nothing: NVRTC, which compiles it where it runs; nvcc,
// which says what it makes of it; and g++ with tests/emulator, for tests without a GPU. Whole warps
// shuffle, shared memory is static, and no thread leaves before a barrier that others reach.

// bfloat16 is its bits; conversion rounds to nearest, ties to even.
typedef unsigned short bf16;

__device__ static inline bf16 to_bf16(float x) {
    const unsigned bits = __float_as_uint(x);
    return x != x ? (bits >> 16) | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

__device__ static inline float from_bf16(bf16 x) { return __uint_as_float((unsigned)x << 16); }

// Less than any number.
__device__ static inline float lowest() { return __uint_as_float(0xff800000u); }

// Σ over the 32 lanes of a warp, the same bits in every lane.
template <class T> __device__ static inline T warp_sum(T x) {
    for (int lane = 16; lane > 0; lane /= 2) x += __shfl_xor_sync(0xffffffffu, x, lane);
    return x;
}

__device__ static inline float warp_max(float x) {
    for (int lane = 16; lane > 0; lane /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, lane));
    return x;
}

// Σ over a block of at most 1024 threads, a multiple of 32; the same bits in every thread.
template <class T> __device__ static inline T block_sum(T x) {
    __shared__ T sums[32];
    x = warp_sum(x);
    __syncthreads();  // of an earlier call nobody reads any more
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
    __syncthreads();
    return warp_sum(threadIdx.x % 32 < blockDim.x / 32 ? sums[threadIdx.x % 32] : (T)0);
}

__device__ static inline float block_max(float x) {
    __shared__ float tops[32];
    x = warp_max(x);
    __syncthreads();  // of an earlier call nobody reads any more
    if (threadIdx.x % 32 == 0) tops[threadIdx.x / 32] = x;
    __syncthreads();
    return warp_max(threadIdx.x % 32 < blockDim.x / 32 ? tops[threadIdx.x % 32] : lowest());
}

// The place of this thread in all of a grid of one dimension.
__device__ static inline size_t place() { return (size_t)blockIdx.x * blockDim.x + threadIdx.x; }

// The same numbers as bfloat16.
extern "C" __global__ void round_all(size_t count, const float *x, bf16 *y) {
    const size_t i = place();
    if (i < count) y[i] = to_bf16(x[i]);
}

// x += y.
extern "C" __global__ void add_all(size_t count, float *x, const float *y) {
    const size_t i = place();
    if (i < count) x[i] += y[i];
}

// x *= y.
extern "C" __global__ void multiply_all(size_t count, float *x, const float *y) {
    const size_t i = place();
    if (i < count) x[i] *= y[i];
}

// sum += *g·x, g on the device: nothing waits for the host.
extern "C" __global__ void add_scaled(size_t count, float *sum, const float *g, const float *x) {
    const size_t i = place();
    if (i < count) sum[i] += *g * x[i];
}

// One thread: *out = a·*x + b·*y, without what is 0.
extern "C" __global__ void combine(float *out, float a, const float *x, float b, const float *y) {
    if (place() == 0) *out = (x ? a * *x : 0.0f) + (y ? b * *y : 0.0f);
}

// One thread: *sum += a·*x.
extern "C" __global__ void add_number(float *sum, float a, const float *x) {
    if (place() == 0) *sum += a * *x;
}

// out[i] = row rows[i] of x.
extern "C" __global__ void pick_rows(size_t count, int columns, const unsigned *rows, const float *x, float *out) {
    const size_t i = place();
    if (i < count) out[i] = x[(size_t)rows[i / columns] * columns + i % columns];
}

// First half of a sum over rows: block (b, c) sums the rows b·rows_each … of 32 columns; partial is
// (gridDim.x, columns). 256 threads.
extern "C" __global__ void column_sums(int rows, int columns, int rows_each, const float *x, float *partial) {
    __shared__ float sums[8][33];
    const int lane = threadIdx.x % 32, part = threadIdx.x / 32, column = blockIdx.y * 32 + lane;
    const int end = min(rows, (int)(blockIdx.x + 1) * rows_each);
    float sum = 0.0f;
    if (column < columns)
        for (int row = blockIdx.x * rows_each + part; row < end; row += 8) sum += x[(size_t)row * columns + column];
    sums[part][lane] = sum;
    __syncthreads();
    if (part == 0 && column < columns) {
        float all = 0.0f;
        for (int i = 0; i < 8; i++) all += sums[i][lane];
        partial[(size_t)blockIdx.x * columns + column] = all;
    }
}

// Second half, and any other sum of rows `stride` apart: a block adds them up in eight parts, every eighth
// row each, for 32 columns; out[i] += the parts' sums, in order. 256 threads.
extern "C" __global__ void add_rows(int rows, int columns, int stride, const float *partial, float *out) {
    __shared__ float sums[8][33];
    const int lane = threadIdx.x % 32, part = threadIdx.x / 32, column = blockIdx.x * 32 + lane;
    float sum = 0.0f;
    if (column < columns)
        for (int row = part; row < rows; row += 8) sum += partial[(size_t)row * stride + column];
    sums[part][lane] = sum;
    __syncthreads();
    if (part == 0 && column < columns) {
        float all = 0.0f;
        for (int i = 0; i < 8; i++) all += sums[i][lane];
        out[column] += all;
    }
}

// One block: out[j] = scale·Σ x[i·count + j] over the rows i, for every j below `count`.
extern "C" __global__ void sum_values(int rows, int count, double scale, const double *x, double *out) {
    for (int j = 0; j < count; j++) {
        double sum = 0.0;
        for (int i = threadIdx.x; i < rows; i += blockDim.x) sum += x[(size_t)i * count + j];
        sum = block_sum(sum);
        if (threadIdx.x == 0) out[j] = scale * sum;
    }
}

// One thread: *out = Σ factors[j]·values[j].
extern "C" __global__ void total(int count, const double *factors, const double *values, float *out) {
    if (place() > 0) return;
    double sum = 0.0;
    for (int j = 0; j < count; j++) sum += factors[j] * values[j];
    *out = (float)sum;
}

// First half of Σ x²: a number a block, summed by sum_values.
extern "C" __global__ void squares(size_t count, const float *x, double *partial) {
    double sum = 0.0;
    for (size_t i = place(); i < count; i += (size_t)gridDim.x * blockDim.x) sum += (double)x[i] * x[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// First half of a count of what is no number.
extern "C" __global__ void not_numbers(size_t count, const float *x, double *partial) {
    double sum = 0.0;
    for (size_t i = place(); i < count; i += (size_t)gridDim.x * blockDim.x)
        if ((__float_as_uint(x[i]) & 0x7f800000u) == 0x7f800000u) sum += 1.0;
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// AdamW as ops/optimizer.rs has its numbers; the rounded form of the parameters follows, where there is one.
extern "C" __global__ void adamw(size_t count, float scale, float keep, float b1, float b2, float r1, float r2, float rate, float root, float eps,
                                 float *x, float *m, float *v, const float *g, bf16 *rounded) {
    const size_t i = place();
    if (i >= count) return;
    const float gradient = g[i] * scale;
    m[i] = b1 * m[i] + r1 * gradient;
    v[i] = b2 * v[i] + r2 * gradient * gradient;
    x[i] = x[i] * keep - rate * m[i] / (sqrtf(v[i]) * root + eps);
    if (rounded) rounded[i] = to_bf16(x[i]);
}
