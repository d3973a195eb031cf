//! The arrays of critics that go together: where they are, and the weights that passes use.

use cudarc::driver::CudaSlice;

use super::net::CriticNets;
use super::spectral::CardSpectral;
use super::state::{CardCritic, CriticPlaces};
use crate::ops::cuda::api::Address;
use crate::ops::cuda::card::{at, word};

/// The addresses of every critic's arrays, one kind after the other.
pub(super) fn addresses<'a>(critics: impl Iterator<Item = &'a CardCritic>) -> Vec<Address> {
    let places: Vec<CriticPlaces> = critics.map(CardCritic::places).collect();
    let kinds: [fn(&CriticPlaces) -> Address; 4] = [
        |places| places.parameters,
        |places| places.first,
        |places| places.second,
        |places| places.vectors,
    ];
    kinds
        .iter()
        .flat_map(|kind| places.iter().map(kind))
        .collect()
}

/// Where one of those lists begins.
pub(super) fn list_of(places: &CudaSlice<u64>, list: usize, critics: usize) -> Address {
    at(places) + (list * critics * size_of::<Address>()) as u64
}

/// Fills in the weights that forward passes use: as trained, or divided by σ.
///
/// # Safety
/// At the place there are the addresses of every critic's parameters.
pub(super) unsafe fn fill_weights(
    nets: &CriticNets,
    parameters: Address,
    spectral: Option<&CardSpectral>,
) {
    let arguments = [word(parameters), nets.parameters().arguments()[0]];
    // SAFETY: as the caller promised.
    unsafe {
        let count = nets.layout.count();
        nets.critics.each("critic_gather", count, &arguments);
        if let Some(spectral) = spectral {
            spectral.normalize(nets.parameters());
        }
    }
    nets.finish_weights();
}
