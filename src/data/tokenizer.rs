//! Byte-level BPE tokenizers, in the form of a tokenizer.json or of older files that amount to one
//! ([`super::tokenizer_files`]).
//!
//! The tokenizers crate encodes; what it would trip over in a broken or hostile file is checked
//! before it sees the file, and decoding is a table of bytes here. Only what GPT-2 uses is
//! accepted: a BPE model over all 256 bytes behind GPT-2's own pre-tokenisation, with
//! `<|endoftext|>`, and tokens added to it. Then every text comes back from its tokens unchanged
//! (but for white space beside an added token that is told to swallow it), and a long one may be
//! tokenized in the pieces that [`super::sources::Segments`] cuts, where [`Tokenizer::may_cut`]
//! agrees.
//!
//! A text may spell a special token such as `<|endoftext|>`. In a corpus that is plain text
//! ([`Tokenizer::encode`]), so that no document can pretend to end: the token follows documents and
//! nothing else. transformers takes it for the token unless it is told `split_special_tokens=True`;
//! so do [`Tokenizer::encode_with_specials`] and, through it, `eval` and `generate`, whose figures
//! are held against transformers'. Added tokens that are not special are tokens for both.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fingerprint::hex;
use super::tokenizer_files;

/// The token after every document.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// A tokenizer that gives back every text unchanged.
#[derive(Debug)]
pub struct Tokenizer {
    /// Reads special tokens as text.
    inner: tokenizers::Tokenizer,
    /// The same, reading them as tokens; made when it is first asked for.
    with_specials: OnceLock<tokenizers::Tokenizer>,
    json: String,
    /// Added tokens, special ones too.
    added: Vec<String>,
    specials: BTreeSet<u32>,
    /// The bytes of every token.
    bytes: Vec<Vec<u8>>,
    end_of_text: u32,
}

impl Tokenizer {
    /// Reads the tokenizer of a folder.
    ///
    /// # Errors
    /// Files that are missing or at odds, or that [`Tokenizer::from_json`] refuses.
    pub fn open(folder: &Path) -> Result<Self> {
        let (json, from) = tokenizer_files::read(folder)?;
        Self::from_json(json).with_context(|| format!("{from} cannot be used"))
    }

    /// A tokenizer from the content of a tokenizer.json.
    ///
    /// # Errors
    /// What is not a byte-level BPE like GPT-2's: another model, dropout, affixes, a normalizer,
    /// another pre-tokenisation, ids with gaps, merges outside the vocabulary, a missing byte or
    /// `<|endoftext|>`.
    pub fn from_json(json: String) -> Result<Self> {
        let mut content: Value = serde_json::from_str(&json).context("it is not JSON")?;
        check_model(&content)?;
        let bytes = token_bytes(&content)?;
        let added = sort_added(&mut content);
        // The streams are cut and filled here, never by the tokenizer.
        content["truncation"] = Value::Null;
        content["padding"] = Value::Null;
        content["model"]["type"] = "BPE".into();
        let text = content.to_string();
        let mut inner = catch_unwind(AssertUnwindSafe(|| {
            tokenizers::Tokenizer::from_bytes(text.as_bytes())
        }))
        .map_err(|_| anyhow!("the tokenizer's parts contradict each other"))?
        .map_err(|error| anyhow!("{error}"))?;
        inner.set_encode_special_tokens(true);
        let end_of_text = inner.token_to_id(END_OF_TEXT).with_context(|| {
            format!("it has no token {END_OF_TEXT}, which follows every document")
        })?;
        ensure!(
            inner.get_vocab_size(true) == bytes.len(),
            "its added tokens and its vocabulary give different ids to one token"
        );
        for (text, id, _) in &added {
            let found = inner.token_to_id(text);
            ensure!(
                found == Some(*id),
                "its added token {text:?} has the id {id} in the file and would get {found:?}: \
                 ids of added tokens follow the vocabulary"
            );
        }
        let specials = added
            .iter()
            .filter(|(.., special)| *special)
            .map(|(_, id, _)| *id)
            .collect();
        let added = added.into_iter().map(|(text, ..)| text).collect();
        Ok(Self {
            inner,
            with_specials: OnceLock::new(),
            json,
            added,
            specials,
            bytes,
            end_of_text,
        })
    }

    /// The tokens of a text in which special tokens are plain text; `<|endoftext|>` is never among
    /// them.
    ///
    /// # Errors
    /// What the tokenizers crate reports, such as a regular expression out of memory.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        encode(&self.inner, text)
    }

    /// The tokens of a text in which special tokens are themselves, as transformers reads it.
    ///
    /// # Errors
    /// As of [`Tokenizer::encode`].
    pub fn encode_with_specials(&self, text: &str) -> Result<Vec<u32>> {
        let inner = self.with_specials.get_or_init(|| {
            let mut inner = self.inner.clone();
            inner.set_encode_special_tokens(false);
            inner
        });
        encode(inner, text)
    }

    /// Whether `left` and `right`, which follow one another where [`super::sources::Segments`] cut
    /// them, have the tokens of the two together: no added token touches the cut.
    pub fn may_cut(&self, left: &str, right: &str) -> bool {
        self.added.iter().all(|token| {
            let before = &left.as_bytes()[left.len().saturating_sub(token.len())..];
            let after = &right.as_bytes()[..right.len().min(token.len())];
            // Whatever has the token's length in here reaches the cut.
            ![before, after]
                .concat()
                .windows(token.len())
                .any(|found| found == token.as_bytes())
        })
    }

    /// Whether a token is a special one.
    pub fn is_special(&self, id: u32) -> bool {
        self.specials.contains(&id)
    }

    /// The bytes that the tokens stand for. Ids beyond the vocabulary stand for nothing.
    pub fn decode_bytes(&self, ids: &[u32]) -> Vec<u8> {
        ids.iter()
            .flat_map(|&id| self.token_bytes(id))
            .copied()
            .collect()
    }

    /// The text that the tokens stand for; bytes that are no UTF-8 (half a character at either end)
    /// become U+FFFD.
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

    /// The content of the tokenizer_config.json that transformers wants beside it, for a model of
    /// `positions` positions.
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

fn encode(inner: &tokenizers::Tokenizer, text: &str) -> Result<Vec<u32>> {
    let encoding = inner
        .encode_fast(text, false)
        .map_err(|error| anyhow!("cannot tokenize: {error}"))?;
    Ok(encoding.get_ids().to_vec())
}

/// Puts the added tokens in the order of their ids, in which the tokenizers crate numbers them
/// whatever the file says, and returns their contents, ids and whether they are special.
fn sort_added(content: &mut Value) -> Vec<(String, u32, bool)> {
    let Some(added) = content["added_tokens"].as_array_mut() else {
        return Vec::new();
    };
    added.sort_by_key(|token| token["id"].as_u64());
    let known = |token: &Value| {
        Some((
            token["content"].as_str()?.to_owned(),
            u32::try_from(token["id"].as_u64()?).ok()?,
            token["special"] == true,
        ))
    };
    added.iter().filter_map(known).collect()
}

fn check_model(content: &Value) -> Result<()> {
    let model = &content["model"];
    // Files of old versions do not name the type.
    ensure!(
        model["type"].is_null() || model["type"] == "BPE",
        "its model is {}, not BPE",
        model["type"]
    );
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
        let value = &model[key];
        ensure!(
            value.is_null() || value == "" || value == 0.0,
            "its model has {key} = {value}; set it to null"
        );
    }
    ensure!(
        content["normalizer"].is_null(),
        "it has a normalizer, which changes the text; set it to null"
    );
    let cut = &content["pre_tokenizer"];
    let is_gpt2 =
        cut["type"] == "ByteLevel" && cut["add_prefix_space"] == false && cut["use_regex"] != false;
    ensure!(
        is_gpt2,
        "its pre_tokenizer is not GPT-2's: ByteLevel with its regular expression and without a \
         prefix space"
    );
    let merges = model["merges"]
        .as_array()
        .context("its model has no merges")?;
    for (rank, merge) in merges.iter().enumerate() {
        let (left, right) = match merge {
            Value::String(pair) => pair.split_once(' ').unwrap_or((pair, "")),
            Value::Array(pair) if pair.len() == 2 => (
                pair[0].as_str().unwrap_or(""),
                pair[1].as_str().unwrap_or(""),
            ),
            _ => ("", ""),
        };
        let known = |token: &str| model["vocab"].get(token).is_some();
        ensure!(
            !left.is_empty()
                && !right.is_empty()
                && known(left)
                && known(right)
                && known(&format!("{left}{right}")),
            "merge {rank}, {merge}, does not join two tokens of the vocabulary to a third"
        );
    }
    Ok(())
}

/// The bytes of the tokens 0 … V − 1 of the vocabulary and the added tokens.
fn token_bytes(content: &Value) -> Result<Vec<Vec<u8>>> {
    let vocabulary = content["model"]["vocab"]
        .as_object()
        .context("its model has no vocabulary")?;
    let added = content["added_tokens"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let mut tokens: Vec<Option<Vec<u8>>> = vec![None; vocabulary.len() + added.len()];
    let byte_of: std::collections::HashMap<char, u8> =
        (0..=255).map(|byte| (byte_char(byte), byte)).collect();
    for (token, id) in vocabulary {
        let slot = id
            .as_u64()
            .and_then(|id| tokens.get_mut(usize::try_from(id).ok()?));
        let Some(slot) = slot else {
            bail!("the id {id} of {token:?} is beyond the number of tokens")
        };
        ensure!(
            slot.is_none(),
            "the id {id} of {token:?} belongs to another token as well"
        );
        let bytes: Option<Vec<u8>> = token.chars().map(|c| byte_of.get(&c).copied()).collect();
        *slot = Some(bytes.unwrap_or_else(|| token.as_bytes().to_vec()));
    }
    let mut seen = BTreeSet::new();
    for token in added {
        let text = token["content"]
            .as_str()
            .filter(|text| !text.is_empty())
            .context("an added token has no content")?;
        ensure!(seen.insert(text), "its added token {text:?} is there twice");
        let slot = token["id"]
            .as_u64()
            .and_then(|id| tokens.get_mut(usize::try_from(id).ok()?));
        let Some(slot) = slot else {
            bail!(
                "the id {} of {text:?} is beyond the number of tokens",
                token["id"]
            )
        };
        ensure!(
            vocabulary
                .get(text)
                .map_or(slot.is_none(), |id| *id == token["id"]),
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
    bytes.with_context(|| {
        format!(
            "its ids have a gap: none is {}",
            tokens.iter().position(Option::is_none).unwrap_or(0)
        )
    })
}

/// The visible character that stands for a byte in vocabularies of byte-level BPE: printable
/// Latin-1 characters for themselves, the others from U+0100 on in order.
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
        let vocabulary: serde_json::Map<String, Value> = tokens
            .into_iter()
            .enumerate()
            .map(|(id, token)| (token, json!(id)))
            .collect();
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
        format!(
            "{:#}",
            Tokenizer::from_json(content.to_string()).unwrap_err()
        )
    }

    #[test]
    fn every_text_comes_back_from_its_tokens() {
        let tokenizer =
            Tokenizer::from_json(content(&[("a", "b"), ("Ġ", "ab")]).to_string()).unwrap();
        assert_eq!(
            (tokenizer.vocabulary(), tokenizer.end_of_text()),
            (259, 258)
        );
        assert_eq!(tokenizer.encode("ab ab").unwrap(), [256, 257]);
        for text in [
            "",
            "  two\n\n\tspaces ",
            "ä€𝄞 日本語",
            "a<|endoftext|>b",
            "\0\u{7f}\u{ad}",
            "it's 'quoted' 12,500",
        ] {
            let tokens = tokenizer.encode(text).unwrap();
            assert_eq!(tokenizer.decode(&tokens), text);
            assert!(!tokens.contains(&258), "no text ends a document");
        }
        assert_eq!(tokenizer.decode(&[256, 258, 9999]), "ab<|endoftext|>");
        assert_eq!(
            tokenizer.decode(&tokenizer.encode("€").unwrap()[..2]),
            "\u{fffd}"
        );
    }

    #[test]
    fn truncation_and_padding_of_the_file_are_not_used() {
        let mut content = content(&[]);
        content["truncation"] =
            json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
        assert_eq!(
            Tokenizer::from_json(content.to_string())
                .unwrap()
                .encode("abcdef")
                .unwrap()
                .len(),
            6
        );
    }

    #[test]
    fn broken_tokenizers_are_refused_with_the_reason() {
        assert!(
            refusal(|c| c["model"]["type"] = json!("WordPiece"))
                .contains("its model is \"WordPiece\", not BPE")
        );
        assert!(
            refusal(|c| c["model"]["dropout"] = json!(0.1))
                .contains("dropout = 0.1; set it to null")
        );
        assert!(
            refusal(|c| c["model"]["continuing_subword_prefix"] = json!("€"))
                .contains("continuing_subword_prefix")
        );
        assert!(refusal(|c| c["model"]["merges"] = json!({})).contains("no merges"));
        assert!(
            refusal(|c| c["model"]["merges"] = json!(["a c"]))
                .contains("merge 0, \"a c\", does not join")
        );
        assert!(refusal(|c| c["model"]["merges"] = json!([["a"]])).contains("does not join"));
        assert!(refusal(|c| c["model"]["merges"] = json!([7])).contains("does not join"));
        assert!(
            refusal(|c| c["model"]["vocab"]["a"] = json!(u64::MAX))
                .contains("beyond the number of tokens")
        );
        assert!(
            refusal(|c| c["model"]["vocab"]["a"] = json!(-1))
                .contains("beyond the number of tokens")
        );
        assert!(
            refusal(|c| c["model"]["vocab"]["a"] = json!(5)).contains("belongs to another token")
        );
        assert!(
            refusal(|c| _ = c["model"]["vocab"].as_object_mut().unwrap().remove("z"))
                .contains("lacks the byte 122")
        );
        assert!(
            refusal(|c| c["model"]["vocab"]["ab"] = json!(258))
                .contains("its ids have a gap: none is 256")
        );
        assert!(
            refusal(|c| c["pre_tokenizer"] = json!({"type": "Whitespace"}))
                .contains("its pre_tokenizer is not GPT-2's")
        );
        assert!(
            refusal(|c| c["pre_tokenizer"]["add_prefix_space"] = json!(true))
                .contains("its pre_tokenizer is not GPT-2's")
        );
        assert!(
            refusal(|c| c["normalizer"] = json!({"type": "NFC"})).contains("it has a normalizer")
        );
        assert!(
            refusal(|c| c["added_tokens"][0]["content"] = json!(""))
                .contains("an added token has no content")
        );
        assert!(
            refusal(|c| {
                let token = c["added_tokens"][0].clone();
                c["added_tokens"].as_array_mut().unwrap().push(token);
            })
            .contains("is there twice")
        );
        assert!(
            refusal(|c| add(c, &[("<a>", 259, "")])).contains("its ids have a gap: none is 258")
        );
        // The tokenizers crate numbers added tokens from the size of the vocabulary on, so it never
        // gives one an id that the vocabulary left free.
        let moved = refusal(|c| {
            c["model"]["vocab"][END_OF_TEXT] = json!(258);
            c["added_tokens"][0]["id"] = json!(258);
            add(c, &[("<a>", 257, "")]);
        });
        assert!(
            moved.contains(
                "its added token \"<a>\" has the id 257 in the file and would get Some(258)"
            ),
            "{moved}"
        );
        assert!(
            refusal(|c| c["added_tokens"][0]["id"] = json!(3))
                .contains("contradicts the vocabulary")
        );
        assert!(refusal(|c| *c = json!([])).contains("its pre_tokenizer is not GPT-2's"));
        let gone = refusal(|c| {
            c["added_tokens"] = json!([]);
            c["model"]["vocab"]
                .as_object_mut()
                .unwrap()
                .remove(END_OF_TEXT);
        });
        assert!(gone.contains("it has no token <|endoftext|>"), "{gone}");
        assert!(
            format!("{:#}", Tokenizer::from_json("{".to_string()).unwrap_err())
                .contains("it is not JSON")
        );
        assert!(
            format!(
                "{:#}",
                Tokenizer::from_json("[".repeat(100_000)).unwrap_err()
            )
            .contains("recursion limit")
        );
    }

    /// Adds tokens, each with its id and the flags that are true.
    fn add(content: &mut Value, tokens: &[(&str, u32, &str)]) {
        for (text, id, flags) in tokens {
            let mut token = json!({"id": id, "content": text});
            for flag in ["single_word", "lstrip", "rstrip", "normalized", "special"] {
                token[flag] = flags.contains(flag).into();
            }
            content["added_tokens"].as_array_mut().unwrap().push(token);
        }
    }

    /// 258 `<a>`, 259 `<b>` (swallows white space on both sides), 260 `no` (as a word alone), 261
    /// `new line` (with a space in it), 262 `<s>` (special).
    fn with_added_tokens() -> Tokenizer {
        let mut content = content(&[("a", "b")]);
        // Not in the order of their ids.
        add(
            &mut content,
            &[
                ("<s>", 262, "special"),
                ("<a>", 258, ""),
                ("<b>", 259, "lstrip rstrip"),
                ("no", 260, "single_word"),
                ("new line", 261, ""),
            ],
        );
        Tokenizer::from_json(content.to_string()).unwrap()
    }

    #[test]
    fn added_tokens_are_found_as_their_flags_say_and_special_ones_where_they_are_asked_for() {
        let tokenizer = with_added_tokens();
        assert_eq!(tokenizer.vocabulary(), 263);
        assert_eq!(tokenizer.encode("ab<a>ab").unwrap(), [256, 258, 256]);
        assert_eq!(tokenizer.encode("ab \n<b>\t ab").unwrap(), [256, 259, 256]);
        assert_eq!(tokenizer.encode("no").unwrap(), [260]);
        assert_eq!(tokenizer.encode("not").unwrap(), [110, 111, 116]);
        assert_eq!(tokenizer.encode("new line").unwrap(), [261]);
        assert_eq!(
            tokenizer
                .encode_with_specials("<s>ab<|endoftext|>")
                .unwrap(),
            [262, 256, 257]
        );
        let plain = tokenizer.encode("<s>ab<|endoftext|>").unwrap();
        assert!(!plain.iter().any(|&id| tokenizer.is_special(id)));
        assert_eq!(tokenizer.decode(&plain), "<s>ab<|endoftext|>");
        assert_eq!(tokenizer.decode(&[262, 258, 261]), "<s><a>new line");
        assert!(
            tokenizer.is_special(257) && tokenizer.is_special(262) && !tokenizer.is_special(258)
        );
    }

    #[test]
    fn cuts_are_allowed_where_no_added_token_reaches_them() {
        let tokenizer = with_added_tokens();
        for (left, right, allowed) in [
            ("ab", " ab", true),
            ("", "", true),
            ("a new", " line", false),
            ("a new", " lines ", false),
            ("ab<a", ">b", false),
            ("ab<b>", " ab", false),
            ("ab<b>x", " ab", true),
            ("some", "no", false),
            ("<|endoftext", "|>", false),
        ] {
            assert_eq!(
                tokenizer.may_cut(left, right),
                allowed,
                "{left:?} {right:?}"
            );
            if allowed {
                let both = [
                    tokenizer.encode(left).unwrap(),
                    tokenizer.encode(right).unwrap(),
                ]
                .concat();
                assert_eq!(both, tokenizer.encode(&format!("{left}{right}")).unwrap());
            }
        }
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
            if let Ok(tokenizer) = String::from_utf8(bytes)
                .map_err(anyhow::Error::from)
                .and_then(Tokenizer::from_json)
            {
                assert_eq!(
                    tokenizer.decode(&tokenizer.encode("abc ä").unwrap()),
                    "abc ä"
                );
            }
        }
    }
}
