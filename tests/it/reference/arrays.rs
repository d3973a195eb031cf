//! Reads the arrays and numbers of `tests/reference/`, and compares with them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kdpipe::model::{Array, Config, Weights};
use kdpipe::ops::{Cpu, Mat, tape};
use safetensors::tensor::{Dtype, SafeTensors};
use serde_json::Value;

/// What `NAME.safetensors` and `NAME.json` hold.
pub struct Reference {
    name: String,
    floats: BTreeMap<String, Array>,
    tokens: BTreeMap<String, Vec<u32>>,
    pub numbers: Value,
}

impl Reference {
    /// Reads both files of `name`; one without arrays has only the second.
    pub fn read(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let mut reference = Self {
            name: name.to_owned(),
            floats: BTreeMap::new(),
            tokens: BTreeMap::new(),
            numbers: serde_json::from_str(&text).unwrap(),
        };
        let Ok(bytes) = std::fs::read(folder.join(format!("{name}.safetensors"))) else {
            return reference;
        };
        for (name, view) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
            let words = view
                .data()
                .chunks_exact(4)
                .map(|word| [word[0], word[1], word[2], word[3]]);
            match view.dtype() {
                Dtype::F32 => {
                    let values = words.map(f32::from_le_bytes).collect();
                    reference.floats.insert(
                        name,
                        Array {
                            shape: view.shape().to_vec(),
                            values,
                        },
                    );
                }
                Dtype::I32 => {
                    reference.tokens.insert(
                        name,
                        words.map(|word| i32::from_le_bytes(word) as u32).collect(),
                    );
                }
                other => panic!("{name} is stored as {other:?}"),
            }
        }
        reference
    }

    pub fn array(&self, name: &str) -> &Array {
        self.floats
            .get(name)
            .unwrap_or_else(|| panic!("{} has no array {name}", self.name))
    }

    pub fn values(&self, name: &str) -> &[f32] {
        &self.array(name).values
    }

    pub fn tokens(&self, name: &str) -> &[u32] {
        self.tokens
            .get(name)
            .unwrap_or_else(|| panic!("{} has no tokens {name}", self.name))
    }

    /// The arrays whose names start with `prefix`, without it.
    pub fn arrays_under(&self, prefix: &str) -> BTreeMap<String, Array> {
        self.floats
            .iter()
            .filter_map(|(name, array)| {
                Some((name.strip_prefix(prefix)?.to_owned(), array.clone()))
            })
            .collect()
    }

    /// An array as a matrix: its last axis are the columns, all others the rows.
    pub fn matrix(&self, name: &str) -> Mat<Cpu> {
        let array = self.array(name);
        let columns = *array.shape.last().unwrap();
        tape::matrix(
            &Cpu::default(),
            array.values.len() / columns,
            columns,
            array.values.clone(),
        )
    }

    /// The number at a path of keys.
    pub fn number(&self, path: &[&str]) -> f64 {
        self.at(path)
            .as_f64()
            .unwrap_or_else(|| panic!("{} has no number {path:?}", self.name))
    }

    /// The list of numbers at a path of keys.
    pub fn list(&self, path: &[&str]) -> Vec<f64> {
        list(self.at(path))
    }

    /// The list of token ids at a path of keys.
    pub fn token_list(&self, path: &[&str]) -> Vec<u32> {
        let numbers = self.list(path);
        numbers.into_iter().map(|token| token as u32).collect()
    }

    fn at(&self, path: &[&str]) -> &Value {
        path.iter().fold(&self.numbers, |value, key| &value[*key])
    }

    /// The model of a file that `make_model` wrote: config and weights.
    pub fn model(&self) -> (Config, Weights) {
        let size = |key: &str| self.number(&["config", key]) as usize;
        let config = Config::new(
            size("layers"),
            size("width"),
            size("heads"),
            size("vocabulary"),
            size("positions"),
        );
        (
            config,
            Weights {
                arrays: self.arrays_under("weight."),
            },
        )
    }
}

/// A JSON list of numbers.
pub fn list(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|number| number.as_f64().expect("a number"))
        .collect()
}

/// Asserts that no entry is further from its reference than `tolerance` times the largest entry of
/// the reference. A sum of terms of that size carries rounding of that size, however small it comes
/// out itself.
pub fn assert_close<F: Copy + Into<f64>, E: Copy + Into<f64>>(
    what: &str,
    found: &[F],
    expected: &[E],
    tolerance: f64,
) {
    assert_eq!(found.len(), expected.len(), "{what}: number of entries");
    let largest = expected
        .iter()
        .fold(0.0, |largest: f64, &x| largest.max(x.into().abs()));
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let (found, expected): (f64, f64) = (found.into(), expected.into());
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * largest,
            "{what}, entry {i}: {found} against {expected}, the largest being {largest}"
        );
    }
}
