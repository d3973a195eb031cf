//! Tests of `prepare.rs`.

use super::*;
use crate::data::tests::no_hub;

/// Cache files that people have are found by it; it last moved with the format of the file (2).
#[test]
fn the_key_of_streams_is_that_of_this_format() {
    let trained = TokenizerSpec::Train { vocab_size: 600 };
    let tokenizer = TokenizerInput::find(&trained, &no_hub()).unwrap();
    let tokenizer = tokenizer.fingerprint();
    assert_eq!(
        tokenizer,
        "5cdf13e9d0eb9bfa472862bb9bce37aa4d5ef68c9563d69200a1bff5d1ec6c76"
    );
    let dataset = "2976e7a6fcc23b4409d0171c3fac7f438e8b465bd0e4db8e5767fbdd0dc20702";
    assert_eq!(
        streams_key(dataset, &tokenizer),
        "29789a0b7afd3145eb09bf98d68b9a45"
    );
}
