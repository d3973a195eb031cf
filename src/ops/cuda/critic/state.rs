//! A critic whose arrays are on the card, in the form of a checkpoint that every device shares.

use anyhow::Result;
use cudarc::driver::CudaSlice;

use crate::ops::cpu::critic::{Critic, CriticArrays, CriticLayout};
use crate::ops::critic::{CriticSettings, CriticState, StateArray};
use crate::ops::cuda::card::card;
use crate::ops::{Precision, cuda::api::Address, cuda::card::at};
use crate::random::Stream;

/// A critic with everything that its next update depends on.
#[derive(Debug, Clone)]
pub struct CardCritic {
    pub(super) settings: CriticSettings,
    pub(super) layout: CriticLayout,
    /// Weights as they are trained, in the order of the layout, as the moments are.
    parameters: CudaSlice<f32>,
    first: CudaSlice<f32>,
    second: CudaSlice<f32>,
    /// u and v of every weight, one after the other, with the spectral constraint only.
    vectors: Option<CudaSlice<f32>>,
    /// Updates so far.
    pub(super) step: u64,
    pub(super) precision: Precision,
}

/// Where a critic's arrays are.
#[derive(Debug, Clone, Copy)]
pub(super) struct CriticPlaces {
    pub parameters: Address,
    pub first: Address,
    pub second: Address,
    /// 0 where there are none.
    pub vectors: Address,
}

impl CardCritic {
    fn of(host: Critic, precision: Precision) -> Self {
        let settings = host.settings().clone();
        let arrays = host.into_arrays();
        let flat = |vectors: Vec<(Vec<f32>, Vec<f32>)>| -> Vec<f32> {
            vectors
                .into_iter()
                .flat_map(|(u, v)| [u, v])
                .flatten()
                .collect()
        };
        Self {
            layout: CriticLayout::new(&settings),
            settings,
            parameters: card().upload(arrays.parameters),
            first: card().upload(arrays.first),
            second: card().upload(arrays.second),
            vectors: arrays.vectors.map(|vectors| card().upload(flat(vectors))),
            step: arrays.step,
            precision,
        }
    }

    fn on_host(&self) -> Critic {
        let vectors = self.vectors.as_ref().map(|vectors| {
            let all = card().download(vectors);
            let mut rest = all.as_slice();
            let mut take = |count: usize| {
                let (own, others) = rest.split_at(count);
                rest = others;
                own.to_vec()
            };
            let weights = weights_of(&self.layout, self.settings.width);
            weights
                .map(|[rows, columns]| (take(rows), take(columns)))
                .collect()
        });
        let arrays = CriticArrays {
            parameters: card().download(&self.parameters),
            first: card().download(&self.first),
            second: card().download(&self.second),
            step: self.step,
            vectors,
        };
        Critic::of_arrays(&self.settings, arrays)
    }

    pub(super) fn places(&self) -> CriticPlaces {
        CriticPlaces {
            parameters: at(&self.parameters),
            first: at(&self.first),
            second: at(&self.second),
            vectors: self.vectors.as_ref().map_or(0, at),
        }
    }
}

/// Rows and columns of every weight, w last.
pub(super) fn weights_of(layout: &CriticLayout, width: usize) -> impl Iterator<Item = [usize; 2]> {
    let layers = layout.layers.iter().map(move |layer| [layer.input, width]);
    layers.chain([[width, 1]])
}

impl CriticState for CardCritic {
    fn new(settings: &CriticSettings, stream: Stream) -> Self {
        Self::of(Critic::new(settings, stream), Precision::F32)
    }

    fn set_precision(&mut self, precision: Precision) {
        self.precision = precision;
    }

    fn state(&self) -> Vec<StateArray> {
        self.on_host().state()
    }

    fn restore(&mut self, state: &[StateArray]) -> Result<()> {
        let mut host = self.on_host();
        host.restore(state)?;
        *self = Self::of(host, self.precision);
        Ok(())
    }
}
