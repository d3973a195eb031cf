//! The functions of CUDA's libraries that are called here and not by cudarc, with results as plain
//! numbers: cudarc's are closed enums, which a newer library's error would break.

use std::ffi::{CStr, c_char, c_int, c_longlong, c_uint, c_void};

pub(super) type Address = u64;

unsafe extern "C" {
    pub(super) fn cuInit(flags: c_uint) -> c_uint;
    pub(super) fn cuDriverGetVersion(version: *mut c_int) -> c_uint;
    pub(super) fn cuDeviceGetCount(count: *mut c_int) -> c_uint;
    pub(super) fn cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int) -> c_uint;
    pub(super) fn cuDeviceGetAttribute(
        value: *mut c_int,
        attribute: c_uint,
        device: c_int,
    ) -> c_uint;
    pub(super) fn cuDeviceGetDefaultMemPool(pool: *mut *mut c_void, device: c_int) -> c_uint;
    pub(super) fn cuMemPoolSetAttribute(
        pool: *mut c_void,
        attribute: c_uint,
        value: *mut c_void,
    ) -> c_uint;
    pub(super) fn cuMemPoolGetAttribute(
        pool: *mut c_void,
        attribute: c_uint,
        value: *mut c_void,
    ) -> c_uint;
    pub(super) fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> c_uint;
}

unsafe extern "C" {
    pub(super) fn cuModuleLoadData(module: *mut *mut c_void, image: *const c_void) -> c_uint;
    pub(super) fn cuModuleGetFunction(
        function: *mut *mut c_void,
        module: *mut c_void,
        name: *const c_char,
    ) -> c_uint;
    pub(super) fn cuLaunchKernel(
        function: *mut c_void,
        grid_x: c_uint,
        grid_y: c_uint,
        grid_z: c_uint,
        block_x: c_uint,
        block_y: c_uint,
        block_z: c_uint,
        shared_bytes: c_uint,
        stream: *mut c_void,
        arguments: *mut *mut c_void,
        extra: *mut *mut c_void,
    ) -> c_uint;
    pub(super) fn cuCtxSynchronize() -> c_uint;
    pub(super) fn cuMemcpyDtoDAsync_v2(
        to: Address,
        from: Address,
        bytes: usize,
        stream: *mut c_void,
    ) -> c_uint;
    fn cuGetErrorName(code: c_uint, name: *mut *const c_char) -> c_uint;
}

unsafe extern "C" {
    pub(super) fn cublasCreate_v2(handle: *mut *mut c_void) -> c_uint;
    pub(super) fn cublasGetVersion_v2(handle: *mut c_void, version: *mut c_int) -> c_uint;
    pub(super) fn cublasGemmEx(
        handle: *mut c_void,
        left: c_uint,
        right: c_uint,
        m: c_int,
        n: c_int,
        k: c_int,
        alpha: *const c_void,
        a: *const c_void,
        a_type: c_uint,
        a_stride: c_int,
        b: *const c_void,
        b_type: c_uint,
        b_stride: c_int,
        beta: *const c_void,
        c: *mut c_void,
        c_type: c_uint,
        c_stride: c_int,
        compute: c_uint,
        algorithm: c_int,
    ) -> c_uint;
}

unsafe extern "C" {
    pub(super) fn cublasGemmBatchedEx(
        handle: *mut c_void,
        left: c_uint,
        right: c_uint,
        m: c_int,
        n: c_int,
        k: c_int,
        alpha: *const c_void,
        a: *const c_void,
        a_type: c_uint,
        a_stride: c_int,
        b: *const c_void,
        b_type: c_uint,
        b_stride: c_int,
        beta: *const c_void,
        c: *mut c_void,
        c_type: c_uint,
        c_stride: c_int,
        count: c_int,
        compute: c_uint,
        algorithm: c_int,
    ) -> c_uint;
}

unsafe extern "C" {
    pub(super) fn cublasGemmStridedBatchedEx(
        handle: *mut c_void,
        left: c_uint,
        right: c_uint,
        m: c_int,
        n: c_int,
        k: c_int,
        alpha: *const c_void,
        a: *const c_void,
        a_type: c_uint,
        a_stride: c_int,
        a_distance: c_longlong,
        b: *const c_void,
        b_type: c_uint,
        b_stride: c_int,
        b_distance: c_longlong,
        beta: *const c_void,
        c: *mut c_void,
        c_type: c_uint,
        c_stride: c_int,
        c_distance: c_longlong,
        count: c_int,
        compute: c_uint,
        algorithm: c_int,
    ) -> c_uint;
}

unsafe extern "C" {
    pub(super) fn nvrtcVersion(major: *mut c_int, minor: *mut c_int) -> c_uint;
    pub(super) fn nvrtcCreateProgram(
        program: *mut *mut c_void,
        source: *const c_char,
        name: *const c_char,
        headers: c_int,
        header_texts: *const *const c_char,
        header_names: *const *const c_char,
    ) -> c_uint;
    pub(super) fn nvrtcCompileProgram(
        program: *mut c_void,
        options: c_int,
        texts: *const *const c_char,
    ) -> c_uint;
    pub(super) fn nvrtcGetProgramLogSize(program: *mut c_void, size: *mut usize) -> c_uint;
    pub(super) fn nvrtcGetProgramLog(program: *mut c_void, log: *mut c_char) -> c_uint;
    pub(super) fn nvrtcGetCUBINSize(program: *mut c_void, size: *mut usize) -> c_uint;
    pub(super) fn nvrtcGetCUBIN(program: *mut c_void, image: *mut c_char) -> c_uint;
    pub(super) fn nvrtcDestroyProgram(program: *mut *mut c_void) -> c_uint;
}

/// Nothing, or what the driver calls the error.
pub(super) fn checked(code: c_uint) -> Result<(), String> {
    if code == 0 {
        return Ok(());
    }
    let mut name = std::ptr::null();
    // SAFETY: the driver gives a text of its own, or leaves the pointer.
    unsafe {
        if cuGetErrorName(code, &raw mut name) == 0 && !name.is_null() {
            return Err(CStr::from_ptr(name).to_string_lossy().into_owned());
        }
    }
    Err(format!("error {code}"))
}
