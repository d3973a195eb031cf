//! The rules: which choices there are, how probable each is, and what it writes.
//!
//! A story is written by expanding [`Symbol`]s, leftmost first. There are two sorts of choices.
//! *Structure*: [`options`] gives the alternatives of a symbol with their weights; the probability
//! of one is its weight over the sum. *Words*: a [`Class`] draws a rank r = 0 … n − 1 with
//! probability (1/(r + 1))/H_n, H_n the n-th harmonic number, from its n words, and
//! [`super::story::word_at`] says which word that rank is **in this context**: after another verb,
//! in another place, for another character the words change their ranks. So probabilities of words
//! depend on what was told before, while neither the alternatives nor the rank's probabilities ever
//! do: the entropy of a symbol is one number (see [`super::entropy`]).
//!
//! What the choices have settled is in [`super::story::Story`]; everything else (verb forms,
//! pronouns, articles, who owns the treasure, the character's trait when it is named again) follows
//! from it without a choice.

mod events;
mod plot;
mod scenery;
mod speech;

use super::symbols::{Alternatives, Symbol, Whose};

/// The alternatives of a symbol; empty for one that is no choice of structure.
pub fn options(symbol: Symbol) -> Alternatives {
    match symbol {
        Symbol::Story => plot::STORY,
        Symbol::Tense => plot::TENSE,
        Symbol::AnyGender(character) => plot::gender(character),
        Symbol::Wish => plot::WISH,
        Symbol::Body(count) => plot::body(count),
        Symbol::Ending => plot::ENDING,
        Symbol::Event => events::EVENT,
        Symbol::Subject => events::SUBJECT,
        Symbol::Speaker => events::SPEAKER,
        Symbol::Other => events::OTHER,
        Symbol::Mention(Whose::Other) => events::MENTION_OF_OTHER,
        Symbol::Mention(Whose::Cast(_) | Whose::Subject | Whose::Scenery(_) | Whose::Both) => {
            events::MENTION_OF_SUBJECT
        }
        Symbol::MaybeAdverb => events::MAYBE_ADVERB,
        Symbol::MaybeSpot => events::MAYBE_SPOT,
        Symbol::Statement => speech::STATEMENT,
        Symbol::Question => speech::QUESTION,
        Symbol::Scene(depth) => scenery::scene(depth),
        Symbol::MaybeLook => scenery::MAYBE_LOOK,
        Symbol::Relative(depth) => scenery::relative_clause(depth),
        Symbol::SceneEnd => scenery::SCENE_END,
        Symbol::Text(_)
        | Symbol::Article(_)
        | Symbol::Number(..)
        | Symbol::Verb(..)
        | Symbol::Pronoun(_)
        | Symbol::Possessive(_)
        | Symbol::Reflexive(_)
        | Symbol::Name(_)
        | Symbol::Trait(_)
        | Symbol::Kind(_)
        | Symbol::Material
        | Symbol::Object
        | Symbol::Home
        | Symbol::Present(_)
        | Symbol::Gender(..)
        | Symbol::Shift(_)
        | Symbol::SubjectIsOwner
        | Symbol::SubjectIsOther
        | Symbol::OtherIs(_)
        | Symbol::OwnerIsOther
        | Symbol::Plural(..)
        | Symbol::Pick(_) => &[],
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
