//! Tests of `panics.rs`.

use super::*;

#[test]
fn a_panic_is_an_error_with_its_words_and_an_error_stays_what_it_is() {
    assert_eq!(panic_as_defect(|| Ok(7)).unwrap(), 7);
    assert_eq!(
        panic_as_defect::<()>(|| anyhow::bail!("the disk is full"))
            .unwrap_err()
            .to_string(),
        "the disk is full"
    );
    let index = std::hint::black_box(3);
    let error = panic_as_defect(|| Ok([1, 2, 3][index]))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("a defect of kdpipe and not of your study (index out of bounds"),
        "{error}"
    );
}

#[test]
fn whoever_asks_says_what_a_panic_means() {
    let error = panic_as_error(
        || -> Result<(), std::io::Error> { panic!("no such page") },
        |words| format!("the file is damaged ({words})"),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "the file is damaged (no such page)"
    );
}
