//! Byte-level BPE tokenizers in the form of a tokenizer.json.
//!
//! The tokenizers crate encodes; what it would trip over in a broken or hostile file is checked before it sees the file, and decoding is a table of bytes here. Only what GPT-2 uses is
//! accepted: a BPE model over all 256 bytes behind GPT-2's own pre-tokenisation, with `<|endoftext|>`. Then every text comes back from its tokens unchanged, and a long one may be
//! tokenized in the pieces that [`super::sources::Segments`] cuts. Special tokens are plain text inside a document: no document can pretend to end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fingerprint::hex;

/// The token after every document.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// A larger tokenizer.json is refused: GPT-2's has 1.4 MB.
const LARGEST_FILE: u64 = 64 << 20;

/// A tokenizer that gives back every text unchanged.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    json: String,
    /// The bytes of every token.
    bytes: Vec<Vec<u8>>,
    end_of_text: u32,
}

impl Tokenizer {
    /// Reads the tokenizer.json of a folder.
    ///
    /// # Errors
    /// A file that is missing, or that [`Tokenizer::from_json`] refuses.
    pub fn open(folder: &Path) -> Result<Self> {
        let file = file_of(folder)?;
        let length = std::fs::metadata(&file).with_context(|| format!("cannot open {}", file.display()))?.len();
        ensure!(length <= LARGEST_FILE, "{} has {length} bytes, more than a tokenizer can need ({LARGEST_FILE})", file.display());
        let json = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::from_json(json).with_context(|| format!("{} cannot be used", file.display()))
    }

    /// A tokenizer from the content of a tokenizer.json.
    ///
    /// # Errors
    /// What is not a byte-level BPE like GPT-2's: another model, dropout, affixes, a normalizer, another pre-tokenisation, ids with gaps, merges outside the vocabulary, a missing byte
    /// or `<|endoftext|>`.
    pub fn from_json(json: String) -> Result<Self> {
        let mut content: Value = serde_json::from_str(&json).context("it is not JSON")?;
        check_model(&content)?;
        let bytes = token_bytes(&content)?;
        // The streams are cut and filled here, never by the tokenizer.
        content["truncation"] = Value::Null;
        content["padding"] = Value::Null;
        content["model"]["type"] = "BPE".into();
        let text = content.to_string();
        let mut inner = catch_unwind(AssertUnwindSafe(|| tokenizers::Tokenizer::from_bytes(text.as_bytes())))
            .map_err(|_| anyhow!("the tokenizer's parts contradict each other"))?
            .map_err(|error| anyhow!("{error}"))?;
        inner.set_encode_special_tokens(true);
        let end_of_text =
            inner.token_to_id(END_OF_TEXT).with_context(|| format!("it has no token {END_OF_TEXT}, which follows every document"))?;
        ensure!(inner.get_vocab_size(true) == bytes.len(), "its added tokens and its vocabulary give different ids to one token");
        Ok(Self { inner, json, bytes, end_of_text })
    }

    /// The tokens of a text; `<|endoftext|>` is never among them.
    ///
    /// # Errors
    /// What the tokenizers crate reports, such as a regular expression out of memory.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, false).map_err(|error| anyhow!("cannot tokenize: {error}"))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The bytes that the tokens stand for. Ids beyond the vocabulary stand for nothing.
    pub fn decode_bytes(&self, ids: &[u32]) -> Vec<u8> {
        ids.iter().flat_map(|&id| self.token_bytes(id)).copied().collect()
    }

    /// The text that the tokens stand for; bytes that are no UTF-8 (half a character at either end) become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        String::from_utf8_lossy(&self.decode_bytes(ids)).into_owned()
    }

    /// The bytes of one token, for text that is written as it comes.
    pub fn token_bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id as usize).map_or(&[], Vec::as_slice)
    }

    /// Number of ids.
    pub fn vocabulary(&self) -> usize {
        self.bytes.len()
    }

    /// The id of `<|endoftext|>`.
    pub fn end_of_text(&self) -> u32 {
        self.end_of_text
    }

    /// The content of tokenizer.json.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// sha256 of [`Tokenizer::json`].
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(self.json.as_bytes()))
    }

    /// The content of the tokenizer_config.json that transformers wants beside it, for a model of `positions` positions.
    pub fn config_json(&self, positions: usize) -> String {
        let config = serde_json::json!({
            "add_prefix_space": false,
            "bos_token": END_OF_TEXT,
            "clean_up_tokenization_spaces": false,
            "eos_token": END_OF_TEXT,
            "model_max_length": positions,
            "tokenizer_class": "GPT2TokenizerFast",
            "unk_token": END_OF_TEXT,
        });
        format!("{config:#}\n")
    }
}

/// The tokenizer.json of a folder.
pub(super) fn file_of(folder: &Path) -> Result<PathBuf> {
    let file = folder.join("tokenizer.json");
    ensure!(file.is_file(), "{} does not exist; tokenizer.path names a folder with a tokenizer.json", file.display());
    Ok(file)
}

fn check_model(content: &Value) -> Result<()> {
    let model = &content["model"];
    // Files of old versions do not name the type.
    ensure!(model["type"].is_null() || model["type"] == "BPE", "its model is {}, not BPE", model["type"]);
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
        let value = &model[key];
        ensure!(value.is_null() || value == "" || value == 0.0, "its model has {key} = {value}; set it to null");
    }
    ensure!(content["normalizer"].is_null(), "it has a normalizer, which changes the text; set it to null");
    let cut = &content["pre_tokenizer"];
    let is_gpt2 = cut["type"] == "ByteLevel" && cut["add_prefix_space"] == false && cut["use_regex"] != false;
    ensure!(is_gpt2, "its pre_tokenizer is not GPT-2's: ByteLevel with its regular expression and without a prefix space");
    let merges = model["merges"].as_array().context("its model has no merges")?;
    for (rank, merge) in merges.iter().enumerate() {
        let (left, right) = match merge {
            Value::String(pair) => pair.split_once(' ').unwrap_or((pair, "")),
            Value::Array(pair) if pair.len() == 2 => (pair[0].as_str().unwrap_or(""), pair[1].as_str().unwrap_or("")),
            _ => ("", ""),
        };
        let known = |token: &str| model["vocab"].get(token).is_some();
        ensure!(
            !left.is_empty() && !right.is_empty() && known(left) && known(right) && known(&format!("{left}{right}")),
            "merge {rank}, {merge}, does not join two tokens of the vocabulary to a third"
        );
    }
    Ok(())
}

/// The bytes of the tokens 0 … V − 1 of the vocabulary and the added tokens.
fn token_bytes(content: &Value) -> Result<Vec<Vec<u8>>> {
    let vocabulary = content["model"]["vocab"].as_object().context("its model has no vocabulary")?;
    let added = content["added_tokens"].as_array().map_or(&[][..], Vec::as_slice);
    let mut tokens: Vec<Option<Vec<u8>>> = vec![None; vocabulary.len() + added.len()];
    let byte_of: std::collections::HashMap<char, u8> = (0..=255).map(|byte| (byte_char(byte), byte)).collect();
    for (token, id) in vocabulary {
        let slot = id.as_u64().and_then(|id| tokens.get_mut(usize::try_from(id).ok()?));
        let Some(slot) = slot else { bail!("the id {id} of {token:?} is beyond the number of tokens") };
        ensure!(slot.is_none(), "the id {id} of {token:?} belongs to another token as well");
        let bytes: Option<Vec<u8>> = token.chars().map(|c| byte_of.get(&c).copied()).collect();
        *slot = Some(bytes.unwrap_or_else(|| token.as_bytes().to_vec()));
    }
    for token in added {
        let text = token["content"].as_str().context("an added token has no content")?;
        ensure!(token["special"] == true, "its added token {text:?} is not special, so it would tear words apart");
        let slot = token["id"].as_u64().and_then(|id| tokens.get_mut(usize::try_from(id).ok()?));
        let Some(slot) = slot else { bail!("the id {} of {text:?} is beyond the number of tokens", token["id"]) };
        ensure!(
            vocabulary.get(text).map_or(slot.is_none(), |id| *id == token["id"]),
            "the id {} of the added token {text:?} contradicts the vocabulary",
            token["id"]
        );
        *slot = Some(text.as_bytes().to_vec());
    }
    while tokens.last().is_some_and(Option::is_none) {
        tokens.pop();
    }
    for byte in 0..=255 {
        ensure!(
            vocabulary.contains_key(&byte_char(byte).to_string()),
            "its vocabulary lacks the byte {byte} ({:?}): some texts would lose characters",
            byte_char(byte)
        );
    }
    let bytes: Option<Vec<Vec<u8>>> = tokens.iter().cloned().collect();
    bytes.with_context(|| format!("its ids have a gap: none is {}", tokens.iter().position(Option::is_none).unwrap_or(0)))
}

/// The visible character that stands for a byte in vocabularies of byte-level BPE: printable Latin-1 characters for themselves, the others from U+0100 on in order.
pub(super) fn byte_char(byte: u8) -> char {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if is_printable(byte) {
        char::from(byte)
    } else {
        let rank = (0..byte).filter(|&before| !is_printable(before)).count() as u32;
        char::from_u32(256 + rank).expect("fewer than 256 above U+0100")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A tokenizer of the 256 bytes, the merges given and `<|endoftext|>`.
    fn content(merges: &[(&str, &str)]) -> Value {
        let mut tokens: Vec<String> = (0..=255).map(|byte| byte_char(byte).to_string()).collect();
        tokens.extend(merges.iter().map(|(a, b)| format!("{a}{b}")));
        tokens.push(END_OF_TEXT.to_string());
        let end = tokens.len() - 1;
        let vocabulary: serde_json::Map<String, Value> = tokens.into_iter().enumerate().map(|(id, token)| (token, json!(id))).collect();
        json!({
            "version": "1.0",
            "added_tokens": [{"id": end, "content": END_OF_TEXT, "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": true}],
            "normalizer": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
            "model": {"type": "BPE", "vocab": vocabulary, "merges": merges.iter().map(|(a, b)| format!("{a} {b}")).collect::<Vec<_>>()},
        })
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut content = content(&[("a", "b")]);
        change(&mut content);
        format!("{:#}", Tokenizer::from_json(content.to_string()).unwrap_err())
    }

    #[test]
    fn every_text_comes_back_from_its_tokens() {
        let tokenizer = Tokenizer::from_json(content(&[("a", "b"), ("Ġ", "ab")]).to_string()).unwrap();
        assert_eq!((tokenizer.vocabulary(), tokenizer.end_of_text()), (259, 258));
        assert_eq!(tokenizer.encode("ab ab").unwrap(), [256, 257]);
        for text in ["", "  two\n\n\tspaces ", "ä€𝄞 日本語", "a<|endoftext|>b", "\0\u{7f}\u{ad}", "it's 'quoted' 12,500"] {
            let tokens = tokenizer.encode(text).unwrap();
            assert_eq!(tokenizer.decode(&tokens), text);
            assert!(!tokens.contains(&258), "no text ends a document");
        }
        assert_eq!(tokenizer.decode(&[256, 258, 9999]), "ab<|endoftext|>");
        assert_eq!(tokenizer.decode(&tokenizer.encode("€").unwrap()[..2]), "\u{fffd}");
    }

    #[test]
    fn truncation_and_padding_of_the_file_are_not_used() {
        let mut content = content(&[]);
        content["truncation"] = json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
        assert_eq!(Tokenizer::from_json(content.to_string()).unwrap().encode("abcdef").unwrap().len(), 6);
    }

    #[test]
    fn broken_tokenizers_are_refused_with_the_reason() {
        assert!(refusal(|c| c["model"]["type"] = json!("WordPiece")).contains("its model is \"WordPiece\", not BPE"));
        assert!(refusal(|c| c["model"]["dropout"] = json!(0.1)).contains("dropout = 0.1; set it to null"));
        assert!(refusal(|c| c["model"]["continuing_subword_prefix"] = json!("€")).contains("continuing_subword_prefix"));
        assert!(refusal(|c| c["model"]["merges"] = json!({})).contains("no merges"));
        assert!(refusal(|c| c["model"]["merges"] = json!(["a c"])).contains("merge 0, \"a c\", does not join"));
        assert!(refusal(|c| c["model"]["merges"] = json!([["a"]])).contains("does not join"));
        assert!(refusal(|c| c["model"]["merges"] = json!([7])).contains("does not join"));
        assert!(refusal(|c| c["model"]["vocab"]["a"] = json!(u64::MAX)).contains("beyond the number of tokens"));
        assert!(refusal(|c| c["model"]["vocab"]["a"] = json!(-1)).contains("beyond the number of tokens"));
        assert!(refusal(|c| c["model"]["vocab"]["a"] = json!(5)).contains("belongs to another token"));
        assert!(refusal(|c| _ = c["model"]["vocab"].as_object_mut().unwrap().remove("z")).contains("lacks the byte 122"));
        assert!(refusal(|c| c["model"]["vocab"]["ab"] = json!(258)).contains("its ids have a gap: none is 256"));
        assert!(refusal(|c| c["pre_tokenizer"] = json!({"type": "Whitespace"})).contains("its pre_tokenizer is not GPT-2's"));
        assert!(refusal(|c| c["pre_tokenizer"]["add_prefix_space"] = json!(true)).contains("its pre_tokenizer is not GPT-2's"));
        assert!(refusal(|c| c["normalizer"] = json!({"type": "NFC"})).contains("it has a normalizer"));
        assert!(refusal(|c| c["added_tokens"][0]["special"] = json!(false)).contains("is not special"));
        assert!(refusal(|c| c["added_tokens"][0]["id"] = json!(3)).contains("contradicts the vocabulary"));
        assert!(refusal(|c| *c = json!([])).contains("its pre_tokenizer is not GPT-2's"));
        let gone = refusal(|c| {
            c["added_tokens"] = json!([]);
            c["model"]["vocab"].as_object_mut().unwrap().remove(END_OF_TEXT);
        });
        assert!(gone.contains("it has no token <|endoftext|>"), "{gone}");
        assert!(format!("{:#}", Tokenizer::from_json("{".to_string()).unwrap_err()).contains("it is not JSON"));
        assert!(format!("{:#}", Tokenizer::from_json("[".repeat(100_000)).unwrap_err()).contains("recursion limit"));
    }

    #[test]
    fn a_folder_without_a_tokenizer_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Tokenizer::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("tokenizer.json does not exist; tokenizer.path names a folder"), "{error}");
        std::fs::write(folder.path().join("tokenizer.json"), b"\xff").unwrap();
        assert!(Tokenizer::open(folder.path()).unwrap_err().to_string().starts_with("cannot read"));
    }

    #[test]
    fn damaged_files_never_panic() {
        let whole = content(&[("a", "b"), ("ab", "c")]).to_string().into_bytes();
        let mut stream = crate::random::Stream::new(0, "test", 0);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..1 + stream.below(3) {
                let at = stream.below(bytes.len() as u64) as usize;
                match stream.below(3) {
                    0 => bytes[at] = b' ' + stream.below(95) as u8,
                    1 => _ = bytes.remove(at),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            if let Ok(tokenizer) = String::from_utf8(bytes).map_err(anyhow::Error::from).and_then(Tokenizer::from_json) {
                assert_eq!(tokenizer.decode(&tokenizer.encode("abc ä").unwrap()), "abc ä");
            }
        }
    }
}
