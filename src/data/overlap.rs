//! Documents that two splits share: what was trained on and is then measured shows a model better
//! than it is.
//!
//! Documents are compared by their text without the white space at its ends, taken from the tokens
//! that lie on the disk. Validation and test take some bytes a document; the training documents are
//! passed over once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How many documents of validation and test are documents of another split too. Those without a
/// visible character do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedDocuments {
    pub validation_in_train: u64,
    pub test_in_train: u64,
    pub test_in_validation: u64,
}

/// The documents of a split: its stream, and where each of them starts.
#[derive(Debug, Clone, Copy)]
pub struct SplitDocuments<'a> {
    pub tokens: &'a [u32],
    pub starts: &'a [u64],
}

impl<'a> SplitDocuments<'a> {
    /// A document without the token that ends it.
    fn document(&self, index: usize, end_of_text: u32) -> &'a [u32] {
        let end = self.starts.get(index + 1).copied();
        let end = end.map_or(self.tokens.len(), |end| end as usize);
        let document = &self.tokens[self.starts[index] as usize..end];
        match document {
            [text @ .., last] if *last == end_of_text => text,
            whole => whole,
        }
    }
}

/// Documents of a split by their hashes, in order.
struct KnownDocuments(Vec<(u64, AtomicBool)>);

impl KnownDocuments {
    fn of(
        split: SplitDocuments,
        hash: &(dyn Fn(SplitDocuments, usize) -> Option<u64> + Sync),
    ) -> Self {
        let mut hashes: Vec<u64> = (0..split.starts.len())
            .into_par_iter()
            .filter_map(|index| hash(split, index))
            .collect();
        hashes.par_sort_unstable();
        Self(
            hashes
                .into_iter()
                .map(|hash| (hash, AtomicBool::new(false)))
                .collect(),
        )
    }

    /// Marks the documents that are the one of this hash.
    fn mark(&self, hash: u64) {
        let first = self.0.partition_point(|(known, _)| *known < hash);
        for (_, found) in self.0[first..]
            .iter()
            .take_while(|(known, _)| *known == hash)
        {
            found.store(true, Ordering::Relaxed);
        }
    }

    fn has(&self, hash: u64) -> bool {
        self.0
            .binary_search_by_key(&hash, |(known, _)| *known)
            .is_ok()
    }

    fn marked(&self) -> u64 {
        let is_found = |(_, found): &&(u64, AtomicBool)| found.load(Ordering::Relaxed);
        self.0.iter().filter(is_found).count() as u64
    }
}

/// What training, validation and test share; `text` gives the bytes that tokens stand for.
pub fn shared_documents(
    [train, validation, test]: [SplitDocuments; 3],
    end_of_text: u32,
    text: &(dyn Fn(&[u32]) -> Vec<u8> + Sync),
) -> SharedDocuments {
    let hash = |split: SplitDocuments, index: usize| {
        let bytes = text(split.document(index, end_of_text));
        let visible = bytes.trim_ascii();
        let mut hasher = DefaultHasher::new();
        visible.hash(&mut hasher);
        (!visible.is_empty()).then(|| hasher.finish())
    };
    let [validation, test] = [validation, test].map(|split| KnownDocuments::of(split, &hash));
    (0..train.starts.len()).into_par_iter().for_each(|index| {
        if let Some(hash) = hash(train, index) {
            validation.mark(hash);
            test.mark(hash);
        }
    });
    let in_validation = test.0.iter().filter(|(hash, _)| validation.has(*hash));
    SharedDocuments {
        validation_in_train: validation.marked(),
        test_in_train: test.marked(),
        test_in_validation: in_validation.count() as u64,
    }
}

#[cfg(test)]
#[path = "overlap_tests.rs"]
mod tests;
