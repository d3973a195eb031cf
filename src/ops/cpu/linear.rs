//! Linear layers on the CPU: product, bias, and what follows them in one pass.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::activation::{activate, activate_with_slope};
use super::matmul::product;
use super::product::Product;
use super::tape::{self, GradientPlace};
use super::vector::{self, dispatched};
use crate::ops::{Activation, Mat, Precision};

/// Elements that one task works on.
const CHUNK: usize = 1 << 14;
/// Rows whose sum one task makes.
const ROWS: usize = 64;

/// x·W + b, (N, I)·(I, O) + (1, O).
pub fn linear<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    weight: &Mat<Cpu>,
    bias: &Mat<Cpu>,
    precision: Precision,
) -> Mat<Cpu, T> {
    let out = forward(&x, weight, bias, precision);
    let (x, tape) = x.split_tape();
    let out = tape::matrix(weight.device(), x.shape().0, weight.shape().1, out);
    let keep = SavedForBackward::new(x, weight, bias, precision);
    tape::record(tape, out, move |gradients, incoming| {
        keep.backward(gradients, &incoming)
    })
}

/// f(x·W + b), f the activation.
pub fn linear_activated<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    weight: &Mat<Cpu>,
    bias: &Mat<Cpu>,
    activation: Activation,
    precision: Precision,
) -> Mat<Cpu, T> {
    let mut out = forward(&x, weight, bias, precision);
    let (x, tape) = x.split_tape();
    let mut slopes = vec![0.0f32; if T::OWNS_TAPE { out.len() } else { 0 }];
    if T::OWNS_TAPE {
        out.par_chunks_mut(CHUNK)
            .zip(slopes.par_chunks_mut(CHUNK))
            .for_each(|(y, slope)| activate_with_slope(activation, y, slope));
    } else {
        out.par_chunks_mut(CHUNK)
            .for_each(|y| activate(activation, y));
    }
    let out = tape::matrix(weight.device(), x.shape().0, weight.shape().1, out);
    let keep = SavedForBackward::new(x, weight, bias, precision);
    tape::record(tape, out, move |gradients, mut incoming| {
        incoming
            .par_chunks_mut(CHUNK)
            .zip(slopes.par_chunks(CHUNK))
            .for_each(|(g, slope)| multiply(g, slope));
        keep.backward(gradients, &incoming)
    })
}

/// x·W + b + residual; the gradient flows to the residual as well.
pub fn linear_residual<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    weight: &Mat<Cpu>,
    bias: &Mat<Cpu>,
    residual: &Mat<Cpu>,
    precision: Precision,
) -> Mat<Cpu, T> {
    let (rows, (inner, columns)) = (x.shape().0, *weight.shape());
    assert_eq!(
        *residual.shape(),
        (rows, columns),
        "the residual has the shape of the result"
    );
    let (residual_values, bias_values) = (tape::values(residual), tape::values(bias));
    let residual_row = |row: usize| &residual_values[row * columns..(row + 1) * columns];
    let (mut out, _) = vector::rows_from(rows, columns, ROWS, residual_row, |_, row| {
        vector::add(row, bias_values)
    });
    product(
        Product::new(rows, inner, columns)
            .accumulate()
            .precision(precision),
        tape::values(&x),
        tape::values(weight),
        &mut out,
    );

    let (x, tape) = x.split_tape();
    let out = tape::matrix(weight.device(), rows, columns, out);
    let (residual, keep) = (
        GradientPlace::of(residual),
        SavedForBackward::new(x, weight, bias, precision),
    );
    tape::record(tape, out, move |gradients, incoming| {
        keep.backward(gradients, &incoming)?;
        add_gradient(gradients, &residual, incoming)
    })
}

/// Adds a whole gradient to what has arrived at `x` already.
fn add_gradient(
    gradients: &mut Gradients<f32, Cpu>,
    x: &GradientPlace,
    gradient: Vec<f32>,
) -> Result<(), CpuError> {
    let sums = x.get(gradients)?;
    sums.par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .for_each(|(sum, g)| vector::add(sum, g));
    Ok(())
}

/// x·W + b.
fn forward<T>(
    x: &Mat<Cpu, T>,
    weight: &Mat<Cpu>,
    bias: &Mat<Cpu>,
    precision: Precision,
) -> Vec<f32> {
    let (rows, (inner, columns)) = (x.shape().0, *weight.shape());
    assert_eq!(
        x.shape().1,
        inner,
        "the weight has a row for every column of x"
    );
    assert_eq!(
        *bias.shape(),
        (1, columns),
        "the bias has a number for every column of the weight"
    );
    let bias = tape::values(bias);
    let (mut out, _) = vector::rows_from(rows, columns, ROWS, |_| bias, |_, _| ());
    product(
        Product::new(rows, inner, columns)
            .accumulate()
            .precision(precision),
        tape::values(x),
        tape::values(weight),
        &mut out,
    );
    out
}

/// What the backward pass needs of a layer.
struct SavedForBackward {
    x: Mat<Cpu>,
    x_place: GradientPlace,
    weight: Mat<Cpu>,
    weight_place: GradientPlace,
    bias: GradientPlace,
    precision: Precision,
}

impl SavedForBackward {
    fn new(x: Mat<Cpu>, weight: &Mat<Cpu>, bias: &Mat<Cpu>, precision: Precision) -> Self {
        Self {
            x_place: GradientPlace::of(&x),
            x,
            weight: weight.clone(),
            weight_place: GradientPlace::of(weight),
            bias: GradientPlace::of(bias),
            precision,
        }
    }

    /// dx += g·Wᵀ, dW += xᵀ·g, db += Σ g.
    fn backward(
        &self,
        gradients: &mut Gradients<f32, Cpu>,
        incoming: &[f32],
    ) -> Result<(), CpuError> {
        let (inner, columns) = *self.weight.shape();
        let rows = incoming.len() / columns;
        let back = Product::new(rows, columns, inner)
            .right_transposed()
            .accumulate()
            .precision(self.precision);
        product(
            back,
            incoming,
            tape::values(&self.weight),
            self.x_place.get(gradients)?,
        );
        let outer = Product::new(inner, rows, columns)
            .left_transposed()
            .accumulate()
            .precision(self.precision);
        product(
            outer,
            tape::values(&self.x),
            incoming,
            self.weight_place.get(gradients)?,
        );
        add_column_sums(incoming, self.bias.get(gradients)?);
        Ok(())
    }
}

/// sums += Σ over rows, in blocks of fixed rows.
pub(super) fn add_column_sums(x: &[f32], sums: &mut [f32]) {
    let columns = sums.len();
    let blocks: Vec<Vec<f32>> = x
        .par_chunks(ROWS * columns)
        .map(|block| {
            let mut sum = vec![0.0f32; columns];
            block
                .chunks_exact(columns)
                .for_each(|row| vector::add(&mut sum, row));
            sum
        })
        .collect();
    blocks.iter().for_each(|block| vector::add(sums, block));
}

dispatched! {
    fn multiply(x: &mut [f32], y: &[f32]) {
        for (x, y) in x.iter_mut().zip(y) {
            *x *= y;
        }
    }
}
