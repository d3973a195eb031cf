// Losses: a row of predictions, or of hidden states, is a block's.

// A term of predictions, as `CardTerm` lays it out.
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

// Terms that go over a row together, and numbers of a row that a thread reads before it works on the first
// of them: memory is far away. Loops over both are unrolled, so that all arrays lie in registers.
constexpr int TOGETHER = 4, AHEAD = 4;

// Some terms, what they make of a row of both models' logits: log Σ e^(x/τ), and their divergences.
struct RowTerms {
    int count;
    Term term[TOGETHER];
    float inverse[TOGETHER], own[TOGETHER], other[TOGETHER];
    double sum[TOGETHER];
};

// What a token adds to a divergence, from its log-probabilities p and, the teacher's, q.
__device__ static inline double term_value(int kind, float p, float q) { return kind == 2 ? (double)expf(p) * (p - q) : (double)expf(q) * (q - p); }

// The slope of a term for a token's logit; `sum` is the divergence, which that of kind 2 needs.
__device__ static inline float term_slope(const Term &term, float p, float q, bool is_target, float sum) {
    if (term.kind == 0) return term.factor * (expf(p) - (is_target ? 1.0f : 0.0f));
    const float scale = term.factor * term.temperature;
    return term.kind == 2 ? scale * expf(p) * (p - q - sum) : scale * (expf(p) - expf(q));
}

// Behind the end of a row is less than any number, whose exponential is 0.
__device__ static inline void read_ahead(int count, int first, const float *row, float *x) {
#pragma unroll
    for (int k = 0; k < AHEAD; k++) {
        const int i = first + k * (int)blockDim.x;
        x[k] = i < count ? row[i] : lowest();
    }
}

// The largest number of a row, the same in every thread.
__device__ static inline float row_max(int count, const float *row) {
    float top = lowest();
    for (int first = threadIdx.x; first < count; first += AHEAD * (int)blockDim.x) {
        float x[AHEAD];
        read_ahead(count, first, row, x);
#pragma unroll
        for (int k = 0; k < AHEAD; k++) top = fmaxf(top, x[k]);
    }
    return block_max(top);
}

// log Σ e^(x/τ) for every term, from the largest logit of each model, as `log_sum` has it: x/τ is largest
// where x is.
__device__ static inline void row_log_sums(RowTerms &all, int vocabulary, const float *s, const float *t, float top, float other_top) {
    for (int first = threadIdx.x; first < vocabulary; first += AHEAD * (int)blockDim.x) {
        float x[AHEAD], y[AHEAD];
        read_ahead(vocabulary, first, s, x);
        read_ahead(vocabulary, first, t, y);
#pragma unroll
        for (int k = 0; k < AHEAD; k++)
#pragma unroll
            for (int j = 0; j < TOGETHER; j++)
                if (j < all.count) {
                    all.own[j] += expf(x[k] * all.inverse[j] - top * all.inverse[j]);
                    if (all.term[j].kind != 0) all.other[j] += expf(y[k] * all.inverse[j] - other_top * all.inverse[j]);
                }
    }
#pragma unroll
    for (int j = 0; j < TOGETHER; j++)
        if (j < all.count) {
            all.own[j] = top * all.inverse[j] + logf(block_sum(all.own[j]));
            if (all.term[j].kind != 0) all.other[j] = other_top * all.inverse[j] + logf(block_sum(all.other[j]));
        }
}

// Where slopes of a row go: one of two places, or none. Those of terms beyond the first few are added to
// what is there, if rounded then rounded once more.
struct RowSlopes {
    float *plain;
    bf16 *rounded;
    bool adds;
};

__device__ static inline float slope_so_far(const RowSlopes &to, int i) { return !to.adds ? 0.0f : to.rounded ? from_bf16(to.rounded[i]) : to.plain[i]; }

__device__ static inline void store_slope(const RowSlopes &to, int i, float slope) {
    if (to.rounded) to.rounded[i] = to_bf16(slope);
    else to.plain[i] = slope;
}

// Adds up this thread's part of the divergences, makes slopes, or both; slopes behind the vocabulary are 0.
__device__ static inline void go_over_row(RowTerms &all, int vocabulary, int stride, const float *s, const float *t, unsigned target, bool has_sums, bool has_slopes,
                                          const RowSlopes &to) {
    for (int first = threadIdx.x; first < stride; first += AHEAD * (int)blockDim.x) {
        float x[AHEAD], y[AHEAD];
        read_ahead(vocabulary, first, s, x);
        read_ahead(vocabulary, first, t, y);
#pragma unroll
        for (int k = 0; k < AHEAD; k++) {
            const int i = first + k * (int)blockDim.x;
            if (i >= stride) break;
            float slope = has_slopes ? slope_so_far(to, i) : 0.0f;
#pragma unroll
            for (int j = 0; j < TOGETHER; j++)
                if (j < all.count && i < vocabulary) {
                    const float p = x[k] * all.inverse[j] - all.own[j], q = y[k] * all.inverse[j] - all.other[j];
                    if (has_sums && all.term[j].kind != 0) all.sum[j] += term_value(all.term[j].kind, p, q);
                    if (has_slopes && all.term[j].factor != 0.0f) slope += term_slope(all.term[j], p, q, i == target, (float)all.sum[j]);
                }
            if (has_slopes) store_slope(to, i, slope);
        }
    }
}

// One block a token: the values of all terms, values[row·count + j], without factors; where there is room
// for slopes, plain or rounded, they become the gradient of Σ factor·value with respect to the student's
// logits. Rows are `stride` apart. Logits are read three times, and once more where a slope needs its term's
// divergence. 256 threads.
extern "C" __global__ void logit_rows(int vocabulary, int stride, int count, const Term *terms, const unsigned *targets, const float *student, const float *teacher,
                                      float *slopes, bf16 *rounded, double *values) {
    const size_t row = (size_t)blockIdx.x * stride;
    const float *s = student + row, *t = (teacher ? teacher : student) + row;
    const unsigned target = targets[blockIdx.x];
    const bool has_slopes = slopes || rounded;
    const float top = row_max(vocabulary, s), other_top = row_max(vocabulary, t);
    for (int done = 0; done < count; done += TOGETHER) {
        RowTerms all;
        all.count = min(TOGETHER, count - done);
        bool waits = false;
#pragma unroll
        for (int j = 0; j < TOGETHER; j++)
            if (j < all.count) {
                const Term term = terms[done + j];
                all.term[j] = term;
                all.inverse[j] = term.kind == 0 ? 1.0f : 1.0f / term.temperature;
                all.own[j] = all.other[j] = 0.0f;
                all.sum[j] = 0.0;
                waits = waits || (term.kind == 2 && term.factor != 0.0f);
            }
        waits = waits && has_slopes;
        const RowSlopes to = {slopes ? slopes + row : 0, rounded ? rounded + row : 0, done > 0};
        row_log_sums(all, vocabulary, s, t, top, other_top);
        for (int round = 0; round <= waits; round++) {
            go_over_row(all, vocabulary, stride, s, t, target, round == 0, has_slopes && round == waits, to);
            if (round > 0) continue;
#pragma unroll
            for (int j = 0; j < TOGETHER; j++)
                if (j < all.count) {
                    const Term &term = all.term[j];
                    if (term.kind != 0) all.sum[j] = block_sum(all.sum[j]);
                    const double value = term.kind == 0 ? (double)all.own[j] - s[target] : all.sum[j] * term.temperature * term.temperature;
                    if (threadIdx.x == 0) values[(size_t)blockIdx.x * count + done + j] = value;
                }
        }
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
