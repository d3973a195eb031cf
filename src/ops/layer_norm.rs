//! Layer normalisation on the CPU (arXiv 1607.06450), with and without gain and bias.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::Mat;
use super::linear::add_column_sums;
use super::tape::{self, Place};
use super::vector::{dispatched, sum_by};

/// Rows that one task works on.
const ROWS: usize = 16;

/// (x − mean)/√(variance + ε)·gain + bias, row by row; the variance is that of the population.
pub fn layer_norm<T: Tape<f32, Cpu>>(x: Mat<Cpu, T>, gain: &Mat<Cpu>, bias: &Mat<Cpu>, epsilon: f64) -> Mat<Cpu, T> {
    let (rows, columns) = *x.shape();
    assert_eq!((*gain.shape(), *bias.shape()), ((1, columns), (1, columns)), "gain and bias have a number for every column");
    let (values, scales) = standardized(&x, epsilon);
    let mut out = vec![0.0f32; values.len()];
    let (gains, biases) = (tape::read(gain), tape::values(bias));
    out.par_chunks_mut(columns).zip(values.par_chunks(columns)).with_min_len(ROWS).for_each(|(out, x)| affine(out, x, &gains, biases));

    let (x, tape) = x.split_tape();
    let out = tape::matrix(gain.device(), rows, columns, out);
    let (x, gain, bias) = (Place::of(&x), Place::of(gain), Place::of(bias));
    tape::record(tape, out, move |gradients, mut incoming| {
        add_column_sums(&incoming, bias.get(gradients)?);
        let into_x = x.get(gradients)?;
        let tasks =
            into_x.par_chunks_mut(columns).zip(incoming.par_chunks_mut(columns)).zip(values.par_chunks(columns)).zip(scales.par_iter());
        tasks.with_min_len(ROWS).for_each(|(((sum, g), normalized), scale)| backward_row(sum, g, normalized, &gains, *scale));
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
    let x = Place::of(&x);
    let gains = vec![1.0f32; columns];
    tape::record(tape, out, move |gradients, mut incoming| {
        let into_x = x.get(gradients)?;
        let tasks =
            into_x.par_chunks_mut(columns).zip(incoming.par_chunks_mut(columns)).zip(values.par_chunks(columns)).zip(scales.par_iter());
        tasks.with_min_len(ROWS).for_each(|(((sum, g), normalized), scale)| backward_row(sum, g, normalized, &gains, *scale));
        Ok(())
    })
}

/// Every row normalised, and its 1/√(variance + ε).
fn standardized<T>(x: &Mat<Cpu, T>, epsilon: f64) -> (Vec<f32>, Vec<f32>) {
    let (rows, columns) = *x.shape();
    let mut values = vec![0.0f32; rows * columns];
    let rows = values.par_chunks_mut(columns).zip(tape::values(x).par_chunks(columns)).with_min_len(ROWS);
    let scales = rows
        .map(|(row, x)| {
            row.copy_from_slice(x);
            standardize_row(row, epsilon)
        })
        .collect();
    (values, scales)
}

dispatched! {
    pub(super) fn standardize_row(row: &mut [f32], epsilon: f64) -> f32 {
        let count = row.len() as f64;
        let mean = (sum_by(row.len(), |i| row[i]) / count) as f32;
        for x in row.iter_mut() {
            *x -= mean;
        }
        let variance = sum_by(row.len(), |i| row[i] * row[i]) / count;
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
    /// With d = g·gain: sum += scale·(d − mean d − x̂·mean(d·x̂)), and g becomes g·x̂.
    fn backward_row(sum: &mut [f32], g: &mut [f32], normalized: &[f32], gain: &[f32], scale: f32) {
        let columns = sum.len();
        let (normalized, gain) = (&normalized[..columns], &gain[..columns]);
        let g = &mut g[..columns];
        let mean = (sum_by(columns, |i| g[i] * gain[i]) / columns as f64) as f32;
        let along = (sum_by(columns, |i| g[i] * gain[i] * normalized[i]) / columns as f64) as f32;
        for i in 0..columns {
            sum[i] += scale * (g[i] * gain[i] - mean - normalized[i] * along);
            g[i] *= normalized[i];
        }
    }
}
