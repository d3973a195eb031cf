//! Tests of `shared_files.rs`.

use super::*;

/// Files `CONTENT` or `CONTENT:NAME` of each split.
fn found(splits: [&[&str]; 3]) -> Vec<String> {
    let split = |part: Part| -> Vec<SplitFile> {
        let written = part.of(splits[0], splits[1], splits[2]);
        let file = |(index, written): (usize, &&str)| {
            let (content, name) = written.split_once(':').unwrap_or((written, written));
            SplitFile {
                content: content.to_owned(),
                name: name.to_owned(),
                key: format!("dataset.{}[{index}]", part.name()),
            }
        };
        written.iter().enumerate().map(file).collect()
    };
    let [train, validation, test] = Part::ALL.map(split);
    shared_files([&train, &validation, &test], "take it out")
        .into_iter()
        .map(|fault| format!("{}: {}", fault.key.unwrap(), fault.message))
        .collect()
}

#[test]
fn a_file_of_two_splits_is_told_at_the_later_one() {
    assert_eq!(
        found([&["a", "b:x"], &["b:y", "c"], &["c", "a"]]),
        [
            "dataset.validation[0]: y of dataset.validation is also in dataset.train (there as \
             x), with the same content",
            "dataset.test[1]: a of dataset.test is also in dataset.train, with the same content",
            "dataset.test[0]: c of dataset.test is also in dataset.validation, with the same \
             content",
        ]
    );
    assert_eq!(found([&["a"], &["b"], &["c"]]).len(), 0);
    assert_eq!(found([&["a", "b"], &["a", "b"], &["c"]]).len(), 2);
    assert_eq!(found([&["a"], &["b"], &["a"]]).len(), 1);
    assert_eq!(found([&["a"], &["b", "c"], &["c"]]).len(), 1);
}

#[test]
fn nobody_takes_one_text_for_a_test() {
    assert_eq!(found([&["a", "b"], &["b", "a"], &["a:x", "b"]]).len(), 0);
    assert_eq!(found([&["a"], &["v"], &["v:w"]]).len(), 0);
    assert_eq!(found([&["a"], &["a", "b"], &["a", "b"]]).len(), 2);
}
