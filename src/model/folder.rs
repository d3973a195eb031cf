//! A GPT-2 folder on the disk: its config, and its arrays in memory-mapped safetensors files.
//!
//! Order: [`ModelFolder::open`] reads config.json and the headers and refuses what does not fit,
//! all at once and before anything is allocated for weights; [`ModelFolder::values`] converts one
//! array, over the cores, from the map into f32. What was read is given back to the system at once,
//! so that the memory of a model is about one copy of its weights.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use memmap2::Mmap;
use rayon::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors};

use super::Config;
use super::floats::{fill_from_bf16, fill_from_f16, fill_from_f32, fill_from_f64};
use super::names::{ArrayKind, kind, listed, shape_faults, wrapper};
use super::place::{INDEX, WEIGHTS, beside, weight_files, weight_map};

/// Elements that one task converts.
const CHUNK: usize = 1 << 16;
/// Elements that are converted before their pages are given back.
const STRETCH: usize = 1 << 22;

/// The names of the two arrays that are one where word embeddings are tied.
const EMBEDDING: &str = "wte.weight";
const HEAD: &str = "lm_head.weight";

/// Converts stored numbers.
type Fill = fn(&mut [f32], &[u8]);

/// An open GPT-2 folder whose arrays are those that its config asks for.
#[derive(Debug)]
pub struct ModelFolder {
    /// As config.json has it, and not tied where a head of its own is stored.
    pub config: Config,
    /// Of the weights as stored.
    pub bytes: u64,
    /// What is worth a word and no mistake: what was left out, or taken otherwise than the config
    /// says.
    pub notes: Vec<String>,
    /// Arrays that are no part of a GPT-2.
    foreign: Vec<String>,
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

impl ModelFolder {
    /// Opens a folder with config.json and safetensors, whole or in shards, as transformers takes
    /// it. The `transformer.` prefix may be there or not. Masks that old versions stored as
    /// `attn.bias` and `attn.masked_bias` are left out, and so are, with a note, other heads and
    /// whatever else is no part of a GPT-2. Tied embeddings may be stored under either name; where
    /// both are there and differ, the head has weights of its own, with a note.
    ///
    /// # Errors
    /// A missing or broken file, an unsupported config; arrays that are missing, too many, of
    /// another shape or of a type that is not read.
    pub fn open(folder: &Path) -> Result<Self> {
        let config = Config::read(folder)?;
        let files = weight_files(folder)?;
        let mut opened = Self {
            config,
            bytes: 0,
            notes: beside(folder).into_iter().collect(),
            foreign: Vec::new(),
            maps: Vec::with_capacity(files.len()),
            arrays: BTreeMap::new(),
        };
        let mut faults = Vec::new();
        for path in &files {
            opened.map_file(path, &mut faults)?;
        }
        let is_sharded = files.len() > 1 || !files[0].ends_with(WEIGHTS);
        if is_sharded {
            opened.check_index(folder, &files, &mut faults)?;
        }
        let place = if is_sharded {
            folder.display()
        } else {
            files[0].display()
        };
        opened.settle_head(&place.to_string(), &mut faults);
        opened.check_arrays(&mut faults);
        if !faults.is_empty() {
            bail!("in {place}: {}", listed(&faults, "; "));
        }
        if !opened.foreign.is_empty() {
            opened.foreign.sort_unstable();
            opened.notes.push(format!(
                "{place} holds arrays that are no part of GPT-2's language model, and they are \
                 left out: {}",
                listed(&opened.foreign, ", ")
            ));
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
            let name = match kind(&written) {
                ArrayKind::Own(name) => name,
                ArrayKind::Mask => continue,
                ArrayKind::Foreign => {
                    self.foreign.push(written.escape_debug().to_string());
                    continue;
                }
            };
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
            let ArrayKind::Own(name) = kind(&name) else {
                continue;
            };
            let stored = self.arrays.get(name);
            if stored.is_none() && self.is_stored_as_the_other(name) {
                continue;
            }
            if stored.is_none_or(|stored| files[stored.file] != folder.join(&file)) {
                faults.push(format!(
                    "{} is not in {file}, where {INDEX} says it is",
                    name.escape_debug()
                ));
            }
        }
        Ok(())
    }

    /// Whether an array is one of two that are tied, and the other is stored.
    fn is_stored_as_the_other(&self, name: &str) -> bool {
        let other = match name {
            EMBEDDING => HEAD,
            HEAD => EMBEDDING,
            _ => return false,
        };
        self.config.tied && self.arrays.contains_key(other)
    }

    /// Embedding and head of a tied model, as transformers settles them: one is enough, under
    /// either name (`safetensors.torch.save_model` keeps `lm_head.weight`); equal numbers are one
    /// array, of whatever types; others are two, whatever the config says.
    fn settle_head(&mut self, place: &str, faults: &mut Vec<String>) {
        if !self.config.tied {
            return;
        }
        let Some(head) = self.arrays.remove(HEAD) else {
            return;
        };
        let Some(embedding) = self.arrays.get(EMBEDDING) else {
            self.arrays.insert(EMBEDDING.to_owned(), head);
            return;
        };
        let asked = [self.config.vocabulary, self.config.width];
        if head.shape != asked {
            faults.push(format!(
                "{HEAD} has shape {:?}, config.json asks for {asked:?}",
                head.shape
            ));
            return;
        }
        // What is wrong with either is told with all arrays.
        let comparable = embedding.shape == head.shape && is_read(embedding.dtype);
        if comparable && is_read(head.dtype) && self.same_values(embedding, &head) {
            return;
        }
        self.notes.push(format!(
            "{HEAD} in {place} is not {EMBEDDING}, while tie_word_embeddings in config.json is \
             true: the two are taken as they are stored, as transformers 5 does; write false \
             there if that is meant, or else take {HEAD} out"
        ));
        self.config.tied = false;
        self.arrays.insert(HEAD.to_owned(), head);
    }

    /// Whether two arrays of one shape hold the same numbers, as f32.
    fn same_values(&self, a: &StoredArray, b: &StoredArray) -> bool {
        let (in_a, in_b) = (size_and_fill(a.dtype).0, size_and_fill(b.dtype).0);
        let stretches = self
            .stretch(a)
            .chunks(STRETCH * in_a)
            .zip(self.stretch(b).chunks(STRETCH * in_b));
        let equal = stretches.into_iter().all(|(one, other)| {
            one.par_chunks(CHUNK * in_a)
                .zip(other.par_chunks(CHUNK * in_b))
                .all(|(one, other)| converted(one, a.dtype) == converted(other, b.dtype))
        });
        self.give_back(a, a.range.clone());
        self.give_back(b, b.range.clone());
        equal
    }

    /// The bytes of an array.
    fn stretch(&self, stored: &StoredArray) -> &[u8] {
        &self.maps[stored.file][stored.range.clone()]
    }

    /// Compares names, shapes and types with what the config asks for.
    fn check_arrays(&self, faults: &mut Vec<String>) {
        let foreign = self.foreign.iter().map(String::as_str);
        if !self.arrays.contains_key("ln_f.weight")
            && let Some(prefix) = wrapper(foreign)
        {
            faults.push(format!(
                "the names of the arrays begin with \"{prefix}\", as those of a model that was \
                 wrapped (torch.compile, DataParallel, a reward model); take that off, and save \
                 the model again"
            ));
            return;
        }
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
            if !is_read(stored.dtype) {
                faults.push(format!(
                    "{} is stored as {:?}; F64, F32, F16 and BF16 are read",
                    name.escape_debug(),
                    stored.dtype
                ));
            }
        }
    }

    /// The values of an array that the config asks for, row by row.
    pub fn values(&self, name: &str) -> Vec<f32> {
        let stored = &self.arrays[name];
        let (size, fill) = size_and_fill(stored.dtype);
        let bytes = self.stretch(stored);
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

/// Whether numbers of this type are read.
fn is_read(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16)
}

/// Bytes of a stored number, and what converts it to f32.
fn size_and_fill(dtype: Dtype) -> (usize, Fill) {
    match dtype {
        Dtype::F16 => (2, fill_from_f16),
        Dtype::BF16 => (2, fill_from_bf16),
        Dtype::F32 => (4, fill_from_f32),
        Dtype::F64 => (8, fill_from_f64),
        other => unreachable!("{other:?} is refused when the folder is opened"),
    }
}

/// Stored numbers as f32.
fn converted(bytes: &[u8], dtype: Dtype) -> Vec<f32> {
    let (size, fill) = size_and_fill(dtype);
    let mut values = vec![0.0; bytes.len() / size];
    fill(&mut values, bytes);
    values
}
