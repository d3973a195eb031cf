//! The functions of CUDA's libraries, each a jump to an address that is filled in when its library
//! is opened.
//!
//! cudarc calls them by name, and (with its feature `ci-check`) leaves it to others to link them.
//! The names are defined here. Before a library is opened, or where it lacks the function, the
//! address is that of [`missing`]. Nothing is exported, so no other library's calls come here.
//! Before some of the driver's functions stands one of this file.

use std::cell::Cell;
use std::ffi::{CString, c_int, c_uchar, c_void};
use std::io::Write;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

/// Functions that the opened libraries lack.
static LACKING: Mutex<Vec<&str>> = Mutex::new(Vec::new());

/// Where a jump leads that has no function: nothing sensible can be returned to a caller who
/// expects some type.
extern "C" fn missing() -> ! {
    let lacking = LACKING.lock().unwrap_or_else(PoisonError::into_inner);
    // The jump does not tell which it was.
    let why = if lacking.is_empty() {
        "they are not loaded".to_owned()
    } else {
        format!("those here lack {}", lacking.join(", "))
    };
    // Where nobody listens the process ends all the same.
    let _ = writeln!(
        std::io::stderr(),
        "a function of CUDA's libraries was called that is not there: {why}"
    );
    std::process::abort()
}

macro_rules! forwarded {
    ($($library:ident { $($name:ident)* })*) => {
        mod jumps {
            $($(
                #[allow(non_upper_case_globals)]
                pub static $name: super::AtomicPtr<super::c_void> =
                    super::AtomicPtr::new(super::missing as *mut super::c_void);
                #[cfg(target_arch = "x86_64")]
                core::arch::global_asm!(
                    concat!(".globl ", stringify!($name)),
                    concat!(".type ", stringify!($name), ",@function"),
                    concat!(stringify!($name), ":"),
                    "jmp *{0}(%rip)",
                    sym $name,
                    options(att_syntax)
                );
                #[cfg(target_arch = "aarch64")]
                core::arch::global_asm!(
                    concat!(".globl ", stringify!($name)),
                    concat!(".type ", stringify!($name), ",@function"),
                    concat!(stringify!($name), ":"),
                    "adrp x16, {0}",
                    "ldr x16, [x16, :lo12:{0}]",
                    "br x16",
                    sym $name
                );
            )*)*
        }
        /// Every function, with the library it is in and the address it is called through.
        static FUNCTIONS: &[(Library, &str, &AtomicPtr<c_void>)] =
            &[$($((Library::$library, stringify!($name), &jumps::$name),)*)*];
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    Driver,
    Blas,
    Compiler,
}

// What cudarc 0.9 refers to, as the linker says, and what this module's own calls need.
forwarded! {
    Driver {
        cuCtxGetCurrent cuCtxSetCurrent cuCtxSynchronize cuDestroyExternalMemory cuDeviceGet
        cuDeviceGetAttribute cuDeviceGetCount cuDeviceGetDefaultMemPool cuDeviceGetName
        cuDevicePrimaryCtxRelease_v2 cuDevicePrimaryCtxRetain cuDeviceTotalMem_v2
        cuDriverGetVersion cuEventCreate cuEventDestroy_v2 cuEventElapsedTime cuEventRecord
        cuExternalMemoryGetMappedBuffer cuGetErrorName cuGetErrorString cuImportExternalMemory
        cuInit cuLaunchKernel cuMemAllocAsync cuMemAlloc_v2 cuMemFreeAsync cuMemFree_v2
        cuMemGetInfo_v2 cuMemPoolGetAttribute cuMemPoolSetAttribute cuMemcpyDtoDAsync_v2
        cuMemcpyDtoD_v2
        cuMemcpyDtoHAsync_v2 cuMemcpyDtoH_v2 cuMemcpyHtoDAsync_v2 cuMemcpyHtoD_v2
        cuMemsetD8Async cuMemsetD8_v2 cuModuleGetFunction cuModuleLoad cuModuleLoadData
        cuModuleUnload cuOccupancyAvailableDynamicSMemPerBlock
        cuOccupancyMaxActiveBlocksPerMultiprocessor
        cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags cuOccupancyMaxActiveClusters
        cuOccupancyMaxPotentialBlockSize cuOccupancyMaxPotentialBlockSizeWithFlags
        cuOccupancyMaxPotentialClusterSize cuProfilerStart cuProfilerStop cuStreamCreate
        cuStreamDestroy_v2 cuStreamSynchronize cuStreamWaitEvent
    }
    Blas {
        cublasCreate_v2 cublasDestroy_v2 cublasDgemmStridedBatched cublasDgemm_v2 cublasDgemv_v2
        cublasGemmBatchedEx cublasGemmEx cublasGemmStridedBatchedEx cublasGetVersion_v2
        cublasSetStream_v2 cublasSgemmStridedBatched cublasSgemm_v2 cublasSgemv_v2
    }
    Compiler {
        nvrtcCompileProgram nvrtcCreateProgram nvrtcDestroyProgram nvrtcGetCUBIN nvrtcGetCUBINSize
        nvrtcGetPTX nvrtcGetPTXSize nvrtcGetProgramLog nvrtcGetProgramLogSize nvrtcVersion
    }
}

/// Functions of the driver behind one of this file's, which is told its place in this list.
const IN_FRONT: [(&str, *mut c_void); 9] = [
    ("cuMemFreeAsync", quietly::<0> as *mut c_void),
    ("cuMemFree_v2", quietly::<1> as *mut c_void),
    ("cuEventDestroy_v2", quietly::<2> as *mut c_void),
    ("cuStreamDestroy_v2", quietly::<3> as *mut c_void),
    ("cuDevicePrimaryCtxRelease_v2", quietly::<4> as *mut c_void),
    ("cuMemAllocAsync", some_memory::<5> as *mut c_void),
    ("cuMemAlloc_v2", some_memory::<6> as *mut c_void),
    ("cuMemsetD8Async", set_memory::<7> as *mut c_void),
    ("cuMemsetD8_v2", set_memory::<8> as *mut c_void),
];
/// The functions themselves.
static BEHIND: [AtomicPtr<c_void>; IN_FRONT.len()] =
    [const { AtomicPtr::new(missing as *mut c_void) }; IN_FRONT.len()];

/// What gives something back, of two words at most.
type Giving = extern "C" fn(*mut c_void, *mut c_void) -> c_int;
/// What takes memory: a place for its address, bytes, and a stream where there is one.
type TakingMemory = extern "C" fn(*mut c_void, usize, *mut c_void) -> c_int;
/// What sets memory: an address, a value, bytes, and a stream where there is one.
type SettingMemory = extern "C" fn(u64, c_uchar, usize, *mut c_void) -> c_int;

/// Forgets what the function answers. cudarc's destructors take any error for a panic, and after a
/// kernel's fault every call answers with that fault: a panic while another is on its way would end
/// the process, without the first one's words.
extern "C" fn quietly<const N: usize>(first: *mut c_void, second: *mut c_void) -> c_int {
    let function = BEHIND[N].load(Ordering::Acquire);
    // SAFETY: one of those above that give back, each of which has two words at most and gives a
    // number.
    let function: Giving = unsafe { std::mem::transmute(function) };
    function(first, second);
    0
}

/// Asks for a byte at least: dfdx asks for none when it makes a device, which a driver without
/// memory pools refuses.
extern "C" fn some_memory<const N: usize>(
    place: *mut c_void,
    bytes: usize,
    stream: *mut c_void,
) -> c_int {
    let function = BEHIND[N].load(Ordering::Acquire);
    // SAFETY: one of the two above that take memory; the one without a stream leaves it.
    let function: TakingMemory = unsafe { std::mem::transmute(function) };
    function(place, bytes.max(1), stream)
}

thread_local! {
    /// Whether all of what this thread asks for is written before anybody reads it.
    static IS_WRITTEN_WHOLE: Cell<bool> = const { Cell::new(false) };
}

/// Does nothing where there is nothing to set, or where it would be set for nobody.
extern "C" fn set_memory<const N: usize>(
    address: u64,
    value: c_uchar,
    bytes: usize,
    stream: *mut c_void,
) -> c_int {
    if bytes == 0 || IS_WRITTEN_WHOLE.get() {
        return 0;
    }
    let function = BEHIND[N].load(Ordering::Acquire);
    // SAFETY: one of the two above that set memory; the one without a stream leaves it.
    let function: SettingMemory = unsafe { std::mem::transmute(function) };
    function(address, value, bytes, stream)
}

/// Ends [`without_zeros`], also where its work panics.
struct ZerosAgain;

impl Drop for ZerosAgain {
    fn drop(&mut self) {
        IS_WRITTEN_WHOLE.set(false);
    }
}

/// Memory that `work` asks for is not set to zeros: a pass over it that its first kernel would
/// undo. Whoever calls it has all of the memory written before anybody reads it.
pub(super) fn without_zeros<R>(work: impl FnOnce() -> R) -> R {
    let _again = ZerosAgain;
    IS_WRITTEN_WHOLE.set(true);
    work()
}

/// Fills in the functions of a library that was opened.
pub(super) fn fill(library: Library, handle: *mut c_void) {
    let mut lacking = LACKING.lock().unwrap_or_else(PoisonError::into_inner);
    for &(_, name, address) in FUNCTIONS.iter().filter(|(of, _, _)| *of == library) {
        lacking.retain(|known| *known != name);
        let Ok(symbol) = CString::new(name) else {
            continue;
        };
        // SAFETY: an open library and a text.
        let found = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
        let place = IN_FRONT.iter().position(|(known, _)| *known == name);
        match place {
            _ if found.is_null() => {
                lacking.push(name);
                address.store(missing as *mut c_void, Ordering::Release);
            }
            Some(place) => {
                BEHIND[place].store(found, Ordering::Release);
                address.store(IN_FRONT[place].1, Ordering::Release);
            }
            None => address.store(found, Ordering::Release),
        }
    }
}

/// Whether a library has the function; one that none has must not be called.
pub(super) fn has(name: &str) -> bool {
    FUNCTIONS.iter().any(|(_, known, address)| {
        *known == name && address.load(Ordering::Acquire) != missing as *mut c_void
    })
}
