//! Distillation: an objective of named terms, the pairs of layers it compares, and what it learns
//! beside the student.
//!
//! Order of use: [`Objective::new`] → [`Auxiliary::new`] → [`balance::balance`] once → for every
//! step [`Objective::at`], the student's forward pass, [`Objective::update_critics`] on the first
//! micro-batch, and [`Objective::losses`]. Nothing here knows of optimizers or files.

mod auxiliary;
pub mod balance;
mod lesson;
mod losses;
mod objective;
mod pairs;

pub use auxiliary::{Auxiliary, Key};
pub use lesson::Lesson;
pub use objective::{CriticReadings, Moment, NamedValues, Objective};
pub use pairs::pairs_at;
