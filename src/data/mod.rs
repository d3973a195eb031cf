mod batches;
pub mod grammar;
pub use batches::{Batch, Order, batch};
