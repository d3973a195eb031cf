//! Tests of `pairs.rs`.

use super::*;

fn counted(texts: &[&str], limit: u64) -> Result<()> {
    let mut pairs = PairCounts::new(limit);
    texts.iter().for_each(|text| pairs.add(text));
    pairs.check()
}

#[test]
fn a_pair_may_occur_as_often_as_the_trainer_counts_and_not_once_more() {
    assert!(counted(&[], 0).is_ok());
    assert!(
        counted(&["a", "b", "a"], 0).is_ok(),
        "no word reaches over pieces"
    );
    assert!(counted(&["abab", "xab"], 3).is_ok());
    let error = counted(&["abab", "xab", "ab"], 3).unwrap_err().to_string();
    assert!(
        error.contains("the pair of bytes \"ab\" 4 times") && error.contains("counts to 3"),
        "{error}"
    );
    assert!(
        counted(&["ääää"], 3)
            .unwrap_err()
            .to_string()
            .contains("\\xc3\\xa4"),
        "pairs are of bytes"
    );
}

#[test]
fn the_limit_is_that_of_a_signed_number_of_32_bits() {
    assert_eq!(TRAINERS_LIMIT, (1 << 31) - 1);
}
