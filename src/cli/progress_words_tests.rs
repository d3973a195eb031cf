//! Tests of `progress.rs`.

use super::*;

#[test]
fn a_step_is_told_in_a_few_words() {
    let values = BTreeMap::from([
        ("loss".to_owned(), 4.25),
        ("term.kl".to_owned(), 1.5),
        ("weight.kl".to_owned(), 0.5),
    ]);
    assert_eq!(losses_in_words(&values), "loss 4.250  kl 1.500");
    assert_eq!(speed_in_words(123_456.0), "123k tokens/s");
    assert_eq!(speed_in_words(1234.4), "1234 tokens/s");
}
