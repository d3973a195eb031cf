//! CUDA's libraries, found when they are asked for: one program for machines with and without a
//! GPU. What is called in them is told in `functions`.

use std::ffi::{CString, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::api::{self, checked};
use super::functions::{Library, fill};

/// The CUDAs whose libraries are used, the newest first.
const MAJORS: [c_int; 2] = [13, 12];

impl Library {
    /// What it is called, the newest first; a driver of a CUDA runs no newer libraries than that's.
    fn names(self, driver: c_int) -> Vec<String> {
        let of = |stem: &str| {
            let known = MAJORS.into_iter().filter(|&major| major <= driver);
            known.map(|major| format!("{stem}.so.{major}")).collect()
        };
        match self {
            Self::Driver => vec!["libcuda.so.1".to_owned()],
            Self::Blas => of("libcublas"),
            Self::Compiler => of("libnvrtc"),
        }
    }

    /// What it is and how one comes by it.
    fn remedy(self, driver: c_int) -> String {
        let (what, package) = match self {
            Self::Driver => return "it comes with the driver of an NVIDIA GPU".to_owned(),
            Self::Blas => ("cuBLAS", "nvidia-cublas"),
            Self::Compiler => ("NVRTC", "nvidia-cuda-nvrtc"),
        };
        let (toolkit, suffix) = if driver < MAJORS[0] {
            ("12 (this driver runs no newer one)", "-cu12")
        } else {
            ("12 or 13", "")
        };
        format!(
            "{what} comes with the CUDA toolkit {toolkit}, or from PyPI as {package}{suffix}; name \
             its folder in LD_LIBRARY_PATH"
        )
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
fn find(library: Library, names: &[String]) -> Option<*mut c_void> {
    let by_loader = names.iter().find_map(|name| open(name.as_ref()));
    by_loader.or_else(|| {
        folders().into_iter().find_map(|folder| {
            let mut paths = names.iter().map(|name| folder.join(name));
            let path = paths.find(|path| path.exists())?;
            open_siblings(library, &folder);
            open(&path)
        })
    })
}

/// A library for the driver of a CUDA, filled in.
///
/// # Errors
/// It is not there: where it was looked for, and how one comes by it.
fn load_library(library: Library, driver: c_int) -> Result<(), String> {
    let names = library.names(driver);
    let handle = find(library, &names).ok_or_else(|| {
        let folders: Vec<String> = folders()
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        format!(
            "{} was not found, neither by the system's loader nor in {}; {}",
            names.join(" or "),
            folders.join(", "),
            library.remedy(driver)
        )
    })?;
    fill(library, handle);
    Ok(())
}

/// The CUDA that the driver is of.
///
/// # Errors
/// It finds no GPU, or is too old.
fn driver_major() -> Result<c_int, String> {
    let mut version = 0;
    // SAFETY: the driver's functions are filled in; a place for a number.
    let asked = unsafe {
        checked(api::cuInit(0)).and_then(|()| checked(api::cuDriverGetVersion(&raw mut version)))
    };
    asked.map_err(|why| no_gpu(&why))?;
    supported(version)
}

/// The CUDA of a version of the driver.
fn supported(version: c_int) -> Result<c_int, String> {
    let (major, oldest) = (version / 1000, MAJORS[MAJORS.len() - 1]);
    if major < oldest {
        return Err(format!(
            "NVIDIA's driver here is one of CUDA {major}.{}, and kdpipe needs one of CUDA {oldest} \
             or newer",
            version % 1000 / 10
        ));
    }
    Ok(major)
}

/// What is said where the driver has nothing to offer, from its own words.
pub(super) fn no_gpu(why: &str) -> String {
    format!("NVIDIA's driver finds no GPU that it can use ({why}); see nvidia-smi")
}

/// Whether the libraries are loaded.
static LOADED: Mutex<bool> = Mutex::new(false);

/// Loads the libraries, unless that was done; the driver first, which tells what it runs of the
/// others.
///
/// # Errors
/// A library that is not there, with where it was looked for and how one comes by it; a driver that
/// finds no GPU, or is too old.
pub(super) fn load() -> Result<(), String> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if *loaded {
        return Ok(());
    }
    load_library(Library::Driver, 0)?;
    let driver = driver_major()?;
    load_library(Library::Blas, driver)?;
    load_library(Library::Compiler, driver)?;
    *loaded = true;
    Ok(())
}

/// Takes every function from one library, as a test does that has an emulator of all three.
#[cfg(test)]
pub(super) fn load_emulator(path: &Path) {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*loaded {
        let handle = open(path).expect("the emulator that was just built");
        for library in [Library::Driver, Library::Blas, Library::Compiler] {
            fill(library, handle);
        }
        *loaded = true;
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
