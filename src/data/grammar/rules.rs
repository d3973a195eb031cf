//! The rules: which choices there are, how probable each is, and what it writes.
//!
//! A story is written by expanding [`Symbol`]s, leftmost first. There are two sorts of choices. *Structure*: [`options`] gives the alternatives of a symbol with their weights; the
//! probability of one is its weight over the sum. *Words*: a [`Class`] draws a rank r = 0 … n − 1 with probability (1/(r + 1))/H_n, H_n the n-th harmonic number, from [`size`] words,
//! and [`word_at`] says which word that rank is **in this context**: after another verb, in another place, for another character the words change their ranks. So
//! probabilities of words depend on what was told before, while neither the alternatives nor the rank's probabilities ever do: the entropy of a symbol is one number
//! (see [`super::entropy`]).
//!
//! What the choices have settled is in [`Story`]; everything else (verb forms, pronouns, articles, who owns the treasure, the character's trait when it is named again) follows from
//! it without a choice.

use super::lexicon::*;
use crate::random::Stream;

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
pub type Options = &'static [(u32, &'static [Symbol])];

/// The alternatives of a symbol; empty for one that is no choice of structure.
pub fn options(symbol: Symbol) -> Options {
    use Symbol::*;
    macro_rules! scene {
        ($depth:literal) => {
            &[
                (6, &[Plural($depth, false), Text("the"), MaybeLook, Pick(Class::Scenery($depth)), Relative($depth)]),
                (4, &[Plural($depth, true), Text("the"), MaybeLook, Pick(Class::Scenery($depth)), Relative($depth)]),
            ]
        };
    }
    macro_rules! relative {
        ($none:literal, $subject:literal, $object:literal, $depth:literal) => {
            &[
                ($none, &[]),
                ($subject, &[Text("that"), Pick(Class::Stay($depth)), Text("by the"), Pick(Class::Spot)]),
                ($object, &[Text("that"), Scene($depth + 1), Pick(Class::Regard($depth + 1))]),
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
            &[(2, &[Gender($slot, self::Gender::She)]), (2, &[Gender($slot, self::Gender::He)]), (1, &[Gender($slot, self::Gender::They)])]
        };
    }
    macro_rules! mention {
        ($whose:expr) => {
            &[(6, &[Name($whose)]), (3, &[Text("the"), Kind($whose)]), (1, &[Text("the"), Trait($whose), Kind($whose)])]
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
            (5, &[Name(HERO), Verb(&WANT, HERO), Text("the"), Material, Object, Text("more than anything.")]),
            (3, &[Text("all day long"), Name(HERO), Verb(&DREAM, HERO), Text("of the"), Material, Object, Text(".")]),
            (2, &[Text("nobody but"), Name(FRIEND), Text("ever"), Verb(&TALK, FRIEND), Text("about the"), Object, Text(".")]),
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
            (18, &[Subject, Pick(Class::Move), MaybeAdverb, Text("to the"), Pick(Class::Destination), Text(".")]),
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
            (15, &[Subject, Pick(Class::Deed(Whose::Subject)), Text("the"), Pick(Class::Thing), MaybeSpot, Text(".")]),
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
            (5, &[Speaker, Text(OPEN), Question, Text("?"), Text(CLOSE), Verb(&ASK, Whose::Subject), Mention(Whose::Subject), Text(".")]),
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
            (4, &[SubjectIsOwner, Mention(Whose::Subject), Text("still"), Verb(&HAVE, Whose::Subject), Text("the"), Object, Text(".")]),
            (7, &[Subject, Pick(Class::Act), Text("and"), Pick(Class::SecondAct), Text(".")]),
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
            (1, &[Subject, Verb(&SEE, Whose::Subject), Reflexive(Whose::Subject), Text("in the water.")]),
            (1, &[Text("as always"), Text(","), Subject, Verb(&BE, Whose::Subject), Text("very"), Trait(Whose::Subject), Text(".")]),
        ],
        Ending => &[
            (4, &[Text("in the end"), Name(HERO), Text("and"), Name(FRIEND), Verb(&SHARE, Whose::Both), Text("the"), Object, Text(".")]),
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
        Other => &[(3, &[OtherIs(0), Mention(Whose::Other)]), (2, &[OtherIs(1), Mention(Whose::Other)])],
        Mention(Whose::Other) => mention!(Whose::Other),
        Mention(_) => mention!(Whose::Subject),
        MaybeAdverb => &[(7, &[]), (3, &[Pick(Class::Adverb)])],
        MaybeSpot => &[(7, &[]), (3, &[Text("by the"), Pick(Class::Spot)])],
        Statement => &[
            (4, &[Number(Whose::Subject, "I want", "we want"), Text("the"), Object]),
            (4, &[Number(Whose::Subject, "I am", "we are"), Pick(Class::Feeling)]),
            (2, &[Text("the"), Material, Object, Number(Whose::Subject, "is mine", "is ours")]),
            (2, &[Number(Whose::Subject, "come with me", "come with us"), Text("to the"), Pick(Class::Destination)]),
        ],
        Question => &[
            (2, &[Text("who has the"), Object]),
            (3, &[Text("have you seen the"), Pick(Class::Thing)]),
            (2, &[Number(Whose::Subject, "where is my", "where is our"), Pick(Class::Thing)]),
        ],
        Scene(0) => scene!(0),
        Scene(1) => scene!(1),
        Scene(_) => scene!(2),
        MaybeLook => &[(6, &[]), (4, &[Pick(Class::Look)])],
        Relative(0) => relative!(9, 6, 5, 0),
        Relative(1) => relative!(14, 4, 2, 1),
        Relative(_) => &[(1, &[])],
        SceneEnd => &[(3, &[Verb(&BE, Whose::Scenery(0)), Pick(Class::State)]), (2, &[Pick(Class::Stay(0)), MaybeAdverb])],
        _ => &[],
    }
}

/// What the choices so far have settled. Words are indices into their lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Story {
    present: bool,
    gender: [Gender; 3],
    kind: [usize; 3],
    character: [usize; 3],
    name: [usize; 3],
    home: usize,
    place: usize,
    material: usize,
    object: usize,
    owner: usize,
    subject: usize,
    other: usize,
    plural: [bool; 3],
    scenery: [usize; 3],
    /// The last word drawn of the classes that others follow.
    verb: usize,
    thing: usize,
}

impl Story {
    /// The story before its first word.
    pub fn new() -> Self {
        Self { owner: 2, ..Self::default() }
    }

    fn slot(&self, whose: Whose) -> usize {
        match whose {
            Whose::Cast(slot) => slot,
            Whose::Subject => self.subject,
            Whose::Other => self.other,
            Whose::Scenery(_) | Whose::Both => unreachable!("only characters have names, traits and pronouns"),
        }
    }

    fn is_plural(&self, whose: Whose) -> bool {
        match whose {
            Whose::Scenery(depth) => self.plural[depth],
            Whose::Both => true,
            _ => self.gender[self.slot(whose)] == Gender::They,
        }
    }

    fn form(&self, verb: &Verb, whose: Whose) -> &'static str {
        match (self.present, self.is_plural(whose)) {
            (true, true) => verb.plural,
            (true, false) => verb.singular,
            (false, false) => verb.past,
            (false, true) => verb.past_plural,
        }
    }

    fn by_gender(&self, whose: Whose, she: &'static str, he: &'static str, they: &'static str) -> &'static str {
        match self.gender[self.slot(whose)] {
            Gender::She => she,
            Gender::He => he,
            Gender::They => they,
        }
    }

    fn name_of(&self, slot: usize) -> &'static str {
        match self.gender[slot] {
            Gender::She => SHE_NAMES[self.name[slot]],
            Gender::He => HE_NAMES[self.name[slot]],
            Gender::They => FAMILY_NAMES[self.name[slot]],
        }
    }

    fn kind_of(&self, slot: usize) -> &'static str {
        KINDS[self.kind[slot]][usize::from(self.gender[slot] == Gender::They)]
    }

    /// Carries out a symbol that is no choice: what it writes, if anything.
    pub fn perform(&mut self, symbol: Symbol) -> Option<&'static str> {
        match symbol {
            Symbol::Text(text) => Some(text),
            Symbol::Article(whose) => Some(if self.is_plural(whose) { "two" } else { A }),
            Symbol::Number(whose, one, many) => Some(if self.is_plural(whose) { many } else { one }),
            Symbol::Verb(verb, whose) => Some(self.form(verb, whose)),
            Symbol::Pronoun(whose) => Some(self.by_gender(whose, "she", "he", "they")),
            Symbol::Possessive(whose) => Some(self.by_gender(whose, "her", "his", "their")),
            Symbol::Reflexive(whose) => Some(self.by_gender(whose, "herself", "himself", "themselves")),
            Symbol::Name(whose) => Some(self.name_of(self.slot(whose))),
            Symbol::Trait(whose) => Some(TRAITS[self.character[self.slot(whose)]]),
            Symbol::Kind(whose) => Some(self.kind_of(self.slot(whose))),
            Symbol::Material => Some(MATERIALS[self.material]),
            Symbol::Object => Some(OBJECTS[self.object]),
            Symbol::Home => Some(PLACES[self.home]),
            _ => {
                match symbol {
                    Symbol::Present(present) => self.present = present,
                    Symbol::Gender(slot, gender) => self.gender[slot] = gender,
                    Symbol::Shift(places) => self.subject = (self.subject + places) % 3,
                    Symbol::SubjectIsOwner => self.subject = self.owner,
                    Symbol::SubjectIsOther => self.subject = self.other,
                    Symbol::OtherIs(places) => self.other = (self.subject + 1 + places) % 3,
                    Symbol::OwnerIsOther => self.owner = self.other,
                    Symbol::Plural(depth, plural) => self.plural[depth] = plural,
                    _ => unreachable!("{symbol:?} is a choice"),
                }
                None
            }
        }
    }

    /// Settles the word of a class, and gives what it writes.
    pub fn settle(&mut self, class: Class, word: usize) -> &'static str {
        match class {
            Class::Opening => OPENINGS[word],
            Class::Home => {
                (self.home, self.place) = (word, word);
                PLACES[word]
            }
            Class::Trait(slot) => {
                self.character[slot] = word;
                TRAITS[word]
            }
            Class::Kind(slot) => {
                self.kind[slot] = word;
                self.kind_of(slot)
            }
            Class::Name(slot) => {
                self.name[slot] = word;
                self.name_of(slot)
            }
            Class::Material => {
                self.material = word;
                MATERIALS[word]
            }
            Class::Object => {
                self.object = word;
                OBJECTS[word]
            }
            Class::Destination => {
                self.place = word;
                PLACES[word]
            }
            Class::Spot => PLACES[word],
            Class::Move => self.act(&MOVES, word, Whose::Subject),
            Class::Act | Class::SecondAct => self.act(&ACTS, word, Whose::Subject),
            Class::Deed(whose) => self.act(&DEEDS, word, whose),
            Class::Thing => {
                self.thing = word;
                THINGS[word]
            }
            Class::Adverb => ADVERBS[word],
            Class::Feeling => FEELINGS[word],
            Class::Speak => self.act(&SPEAKS, word, Whose::Subject),
            Class::Look => LOOKS[word],
            Class::Scenery(depth) => {
                self.scenery[depth] = word;
                SCENERY[word][usize::from(self.plural[depth])]
            }
            Class::Stay(depth) => self.act(&STAYS, word, Whose::Scenery(depth)),
            Class::Regard(depth) => self.act(&REGARDS, word, Whose::Scenery(depth)),
            Class::State => STATES[word],
        }
    }

    fn act(&mut self, verbs: &[Verb], word: usize, whose: Whose) -> &'static str {
        self.verb = word;
        self.form(&verbs[word], whose)
    }

    /// What the ranks of a class depend on here.
    fn context(&self, class: Class) -> usize {
        let manner = |slot: usize| self.kind[slot] * TRAITS.len() + self.character[slot];
        match class {
            Class::Opening => usize::from(self.present),
            Class::Home | Class::Trait(_) => 0,
            Class::Kind(slot) => self.character[slot],
            Class::Name(slot) => self.kind[slot],
            Class::Material => self.kind[2],
            Class::Object => self.material,
            Class::Destination => self.place,
            Class::Spot => self.place,
            Class::Move => self.kind[self.subject],
            Class::Act => self.character[self.subject],
            Class::SecondAct => self.verb,
            Class::Deed(whose) => manner(self.slot(whose)),
            Class::Thing => self.verb,
            Class::Adverb => self.verb,
            Class::Feeling => self.character[self.subject],
            Class::Speak => self.character[self.subject],
            Class::Look => self.place,
            // Inside a relative clause the scenery goes with what the clause is about.
            Class::Scenery(0) => self.place,
            Class::Scenery(depth) => PLACES.len() + self.scenery[depth - 1],
            Class::Stay(depth) => self.scenery[depth],
            Class::Regard(depth) => self.scenery[depth] * SCENERY.len() + self.scenery[depth - 1],
            Class::State => self.scenery[0],
        }
    }
}

/// Number of words of a class; never depends on the story.
pub fn size(class: Class) -> usize {
    match class {
        Class::Opening => OPENINGS.len(),
        Class::Home | Class::Destination | Class::Spot => PLACES.len(),
        Class::Trait(_) => TRAITS.len(),
        // Characters of a story are of different kinds.
        Class::Kind(slot) => KINDS.len() - slot,
        // Each of the three has names of its own.
        Class::Name(_) => SHE_NAMES.len() / 3,
        Class::Material => MATERIALS.len(),
        Class::Object => OBJECTS.len(),
        Class::Move => MOVES.len(),
        Class::Act | Class::SecondAct => ACTS.len(),
        Class::Deed(_) => DEEDS.len(),
        Class::Thing => THINGS.len(),
        Class::Adverb => ADVERBS.len(),
        Class::Feeling => FEELINGS.len(),
        Class::Speak => SPEAKS.len(),
        Class::Look => LOOKS.len(),
        Class::Scenery(_) => SCENERY.len(),
        Class::Stay(_) => STAYS.len(),
        Class::Regard(_) => REGARDS.len(),
        Class::State => STATES.len(),
    }
}

/// The word at a rank: (m·rank + o) mod n with m and o hashed from the class and its context. For a prime n every m from 1 to n − 1 permutes the words; for the others m is 1.
pub fn word_at(class: Class, rank: usize, story: &Story) -> usize {
    let (purpose, slot) = match class {
        Class::Opening => ("opening", 0),
        Class::Home => ("home", 0),
        Class::Trait(slot) => ("trait", slot),
        Class::Kind(slot) => ("kind", slot),
        Class::Name(slot) => ("name", slot),
        Class::Material => ("material", 0),
        Class::Object => ("object", 0),
        Class::Destination => ("destination", 0),
        Class::Spot => ("spot", 0),
        Class::Move => ("move", 0),
        Class::Act => ("act", 0),
        Class::SecondAct => ("second", 0),
        Class::Deed(_) => ("deed", 0),
        Class::Thing => ("thing", 0),
        Class::Adverb => ("adverb", 0),
        Class::Feeling => ("feeling", 0),
        Class::Speak => ("speak", 0),
        Class::Look => ("look", 0),
        Class::Scenery(_) => ("scenery", 0),
        Class::Stay(_) => ("stay", 0),
        Class::Regard(_) => ("regard", 0),
        Class::State => ("state", 0),
    };
    let count = size(class);
    let mut hash = Stream::new(story.context(class) as u64, purpose, slot as u64);
    let multiplier = if matches!(class, Class::Kind(1 | 2)) { 1 } else { 1 + hash.bits() as usize % (count - 1) };
    let word = (multiplier * rank + hash.bits() as usize % count) % count;
    match class {
        Class::Kind(slot) => {
            // Counts through the kinds that are still free.
            let mut taken = [story.kind[0], story.kind[1]];
            taken[..slot].sort_unstable();
            taken[..slot].iter().fold(word, |word, &kind| word + usize::from(word >= kind))
        }
        Class::Name(slot) => slot * count + word,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ranks_are_a_permutation_of_the_words_in_every_context() {
        let mut story = Story::new();
        for kind in 0..KINDS.len() {
            for character in 0..TRAITS.len() {
                (story.kind, story.character) = ([kind, (kind + 1 + character) % 23, 0], [character; 3]);
                story.place = kind;
                if story.kind[0] == story.kind[1] {
                    continue;
                }
                for class in [
                    Class::Home,
                    Class::Kind(1),
                    Class::Kind(2),
                    Class::Name(1),
                    Class::Deed(Whose::Subject),
                    Class::Destination,
                    Class::Object,
                    Class::Act,
                ] {
                    let words: BTreeSet<usize> = (0..size(class)).map(|rank| word_at(class, rank, &story)).collect();
                    assert_eq!(words.len(), size(class), "{class:?}");
                    if let Class::Kind(slot) = class {
                        assert!(story.kind[..slot].iter().all(|kind| !words.contains(kind)), "{class:?}");
                        assert!(words.iter().all(|&word| word < KINDS.len()));
                    }
                }
            }
        }
    }

    #[test]
    fn lists_that_are_multiplied_have_prime_lengths() {
        let is_prime = |n: usize| n > 1 && (2..n).all(|d| !n.is_multiple_of(d));
        for class in [
            Class::Opening,
            Class::Home,
            Class::Trait(0),
            Class::Kind(0),
            Class::Name(0),
            Class::Material,
            Class::Object,
            Class::Move,
            Class::Act,
            Class::Deed(Whose::Subject),
            Class::Thing,
            Class::Adverb,
            Class::Feeling,
            Class::Speak,
            Class::Look,
            Class::Scenery(0),
            Class::Stay(0),
            Class::Regard(1),
            Class::State,
        ] {
            assert!(is_prime(size(class)), "{class:?}: {}", size(class));
        }
    }

    #[test]
    fn a_story_has_two_to_twelve_events() {
        assert!((0..2).all(|count| options(Symbol::Body(count)).len() == 1));
        assert!((2..12).all(|count| options(Symbol::Body(count)).len() == 2));
        assert_eq!(options(Symbol::Body(12)), &[(1, &[][..])]);
    }
}
