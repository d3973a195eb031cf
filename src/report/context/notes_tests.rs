//! Tests of `notes.rs`: what a note says where the grid varies what it is about.

use super::*;
use crate::record::study::{Axis, Change, Trials};
use crate::report::render;
use crate::report::test_fixture::{Fixture, StudyShape};

/// Two arms by two settings, which `key` has instead of the number of layers: 2 and 4 layers become
/// the two values. Runs of the second value are changed by `change`, a text and what replaces it.
fn fixture(key: &str, values: [&str; 2], change: (&str, &str)) -> Fixture {
    let mut fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        layers: vec![2, 4],
        extras: false,
        ..StudyShape::default()
    });
    for cell in &fixture.study.cells {
        if cell.at["student.layers"] == "4" {
            fixture.change_spec(&cell.run, change);
        }
    }
    fixture.change(|study| {
        let layers = study
            .axes
            .iter_mut()
            .find(|axis| axis.key == "student.layers");
        *layers.unwrap() = Axis {
            key: key.to_owned(),
            values: values.map(str::to_owned).into(),
        };
        for cell in &mut study.cells {
            let layers = cell.at.remove("student.layers").unwrap();
            let value = if layers == "2" { values[0] } else { values[1] };
            cell.at.insert(key.to_owned(), value.to_owned());
        }
    });
    fixture
}

fn notes_of(fixture: &Fixture) -> Vec<String> {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    notes(&data, &Analysis::new(&data).unwrap())
}

/// The beginnings of notes, up to the first of these words.
fn beginnings(notes: &[String]) -> Vec<&str> {
    notes
        .iter()
        .map(|note| {
            let ends = [
                " stands for",
                " start from",
                ":",
                " is a single",
                " are compared",
            ];
            let end = ends.iter().filter_map(|end| note.find(end)).min();
            &note[..end.unwrap_or(note.len())]
        })
        .collect()
}

#[test]
fn where_the_grid_varies_the_initial_weights_each_note_names_its_settings() {
    let mut fixture = fixture(
        "student.init",
        ["random", "teacher"],
        ("init = \"random\"", "init = \"teacher\""),
    );
    fixture.change(|study| study.facts.student_init = "random; or teacher".to_owned());
    let notes = notes_of(&fixture);
    assert_eq!(
        beginnings(&notes)[..2],
        [
            "Where student.init = random, a seed",
            "Where student.init = teacher, the students",
        ],
        "{notes:#?}"
    );
    assert!(
        notes[1].contains("start from the teacher's weights, so a seed stands for the order"),
        "{notes:#?}"
    );
}

#[test]
fn where_the_grid_varies_the_balance_the_note_names_the_settings_without() {
    let mut fixture = fixture(
        "balance.mode",
        ["gradient", "none"],
        (
            "mode = \"gradient\"\nbatches = 8\nreference = \"kl\"",
            "mode = \"none\"",
        ),
    );
    fixture.change(|study| study.facts.balance = "gradient; or none".to_owned());
    let notes = notes_of(&fixture);
    assert!(
        notes.contains(
            &"Where balance.mode = none, hidden terms were not balanced: two terms of the same \
              weight push the student with different force, so a difference between their arms \
              may be one of force."
                .to_owned()
        ),
        "{notes:#?}"
    );
}

#[test]
fn an_arm_that_starts_elsewhere_is_named_and_settings_that_no_axis_decides_are_listed() {
    let mut fixture = Fixture::new(&StudyShape {
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| study.facts.student_init = "random; or dir".to_owned());
    let start_from_a_folder = |strategy: &str| {
        let cells = fixture.study.cells.iter().filter(|cell| {
            cell.at["arm"] == "wasserstein" && cell.at["match.strategy"] == strategy
        });
        for cell in cells {
            let folder = "init = \"dir\"\ninit_dir = \"w\"";
            fixture.change_spec(&cell.run, ("init = \"random\"", folder));
        }
    };
    start_from_a_folder("last");
    let notes = notes_of(&fixture);
    assert_eq!(
        beginnings(&notes)[..2],
        [
            "In mse (uniform), mse (last) and wasserstein (uniform), a seed",
            "In wasserstein (last), the students",
        ]
    );
    start_from_a_folder("uniform");
    let notes = notes_of(&fixture);
    assert_eq!(
        beginnings(&notes)[..2],
        [
            "In the arm mse, a seed",
            "In the arm wasserstein, the students",
        ]
    );
}

#[test]
fn an_arm_is_named_in_a_note_as_a_sentence_names_it() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse"],
        strategies: vec!["uniform"],
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.facts.student_init = "random; or dir".to_owned();
        study.arms[0].changes.push(Change {
            key: "train.batch".to_owned(),
            baseline: Some("4".to_owned()),
            value: Some("8".to_owned()),
        });
    });
    for cell in &fixture.study.cells {
        if cell.at["arm"] == "none" {
            let folder = "init = \"dir\"\ninit_dir = \"w\"";
            fixture.change_spec(&cell.run, ("init = \"random\"", folder));
        }
    }
    let notes = notes_of(&fixture);
    assert_eq!(
        beginnings(&notes)[..2],
        ["In the arm mse, a seed", "In the arm “none”, the students"]
    );
    let other = "Arm “none” differs from the baseline in how it trains too (train.batch): ";
    assert!(
        notes.iter().any(|note| note.starts_with(other)),
        "{notes:#?}"
    );
}

#[test]
fn a_study_of_one_kind_has_notes_without_settings() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        extras: false,
        ..StudyShape::default()
    });
    assert_eq!(beginnings(&notes_of(&fixture)), ["A seed", "The teacher"]);
}

#[test]
fn documents_that_splits_share_are_told_by_their_numbers() {
    let mut shared = SharedCounts {
        validation_in_train: 0,
        test_in_train: 0,
        test_in_validation: 0,
        validation_documents: 40,
        test_documents: 50,
    };
    assert_eq!(overlap(&shared), None);
    (shared.test_in_train, shared.test_in_validation) = (3, 1);
    assert_eq!(
        overlap(&shared).unwrap(),
        "The splits overlap: 3 of 50 test documents are training documents too; 1 of 50 test \
         documents are validation documents too. Losses on what was trained on are lower than on \
         new text."
    );
}

#[test]
fn kinds_of_machines_are_told_where_they_differ() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        extras: false,
        ..StudyShape::default()
    });
    let mut data = StudyData::read(&fixture.layout, fixture.study.clone());
    assert_eq!(kinds_of_machines(&data), None);
    for run in &mut data.runs {
        run.machine = Some("x86_64 avx2 fma".to_owned());
    }
    assert_eq!(kinds_of_machines(&data), None);
    data.runs.truncate(3);
    data.runs[1].machine = Some("x86_64 avx512f".to_owned());
    assert_eq!(
        kinds_of_machines(&data).unwrap(),
        "The runs were computed on machines of 2 kinds, which differ in the last bits: 2 with \
         x86_64 avx2 fma, 1 with x86_64 avx512f."
    );
}

#[test]
fn layer_maps_are_not_on_equal_terms_where_students_begin_as_blocks_of_the_teacher() {
    let told = |strategies: Vec<&'static str>, init: &str| {
        let mut fixture = Fixture::new(&StudyShape {
            strategies,
            ..StudyShape::default()
        });
        fixture.change(|study| study.facts.student_init = init.to_owned());
        let notes = notes_of(&fixture);
        let opening = "Students that begin as blocks of their teacher";
        notes
            .iter()
            .filter(|note| note.starts_with(opening))
            .count()
    };
    assert_eq!(told(vec!["uniform", "reverse"], "teacher"), 1);
    assert_eq!(told(vec!["uniform", "reverse"], "random; or teacher"), 1);
    assert_eq!(told(vec!["uniform", "reverse"], "random"), 0);
    assert_eq!(told(vec!["uniform"], "teacher"), 0);
}

#[test]
fn values_that_were_chosen_on_one_map_are_told_where_there_are_several() {
    let told = |strategies: Vec<&'static str>, tried: &[&str]| {
        let mut fixture = Fixture::new(&StudyShape {
            strategies,
            ..StudyShape::default()
        });
        let axis = |key: &&str| Axis {
            key: (*key).to_owned(),
            values: vec!["a".to_owned(), "b".to_owned()],
        };
        let axes = tried.iter().map(axis).collect();
        let tried = Vec::new();
        fixture.change(|study| study.trials = Some(Trials { axes, tried }));
        let notes = notes_of(&fixture);
        let opening = "[select] chose its values with the first setting of each arm, at one \
                       value of match.strategy";
        notes
            .iter()
            .filter(|note| note.starts_with(opening))
            .count()
    };
    let several = || vec!["uniform", "reverse"];
    assert_eq!(told(several(), &["loss.hidden.weight"]), 1);
    assert_eq!(
        told(several(), &["loss.hidden.weight", "match.strategy"]),
        0
    );
    assert_eq!(told(vec!["uniform"], &["loss.hidden.weight"]), 0);
}

#[test]
fn so_many_documents_may_be_groups_of_them() {
    for (count, words) in [
        (1, "one document)"),
        (50, "50 documents)"),
        (6000, "6,000 documents or groups of them)"),
    ] {
        let fixture = Fixture::new(&StudyShape::default());
        for cell in &fixture.study.cells {
            fixture.reevaluate(&cell.run, |evaluation| {
                evaluation.test.documents = vec![(1.0, 1); count];
            });
        }
        let rendered = render(&fixture.layout, fixture.study.clone(), None).unwrap();
        let mut pages = rendered.files.iter();
        let page = pages.find(|(path, _)| path.ends_with("report.md"));
        let page = String::from_utf8(page.unwrap().1.clone()).unwrap();
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn what_students_of_several_teachers_are_measured_against_is_told() {
    let told = |teacher: fn(&str, &str) -> &'static str| {
        let mut fixture = Fixture::new(&StudyShape {
            strategies: vec!["uniform"],
            extras: false,
            steps: 10,
            ..StudyShape::default()
        });
        fixture.change(|study| {
            for cell in &mut study.cells {
                cell.teacher = teacher(&cell.at["arm"], &cell.at["seed"]).to_owned();
            }
        });
        let notes = notes_of(&fixture).into_iter();
        let mut notes = notes.filter(|note| note.contains("KL to teacher"));
        notes.next()
    };
    assert_eq!(told(|_, _| "a"), None);
    assert_eq!(
        told(|arm, _| if arm == "mse" { "a" } else { "b" }).as_deref(),
        Some(
            "There are 2 teachers: KL to teacher, top-1 agreement, CKA and all other distances \
             are each to the student's own, so that they do not compare students of different \
             teachers."
        )
    );
    let of_all = told(|_, seed| if seed == "0" { "a" } else { "b" }).unwrap();
    assert!(
        of_all.ends_with("are each to the student's own, and a row has their mean."),
        "{of_all}"
    );
}
