//! The program of choices that tells a story.
//!
//! Every choice is of the next word, and its options begin with different words; that is all that unambiguity needs. What was said is remembered in a [`World`], which weighs the choices
//! that follow.

use std::collections::BTreeMap;

use super::driver::{Choice, Contradiction, Driver};
use super::lexicon::{
    ADJECTIVES, ADVERBS, FEELINGS, INTRANSITIVE, Kind, LANDMARKS, NAMES, NOUNS, OF_THINGS, PREPOSITIONS, SCENES, TRANSITIVE, Verb,
    frequency,
};

type Told<T = ()> = Result<T, Contradiction>;

/// Sentences before a story may end, and the chance of ending at each one after.
const SHORTEST: usize = 7;
const ENDING: f64 = 0.14;
/// How deep clauses nest.
const DEEPEST: usize = 2;

/// What the story has said so far.
struct World {
    /// Bit of the scene.
    scene: u8,
    place: &'static str,
    /// Persons in the order of their first naming, as indices of names.
    cast: Vec<usize>,
    /// The person whom a pronoun would mean.
    last: usize,
    /// The adjective that a noun was given.
    given: BTreeMap<usize, usize>,
    /// Nouns that were mentioned.
    mentioned: Vec<usize>,
    sentences: usize,
}

/// A subject, as far as what follows depends on it.
#[derive(Clone, Copy)]
struct Subject {
    many: bool,
    kind: Kind,
}

const PERSON: Subject = Subject { many: false, kind: Kind::Person };

/// Tells one story.
pub fn tell(d: &mut impl Driver) -> Told {
    let mut world = opening(d)?;
    loop {
        world.sentences += 1;
        let ends = world.sentences > SHORTEST;
        let pronoun = pronoun(&world);
        let options = [
            ("The", 0.26),
            (pronoun, 0.24),
            ("When", 0.1),
            ("But", 0.07),
            ("Then", 0.09),
            ("In", 0.05),
            ("\"", 0.12),
            ("At", if ends { ENDING } else { 0.0 }),
        ];
        // A sentence may also begin with a name, so the names stand among the options.
        let names = names(&world, 0.2, None);
        let mut all: Vec<Choice> = options.to_vec();
        all.extend(&names.options);
        match d.choose(&all)? {
            0 => {
                let subject = noun_phrase(d, &mut world, 0)?;
                predicate(d, &mut world, subject)?;
            }
            1 => predicate(d, &mut world, PERSON)?,
            2 => {
                clause(d, &mut world, 1)?;
                d.say(",")?;
                clause(d, &mut world, 1)?;
            }
            3 | 4 => clause(d, &mut world, 0)?,
            5 => {
                d.say("the")?;
                d.say(world.place)?;
                d.say(",")?;
                clause(d, &mut world, 0)?;
            }
            6 => {
                dialogue(d, &mut world)?;
                continue;
            }
            7 => return ending(d, &mut world),
            name => {
                names.take(&mut world, name - options.len());
                predicate(d, &mut world, PERSON)?;
            }
        }
        d.say(".")?;
    }
}

/// `Mira lives in a small village near the river.` and what she has.
fn opening(d: &mut impl Driver) -> Told<World> {
    let first = d.choose(&weighted(&NAMES))?;
    d.say("lives")?;
    d.say("in")?;
    d.say("the")?;
    let scene = d.choose(&SCENES.iter().enumerate().map(|(i, (place, _))| (*place, frequency(i))).collect::<Vec<_>>())?;
    d.say("near")?;
    d.say("the")?;
    d.choose(&weighted(&LANDMARKS))?;
    d.say(".")?;
    let (place, scene) = SCENES[scene];
    let mut world = World { scene, place, cast: vec![first], last: first, given: BTreeMap::new(), mentioned: Vec::new(), sentences: 0 };
    // Something of hers that the story comes back to.
    d.say(pronoun(&world))?;
    d.say("has")?;
    d.say("the")?;
    phrase(d, &mut world, Some(Kind::Thing), false)?;
    let other = names(&world, 1.0, None);
    match d.choose(&[(".", 0.4), ("and", 0.6)])? {
        0 => {}
        _ => {
            d.say("a")?;
            d.say("friend")?;
            d.say(",")?;
            let options: Vec<Choice> =
                other.options.iter().map(|&(name, weight)| (name, if name == NAMES[first] { 0.0 } else { weight })).collect();
            let friend = d.choose(&options)?;
            other.take(&mut world, friend);
            world.last = first;
            d.say(".")?;
        }
    }
    Ok(world)
}

/// `At last …` ends a story.
fn ending(d: &mut impl Driver, world: &mut World) -> Told {
    d.say("last")?;
    clause(d, world, 1)?;
    d.say(".")
}

fn weighted(words: &[&'static str]) -> Vec<Choice<'static>> {
    words.iter().enumerate().map(|(i, word)| (*word, frequency(i))).collect()
}

/// She or He, for the person named last.
fn pronoun(world: &World) -> &'static str {
    if world.last.is_multiple_of(2) { "She" } else { "He" }
}

/// The names as options, those of the story far before the others.
struct Names {
    options: Vec<Choice<'static>>,
}

/// Names of a total weight; `but` is left out.
fn names(world: &World, weight: f64, but: Option<usize>) -> Names {
    let raw: Vec<f64> = (0..NAMES.len())
        .map(|i| match world.cast.iter().position(|&member| member == i) {
            _ if but == Some(i) => 0.0,
            // Who came first is named most.
            Some(place) => 1.0 / (place as f64 + 1.0),
            None => 0.15 * frequency(i) / world.cast.len() as f64,
        })
        .collect();
    let total: f64 = raw.iter().sum();
    Names { options: NAMES.iter().zip(raw).map(|(name, raw)| (*name, weight * raw / total)).collect() }
}

impl Names {
    /// The person of an option is now the one named last.
    fn take(&self, world: &mut World, index: usize) {
        if !world.cast.contains(&index) {
            world.cast.push(index);
        }
        world.last = index;
    }
}

/// A subject and what it does, in the middle of a sentence.
fn clause(d: &mut impl Driver, world: &mut World, depth: usize) -> Told {
    let names = names(world, 0.35, None);
    let pronoun = if pronoun(world) == "She" { "she" } else { "he" };
    let mut options = vec![("the", 0.4), (pronoun, 0.25)];
    options.extend(&names.options);
    match d.choose(&options)? {
        0 => {
            let subject = noun_phrase(d, world, depth)?;
            predicate(d, world, subject)
        }
        1 => predicate(d, world, PERSON),
        name => {
            names.take(world, name - 2);
            predicate(d, world, PERSON)
        }
    }
}

/// What follows `the`: adjective and noun, and perhaps a clause about it or a place.
fn noun_phrase(d: &mut impl Driver, world: &mut World, depth: usize) -> Told<Subject> {
    let subject = phrase(d, world, None, true)?;
    modifier(d, world, subject, depth)?;
    Ok(subject)
}

/// Adjective and noun. A noun that has an adjective keeps it, and one that was mentioned comes back.
fn phrase(d: &mut impl Driver, world: &mut World, kind: Option<Kind>, plural: bool) -> Told<Subject> {
    let fits = |noun: usize| kind.is_none_or(|kind| NOUNS[noun].kind == kind);
    let weight = |noun: usize, adjective: Option<usize>| {
        if !fits(noun) {
            return 0.0;
        }
        let scene = if NOUNS[noun].scenes & world.scene != 0 { 5.0 } else { 1.0 };
        let again = if world.mentioned.contains(&noun) { 8.0 } else { 1.0 };
        let agrees = match (adjective, world.given.get(&noun)) {
            (Some(adjective), Some(given)) => {
                if adjective == *given {
                    40.0
                } else {
                    0.02
                }
            }
            _ => 1.0,
        };
        frequency(noun) * scene * again * agrees
    };
    let forms = |adjective: Option<usize>, total: f64| -> Vec<Choice<'static>> {
        let raw: Vec<f64> = (0..NOUNS.len()).map(|noun| weight(noun, adjective)).collect();
        let sum: f64 = raw.iter().sum();
        let share = if plural { 0.35 } else { 0.0 };
        let one = NOUNS.iter().zip(&raw).map(|(noun, raw)| (noun.one, total * (1.0 - share) * raw / sum));
        let many = NOUNS.iter().zip(&raw).map(|(noun, raw)| (noun.many, total * share * raw / sum));
        one.chain(many).collect()
    };
    let mut options: Vec<Choice> = forms(None, 0.55);
    let raw: Vec<f64> = (0..ADJECTIVES.len())
        .map(|i| if world.given.values().any(|given| *given == i) { 6.0 * frequency(i).max(0.1) } else { frequency(i) })
        .collect();
    let sum: f64 = raw.iter().sum();
    options.extend(ADJECTIVES.iter().zip(raw).map(|(word, raw)| (*word, 0.45 * raw / sum)));
    let taken = d.choose(&options)?;
    let (noun, many) = if taken < 2 * NOUNS.len() {
        (taken % NOUNS.len(), taken >= NOUNS.len())
    } else {
        let adjective = taken - 2 * NOUNS.len();
        let taken = d.choose(&forms(Some(adjective), 1.0))?;
        let noun = taken % NOUNS.len();
        world.given.entry(noun).or_insert(adjective);
        (noun, taken >= NOUNS.len())
    };
    if !world.mentioned.contains(&noun) {
        world.mentioned.push(noun);
    }
    Ok(Subject { many, kind: NOUNS[noun].kind })
}

/// A small word, a place, or a clause between a subject and its verb.
fn modifier(d: &mut impl Driver, world: &mut World, subject: Subject, depth: usize) -> Told {
    let deep = depth >= DEEPEST;
    let options = [
        ("now", 0.26),
        ("still", 0.2),
        ("often", 0.16),
        ("also", 0.12),
        ("that", if deep { 0.0 } else { 0.16 }),
        ("near", if deep { 0.0 } else { 0.06 }),
        ("behind", if deep { 0.0 } else { 0.04 }),
    ];
    match d.choose(&options)? {
        4 => relative(d, world, subject, depth + 1),
        5 | 6 => {
            d.say("the")?;
            noun_phrase(d, world, DEEPEST).map(drop)
        }
        _ => Ok(()),
    }
}

/// `that sees the dog`, `that the dogs see`, `that Mira sees`.
fn relative(d: &mut impl Driver, world: &mut World, subject: Subject, depth: usize) -> Told {
    let names = names(world, 0.3, None);
    let own = if subject.kind == Kind::Thing { 0.0 } else { 0.4 };
    let mut options = vec![("the", 0.35)];
    options.extend(&names.options);
    let verbs: Vec<Choice> = agreeing(&TRANSITIVE, subject).iter().map(|&(word, weight)| (word, own * weight)).collect();
    options.extend(&verbs);
    match d.choose(&options)? {
        0 => {
            let inner = animate(d, world, depth)?;
            d.choose(&agreeing(&TRANSITIVE, inner)).map(drop)
        }
        taken if taken <= NAMES.len() => {
            names.take(world, taken - 1);
            d.choose(&agreeing(&TRANSITIVE, PERSON)).map(drop)
        }
        _ => object(d, world),
    }
}

/// A noun phrase of somebody who can act.
fn animate(d: &mut impl Driver, world: &mut World, depth: usize) -> Told<Subject> {
    let kind = [Kind::Person, Kind::Animal][depth % 2];
    phrase(d, world, Some(kind), true)
}

/// Verbs in the form that the subject asks for; weights sum to 1.
fn agreeing(verbs: &'static [Verb], subject: Subject) -> Vec<Choice<'static>> {
    let total: f64 = (0..verbs.len()).map(frequency).sum();
    verbs.iter().enumerate().map(|(i, verb)| (if subject.many { verb.many } else { verb.one }, frequency(i) / total)).collect()
}

/// `the dog` or `Mira` as an object.
fn object(d: &mut impl Driver, world: &mut World) -> Told {
    let names = names(world, 0.3, Some(world.last));
    let mut options = vec![("the", 0.7)];
    options.extend(&names.options);
    match d.choose(&options)? {
        0 => phrase(d, world, None, true).map(drop),
        // Somebody who is only acted on is no pronoun's person.
        name => {
            let last = world.last;
            names.take(world, name - 1);
            world.last = last;
            Ok(())
        }
    }
}

/// What the subject is or does.
fn predicate(d: &mut impl Driver, world: &mut World, subject: Subject) -> Told {
    let scaled = |verbs: Vec<Choice<'static>>, weight: f64| verbs.into_iter().map(move |(word, raw)| (word, weight * raw));
    let acts = subject.kind != Kind::Thing;
    let be = if subject.many { "are" } else { "is" };
    let want = if subject.many { "want" } else { "wants" };
    let give = if subject.many { "give" } else { "gives" };
    let person = subject.kind == Kind::Person;
    let mut options: Vec<Choice> = vec![(be, 0.18), (want, if acts { 0.12 } else { 0.0 }), (give, if person { 0.08 } else { 0.0 })];
    let fixed = options.len();
    if acts {
        options.extend(scaled(agreeing(&TRANSITIVE, subject), 0.4));
        options.extend(scaled(agreeing(&INTRANSITIVE, subject), 0.22));
    } else {
        options.extend(scaled(agreeing(&OF_THINGS, subject), 0.82));
    }
    match d.choose(&options)? {
        0 if acts => {
            d.choose(&weighted(&FEELINGS))?;
            Ok(())
        }
        0 => {
            d.choose(&weighted(&ADJECTIVES))?;
            Ok(())
        }
        1 => {
            d.say("to")?;
            wish(d, world)
        }
        2 => {
            d.say("the")?;
            phrase(d, world, Some(Kind::Thing), true)?;
            d.say("to")?;
            object(d, world)
        }
        taken if acts && taken < fixed + TRANSITIVE.len() => object(d, world),
        _ => manner(d, world),
    }
}

/// After `wants to`: a base form.
fn wish(d: &mut impl Driver, world: &mut World) -> Told {
    let many = Subject { many: true, kind: Kind::Person };
    let mut options: Vec<Choice> = agreeing(&TRANSITIVE, many).into_iter().map(|(word, raw)| (word, 0.6 * raw)).collect();
    options.extend(agreeing(&INTRANSITIVE, many).into_iter().map(|(word, raw)| (word, 0.4 * raw)));
    if d.choose(&options)? < TRANSITIVE.len() { object(d, world) } else { manner(d, world) }
}

/// After an intransitive verb: how, or where.
fn manner(d: &mut impl Driver, world: &mut World) -> Told {
    let mut options: Vec<Choice> = weighted(&ADVERBS).into_iter().map(|(word, raw)| (word, 0.5 * raw)).collect();
    options.extend(PREPOSITIONS.iter().enumerate().map(|(i, word)| (*word, 0.35 * frequency(i))));
    if d.choose(&options)? < ADVERBS.len() {
        return Ok(());
    }
    d.say("the")?;
    phrase(d, world, None, true).map(drop)
}

/// `"I see the dog," says Mira.` or `"Do you see the dog?" asks Tom.`
fn dialogue(d: &mut impl Driver, world: &mut World) -> Told {
    let many = Subject { many: true, kind: Kind::Person };
    let (mark, says) = match d.choose(&[("I", 0.45), ("We", 0.25), ("Do", 0.3)])? {
        2 => {
            d.say("you")?;
            ("?", "asks")
        }
        _ => (",", "says"),
    };
    let mut options: Vec<Choice> = agreeing(&TRANSITIVE, many).into_iter().map(|(word, raw)| (word, 0.7 * raw)).collect();
    options.push(("want", 0.3));
    if d.choose(&options)? == TRANSITIVE.len() {
        d.say("the")?;
        phrase(d, world, Some(Kind::Thing), true)?;
    } else {
        object(d, world)?;
    }
    d.say(mark)?;
    d.say("\"")?;
    d.say(says)?;
    // Whoever was not named last answers more often.
    let mut names = names(world, 1.0, None);
    for (index, option) in names.options.iter_mut().enumerate() {
        if index == world.last {
            option.1 *= 0.3;
        }
    }
    let speaker = d.choose(&names.options)?;
    names.take(world, speaker);
    d.say(".")
}
