//! What the ids of a tokenizer stand for: a table of bytes.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

/// The token after every document, where a tokenizer names no other.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// The bytes of every id, as far as they are known.
type ByteTable = Vec<Option<Vec<u8>>>;

/// The bytes of the tokens 0 … V − 1 of the vocabulary; added tokens are not among them.
pub(super) fn token_bytes(content: &Value) -> Result<Vec<Vec<u8>>> {
    let vocabulary = content["model"]["vocab"]
        .as_object()
        .context("its model has no vocabulary")?;
    let mut table: ByteTable = vec![None; vocabulary.len()];
    enter_vocabulary(vocabulary, &mut table)?;
    // As many ids as tokens, each below their number and none twice: there is no gap.
    Ok(table.into_iter().flatten().collect())
}

fn enter_vocabulary(vocabulary: &Map<String, Value>, table: &mut ByteTable) -> Result<()> {
    let byte_of: HashMap<char, u8> = (0..=255).map(|byte| (byte_char(byte), byte)).collect();
    for (token, id) in vocabulary {
        let Some(place) = place_of(id, table) else {
            bail!(
                "the id {id} of {token:?} is beyond the number of tokens of its vocabulary, whose \
                 ids have a gap"
            )
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

fn place_of<'t>(id: &Value, table: &'t mut ByteTable) -> Option<&'t mut Option<Vec<u8>>> {
    table.get_mut(usize::try_from(id.as_u64()?).ok()?)
}

/// The bytes that are no tokens: a text that has one would lose it.
pub(super) fn missing_bytes(content: &Value) -> Vec<u8> {
    let vocabulary = &content["model"]["vocab"];
    (0..=255)
        .filter(|&byte| vocabulary.get(byte_char(byte).to_string()).is_none())
        .collect()
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
