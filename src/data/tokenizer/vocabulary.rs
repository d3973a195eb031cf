//! What the ids of a tokenizer stand for: a table of bytes.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

/// The token after every document.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// The bytes of every id, as far as they are known.
type ByteTable = Vec<Option<Vec<u8>>>;

/// The bytes of the tokens 0 … V − 1 of the vocabulary and the added tokens.
pub(super) fn token_bytes(content: &Value) -> Result<Vec<Vec<u8>>> {
    let vocabulary = content["model"]["vocab"]
        .as_object()
        .context("its model has no vocabulary")?;
    let added = content["added_tokens"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let mut table: ByteTable = vec![None; vocabulary.len() + added.len()];
    enter_vocabulary(vocabulary, &mut table)?;
    enter_added_tokens(added, vocabulary, &mut table)?;
    // An added token that the vocabulary has as well takes no place of its own.
    while table.last().is_some_and(Option::is_none) {
        table.pop();
    }
    check_bytes(vocabulary)?;
    let gap = table.iter().position(Option::is_none);
    let bytes: Option<Vec<Vec<u8>>> = table.into_iter().collect();
    bytes.with_context(|| format!("its ids have a gap: none is {}", gap.unwrap_or(0)))
}

fn enter_vocabulary(vocabulary: &Map<String, Value>, table: &mut ByteTable) -> Result<()> {
    let byte_of: HashMap<char, u8> = (0..=255).map(|byte| (byte_char(byte), byte)).collect();
    for (token, id) in vocabulary {
        let Some(place) = place_of(id, table) else {
            bail!("the id {id} of {token:?} is beyond the number of tokens")
        };
        ensure!(
            place.is_none(),
            "the id {id} of {token:?} belongs to another token as well"
        );
        let bytes: Option<Vec<u8>> = token.chars().map(|c| byte_of.get(&c).copied()).collect();
        *place = Some(bytes.unwrap_or_else(|| token.as_bytes().to_vec()));
    }
    Ok(())
}

fn enter_added_tokens(
    added: &[Value],
    vocabulary: &Map<String, Value>,
    table: &mut ByteTable,
) -> Result<()> {
    let mut seen = BTreeSet::new();
    for token in added {
        let text = token["content"]
            .as_str()
            .filter(|text| !text.is_empty())
            .context("an added token has no content")?;
        ensure!(seen.insert(text), "its added token {text:?} is there twice");
        let id = &token["id"];
        let Some(place) = place_of(id, table) else {
            bail!("the id {id} of {text:?} is beyond the number of tokens")
        };
        let agrees = match vocabulary.get(text) {
            Some(known) => known == id,
            None => place.is_none(),
        };
        ensure!(
            agrees,
            "the id {id} of the added token {text:?} contradicts the vocabulary"
        );
        *place = Some(text.as_bytes().to_vec());
    }
    Ok(())
}

fn place_of<'t>(id: &Value, table: &'t mut ByteTable) -> Option<&'t mut Option<Vec<u8>>> {
    table.get_mut(usize::try_from(id.as_u64()?).ok()?)
}

/// Every byte must be a token, so that every text has tokens.
fn check_bytes(vocabulary: &Map<String, Value>) -> Result<()> {
    for byte in 0..=255 {
        ensure!(
            vocabulary.contains_key(&byte_char(byte).to_string()),
            "its vocabulary lacks the byte {byte} ({:?}): some texts would lose characters",
            byte_char(byte)
        );
    }
    Ok(())
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
