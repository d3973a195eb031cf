//! What a story has settled so far, and the words that follow from it.

use super::lexicon::*;
use super::symbols::{A, Class, Gender, Symbol, Whose};
use super::verbs::*;
use crate::random::{Purpose, Seed, Stream};

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
        Self {
            owner: 2,
            ..Self::default()
        }
    }

    fn slot(&self, whose: Whose) -> usize {
        match whose {
            Whose::Cast(slot) => slot,
            Whose::Subject => self.subject,
            Whose::Other => self.other,
            Whose::Scenery(_) | Whose::Both => {
                unreachable!("only characters have names, traits and pronouns")
            }
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

    fn by_gender(
        &self,
        whose: Whose,
        she: &'static str,
        he: &'static str,
        they: &'static str,
    ) -> &'static str {
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
            Symbol::Number(whose, one, many) => {
                Some(if self.is_plural(whose) { many } else { one })
            }
            Symbol::Verb(verb, whose) => Some(self.form(verb, whose)),
            Symbol::Pronoun(whose) => Some(self.by_gender(whose, "she", "he", "they")),
            Symbol::Possessive(whose) => Some(self.by_gender(whose, "her", "his", "their")),
            Symbol::Reflexive(whose) => {
                Some(self.by_gender(whose, "herself", "himself", "themselves"))
            }
            Symbol::Name(whose) => Some(self.name_of(self.slot(whose))),
            Symbol::Trait(whose) => Some(TRAITS[self.character[self.slot(whose)]]),
            Symbol::Kind(whose) => Some(self.kind_of(self.slot(whose))),
            Symbol::Material => Some(MATERIALS[self.material]),
            Symbol::Object => Some(OBJECTS[self.object]),
            Symbol::Home => Some(PLACES[self.home]),
            _ => {
                self.change(symbol);
                None
            }
        }
    }

    /// Carries out a symbol that changes the story without a word.
    fn change(&mut self, symbol: Symbol) {
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

    /// A word that the grammar does not allow in place of one that follows from the story, and what
    /// it would be wrong about; none for words that are free, and for forms that are the same.
    pub fn wrong_word(&self, symbol: Symbol) -> Option<(&'static str, &'static str)> {
        let other_of =
            |words: &'static [&'static str], known: usize| words[(known + 1) % words.len()];
        let found = match symbol {
            Symbol::Verb(verb, whose) => (agreement(whose), self.other_number(verb, whose)?),
            Symbol::Pick(class) => {
                let (verb, whose) = self.drawn_verb(class)?;
                (agreement(whose), self.other_number(verb, whose)?)
            }
            Symbol::Pronoun(whose) => ("pronoun", self.other_gender(whose, ["she", "he", "they"])),
            Symbol::Possessive(whose) => {
                ("pronoun", self.other_gender(whose, ["her", "his", "their"]))
            }
            Symbol::Reflexive(whose) => (
                "pronoun",
                self.other_gender(whose, ["herself", "himself", "themselves"]),
            ),
            Symbol::Object => ("treasure", other_of(&OBJECTS, self.object)),
            Symbol::Material => ("treasure", other_of(&MATERIALS, self.material)),
            _ => return None,
        };
        Some(found)
    }

    /// The verb that was just drawn from a class, and whom it agrees with.
    fn drawn_verb(&self, class: Class) -> Option<(&'static Verb, Whose)> {
        let found = match class {
            Class::Move => (&MOVES[self.verb], Whose::Subject),
            Class::Act | Class::SecondAct => (&ACTS[self.verb], Whose::Subject),
            Class::Deed(whose) => (&DEEDS[self.verb], whose),
            Class::Speak => (&SPEAKS[self.verb], Whose::Subject),
            Class::Stay(depth) => (&STAYS[self.verb], Whose::Scenery(depth)),
            Class::Regard(depth) => (&REGARDS[self.verb], Whose::Scenery(depth)),
            _ => return None,
        };
        Some(found)
    }

    /// The form of a verb for the other number; none where it is the same.
    fn other_number(&self, verb: &Verb, whose: Whose) -> Option<&'static str> {
        let other = match (self.present, self.is_plural(whose)) {
            (true, true) => verb.singular,
            (true, false) => verb.plural,
            (false, false) => verb.past_plural,
            (false, true) => verb.past,
        };
        (other != self.form(verb, whose)).then_some(other)
    }

    /// The pronoun of another gender, of which there are words for her, him and them.
    fn other_gender(&self, whose: Whose, words: [&'static str; 3]) -> &'static str {
        match self.gender[self.slot(whose)] {
            Gender::She => words[1],
            Gender::He => words[0],
            Gender::They => words[1],
        }
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

/// What an agreement is called: that with scenery may cross clauses.
fn agreement(whose: Whose) -> &'static str {
    match whose {
        Whose::Scenery(_) => "agreement with scenery",
        Whose::Cast(_) | Whose::Subject | Whose::Other | Whose::Both => "agreement",
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

/// The word at a rank: (m·rank + o) mod n with m and o hashed from the class and its context. For a
/// prime n every m from 1 to n − 1 permutes the words; for the others m is 1.
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
    let mut hash = Stream::of(
        Seed::Text(story.context(class) as u64),
        Purpose::Word(purpose),
        slot as u64,
    );
    let multiplier = if matches!(class, Class::Kind(1 | 2)) {
        1
    } else {
        1 + hash.bits() as usize % (count - 1)
    };
    let word = (multiplier * rank + hash.bits() as usize % count) % count;
    match class {
        Class::Kind(slot) => {
            // Counts through the kinds that are still free.
            let mut taken = [story.kind[0], story.kind[1]];
            taken[..slot].sort_unstable();
            taken[..slot]
                .iter()
                .fold(word, |word, &kind| word + usize::from(word >= kind))
        }
        Class::Name(slot) => slot * count + word,
        _ => word,
    }
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
