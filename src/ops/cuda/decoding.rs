//! Writing a text on the card: a model reads on from keys and values that stay there, and the
//! logits of the next token come back.

use cudarc::driver::CudaSlice;
use dfdx::prelude::Cuda;

use super::buffers::{address, empty};
use super::card::{at, card, float, int, size, word};
use super::logits::last_logits;
use crate::ops::{Decoding, Head, Mat};

/// Keys and values of one layer, (positions, C) each.
#[derive(Debug)]
pub struct CardCache {
    keys: CudaSlice<f32>,
    values: CudaSlice<f32>,
    positions: usize,
}

impl Decoding for Cuda {
    type Cache = CardCache;

    fn writes_on_arrays() -> bool {
        false
    }

    fn cache(&self, positions: usize, width: usize) -> CardCache {
        CardCache {
            keys: card().scratch(positions * width),
            values: card().scratch(positions * width),
            positions,
        }
    }

    fn embed_behind(tokens: &[u32], held: usize, wte: &Mat<Self>, wpe: &Mat<Self>) -> Mat<Self> {
        let (rows, width) = (tokens.len(), wte.shape().1);
        assert!(
            tokens.iter().all(|&token| (token as usize) < wte.shape().0)
                && held + rows <= wpe.shape().0
                && wpe.shape().1 == width,
            "tokens and positions have rows"
        );
        let out = empty(wte.device(), rows, width);
        let ids = card().upload(tokens.to_vec());
        let positions = address(wpe) + (held * width * size_of::<f32>()) as u64;
        let arguments = [
            size(rows * width),
            int(width),
            int(rows),
            word(at(&ids)),
            word(address(wte)),
            word(positions),
            word(address(&out)),
        ];
        // SAFETY: the shapes were checked.
        unsafe { card().launch_each("embed_forward", rows * width, &arguments) };
        out
    }

    fn attend(
        qkv: &Mat<Self>,
        cache: &mut CardCache,
        held: usize,
        heads: usize,
        scale: f32,
    ) -> Mat<Self> {
        let (rows, width) = (qkv.shape().0, qkv.shape().1 / 3);
        assert!(
            held + rows <= cache.positions && width.is_multiple_of(heads),
            "room for new rows, and heads that divide the width"
        );
        let out = empty(qkv.device(), rows, width);
        let (keys, values) = (word(at(&cache.keys)), word(at(&cache.values)));
        let own = word(address(qkv));
        let kept = [
            size(2 * rows * width),
            int(width),
            int(held),
            own,
            keys,
            values,
        ];
        let visible = held + rows;
        let scores = card().scratch::<f32>(rows * heads * visible);
        let arguments = [
            int(held),
            int(visible),
            int(width),
            int(width / heads),
            float(scale),
            own,
            keys,
            values,
            word(at(&scores)),
            word(address(&out)),
        ];
        // SAFETY: the sizes were checked; every query and head has its row of scores.
        unsafe {
            card().launch_each("cache_rows", 2 * rows * width, &kept);
            card().launch("attend_rows", (rows, heads), 256, &arguments);
        }
        out
    }

    fn next_logits(hidden: &Mat<Self>, head: Head<Self>) -> Vec<f32> {
        last_logits(hidden, head)
    }
}
