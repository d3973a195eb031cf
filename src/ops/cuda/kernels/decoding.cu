// Reading on: keys and values of what was read lie in caches, (positions, C) each.

// Keys and values of new rows, behind `held` others.
extern "C" __global__ void cache_rows(size_t count, int width, int held, const float *qkv, float *keys, float *values) {
    const size_t i = place();
    if (i >= count) return;
    const unsigned row = (unsigned)i / (2u * width), column = (unsigned)i % (2u * width);
    const float x = qkv[(size_t)row * 3 * width + width + column];
    const size_t at = ((size_t)held + row) * width;
    if (column < width) keys[at + column] = x;
    else values[at + column - width] = x;
}

// One block a new row (x) and head (y): softmax(scale·q·Kᵀ)·V over the positions up to its own. Scores are
// (rows, heads, visible). 256 threads.
extern "C" __global__ void attend_rows(int held, int visible, int width, int head, float scale, const float *qkv, const float *keys, const float *values, float *scores, float *out) {
    __shared__ float sums[8][33];
    const int lane = threadIdx.x % 32, part = threadIdx.x / 32, seen = held + blockIdx.x + 1;
    const float *query = qkv + (size_t)blockIdx.x * 3 * width + blockIdx.y * head;
    float *own = scores + ((size_t)blockIdx.x * gridDim.y + blockIdx.y) * visible;
    for (int j = part; j < seen; j += 8) {
        float sum = 0.0f;
        for (int i = lane; i < head; i += 32) sum += query[i] * keys[(size_t)j * width + blockIdx.y * head + i];
        sum = warp_sum(sum);
        if (lane == 0) own[j] = scale * sum;
    }
    __syncthreads();
    float top = lowest();
    for (int j = threadIdx.x; j < seen; j += blockDim.x) top = fmaxf(top, own[j]);
    top = block_max(top);
    float all = 0.0f;
    for (int j = threadIdx.x; j < seen; j += blockDim.x) {
        own[j] = expf(own[j] - top);
        all += own[j];
    }
    all = block_sum(all);  // its barriers stand between these weights and their readers
    for (int first = 0; first < head; first += 32) {
        const int column = first + lane;
        float sum = 0.0f;
        if (column < head)
            for (int j = part; j < seen; j += 8) sum += own[j] * values[(size_t)j * width + blockIdx.y * head + column];
        sums[part][lane] = sum;
        __syncthreads();
        if (part == 0 && column < head) {
            float mixed = 0.0f;
            for (int i = 0; i < 8; i++) mixed += sums[i][lane];
            out[(size_t)blockIdx.x * width + blockIdx.y * head + column] = mixed / all;
        }
        __syncthreads();
    }
}
