//! What a tokenizer.json does to a text before its merges: which of it can be run, and where a long
//! text may then be cut.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

/// GPT-2's cut, in the words of its authors.
pub(super) const GPT2_CUT: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// Where a text may be cut so that its pieces have the tokens of the whole, added tokens aside.
/// [`Segments`] proposes places that GPT-2's own pre-tokenisation allows.
///
/// [`Segments`]: crate::data::source::segments::Segments
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CutRule {
    /// Wherever it is proposed.
    Anywhere,
    /// The right side begins with a space: else it would get one.
    BeforeSpace,
    /// The characters beside it are ASCII, which a normalizer neither joins nor takes apart.
    BesideAscii,
    /// Nowhere: who can say what goes together.
    Nowhere,
}

/// Refuses what cannot be run exactly: another model, merges at random, affixes, a text that does
/// not become bytes, and merges outside the vocabulary, which the tokenizers crate would trip over.
pub(super) fn check_form(content: &Value) -> Result<CutRule> {
    if let Some(version) = content["version"].as_str() {
        ensure!(
            version == "1.0",
            "its version is {version:?}: \"1.0\" and \"2.0\" are read, the forms of the tokenizers \
             library up to 1.0; save it again with one of these"
        );
    }
    check_model(&content["model"])?;
    let cut = pre_tokenizer_cut(&content["pre_tokenizer"])?;
    let normalizers = parts(&content["normalizer"], "normalizers");
    if normalizers.is_empty() {
        return Ok(cut);
    }
    let added = content["added_tokens"].as_array();
    let is_simple = normalizers.iter().all(|part| changes_characters(part))
        && !added.is_some_and(|added| added.iter().any(|token| token["normalized"] == true));
    Ok(match cut {
        CutRule::Anywhere if is_simple => CutRule::BesideAscii,
        _ => CutRule::Nowhere,
    })
}

fn check_model(model: &Value) -> Result<()> {
    // Files of old versions do not name the type.
    ensure!(
        model["type"].is_null() || model["type"] == "BPE",
        "its model is {}, not BPE",
        model["type"]
    );
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
        let value = &model[key];
        ensure!(
            is_off(value),
            "its model has {key} = {value}; set it to null"
        );
    }
    let vocabulary = model["vocab"]
        .as_object()
        .context("its model has no vocabulary")?;
    let merges = model["merges"]
        .as_array()
        .context("its model has no merges")?;
    merges
        .iter()
        .enumerate()
        .try_for_each(|(rank, merge)| check_merge(rank, merge, vocabulary))
}

fn check_merge(rank: usize, merge: &Value, vocabulary: &Map<String, Value>) -> Result<()> {
    let (left, right) = match merge {
        Value::String(pair) => pair.split_once(' ').unwrap_or((pair, "")),
        Value::Array(pair) if pair.len() == 2 => (
            pair[0].as_str().unwrap_or(""),
            pair[1].as_str().unwrap_or(""),
        ),
        _ => ("", ""),
    };
    let known = |token: &str| vocabulary.contains_key(token);
    ensure!(
        !left.is_empty()
            && !right.is_empty()
            && known(left)
            && known(right)
            && known(&format!("{left}{right}")),
        "merge {rank}, {merge}, does not join two tokens of the vocabulary to a third"
    );
    Ok(())
}

/// A setting that changes nothing.
fn is_off(value: &Value) -> bool {
    value.is_null() || value == "" || value == 0.0 || value == 0 || value == false
}

/// The parts of a component, which may be one, several in a `Sequence`, or none.
pub(super) fn parts<'c>(component: &'c Value, list: &str) -> Vec<&'c Value> {
    if component["type"] != "Sequence" {
        return Vec::from_iter((!component.is_null()).then_some(component));
    }
    let inner = component[list].as_array().into_iter().flatten();
    inner.flat_map(|part| parts(part, list)).collect()
}

/// Whether a normalizer looks at single characters and the marks on them.
fn changes_characters(normalizer: &Value) -> bool {
    let known = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"];
    normalizer["type"]
        .as_str()
        .is_some_and(|kind| known.contains(&kind))
}

/// GPT-2's cut and bytes in one.
fn is_whole_byte_level(part: &Value) -> bool {
    part["type"] == "ByteLevel" && part["use_regex"] != false
}

/// GPT-2's cut in a `Split`, which keeps what it matches or drops what it does not, of which there
/// is nothing.
pub(super) fn is_gpt2_split(part: &Value) -> bool {
    let inverted = part["invert"] == true;
    let behavior = &part["behavior"];
    part["type"] == "Split"
        && part["pattern"]["Regex"] == GPT2_CUT
        && (behavior == "Isolated" && !inverted || behavior == "Removed" && inverted)
}

fn pre_tokenizer_cut(pre_tokenizer: &Value) -> Result<CutRule> {
    let parts = parts(pre_tokenizer, "pretokenizers");
    let no_prefix = |part: &Value| part["add_prefix_space"] == false;
    Ok(match parts.as_slice() {
        [one] if is_whole_byte_level(one) && no_prefix(one) => CutRule::Anywhere,
        [one] if is_whole_byte_level(one) => CutRule::BeforeSpace,
        [split, bytes]
            if is_gpt2_split(split)
                && bytes["type"] == "ByteLevel"
                && no_prefix(bytes)
                && bytes["use_regex"] == false =>
        {
            CutRule::Anywhere
        }
        parts if parts.iter().any(|part| part["type"] == "ByteLevel") => CutRule::Nowhere,
        _ => bail!(
            "its pre_tokenizer has no ByteLevel, which makes a text the bytes that GPT-2's \
             vocabulary is made of; GPT-2's own is {}",
            byte_level(false)
        ),
    })
}

/// GPT-2's pre-tokenisation.
pub(super) fn byte_level(add_prefix_space: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true})
}

/// Makes of a tokenizer.json what the class GPT2Tokenizer makes of it: its vocabulary and merges
/// behind GPT-2's own pre-tokenisation. Whether that changes anything.
pub(super) fn rebuild(content: &mut Value, add_prefix_space: bool) -> bool {
    let mut changed = false;
    let mut set = |place: &mut Value, value: Value| {
        *place = value;
        changed = true;
    };
    let cut = pre_tokenizer_cut(&content["pre_tokenizer"]);
    let wanted = if add_prefix_space {
        CutRule::BeforeSpace
    } else {
        CutRule::Anywhere
    };
    if cut.ok() != Some(wanted) {
        set(&mut content["pre_tokenizer"], byte_level(add_prefix_space));
    }
    if !parts(&content["normalizer"], "normalizers").is_empty() {
        set(&mut content["normalizer"], Value::Null);
    }
    let switches = [
        "dropout",
        "continuing_subword_prefix",
        "end_of_word_suffix",
        "ignore_merges",
    ];
    for key in switches {
        if !is_off(&content["model"][key]) {
            set(&mut content["model"][key], Value::Null);
        }
    }
    if content["model"]["ignore_merges"].is_null()
        && content["model"].get("ignore_merges").is_some()
    {
        content["model"]["ignore_merges"] = Value::Bool(false);
    }
    changed
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
