//! kdpipe: knowledge-distillation studies on GPT-2.

pub mod data;
pub mod distill;
pub mod eval;
pub mod files;
pub mod model;
pub mod ops;
pub mod random;
pub mod record;
pub mod report;
pub mod spec;
pub mod table;
pub mod train;
