//! What a teacher says about a micro-batch.

use crate::model::HiddenStates;
use crate::ops::{Head, Ops};

/// A teacher's side of a micro-batch.
pub struct TeacherOutputs<'a, D: Ops> {
    pub states: &'a HiddenStates<D>,
    pub head: Head<'a, D>,
    /// Its logits, as far as they were computed once for several students.
    pub logits: Option<&'a D::SharedLogits>,
}

impl<'a, D: Ops> TeacherOutputs<'a, D> {
    /// For one student alone.
    pub fn new(states: &'a HiddenStates<D>, head: Head<'a, D>) -> Self {
        Self {
            states,
            head,
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
