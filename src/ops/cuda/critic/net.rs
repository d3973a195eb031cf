//! Passes over the networks of all critics that are trained together, as
//! [`crate::ops::cpu::critic`] has them: rows are vectors, activations a_l = σ(z_l), factors u_l.

use cudarc::driver::CudaSlice;

use super::batch::{Arrays, CriticNumbers, Together};
use crate::ops::Precision;
use crate::ops::cpu::critic::CriticLayout;
use crate::ops::critic::CriticSettings;
use crate::ops::cuda::card::{at, card, float, int, size, word};
use crate::ops::cuda::product::CardProduct;

/// Rows whose sum one block makes.
const ROWS_EACH: usize = 64;

/// What all critics have in common, and the weights that their forward passes use.
#[derive(Debug)]
pub(super) struct CriticNets<'a> {
    pub critics: Together,
    pub settings: &'a CriticSettings,
    pub layout: &'a CriticLayout,
    /// Of the products of layers.
    pub precision: Precision,
    weights: CriticNumbers,
}

/// Rows of every critic that go through its network together: activations and factors of every
/// layer, each (rows, width).
#[derive(Debug)]
pub(super) struct CriticRows {
    activations: Vec<CriticNumbers>,
    factors: Vec<CriticNumbers>,
    pub count: usize,
    width: usize,
}

impl CriticRows {
    /// Room for so many rows of each critic.
    pub fn new(nets: &CriticNets, count: usize) -> Self {
        let width = nets.settings.width;
        let layers = || {
            let size = nets.critics.0 * count * width;
            let layer = |_: &_| CriticNumbers::new(size, nets.precision);
            nets.layout.layers.iter().map(layer).collect()
        };
        Self {
            activations: layers(),
            factors: layers(),
            count,
            width,
        }
    }

    /// The same room, used for fewer rows.
    pub fn of(&mut self, count: usize) -> &Self {
        self.count = count;
        self
    }

    fn stride(&self) -> usize {
        self.count * self.width
    }

    pub fn activations(&self, layer: usize) -> Arrays {
        self.activations[layer].arrays(self.stride())
    }

    pub fn factors(&self, layer: usize) -> Arrays {
        self.factors[layer].arrays(self.stride())
    }
}

impl<'a> CriticNets<'a> {
    /// Networks of so many critics, whose weights are still to be filled in.
    pub fn new(
        critics: Together,
        settings: &'a CriticSettings,
        layout: &'a CriticLayout,
        precision: Precision,
    ) -> Self {
        Self {
            critics,
            settings,
            layout,
            precision,
            weights: CriticNumbers::new(critics.0 * layout.count(), precision),
        }
    }

    /// All parameters of every critic, as the forward pass uses them.
    pub fn parameters(&self) -> Arrays {
        self.weights.arrays(self.layout.count())
    }

    /// Rounds the weights once they are filled in.
    pub fn finish_weights(&self) {
        // SAFETY: there are as many.
        unsafe { self.weights.round(self.critics.0 * self.layout.count()) };
    }

    /// The weight of a hidden layer, (input, width).
    pub fn weight(&self, layer: usize) -> Arrays {
        self.parameters()
            .from(self.layout.layers[layer].weight.start)
    }

    fn out(&self) -> Arrays {
        self.parameters().from(self.layout.out.start)
    }

    /// A product of layers.
    pub fn shape(&self, sizes: [usize; 3], transposed: [bool; 2]) -> CardProduct {
        CardProduct::new(sizes, transposed, self.precision)
    }

    /// z = x·W₁ of `count` inputs of every critic, without bias, in the rows from `first` on.
    ///
    /// # Safety
    /// There are so many inputs, and rows for them.
    pub unsafe fn first_products(
        &self,
        inputs: Arrays,
        [first, count]: [usize; 2],
        rows: &CriticRows,
    ) {
        let width = self.settings.width;
        let shape = self.shape([count, self.settings.input, width], [false, false]);
        let out = rows.activations(0).from(first * width);
        // SAFETY: as the caller promised.
        unsafe { self.critics.product(shape, inputs, self.weight(0), out) };
    }

    /// From z_1 to the activations of every layer.
    ///
    /// # Safety
    /// Every row has its z_1.
    pub unsafe fn forward(&self, rows: &CriticRows) {
        let width = self.settings.width;
        for (l, layer) in self.layout.layers.iter().enumerate() {
            let own = rows.activations(l);
            let [z, stride] = own.arguments();
            let [bias, bias_stride] = self.parameters().from(layer.bias.start).arguments();
            let slope = float(self.settings.slope as f32);
            let arguments = [int(width), stride, slope, bias, bias_stride, z];
            // SAFETY: the rows have the network's width.
            unsafe {
                if l > 0 {
                    let shape = self.shape([rows.count, width, width], [false, false]);
                    let below = rows.activations(l - 1);
                    self.critics.product(shape, below, self.weight(l), own);
                }
                self.critics.each("critic_leaky", rows.stride(), &arguments);
                if l + 1 < self.layout.layers.len() {
                    rows.activations[l].round(self.critics.0 * rows.stride());
                }
            }
        }
    }

    /// The factors u_l of every row.
    ///
    /// # Safety
    /// Every row has its activations.
    pub unsafe fn factors(&self, rows: &CriticRows) {
        let (width, last) = (self.settings.width, self.layout.layers.len() - 1);
        let [out, out_stride] = self.out().arguments();
        for l in (0..=last).rev() {
            let [u, stride] = rows.factors(l).arguments();
            let [activations, _] = rows.activations(l).arguments();
            // SAFETY: the rows have the network's width.
            unsafe {
                if l == last {
                    let slope = float(self.settings.slope as f32);
                    let rest = [int(width), stride, slope, out, out_stride, activations, u];
                    self.critics
                        .each("critic_out_factors", rows.stride(), &rest);
                } else {
                    let shape = self.shape([rows.count, width, width], [false, true]);
                    let (above, own) = (rows.factors(l + 1), rows.factors(l));
                    self.critics.product(shape, above, self.weight(l + 1), own);
                    self.mask(rows.count, rows.activations(l), own);
                }
                rows.factors[l].round(self.critics.0 * rows.stride());
            }
        }
    }

    /// Multiplies `count` rows with the masks of activations.
    ///
    /// # Safety
    /// Both have as many.
    pub unsafe fn mask(&self, count: usize, activations: Arrays, x: Arrays) {
        let [activations, activations_stride] = activations.arguments();
        let [x, stride] = x.arguments();
        let slope = float(self.settings.slope as f32);
        let arguments = [slope, activations, activations_stride, x, stride];
        let elements = count * self.settings.width;
        // SAFETY: as the caller promised.
        unsafe { self.critics.each("critic_mask", elements, &arguments) };
    }

    /// f of every row, of sides of `pairs` rows each; values of a side begin `side_stride` behind
    /// those of the one before, a critic's `stride` behind those of the one before.
    ///
    /// # Safety
    /// There is a place for each value.
    pub unsafe fn values(
        &self,
        rows: &CriticRows,
        [count, pairs]: [usize; 2],
        values: u64,
        [side_stride, stride]: [usize; 2],
    ) {
        let last = rows.activations(self.layout.layers.len() - 1);
        let [activations, activations_stride] = last.arguments();
        let [out, out_stride] = self.out().arguments();
        let arguments = [
            int(count),
            int(self.settings.width),
            int(pairs),
            activations_stride,
            activations,
            out,
            out_stride,
            word(values),
            size(side_stride),
            size(stride),
        ];
        // SAFETY: as the caller promised.
        unsafe { self.critics.rows("critic_values", count, &arguments) };
    }

    /// Adds sums over rows to `sums`: times `scale` up to the row `split`, times −`scale` behind.
    ///
    /// # Safety
    /// There are `count` rows of the network's width, and as many sums as that.
    pub unsafe fn add_columns(
        &self,
        [count, split]: [usize; 2],
        scale: f32,
        x: Arrays,
        sums: Arrays,
    ) {
        let (width, parts) = (self.settings.width, count.div_ceil(ROWS_EACH));
        let partial: CudaSlice<f32> = card().scratch(self.critics.0 * parts * width);
        let [x, stride] = x.arguments();
        let first = [
            int(count),
            int(width),
            int(ROWS_EACH),
            int(split),
            float(scale),
            x,
            stride,
            word(at(&partial)),
        ];
        let [sums, sums_stride] = sums.arguments();
        let second = [
            int(parts),
            int(width),
            word(at(&partial)),
            sums,
            sums_stride,
        ];
        let blocks = (parts, self.critics.0 * width.div_ceil(32));
        let of_second = (width.div_ceil(256), self.critics.0);
        // SAFETY: as the caller promised.
        unsafe {
            card().launch("critic_columns", blocks, 256, &first);
            card().launch("critic_add_columns", of_second, 256, &second);
        }
    }
}
