//! The critic of a Wasserstein term.
//!
//! f(x) = σ(… σ(x·W₁ + b₁) … ·W_D + b_D)·w on single token vectors, σ the leaky ReLU.
//! The last layer has no bias: only differences of means of f are ever used, and there it cancels.
//! Order of use: [`Critic::new`] → [`critic_update`] (several times a step) → [`critic_term`];
//! the passes over the network that both share are in `net`, spectral normalisation in `spectral`.

mod adam;
mod column_sums;
mod gradient;
mod layout;
mod net;
mod penalty;
mod spectral;
mod state;
mod term;
mod update;
mod workspace;

pub(in crate::ops) use adam::AdamStep;
pub(in crate::ops) use layout::CriticLayout;
pub use state::Critic;
pub(in crate::ops) use state::CriticArrays;
pub use term::critic_term;
pub use update::critic_update;
