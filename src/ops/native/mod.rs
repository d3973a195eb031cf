//! The device that runs are trained on, and how independent work is shared out on it.
//!
//! The feature `cuda` chooses between a file for each kind of device; both define the same names.

#[cfg(not(feature = "cuda"))]
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;

#[cfg(not(feature = "cuda"))]
pub use cpu::{AcrossThreads as DeviceBounds, Native, in_parts, on_a_worker, side_by_side};
#[cfg(feature = "cuda")]
pub use cuda::{Native, OneThread as DeviceBounds, in_parts, on_a_worker, side_by_side};

/// The device that runs are trained on. Random numbers never come from it.
pub fn native() -> Native {
    Native::default()
}
