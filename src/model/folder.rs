//! A GPT-2 folder on the disk: its config, and its arrays in memory-mapped safetensors files.
//!
//! Order: [`ModelFolder::open`] reads config.json and the headers and refuses what does not fit,
//! all at once and before anything is allocated for weights; [`ModelFolder::values`] converts one
//! array, over the cores, from the map into f32. What was read is given back to the system at once,
//! so that the memory of a model is about one copy of its weights.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use memmap2::Mmap;
use rayon::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors};

use super::Config;
use super::floats::{fill_from_bf16, fill_from_f16, fill_from_f32};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// Files of weights that are not read.
const OTHERS: [&str; 6] = [
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
    "flax_model.msgpack",
    "model.ckpt.index",
    "rust_model.ot",
];
/// Bytes that a text file of a model may have.
const TEXT_LIMIT: u64 = 64 << 20;
/// Elements that one task converts.
const CHUNK: usize = 1 << 16;
/// Elements that are converted before their pages are given back.
const STRETCH: usize = 1 << 22;

/// Converts stored numbers.
type Fill = fn(&mut [f32], &[u8]);

/// An open GPT-2 folder whose arrays are those that its config asks for.
#[derive(Debug)]
pub struct ModelFolder {
    pub config: Config,
    /// Of the weights as stored.
    pub bytes: u64,
    maps: Vec<Mmap>,
    arrays: BTreeMap<String, StoredArray>,
}

/// Where an array is.
#[derive(Debug, Clone)]
struct StoredArray {
    /// Index of the map.
    file: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    range: Range<usize>,
}

/// The files that hold a folder's weights, in order: model.safetensors, or the shards that the
/// index names.
///
/// # Errors
/// A folder without safetensors, with what to do; an index that is broken, or names files outside
/// the folder.
pub fn weight_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.join(WEIGHTS).exists() {
        return Ok(vec![folder.join(WEIGHTS)]);
    }
    if folder.join(INDEX).exists() {
        let mut names: Vec<String> = weight_map(folder)?.into_values().collect();
        names.sort_unstable();
        names.dedup();
        return Ok(names.into_iter().map(|name| folder.join(name)).collect());
    }
    if let Some(other) = OTHERS.into_iter().find(|name| folder.join(name).exists()) {
        let why = if other.starts_with("pytorch") {
            ", which is a pickle: reading one can run any code that is in it"
        } else {
            ""
        };
        bail!(
            "{} has no {WEIGHTS}, only {other}{why}; write safetensors once with transformers, \
             GPT2LMHeadModel.from_pretrained(\"FOLDER\").save_pretrained(\"OTHER\"), and name \
             that folder",
            folder.display()
        );
    }
    bail!(
        "{} has no {WEIGHTS} and no {INDEX}: is it a GPT-2 folder?",
        folder.display()
    )
}

/// What the index says: the file of every array.
fn weight_map(folder: &Path) -> Result<BTreeMap<String, String>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let path = folder.join(INDEX);
    let index: Index = serde_json::from_str(&read_text(&path)?)
        .with_context(|| format!("{} is no index of safetensors files", path.display()))?;
    for file in index.weight_map.values() {
        let mut parts = Path::new(file).components();
        let plain = matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(_)), None)
        ) && !file.contains(['/', '\\']);
        ensure!(
            plain && file.ends_with(".safetensors"),
            "{} names the file {file:?}; only names of safetensors files beside it are followed",
            path.display()
        );
    }
    ensure!(
        !index.weight_map.is_empty(),
        "{} names no arrays",
        path.display()
    );
    Ok(index.weight_map)
}

/// A text file of a model, if it is not too long.
fn read_text(path: &Path) -> Result<String> {
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    file.take(TEXT_LIMIT + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {} as UTF-8", path.display()))?;
    ensure!(
        text.len() as u64 <= TEXT_LIMIT,
        "{} is longer than {TEXT_LIMIT} bytes",
        path.display()
    );
    Ok(text)
}

impl Config {
    /// Reads `config.json` of a folder.
    ///
    /// # Errors
    /// A missing file, and as [`Config::from_json`].
    pub fn read(folder: &Path) -> Result<Self> {
        Self::from_json(&read_text(&folder.join(CONFIG))?)
            .with_context(|| format!("in {}", folder.display()))
    }
}

impl ModelFolder {
    /// Opens a folder with config.json and safetensors, whole or in shards. The `transformer.`
    /// prefix may be there or not; masks that old versions stored as `attn.bias` and
    /// `attn.masked_bias`, and a tied head's `lm_head.weight`, are left out.
    ///
    /// # Errors
    /// A missing or broken file, an unsupported config; every array that is missing, too many, of
    /// another shape or of a type that is not read.
    pub fn open(folder: &Path) -> Result<Self> {
        let config = Config::read(folder)?;
        let files = weight_files(folder)?;
        let mut opened = Self {
            config,
            bytes: 0,
            maps: Vec::with_capacity(files.len()),
            arrays: BTreeMap::new(),
        };
        let mut faults = Vec::new();
        for path in &files {
            opened.map_file(path, &mut faults)?;
        }
        if files.len() > 1 || !files[0].ends_with(WEIGHTS) {
            opened.check_index(folder, &files, &mut faults)?;
        }
        opened.take_tied_head(&mut faults);
        opened.check_arrays(&mut faults);
        if !faults.is_empty() {
            let place = if files.len() == 1 {
                files[0].display()
            } else {
                folder.display()
            };
            bail!("in {place}: {}", faults.join("; "));
        }
        Ok(opened)
    }

    /// Maps a file and takes note of its arrays.
    fn map_file(&mut self, path: &Path, faults: &mut Vec<String>) -> Result<()> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        // SAFETY: a model's file is not written while it is read; kdpipe itself only ever replaces
        // files by a rename, which leaves a mapping as it is.
        let map = unsafe { Mmap::map(&file) }
            .with_context(|| format!("cannot read {}", path.display()))?;
        let parsed = SafeTensors::deserialize(&map)
            .with_context(|| format!("{} is not a valid safetensors file", path.display()))?;
        let start = map.as_ptr() as usize;
        for (written, view) in parsed.tensors() {
            let name = without_prefix(&written);
            if is_stored_mask(name) {
                continue;
            }
            let from = view.data().as_ptr() as usize - start;
            let stored = StoredArray {
                file: self.maps.len(),
                dtype: view.dtype(),
                shape: view.shape().to_vec(),
                range: from..from + view.data().len(),
            };
            if self.arrays.insert(name.to_owned(), stored).is_some() {
                faults.push(format!("{} is stored twice", name.escape_debug()));
            }
        }
        self.bytes += map.len() as u64;
        self.maps.push(map);
        Ok(())
    }

    /// Arrays that the index promises and its files do not hold.
    fn check_index(
        &self,
        folder: &Path,
        files: &[PathBuf],
        faults: &mut Vec<String>,
    ) -> Result<()> {
        for (name, file) in weight_map(folder)? {
            let name = without_prefix(&name);
            if is_stored_mask(name) {
                continue;
            }
            if self
                .arrays
                .get(name)
                .is_none_or(|stored| files[stored.file] != folder.join(&file))
            {
                faults.push(format!(
                    "{} is not in {file}, where {INDEX} says it is",
                    name.escape_debug()
                ));
            }
        }
        Ok(())
    }

    /// Takes out the head of a tied model, which must be the embedding.
    fn take_tied_head(&mut self, faults: &mut Vec<String>) {
        if !self.config.tied {
            return;
        }
        let Some(head) = self.arrays.remove("lm_head.weight") else {
            return;
        };
        if let Some(wte) = self.arrays.get("wte.weight")
            && wte.shape == head.shape
            && (wte.dtype != head.dtype || !self.same_bytes(wte, &head))
        {
            faults.push(
                "lm_head.weight is not wte.weight, while tie_word_embeddings in config.json is \
                 true: write false there, or take lm_head.weight out"
                    .to_owned(),
            );
        }
    }

    /// Whether two arrays hold the same bytes.
    fn same_bytes(&self, a: &StoredArray, b: &StoredArray) -> bool {
        let bytes = |stored: &StoredArray| &self.maps[stored.file][stored.range.clone()];
        let equal = bytes(a)
            .par_chunks(4 * CHUNK)
            .zip(bytes(b).par_chunks(4 * CHUNK))
            .all(|(a, b)| a == b);
        self.give_back(a, a.range.clone());
        self.give_back(b, b.range.clone());
        equal
    }

    /// Compares names, shapes and types with what the config asks for.
    fn check_arrays(&self, faults: &mut Vec<String>) {
        // Before names are made for layers that cannot be there.
        if self.config.layers > self.arrays.len() {
            faults.push(format!(
                "n_layer = {} in config.json, and the weights are {} arrays in all",
                self.config.layers,
                self.arrays.len()
            ));
            return;
        }
        let found = self
            .arrays
            .iter()
            .map(|(name, stored)| (name.as_str(), stored.shape.as_slice()));
        faults.extend(shape_faults(&self.config, found));
        for (name, stored) in &self.arrays {
            if !matches!(stored.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
                faults.push(format!(
                    "{} is stored as {:?}; F32, F16 and BF16 are read",
                    name.escape_debug(),
                    stored.dtype
                ));
            }
        }
    }

    /// The values of an array that the config asks for, row by row.
    pub fn values(&self, name: &str) -> Vec<f32> {
        let stored = &self.arrays[name];
        let (size, fill): (usize, Fill) = match stored.dtype {
            Dtype::F16 => (2, fill_from_f16),
            Dtype::BF16 => (2, fill_from_bf16),
            Dtype::F32 => (4, fill_from_f32),
            other => unreachable!("{other:?} is refused when the folder is opened"),
        };
        let bytes = &self.maps[stored.file][stored.range.clone()];
        let mut values = vec![0.0f32; bytes.len() / size];
        for (i, (values, bytes)) in values
            .chunks_mut(STRETCH)
            .zip(bytes.chunks(STRETCH * size))
            .enumerate()
        {
            values
                .par_chunks_mut(CHUNK)
                .zip(bytes.par_chunks(CHUNK * size))
                .for_each(|(values, bytes)| fill(values, bytes));
            let from = stored.range.start + i * STRETCH * size;
            self.give_back(stored, from..from + bytes.len());
        }
        values
    }

    /// Lets the system take back the pages of a stretch that was read; they come again from the
    /// file where they are needed.
    fn give_back(&self, stored: &StoredArray, range: Range<usize>) {
        #[cfg(unix)]
        {
            use memmap2::UncheckedAdvice::DontNeed;
            // SAFETY: the map is shared, read-only and backed by its file, so that pages given up
            // come back with the same content. It is advice: that it was not taken changes nothing
            // but the memory in use.
            let _ = unsafe {
                self.maps[stored.file].unchecked_advise_range(DontNeed, range.start, range.len())
            };
        }
        #[cfg(not(unix))]
        let _ = (stored, range);
    }
}

/// Old versions of transformers stored the causal mask of every block beside its weights.
fn is_stored_mask(name: &str) -> bool {
    name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")
}

/// A name without the prefix that a model with a head puts in front.
fn without_prefix(name: &str) -> &str {
    name.strip_prefix("transformer.").unwrap_or(name)
}

/// What is missing, misshapen or too much, in words, against what `config` asks for.
pub(super) fn shape_faults<'a>(
    config: &Config,
    found: impl Iterator<Item = (&'a str, &'a [usize])>,
) -> Vec<String> {
    let mut found: BTreeMap<&str, &[usize]> = found.collect();
    let mut faults = Vec::new();
    for (name, shape) in config.shapes() {
        match found.remove(name.as_str()) {
            None => faults.push(format!("{name} {shape:?} is missing")),
            Some(there) if there != shape => faults.push(format!(
                "{name} has shape {there:?}, config.json asks for {shape:?}"
            )),
            Some(_) => {}
        }
    }
    faults.extend(found.into_iter().map(|(name, shape)| {
        format!(
            "{} {shape:?} is not part of this GPT-2",
            name.escape_debug()
        )
    }));
    faults
}
