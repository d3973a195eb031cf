//! What happens in a story, and to whom.

use super::super::symbols::Symbol::*;
use super::super::symbols::{Alternatives, CLOSE, Class, OPEN, Whose};
use super::super::verbs::{ASK, BE, GIVE, HAVE, SEE};

pub const EVENT: Alternatives = &[
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
];

/// A pronoun is about the subject of the sentence before.
pub const SUBJECT: Alternatives = &[
    (8, &[Pronoun(Whose::Subject)]),
    (2, &[Shift(0), Mention(Whose::Subject)]),
    (6, &[Shift(1), Mention(Whose::Subject)]),
    (4, &[Shift(2), Mention(Whose::Subject)]),
];

pub const SPEAKER: Alternatives = &[(3, &[Shift(0)]), (5, &[Shift(1)]), (2, &[Shift(2)])];

pub const OTHER: Alternatives = &[
    (3, &[OtherIs(0), Mention(Whose::Other)]),
    (2, &[OtherIs(1), Mention(Whose::Other)]),
];

macro_rules! mention {
    ($whose:expr) => {
        &[
            (6, &[Name($whose)]),
            (3, &[Text("the"), Kind($whose)]),
            (1, &[Text("the"), Trait($whose), Kind($whose)]),
        ]
    };
}

pub const MENTION_OF_OTHER: Alternatives = mention!(Whose::Other);

pub const MENTION_OF_SUBJECT: Alternatives = mention!(Whose::Subject);

pub const MAYBE_ADVERB: Alternatives = &[(7, &[]), (3, &[Pick(Class::Adverb)])];

pub const MAYBE_SPOT: Alternatives = &[(7, &[]), (3, &[Text("by the"), Pick(Class::Spot)])];
