// Losses: a row of predictions, or of hidden states, is a block's.

// A term of predictions, as `CudaTerm` lays it out.
struct Term {
    int kind;  // 0 lm, 1 KL(teacher ‖ student), 2 KL(student ‖ teacher)
    float temperature;
    float factor;  // already divided by the number of tokens; 0 where no gradient is asked for
};

// log Σ e^(x·inverse) over a row, the same bits in every thread.
__device__ static inline float log_sum(int count, float inverse, const float *x) {
    float top = lowest();
    for (int i = threadIdx.x; i < count; i += blockDim.x) top = fmaxf(top, x[i] * inverse);
    top = block_max(top);
    float sum = 0.0f;
    for (int i = threadIdx.x; i < count; i += blockDim.x) sum += expf(x[i] * inverse - top);
    return top + logf(block_sum(sum));
}

// One block a token: the values of all terms, values[row·terms + j], without factors; where `slopes` is
// not 0 it becomes the gradient of Σ factor·value with respect to the student's logits. Rows are
// `stride` apart.
extern "C" __global__ void logit_rows(int vocabulary, int stride, int count, const Term *terms, const unsigned *targets, const float *student, const float *teacher,
                                      float *slopes, double *values) {
    const float *s = student + (size_t)blockIdx.x * stride, *t = teacher ? teacher + (size_t)blockIdx.x * stride : 0;
    float *slope = slopes ? slopes + (size_t)blockIdx.x * stride : 0;
    const unsigned target = targets[blockIdx.x];
    if (slope)
        for (int i = threadIdx.x; i < stride; i += blockDim.x) slope[i] = 0.0f;
    for (int j = 0; j < count; j++) {
        const Term term = terms[j];
        const float inverse = term.kind == 0 ? 1.0f : 1.0f / term.temperature;
        const float own = log_sum(vocabulary, inverse, s);
        double value;
        if (term.kind == 0) {
            value = (double)own - s[target];
            if (slope && term.factor != 0.0f)
                for (int i = threadIdx.x; i < vocabulary; i += blockDim.x) slope[i] += term.factor * (expf(s[i] - own) - (i == target ? 1.0f : 0.0f));
        } else {
            const float other = log_sum(vocabulary, inverse, t), scale = term.factor * term.temperature;
            const bool reverse = term.kind == 2;
            double sum = 0.0;
            for (int i = threadIdx.x; i < vocabulary; i += blockDim.x) {
                const float p = s[i] * inverse - own, q = t[i] * inverse - other;
                sum += reverse ? (double)expf(p) * (p - q) : (double)expf(q) * (q - p);
            }
            sum = block_sum(sum);
            value = sum * term.temperature * term.temperature;
            if (slope && term.factor != 0.0f)
                for (int i = threadIdx.x; i < vocabulary; i += blockDim.x) {
                    const float p = s[i] * inverse - own, q = t[i] * inverse - other;
                    slope[i] += reverse ? scale * expf(p) * (p - q - (float)sum) : scale * (expf(p) - expf(q));
                }
        }
        if (threadIdx.x == 0) values[(size_t)blockIdx.x * count + j] = value;
    }
}

// The first of the largest numbers of a row, the same in every thread.
__device__ static inline int first_largest(int count, const float *x) {
    __shared__ int firsts[32];
    float top = lowest();
    for (int i = threadIdx.x; i < count; i += blockDim.x) top = fmaxf(top, x[i]);
    top = block_max(top);
    int first = count;
    for (int i = threadIdx.x; i < count; i += blockDim.x)
        if (x[i] == top && i < first) first = i;
    for (int lane = 16; lane > 0; lane /= 2) first = min(first, __shfl_xor_sync(0xffffffffu, first, lane));
    __syncthreads();  // of an earlier call nobody reads any more
    if (threadIdx.x % 32 == 0) firsts[threadIdx.x / 32] = first;
    __syncthreads();
    int all = count;
    for (int warp = 0; warp < blockDim.x / 32; warp++) all = min(all, firsts[warp]);
    return all;
}

// One block a token: log p(target), KL(teacher ‖ student), and whether both hold one token most likely.
extern "C" __global__ void score_rows(int vocabulary, int stride, const unsigned *targets, const float *student, const float *teacher, double *scores) {
    const float *s = student + (size_t)blockIdx.x * stride, *t = teacher ? teacher + (size_t)blockIdx.x * stride : 0;
    const float own = log_sum(vocabulary, 1.0f, s);
    double sum = 0.0;
    bool agrees = false;
    if (t) {
        const float other = log_sum(vocabulary, 1.0f, t);
        for (int i = threadIdx.x; i < vocabulary; i += blockDim.x) {
            const float p = s[i] - own, q = t[i] - other;
            sum += (double)expf(q) * (q - p);
        }
        sum = block_sum(sum);
        const int here = first_largest(vocabulary, s);
        agrees = here < vocabulary && here == first_largest(vocabulary, t);
    }
    if (threadIdx.x == 0) {
        double *out = scores + (size_t)blockIdx.x * 3;
        out[0] = (double)s[targets[blockIdx.x]] - own;
        out[1] = sum;
        out[2] = agrees ? 1.0 : 0.0;
    }
}

// One block a row of hidden states: the loss of the row, and its gradient times `share` where `slopes` is
// not 0. Kinds: 0 mean of squares, 1 squares of directions, 2 cosine; norms are √(Σ² + 1e-12).
extern "C" __global__ void hidden_rows(int columns, int kind, double share, const float *x, const float *target, float *slopes, double *values) {
    const size_t at = (size_t)blockIdx.x * columns;
    double own = 0.0, other = 0.0, both = 0.0, squares = 0.0;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        const double a = x[at + i], b = target[at + i];
        own += a * a;
        other += b * b;
        both += a * b;
        squares += (a - b) * (a - b);
    }
    own = block_sum(own);
    other = block_sum(other);
    both = block_sum(both);
    squares = block_sum(squares);
    const double nx = sqrt(own + 1e-12), nt = sqrt(other + 1e-12), cosine = both / (nx * nt);
    // The gradient is along·x − across·t.
    double value, along, across;
    if (kind == 0) {
        value = squares / columns;
        along = across = 2.0 * share / columns;
    } else if (kind == 1) {
        const double length = own / (nx * nx);
        value = length + other / (nt * nt) - 2.0 * cosine;
        value = value > 0.0 ? value : 0.0;
        along = 2.0 * share * (1.0 - length + cosine) / (nx * nx);
        across = 2.0 * share / (nx * nt);
    } else {
        value = 1.0 - cosine;
        along = share * cosine / (nx * nx);
        across = share / (nx * nt);
    }
    if (slopes)
        for (int i = threadIdx.x; i < columns; i += blockDim.x)
            slopes[at + i] = kind == 0 ? (float)along * (x[at + i] - target[at + i]) : (float)along * x[at + i] - (float)across * target[at + i];
    if (threadIdx.x == 0) values[blockIdx.x] = value;
}
