//! What the documents say is true.

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
