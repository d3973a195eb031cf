//! Byte-level BPE tokenizers: read ([`files`]), checked (`check`), trained ([`bpe`]) and used
//! ([`Tokenizer`]).

pub mod bpe;
mod check;
mod codec;
mod files;
mod input;
mod vocabulary;

pub use codec::Tokenizer;
pub use files::TokenizerFile;
pub use input::TokenizerInput;
pub use vocabulary::END_OF_TEXT;
