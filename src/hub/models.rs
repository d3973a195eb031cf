//! Which files of a repo make up a GPT-2 and its tokenizer.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::error::HubError;
use super::listing::Listing;
use super::repo::{Repo, is_below};
use super::{Hub, cache};
use crate::files;

/// A folder of the cache with the files that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub folder: PathBuf,
    pub commit: String,
}

const CONFIG: &str = "config.json";
const GENERATION: &str = "generation_config.json";
const BESIDE_TOKENIZER: [&str; 6] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    CONFIG,
    GENERATION,
];
/// What decides which tokens a text has. AutoTokenizer of transformers asks for all of these, so
/// that of each it leaves the file or the marker that there is none.
const OF_TOKENS: [&str; 5] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    CONFIG,
];
/// What decides where a generated text ends, beside config.json. Its causal models ask for it.
const OF_MODEL: [&str; 1] = [GENERATION];
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// An index of more bytes, or of more parts, is none of a GPT-2.
const LARGEST_INDEX: u64 = 16 << 20;

impl Hub<'_> {
    /// tokenizer.json, else vocab.json and merges.txt; with them whatever the repo has that says
    /// what a token is.
    ///
    /// # Errors
    /// A repo without a tokenizer; a cache of which nobody knows whether it has all of one; as
    /// [`Hub::file`].
    pub fn tokenizer(&self, repo: &Repo) -> Result<Snapshot> {
        self.snapshot(repo, &OF_TOKENS, |listing| {
            let mut names = tokenizer_files(repo, listing)?;
            names.extend(beside_tokenizer(listing));
            Ok(names)
        })
    }

    /// config.json, and generation_config.json where the repo has one, once it is sure that the
    /// repo has weights that can be read.
    ///
    /// # Errors
    /// A repo without them; a cache of which nobody knows whether it has both; as [`Hub::file`].
    pub fn config(&self, repo: &Repo) -> Result<Snapshot> {
        self.snapshot(repo, &OF_MODEL, |listing| {
            weight_files(repo, listing)?;
            Ok(config_files(listing))
        })
    }

    /// config.json and the weights: model.safetensors, or model.safetensors.index.json with the
    /// parts that it names.
    ///
    /// # Errors
    /// As [`Hub::config`]; an index that is none.
    pub fn weights(&self, repo: &Repo) -> Result<Snapshot> {
        let snapshot = self.snapshot(repo, &OF_MODEL, |listing| {
            let weights = weight_files(repo, listing)?;
            let mut names = config_files(listing);
            names.push(weights.to_owned());
            Ok(names)
        })?;
        let listing = self.listing(repo, &snapshot.commit)?;
        if listing.find(WEIGHTS).is_none() {
            let index = self.file(repo, &snapshot.commit, INDEX)?;
            let parts = parts(&files::read_limited(&index, LARGEST_INDEX)?)
                .with_context(|| format!("{} cannot be used", index.display()))?;
            self.room_for(repo, &snapshot.commit, parts.iter().map(String::as_str))?;
            for part in parts {
                self.file(repo, &snapshot.commit, &part)?;
            }
        }
        Ok(snapshot)
    }

    /// The files that `choose` finds in the list of a commit, once it is known of the files in
    /// `known` whether the commit has them.
    fn snapshot(
        &self,
        repo: &Repo,
        known: &[&str],
        choose: impl FnOnce(&Listing) -> Result<Vec<String>>,
    ) -> Result<Snapshot> {
        let commit = self.commit(repo)?;
        let listing = self.listing(repo, &commit)?;
        let names = choose(&listing)?;
        self.ensure_known(repo, &commit, &listing, known)?;
        self.room_for(repo, &commit, names.iter().map(String::as_str))?;
        for name in names {
            self.file(repo, &commit, &name)?;
        }
        Ok(Snapshot {
            folder: cache::snapshot(&self.settings, repo, &commit),
            commit,
        })
    }
}

/// What says something of a tokenizer beside its vocabulary: names, added tokens, the class, the
/// end of text by its id, chat templates. All of it, for a commit is to give one result whatever
/// the cache held before.
fn beside_tokenizer(listing: &Listing) -> Vec<String> {
    let is_beside = |path: &str| {
        let template = path.strip_prefix("additional_chat_templates/");
        BESIDE_TOKENIZER.contains(&path)
            || template.is_some_and(|name| !name.contains('/') && name.ends_with(".jinja"))
    };
    let paths = listing.files.iter().map(|entry| entry.path.clone());
    paths.filter(|path| is_beside(path)).collect()
}

/// What a model's settings are in.
fn config_files(listing: &Listing) -> Vec<String> {
    let generation = listing.find(GENERATION).map(|_| GENERATION.to_owned());
    std::iter::once(CONFIG.to_owned())
        .chain(generation)
        .collect()
}

/// A list that may not be whole has no file for sure only where it is whole.
fn lacking(repo: &Repo, listing: &Listing, what: &str, message: String) -> anyhow::Error {
    if let Some(other) = other_model(repo, listing) {
        anyhow::anyhow!(other)
    } else if listing.whole {
        anyhow::anyhow!(message)
    } else {
        HubError::NotHere {
            what: format!("{what} of {}", repo.title()),
        }
        .into()
    }
}

/// What a repo is that holds another kind of model.
fn other_model(repo: &Repo, listing: &Listing) -> Option<String> {
    let title = repo.title();
    if listing.find("adapter_config.json").is_some() {
        return Some(format!(
            "{title} is an adapter (LoRA or its kin, by peft) without the model that it belongs \
             to; merge them with peft (merge_and_unload), write the result with \
             save_pretrained(\"FOLDER\"), and name that folder"
        ));
    }
    let is_gguf = |path: &str| path.to_ascii_lowercase().ends_with(".gguf");
    listing.files.iter().any(|entry| is_gguf(&entry.path)).then(|| {
        format!(
            "{title} holds a model as GGUF, a format of llama.cpp that is not read here; name the \
             repo that it was made of, which has model.safetensors and a tokenizer"
        )
    })
}

fn tokenizer_files(repo: &Repo, listing: &Listing) -> Result<Vec<String>> {
    let has = |name: &str| listing.find(name).is_some();
    if has("tokenizer.json") {
        return Ok(vec!["tokenizer.json".to_owned()]);
    }
    if has("vocab.json") && has("merges.txt") {
        return Ok(vec!["vocab.json".to_owned(), "merges.txt".to_owned()]);
    }
    let message = format!(
        "{} has no tokenizer.json, nor vocab.json with merges.txt; name a repo that has, such as \
         \"openai-community/gpt2\"",
        repo.title()
    );
    Err(lacking(repo, listing, "tokenizer.json", message))
}

/// The file that the weights begin with.
fn weight_files(repo: &Repo, listing: &Listing) -> Result<&'static str> {
    let has = |name: &str| listing.find(name).is_some();
    if has(WEIGHTS) {
        return Ok(WEIGHTS);
    }
    if has(INDEX) {
        return Ok(INDEX);
    }
    let title = repo.title();
    let message = if has("pytorch_model.bin") || has("pytorch_model.bin.index.json") {
        format!(
            "{title} has its weights only as pytorch_model.bin, a format that runs code when it \
             is read; name a revision with model.safetensors (the hub often offers one as \
             \"refs/pr/1\"), or write them with transformers (save_pretrained(\"FOLDER\")) and \
             use source = \"dir\" with path = \"FOLDER\""
        )
    } else {
        format!("{title} has no {WEIGHTS}, so it holds no GPT-2 that can be read")
    };
    Err(lacking(repo, listing, WEIGHTS, message))
}

/// The files that an index names, each once.
fn parts(index: &[u8]) -> Result<Vec<String>> {
    let index: Value = serde_json::from_slice(index).context("it is not JSON")?;
    let map = index["weight_map"]
        .as_object()
        .context("it has no weight_map")?;
    let mut found = Vec::new();
    for part in map.values() {
        let part = part
            .as_str()
            .context("its weight_map names something that is no file")?;
        ensure!(
            is_below(part) && !part.contains('/') && part.ends_with(".safetensors"),
            "its weight_map names {part:?}, which is no file beside it"
        );
        if !found.iter().any(|known| known == part) {
            found.push(part.to_owned());
        }
    }
    if found.is_empty() {
        bail!("its weight_map is empty");
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
#[path = "models_tests.rs"]
mod tests;
