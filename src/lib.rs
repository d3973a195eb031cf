//! kdpipe: knowledge-distillation studies on GPT-2.

pub mod data;
pub mod ops;
pub mod random;
pub mod record;
pub mod spec;
