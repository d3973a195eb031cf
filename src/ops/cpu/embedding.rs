//! Token and position embeddings on the CPU.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::tape::{self, GradientPlace};
use super::vector;
use crate::ops::Mat;

/// Row i is wte[token i] + wpe[i mod context], (N, C).
pub fn embed<T: Tape<f32, Cpu>>(
    tape: T,
    tokens: &[u32],
    context: usize,
    wte: &Mat<Cpu>,
    wpe: &Mat<Cpu>,
) -> Mat<Cpu, T> {
    let columns = wte.shape().1;
    let (tokens_values, positions) = (tape::values(wte), tape::values(wpe));
    let mut out = vec![0.0f32; tokens.len() * columns];
    out.par_chunks_mut(columns)
        .zip(tokens.par_iter())
        .enumerate()
        .with_min_len(64)
        .for_each(|(row, (out, &token))| {
            out.copy_from_slice(&tokens_values[token as usize * columns..][..columns]);
            vector::add(out, &positions[row % context * columns..][..columns]);
        });
    let out = tape::matrix(wte.device(), tokens.len(), columns, out);
    let (wte, wpe, tokens) = (
        GradientPlace::of(wte),
        GradientPlace::of(wpe),
        tokens.to_vec(),
    );
    tape::record(tape, out, move |gradients, incoming| {
        let into_wpe = wpe.get(gradients)?;
        into_wpe
            .par_chunks_mut(columns)
            .take(context)
            .enumerate()
            .for_each(|(position, sum)| {
                incoming
                    .chunks_exact(columns)
                    .skip(position)
                    .step_by(context)
                    .for_each(|g| vector::add(sum, g));
            });
        let into_wte = wte.get(gradients)?;
        // In the order of the rows: several may hold one token.
        for (&token, g) in tokens.iter().zip(incoming.chunks_exact(columns)) {
            vector::add(&mut into_wte[token as usize * columns..][..columns], g);
        }
        Ok(())
    })
}
