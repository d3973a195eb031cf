//! The verbs. Lists that are drawn from have a prime length, as those of [`super::lexicon`].

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

pub const SPEAKS: [Verb; 7] = [
    verb("say", "says", "said"),
    verb("whisper", "whispers", "whispered"),
    verb("shout", "shouts", "shouted"),
    verb("answer", "answers", "answered"),
    verb("mumble", "mumbles", "mumbled"),
    verb("explain", "explains", "explained"),
    verb("repeat", "repeats", "repeated"),
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
