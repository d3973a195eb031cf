//! Layer normalisation on the CPU (arXiv 1607.06450), with and without gain and bias.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::linear::add_column_sums;
use super::tape::{self, GradientPlace};
use super::vector::{self, dispatched, sum_of, sum_of_three, sum_of_two};
use crate::ops::Mat;

/// Rows that one task works on.
const ROWS: usize = 16;

/// (x − mean)/√(variance + ε)·gain + bias, row by row; the variance is that of the population.
pub fn layer_norm<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    gain: &Mat<Cpu>,
    bias: &Mat<Cpu>,
    epsilon: f64,
) -> Mat<Cpu, T> {
    let (rows, columns) = *x.shape();
    assert_eq!(
        (*gain.shape(), *bias.shape()),
        ((1, columns), (1, columns)),
        "gain and bias have a number for every column"
    );
    let (values, scales) = standardized(&x, epsilon);
    let (gains, biases) = (tape::read(gain), tape::values(bias));
    let normalized = |row: usize| &values[row * columns..(row + 1) * columns];
    let (out, _) = vector::rows_from(rows, columns, ROWS, normalized, |_, row| {
        affine_in_place(row, &gains, biases)
    });

    let (x, tape) = x.split_tape();
    let out = tape::matrix(gain.device(), rows, columns, out);
    let (x, gain, bias) = (
        GradientPlace::of(&x),
        GradientPlace::of(gain),
        GradientPlace::of(bias),
    );
    tape::record(tape, out, move |gradients, mut incoming| {
        add_column_sums(&incoming, bias.get(gradients)?);
        let into_x = x.get(gradients)?;
        let tasks = into_x
            .par_chunks_mut(columns)
            .zip(incoming.par_chunks_mut(columns))
            .zip(values.par_chunks(columns))
            .zip(scales.par_iter());
        tasks
            .with_min_len(ROWS)
            .for_each(|(((sum, g), normalized), scale)| {
                backward_row(sum, g, normalized, &gains, *scale)
            });
        // Each row of `incoming` now holds g·x̂, whose column sums are the gain's gradient.
        add_column_sums(&incoming, gain.get(gradients)?);
        Ok(())
    })
}

/// Layer normalisation without gain and bias.
pub fn standardize<T: Tape<f32, Cpu>>(x: Mat<Cpu, T>, epsilon: f64) -> Mat<Cpu, T> {
    let (rows, columns) = *x.shape();
    let (values, scales) = standardized(&x, epsilon);
    let (x, tape) = x.split_tape();
    let out = tape::matrix(x.device(), rows, columns, values.clone());
    let x = GradientPlace::of(&x);
    let gains = vec![1.0f32; columns];
    tape::record(tape, out, move |gradients, mut incoming| {
        let into_x = x.get(gradients)?;
        let tasks = into_x
            .par_chunks_mut(columns)
            .zip(incoming.par_chunks_mut(columns))
            .zip(values.par_chunks(columns))
            .zip(scales.par_iter());
        tasks
            .with_min_len(ROWS)
            .for_each(|(((sum, g), normalized), scale)| {
                backward_row(sum, g, normalized, &gains, *scale)
            });
        Ok(())
    })
}

/// Every row normalised, and its 1/√(variance + ε).
fn standardized<T>(x: &Mat<Cpu, T>, epsilon: f64) -> (Vec<f32>, Vec<f32>) {
    let (rows, columns) = *x.shape();
    let x = tape::values(x);
    vector::rows_from(
        rows,
        columns,
        ROWS,
        |row| &x[row * columns..(row + 1) * columns],
        |_, row| standardize_row(row, epsilon),
    )
}

dispatched! {
    pub(super) fn standardize_row(row: &mut [f32], epsilon: f64) -> f32 {
        let count = row.len() as f64;
        let mean = (sum_of(row, |x| x) / count) as f32;
        for x in row.iter_mut() {
            *x -= mean;
        }
        let variance = sum_of(row, |x| x * x) / count;
        let scale = (1.0 / (variance + epsilon).sqrt()) as f32;
        for x in row.iter_mut() {
            *x *= scale;
        }
        scale
    }
}

dispatched! {
    pub(super) fn affine(out: &mut [f32], x: &[f32], gain: &[f32], bias: &[f32]) {
        let columns = out.len();
        let (x, gain, bias) = (&x[..columns], &gain[..columns], &bias[..columns]);
        for i in 0..columns {
            out[i] = x[i] * gain[i] + bias[i];
        }
    }
}

dispatched! {
    fn affine_in_place(x: &mut [f32], gain: &[f32], bias: &[f32]) {
        let columns = x.len();
        let (gain, bias) = (&gain[..columns], &bias[..columns]);
        for i in 0..columns {
            x[i] = x[i] * gain[i] + bias[i];
        }
    }
}

dispatched! {
    /// With d = g·gain: sum += scale·(d − mean d − x̂·mean(d·x̂)), and g becomes g·x̂.
    fn backward_row(sum: &mut [f32], g: &mut [f32], normalized: &[f32], gain: &[f32], scale: f32) {
        let columns = sum.len();
        let (normalized, gain) = (&normalized[..columns], &gain[..columns]);
        let g = &mut g[..columns];
        let mean = (sum_of_two(g, gain, |g, gain| g * gain) / columns as f64) as f32;
        let along = sum_of_three(g, gain, normalized, |g, gain, x| g * gain * x);
        let along = (along / columns as f64) as f32;
        for i in 0..columns {
            sum[i] += scale * (g[i] * gain[i] - mean - normalized[i] * along);
            g[i] *= normalized[i];
        }
    }
}
