//! Tests of `template.rs`: what a template sees, and what a user sees of a mistake in one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use minijinja::{Error, Value};

use super::{TemplateSource, divisible_by, environment, guarded, join, replace};
use crate::report::analysis::Analysis;
use crate::report::context::Context;
use crate::report::data::StudyData;
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
        "{% for row in rows %}{{ row.label }} {{ row.nll | sig(3) }}\n{% endfor %}\
         {{ (0 - 0.00003) | end(4) }}\n",
    )
    .unwrap();
    let rendered = render(&fixture.layout, fixture.study.clone(), Some(&path)).unwrap();
    let (name, page) = &rendered.files[0];
    assert_eq!(name, Path::new("report.md"));
    assert_eq!(
        String::from_utf8_lossy(page),
        "mse 3.12\nwasserstein 3.10\n−0.00003\n"
    );
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

#[test]
fn a_panic_of_the_template_library_is_an_error_of_the_template() {
    let fixture = Fixture::new(&StudyShape {
        seeds: 1,
        strategies: vec!["uniform"],
        extras: false,
        steps: 10,
        ..StudyShape::default()
    });
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let context = Context::new(&data, &analysis, &[]).unwrap();
    let mut environment = environment(1);
    let halt: fn() -> String = || panic!("no answer");
    environment.add_function("halt", halt);
    let source = TemplateSource {
        name: "mine.md.j2".to_owned(),
        text: "# A title\n\nSome text, {{ halt() }} and more.\n".to_owned(),
    };
    let error = guarded(environment, &source, &context).unwrap_err();
    assert_eq!(
        error.to_string(),
        "mine.md.j2: something that the template uses came to a halt (no answer) in or behind the \
         line that ends in \"Some text, \"; a filter or a test of minijinja with an argument that \
         it has no answer to, most likely"
    );
}

#[test]
fn divisibility_has_an_answer_for_every_number() {
    let is = |a: Value, by: Value| divisible_by(a, by);
    assert!(is(Value::from(6), Value::from(3)).unwrap());
    assert!(!is(Value::from(7), Value::from(3)).unwrap());
    assert!(is(Value::from(7.5), Value::from(2.5)).unwrap());
    assert!(is(Value::from(i128::MIN), Value::from(-1)).unwrap());
    assert!(!is(Value::from("six"), Value::from(3)).unwrap());
    let error = is(Value::from(6), Value::from(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid operation: nothing is divisible by 0"
    );
}
