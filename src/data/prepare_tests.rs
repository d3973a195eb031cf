//! Tests of `prepare.rs`.

use super::*;
use crate::data::tests::no_hub;

/// Cache files that people have are found by it.
#[test]
fn the_key_of_streams_is_that_of_every_earlier_version() {
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
        "88e58cdd53414767bd666d01dc2b6a87"
    );
}
