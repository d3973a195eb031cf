//! The activations of a block's MLP on the CPU: values and slopes.

use super::vector::{dispatched, exp};
use crate::ops::activation::{Activation, NORMAL_TAIL, QUICK, TAIL_SCALE};

/// √(2/π), and the cubic coefficient of the tanh GELU.
const GELU: (f32, f32) = (0.797_884_6, 0.044_715);
/// 1/√(2π).
const NORMAL_DENSITY: f32 = 0.398_942_3;

dispatched! {
    /// Activates in place.
    pub(super) fn activate(activation: Activation, y: &mut [f32]) {
        match activation {
            Activation::GeluTanh => each(y, gelu_tanh),
            Activation::Gelu => each(y, gelu),
            Activation::QuickGelu => each(y, quick_gelu),
            Activation::Relu => each(y, relu),
            Activation::Silu => each(y, silu),
            Activation::Tanh => each(y, tanh),
        }
    }
}

dispatched! {
    /// Activates in place, and leaves the derivatives in `slope`.
    pub(super) fn activate_with_slope(activation: Activation, y: &mut [f32], slope: &mut [f32]) {
        match activation {
            Activation::GeluTanh => each_with_slope(y, slope, gelu_tanh),
            Activation::Gelu => each_with_slope(y, slope, gelu),
            Activation::QuickGelu => each_with_slope(y, slope, quick_gelu),
            Activation::Relu => each_with_slope(y, slope, relu),
            Activation::Silu => each_with_slope(y, slope, silu),
            Activation::Tanh => each_with_slope(y, slope, tanh),
        }
    }
}

#[inline(always)]
fn each(y: &mut [f32], f: impl Fn(f32) -> (f32, f32)) {
    for y in y {
        *y = f(*y).0;
    }
}

#[inline(always)]
fn each_with_slope(y: &mut [f32], slope: &mut [f32], f: impl Fn(f32) -> (f32, f32)) {
    for (y, slope) in y.iter_mut().zip(slope) {
        (*y, *slope) = f(*y);
    }
}

/// With s = 1/(1 + e^(−2u)), u the argument of the tanh: y·s and s + y·s·(1 − s)·2u'.
#[inline(always)]
fn gelu_tanh(y: f32) -> (f32, f32) {
    let (a, c) = GELU;
    let square = y * y;
    let u = a * y * (1.0 + c * square);
    let s = 1.0 / (1.0 + exp(-2.0 * u));
    (
        y * s,
        s + y * s * (1.0 - s) * (2.0 * a * (1.0 + 3.0 * c * square)),
    )
}

/// y·Φ(y) and Φ(y) + y·φ(y).
#[inline(always)]
fn gelu(y: f32) -> (f32, f32) {
    let a = y.abs();
    let e = exp(-0.5 * (a * a));
    let t = 1.0 / (1.0 + TAIL_SCALE * a);
    let mut tail = NORMAL_TAIL[9];
    for k in (0..9).rev() {
        tail = tail * t + NORMAL_TAIL[k];
    }
    let tail = tail * e;
    let below = if y > 0.0 { 1.0 - tail } else { tail };
    (y * below, below + y * (e * NORMAL_DENSITY))
}

#[inline(always)]
fn quick_gelu(y: f32) -> (f32, f32) {
    let s = 1.0 / (1.0 + exp(-QUICK * y));
    (y * s, s + QUICK * (y * s * (1.0 - s)))
}

#[inline(always)]
fn relu(y: f32) -> (f32, f32) {
    // A NaN stays one.
    if y < 0.0 {
        (0.0, 0.0)
    } else {
        (y, if y > 0.0 { 1.0 } else { 0.0 })
    }
}

#[inline(always)]
fn silu(y: f32) -> (f32, f32) {
    let s = 1.0 / (1.0 + exp(-y));
    (y * s, s + y * s * (1.0 - s))
}

#[inline(always)]
fn tanh(y: f32) -> (f32, f32) {
    let t = y.tanh();
    (t, 1.0 - t * t)
}

#[cfg(test)]
#[path = "activation_tests.rs"]
mod tests;
