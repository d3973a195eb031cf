// Critics of one shape, all together: blockIdx.y is the critic. What each has of an array lies `stride`
// numbers after what the one before has.

// The slope of the leaky ReLU that gave an activation.
__device__ static inline float leaky_slope(float activation, float slope) { return activation > 0.0f ? 1.0f : slope; }

// The parameters of every critic, one after the other.
extern "C" __global__ void critic_gather(size_t count, const float *const *parameters, float *weights) {
    const size_t i = place();
    if (i < count) weights[blockIdx.y * count + i] = parameters[blockIdx.y][i];
}

// Interpolates of z: row j is ε·t + (1 − ε)·s of the pair first + j·every. Rows of z are `pairs` of the
// student, as many of the teacher, then the interpolates.
extern "C" __global__ void critic_mix(size_t count, int width, int pairs, int first, int every, size_t stride, const float *epsilons, size_t epsilon_stride, float *z) {
    const size_t i = place();
    if (i >= count) return;
    const unsigned row = (unsigned)i / (unsigned)width, column = (unsigned)i % (unsigned)width, pair = first + row * every;
    float *own = z + blockIdx.y * stride;
    const float epsilon = epsilons[blockIdx.y * epsilon_stride + pair], s = own[(size_t)pair * width + column], t = own[((size_t)pairs + pair) * width + column];
    own[2 * (size_t)pairs * width + i] = epsilon * t + (1.0f - epsilon) * s;
}

// z becomes the leaky ReLU of z + bias.
extern "C" __global__ void critic_leaky(size_t count, int width, size_t stride, float slope, const float *bias, size_t bias_stride, float *z) {
    const size_t i = place();
    if (i >= count) return;
    float *own = z + blockIdx.y * stride + i;
    const float sum = *own + bias[blockIdx.y * bias_stride + (unsigned)i % (unsigned)width];
    *own = sum * leaky_slope(sum, slope);
}

// u = w ⊙ slopes of the last layer's activations.
extern "C" __global__ void critic_out_factors(size_t count, int width, size_t stride, float slope, const float *out, size_t out_stride, const float *activations, float *u) {
    const size_t i = place();
    if (i >= count) return;
    const size_t at = blockIdx.y * stride + i;
    u[at] = out[blockIdx.y * out_stride + (unsigned)i % (unsigned)width] * leaky_slope(activations[at], slope);
}

// x *= slopes of the activations.
extern "C" __global__ void critic_mask(size_t count, float slope, const float *activations, size_t activations_stride, float *x, size_t stride) {
    const size_t i = place();
    if (i < count) x[blockIdx.y * stride + i] *= leaky_slope(activations[blockIdx.y * activations_stride + i], slope);
}

// Σ a·b over a row, the same in every lane of the warp.
__device__ static inline double row_product(int count, const float *a, const float *b) {
    double sum = 0.0;
    for (int i = threadIdx.x % 32; i < count; i += 32) sum += (double)a[i] * b[i];
    return warp_sum(sum);
}

// The row of a warp, in blocks of a dimension.
__device__ static inline int warp_row() { return blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32; }

// One warp a row: f = a·w, for rows of one or two sides of `pairs` rows each. The values of a side lie
// `side_stride` after those of the one before.
extern "C" __global__ void critic_values(int rows, int width, int pairs, size_t stride, const float *activations, const float *out, size_t out_stride, double *values,
                                         size_t side_stride, size_t values_stride) {
    const int row = warp_row();
    if (row >= rows) return;
    const double value = row_product(width, activations + blockIdx.y * stride + (size_t)row * width, out + blockIdx.y * out_stride);
    if (threadIdx.x % 32 == 0) values[blockIdx.y * values_stride + row / pairs * side_stride + row % pairs] = value;
}

// First half of a sum of columns: block (b, y) sums rows b·rows_each … of 32 columns, with `scale` up to
// the row `split` and −scale behind it. y is critic times blocks of columns plus the block of columns;
// partial is (critics, gridDim.x, columns). 256 threads.
extern "C" __global__ void critic_columns(int rows, int columns, int rows_each, int split, float scale, const float *x, size_t stride, float *partial) {
    __shared__ float sums[8][33];
    const int blocks = (columns + 31) / 32, critic = blockIdx.y / blocks;
    const int lane = threadIdx.x % 32, part = threadIdx.x / 32, column = blockIdx.y % blocks * 32 + lane;
    const int end = min(rows, (int)(blockIdx.x + 1) * rows_each);
    const float *own = x + critic * stride;
    float sum = 0.0f;
    if (column < columns)
        for (int row = blockIdx.x * rows_each + part; row < end; row += 8) sum += (row < split ? scale : -scale) * own[(size_t)row * columns + column];
    sums[part][lane] = sum;
    __syncthreads();
    if (part == 0 && column < columns) {
        float all = 0.0f;
        for (int i = 0; i < 8; i++) all += sums[i][lane];
        partial[((size_t)critic * gridDim.x + blockIdx.x) * columns + column] = all;
    }
}

// Second half: out += Σ partial, the parts in order.
extern "C" __global__ void critic_add_columns(int parts, int columns, const float *partial, float *out, size_t stride) {
    const int column = place();
    if (column >= columns) return;
    float sum = 0.0f;
    for (int part = 0; part < parts; part++) sum += partial[((size_t)blockIdx.y * parts + part) * columns + column];
    out[blockIdx.y * stride + column] += sum;
}

// One warp an interpolate, with u its factors of the first layer and back = u·K: its norm of ∇f; where
// there is a factor λ/N, with c = 2·factor·(norm − 1)/norm, scaled = c·u and back *= c.
extern "C" __global__ void critic_norms(int rows, int width, double factor, const float *u, size_t u_stride, float *back, float *scaled, double *norms, size_t norms_stride) {
    const int row = warp_row();
    if (row >= rows) return;
    const float *own = u + blockIdx.y * u_stride + (size_t)row * width;
    const size_t at = ((size_t)blockIdx.y * rows + row) * width;
    const double square = row_product(width, own, back + at), norm = sqrt((square > 0.0 ? square : 0.0) + 1e-12);
    if (threadIdx.x % 32 == 0) norms[blockIdx.y * norms_stride + row] = norm;
    if (factor == 0.0) return;
    const float c = (float)(2.0 * factor * (norm - 1.0) / norm);
    for (int i = threadIdx.x % 32; i < width; i += 32) {
        scaled[at + i] = c * own[i];
        back[at + i] *= c;
    }
}

// One block a critic: mean f(t) − mean f(s), of two sides of `rows` values; mean (norm − 1)² where it is
// penalised, else 0; mean norm, 0 without any.
extern "C" __global__ void critic_report(int rows, const double *values, int probes, const double *norms, int penalised, double *out) {
    double estimate = 0.0, squares = 0.0, sum = 0.0;
    for (int i = threadIdx.x; i < rows; i += blockDim.x) estimate += values[((size_t)blockIdx.y * 2 + 1) * rows + i] - values[(size_t)blockIdx.y * 2 * rows + i];
    for (int i = threadIdx.x; i < probes; i += blockDim.x) {
        const double norm = norms[(size_t)blockIdx.y * probes + i];
        sum += norm;
        squares += (norm - 1.0) * (norm - 1.0);
    }
    estimate = block_sum(estimate);
    squares = block_sum(squares);
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
        out[blockIdx.y * 3] = estimate / rows;
        out[blockIdx.y * 3 + 1] = penalised ? squares / probes : 0.0;
        out[blockIdx.y * 3 + 2] = probes > 0 ? sum / probes : 0.0;
    }
}

// Adam as ops/cpu/critic/adam.rs has it; numbers are (rate, root) of every critic's own step. Where there
// is a bound, parameters are clamped to ± it.
extern "C" __global__ void critic_adam(size_t count, float b1, float b2, float r1, float r2, float eps, float bound, const float *numbers, const float *gradients,
                                       float *const *parameters, float *const *first, float *const *second) {
    const size_t i = place();
    if (i >= count) return;
    const float g = gradients[blockIdx.y * count + i], rate = numbers[blockIdx.y * 2], root = numbers[blockIdx.y * 2 + 1];
    float *m = first[blockIdx.y] + i, *v = second[blockIdx.y] + i, *p = parameters[blockIdx.y] + i;
    *m = b1 * *m + r1 * g;
    *v = b2 * *v + r2 * g * g;
    const float x = *p - rate * *m / (sqrtf(*v) * root + eps);
    *p = bound > 0.0f && x > bound ? bound : bound > 0.0f && x < -bound ? -bound : x;
}

// Wᵀu of a weight at `offset` of the parameters, u at u_at of the vectors: a block 32 columns. 256 threads.
extern "C" __global__ void spectral_columns(int rows, int columns, size_t offset, const float *const *parameters, size_t u_at, const float *const *vectors, double *out,
                                            size_t stride) {
    __shared__ double sums[8][33];
    const int lane = threadIdx.x % 32, part = threadIdx.x / 32, column = blockIdx.x * 32 + lane;
    const float *weight = parameters[blockIdx.y] + offset, *u = vectors[blockIdx.y] + u_at;
    double sum = 0.0;
    if (column < columns)
        for (int row = part; row < rows; row += 8) sum += (double)u[row] * weight[(size_t)row * columns + column];
    sums[part][lane] = sum;
    __syncthreads();
    if (part == 0 && column < columns) {
        double all = 0.0;
        for (int i = 0; i < 8; i++) all += sums[i][lane];
        out[blockIdx.y * stride + column] = all;
    }
}

// Wv of a weight, one warp a row.
extern "C" __global__ void spectral_rows(int rows, int columns, size_t offset, const float *const *parameters, size_t v_at, const float *const *vectors, double *out, size_t stride) {
    const int row = warp_row();
    if (row >= rows) return;
    const double sum = row_product(columns, parameters[blockIdx.y] + offset + (size_t)row * columns, vectors[blockIdx.y] + v_at);
    if (threadIdx.x % 32 == 0) out[blockIdx.y * stride + row] = sum;
}

// One block a critic: the vector at `at` becomes x scaled to length 1; one of zeros stays.
extern "C" __global__ void spectral_unit(int count, const double *x, size_t stride, size_t at, float *const *vectors) {
    float *own = vectors[blockIdx.y] + at;
    double square = 0.0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        const float rounded = (float)x[blockIdx.y * stride + i];
        own[i] = rounded;
        square += (double)rounded * rounded;
    }
    const double length = sqrt(block_sum(square));
    const float scale = (float)(1.0 / (length > 1e-12 ? length : 1e-12));
    for (int i = threadIdx.x; i < count; i += blockDim.x) own[i] *= scale;
}

// One block a critic: σ = uᵀWv of the weight `index` of `weights`, from Wv.
extern "C" __global__ void spectral_sigma(int count, const double *products, size_t stride, size_t u_at, const float *const *vectors, int index, int weights, double *sigmas) {
    const float *u = vectors[blockIdx.y] + u_at;
    double sum = 0.0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) sum += u[i] * products[blockIdx.y * stride + i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) sigmas[blockIdx.y * weights + index] = sum > 1e-12 ? sum : 1e-12;
}

// A weight divided by its σ.
extern "C" __global__ void spectral_scale(size_t count, int index, int weights, const double *sigmas, float *x, size_t stride) {
    const size_t i = place();
    if (i < count) x[blockIdx.y * stride + i] *= (float)(1.0 / sigmas[blockIdx.y * weights + index]);
}

// First half of Σ a·b: a number a block; partial is (critics, gridDim.x).
extern "C" __global__ void spectral_dots(size_t count, const float *a, const float *b, size_t stride, double *partial) {
    double sum = 0.0;
    for (size_t i = place(); i < count; i += (size_t)gridDim.x * blockDim.x) sum += (double)a[blockIdx.y * stride + i] * b[blockIdx.y * stride + i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

// The gradient for W̃ = W/σ, g, becomes the one for W: (g − ⟨g, W̃⟩·u·vᵀ)/σ, with the sum from its parts.
extern "C" __global__ void spectral_slopes(size_t count, int columns, int parts, const double *partial, int index, int weights, const double *sigmas, size_t u_at, size_t v_at,
                                           const float *const *vectors, float *g, size_t stride) {
    const size_t i = place();
    if (i >= count) return;
    double sum = 0.0;
    for (int part = 0; part < parts; part++) sum += partial[blockIdx.y * parts + part];
    const double sigma = sigmas[blockIdx.y * weights + index];
    const float along = (float)(sum / sigma), scale = (float)(1.0 / sigma);
    const unsigned row = (unsigned)i / (unsigned)columns, column = (unsigned)i % (unsigned)columns;
    const float *vector = vectors[blockIdx.y];
    float *own = g + blockIdx.y * stride + i;
    *own = *own * scale - along * vector[u_at + row] * vector[v_at + column];
}
