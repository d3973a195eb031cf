mod batches;
pub use batches::{Batch, Order, batch};
