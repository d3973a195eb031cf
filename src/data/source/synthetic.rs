//! The embedded grammar as a source.

use anyhow::Result;
use rayon::prelude::*;

use super::document::{Part, Piece, PieceVisitor, ReadLimit, count_words};
use super::document_source::DocumentSource;
use crate::data::grammar;
use crate::data::recipe::Recipe;

/// Documents generated at a time.
const BLOCK: u64 = 256;

/// Stories under a seed: each split is whole documents until its words are reached.
pub struct SyntheticSource {
    pub seed: u64,
    pub train_words: u64,
    pub validation_words: u64,
    pub test_words: u64,
}

impl DocumentSource for SyntheticSource {
    fn add_to(&self, recipe: &mut Recipe) {
        recipe
            .add("source", "synthetic")
            .add("grammar", grammar::VERSION)
            .add("seed", self.seed)
            .add("train", self.train_words)
            .add("validation", self.validation_words)
            .add("test", self.test_words);
    }

    fn visit(&self, part: Part, _: ReadLimit, _: &str, visitor: &mut PieceVisitor) -> Result<()> {
        let wanted = part.of(self.train_words, self.validation_words, self.test_words);
        let mut total = 0;
        for block in 0.. {
            let documents: Vec<grammar::Document> = (block * BLOCK..(block + 1) * BLOCK)
                .into_par_iter()
                .map(|index| grammar::generate(self.seed, part.name(), index))
                .collect();
            for document in documents {
                if total >= wanted {
                    return Ok(());
                }
                let words = count_words(&document.text);
                total += words;
                let text = Piece::Text {
                    text: &document.text,
                    words,
                };
                let end = Piece::End {
                    log_probability: Some(document.log_probability),
                };
                if visitor(text)?.is_break() || visitor(end)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn empty_remedy(&self, part: Part) -> String {
        format!("write dataset.{}_words of at least 1", part.name())
    }

    fn document_entropy(&self) -> Option<f64> {
        Some(grammar::entropy())
    }
}
