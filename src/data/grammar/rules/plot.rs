//! The course of a story: three characters, a wish, events, an end.

use super::super::symbols::Symbol::*;
use super::super::symbols::{A, Alternatives, Class, FRIEND, HERO, NEW_LINE, OWNER, Whose};
use super::super::verbs::{BE, DREAM, GO, KEEP, LIVE, SHARE, SLEEP, TALK, WANT};

pub const STORY: Alternatives = &[(
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
)];

pub const TENSE: Alternatives = &[(3, &[Present(false)]), (2, &[Present(true)])];

macro_rules! gender {
    ($slot:literal) => {
        &[
            (
                2,
                &[Gender($slot, $crate::data::grammar::symbols::Gender::She)],
            ),
            (
                2,
                &[Gender($slot, $crate::data::grammar::symbols::Gender::He)],
            ),
            (
                1,
                &[Gender($slot, $crate::data::grammar::symbols::Gender::They)],
            ),
        ]
    };
}

/// Whether a character is a she, a he or a family.
pub fn gender(character: usize) -> Alternatives {
    match character {
        0 => gender!(0),
        1 => gender!(1),
        _ => gender!(2),
    }
}

pub const WISH: Alternatives = &[
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
];

/// An event, and what follows it.
macro_rules! event_and_more {
    ($count:literal) => {
        &[Event, Body($count + 1)]
    };
}

/// The events that are still to come after `count`: two at least and twelve at most.
pub fn body(count: usize) -> Alternatives {
    macro_rules! one_more {
        ($count:literal) => {
            &[(1, event_and_more!($count))]
        };
    }
    macro_rules! maybe_more {
        ($count:literal) => {
            &[(1, &[]), (4, event_and_more!($count))]
        };
    }
    match count {
        0 => one_more!(0),
        1 => one_more!(1),
        2 => maybe_more!(2),
        3 => maybe_more!(3),
        4 => maybe_more!(4),
        5 => maybe_more!(5),
        6 => maybe_more!(6),
        7 => maybe_more!(7),
        8 => maybe_more!(8),
        9 => maybe_more!(9),
        10 => maybe_more!(10),
        11 => maybe_more!(11),
        _ => &[(1, &[])],
    }
}

pub const ENDING: Alternatives = &[
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
];
