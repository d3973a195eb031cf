//! Values of a step that may not be computed yet.

use std::collections::BTreeMap;

use super::objective::NamedValues;
use crate::ops::Ops;

/// By name: the values whose mean it is.
pub struct PendingValues<D: Ops>(BTreeMap<String, Vec<D::Value>>);

impl<D: Ops> PendingValues<D> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The mean of at least one value, under a name.
    pub(super) fn insert(&mut self, name: String, values: Vec<D::Value>) {
        self.0.insert(name, values);
    }

    /// The values of all of `many`, waited for once.
    pub fn fetch(many: Vec<Self>) -> Vec<NamedValues> {
        let all = many.iter().flat_map(|one| one.0.values().flatten());
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
                let named = one.0.into_iter();
                named.map(|(name, values)| (name, mean(values))).collect()
            })
            .collect()
    }
}
