//! Tests of `progress_words.rs`.

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

#[test]
fn times_are_told_as_roughly_as_they_are_known() {
    let told = |seconds| short(Duration::from_secs(seconds));
    assert_eq!(
        [told(0), told(99), told(100), told(3600), told(7500)],
        ["0 s", "99 s", "2 min", "60 min", "2 h 5 min"]
    );
    let minute = Duration::from_secs(60);
    assert_eq!(time_left(minute, 0.25), Some(Duration::from_secs(180)));
    assert_eq!(time_left(minute, 1.5), Some(Duration::ZERO));
    assert_eq!(time_left(minute, 0.0), None);
    assert_eq!(eta_in_words(Some(minute)), ", ETA 60 s");
}
