//! Tests of `input_files.rs`.

use std::fs;

use super::*;

fn paths(folder: &Path, written: &[&str]) -> Vec<InputPath> {
    written
        .iter()
        .map(|written| InputPath::new(*written, folder))
        .collect()
}

fn find(folder: &Path, [train, validation, test]: [&[&str]; 3]) -> Result<InputFiles> {
    let [train, validation, test] = [train, validation, test].map(|written| paths(folder, written));
    let paths = SplitPaths {
        train: &train,
        validation: &validation.into(),
        test: &test.into(),
        cut: None,
    };
    InputFiles::find(&paths, &|path, _| {
        if path.extension().is_some_and(|ending| ending == "bad") {
            return Err(InputFault::new(format!("{} is bad", path.display()), "fetch").into());
        }
        Ok(())
    })
}

/// Keys and texts of what is wrong.
fn faults(folder: &Path, splits: [&[&str]; 3]) -> Vec<(String, String)> {
    let error = find(folder, splits).unwrap_err();
    let inside = format!("{}/", folder.display());
    InputFault::found_in(&error)
        .unwrap()
        .into_iter()
        .map(|fault| {
            let text = fault.to_string().replace(&inside, "");
            (fault.key.unwrap(), text)
        })
        .collect()
}

fn site(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    folder
}

const GOOD: &[&str] = &["valid.txt"];

#[test]
fn globs_are_expanded_in_sorted_order_after_what_is_written_before_them() {
    let folder = site(&[
        "z.txt",
        "a.txt",
        "b/c.txt",
        "b/deep/d.txt",
        "b/e.md",
        "[odd].txt",
        "v/valid.txt",
    ]);
    let folder = folder.path();
    let names = |written: &[&str]| -> Vec<String> {
        let found = find(folder, [written, &["v/*"], &["v/valid.txt"]]).unwrap();
        let name = |file: &InputFile| {
            let path = file.path.strip_prefix(folder).unwrap();
            path.display().to_string()
        };
        found.of(Part::Train).iter().map(name).collect()
    };
    assert_eq!(names(&["z.txt", "b/*.txt"]), ["z.txt", "b/c.txt"]);
    assert_eq!(
        names(&["b/**/*.txt", "*.txt"]),
        ["b/c.txt", "b/deep/d.txt", "[odd].txt", "a.txt", "z.txt"]
    );
    assert_eq!(names(&["./{a,z}.txt"]), ["a.txt", "z.txt"]);
    assert_eq!(
        names(&["[odd].txt"]),
        ["[odd].txt"],
        "a file of that very name comes first"
    );
}

/// Keys, and how the texts begin.
const WRONG: [(&str, &str); 9] = [
    (
        "dataset.train[0]",
        "gone.txt of dataset.train does not exist; paths are relative to the file that sets \
             them",
    ),
    (
        "dataset.train[1]",
        "sub of dataset.train is a folder; write a glob such as \"sub/*.txt\"",
    ),
    (
        "dataset.train[2]",
        "\"none/*.txt\" of dataset.train matches no file below",
    ),
    (
        "dataset.train[3]",
        "cannot expand \"[z.txt\" of dataset.train",
    ),
    (
        "dataset.train[4]",
        "sub/a.bad is bad (and 1 more like it); fetch",
    ),
    (
        "dataset.train[5]",
        "~/a.txt of dataset.train does not exist; ~ is not expanded: write the whole path",
    ),
    (
        "dataset.train[6]",
        "empty.txt of dataset.train is empty; take it out, or fetch it again",
    ),
    (
        "dataset.train[8]",
        "one.txt is twice in dataset.train: \"one.txt\" and \"one.*\" name it both; name each \
             file once",
    ),
    (
        "dataset.validation",
        "dataset.validation names no files; write their paths or a glob",
    ),
];

#[test]
fn everything_that_is_wrong_is_told_at_once_with_the_entry_and_a_remedy() {
    let folder = site(&["sub/a.bad", "sub/b.bad", "one.txt", "valid.txt"]);
    fs::write(folder.path().join("empty.txt"), "").unwrap();
    let folder = folder.path();
    let wrong: &[&str] = &[
        "gone.txt",
        "sub",
        "none/*.txt",
        "[z.txt",
        "sub/*",
        "~/a.txt",
        "empty.txt",
        "one.txt",
        "one.*",
    ];
    let told = faults(folder, [wrong, &[], GOOD]);
    assert_eq!(told.len(), WRONG.len(), "{told:#?}");
    for ((key, text), (expected_key, expected_text)) in told.iter().zip(WRONG) {
        assert_eq!(key, expected_key);
        assert!(text.starts_with(expected_text), "{text}");
    }
}

#[test]
fn empty_files_that_a_glob_finds_are_passed_over_unless_all_are() {
    let folder = site(&["a.txt", "valid.txt"]);
    fs::create_dir(folder.path().join("e")).unwrap();
    for name in ["b.txt", "e/c.txt"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let folder = folder.path();
    assert!(find(folder, [&["[ab].txt"], GOOD, GOOD]).is_ok());
    assert_eq!(
        faults(folder, [&["e/*"], GOOD, GOOD]),
        [(
            "dataset.train".to_owned(),
            "the files of dataset.train are all empty; name files with text".to_owned()
        )]
    );
}

#[test]
fn a_test_file_among_the_training_files_is_found_by_its_content() {
    let folder = site(&["data/a.txt", "data/b.txt", "test.txt", "valid.txt"]);
    fs::copy(
        folder.path().join("test.txt"),
        folder.path().join("data/copy.txt"),
    )
    .unwrap();
    let folder = folder.path();
    let told = faults(folder, [&["data/*.txt"], &["data/a.txt"], &["test.txt"]]);
    assert_eq!(
        told,
        [
            (
                "dataset.test[0]".to_owned(),
                "test.txt of dataset.test is also in dataset.train (there as data/copy.txt), with \
                 the same content; take it out of one of the two"
                    .to_owned()
            ),
            (
                "dataset.validation[0]".to_owned(),
                "data/a.txt of dataset.validation is also in dataset.train, with the same \
                 content; take it out of one of the two"
                    .to_owned()
            ),
        ]
    );
    let one: [&[&str]; 3] = [&["test.txt"], &["./test.txt"], &["te*"]];
    assert!(
        find(folder, one).is_ok(),
        "where all is one file, nobody takes it for a test"
    );
    for name in ["no.txt", "data/no.txt"] {
        fs::write(folder.join(name), "").unwrap();
    }
    let empty: [&[&str]; 3] = [&["data/[bn]*"], &["valid.txt"], &["test.txt", "n*.txt"]];
    assert!(
        find(folder, empty).is_ok(),
        "nothing is shared of empty files"
    );
}
