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

use super::lexicon::*;

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

/// Marks that are not written as they stand: see [`super::ink`].
pub const A: &str = "\u{1}";
pub const OPEN: &str = "\u{2}";
pub const CLOSE: &str = "\u{3}";
pub const NEW_LINE: &str = "\n";

/// Weighted alternatives.
pub type Alternatives = &'static [(u32, &'static [Symbol])];

/// The alternatives of a symbol; empty for one that is no choice of structure.
pub fn options(symbol: Symbol) -> Alternatives {
    use Symbol::*;
    macro_rules! scene {
        ($depth:literal) => {
            &[
                (
                    6,
                    &[
                        Plural($depth, false),
                        Text("the"),
                        MaybeLook,
                        Pick(Class::Scenery($depth)),
                        Relative($depth),
                    ],
                ),
                (
                    4,
                    &[
                        Plural($depth, true),
                        Text("the"),
                        MaybeLook,
                        Pick(Class::Scenery($depth)),
                        Relative($depth),
                    ],
                ),
            ]
        };
    }
    macro_rules! relative {
        ($none:literal, $subject:literal, $object:literal, $depth:literal) => {
            &[
                ($none, &[]),
                (
                    $subject,
                    &[
                        Text("that"),
                        Pick(Class::Stay($depth)),
                        Text("by the"),
                        Pick(Class::Spot),
                    ],
                ),
                (
                    $object,
                    &[
                        Text("that"),
                        Scene($depth + 1),
                        Pick(Class::Regard($depth + 1)),
                    ],
                ),
            ]
        };
    }
    macro_rules! body {
        ($count:literal) => {
            &[(1, &[]), (4, &[Event, Body($count + 1)])]
        };
    }
    macro_rules! more {
        ($count:literal) => {
            &[(1, &[Event, Body($count + 1)])]
        };
    }
    macro_rules! gender {
        ($slot:literal) => {
            &[
                (2, &[Gender($slot, self::Gender::She)]),
                (2, &[Gender($slot, self::Gender::He)]),
                (1, &[Gender($slot, self::Gender::They)]),
            ]
        };
    }
    macro_rules! mention {
        ($whose:expr) => {
            &[
                (6, &[Name($whose)]),
                (3, &[Text("the"), Kind($whose)]),
                (1, &[Text("the"), Trait($whose), Kind($whose)]),
            ]
        };
    }
    match symbol {
        Story => &[(
            1,
            &[
                Tense,
                Pick(Class::Opening),
                Text(","),
                Text("near the"),
                Pick(Class::Home),
                Text("there"),
                AnyGender(0),
                Verb(&LIVE, HERO),
                Article(HERO),
                Pick(Class::Trait(0)),
                Pick(Class::Kind(0)),
                Number(HERO, "named", "called"),
                Pick(Class::Name(0)),
                Text("."),
                Possessive(HERO),
                Text("best"),
                AnyGender(1),
                Number(FRIEND, "friend", "friends"),
                Verb(&BE, FRIEND),
                Article(FRIEND),
                Pick(Class::Trait(1)),
                Pick(Class::Kind(1)),
                Number(FRIEND, "named", "called"),
                Pick(Class::Name(1)),
                Text("."),
                Text("not far away"),
                AnyGender(2),
                Verb(&LIVE, OWNER),
                Article(OWNER),
                Pick(Class::Trait(2)),
                Pick(Class::Kind(2)),
                Number(OWNER, "named", "called"),
                Pick(Class::Name(2)),
                Text(","),
                Text("who"),
                Verb(&KEEP, OWNER),
                Text(A),
                Pick(Class::Material),
                Pick(Class::Object),
                Text("."),
                Wish,
                Text(NEW_LINE),
                Body(0),
                Text(NEW_LINE),
                Ending,
            ],
        )],
        Tense => &[(3, &[Present(false)]), (2, &[Present(true)])],
        AnyGender(0) => gender!(0),
        AnyGender(1) => gender!(1),
        AnyGender(_) => gender!(2),
        Wish => &[
            (
                5,
                &[
                    Name(HERO),
                    Verb(&WANT, HERO),
                    Text("the"),
                    Material,
                    Object,
                    Text("more than anything."),
                ],
            ),
            (
                3,
                &[
                    Text("all day long"),
                    Name(HERO),
                    Verb(&DREAM, HERO),
                    Text("of the"),
                    Material,
                    Object,
                    Text("."),
                ],
            ),
            (
                2,
                &[
                    Text("nobody but"),
                    Name(FRIEND),
                    Text("ever"),
                    Verb(&TALK, FRIEND),
                    Text("about the"),
                    Object,
                    Text("."),
                ],
            ),
        ],
        Body(0) => more!(0),
        Body(1) => more!(1),
        Body(2) => body!(2),
        Body(3) => body!(3),
        Body(4) => body!(4),
        Body(5) => body!(5),
        Body(6) => body!(6),
        Body(7) => body!(7),
        Body(8) => body!(8),
        Body(9) => body!(9),
        Body(10) => body!(10),
        Body(11) => body!(11),
        Body(_) => &[(1, &[])],
        Event => &[
            (
                18,
                &[
                    Subject,
                    Pick(Class::Move),
                    MaybeAdverb,
                    Text("to the"),
                    Pick(Class::Destination),
                    Text("."),
                ],
            ),
            (
                12,
                &[
                    Subject,
                    Verb(&BE, Whose::Subject),
                    Pick(Class::Feeling),
                    Text("because"),
                    Other,
                    Pick(Class::Deed(Whose::Other)),
                    Text("the"),
                    Pick(Class::Thing),
                    Text("."),
                ],
            ),
            (
                15,
                &[
                    Subject,
                    Pick(Class::Deed(Whose::Subject)),
                    Text("the"),
                    Pick(Class::Thing),
                    MaybeSpot,
                    Text("."),
                ],
            ),
            (
                14,
                &[
                    Speaker,
                    Text(OPEN),
                    Statement,
                    Text(","),
                    Text(CLOSE),
                    Pick(Class::Speak),
                    Mention(Whose::Subject),
                    Text("to"),
                    Other,
                    Text("."),
                ],
            ),
            (
                5,
                &[
                    Speaker,
                    Text(OPEN),
                    Question,
                    Text("?"),
                    Text(CLOSE),
                    Verb(&ASK, Whose::Subject),
                    Mention(Whose::Subject),
                    Text("."),
                ],
            ),
            (12, &[Scene(0), SceneEnd, Text(".")]),
            (
                6,
                &[
                    SubjectIsOwner,
                    Mention(Whose::Subject),
                    Verb(&GIVE, Whose::Subject),
                    Text("the"),
                    Material,
                    Object,
                    Text("to"),
                    Other,
                    Text("."),
                    OwnerIsOther,
                ],
            ),
            (
                4,
                &[
                    SubjectIsOwner,
                    Mention(Whose::Subject),
                    Text("still"),
                    Verb(&HAVE, Whose::Subject),
                    Text("the"),
                    Object,
                    Text("."),
                ],
            ),
            (
                7,
                &[
                    Subject,
                    Pick(Class::Act),
                    Text("and"),
                    Pick(Class::SecondAct),
                    Text("."),
                ],
            ),
            (
                5,
                &[
                    Text("when"),
                    Subject,
                    Pick(Class::Move),
                    Text("to the"),
                    Pick(Class::Destination),
                    Text(","),
                    Other,
                    SubjectIsOther,
                    Pick(Class::Act),
                    Text("."),
                ],
            ),
            (
                1,
                &[
                    Subject,
                    Verb(&SEE, Whose::Subject),
                    Reflexive(Whose::Subject),
                    Text("in the water."),
                ],
            ),
            (
                1,
                &[
                    Text("as always"),
                    Text(","),
                    Subject,
                    Verb(&BE, Whose::Subject),
                    Text("very"),
                    Trait(Whose::Subject),
                    Text("."),
                ],
            ),
        ],
        Ending => &[
            (
                4,
                &[
                    Text("in the end"),
                    Name(HERO),
                    Text("and"),
                    Name(FRIEND),
                    Verb(&SHARE, Whose::Both),
                    Text("the"),
                    Object,
                    Text("."),
                ],
            ),
            (
                3,
                &[
                    SubjectIsOwner,
                    Text("so"),
                    Name(Whose::Subject),
                    Verb(&KEEP, Whose::Subject),
                    Text("the"),
                    Material,
                    Object,
                    Text("by the"),
                    Home,
                    Text("."),
                ],
            ),
            (
                2,
                &[
                    Text("that night"),
                    Name(HERO),
                    Verb(&GO, HERO),
                    Text("home to the"),
                    Home,
                    Text(","),
                    Text("and"),
                    Name(FRIEND),
                    Verb(&SLEEP, FRIEND),
                    Text("."),
                ],
            ),
        ],
        // A pronoun is about the subject of the sentence before.
        Subject => &[
            (8, &[Pronoun(Whose::Subject)]),
            (2, &[Shift(0), Mention(Whose::Subject)]),
            (6, &[Shift(1), Mention(Whose::Subject)]),
            (4, &[Shift(2), Mention(Whose::Subject)]),
        ],
        Speaker => &[(3, &[Shift(0)]), (5, &[Shift(1)]), (2, &[Shift(2)])],
        Other => &[
            (3, &[OtherIs(0), Mention(Whose::Other)]),
            (2, &[OtherIs(1), Mention(Whose::Other)]),
        ],
        Mention(Whose::Other) => mention!(Whose::Other),
        Mention(_) => mention!(Whose::Subject),
        MaybeAdverb => &[(7, &[]), (3, &[Pick(Class::Adverb)])],
        MaybeSpot => &[(7, &[]), (3, &[Text("by the"), Pick(Class::Spot)])],
        Statement => &[
            (
                4,
                &[
                    Number(Whose::Subject, "I want", "we want"),
                    Text("the"),
                    Object,
                ],
            ),
            (
                4,
                &[
                    Number(Whose::Subject, "I am", "we are"),
                    Pick(Class::Feeling),
                ],
            ),
            (
                2,
                &[
                    Text("the"),
                    Material,
                    Object,
                    Number(Whose::Subject, "is mine", "is ours"),
                ],
            ),
            (
                2,
                &[
                    Number(Whose::Subject, "come with me", "come with us"),
                    Text("to the"),
                    Pick(Class::Destination),
                ],
            ),
        ],
        Question => &[
            (2, &[Text("who has the"), Object]),
            (3, &[Text("have you seen the"), Pick(Class::Thing)]),
            (
                2,
                &[
                    Number(Whose::Subject, "where is my", "where is our"),
                    Pick(Class::Thing),
                ],
            ),
        ],
        Scene(0) => scene!(0),
        Scene(1) => scene!(1),
        Scene(_) => scene!(2),
        MaybeLook => &[(6, &[]), (4, &[Pick(Class::Look)])],
        Relative(0) => relative!(9, 6, 5, 0),
        Relative(1) => relative!(14, 4, 2, 1),
        Relative(_) => &[(1, &[])],
        SceneEnd => &[
            (3, &[Verb(&BE, Whose::Scenery(0)), Pick(Class::State)]),
            (2, &[Pick(Class::Stay(0)), MaybeAdverb]),
        ],
        _ => &[],
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
