//! Tests of `template.rs`: what a template sees, and what a user sees of a mistake in one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use minijinja::{Error, Value};

use super::{join, replace};
use crate::report::test_fixture::{Fixture, StudyShape};
use crate::report::{Material, render};

/// The error of a template, as a user sees it.
fn error(template: &str) -> String {
    let fixture = Fixture::new(&StudyShape {
        seeds: 1,
        strategies: vec!["uniform"],
        extras: false,
        steps: 10,
        ..StudyShape::default()
    });
    let path = fixture.layout.root.join("template.md.j2");
    fs::write(&path, template).unwrap();
    let error = render(&fixture.layout, fixture.study.clone(), Some(&path)).unwrap_err();
    format!("{error:#}").replace(&path.display().to_string(), "template.md.j2")
}

#[test]
fn hostile_and_mistaken_templates_give_errors_with_their_place() {
    insta::assert_snapshot!(
        "template_errors",
        [
            error("# {{ study.name }}\n\n{{ study.nmae }}\n"),
            error("{% for row in rows %}{{ row.label }}\n"),
            error("{% include '../../etc/passwd' %}"),
            error("{% import '/etc/passwd' as x %}"),
            error("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
            error(
                "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}"
            ),
            error("{{ study.name | fixed(2) }}"),
            error("{{ 'x' * 100000000 }}"),
        ]
        .join("\n\n")
    );
}

#[test]
fn an_own_template_sees_the_same_variables() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        ..StudyShape::default()
    });
    let path = fixture.layout.root.join("own.md.j2");
    fs::write(
        &path,
        "{% for row in rows %}{{ row.label }} {{ row.nll | sig(3) }}\n{% endfor %}",
    )
    .unwrap();
    let rendered = render(&fixture.layout, fixture.study.clone(), Some(&path)).unwrap();
    let (name, page) = &rendered.files[0];
    assert_eq!(name, Path::new("report.md"));
    assert_eq!(page, b"mse 3.12\nwasserstein 3.10\n");
    let missing = render(
        &fixture.layout,
        fixture.study.clone(),
        Some(Path::new("no/such.j2")),
    )
    .unwrap_err();
    assert!(format!("{missing:#}").starts_with(
        "the report's template no/such.j2 cannot be read; give another with --template"
    ));
}

#[test]
fn every_variable_of_a_template_is_listed_for_its_authors() {
    fn names(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                found.insert(name.clone());
                // These are named by the study's data.
                if name != "inputs" {
                    names(value, found);
                }
            }),
            serde_json::Value::Array(values) => values.iter().for_each(|value| names(value, found)),
            _ => {}
        }
    }
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform", "reverse", "shuffled"],
        ..StudyShape::default()
    });
    let context = Material::read(&fixture.layout, fixture.study.clone())
        .unwrap()
        .context;
    let mut found = BTreeSet::new();
    names(&serde_json::to_value(&context).unwrap(), &mut found);
    let listed = include_str!("../../templates/README.md");
    let lacking: Vec<&String> = found
        .iter()
        .filter(|name| !listed.contains(&format!("`{name}`")))
        .collect();
    assert!(found.len() > 100 && lacking.is_empty(), "{lacking:?}");
}

#[test]
fn joined_and_replaced_texts_are_those_of_the_engine_up_to_the_limit() {
    let values = Value::from_serialize(["ab", "cd"]);
    assert_eq!(join(values.clone(), ", ", 6).unwrap(), "ab, cd");
    assert_eq!(
        join(Value::from("abc"), "-", 5).unwrap(),
        "a-b-c",
        "a text is its characters"
    );
    // The limit counts what is taken away, too.
    assert_eq!(replace("abab", "a", "xy", 8).unwrap(), "xybxyb");
    let words = |refused: Result<String, Error>| refused.unwrap_err().to_string();
    for refused in [join(values, ", ", 5), replace("abab", "a", "xy", 7)] {
        assert!(words(refused).contains("a text would be longer than"));
    }
}
