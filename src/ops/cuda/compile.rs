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

/// Where compiled kernels are kept between starts of the program.
pub trait KernelStore {
    /// Those that were made of this text, whole and as they were.
    fn kept(&self, made_of: &str) -> Option<Vec<u8>>;

    /// Keeps them, where that is possible.
    fn keep(&self, made_of: &str, image: &[u8]);
}

/// Keeps nothing.
impl KernelStore for () {
    fn kept(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn keep(&self, _: &str, _: &[u8]) {}
}

/// The kernels for a card, loaded: those that are kept, or else compiled and kept.
pub(super) fn kernels_for(
    compute: (c_int, c_int),
    version: (c_int, c_int),
    store: &dyn KernelStore,
) -> Result<BTreeMap<String, Handle>, String> {
    let options = options_for(compute);
    let made_of = format!(
        "NVRTC {}.{} {}\n{SOURCE}",
        version.0,
        version.1,
        options.join(" ")
    );
    // What the driver does not take, whatever it is, is made again.
    let kept = store.kept(&made_of).map(|image| load_kernels(&image));
    if let Some(Ok(kernels)) = kept {
        return Ok(kernels);
    }
    let image = compile(&options)?;
    let kernels = load_kernels(&image)?;
    store.keep(&made_of, &image);
    Ok(kernels)
}

fn options_for(compute: (c_int, c_int)) -> [String; 3] {
    [
        format!("--gpu-architecture=sm_{}{}", compute.0, compute.1),
        "--std=c++17".to_owned(),
        // A product and a sum are rounded each, as on the processor.
        "--fmad=false".to_owned(),
    ]
}

/// The kernels for a card, as its driver loads them.
fn compile(options: &[String]) -> Result<Vec<u8>, String> {
    let text = |text: &str| CString::new(text).expect("a text without zeros");
    let source = text(SOURCE);
    let name = c"kernels.cu";
    let options: Vec<CString> = options.iter().map(|option| text(option)).collect();
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
fn load_kernels(image: &[u8]) -> Result<BTreeMap<String, Handle>, String> {
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
fn kernel_names() -> impl Iterator<Item = &'static str> {
    SOURCE
        .split("extern \"C\" __global__ void ")
        .skip(1)
        .filter_map(|rest| rest.split_once('('))
        .map(|(name, _)| name)
}
