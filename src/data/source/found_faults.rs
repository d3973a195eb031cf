//! Mistakes that are told together, each at its key.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::plan::{InputFault, InputFaults};

/// Mistakes by key: of several of one key the first is told, and how many there are.
#[derive(Default)]
pub struct FoundFaults {
    by_key: BTreeMap<String, (InputFault, usize)>,
}

impl FoundFaults {
    pub fn add(&mut self, fault: InputFault) {
        let key = fault.key.clone().unwrap_or_default();
        self.by_key.entry(key).or_insert((fault, 0)).1 += 1;
    }

    /// Adds an error, under a key where it has none of its own.
    pub fn add_error(&mut self, error: anyhow::Error, key: &str) {
        let found = InputFault::found_in(&error);
        let found = found.unwrap_or_else(|| {
            let message = format!("{error:#}");
            vec![InputFault {
                key: None,
                message,
                hint: None,
            }]
        });
        for mut fault in found {
            fault.key.get_or_insert_with(|| key.to_owned());
            self.add(fault);
        }
    }

    /// Nothing where nothing was added.
    ///
    /// # Errors
    /// All of it, as [`InputFaults`].
    pub fn none_or_error(self) -> Result<()> {
        let told = |(mut fault, count): (InputFault, usize)| {
            if count > 1 {
                fault.message += &format!(" (and {} more like it)", count - 1);
            }
            fault
        };
        if self.by_key.is_empty() {
            return Ok(());
        }
        Err(InputFaults(self.by_key.into_values().map(told).collect()).into())
    }
}
