//! What a teacher says about a micro-batch.

use crate::model::{HiddenStates, Reader};
use crate::ops::Ops;

/// A teacher's side of a micro-batch.
pub struct TeacherOutputs<'a, D: Ops> {
    pub states: &'a HiddenStates<D>,
    pub reader: Reader<'a, D>,
    /// Its logits, as far as they were computed once for several students.
    pub logits: Option<&'a D::SharedLogits>,
}

impl<'a, D: Ops> TeacherOutputs<'a, D> {
    /// For one student alone.
    pub fn new(states: &'a HiddenStates<D>, reader: Reader<'a, D>) -> Self {
        Self {
            states,
            reader,
            logits: None,
        }
    }
}

impl<D: Ops> Clone for TeacherOutputs<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Ops> Copy for TeacherOutputs<'_, D> {}
