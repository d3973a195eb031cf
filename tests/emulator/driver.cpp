// A CUDA driver, a cuBLAS and an NVRTC on the host: memory is the process's own, streams do their work
// at once, and kernels are the project's own, compiled here as plain C++. Enough of each for the tests
// of the GPU path; whatever else is called is not there. `emulated.rs` builds it: emulator.h and the
// kernels come before this file, and KERNELS names all of them.

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <sys/mman.h>

namespace {
using Address = unsigned long long;
using Run = void (*)(void *);
constexpr int NOT_FOUND = 500, INVALID = 1;

#define KERNEL(name) {#name, emulated::Body<name>::run}
const std::map<std::string, Run> RUNS = {KERNELS};

// Every block ends where a page ends that nobody may touch, and starts as NaN: what reads or writes beyond it faults, what reads before anything wrote spoils its result.
struct Memory { char *base; size_t mapped; };
std::mutex guard;
std::map<Address, Memory> blocks;
std::atomic<size_t> launches = 0;

// Bytes that the card has, where a test says so: KDPIPE_TEST_EMULATED_BYTES.
const char *const bytes_text = getenv("KDPIPE_TEST_EMULATED_BYTES");
const size_t bytes_in_all = bytes_text ? strtoull(bytes_text, nullptr, 10) : ~(size_t)0;
size_t bytes_in_use = 0, most_bytes_in_use = 0;

int allocate(Address *at, size_t size) {
    const size_t page = 4096, room = (size + 15) / 16 * 16, pages = (room + page - 1) / page * page;
    char *base = (char *)mmap(nullptr, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(base + pages, page, PROT_NONE);
    *at = (Address)(base + pages - room);
    memset((void *)*at, 0xff, room);
    const std::lock_guard<std::mutex> held(guard);
    bytes_in_use += pages;
    if (bytes_in_use > bytes_in_all) return munmap(base, pages + page), bytes_in_use -= pages, 2;
    most_bytes_in_use = std::max(most_bytes_in_use, bytes_in_use);
    blocks[*at] = {base, pages + page};
    return 0;
}

int release(Address at) {
    const std::lock_guard<std::mutex> held(guard);
    auto found = blocks.find(at);
    if (found == blocks.end()) return INVALID;
    munmap(found->second.base, found->second.mapped);
    bytes_in_use -= found->second.mapped - 4096;
    blocks.erase(found);
    return 0;
}
}  // namespace

#define API extern "C" __attribute__((visibility("default")))
API int cuInit(unsigned) { return 0; }
// One card, or as many as a test says: KDPIPE_TEST_EMULATED_CARDS. A process uses one of them.
static int cards() {
    const char *const text = getenv("KDPIPE_TEST_EMULATED_CARDS");
    return text ? atoi(text) : 1;
}
API int cuDeviceGet(int *device, int ordinal) { return *device = ordinal, ordinal < cards() ? 0 : 101; }
API int cuDeviceGetCount(int *count) { return *count = cards(), 0; }
// Compute capability 9.0; everything else is there once.
API int cuDeviceGetAttribute(int *value, int attribute, int) { return *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 1, 0; }
API int cuDeviceGetName(char *name, int length, int) { return snprintf(name, length, "an emulated GPU"), 0; }
API int cuDriverGetVersion(int *version) { return *version = 13000, 0; }
API int cuDeviceGetDefaultMemPool(void **pool, int) { return *pool = (void *)5, 0; }
API int cuMemPoolSetAttribute(void *, int, void *) { return 0; }
// A gigabyte, or what a test says: KDPIPE_TEST_EMULATED_FREE. The pool keeps nothing of what is freed.
API int cuMemGetInfo_v2(size_t *free, size_t *total) {
    const char *const text = getenv("KDPIPE_TEST_EMULATED_FREE");
    return *free = *total = text ? strtoull(text, nullptr, 10) : (size_t)1 << 30, 0;
}
// 5 and 7 are what is reserved and in use now, 6 and 8 the most of it.
API int cuMemPoolGetAttribute(void *, int attribute, void *value) {
    const std::lock_guard<std::mutex> held(guard);
    *(unsigned long long *)value = attribute % 2 ? bytes_in_use : most_bytes_in_use;
    return 0;
}
API int cuCtxSynchronize() { return 0; }
API int cuDevicePrimaryCtxRetain(void **context, int) { return *context = (void *)1, 0; }
API int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
API int cuCtxSetCurrent(void *) { return 0; }
API int cuCtxGetCurrent(void **context) { return *context = (void *)1, 0; }
API int cuEventCreate(void **event, unsigned) { return *event = (void *)1, 0; }
API int cuEventRecord(void *, void *) { return 0; }
API int cuEventDestroy_v2(void *) { return 0; }
API int cuStreamCreate(void **stream, unsigned) { return *stream = (void *)2, 0; }
API int cuStreamSynchronize(void *) { return 0; }
API int cuStreamWaitEvent(void *, void *, unsigned) { return 0; }
API int cuStreamDestroy_v2(void *) { return 0; }
// No memory, and none to set, is refused, as drivers without pools do.
API int cuMemAlloc_v2(Address *at, size_t size) { return size > 0 ? allocate(at, size) : INVALID; }
API int cuMemAllocAsync(Address *at, size_t size, void *) { return cuMemAlloc_v2(at, size); }
API int cuMemFree_v2(Address at) { return release(at); }
API int cuMemFreeAsync(Address at, void *) { return release(at); }
API int cuMemsetD8_v2(Address at, unsigned char value, size_t count) { return count > 0 ? memset((void *)at, value, count), 0 : INVALID; }
API int cuMemsetD8Async(Address at, unsigned char value, size_t count, void *) { return cuMemsetD8_v2(at, value, count); }
API int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t count, void *) { return memcpy((void *)to, from, count), 0; }
API int cuMemcpyHtoD_v2(Address to, const void *from, size_t count) { return memcpy((void *)to, from, count), 0; }
API int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t count, void *) { return memcpy(to, (void *)from, count), 0; }
API int cuMemcpyDtoH_v2(void *to, Address from, size_t count) { return memcpy(to, (void *)from, count), 0; }
API int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t count, void *) { return memcpy((void *)to, (void *)from, count), 0; }
API int cuMemcpyDtoD_v2(Address to, Address from, size_t count) { return memcpy((void *)to, (void *)from, count), 0; }
API int cuModuleLoadData(void **module, const void *) { return *module = (void *)3, 0; }
API int cuModuleUnload(void *) { return 0; }
API int cuModuleGetFunction(void **function, void *, const char *name) {
    auto found = RUNS.find(name);
    return found == RUNS.end() ? NOT_FOUND : (*function = (void *)found->second, 0);
}
API int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned, void *, void **parameters, void **) {
    launches++;
    emulated::launch({gx, gy, gz}, {bx, by, bz}, (Run)function, parameters);
    return 0;
}
API int cuGetErrorName(int, const char **name) { return *name = "an error of the emulated driver", 0; }
API int cuGetErrorString(int, const char **text) { return *text = "see driver.cpp", 0; }
API void emulated_order(unsigned order) { emulated::order = order; }
API size_t emulated_launches() { return launches; }

// Ten digits behind the first, to nearest, ties away from zero.
static float to_tf32(float x) { return x != x ? x : __uint_as_float((__float_as_uint(x) + 0x1000) & ~0x1fffu); }

// cuBLAS: column-major C = alpha·op(A)·op(B) + beta·C, of f32 (0) and bfloat16 (14), summed in f32.
namespace {
constexpr int TF32 = 77;
std::vector<float> wide(const void *from, int type, size_t rows, size_t columns, size_t stride, bool transposed, int compute) {
    // As rows of the product: (rows, columns) row by row.
    std::vector<float> all(rows * columns);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            const size_t at = transposed ? j + i * stride : i + j * stride;
            const float x = type == 14 ? from_bf16(((const bf16 *)from)[at]) : ((const float *)from)[at];
            all[i * columns + j] = compute == TF32 ? to_tf32(x) : x;
        }
    return all;
}
}  // namespace
API int cublasCreate_v2(void **handle) { return *handle = (void *)4, 0; }
API int cublasDestroy_v2(void *) { return 0; }
API int cublasSetStream_v2(void *, void *) { return 0; }
API int cublasGemmEx(void *, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int at, int lda, const void *b, int bt, int ldb, const void *beta,
                     void *c, int ct, int ldc, int compute, int) {
    const std::vector<float> left = wide(a, at, m, k, lda, ta != 0, compute), right = wide(b, bt, n, k, ldb, tb == 0, compute);
    const float scale = *(const float *)alpha, keep = *(const float *)beta;
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++) {
            float sum = 0.0f;
            for (int l = 0; l < k; l++) sum += left[(size_t)i * k + l] * right[(size_t)j * k + l];
            const size_t place = i + (size_t)j * ldc;
            if (ct == 14) {
                bf16 *out = (bf16 *)c + place;
                *out = to_bf16(scale * sum + (keep == 0.0f ? 0.0f : keep * from_bf16(*out)));
            } else {
                float *out = (float *)c + place;
                *out = scale * sum + (keep == 0.0f ? 0.0f : keep * *out);
            }
        }
    return 0;
}
API int cublasSgemm_v2(void *handle, int ta, int tb, int m, int n, int k, const float *alpha, const float *a, int lda, const float *b, int ldb, const float *beta, float *c, int ldc) {
    return cublasGemmEx(handle, ta, tb, m, n, k, alpha, a, 0, lda, b, 0, ldb, beta, c, 0, ldc, 0, 0);
}
API int cublasGetVersion_v2(void *, int *version) { return *version = 130000, 0; }
API int cublasGemmBatchedEx(void *handle, int ta, int tb, int m, int n, int k, const void *alpha, const void *const *a, int at, int lda, const void *const *b, int bt,
                            int ldb, const void *beta, void *const *c, int ct, int ldc, int count, int compute, int) {
    for (int i = 0; i < count; i++) cublasGemmEx(handle, ta, tb, m, n, k, alpha, a[i], at, lda, b[i], bt, ldb, beta, c[i], ct, ldc, compute, 0);
    return 0;
}
API int cublasGemmStridedBatchedEx(void *handle, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int at, int lda, long long da, const void *b, int bt,
                                   int ldb, long long db, const void *beta, void *c, int ct, int ldc, long long dc, int count, int compute, int) {
    const auto from = [](const void *x, int type, long long distance, int i) { return (const char *)x + distance * i * (type == 14 ? 2 : 4); };
    for (int i = 0; i < count; i++)
        cublasGemmEx(handle, ta, tb, m, n, k, alpha, from(a, at, da, i), at, lda, from(b, bt, db, i), bt, ldb, beta, (void *)from(c, ct, dc, i), ct, ldc, compute, 0);
    return 0;
}

// NVRTC: there is nothing to compile.
API int nvrtcVersion(int *major, int *minor) { return *major = 13, *minor = 0, 0; }
API int nvrtcCreateProgram(void **program, const char *, const char *, int, const char *const *, const char *const *) { return *program = (void *)6, 0; }
API int nvrtcCompileProgram(void *, int, const char *const *) { return 0; }
API int nvrtcDestroyProgram(void **) { return 0; }
API int nvrtcGetProgramLogSize(void *, size_t *size) { return *size = 1, 0; }
API int nvrtcGetProgramLog(void *, char *log) { return *log = 0, 0; }
API int nvrtcGetCUBINSize(void *, size_t *size) { return *size = 1, 0; }
API int nvrtcGetCUBIN(void *, char *image) { return *image = 0, 0; }
