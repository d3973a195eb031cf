//! kdpipe: knowledge-distillation studies on GPT-2.

pub mod files;
pub mod ops;
pub mod random;
pub mod record;
pub mod spec;
pub mod table;
