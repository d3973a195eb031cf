//! The kernels, compiled where they run, to the card's own instructions: an intermediate form that
//! is newer than the driver would not load.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int, c_void};

use super::api::{self, checked};

/// All kernels, one text.
const SOURCE: &str = concat!(
    include_str!("kernels/common.cu"),
    include_str!("kernels/layers.cu"),
    include_str!("kernels/losses.cu"),
    include_str!("kernels/critic.cu"),
    include_str!("kernels/decoding.cu")
);

/// A library's own handle.
#[derive(Clone, Copy)]
pub(super) struct Handle(pub *mut c_void);

// SAFETY: CUDA takes handles of kernels and of cuBLAS from any thread; cuBLAS is called behind the
// board's lock.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// The kernels for a card, as its driver loads them.
pub(super) fn compile(compute: (c_int, c_int)) -> Result<Vec<u8>, String> {
    let source = CString::new(SOURCE).expect("a text without zeros");
    let name = c"kernels.cu";
    let options = [
        CString::new(format!("--gpu-architecture=sm_{}{}", compute.0, compute.1)),
        CString::new("--std=c++17"),
        // A product and a sum are rounded each, as on the processor.
        CString::new("--fmad=false"),
    ]
    .map(|option| option.expect("a text without zeros"));
    let options: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
    let mut program = std::ptr::null_mut();
    // SAFETY: texts that live through the calls, and places of the sizes that NVRTC tells.
    unsafe {
        let made = api::nvrtcCreateProgram(
            &raw mut program,
            source.as_ptr(),
            name.as_ptr(),
            0,
            std::ptr::null(),
            std::ptr::null(),
        );
        if made != 0 {
            return Err(format!("NVRTC says {made}"));
        }
        let code = api::nvrtcCompileProgram(program, options.len() as c_int, options.as_ptr());
        let mut length = 0;
        if code != 0 {
            api::nvrtcGetProgramLogSize(program, &raw mut length);
            let mut log = vec![0u8; length.max(1)];
            api::nvrtcGetProgramLog(program, log.as_mut_ptr().cast());
            let log = String::from_utf8_lossy(&log);
            return Err(format!(
                "NVRTC compiles no kernels for it (error {code}): {}",
                log.trim_end_matches('\0').trim()
            ));
        }
        api::nvrtcGetCUBINSize(program, &raw mut length);
        let mut image = vec![0u8; length.max(1)];
        let code = api::nvrtcGetCUBIN(program, image.as_mut_ptr().cast());
        api::nvrtcDestroyProgram(&raw mut program);
        if code == 0 {
            Ok(image)
        } else {
            Err(format!("NVRTC gives no kernels (error {code})"))
        }
    }
}

/// Every kernel of the text, by its name.
pub(super) fn load_kernels(image: &[u8]) -> Result<BTreeMap<String, Handle>, String> {
    let mut module = std::ptr::null_mut();
    // SAFETY: an image as NVRTC made it, which the driver copies.
    checked(unsafe { api::cuModuleLoadData(&raw mut module, image.as_ptr().cast()) })
        .map_err(|why| format!("its driver loads no kernels: {why}"))?;
    let mut kernels = BTreeMap::new();
    for name in kernel_names() {
        let text = CString::new(name).expect("a text without zeros");
        let mut function = std::ptr::null_mut();
        // SAFETY: a place for a handle, a loaded module, a text.
        checked(unsafe { api::cuModuleGetFunction(&raw mut function, module, text.as_ptr()) })
            .map_err(|why| format!("the kernel {name} is missing: {why}"))?;
        kernels.insert(name.to_owned(), Handle(function));
    }
    Ok(kernels)
}

/// The kernels of the text.
pub(super) fn kernel_names() -> impl Iterator<Item = &'static str> {
    SOURCE
        .split("extern \"C\" __global__ void ")
        .skip(1)
        .filter_map(|rest| rest.split_once('('))
        .map(|(name, _)| name)
}
