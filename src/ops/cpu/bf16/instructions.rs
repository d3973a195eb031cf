//! Which instructions compute in bfloat16 on this machine.

use std::sync::LazyLock;

/// For tests: `emulate` computes in bfloat16 without the instruction, the same roundings of inputs
/// at less than the speed of f32; `none` is a processor without it.
const SWITCH: &str = "KDPIPE_BF16";

/// The instructions that make it worth while, if this machine has them.
pub(in crate::ops) fn instructions() -> Option<&'static str> {
    static FOUND: LazyLock<Option<&'static str>> =
        LazyLock::new(|| match std::env::var(SWITCH).as_deref() {
            Ok("none") => None,
            Ok("emulate") if !is_available() => Some("bf16 emulated"),
            _ => is_available().then_some("avx512bf16"),
        });
    *FOUND
}

/// Whether this machine has the instruction.
fn is_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return super::kernel::Avx512::detect().is_some();
    #[cfg(not(target_arch = "x86_64"))]
    false
}
