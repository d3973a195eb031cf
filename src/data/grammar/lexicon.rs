//! The words of the stories.
//!
//! Words are listed from frequent to rare; the weight of the i-th is 1/(i + 2), so that frequencies fall about as Zipf found.

/// Which nouns a verb may have as its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Person,
    Animal,
    Thing,
}

/// A noun: singular, plural, kind, and the scenes it belongs to (as bits).
pub struct Noun {
    pub one: &'static str,
    pub many: &'static str,
    pub kind: Kind,
    pub scenes: u8,
}

/// A verb of the present: with one subject, with many, and its base form is that of many.
pub struct Verb {
    pub one: &'static str,
    pub many: &'static str,
}

const VILLAGE: u8 = 1;
const FOREST: u8 = 2;
const CASTLE: u8 = 4;
const HARBOUR: u8 = 8;
const MOUNTAIN: u8 = 16;

/// Where a story is set: its place, and the bit of the nouns that belong there.
pub const SCENES: [(&str, u8); 10] = [
    ("village", VILLAGE),
    ("forest", FOREST),
    ("castle", CASTLE),
    ("harbour", HARBOUR),
    ("valley", MOUNTAIN),
    ("town", VILLAGE),
    ("palace", CASTLE),
    ("mountains", MOUNTAIN),
    ("port", HARBOUR),
    ("woods", FOREST),
];

/// Landmarks near such a place.
pub const LANDMARKS: [&str; 8] = ["river", "sea", "hills", "lake", "road", "border", "desert", "marsh"];

/// Women's and men's names alternate: even places are women's.
pub const NAMES: [&str; 24] = [
    "Mira", "Tom", "Anna", "Jonas", "Clara", "Peter", "Lena", "Marcus", "Ruth", "Felix", "Nora", "Oskar", "Ida", "Hugo", "Vera", "Simon",
    "Greta", "Paul", "Edith", "Anton", "Sofia", "Leo", "Judith", "Karl",
];

const fn noun(one: &'static str, many: &'static str, kind: Kind, scenes: u8) -> Noun {
    Noun { one, many, kind, scenes }
}

pub const NOUNS: [Noun; 50] = [
    noun("dog", "dogs", Kind::Animal, VILLAGE | FOREST),
    noun("child", "children", Kind::Person, VILLAGE),
    noun("king", "kings", Kind::Person, CASTLE),
    noun("ship", "ships", Kind::Thing, HARBOUR),
    noun("house", "houses", Kind::Thing, VILLAGE | HARBOUR),
    noun("tree", "trees", Kind::Thing, FOREST),
    noun("horse", "horses", Kind::Animal, VILLAGE | CASTLE),
    noun("door", "doors", Kind::Thing, VILLAGE | CASTLE),
    noun("bird", "birds", Kind::Animal, FOREST | MOUNTAIN),
    noun("letter", "letters", Kind::Thing, CASTLE | HARBOUR),
    noun("key", "keys", Kind::Thing, CASTLE),
    noun("sailor", "sailors", Kind::Person, HARBOUR),
    noun("farmer", "farmers", Kind::Person, VILLAGE | MOUNTAIN),
    noun("stone", "stones", Kind::Thing, MOUNTAIN),
    noun("wolf", "wolves", Kind::Animal, FOREST | MOUNTAIN),
    noun("cat", "cats", Kind::Animal, VILLAGE | HARBOUR),
    noun("lamp", "lamps", Kind::Thing, HARBOUR | CASTLE),
    noun("queen", "queens", Kind::Person, CASTLE),
    noun("teacher", "teachers", Kind::Person, VILLAGE),
    noun("boat", "boats", Kind::Thing, HARBOUR),
    noun("fox", "foxes", Kind::Animal, FOREST),
    noun("bell", "bells", Kind::Thing, VILLAGE),
    noun("guard", "guards", Kind::Person, CASTLE),
    noun("goat", "goats", Kind::Animal, MOUNTAIN),
    noun("coat", "coats", Kind::Thing, MOUNTAIN | VILLAGE),
    noun("baker", "bakers", Kind::Person, VILLAGE),
    noun("map", "maps", Kind::Thing, HARBOUR),
    noun("hunter", "hunters", Kind::Person, FOREST),
    noun("book", "books", Kind::Thing, CASTLE),
    noun("gull", "gulls", Kind::Animal, HARBOUR),
    noun("bridge", "bridges", Kind::Thing, MOUNTAIN),
    noun("shepherd", "shepherds", Kind::Person, MOUNTAIN),
    noun("ring", "rings", Kind::Thing, CASTLE),
    noun("owl", "owls", Kind::Animal, FOREST),
    noun("basket", "baskets", Kind::Thing, VILLAGE),
    noun("captain", "captains", Kind::Person, HARBOUR),
    noun("sword", "swords", Kind::Thing, CASTLE),
    noun("mouse", "mice", Kind::Animal, VILLAGE),
    noun("window", "windows", Kind::Thing, CASTLE),
    noun("bear", "bears", Kind::Animal, FOREST | MOUNTAIN),
    noun("rope", "ropes", Kind::Thing, HARBOUR | MOUNTAIN),
    noun("miller", "millers", Kind::Person, VILLAGE),
    noun("flower", "flowers", Kind::Thing, FOREST),
    noun("stranger", "strangers", Kind::Person, HARBOUR | FOREST),
    noun("candle", "candles", Kind::Thing, CASTLE),
    noun("duck", "ducks", Kind::Animal, HARBOUR),
    noun("chest", "chests", Kind::Thing, HARBOUR | CASTLE),
    noun("smith", "smiths", Kind::Person, VILLAGE),
    noun("path", "paths", Kind::Thing, FOREST | MOUNTAIN),
    noun("tower", "towers", Kind::Thing, CASTLE),
];

pub const ADJECTIVES: [&str; 24] = [
    "old", "small", "young", "black", "little", "white", "tall", "silver", "quiet", "brave", "red", "poor", "golden", "strange", "green",
    "broken", "clever", "heavy", "gentle", "blue", "lonely", "bright", "grey", "proud",
];

const fn verb(one: &'static str, many: &'static str) -> Verb {
    Verb { one, many }
}

/// What persons and animals do to somebody or something.
pub const TRANSITIVE: [Verb; 16] = [
    verb("sees", "see"),
    verb("likes", "like"),
    verb("finds", "find"),
    verb("follows", "follow"),
    verb("watches", "watch"),
    verb("hears", "hear"),
    verb("fears", "fear"),
    verb("loves", "love"),
    verb("remembers", "remember"),
    verb("helps", "help"),
    verb("hides", "hide"),
    verb("misses", "miss"),
    verb("chases", "chase"),
    verb("carries", "carry"),
    verb("guards", "guard"),
    verb("forgets", "forget"),
];

/// What persons and animals do.
pub const INTRANSITIVE: [Verb; 12] = [
    verb("waits", "wait"),
    verb("runs", "run"),
    verb("sleeps", "sleep"),
    verb("smiles", "smile"),
    verb("sings", "sing"),
    verb("walks", "walk"),
    verb("laughs", "laugh"),
    verb("hurries", "hurry"),
    verb("cries", "cry"),
    verb("rests", "rest"),
    verb("dances", "dance"),
    verb("trembles", "tremble"),
];

/// What things do.
pub const OF_THINGS: [Verb; 6] = [
    verb("stands", "stand"),
    verb("lies", "lie"),
    verb("shines", "shine"),
    verb("falls", "fall"),
    verb("breaks", "break"),
    verb("disappears", "disappear"),
];

pub const ADVERBS: [&str; 10] = ["slowly", "again", "alone", "quietly", "there", "today", "outside", "together", "suddenly", "always"];

/// Prepositions before a noun phrase.
pub const PREPOSITIONS: [&str; 6] = ["near", "behind", "under", "beside", "with", "without"];

pub const FEELINGS: [&str; 8] = ["tired", "happy", "afraid", "hungry", "angry", "sad", "late", "lost"];

/// The weight of the i-th word of a list.
pub fn frequency(index: usize) -> f64 {
    1.0 / (index as f64 + 2.0)
}
