//! What the rules are made of: symbols, the classes of words, and whom a word agrees with.

use super::verbs::Verb;

/// Whom a word is about, and agrees with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The character introduced first, second or third.
    Cast(usize),
    /// The character that the sentence is about.
    Subject,
    /// Another character of the sentence.
    Other,
    /// The scenery at a depth of relative clauses.
    Scenery(usize),
    /// Two together.
    Both,
}

pub const HERO: Whose = Whose::Cast(0);
pub const FRIEND: Whose = Whose::Cast(1);
pub const OWNER: Whose = Whose::Cast(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gender {
    #[default]
    She,
    He,
    /// Two or more: a family.
    They,
}

/// A class of words that are drawn by rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Opening,
    Home,
    Trait(usize),
    Kind(usize),
    Name(usize),
    Material,
    Object,
    /// Where somebody goes: depends on the place of the story so far.
    Destination,
    /// Where something is.
    Spot,
    Move,
    Act,
    SecondAct,
    Deed(Whose),
    Thing,
    Adverb,
    Feeling,
    Speak,
    Look,
    Scenery(usize),
    Stay(usize),
    Regard(usize),
    State,
}

/// What is expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    // Words without a choice.
    Text(&'static str),
    /// "a", "an" or "two".
    Article(Whose),
    /// One of the two words, by number.
    Number(Whose, &'static str, &'static str),
    Verb(&'static Verb, Whose),
    Pronoun(Whose),
    Possessive(Whose),
    Reflexive(Whose),
    Name(Whose),
    Trait(Whose),
    Kind(Whose),
    Material,
    Object,
    Home,
    // What changes the story without a word.
    Present(bool),
    Gender(usize, Gender),
    /// The subject becomes the character so many places further.
    Shift(usize),
    SubjectIsOwner,
    SubjectIsOther,
    /// The other becomes the character 1 + so many places after the subject.
    OtherIs(usize),
    OwnerIsOther,
    Plural(usize, bool),
    // Choices of a word.
    Pick(Class),
    // Choices of structure.
    Story,
    Tense,
    AnyGender(usize),
    Wish,
    Body(usize),
    Event,
    Ending,
    Subject,
    /// Chooses the subject without naming it.
    Speaker,
    Other,
    Mention(Whose),
    MaybeAdverb,
    MaybeSpot,
    Statement,
    Question,
    Scene(usize),
    MaybeLook,
    Relative(usize),
    SceneEnd,
}

/// Marks that are not written as they stand: see [`super::orthography`].
pub const A: &str = "\u{1}";
pub const OPEN: &str = "\u{2}";
pub const CLOSE: &str = "\u{3}";
pub const NEW_LINE: &str = "\n";

/// Weighted alternatives.
pub type Alternatives = &'static [(u32, &'static [Symbol])];
