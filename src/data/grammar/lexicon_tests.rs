//! Tests of `lexicon.rs`.

use std::collections::BTreeSet;

use super::super::verbs::*;
use super::*;

#[test]
fn no_list_repeats_a_word_and_characters_never_share_one_with_scenery() {
    let distinct = |words: &[&str]| {
        assert_eq!(
            words.iter().collect::<BTreeSet<_>>().len(),
            words.len(),
            "{words:?}"
        )
    };
    for list in [
        &TRAITS[..],
        &SHE_NAMES,
        &HE_NAMES,
        &FAMILY_NAMES,
        &PLACES,
        &MATERIALS,
        &OBJECTS,
        &THINGS,
        &ADVERBS,
        &FEELINGS,
        &LOOKS,
        &STATES,
    ] {
        distinct(list);
    }
    distinct(
        &[
            KINDS.as_flattened(),
            SCENERY.as_flattened(),
            &TRAITS,
            &LOOKS,
        ]
        .concat(),
    );
    let verbs = [
        &MOVES[..],
        &ACTS,
        &DEEDS,
        &SPEAKS,
        &STAYS,
        &REGARDS,
        &[
            LIVE, KEEP, WANT, DREAM, GIVE, ASK, SEE, SHARE, GO, SLEEP, TALK,
        ],
    ]
    .concat();
    for form in [
        |verb: &Verb| verb.plural,
        |verb: &Verb| verb.singular,
        |verb: &Verb| verb.past,
    ] {
        distinct(&verbs.iter().map(form).collect::<Vec<_>>());
    }
}
