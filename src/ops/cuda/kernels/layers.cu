// Embedding, layer norm, and what is around the product of a linear layer.

// Row i is wte[token i] + wpe[i mod context].
extern "C" __global__ void embed_forward(size_t count, int columns, int context, const unsigned *tokens, const float *wte, const float *wpe, float *out) {
    const size_t i = place();
    if (i >= count) return;
    const size_t row = i / columns, column = i % columns;
    out[i] = wte[(size_t)tokens[row] * columns + column] + wpe[row % context * columns + column];
}

// Every position's gradient: Σ of its rows, in order, sequence by sequence.
extern "C" __global__ void embed_positions(int rows, int columns, int context, const float *g, float *into) {
    const size_t i = place();
    if (i >= (size_t)context * columns) return;
    float sum = 0.0f;
    for (size_t row = i / columns; row < rows; row += context) sum += g[row * columns + i % columns];
    into[i] += sum;
}

// Every token's gradient, block t the distinct token t: Σ of its rows order[starts[t]] …
// order[starts[t + 1] - 1], in that order.
extern "C" __global__ void embed_tokens(int columns, const unsigned *distinct, const unsigned *starts, const unsigned *order, const float *g, float *into) {
    for (int column = threadIdx.x; column < columns; column += blockDim.x) {
        float sum = 0.0f;
        for (unsigned i = starts[blockIdx.x]; i < starts[blockIdx.x + 1]; i++) sum += g[(size_t)order[i] * columns + column];
        into[(size_t)distinct[blockIdx.x] * columns + column] += sum;
    }
}

// One block a row: y = (x − mean)·scale·gain + bias; mean and scale stay for the backward pass. Gain
// and bias may be 0: then they are 1 and 0.
extern "C" __global__ void layer_norm_forward(int columns, float epsilon, const float *x, const float *gain, const float *bias, float *y, float *means, float *scales) {
    const size_t at = (size_t)blockIdx.x * columns;
    float sum = 0.0f;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += x[at + i];
    const float mean = block_sum(sum) / columns;
    float squares = 0.0f;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) squares += (x[at + i] - mean) * (x[at + i] - mean);
    const float scale = 1.0f / sqrtf(block_sum(squares) / columns + epsilon);
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        const float normal = (x[at + i] - mean) * scale;
        y[at + i] = gain ? normal * gain[i] + bias[i] : normal;
    }
    if (threadIdx.x == 0) {
        means[blockIdx.x] = mean;
        scales[blockIdx.x] = scale;
    }
}

// One block a row, with d = g·gain: dx += scale·(d − mean d − x̂·mean(d·x̂)).
extern "C" __global__ void layer_norm_backward(int columns, const float *x, const float *gain, const float *means, const float *scales, const float *g, float *dx) {
    const size_t at = (size_t)blockIdx.x * columns;
    const float mean = means[blockIdx.x], scale = scales[blockIdx.x];
    float sum = 0.0f, along = 0.0f;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        const float d = gain ? g[at + i] * gain[i] : g[at + i];
        sum += d;
        along += d * (x[at + i] - mean) * scale;
    }
    sum = block_sum(sum) / columns;
    along = block_sum(along) / columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        const float d = gain ? g[at + i] * gain[i] : g[at + i];
        dx[at + i] += scale * (d - sum - (x[at + i] - mean) * scale * along);
    }
}

// Gradients of gain and bias, first half: block (b, c) sums the rows b·rows_each … of 32 columns;
// partial is (gridDim.x, 2, columns). 256 threads.
extern "C" __global__ void layer_norm_columns(int rows, int columns, int rows_each, const float *x, const float *means, const float *scales, const float *g, float *partial) {
    __shared__ float sums[2][8][33];
    const int lane = threadIdx.x % 32, part = threadIdx.x / 32, column = blockIdx.y * 32 + lane;
    const int end = min(rows, (int)(blockIdx.x + 1) * rows_each);
    float gain = 0.0f, bias = 0.0f;
    if (column < columns)
        for (int row = blockIdx.x * rows_each + part; row < end; row += 8) {
            const float value = g[(size_t)row * columns + column];
            bias += value;
            gain += value * (x[(size_t)row * columns + column] - means[row]) * scales[row];
        }
    sums[0][part][lane] = gain;
    sums[1][part][lane] = bias;
    __syncthreads();
    if (part < 2 && column < columns) {
        float sum = 0.0f;
        for (int i = 0; i < 8; i++) sum += sums[part][i][lane];
        partial[((size_t)blockIdx.x * 2 + part) * columns + column] = sum;
    }
}

// Every row of y = bias (+ the residual's row), before a product is added to it.
extern "C" __global__ void fill_rows(size_t count, int columns, const float *bias, const float *residual, float *y) {
    const size_t i = place();
    if (i < count) y[i] = bias[i % columns] + (residual ? residual[i] : 0.0f);
}

// The upper tail of the standard normal over its density, by the constants of ops/activation.rs.
__device__ static inline float normal_tail(float t) {
    const float tail[10] = {-2.7960143e-6f, 0.13968201f,   0.13930644f, 0.12266166f,  0.09666643f,
                            -0.0054741306f, 0.13665701f,   -0.23791279f, 0.13604028f, -0.027624134f};
    float sum = tail[9];
    for (int k = 8; k >= 0; k--) sum = sum * t + tail[k];
    return sum;
}

// y becomes f(y), and its slopes are kept where a backward pass comes; kinds as `activation_kind`.
extern "C" __global__ void activate(size_t count, int kind, float *y, float *slopes) {
    const size_t i = place();
    if (i >= count) return;
    const float x = y[i];
    float value = 0.0f, slope = 0.0f;
    if (kind == 0) {
        const float c = 0.7978845608f, inner = c * (x + 0.044715f * x * x * x), t = tanhf(inner);
        value = 0.5f * x * (1.0f + t);
        slope = 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * c * (1.0f + 3.0f * 0.044715f * x * x);
    } else if (kind == 1) {
        const float size = fabsf(x), density = expf(-0.5f * size * size), tail = density * normal_tail(1.0f / (1.0f + 0.35f * size));
        const float below = x < 0.0f ? tail : 1.0f - tail;
        value = x * below;
        slope = below + x * density * 0.3989422804f;
    } else if (kind == 2 || kind == 4) {
        const float c = kind == 2 ? 1.702f : 1.0f, s = 1.0f / (1.0f + expf(-c * x));
        value = x * s;
        slope = s + c * x * s * (1.0f - s);
    } else if (kind == 3) {
        value = fmaxf(x, 0.0f);
        slope = x > 0.0f ? 1.0f : 0.0f;
    } else {
        value = tanhf(x);
        slope = 1.0f - value * value;
    }
    y[i] = value;
    if (slopes) slopes[i] = slope;
}

// One warp a query: scores become softmax(scale·scores) up to the diagonal, zeros beyond; logs = log Σ
// e^(scale·score). Scores are (heads of a part of the sequences, T, T). Where there is room for rounded
// ones the probabilities go there, and the scores stay.
extern "C" __global__ void attention_probabilities(int rows, int context, float scale, float *scores, bf16 *rounded, float *logs) {
    const int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int last = row % context;
    const size_t at = (size_t)row * context;
    float *s = scores + at;
    float top = lowest();
    for (int i = lane; i <= last; i += 32) top = fmaxf(top, scale * s[i]);
    top = warp_max(top);
    float sum = 0.0f;
    for (int i = lane; i <= last; i += 32) sum += expf(scale * s[i] - top);
    const float log = top + logf(warp_sum(sum));
    for (int i = lane; i < context; i += 32) {
        const float p = i <= last ? expf(scale * s[i] - log) : 0.0f;
        if (rounded) rounded[at + i] = to_bf16(p);
        else s[i] = p;
    }
    if (lane == 0) logs[row] = log;
}

// The same warp's part backward: scores become the probabilities again, and the gradients of those, dp,
// become the gradients of the scores: scale·p·(dp − Σ p·dp). Where there is room for rounded ones, both go
// there.
extern "C" __global__ void attention_slopes(int rows, int context, float scale, const float *logs, float *scores, bf16 *rounded, float *dp, bf16 *rounded_dp) {
    const int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int last = row % context;
    const size_t at = (size_t)row * context;
    const float log = logs[row];
    float along = 0.0f;
    for (int i = lane; i <= last; i += 32) along += expf(scale * scores[at + i] - log) * dp[at + i];
    along = warp_sum(along);
    for (int i = lane; i < context; i += 32) {
        const float p = i <= last ? expf(scale * scores[at + i] - log) : 0.0f;
        const float slope = i <= last ? scale * p * (dp[at + i] - along) : 0.0f;
        if (rounded) {
            rounded[at + i] = to_bf16(p);
            rounded_dp[at + i] = to_bf16(slope);
        } else {
            scores[at + i] = p;
            dp[at + i] = slope;
        }
    }
}
