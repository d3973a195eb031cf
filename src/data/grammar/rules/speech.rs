//! What characters say.

use super::super::symbols::Symbol::*;
use super::super::symbols::{Alternatives, Class, Whose};

pub const STATEMENT: Alternatives = &[
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
];

pub const QUESTION: Alternatives = &[
    (2, &[Text("who has the"), Object]),
    (3, &[Text("have you seen the"), Pick(Class::Thing)]),
    (
        2,
        &[
            Number(Whose::Subject, "where is my", "where is our"),
            Pick(Class::Thing),
        ],
    ),
];
