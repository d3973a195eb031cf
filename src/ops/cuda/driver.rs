//! CUDA's libraries, found when they are asked for: one program for machines with and without a
//! GPU.
//!
//! cudarc calls the libraries' functions by name, and (with its feature `ci-check`) leaves it to
//! others to link them. The names are defined here: each is a jump to an address that [`load`]
//! fills in. Before that, or where a library lacks the function, the address is that of
//! [`missing`]. Nothing is exported, so no other library's calls come here.

use std::ffi::{CString, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Where a jump leads that has no function: nothing sensible can be returned to a caller who
/// expects some type.
extern "C" fn missing() -> ! {
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

impl Library {
    const ALL: [Self; 3] = [Self::Driver, Self::Blas, Self::Compiler];

    /// What it is called, the newest first.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Driver => &["libcuda.so.1"],
            Self::Blas => &["libcublas.so.13", "libcublas.so.12"],
            Self::Compiler => &["libnvrtc.so.13", "libnvrtc.so.12"],
        }
    }

    /// What it is and how one comes by it.
    fn remedy(self) -> &'static str {
        match self {
            Self::Driver => "it comes with the driver of an NVIDIA GPU",
            Self::Blas => {
                "cuBLAS comes with the CUDA toolkit 12 or 13, or from PyPI as nvidia-cublas; name \
                 its folder in LD_LIBRARY_PATH"
            }
            Self::Compiler => {
                "NVRTC comes with the CUDA toolkit 12 or 13, or from PyPI as nvidia-cuda-nvrtc; \
                 name its folder in LD_LIBRARY_PATH"
            }
        }
    }
}

/// Folders that are looked into where the system's own search finds nothing.
fn folders() -> Vec<PathBuf> {
    let roots = ["CUDA_PATH", "CUDA_HOME"]
        .into_iter()
        .filter_map(std::env::var_os)
        .map(PathBuf::from)
        .chain(["/usr/local/cuda".into(), "/opt/cuda".into()]);
    let mut folders: Vec<PathBuf> = roots
        .flat_map(|root| [root.join("lib64"), root.join("lib")])
        .collect();
    folders.push("/usr/lib/wsl/lib".into());
    folders
}

fn open(path: &Path) -> Option<*mut c_void> {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).ok()?;
    // SAFETY: the name of a shared library; what its initialisers do is up to them, as with any
    // library that is linked.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    (!handle.is_null()).then_some(handle)
}

/// Opens what a library looks for beside itself by name alone, which the loader would not find in a
/// folder of its own.
fn open_siblings(library: Library, folder: &Path) {
    let beginning = match library {
        Library::Driver => return,
        Library::Blas => "libcublasLt.so.",
        Library::Compiler => "libnvrtc-builtins.so.",
    };
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files {
        if file.file_name().to_string_lossy().starts_with(beginning) {
            open(&file.path());
        }
    }
}

/// A library where the system's loader finds it, or in one of the other folders.
fn find(library: Library) -> Option<*mut c_void> {
    let names = library.names();
    let by_loader = names.iter().find_map(|name| open(name.as_ref()));
    by_loader.or_else(|| {
        folders().into_iter().find_map(|folder| {
            let path = names.iter().map(|name| folder.join(name));
            let path = path.into_iter().find(|path| path.exists())?;
            open_siblings(library, &folder);
            open(&path)
        })
    })
}

/// A function of the driver that takes two words at most.
type Giving = extern "C" fn(*mut c_void, *mut c_void) -> c_int;

/// Functions that give something back, each behind one that forgets what it answers. cudarc's
/// destructors take any error for a panic, and after a kernel's fault every call answers with that
/// fault: a panic while another is on its way would end the process, without the first one's words.
const GIVING_BACK: [(&str, Giving); 5] = [
    ("cuMemFreeAsync", quietly::<0>),
    ("cuMemFree_v2", quietly::<1>),
    ("cuEventDestroy_v2", quietly::<2>),
    ("cuStreamDestroy_v2", quietly::<3>),
    ("cuDevicePrimaryCtxRelease_v2", quietly::<4>),
];
/// The functions themselves.
static BEHIND: [AtomicPtr<c_void>; 5] =
    [const { AtomicPtr::new(missing as *mut c_void) }; GIVING_BACK.len()];

extern "C" fn quietly<const N: usize>(first: *mut c_void, second: *mut c_void) -> c_int {
    let function = BEHIND[N].load(Ordering::Acquire);
    // SAFETY: one of the functions above, each of which has two words at most and gives a number.
    let function: Giving = unsafe { std::mem::transmute(function) };
    function(first, second);
    0
}

/// Fills in the functions of a library.
fn fill(library: Library, handle: *mut c_void) {
    for (_, name, address) in FUNCTIONS.iter().filter(|(of, _, _)| *of == library) {
        let Ok(symbol) = CString::new(*name) else {
            continue;
        };
        // SAFETY: an open library and a text.
        let found = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
        let giving = GIVING_BACK.iter().position(|(known, _)| known == name);
        match giving {
            _ if found.is_null() => {}
            Some(place) => {
                BEHIND[place].store(found, Ordering::Release);
                address.store(GIVING_BACK[place].1 as *mut c_void, Ordering::Release);
            }
            None => address.store(found, Ordering::Release),
        }
    }
}

/// Whether the libraries are loaded.
static LOADED: Mutex<bool> = Mutex::new(false);

/// Loads the libraries, unless that was done.
///
/// # Errors
/// A library that is not there: which, where it was looked for, and how one comes by it.
pub(super) fn load() -> Result<(), String> {
    let mut loaded = LOADED.lock().unwrap_or_else(|held| held.into_inner());
    if *loaded {
        return Ok(());
    }
    let mut handles = Vec::new();
    for library in Library::ALL {
        let handle = find(library).ok_or_else(|| not_found(library))?;
        handles.push((library, handle));
    }
    handles
        .into_iter()
        .for_each(|(library, handle)| fill(library, handle));
    *loaded = true;
    Ok(())
}

fn not_found(library: Library) -> String {
    let folders: Vec<String> = folders()
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    format!(
        "{} was not found, neither by the system's loader nor in {}; {}",
        library.names().join(" or "),
        folders.join(", "),
        library.remedy()
    )
}

/// Takes every function from one library, as a test does that has an emulator of all three.
#[cfg(test)]
pub(super) fn load_emulator(path: &Path) {
    let mut loaded = LOADED.lock().unwrap_or_else(|held| held.into_inner());
    if !*loaded {
        let handle = open(path).expect("the emulator that was just built");
        for library in Library::ALL {
            fill(library, handle);
        }
        *loaded = true;
    }
}

/// Whether a library has the function; one that none has must not be called.
pub(super) fn has(name: &str) -> bool {
    FUNCTIONS.iter().any(|(_, known, address)| {
        *known == name && address.load(Ordering::Acquire) != missing as *mut c_void
    })
}
