//! Minimal pairs: the beginning of a story up to a word that follows from what was told, once with
//! this word and once with one that the grammar does not allow there.

use std::collections::BTreeMap;

use super::generate::{NextWord, generate_told};
use super::symbols::{Symbol, Whose};
use crate::random::{Purpose, Seed, Stream};

/// The split whose stories the pairs are cut from; no study trains or is tested on it.
const SPLIT: &str = "pairs";
/// Words between scenery and its verb that make an agreement one across a clause.
const FAR: usize = 4;

/// Two texts of which one is right, alike up to the last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinimalPair {
    /// What the wrong one is wrong about.
    pub phenomenon: &'static str,
    pub right: String,
    pub wrong: String,
}

/// The pairs of a story under a seed: of each phenomenon that it shows one, drawn from its places.
///
/// *agreement*: a verb in the other number than its subject's. *agreement across a clause*: the
/// same after a relative clause. *pronoun*: that of another gender than the character's.
/// *treasure*: another thing, or of another material, than the story is about.
pub fn minimal_pairs(seed: u64, story: u64) -> Vec<MinimalPair> {
    let mut found: BTreeMap<&'static str, Vec<MinimalPair>> = BTreeMap::new();
    let mut scenery_began = 0;
    generate_told(seed, SPLIT, story, &mut |next: NextWord| {
        if matches!(next.symbol, Symbol::Pick(super::symbols::Class::Scenery(0))) {
            scenery_began = next.before.len();
        }
        let Some((phenomenon, wrong)) = next.story.wrong_word(next.symbol) else {
            return;
        };
        let between = next.before.get(scenery_began..).unwrap_or_default();
        let is_far = between.split_whitespace().count() > FAR;
        let phenomenon = match phenomenon {
            "agreement with scenery" if is_far && is_outermost(next.symbol) => {
                "agreement across a clause"
            }
            "agreement with scenery" => "agreement",
            other => other,
        };
        let with = |word: &str| {
            let (mut text, mut orthography) = (next.before.to_owned(), next.orthography);
            orthography.write(word, &mut text);
            text
        };
        let (right, wrong) = (with(next.word), with(wrong));
        // A phrase, and a letter that is large or small, is no matter of one word.
        if right != wrong {
            found.entry(phenomenon).or_default().push(MinimalPair {
                phenomenon,
                right,
                wrong,
            });
        }
    });
    let mut stream = Stream::of(Seed::Text(seed), Purpose::PairPlace, story);
    found
        .into_values()
        .map(|mut pairs| pairs.swap_remove(stream.below(pairs.len() as u64) as usize))
        .collect()
}

/// Whether a verb is that of scenery in no clause.
fn is_outermost(symbol: Symbol) -> bool {
    use super::symbols::Class::Stay;
    matches!(
        symbol,
        Symbol::Verb(_, Whose::Scenery(0)) | Symbol::Pick(Stay(0))
    )
}

#[cfg(test)]
#[path = "minimal_pairs_tests.rs"]
mod tests;
