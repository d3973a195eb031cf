//! Distillation: an objective of named terms, the pairs of layers it compares, and what it learns
//! beside the student.
//!
//! Order of use: [`Objective::new`] → [`Auxiliary::new`] → [`balance::balance`] once → for
//! every step [`Objective::at`], the student's forward pass, [`Objective::update_critics`] on the
//! first micro-batch, and [`Objective::losses`]. Nothing here knows of optimizers or files.

mod auxiliary;
pub mod balance;
mod clouds;
mod critics;
mod judged_critics;
mod layer_weights;
mod losses;
mod objective;
mod pair_loss;
mod pairs;
mod pending;
mod targets;
mod teacher_outputs;
mod transported;

pub use auxiliary::{Auxiliary, Key};
pub use critics::CriticReadings;
pub use judged_critics::StatesOfBoth;
pub use layer_weights::LayerWeights;
pub use objective::{NamedValues, Objective, StepSettings};
pub use pairs::{Matched, pairs_at};
pub use pending::PendingValues;
pub use teacher_outputs::TeacherOutputs;
