//! What lives and stands around, with relative clauses in one another.

use super::super::symbols::Symbol::*;
use super::super::symbols::{Alternatives, Class, Whose};
use super::super::verbs::BE;

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

/// Scenery at a depth of relative clauses.
pub fn scene(depth: usize) -> Alternatives {
    match depth {
        0 => scene!(0),
        1 => scene!(1),
        _ => scene!(2),
    }
}

pub const MAYBE_LOOK: Alternatives = &[(6, &[]), (4, &[Pick(Class::Look)])];

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

/// A clause about the scenery at a depth: fewer the deeper, and none below the second.
pub fn relative_clause(depth: usize) -> Alternatives {
    match depth {
        0 => relative!(9, 6, 5, 0),
        1 => relative!(14, 4, 2, 1),
        _ => &[(1, &[])],
    }
}

pub const SCENE_END: Alternatives = &[
    (3, &[Verb(&BE, Whose::Scenery(0)), Pick(Class::State)]),
    (2, &[Pick(Class::Stay(0)), MaybeAdverb]),
];
