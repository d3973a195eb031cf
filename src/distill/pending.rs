//! Values of a step that may not be computed yet.

use std::collections::BTreeMap;

use super::objective::NamedValues;
use crate::ops::Ops;

/// Values of a micro-batch by name.
pub struct PendingValues<D: Ops> {
    /// Those whose mean it is.
    pending: BTreeMap<String, Vec<D::Value>>,
    /// Numbers that somebody had to wait for already.
    known: NamedValues,
}

impl<D: Ops> PendingValues<D> {
    pub(super) fn new() -> Self {
        Self {
            pending: BTreeMap::new(),
            known: NamedValues::new(),
        }
    }

    /// The mean of at least one value, under a name.
    pub(super) fn insert(&mut self, name: String, values: Vec<D::Value>) {
        self.pending.insert(name, values);
    }

    /// A number, under a name.
    pub(super) fn insert_known(&mut self, name: String, value: f64) {
        self.known.insert(name, value);
    }

    /// The values of all of `many`, waited for once.
    pub fn fetch(many: Vec<Self>) -> Vec<NamedValues> {
        let all = many.iter().flat_map(|one| one.pending.values().flatten());
        let all: Vec<D::Value> = all.cloned().collect();
        let mut fetched = D::fetch(&all).into_iter();
        let mut mean = |values: Vec<D::Value>| {
            let count = values.len();
            let sum = fetched
                .by_ref()
                .take(count)
                .reduce(|sum, value| sum + value);
            sum.unwrap_or(f64::NAN) / count as f64
        };
        many.into_iter()
            .map(|one| {
                let mut all = one.known;
                let pending = one.pending.into_iter();
                all.extend(pending.map(|(name, values)| (name, mean(values))));
                all
            })
            .collect()
    }
}
