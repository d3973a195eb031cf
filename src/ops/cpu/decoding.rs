//! Writing a text on the processor's own matrices: the reference of other devices. Texts of models
//! on the processor are written over plain arrays ([`super::inference`]).

use dfdx::prelude::Cpu;

use super::{inference, tape};
use crate::ops::{Decoding, Head, Mat};

impl Decoding for Cpu {
    /// Keys and values, (tokens, C) each.
    type Cache = [Vec<f32>; 2];

    fn writes_on_arrays() -> bool {
        true
    }

    fn cache(&self, positions: usize, width: usize) -> Self::Cache {
        let room = || Vec::with_capacity(positions * width);
        [room(), room()]
    }

    fn embed_behind(tokens: &[u32], held: usize, wte: &Mat<Self>, wpe: &Mat<Self>) -> Mat<Self> {
        let width = wte.shape().1;
        let (of_token, of_position) = (tape::values(wte), tape::values(wpe));
        let rows = tokens.iter().enumerate().flat_map(|(i, &token)| {
            let token = &of_token[token as usize * width..][..width];
            let position = &of_position[(held + i) * width..][..width];
            token.iter().zip(position).map(|(t, p)| t + p)
        });
        let device = wte.device();
        crate::ops::tape::matrix(device, tokens.len(), width, rows.collect())
    }

    fn attend(
        qkv: &Mat<Self>,
        [keys, values]: &mut Self::Cache,
        held: usize,
        heads: usize,
        scale: f32,
    ) -> Mat<Self> {
        let (rows, width) = (qkv.shape().0, qkv.shape().1 / 3);
        keys.truncate(held * width);
        values.truncate(held * width);
        for row in tape::values(qkv).chunks_exact(3 * width) {
            keys.extend_from_slice(&row[width..2 * width]);
            values.extend_from_slice(&row[2 * width..]);
        }
        let mut out = vec![0.0; rows * width];
        inference::attention(
            tape::values(qkv),
            keys,
            values,
            width,
            heads,
            scale,
            &mut out,
        );
        crate::ops::tape::matrix(qkv.device(), rows, width, out)
    }

    fn next_logits(hidden: &Mat<Self>, head: Head<Self>) -> Vec<f32> {
        let (rows, width) = *hidden.shape();
        let last = &tape::values(hidden)[(rows - 1) * width..];
        let mut logits = vec![0.0; head.matrix.shape().0];
        inference::head(tape::values(head.matrix), last, &mut logits);
        logits
    }
}
