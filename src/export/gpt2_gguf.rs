//! A student as a GGUF file that llama.cpp reads as its `gpt2`, in f32.
//!
//! Names of tensors and keys are those that llama.cpp's own converter writes for GPT-2: products
//! are stored with the output's coordinates as rows, so the four weights of a block that GPT-2 has
//! the other way round are transposed. What llama.cpp's graph of GPT-2 does not have (another
//! activation, attention that is scaled otherwise) is refused, and so is a tokenizer whose cut is
//! not GPT-2's, or that has tokens with flags which llama.cpp does not have.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::data::{KeptFiles, Tokenizer, TokenizerFile};
use crate::files;
use crate::gguf::{self, KeyValue, TensorInfo};
use crate::model::{Array, Config, ModelFolder, TokenIds, Weights};
use crate::ops::Activation;

/// `general.file_type` of a file whose tensors are all f32.
const ALL_F32: u32 = 0;
/// Types of tokens.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;
/// The keys of tokens that end a text for llama.cpp: of a text, of a turn, of a message.
const ENDS: [&str; 3] = [
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.eom_token_id",
];
/// The key of a chat template; others have a name behind it.
const TEMPLATE: &str = "tokenizer.chat_template";
/// What transformers and llama.cpp call the template without a name of its own.
const DEFAULT: &str = "default";

/// Writes the model and the tokenizer of a folder to a file; `name` is the model's.
///
/// # Errors
/// What llama.cpp would read as another model, by name; anything the disk refuses.
pub fn write_gguf(folder: &Path, name: &str, target: &Path) -> Result<()> {
    let checkpoint = ModelFolder::open(folder)?;
    let config = &checkpoint.config;
    refuse_other_graphs(config)?;
    let file = TokenizerFile::read(folder)?;
    let tokenizer = Tokenizer::from_file(&file)?;
    let content: Value = serde_json::from_str(&tokenizer.plain_json())
        .context("the tokenizer's text is not JSON")?;
    refuse_other_cuts(&content)?;
    let mut keys = model_keys(config, name);
    keys.extend(tokenizer_keys(
        &content,
        &TokenIds::read(folder)?,
        &tokenizer,
        config,
    )?);
    keys.extend(template_keys(chat_templates(&file.kept)));
    let weights = Weights::from_checkpoint(&checkpoint);
    let arrays: Vec<(String, &Array, bool)> = weights
        .arrays
        .iter()
        .map(|(name, array)| {
            let named = tensor_name(name).with_context(|| format!("{name} has no name there"))?;
            Ok((named, array, is_transposed(name)))
        })
        .collect::<Result<_>>()?;
    let infos: Vec<TensorInfo> = arrays
        .iter()
        .map(|(name, array, is_transposed)| TensorInfo {
            name: name.clone(),
            shape: match array.shape.as_slice() {
                &[rows, columns] if *is_transposed => vec![columns, rows],
                shape => shape.to_vec(),
            },
        })
        .collect();
    let mut values = |index: usize| {
        let (_, array, is_transposed) = &arrays[index];
        match array.shape.as_slice() {
            &[rows, columns] if *is_transposed => transposed(&array.values, rows, columns),
            _ => array.values.clone(),
        }
    };
    files::write_by(target, &mut |file| {
        let mut file = std::io::BufWriter::new(file);
        gguf::write(&mut file, &keys, &infos, &mut values)?;
        std::io::Write::flush(&mut file)?;
        Ok(())
    })
}

/// llama.cpp has one graph of GPT-2, the published models'.
fn refuse_other_graphs(config: &Config) -> Result<()> {
    ensure!(
        config.activation == Activation::GeluTanh,
        "llama.cpp computes GPT-2 with the activation gelu_new alone, and this model has another: \
         leave --gguf out"
    );
    ensure!(
        config.scale_by_width && !config.scale_by_layer,
        "llama.cpp scales GPT-2's attention by the root of a head's width alone, and this model's \
         is scaled otherwise: leave --gguf out"
    );
    Ok(())
}

/// llama.cpp cuts a text as GPT-2 does, before its merges, where it is told so; any other cut would
/// give other tokens without a word.
fn refuse_other_cuts(content: &Value) -> Result<()> {
    let cut = &content["pre_tokenizer"];
    let is_gpt2 = cut["type"] == "ByteLevel"
        && cut["add_prefix_space"] == false
        && cut["use_regex"] != false
        && content["normalizer"].is_null()
        && content["model"]["ignore_merges"] != true;
    if !is_gpt2 {
        bail!(
            "the tokenizer cuts texts otherwise than GPT-2's, which llama.cpp has no name for: \
             leave --gguf out"
        );
    }
    let added = content["added_tokens"].as_array().into_iter().flatten();
    for token in added {
        let mut flags = ["lstrip", "rstrip", "single_word"].into_iter();
        if let Some(flag) = flags.find(|&flag| token[flag] == true) {
            bail!(
                "the tokenizer's added token {} has {flag} = true, which llama.cpp does not know, \
                 so that it would give texts with it other tokens: leave --gguf out",
                token["content"]
            );
        }
    }
    Ok(())
}

fn model_keys(config: &Config, name: &str) -> Vec<(String, KeyValue)> {
    let number = |value: usize| KeyValue::U32(u32::try_from(value).unwrap_or(u32::MAX));
    let text = |value: &str| KeyValue::Text(value.to_owned());
    let keys = [
        ("general.architecture", text("gpt2")),
        ("general.type", text("model")),
        ("general.name", text(name)),
        ("gpt2.block_count", number(config.layers)),
        ("gpt2.context_length", number(config.positions)),
        ("gpt2.embedding_length", number(config.width)),
        ("gpt2.feed_forward_length", number(config.inner)),
        ("gpt2.attention.head_count", number(config.heads)),
        (
            "gpt2.attention.layer_norm_epsilon",
            KeyValue::F32(config.epsilon as f32),
        ),
        ("general.file_type", KeyValue::U32(ALL_F32)),
    ];
    keys.map(|(key, value)| (key.to_owned(), value)).into()
}

/// Tokens by their ids, as many as the model has rows; those that nothing names are unused.
fn tokenizer_keys(
    content: &Value,
    ids: &TokenIds,
    tokenizer: &Tokenizer,
    config: &Config,
) -> Result<Vec<(String, KeyValue)>> {
    let rows = config.vocabulary;
    let mut tokens: Vec<String> = (0..rows).map(|id| format!("[PAD{id}]")).collect();
    let mut types = vec![UNUSED; rows];
    let vocabulary = content["model"]["vocab"]
        .as_object()
        .context("the tokenizer has no vocabulary")?;
    let normal = vocabulary
        .iter()
        .filter_map(|(token, id)| Some((token.as_str(), id.as_u64()?, NORMAL)));
    let added = content["added_tokens"].as_array().into_iter().flatten();
    let added = added.filter_map(|token| {
        let text = token["content"].as_str()?;
        let is_control = token["special"] == true || text.starts_with("<|") && text.ends_with("|>");
        let kind = if is_control { CONTROL } else { USER_DEFINED };
        Some((text, token["id"].as_u64()?, kind))
    });
    for (token, id, kind) in normal.chain(added) {
        // A teacher may lack rows for tokens that were added, which no text here has.
        if let Some(place) = usize::try_from(id).ok().filter(|&id| id < rows) {
            (tokens[place], types[place]) = (token.to_owned(), kind);
        }
    }
    let mut keys = vec![
        ("tokenizer.ggml.model", KeyValue::Text("gpt2".to_owned())),
        ("tokenizer.ggml.pre", KeyValue::Text("gpt-2".to_owned())),
        ("tokenizer.ggml.tokens", KeyValue::Texts(tokens)),
        ("tokenizer.ggml.token_type", KeyValue::I32s(types)),
        ("tokenizer.ggml.merges", KeyValue::Texts(merges(content)?)),
    ];
    let ends = ends(ids, tokenizer)?;
    let before = first_of_every_text(tokenizer)?;
    let begin = before.or(ids.begin()).or(ends.first().copied());
    let begin = begin.map(|id| ("tokenizer.ggml.bos_token_id", id));
    for (key, id) in begin.into_iter().chain(ENDS.into_iter().zip(ends)) {
        keys.push((key, KeyValue::U32(id)));
    }
    // Without it texts go on from their own first token, as in transformers.
    keys.push((
        "tokenizer.ggml.add_bos_token",
        KeyValue::Bool(before.is_some()),
    ));
    Ok(keys
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect())
}

/// The tokens that end a generated text, each once, as many as there are keys for.
///
/// # Errors
/// More of them.
fn ends(ids: &TokenIds, tokenizer: &Tokenizer) -> Result<Vec<u32>> {
    let mut ends = Vec::new();
    for id in ids.stops() {
        if !ends.contains(&id) {
            ends.push(id);
        }
    }
    if ends.is_empty() {
        ends.extend(tokenizer.text_end());
    }
    ensure!(
        ends.len() <= ENDS.len(),
        "generated text ends at each of {} tokens (eos_token_id in generation_config.json), and \
         GGUF has keys for {}: leave --gguf out",
        ends.len(),
        ENDS.len()
    );
    Ok(ends)
}

/// The chat templates that lie beside a tokenizer, by their names: those in files of their own,
/// else those in tokenizer_config.json, as transformers takes them.
fn chat_templates(kept: &KeptFiles) -> BTreeMap<String, String> {
    let mut templates = BTreeMap::new();
    let mut config = Value::Null;
    for (file, content) in kept.files() {
        let further = file.strip_prefix("additional_chat_templates/");
        let name = match file {
            "chat_template.jinja" => Some(DEFAULT),
            "tokenizer_config.json" => {
                config = serde_json::from_str(content).unwrap_or_default();
                None
            }
            _ => further.and_then(|name| name.strip_suffix(".jinja")),
        };
        if let Some(name) = name {
            templates.insert(name.to_owned(), content.to_owned());
        }
    }
    if !templates.is_empty() {
        return templates;
    }
    match &config["chat_template"] {
        Value::String(template) => {
            templates.insert(DEFAULT.to_owned(), template.clone());
        }
        Value::Array(list) => templates.extend(list.iter().filter_map(|one| {
            let (name, template) = (one["name"].as_str()?, one["template"].as_str()?);
            Some((name.to_owned(), template.to_owned()))
        })),
        _ => {}
    }
    templates
}

/// The keys of chat templates. llama.cpp's converter has letters and digits in their names alone.
fn template_keys(mut templates: BTreeMap<String, String>) -> Vec<(String, KeyValue)> {
    let default = templates.remove(DEFAULT);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let further: BTreeMap<String, String> = templates
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, template)| (name.chars().map(plain).collect(), template))
        .collect();
    let names: Vec<String> = further.keys().cloned().collect();
    let mut keys: Vec<(String, KeyValue)> = further
        .into_iter()
        .map(|(name, template)| (format!("{TEMPLATE}.{name}"), KeyValue::Text(template)))
        .collect();
    if !names.is_empty() {
        keys.push((format!("{TEMPLATE}s"), KeyValue::Texts(names)));
    }
    keys.extend(default.map(|template| (TEMPLATE.to_owned(), KeyValue::Text(template))));
    keys
}

/// The token that the tokenizer puts before every text, if it does.
///
/// # Errors
/// Others, which llama.cpp would leave out without a word.
fn first_of_every_text(tokenizer: &Tokenizer) -> Result<Option<u32>> {
    let frame = tokenizer.frame();
    match (frame.before.as_slice(), frame.behind.as_slice()) {
        ([], []) => Ok(None),
        (&[id], []) => Ok(Some(id)),
        _ => bail!(
            "the tokenizer puts more around every text than one token before it, which is not \
             written as GGUF: leave --gguf out"
        ),
    }
}

/// Pairs of tokens that are joined, in their order, with a space between the two.
fn merges(content: &Value) -> Result<Vec<String>> {
    let merges = content["model"]["merges"].as_array();
    let merge = |merge: &Value| match merge {
        Value::String(text) => Some(text.clone()),
        pair => Some(format!("{} {}", pair[0].as_str()?, pair[1].as_str()?)),
    };
    let all: Option<Vec<String>> = merges
        .context("the tokenizer has no merges")?
        .iter()
        .map(merge)
        .collect();
    all.context("a merge of the tokenizer is no pair of tokens")
}

/// What llama.cpp calls an array.
fn tensor_name(name: &str) -> Option<String> {
    let whole = match name {
        "wte.weight" => "token_embd.weight",
        "wpe.weight" => "position_embd.weight",
        "ln_f.weight" => "output_norm.weight",
        "ln_f.bias" => "output_norm.bias",
        "lm_head.weight" => "output.weight",
        _ => "",
    };
    if !whole.is_empty() {
        return Some(whole.to_owned());
    }
    let (block, rest) = name.strip_prefix("h.")?.split_once('.')?;
    let (part, kind) = rest.rsplit_once('.')?;
    let part = match part {
        "ln_1" => "attn_norm",
        "attn.c_attn" => "attn_qkv",
        "attn.c_proj" => "attn_output",
        "ln_2" => "ffn_norm",
        "mlp.c_fc" => "ffn_up",
        "mlp.c_proj" => "ffn_down",
        _ => return None,
    };
    Some(format!("blk.{block}.{part}.{kind}"))
}

/// Whether GPT-2 has an array with the input's coordinates as rows.
fn is_transposed(name: &str) -> bool {
    [".c_attn.weight", ".c_proj.weight", ".c_fc.weight"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|column| (0..rows).map(move |row| values[row * columns + column]))
        .collect()
}

#[cfg(test)]
#[path = "gpt2_gguf_tests.rs"]
mod tests;
