//! What a study is computed on, found once and matched on once: everything behind it is generic.

use anyhow::{Result, anyhow};

use crate::ops::{Cpu, Ops};
use crate::plan::run::DeviceSpec;

/// Work that any device does.
pub(super) trait DeviceWork {
    type Output;

    fn on<D: Ops>(self, device: &D) -> Self::Output;
}

/// Does work on a device.
///
/// # Errors
/// A device that this machine does not have, or that failed in the work.
pub(super) fn on_device<W: DeviceWork>(device: DeviceSpec, work: W) -> Result<W::Output> {
    match device {
        DeviceSpec::Cpu => Ok(work.on(&Cpu::default())),
        DeviceSpec::Cuda(number) => on_card(number, work),
    }
}

/// Why this machine does not have a device, in a sentence.
pub(super) fn why_no_device(device: DeviceSpec) -> Option<String> {
    struct Nothing;
    impl DeviceWork for Nothing {
        type Output = ();
        fn on<D: Ops>(self, _: &D) {}
    }
    let missing = on_device(device, Nothing).err()?;
    Some(format!("device = \"{device}\": {missing}"))
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn on_card<W: DeviceWork>(number: u32, work: W) -> Result<W::Output> {
    use super::kernels::KeptKernels;
    let card =
        crate::ops::cuda::open(number as usize, &KeptKernels::new()).map_err(|why| anyhow!(why))?;
    // What a card has no memory for, or is lost in, ends the work in hand, with its reason.
    crate::panics::panic_as_defect(|| Ok(work.on(&card)))
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
fn on_card<W: DeviceWork>(_: u32, _: W) -> Result<W::Output> {
    Err(anyhow!(
        "this program computes on NVIDIA GPUs under Linux on x86-64 and ARM64 alone; write \
         train.device = \"cpu\""
    ))
}
