//! What a post-processor puts around every text.

use anyhow::{Result, anyhow, bail};
use tokenizers::{Encoding, PostProcessor, Token};

use crate::panics::panic_as_error;

/// The tokens that a post-processor puts before and behind every text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextFrame {
    pub before: Vec<u32>,
    pub behind: Vec<u32>,
}

impl TextFrame {
    /// What the post-processor puts around a text of one token.
    ///
    /// # Errors
    /// A post-processor that cannot be used, or has the text more than once.
    pub(super) fn of(inner: &tokenizers::Tokenizer) -> Result<Self> {
        let Some(processor) = inner.get_post_processor() else {
            return Ok(Self::default());
        };
        let one = Token::new(0, "a".to_owned(), (0, 1));
        let one = Encoding::from_tokens(vec![one], 0);
        let framed = panic_as_error(
            || {
                processor
                    .process(one, None, true)
                    .map_err(|error| anyhow!("its post_processor cannot be used: {error}"))
            },
            |_| "its post_processor's parts contradict each other".to_owned(),
        )?;
        let (ids, added) = (framed.get_ids(), framed.get_special_tokens_mask());
        let texts: Vec<usize> = (0..ids.len()).filter(|&i| added[i] == 0).collect();
        let [text] = texts.as_slice() else {
            bail!(
                "its post_processor has the text {} times; once is supported",
                texts.len()
            )
        };
        Ok(Self {
            before: ids[..*text].to_vec(),
            behind: ids[text + 1..].to_vec(),
        })
    }

    /// The tokens of a text with what stands around it.
    pub fn around(&self, text: Vec<u32>) -> Vec<u32> {
        if self.before.is_empty() && self.behind.is_empty() {
            return text;
        }
        [self.before.as_slice(), &text, &self.behind].concat()
    }
}
