//! Critics on the card. All critics of a step that have one shape are trained together: every
//! kernel and every product does the part of each, so that a step asks for as many launches as one
//! critic would. They are those of one run: to take the runs of a group together, the states of all
//! of them would have to be in memory at once. What an update computes is told in
//! [`crate::ops::cpu::critic`]; here are its forms in batches.

mod batch;
mod net;
mod penalty;
mod spectral;
mod state;
mod term;
mod update;
mod weights;

pub use state::CardCritic;
pub(super) use term::critic_term;
pub(super) use update::critic_updates;
