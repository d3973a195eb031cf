//! Layers and losses composed of dfdx's own operations: what a device without kernels of its own
//! runs, and the reference that fused kernels are tested against.

pub mod layers;
pub mod losses;
