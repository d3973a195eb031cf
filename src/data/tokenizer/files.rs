//! The files that a tokenizer lies in, put together to one text that says all of it.
//!
//! A folder has a tokenizer.json, in one of two forms ([`super::newer`]), or vocab.json with
//! merges.txt ([`super::older`]), and beside them files that name and add tokens
//! ([`super::special`]). The text is a tokenizer.json with all of these in it; where they add
//! nothing to the file's own, it is the file byte for byte, so that its hash is the published one.
//! What a tokenizer.json has no place for stands under [`READING`] in it: the token that ends a
//! text, where it is not `<|endoftext|>`, whether special tokens in a text are plain text, and that
//! documents have special tokens, where there are others than the end.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Map, Value, json};

use super::added_token::{AddedToken, mark_end};
use super::form::rebuild;
use super::kept::KeptFiles;
use super::model_types::RegisteredClass;
use super::newer::in_older_form;
use super::older;
use super::read_text::text;
use super::special::{NamingFiles, SpecialTokens, TokenizerClass};
use super::vocabulary::END_OF_TEXT;

/// The key of the one text that says how a text is read with it.
pub(super) const READING: &str = "kdpipe";

/// The key below it of a tokenizer whose documents have special tokens beside the end of a text.
/// Nobody reads it: earlier versions took those for text, and it gives what is made with such a
/// tokenizer another hash than theirs.
const SPECIALS: &str = "special_tokens_in_documents";

/// The tokenizer.json that a folder has or amounts to.
#[derive(Debug)]
pub struct TokenizerFile {
    /// Its content.
    pub json: String,
    /// The file or files that it came from, for messages.
    pub origin: String,
    /// The files as they are, for a model that is made with this tokenizer.
    pub kept: KeptFiles,
    /// Whether earlier versions read the same files otherwise, which a commit does not tell.
    pub is_read_anew: bool,
}

/// The one text that says all of a tokenizer.
struct OneText {
    json: String,
    /// Documents have special tokens beside the end of a text.
    has_specials: bool,
}

impl TokenizerFile {
    /// Reads the files of a folder.
    ///
    /// # Errors
    /// A folder with neither form, a file that cannot be read or is not what its name says,
    /// settings that the tokenizer here does not have.
    pub fn read(folder: &Path) -> Result<Self> {
        let whole = folder.join("tokenizer.json");
        let (vocabulary, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
        let is_one_alone = |there: &Path, missing: &Path| {
            anyhow!(
                "{} is there, and {} is not: a tokenizer of this form is both",
                there.display(),
                missing.display()
            )
        };
        let (origin, own) = if whole.is_file() {
            let origin = whole.display().to_string();
            let own = in_older_form(text(&whole)?);
            let own = own.with_context(|| format!("{origin} cannot be used"))?;
            (origin, Some(own))
        } else {
            match (vocabulary.is_file(), merges.is_file()) {
                (true, true) => (format!("{} with merges.txt", vocabulary.display()), None),
                (false, true) => return Err(is_one_alone(&merges, &vocabulary)),
                (true, false) => return Err(is_one_alone(&vocabulary, &merges)),
                (false, false) => bail!(
                    "{} has no tokenizer; put tokenizer.json there, or vocab.json and merges.txt",
                    shown(folder).display()
                ),
            }
        };
        let settings = FolderSettings::read(folder, own.is_none())?;
        let read = match &own {
            Some(own) => settings.whole(own.clone()),
            None => settings.older(&vocabulary, &merges),
        };
        let OneText { json, has_specials } =
            read.with_context(|| format!("{origin} cannot be used"))?;
        let was_another = |own: &String| settings.was_another(own.clone(), &json);
        let was_another = own.as_ref().is_some_and(was_another);
        // Where both classes read the same, a student names the one that its kind of model has.
        let class = match settings.was_gpt2 && !was_another {
            true => TokenizerClass::Gpt2,
            false => settings.class,
        };
        Ok(Self {
            is_read_anew: has_specials || was_another,
            kept: KeptFiles::read(folder, own.as_deref(), class)?,
            json,
            origin,
        })
    }
}

/// The folder as a message names it.
fn shown(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}

/// The object in a file, where there is one.
fn object(path: PathBuf) -> Result<Option<Map<String, Value>>> {
    if !path.is_file() {
        return Ok(None);
    }
    serde_json::from_str(&text(&path)?)
        .map(Some)
        .with_context(|| format!("{} is not a JSON object", path.display()))
}

/// What the files beside a vocabulary say.
#[derive(Clone)]
struct FolderSettings {
    class: TokenizerClass,
    /// Earlier versions read it as GPT2Tokenizer does: no file names a class, or it is that one.
    was_gpt2: bool,
    config: Map<String, Value>,
    map: Option<Map<String, Value>>,
    added: Option<Map<String, Value>>,
    /// config.json of the model, where it lies in the same folder.
    model: Map<String, Value>,
}

impl FolderSettings {
    /// `is_older`: beside vocab.json and merges.txt.
    fn read(folder: &Path, is_older: bool) -> Result<Self> {
        let config = object(folder.join("tokenizer_config.json"))?.unwrap_or_default();
        // What is wrong with the model's own file is told where the model is read.
        let model = object(folder.join("config.json")).ok().flatten();
        let model = model.unwrap_or_default();
        let name = class_name(&config, &model);
        let model_type = model.get("model_type").and_then(Value::as_str);
        let class = class_of(name, model_type, is_older).with_context(|| {
            format!(
                "the tokenizer in {} cannot be used",
                shown(folder).display()
            )
        })?;
        Ok(Self {
            class,
            was_gpt2: name.is_none_or(is_gpt2),
            map: object(folder.join("special_tokens_map.json"))?,
            added: object(folder.join("added_tokens.json"))?,
            config,
            model,
        })
    }

    fn naming<'a>(&self, whole: Option<&'a Value>) -> NamingFiles<'a> {
        NamingFiles {
            class: self.class,
            config: self.config.clone(),
            map: self.map.clone(),
            added: self.added.clone(),
            whole,
        }
    }

    fn add_prefix_space(&self) -> bool {
        self.config.get("add_prefix_space") == Some(&Value::Bool(true))
    }

    /// A tokenizer.json, with what the files beside it change.
    fn whole(&self, own: String) -> Result<OneText> {
        let mut content: Value = serde_json::from_str(&own).context("it is not JSON")?;
        ensure!(content.is_object(), "it is not a JSON object");
        let mut changed =
            self.class == TokenizerClass::Gpt2 && rebuild(&mut content, self.add_prefix_space());
        let tokens = self.naming(Some(&content)).resolve()?;
        let there = AddedToken::of_file(&content)?;
        // What is written has the ids that are used, so that the hash tells them.
        let numbered = number(&content, &tokens);
        if !there.iter().map(|(id, token)| (*id, token)).eq(numbered) {
            set_added(&mut content, &tokens);
            changed = true;
        }
        changed |= self.set_reading(&mut content, &tokens);
        Ok(OneText {
            has_specials: has_specials(&content),
            json: if changed { content.to_string() } else { own },
        })
    }

    /// Whether earlier versions made another text of a tokenizer.json: they did not ask which kind
    /// of model lies beside it.
    fn was_another(&self, own: String, json: &str) -> bool {
        if !self.was_gpt2 || self.class == TokenizerClass::Gpt2 {
            return false;
        }
        let before = Self {
            class: TokenizerClass::Gpt2,
            ..self.clone()
        };
        before.whole(own).is_ok_and(|before| before.json != json)
    }

    /// The tokenizer.json that vocab.json and merges.txt amount to.
    fn older(&self, vocabulary: &Path, merges: &Path) -> Result<OneText> {
        let vocabulary = object(vocabulary.to_owned())?.unwrap_or_default();
        let mut content = older::assemble(vocabulary, &text(merges)?, self.add_prefix_space());
        let mut naming = self.naming(None);
        // Without a tokenizer.json there is nothing that another class could take.
        naming.class = TokenizerClass::Gpt2;
        let tokens = naming.resolve()?;
        set_added(&mut content, &tokens);
        let ids = |token: &str| id_of(&content, token);
        if let Some(marks) = older::marks(&self.config, &tokens, ids)? {
            content["post_processor"] = marks;
        }
        self.set_reading(&mut content, &tokens);
        Ok(OneText {
            has_specials: has_specials(&content),
            json: content.to_string(),
        })
    }

    /// Writes down how a text is read; whether there is anything to write.
    fn set_reading(&self, content: &mut Value, tokens: &SpecialTokens) -> bool {
        let mut reading = Map::new();
        let end = self.end_of_text(content, tokens);
        let end = end.as_deref().unwrap_or(END_OF_TEXT);
        if end != END_OF_TEXT {
            reading.insert("end_of_text".to_owned(), json!(end));
        }
        if tokens.splits {
            reading.insert("split_special_tokens".to_owned(), json!(true));
        } else if mark_end(&mut content["added_tokens"].clone(), end) {
            reading.insert(SPECIALS.to_owned(), json!(true));
        }
        let is_some = !reading.is_empty();
        if is_some {
            content[READING] = Value::Object(reading);
        }
        is_some
    }

    /// The token that ends a text: the eos token that a file names, or the one that the class names
    /// and the vocabulary has; else the eos id of the model's config.json.
    fn end_of_text(&self, content: &Value, tokens: &SpecialTokens) -> Option<String> {
        let is_own = |token: &str| content["model"]["vocab"].get(token).is_some();
        let named = tokens.end.as_ref();
        if let Some(end) = named.filter(|end| !end.by_default || is_own(&end.content)) {
            return Some(end.content.clone());
        }
        let given = match self.model.get("eos_token_id") {
            Some(Value::Array(list)) => list.first(),
            other => other,
        };
        let by_id = given.and_then(Value::as_u64).and_then(|id| {
            let added = content["added_tokens"].as_array().into_iter().flatten();
            let added = added
                .filter(|token| token["id"] == id)
                .find_map(|token| token["content"].as_str());
            let vocabulary = content["model"]["vocab"].as_object();
            let known = || vocabulary?.iter().find(|(_, known)| **known == id);
            added.or_else(|| known().map(|(token, _)| token.as_str()))
        });
        by_id
            .map(str::to_owned)
            .or_else(|| named.map(|end| end.content.clone()))
    }
}

/// Whether the documents of a tokenizer have special tokens beside the end of a text.
fn has_specials(content: &Value) -> bool {
    content[READING][SPECIALS] == true
}

/// The class that the files name.
fn class_name<'f>(
    config: &'f Map<String, Value>,
    model: &'f Map<String, Value>,
) -> Option<&'f str> {
    let mut files = [config, model].into_iter();
    files.find_map(|file| file.get("tokenizer_class")?.as_str())
}

/// Whether a class is GPT-2's own.
fn is_gpt2(name: &str) -> bool {
    matches!(name, "GPT2Tokenizer" | "GPT2TokenizerFast")
}

/// What transformers makes of the files: by the class that they name, else by the kind of the model
/// that lies there. Without one it takes a tokenizer.json as it is; vocab.json with merges.txt are
/// GPT-2's form.
fn class_of(
    name: Option<&str>,
    model_type: Option<&str>,
    is_older: bool,
) -> Result<TokenizerClass> {
    let registered = model_type.and_then(RegisteredClass::of);
    let Some(name) = name else {
        return match registered {
            Some(RegisteredClass::Gpt2) => Ok(TokenizerClass::Gpt2),
            Some(RegisteredClass::Other) => bail!(
                "no file names its tokenizer_class, and config.json is of a model {:?}, whose \
                 tokenizers have rules of their own; where tokenizer.json says all, write \
                 {{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}} to tokenizer_config.json",
                model_type.unwrap_or_default()
            ),
            Some(RegisteredClass::Whole) | None if is_older => Ok(TokenizerClass::Gpt2),
            Some(RegisteredClass::Whole) | None => Ok(TokenizerClass::Whole),
        };
    };
    if is_gpt2(name) {
        // What is known of the model counts more.
        let is_whole = registered == Some(RegisteredClass::Whole) && !is_older;
        return Ok(match is_whole {
            true => TokenizerClass::Whole,
            false => TokenizerClass::Gpt2,
        });
    }
    match name.strip_suffix("Fast").unwrap_or(name) {
        // LlamaTokenizer over bytes is read as the file is.
        "PreTrainedTokenizer" | "TokenizersBackend" | "PythonBackend" | "LlamaTokenizer" => {
            Ok(TokenizerClass::Whole)
        }
        _ => bail!(
            "its tokenizer_class is {name:?}, which has rules of its own; where tokenizer.json \
             says all, write \"PreTrainedTokenizerFast\""
        ),
    }
}

/// The id of a token, by the vocabulary or the added tokens.
fn id_of(content: &Value, token: &str) -> Option<u64> {
    let added = content["added_tokens"].as_array().into_iter().flatten();
    let own = content["model"]["vocab"].get(token).and_then(Value::as_u64);
    own.or_else(|| {
        added
            .filter(|known| known["content"] == token)
            .find_map(|known| known["id"].as_u64())
    })
}

/// The added tokens with the ids that the tokenizers library gives them: the vocabulary's own, else
/// one behind the other.
fn number<'t>(content: &Value, tokens: &'t SpecialTokens) -> Vec<(u64, &'t AddedToken)> {
    let vocabulary = content["model"]["vocab"].as_object();
    let mut next = vocabulary.map_or(0, Map::len) as u64;
    let mut numbered: Vec<(u64, &AddedToken)> = Vec::with_capacity(tokens.added.len());
    let mut known: HashMap<&str, u64> = HashMap::new();
    for token in &tokens.added {
        let own = vocabulary.and_then(|vocabulary| vocabulary.get(&token.content)?.as_u64());
        let id = *known.entry(&token.content).or_insert_with(|| {
            own.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        });
        numbered.push((id, token));
    }
    numbered
}

/// Puts the added tokens into a tokenizer.json, by their ids.
fn set_added(content: &mut Value, tokens: &SpecialTokens) {
    let mut numbered = number(content, tokens);
    numbered.sort_by_key(|(id, _)| *id);
    let list = numbered.iter().map(|(id, token)| token.to_json(*id));
    content["added_tokens"] = list.collect();
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
