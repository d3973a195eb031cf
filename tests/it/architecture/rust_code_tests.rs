//! Tests of `rust_code.rs`.

use super::*;

#[test]
fn comments_strings_and_characters_are_no_code() {
    let text = "use crate::a; // crate::b\n/* crate::c\n */ let s = \"crate::d \\\" crate::e\"; \
                let r = r#\"crate::f \" \"#; let c = '\"'; let d = '\\''; fn x<'a>(y: &'a str) { \
                crate::g::h() }\n";
    assert_eq!(names_after(&strip(text), "crate::"), ["a", "g"]);
    assert_eq!(strip(text).lines().count(), text.lines().count());
}

#[test]
fn imports_are_found_in_groups_and_by_super() {
    let modules = BTreeSet::from(["files", "ops", "plan", "train"].map(str::to_owned));
    let found = |path: &str, code: &str| {
        let source = SourceFile::new(path.to_owned(), code.to_owned());
        let names: Vec<String> = source.imported_modules(&modules).into_iter().collect();
        names.join(" ")
    };
    let group = "use crate::{ops::{Mat, tape}, plan, train::Job};\nlet x = crate::files::read(y);";
    assert_eq!(found("train/group.rs", group), "files ops plan");
    let up = "use super::super::ops::Mat; use super::plan;";
    assert_eq!(found("train/group.rs", up), "ops");
    let face = "use super::files; use self::group; mod inner { use super::super::plan; }";
    assert_eq!(found("train/mod.rs", face), "files");
    let names = "$crate::ops::x; my_crate::plan::x; other::crate::plan";
    assert_eq!(found("train/a/b.rs", names), "ops");
    let tests = "use super::*; use super::super::super::ops::Mat;";
    assert_eq!(found("train/group_tests.rs", tests), "ops");
}

#[test]
fn paths_are_read_from_trees_and_followed_from_where_they_stand() {
    let place = ["train", "group"].map(str::to_owned);
    let code = "use super::{member::{self, Member}, state as s,};\nlet x = crate::ops::tape();";
    let found: Vec<String> = use_paths(code, &place)
        .iter()
        .map(|path| path.join("/"))
        .collect();
    let expected = [
        "ops/tape",
        "train/member",
        "train/member/Member",
        "train/state",
    ];
    assert_eq!(found, expected);
    let face = SourceFile::new(
        "train/mod.rs".to_owned(),
        "mod state;\npub use state::{TrainState, load};\nuse state::hidden;".to_owned(),
    );
    let handed_on: Vec<String> = face.handed_on().iter().map(|path| path.join("/")).collect();
    assert_eq!(handed_on, ["train/state/TrainState", "train/state/load"]);
}
