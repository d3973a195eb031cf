//! Tests of `caught.rs`.

use super::*;

#[test]
fn a_panic_is_an_error_with_its_words_and_an_error_stays_what_it_is() {
    assert_eq!(caught(|| Ok(7)).unwrap(), 7);
    assert_eq!(
        caught::<()>(|| anyhow::bail!("the disk is full"))
            .unwrap_err()
            .to_string(),
        "the disk is full"
    );
    let index = std::hint::black_box(3);
    let error = caught(|| Ok([1, 2, 3][index])).unwrap_err().to_string();
    assert!(
        error.starts_with("a defect of kdpipe and not of your study (index out of bounds"),
        "{error}"
    );
}
