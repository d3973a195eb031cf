//! The layers composed of dfdx's own operations.

use dfdx::prelude::*;

use super::{Raw, crossing};
use crate::ops::Mat;
use crate::ops::activation::{Activation, NORMAL_TAIL, QUICK, TAIL_SCALE};

/// A (1, C) matrix as every one of `rows` rows.
fn every_row<T: Tape<f32, Cpu>>(vector: Raw<T>, rows: usize) -> Raw<T> {
    let columns = vector.shape().1;
    vector
        .reshape_like(&(columns,))
        .broadcast_like::<_, Axis<0>>(&(rows, columns))
}

/// See [`crate::ops::Layers::embed`].
pub fn embed<T: Tape<f32, Cpu>>(
    tape: T,
    tokens: &[u32],
    context: usize,
    wte: &Mat<Cpu>,
    wpe: &Mat<Cpu>,
) -> Mat<Cpu, T> {
    let (wte, wpe) = (wte.tensor.clone(), wpe.tensor.clone());
    let device = wte.device().clone();
    let indices = |values: Vec<usize>| -> Tensor<(usize,), usize, Cpu> {
        device.tensor_from_vec(values, (tokens.len(),))
    };
    let own = wte.put_tape(tape).gather(indices(
        tokens.iter().map(|&token| token as usize).collect(),
    ));
    let (own, tape) = own.split_tape();
    let positions = wpe.put_tape(tape).gather(indices(
        (0..tokens.len()).map(|row| row % context).collect(),
    ));
    crossing(positions + own)
}

/// See [`crate::ops::Layers::layer_norm`].
pub fn layer_norm<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    gain: &Mat<Cpu>,
    bias: &Mat<Cpu>,
    epsilon: f64,
) -> Mat<Cpu, T> {
    let rows = x.shape().0;
    let (x, tape) = standardize(x, epsilon).tensor.split_tape();
    let gain = every_row(gain.tensor.clone().put_tape(tape), rows);
    let (x, tape) = (gain * x).split_tape();
    crossing(every_row(bias.tensor.clone().put_tape(tape), rows) + x)
}

/// See [`crate::ops::Layers::standardize`].
pub fn standardize<T: Tape<f32, Cpu>>(x: Mat<Cpu, T>, epsilon: f64) -> Mat<Cpu, T> {
    crossing(x.tensor.normalize::<Axis<1>>(epsilon))
}

/// x·W + b.
fn affine<T: Tape<f32, Cpu>>(x: Mat<Cpu, T>, weight: &Mat<Cpu>, bias: &Mat<Cpu>) -> Raw<T> {
    let rows = x.shape().0;
    let (out, tape) = x.tensor.matmul(weight.tensor.clone()).split_tape();
    every_row(bias.tensor.clone().put_tape(tape), rows) + out
}

/// See [`crate::ops::Layers::linear`].
pub fn linear<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    weight: &Mat<Cpu>,
    bias: &Mat<Cpu>,
) -> Mat<Cpu, T> {
    crossing(affine(x, weight, bias))
}

/// See [`crate::ops::Layers::linear_activated`].
pub fn linear_activated<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    weight: &Mat<Cpu>,
    bias: &Mat<Cpu>,
    activation: Activation,
) -> Mat<Cpu, T> {
    let y = affine(x, weight, bias);
    crossing(match activation {
        Activation::GeluTanh => y.fast_gelu(),
        Activation::Gelu => gelu(y),
        Activation::QuickGelu => gated(y, QUICK),
        Activation::Relu => y.relu(),
        Activation::Silu => gated(y, 1.0),
        Activation::Tanh => y.tanh(),
    })
}

/// y·σ(scale·y).
fn gated<T: Tape<f32, Cpu>>(y: Raw<T>, scale: f32) -> Raw<T> {
    let (y, tape) = y.split_tape();
    (y.clone().put_tape(tape) * scale).sigmoid() * y
}

/// y·Φ(y) as ½y + |y|·(½ − tail of the normal at |y|), which autograd can go through at 0 too.
fn gelu<T: Tape<f32, Cpu>>(y: Raw<T>) -> Raw<T> {
    let (y, tape) = y.split_tape();
    let (size, tape) = y.clone().put_tape(tape).abs().split_tape();
    let (t, tape) = (size.clone().put_tape(tape) * TAIL_SCALE + 1.0)
        .recip()
        .split_tape();
    let mut tail = t.clone().put_tape(tape) * NORMAL_TAIL[9] + NORMAL_TAIL[8];
    for k in (0..8).rev() {
        tail = tail * t.clone() + NORMAL_TAIL[k];
    }
    let (tail, tape) = tail.split_tape();
    let density = (size.clone().put_tape(tape).square() * -0.5).exp();
    let above = (density * tail).negate() + 0.5;
    let (half, tape) = (above * size).split_tape();
    y.put_tape(tape) * 0.5 + half
}

/// See [`crate::ops::Layers::linear_residual`].
pub fn linear_residual<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    weight: &Mat<Cpu>,
    bias: &Mat<Cpu>,
    residual: &Mat<Cpu>,
) -> Mat<Cpu, T> {
    crossing(affine(x, weight, bias) + residual.tensor.clone())
}

/// See [`crate::ops::Layers::attention`].
pub fn attention<T: Tape<f32, Cpu>>(
    qkv: Mat<Cpu, T>,
    context: usize,
    heads: usize,
    scale: f32,
) -> Mat<Cpu, T> {
    let (rows, columns) = *qkv.shape();
    let (width, batch) = (columns / 3, rows / context);
    let head = width / heads;
    let (qkv, tape) = qkv.tensor.split_tape();
    let device = qkv.device().clone();
    let part = |part: usize, tape: T| {
        let columns = part * width..(part + 1) * width;
        qkv.clone()
            .put_tape(tape)
            .slice((0..rows, columns))
            .reshape_like(&(batch, context, heads, head))
            .permute::<_, Axes4<0, 2, 1, 3>>()
    };
    let (queries, tape) = part(0, tape).split_tape();
    let (keys, tape) = part(1, tape).split_tape();
    let (values, tape) = part(2, tape).split_tape();
    let keys = keys.put_tape(tape).permute::<_, Axes4<0, 1, 3, 2>>();
    let (keys, tape) = keys.split_tape();
    let scores = queries.put_tape(tape).matmul(keys) * scale;
    let mask: Tensor<(usize, usize), f32, Cpu> =
        device.upper_tri_like(&(context, context), -1e30, 1);
    let weights = (scores
        + mask.broadcast_like::<_, Axes2<0, 1>>(&(batch, heads, context, context)))
    .softmax::<Axis<3>>();
    let out = weights.matmul(values).permute::<_, Axes4<0, 2, 1, 3>>();
    crossing(out.reshape_like(&(rows, width)))
}
