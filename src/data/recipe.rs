//! Names by content: a hash over the values that determine something.

use sha2::{Digest, Sha256};

use crate::digest;
use crate::plan::dataset_identity::ARTICLES_VERSION;
use crate::plan::run::{Detokenize, LineBlocks, Rows};

/// Named values hashed in order, each with its length, so that no two lists of values run into the
/// same bytes.
pub struct Recipe(Sha256);

impl Recipe {
    /// A recipe of a dataset, a tokenizer or the streams of both.
    pub fn new(what: &str) -> Self {
        let mut recipe = Self(Sha256::new());
        recipe.add("of", what);
        recipe
    }

    pub fn add(&mut self, name: &str, value: impl ToString) -> &mut Self {
        for text in [name, &value.to_string()] {
            self.0.update((text.len() as u64).to_le_bytes());
            self.0.update(text.as_bytes());
        }
        self
    }

    pub fn add_rows(&mut self, rows: Rows) -> &mut Self {
        match rows {
            // Rows without an end of line are joined by one since 2.
            Rows::Lines => self.add("rows", "lines").add("joined", 2),
            Rows::Articles => self
                .add("rows", "lines")
                .add("joined", 2)
                .add_articles(true),
            Rows::Documents => self.add("rows", "documents"),
        }
    }

    /// Documents that are no articles add nothing.
    pub fn add_articles(&mut self, are_articles: bool) -> &mut Self {
        match are_articles {
            true => self.add("articles", ARTICLES_VERSION),
            false => self,
        }
    }

    pub fn add_detokenize(&mut self, detokenize: Detokenize) -> &mut Self {
        match detokenize {
            Detokenize::None => self.add("detokenize", "none"),
            Detokenize::Wikitext => self.add("detokenize", "wikitext"),
        }
    }

    /// Shares that are cut by whole documents add nothing.
    pub fn add_cut(&mut self, cut: Option<LineBlocks>) -> &mut Self {
        match cut {
            Some(LineBlocks { lines, gap }) => self.add("cut lines", lines).add("cut gap", gap),
            None => self,
        }
    }

    /// A limit that is absent is no part of the recipe.
    pub fn add_train_tokens(&mut self, train_tokens: Option<u64>) -> &mut Self {
        match train_tokens {
            Some(tokens) => self.add("train_tokens", tokens),
            None => self,
        }
    }

    /// The sha256 of the values, in hexadecimal digits.
    pub fn finish(self) -> String {
        digest::hex(&self.0.finalize())
    }
}
