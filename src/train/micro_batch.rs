//! What a member gets of a micro-batch.

use crate::distill::TeacherOutputs;
use crate::ops::Ops;

/// A micro-batch as a member sees it.
pub(super) struct MicroBatch<'a, D: Ops> {
    pub index: usize,
    pub inputs: &'a [u32],
    pub targets: &'a [u32],
    pub teacher: Option<TeacherOutputs<'a, D>>,
}
