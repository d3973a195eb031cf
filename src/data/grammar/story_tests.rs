//! Tests of `story.rs`.

use std::collections::BTreeSet;

use super::*;

#[test]
fn ranks_are_a_permutation_of_the_words_in_every_context() {
    let mut story = Story::new();
    for kind in 0..KINDS.len() {
        for character in 0..TRAITS.len() {
            (story.kind, story.character) =
                ([kind, (kind + 1 + character) % 23, 0], [character; 3]);
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
                let words: BTreeSet<usize> = (0..size(class))
                    .map(|rank| word_at(class, rank, &story))
                    .collect();
                assert_eq!(words.len(), size(class), "{class:?}");
                if let Class::Kind(slot) = class {
                    assert!(
                        story.kind[..slot].iter().all(|kind| !words.contains(kind)),
                        "{class:?}"
                    );
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
