//! The words. Lists that are drawn from have a prime length, so that every multiplier permutes
//! them; words of lists that can stand in one place of a sentence are different.

/// Forms of a verb by number and tense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verb {
    /// "they walk"
    pub plural: &'static str,
    /// "she walks"
    pub singular: &'static str,
    /// "she walked"
    pub past: &'static str,
    /// "they walked": another word in "were" alone.
    pub past_plural: &'static str,
}

const fn verb(plural: &'static str, singular: &'static str, past: &'static str) -> Verb {
    Verb {
        plural,
        singular,
        past,
        past_plural: past,
    }
}

pub const BE: Verb = Verb {
    plural: "are",
    singular: "is",
    past: "was",
    past_plural: "were",
};
pub const HAVE: Verb = verb("have", "has", "had");
pub const LIVE: Verb = verb("live", "lives", "lived");
pub const KEEP: Verb = verb("keep", "keeps", "kept");
pub const WANT: Verb = verb("want", "wants", "wanted");
pub const DREAM: Verb = verb("dream", "dreams", "dreamed");
pub const GIVE: Verb = verb("give", "gives", "gave");
pub const ASK: Verb = verb("ask", "asks", "asked");
pub const SEE: Verb = verb("see", "sees", "saw");
pub const SHARE: Verb = verb("share", "shares", "shared");
pub const GO: Verb = verb("go", "goes", "went");
pub const SLEEP: Verb = verb("sleep", "sleeps", "slept");
pub const TALK: Verb = verb("talk", "talks", "talked");

pub const OPENINGS: [&str; 7] = [
    "far from here",
    "far in the north",
    "beyond the hills",
    "at the edge of the world",
    "in a quiet country",
    "on a windy coast",
    "under a wide sky",
];

/// Singular and plural.
pub const KINDS: [[&str; 2]; 23] = [
    ["fox", "foxes"],
    ["hare", "hares"],
    ["badger", "badgers"],
    ["owl", "owls"],
    ["otter", "otters"],
    ["mouse", "mice"],
    ["bear", "bears"],
    ["wolf", "wolves"],
    ["goat", "goats"],
    ["hedgehog", "hedgehogs"],
    ["squirrel", "squirrels"],
    ["rabbit", "rabbits"],
    ["frog", "frogs"],
    ["goose", "geese"],
    ["donkey", "donkeys"],
    ["mole", "moles"],
    ["lynx", "lynxes"],
    ["pony", "ponies"],
    ["weasel", "weasels"],
    ["turtle", "turtles"],
    ["cat", "cats"],
    ["elk", "elks"],
    ["beaver", "beavers"],
];

pub const TRAITS: [&str; 23] = [
    "clever", "shy", "brave", "grumpy", "gentle", "greedy", "honest", "lazy", "proud", "curious",
    "patient", "nervous", "cheerful", "stubborn", "generous", "careful", "noisy", "polite", "wild",
    "wise", "jealous", "loyal", "eager",
];

/// Eleven for each of the three characters of a story.
pub const SHE_NAMES: [&str; 33] = [
    "Mila", "Anna", "Clara", "Ruth", "Ida", "Nora", "Eva", "Rosa", "Lena", "Greta", "Vera", "Olga",
    "Thea", "Ada", "Flora", "Hilda", "Irma", "Julia", "Martha", "Paula", "Sonja", "Wilma", "Agnes",
    "Bella", "Dora", "Edith", "Frida", "Gilda", "Hanna", "Iris", "Judith", "Kira", "Luna",
];
pub const HE_NAMES: [&str; 33] = [
    "Tom", "Oskar", "Emil", "Jonas", "Karl", "Peter", "Anton", "Ben", "David", "Felix", "Hugo",
    "Ivan", "Jakob", "Leo", "Max", "Noah", "Otto", "Paul", "Robert", "Simon", "Theo", "Viktor",
    "Walter", "Albert", "Bruno", "Conrad", "Edgar", "Franz", "George", "Henry", "Igor", "Konrad",
    "Ludwig",
];
pub const FAMILY_NAMES: [&str; 33] = [
    "the Thistles",
    "the Reeds",
    "the Hills",
    "the Marshes",
    "the Brambles",
    "the Stones",
    "the Woods",
    "the Winters",
    "the Harpers",
    "the Millers",
    "the Bakers",
    "the Coopers",
    "the Fishers",
    "the Potters",
    "the Weavers",
    "the Masons",
    "the Taylors",
    "the Smiths",
    "the Turners",
    "the Wrights",
    "the Archers",
    "the Hunters",
    "the Foresters",
    "the Shepherds",
    "the Gardeners",
    "the Sailors",
    "the Singers",
    "the Fiddlers",
    "the Pipers",
    "the Drapers",
    "the Dyers",
    "the Glovers",
    "the Sadlers",
];

pub const PLACES: [&str; 23] = [
    "valley",
    "river",
    "mill",
    "old bridge",
    "forest",
    "harbour",
    "market",
    "tower",
    "cave",
    "meadow",
    "lake",
    "village",
    "island",
    "mountain",
    "orchard",
    "garden",
    "swamp",
    "castle",
    "chapel",
    "farm",
    "ferry",
    "quarry",
    "lighthouse",
];

pub const MATERIALS: [&str; 13] = [
    "golden",
    "silver",
    "wooden",
    "copper",
    "glass",
    "iron",
    "ivory",
    "leather",
    "paper",
    "amber",
    "crystal",
    "velvet",
    "enchanted",
];
pub const OBJECTS: [&str; 29] = [
    "key",
    "ring",
    "crown",
    "lantern",
    "flute",
    "drum",
    "mask",
    "box",
    "mirror",
    "sword",
    "bell",
    "compass",
    "clock",
    "cup",
    "spoon",
    "button",
    "necklace",
    "map",
    "violin",
    "hammer",
    "bracelet",
    "goblet",
    "arrow",
    "puppet",
    "horseshoe",
    "whistle",
    "feather",
    "thimble",
    "dagger",
];

/// Ways of going somewhere.
pub const MOVES: [Verb; 17] = [
    verb("walk", "walks", "walked"),
    verb("run", "runs", "ran"),
    verb("hurry", "hurries", "hurried"),
    verb("wander", "wanders", "wandered"),
    verb("creep", "creeps", "crept"),
    verb("ride", "rides", "rode"),
    verb("march", "marches", "marched"),
    verb("sneak", "sneaks", "sneaked"),
    verb("return", "returns", "returned"),
    verb("travel", "travels", "travelled"),
    verb("race", "races", "raced"),
    verb("stumble", "stumbles", "stumbled"),
    verb("climb", "climbs", "climbed"),
    verb("swim", "swims", "swam"),
    verb("crawl", "crawls", "crawled"),
    verb("drift", "drifts", "drifted"),
    verb("escape", "escapes", "escaped"),
];

/// What one does without an object.
pub const ACTS: [Verb; 19] = [
    verb("laugh", "laughs", "laughed"),
    verb("cry", "cries", "cried"),
    verb("sigh", "sighs", "sighed"),
    verb("sing", "sings", "sang"),
    verb("dance", "dances", "danced"),
    verb("wait", "waits", "waited"),
    verb("listen", "listens", "listened"),
    verb("yawn", "yawns", "yawned"),
    verb("tremble", "trembles", "trembled"),
    verb("smile", "smiles", "smiled"),
    verb("frown", "frowns", "frowned"),
    verb("nod", "nods", "nodded"),
    verb("sneeze", "sneezes", "sneezed"),
    verb("shiver", "shivers", "shivered"),
    verb("work", "works", "worked"),
    verb("rest", "rests", "rested"),
    verb("argue", "argues", "argued"),
    verb("worry", "worries", "worried"),
    verb("wink", "winks", "winked"),
];

/// What one does to a thing.
pub const DEEDS: [Verb; 23] = [
    verb("find", "finds", "found"),
    verb("steal", "steals", "stole"),
    verb("hide", "hides", "hid"),
    verb("break", "breaks", "broke"),
    verb("mend", "mends", "mended"),
    verb("sell", "sells", "sold"),
    verb("buy", "buys", "bought"),
    verb("carry", "carries", "carried"),
    verb("drop", "drops", "dropped"),
    verb("paint", "paints", "painted"),
    verb("burn", "burns", "burned"),
    verb("wash", "washes", "washed"),
    verb("count", "counts", "counted"),
    verb("bring", "brings", "brought"),
    verb("forget", "forgets", "forgot"),
    verb("throw", "throws", "threw"),
    verb("pull", "pulls", "pulled"),
    verb("lift", "lifts", "lifted"),
    verb("taste", "tastes", "tasted"),
    verb("bury", "buries", "buried"),
    verb("borrow", "borrows", "borrowed"),
    verb("examine", "examines", "examined"),
    verb("polish", "polishes", "polished"),
];
pub const THINGS: [&str; 31] = [
    "bread", "rope", "basket", "coat", "letter", "candle", "boat", "wheel", "honey", "blanket",
    "ladder", "kettle", "apple", "pie", "barrel", "chair", "bucket", "stone", "fence", "hat",
    "broom", "cheese", "net", "sack", "shovel", "book", "cart", "soup", "pillow", "axe", "fiddle",
];
pub const ADVERBS: [&str; 13] = [
    "slowly",
    "quickly",
    "quietly",
    "happily",
    "sadly",
    "loudly",
    "bravely",
    "carefully",
    "alone",
    "again",
    "together",
    "early",
    "late",
];
pub const FEELINGS: [&str; 19] = [
    "happy",
    "sad",
    "angry",
    "afraid",
    "tired",
    "hungry",
    "lonely",
    "surprised",
    "bored",
    "thirsty",
    "worried",
    "grateful",
    "ashamed",
    "confused",
    "calm",
    "upset",
    "hopeful",
    "annoyed",
    "sleepy",
];
pub const SPEAKS: [Verb; 7] = [
    verb("say", "says", "said"),
    verb("whisper", "whispers", "whispered"),
    verb("shout", "shouts", "shouted"),
    verb("answer", "answers", "answered"),
    verb("mumble", "mumbles", "mumbled"),
    verb("explain", "explains", "explained"),
    verb("repeat", "repeats", "repeated"),
];

/// What lives and stands around, singular and plural.
pub const SCENERY: [[&str; 2]; 23] = [
    ["crow", "crows"],
    ["swallow", "swallows"],
    ["beetle", "beetles"],
    ["snake", "snakes"],
    ["spider", "spiders"],
    ["butterfly", "butterflies"],
    ["guard", "guards"],
    ["merchant", "merchants"],
    ["child", "children"],
    ["soldier", "soldiers"],
    ["monk", "monks"],
    ["ghost", "ghosts"],
    ["giant", "giants"],
    ["witch", "witches"],
    ["horse", "horses"],
    ["cow", "cows"],
    ["dog", "dogs"],
    ["seagull", "seagulls"],
    ["lizard", "lizards"],
    ["bee", "bees"],
    ["stranger", "strangers"],
    ["farmer", "farmers"],
    ["dwarf", "dwarves"],
];
pub const LOOKS: [&str; 13] = [
    "old", "young", "small", "tall", "thin", "grey", "black", "white", "ugly", "pretty", "pale",
    "strange", "blind",
];
/// What scenery does by a place.
pub const STAYS: [Verb; 11] = [
    verb("sit", "sits", "sat"),
    verb("stand", "stands", "stood"),
    verb("lie", "lies", "lay"),
    verb("hunt", "hunts", "hunted"),
    verb("play", "plays", "played"),
    verb("eat", "eats", "ate"),
    verb("drink", "drinks", "drank"),
    verb("linger", "lingers", "lingered"),
    verb("grow up", "grows up", "grew up"),
    verb("gather", "gathers", "gathered"),
    verb("vanish", "vanishes", "vanished"),
];
/// What scenery does to scenery.
pub const REGARDS: [Verb; 11] = [
    verb("fear", "fears", "feared"),
    verb("follow", "follows", "followed"),
    verb("watch", "watches", "watched"),
    verb("love", "loves", "loved"),
    verb("hate", "hates", "hated"),
    verb("chase", "chases", "chased"),
    verb("know", "knows", "knew"),
    verb("feed", "feeds", "fed"),
    verb("trust", "trusts", "trusted"),
    verb("miss", "misses", "missed"),
    verb("admire", "admires", "admired"),
];
pub const STATES: [&str; 13] = [
    "quiet",
    "gone",
    "awake",
    "ill",
    "cold",
    "busy",
    "silent",
    "hidden",
    "famous",
    "lost",
    "welcome",
    "dangerous",
    "near",
];

#[cfg(test)]
#[path = "lexicon_tests.rs"]
mod tests;
