//! Which tokens a folder adds to its vocabulary, which of them have a name, and which ends a text:
//! the rules by which AutoTokenizer of transformers 5.24 puts its files together.
//!
//! `tokenizer_config.json` names tokens: seven by fixed keys (`bos_token` …), more by any key that
//! ends in `_token`, by `extra_special_tokens` and, where that is empty or an object, by
//! `additional_special_tokens`. Its `added_tokens_decoder` has tokens with flags and ids; where it
//! has one, the older files beside it are not read. Else `special_tokens_map.json` overrides names,
//! and `added_tokens.json` and the `added_tokens` of tokenizer.json are the tokens with flags.
//! Whatever is named and not there is added behind all. The class GPT2Tokenizer names
//! `<|endoftext|>` where nothing else is named, and takes of tokenizer.json no added token that
//! `added_tokens_decoder` leaves out.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::added_token::AddedToken;
use super::vocabulary::END_OF_TEXT;

/// The tokens with a name of their own, in the order in which they are added.
const NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];
/// Of these, the ones that GPT2Tokenizer has where no file names them.
const DEFAULTS: [&str; 3] = ["bos_token", "eos_token", "unk_token"];
const ADDITIONAL: &str = "additional_special_tokens";
const EXTRA: &str = "extra_special_tokens";

/// What transformers makes of a tokenizer's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenizerClass {
    /// Takes vocabulary, merges, post-processor and added tokens, and builds the rest anew.
    Gpt2,
    /// Takes tokenizer.json as it is.
    Whole,
}

/// The files of a folder that say something of its tokens.
#[derive(Debug)]
pub(super) struct NamingFiles<'a> {
    pub class: TokenizerClass,
    /// tokenizer_config.json
    pub config: Map<String, Value>,
    /// special_tokens_map.json
    pub map: Option<Map<String, Value>>,
    /// added_tokens.json
    pub added: Option<Map<String, Value>>,
    /// tokenizer.json
    pub whole: Option<&'a Value>,
}

/// The tokens that a folder adds and names.
#[derive(Debug, Default)]
pub(super) struct SpecialTokens {
    /// In the order in which those that have no id get one.
    pub added: Vec<AddedToken>,
    pub begin: Option<NamedToken>,
    pub end: Option<NamedToken>,
    /// Whether a text that spells a special token is plain text.
    pub splits: bool,
}

/// A token that a key names.
#[derive(Debug, Clone)]
pub(super) struct NamedToken {
    pub content: String,
    /// No file names it, but the class.
    pub by_default: bool,
}

/// A name's value: a content, with flags where a file gives some.
#[derive(Debug, Clone, PartialEq)]
struct NameValue {
    content: String,
    token: Option<AddedToken>,
    by_default: bool,
}

/// TokenNames in the order in which they are added.
type TokenNames = Vec<(String, NameValue)>;

impl NamingFiles<'_> {
    /// Puts the files together.
    ///
    /// # Errors
    /// A value that transformers refuses as well, with its file and key.
    pub fn resolve(mut self) -> Result<SpecialTokens> {
        let end_too = self.whole.is_none();
        let mut own = self.own_names();
        let file_tokens = self.whole.map(AddedToken::of_file).transpose()?;
        let file_tokens = file_tokens.unwrap_or_default();
        let mut tokens: BTreeMap<u64, AddedToken> = BTreeMap::new();
        match self.config.remove("added_tokens_decoder") {
            Some(Value::Object(decoder)) => {
                tokens.extend(AddedToken::of_decoder(&decoder, end_too)?);
            }
            Some(other) if !other.is_null() => {
                bail!("added_tokens_decoder = {other} in tokenizer_config.json is no table")
            }
            _ => {
                self.merge_map(&mut own);
                tokens.extend(self.older_tokens(end_too)?);
                tokens.extend(file_tokens.iter().cloned());
            }
        }
        let extra = self.extra();
        let names = self.names(own, &tokens)?;
        let existing = match self.class {
            TokenizerClass::Whole => file_tokens.into_iter().map(|(_, token)| token).collect(),
            TokenizerClass::Gpt2 => Vec::new(),
        };
        let named = |key: &str| {
            let (_, value) = names.iter().find(|(name, _)| name == key)?;
            Some(NamedToken {
                content: value.content.clone(),
                by_default: value.by_default,
            })
        };
        Ok(SpecialTokens {
            begin: named("bos_token"),
            end: named("eos_token"),
            splits: self.config.get("split_special_tokens") == Some(&Value::Bool(true)),
            added: add(existing, tokens, &names, &extra?, end_too),
        })
    }

    /// Takes the names of one's own out of the config: keys that end in `_token`, and an object of
    /// further tokens.
    fn own_names(&mut self) -> Map<String, Value> {
        let is_empty = |value: &Value| match value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(table) => table.is_empty(),
            _ => false,
        };
        if self.config.get(EXTRA).is_none_or(is_empty)
            && let Some(additional) = self.config.remove(ADDITIONAL)
        {
            self.config.insert(EXTRA.to_owned(), additional);
        }
        let is_own = |(name, value): &(&String, &Value)| {
            name.ends_with("_token") && !NAMES.contains(&name.as_str()) && value.is_string()
        };
        let own: Vec<String> = self
            .config
            .iter()
            .filter(is_own)
            .map(|(name, _)| name.clone())
            .collect();
        let mut own: Map<String, Value> = own
            .into_iter()
            .filter_map(|name| self.config.shift_remove_entry(&name))
            .collect();
        self.extra_object(&mut own);
        own
    }

    /// Moves an object of further tokens to the names of one's own.
    fn extra_object(&mut self, own: &mut Map<String, Value>) {
        if self.config.get(EXTRA).is_some_and(Value::is_object)
            && let Some(Value::Object(further)) = self.config.shift_remove(EXTRA)
        {
            own.extend(further);
        }
    }

    /// special_tokens_map.json: its names override, its further tokens are added.
    fn merge_map(&mut self, own: &mut Map<String, Value>) {
        for (name, mut value) in self.map.take().unwrap_or_default() {
            if name == EXTRA && value.is_array() {
                let mut all = match self.config.get(EXTRA) {
                    Some(Value::Array(list)) => list.clone(),
                    _ => Vec::new(),
                };
                for mut token in value.as_array_mut().into_iter().flat_map(std::mem::take) {
                    make_typed(&mut token);
                    if !all.contains(&token) {
                        all.push(token);
                    }
                }
                value = Value::Array(all);
            } else if name != EXTRA {
                make_typed(&mut value);
            }
            self.config.insert(name, value);
        }
        self.extra_object(own);
    }

    /// added_tokens.json, whose tokens are special where they are named.
    fn older_tokens(&self, end_too: bool) -> Result<Vec<(u64, AddedToken)>> {
        let named = NAMES.iter().filter_map(|name| self.config.get(*name));
        let further = self.config.get(EXTRA).and_then(Value::as_array);
        let special: Vec<&str> = named
            .chain(further.into_iter().flatten())
            .filter_map(|value| value.as_str().or_else(|| value["content"].as_str()))
            .collect();
        let mut tokens = Vec::new();
        for (content, id) in self.added.iter().flatten() {
            let Some(id) = id.as_u64() else {
                bail!("the id {id} of {content:?} in added_tokens.json is not a number")
            };
            let is_special = special.contains(&content.as_str())
                || end_too && content == END_OF_TEXT && self.class == TokenizerClass::Gpt2;
            let token = AddedToken::new(content, is_special, &Value::Null, end_too);
            tokens.push((id, token));
        }
        Ok(tokens)
    }

    /// The further special tokens: those of `extra_special_tokens`, else the additional ones that
    /// are still there.
    fn extra(&mut self) -> Result<Vec<NameValue>> {
        let list = match (self.config.get(EXTRA), self.config.get(ADDITIONAL)) {
            (Some(Value::Null), _) | (None, None | Some(Value::Null)) => return Ok(Vec::new()),
            (Some(Value::Array(list)), _) | (None, Some(Value::Array(list))) => list,
            (Some(other), _) | (None, Some(other)) => {
                bail!("{EXTRA} = {other} is neither a list of tokens nor a table of them")
            }
        };
        list.iter()
            .map(|value| match name_value(value) {
                Some(value) => Ok(value),
                None => bail!("{EXTRA} holds {value}, which is no token: write its text"),
            })
            .collect()
    }

    /// Every name and its token: the seven, then those of one's own.
    fn names(
        &self,
        own: Map<String, Value>,
        tokens: &BTreeMap<u64, AddedToken>,
    ) -> Result<TokenNames> {
        let mut names = TokenNames::new();
        for name in NAMES {
            let value = match self.config.get(name) {
                Some(Value::Null) => continue,
                Some(value) => name_value(value),
                None if self.class == TokenizerClass::Gpt2 && DEFAULTS.contains(&name) => {
                    Some(NameValue {
                        content: END_OF_TEXT.to_owned(),
                        token: None,
                        by_default: true,
                    })
                }
                None if name == "pad_token" => self.padding(),
                None => continue,
            };
            let given = self.config.get(name);
            let Some(mut value) = value else {
                if let Some(given) = given {
                    bail!("{name} = {given} is no token: write its text");
                }
                continue;
            };
            if !value.by_default
                && let Some(token) = tokens.values().rfind(|t| t.content == value.content)
            {
                value.token = Some(token.clone());
            }
            names.push((name.to_owned(), value));
        }
        let is_own = |name: &str| name.ends_with("_token") && !NAMES.contains(&name);
        let from_config = self.config.iter().filter(|(name, _)| is_own(name));
        let from_config: Vec<_> = from_config.map(|(n, v)| (n.clone(), v.clone())).collect();
        for (name, value) in from_config {
            if let Some(value) = name_value(&value) {
                names.push((name, value));
            }
        }
        for (name, value) in own {
            match name_value(&value) {
                Some(value) => names.push((name, value)),
                None => bail!("{name} = {value} in {EXTRA} is no token: write its text"),
            }
        }
        Ok(names)
    }

    /// The token of a padding that was left in tokenizer.json, which names it for the whole class.
    fn padding(&self) -> Option<NameValue> {
        if self.class == TokenizerClass::Gpt2 {
            return None;
        }
        name_value(&self.whole?["padding"]["pad_token"])
    }
}

/// Marks an object as a special token, which those of special_tokens_map.json are.
fn make_typed(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert("__type".to_owned(), json!("AddedToken"));
        object.insert("special".to_owned(), json!(true));
    }
}

/// A text, or an object that says that it is a token.
fn name_value(value: &Value) -> Option<NameValue> {
    if let Some(content) = value.as_str() {
        return Some(NameValue {
            content: content.to_owned(),
            token: None,
            by_default: false,
        });
    }
    let content = value["content"].as_str()?;
    (value["__type"] == "AddedToken").then(|| NameValue {
        content: content.to_owned(),
        token: Some(AddedToken::new(
            content,
            value["special"] == true,
            value,
            false,
        )),
        by_default: false,
    })
}

/// The added tokens in the order in which they are added.
fn add(
    existing: Vec<AddedToken>,
    tokens: BTreeMap<u64, AddedToken>,
    names: &TokenNames,
    extra: &[NameValue],
    end_too: bool,
) -> Vec<AddedToken> {
    let further: Vec<AddedToken> = tokens
        .into_values()
        .filter(|token| !existing.contains(token))
        .collect();
    let mut all = existing;
    let there = all.len();
    all.extend(further);
    let values = names.iter().map(|(_, value)| value).chain(extra);
    for value in values.filter(|value| !value.content.is_empty()) {
        if all.iter().any(|token| token.content == value.content) {
            continue;
        }
        all.push(
            value
                .token
                .clone()
                .unwrap_or_else(|| AddedToken::new(&value.content, true, &Value::Null, end_too)),
        );
    }
    // What is named is special, whatever its flags say; what the file itself added stays.
    for token in &mut all[there..] {
        token.special |= names.iter().any(|(_, v)| v.content == token.content);
    }
    all
}

#[cfg(test)]
#[path = "special_tests.rs"]
mod tests;
