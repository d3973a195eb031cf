//! What of this machine decides the bits of a result.

/// The class of instructions that kernels chosen at run time use here. Results are the same bits on
/// all machines of a class; between classes the last bits differ.
pub fn instruction_set() -> String {
    #[cfg(target_arch = "x86_64")]
    {
        let class = if std::arch::is_x86_feature_detected!("avx512f") {
            "avx512f"
        } else if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("fma")
        {
            "avx2 fma"
        } else {
            "baseline"
        };
        format!("x86_64 {class}")
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::env::consts::ARCH.to_owned()
}
