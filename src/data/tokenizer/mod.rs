//! Byte-level BPE tokenizers: read from their folders ([`files`], by the rules of `special`),
//! checked (`form`), trained ([`bpe`]) and used ([`Tokenizer`], fast by what `pretokens`
//! remembers).

mod added_token;
pub mod bpe;
mod codec;
mod files;
mod form;
mod frame;
mod input;
mod kept;
mod model_types;
mod newer;
mod older;
mod pairs;
mod pretokens;
mod read_text;
mod special;
mod vocabulary;

pub use codec::Tokenizer;
pub use files::TokenizerFile;
pub use input::TokenizerInput;
pub use kept::KeptFiles;
pub use vocabulary::END_OF_TEXT;

/// What trains tokenizers, as a record names it.
pub fn trained_with() -> String {
    format!("tokenizers {}", bpe::CRATE)
}
