//! Tests of `driver.rs`: which libraries go with which driver.

use super::*;

#[test]
fn a_driver_is_offered_no_library_of_a_newer_cuda_than_its_own() {
    for (version, blas, compiler) in [
        (
            13_020,
            "libcublas.so.13 libcublas.so.12",
            "libnvrtc.so.13 libnvrtc.so.12",
        ),
        (
            14_000,
            "libcublas.so.13 libcublas.so.12",
            "libnvrtc.so.13 libnvrtc.so.12",
        ),
        (12_080, "libcublas.so.12", "libnvrtc.so.12"),
    ] {
        let driver = supported(version).unwrap();
        assert_eq!(Library::Blas.names(driver).join(" "), blas);
        assert_eq!(Library::Compiler.names(driver).join(" "), compiler);
    }
    assert_eq!(Library::Driver.names(0), ["libcuda.so.1"]);
    let old = supported(11_080).unwrap_err();
    assert!(old.contains("CUDA 11.8") && old.contains("12"), "{old}");
}

#[test]
fn what_is_missing_is_named_as_the_driver_takes_it() {
    let newest = Library::Blas.remedy(13);
    assert!(
        newest.contains("12 or 13") && newest.contains("nvidia-cublas;"),
        "{newest}"
    );
    let older = [Library::Blas, Library::Compiler].map(|library| library.remedy(12));
    assert!(older[0].contains("nvidia-cublas-cu12"), "{}", older[0]);
    assert!(older[1].contains("nvidia-cuda-nvrtc-cu12"), "{}", older[1]);
    assert!(!older[0].contains("13"), "{}", older[0]);
}
