//! Tests of `error.rs`.

use super::*;

#[test]
fn errors_name_the_file_the_cause_and_the_remedy() {
    let error = explain(
        ErrorKind::StorageFull.into(),
        "write",
        Path::new("results/a/report.md"),
    );
    assert_eq!(
        error.to_string(),
        "cannot write results/a/report.md: the disk is full; free some space and run the same \
             command again, it goes on from here"
    );
    assert_eq!(
        error.downcast_ref::<Error>().map(Error::kind),
        Some(ErrorKind::StorageFull)
    );
    let error = explain(
        Error::from_raw_os_error(INPUT_OUTPUT),
        "flush",
        Path::new("x"),
    );
    assert!(
        error
            .to_string()
            .starts_with("cannot flush x: the disk reports an error"),
        "{error}"
    );
    let error = explain(Error::other("odd"), "read", Path::new("x"));
    assert_eq!(format!("{error:#}"), "cannot read x: odd");
}
