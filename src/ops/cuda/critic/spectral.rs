//! Spectral normalisation of the weights of all critics that are trained together, as the
//! processor's `spectral.rs` has it.

use std::ops::Range;

use cudarc::driver::CudaSlice;

use super::batch::{Arrays, Together};
use super::state::weights_of;
use crate::ops::cpu::critic::CriticLayout;
use crate::ops::cuda::api::Address;
use crate::ops::cuda::card::{at, card, int, size, word};

/// Blocks that sum the products of a weight's elements.
const PARTS: usize = 64;

/// A weight: where it is among the parameters, its shape, and where its vectors are.
#[derive(Debug)]
struct SpectralWeight {
    place: Range<usize>,
    rows: usize,
    columns: usize,
    /// Of u; v is behind it.
    vectors: usize,
}

impl SpectralWeight {
    fn v(&self) -> usize {
        self.vectors + self.rows
    }
}

/// The weights of all critics with their singular vectors, and σ of each.
#[derive(Debug)]
pub(super) struct CardSpectral {
    critics: Together,
    weights: Vec<SpectralWeight>,
    /// Of every critic, the address of its parameters and that of its vectors.
    parameters: Address,
    vectors: Address,
    /// (critics, weights).
    sigmas: CudaSlice<f64>,
    /// Wᵀu or Wv of every critic.
    products: CudaSlice<f64>,
    /// The longest vector.
    longest: usize,
}

impl CardSpectral {
    /// For critics whose parameters and vectors are at the addresses that lie at two places.
    pub fn new(
        critics: Together,
        layout: &CriticLayout,
        width: usize,
        [parameters, vectors]: [Address; 2],
    ) -> Self {
        let places = layout.layers.iter().map(|layer| layer.weight.clone());
        let places = places.chain([layout.out.clone()]);
        let (mut weights, mut next, mut longest) = (Vec::new(), 0, 0);
        for (place, [rows, columns]) in places.zip(weights_of(layout, width)) {
            longest = longest.max(rows).max(columns);
            weights.push(SpectralWeight {
                place,
                rows,
                columns,
                vectors: next,
            });
            next += rows + columns;
        }
        Self {
            sigmas: card().scratch(critics.0 * weights.len()),
            products: card().scratch(critics.0 * longest),
            critics,
            weights,
            parameters,
            vectors,
            longest,
        }
    }

    /// One power iteration of every weight.
    ///
    /// # Safety
    /// The addresses are those of as many critics of that layout.
    pub unsafe fn iterate(&self) {
        let (products, stride) = (word(at(&self.products)), size(self.longest));
        let (parameters, vectors) = (word(self.parameters), word(self.vectors));
        for weight in &self.weights {
            let (rows, columns) = (int(weight.rows), int(weight.columns));
            let (offset, u) = (size(weight.place.start), size(weight.vectors));
            let against = [
                rows, columns, offset, parameters, u, vectors, products, stride,
            ];
            let blocks = (weight.columns.div_ceil(32), self.critics.0);
            let of_v = [columns, products, stride, size(weight.v()), vectors];
            let of_u = [rows, products, stride, u, vectors];
            // SAFETY: as the caller promised.
            unsafe {
                card().launch("spectral_columns", blocks, 256, &against);
                self.critics.blocks("spectral_unit", &of_v);
                self.multiply(weight);
                self.critics.blocks("spectral_unit", &of_u);
            }
        }
    }

    /// Wv of a weight.
    ///
    /// # Safety
    /// As [`CardSpectral::iterate`].
    unsafe fn multiply(&self, weight: &SpectralWeight) {
        let arguments = [
            int(weight.rows),
            int(weight.columns),
            size(weight.place.start),
            word(self.parameters),
            size(weight.v()),
            word(self.vectors),
            word(at(&self.products)),
            size(self.longest),
        ];
        // SAFETY: as the caller promised.
        unsafe { self.critics.rows("spectral_rows", weight.rows, &arguments) };
    }

    /// Divides every weight of `parameters` by its σ.
    ///
    /// # Safety
    /// As [`CardSpectral::iterate`]; `parameters` are those of every critic.
    pub unsafe fn normalize(&self, parameters: Arrays) {
        for (index, weight) in self.weights.iter().enumerate() {
            let sigma = [
                int(weight.rows),
                word(at(&self.products)),
                size(self.longest),
                size(weight.vectors),
                word(self.vectors),
                int(index),
                int(self.weights.len()),
                word(at(&self.sigmas)),
            ];
            let [own, stride] = parameters.from(weight.place.start).arguments();
            let (index, weights) = (int(index), int(self.weights.len()));
            let scale = [index, weights, word(at(&self.sigmas)), own, stride];
            // SAFETY: as the caller promised.
            unsafe {
                self.multiply(weight);
                self.critics.blocks("spectral_sigma", &sigma);
                self.critics
                    .each("spectral_scale", weight.place.len(), &scale);
            }
        }
    }

    /// Turns the gradients for the normalised weights, which `effective` are, into those for the
    /// weights.
    ///
    /// # Safety
    /// As [`CardSpectral::normalize`], which was called with the vectors as they are.
    pub unsafe fn backward(&self, effective: Arrays, gradient: Arrays) {
        let partial: CudaSlice<f64> = card().scratch(self.critics.0 * PARTS);
        for (index, weight) in self.weights.iter().enumerate() {
            let count = weight.place.len();
            let [own, stride] = gradient.from(weight.place.start).arguments();
            let [normalized, _] = effective.from(weight.place.start).arguments();
            let dots = [size(count), own, normalized, stride, word(at(&partial))];
            let slopes = [
                int(weight.columns),
                int(PARTS),
                word(at(&partial)),
                int(index),
                int(self.weights.len()),
                word(at(&self.sigmas)),
                size(weight.vectors),
                size(weight.v()),
                word(self.vectors),
                own,
                stride,
            ];
            // SAFETY: as the caller promised.
            unsafe {
                card().launch("spectral_dots", (PARTS, self.critics.0), 256, &dots);
                self.critics.each("spectral_slopes", count, &slopes);
            }
        }
    }
}
