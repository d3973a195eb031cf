//! What the documents say is true.

use std::path::Path;

use crate::builder::TestSite;

const README: &str = include_str!("../../README.md");

#[test]
fn the_spec_of_the_readme_is_one() {
    let start = README.find("```toml\n").unwrap() + 8;
    let spec = &README[start..start + README[start..].find("```").unwrap()];
    let site = TestSite::new(spec);
    std::fs::create_dir_all(site.path("data/train")).unwrap();
    for name in ["data/train/a.txt", "data/valid.txt", "data/test.txt"] {
        site.write(name, b"Once there was a fox.\n");
    }
    site.kdpipe("check study.toml").code(0);
    assert!(
        site.kdpipe("plan study.toml")
            .code(0)
            .out
            .contains("mine: 18 cells, 15 runs"),
        "another grid"
    );
}

/// The files of the repository that a page names in backticks: those with a folder in their path.
fn named_files(page: &str) -> impl Iterator<Item = &str> {
    let in_backticks = page.split('`').skip(1).step_by(2);
    in_backticks.filter(|name| {
        let is_path = name.contains('/') && !name.contains([' ', '<', '*', '{', '…']);
        is_path
            && [".rs", ".toml", ".md", ".j2", "/"]
                .iter()
                .any(|end| name.ends_with(end))
    })
}

#[test]
fn files_that_the_pages_for_developers_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "tests/README.md"] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let text = text.replace("```", "");
        for name in named_files(&text) {
            // `src/` may be left out; a page beside the tests names them from there.
            let places = [root.to_owned(), root.join("src"), root.join("tests")];
            assert!(
                places.iter().any(|place| place.join(name).exists()),
                "{page} names {name}"
            );
        }
    }
}

#[test]
fn the_readme_is_short_and_names_every_command() {
    assert!(README.lines().count() < 250);
    let help = TestSite::new("").kdpipe("--help").code(0).out;
    let commands = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| {
        line.strip_prefix("  ")
            .filter(|line| !line.starts_with(' '))?
            .split_whitespace()
            .next()
    });
    for command in names.filter(|&command| command != "help") {
        assert!(
            README.contains(&format!("kdpipe {command}"))
                || README.contains(&format!("`{command}")),
            "{command}"
        );
    }
}
