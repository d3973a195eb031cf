//! Which changes of a study are looks, and that they last.

use super::stored::study_of_one_cell;
use super::*;
use crate::plan::AxisChoice;
use crate::record::study::*;

/// Two arms of two seeds, the runs named after both.
pub fn study() -> Study {
    let axis = |key: &str, values: [&str; 2]| Axis {
        key: key.into(),
        values: values.map(str::to_owned).into(),
    };
    let cell = |arm: &str, seed: &str| Cell {
        at: BTreeMap::from([
            ("arm".to_owned(), arm.to_owned()),
            ("seed".to_owned(), seed.to_owned()),
        ]),
        run: format!("{arm}{seed}"),
        evaluation: "e".into(),
        teacher: "t".into(),
        teacher_evaluation: "te".into(),
    };
    Study {
        axes: vec![axis("arm", ["none", "mse"]), axis("seed", ["0", "1"])],
        cells: vec![
            cell("none", "0"),
            cell("none", "1"),
            cell("mse", "0"),
            cell("mse", "1"),
        ],
        ..study_of_one_cell()
    }
}

/// A change, under a name for messages.
type Changed = (&'static str, fn(&mut Study));

const LOOKS: [Changed; 7] = [
    ("another seed", |study| {
        study.axes[1].values.push("2".into())
    }),
    ("fewer seeds", |study| drop(study.axes[1].values.pop())),
    ("another arm", |study| {
        study.axes[0].values.push("lm".into())
    }),
    ("an exclusion", |study| study.cells.truncate(2)),
    ("the margin", |study| study.report.margin = 0.02),
    ("the baseline", |study| {
        study.report.baseline.insert("arm".into(), "none".into());
    }),
    ("a primary comparison", |study| {
        let several = AxisChoice::Several(vec!["mse".to_owned(), "sliced".to_owned()]);
        study.report.primary = Some([("arm".to_owned(), several)].into());
    }),
];
const NO_LOOKS: [Changed; 4] = [
    ("nothing", |_| {}),
    ("the template", |study| {
        study.report.template = crate::plan::path::InputPath::new("own.j2", Path::new(""));
    }),
    ("the words", |study| study.description = "other".into()),
    (
        "other runs, of which it is not stored what is set",
        |study| {
            study.cells[0].run = "other".into();
            study.settings = None;
        },
    ),
];

#[test]
fn a_change_is_a_look_once_there_is_something_to_compare() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    let stored = study();
    let evaluate = |run: &str| {
        publish_evaluation(&layout.run(run), "e", &evaluated()).unwrap();
    };
    let look = |change: fn(&mut Study)| {
        let mut now = stored.clone();
        change(&mut now);
        look_before_change(&layout, &stored, &now)
    };
    for finished in ["none0", "none1"] {
        evaluate(finished);
        for (name, change) in LOOKS {
            assert_eq!(look(change), None, "{name}: one arm alone was seen");
        }
    }
    evaluate("mse0");
    for (name, change) in LOOKS {
        assert_eq!(look(change), Some(Look::at(&stored, 3)), "{name}");
    }
    for (name, change) in NO_LOOKS {
        assert_eq!(look(change), None, "{name}");
    }
}

pub fn settings(peak: &str, weight: &str) -> StudySettings {
    let texts = |values: &[(&str, &str)]| -> BTreeMap<String, String> {
        let both = values.iter();
        both.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let shared = [
        ("train.lr.peak", peak),
        ("train.steps", "50"),
        ("train.evaluate_every", "5"),
        ("train.checkpoint_every", "10"),
    ];
    StudySettings {
        shared: texts(&shared),
        arms: [("mse".to_owned(), texts(&[("loss.hidden.weight", weight)]))].into(),
    }
}

/// What a look keeps of what was set, where two runs were evaluated, the study is set as `now` says
/// and then changed; nothing where it is no look.
fn kept(now: StudySettings, change: fn(&mut Study)) -> Option<Vec<(String, String)>> {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    for run in ["none0", "mse0"] {
        publish_evaluation(&layout.run(run), "e", &evaluated()).unwrap();
    }
    let set = |settings| Study {
        settings: Some(settings),
        ..study()
    };
    let (stored, mut now) = (set(settings("0.1", "1.0")), set(now));
    change(&mut now);
    let look = look_before_change(&layout, &stored, &now)?;
    Some(look.settings.into_iter().collect())
}

fn other_runs(study: &mut Study) {
    study.cells[2].run = "other".into();
}

fn of(key: &str, value: &str) -> Option<Vec<(String, String)>> {
    Some(vec![(key.to_owned(), value.to_owned())])
}

#[test]
fn what_is_set_otherwise_is_kept_with_its_value_of_then_where_it_makes_other_runs() {
    // The runs are the same, whatever is written.
    assert_eq!(kept(settings("0.2", "1.0"), |_| {}), None);
    // Other runs, and nothing is set otherwise: another version of the numerics, say.
    assert_eq!(kept(settings("0.1", "1.0"), other_runs), None);
    let peak = of("train.lr.peak", "0.1");
    assert_eq!(kept(settings("0.2", "1.0"), other_runs), peak);
    let of_arm = of("arms.mse.loss.hidden.weight", "1.0");
    assert_eq!(kept(settings("0.1", "2.0"), other_runs), of_arm);
    // What follows from the steps, or makes no other model, is not told beside them.
    let mut longer = settings("0.1", "1.0");
    for key in ["steps", "evaluate_every", "checkpoint_every"] {
        longer.shared.insert(format!("train.{key}"), "7".to_owned());
    }
    assert_eq!(kept(longer, other_runs), of("train.steps", "50"));
}

#[test]
fn fresh_seeds_hide_nothing_and_an_axis_is_told_as_one() {
    let fresh: fn(&mut Study) = |study| {
        study.axes[1].values = vec!["8".into(), "9".into()];
        study.cells.truncate(1);
        study.cells[0].at.insert("seed".into(), "8".into());
    };
    let peak = of("train.lr.peak", "0.1");
    assert_eq!(kept(settings("0.2", "1.0"), fresh), peak);
    let axis: fn(&mut Study) = |study| {
        study.axes.push(Axis {
            key: "train.lr.peak".to_owned(),
            values: vec!["0.1".into(), "0.2".into()],
        });
        other_runs(study);
    };
    assert_eq!(kept(settings("0.2", "1.0"), axis), Some(Vec::new()));
}

#[test]
fn runs_that_were_measured_in_another_way_were_seen_too() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    let mut stored = study();
    for run in ["none0", "mse0"] {
        publish_evaluation(&layout.run(run), "e", &evaluated()).unwrap();
    }
    // As a build that measures otherwise has noted the study, before it measured anything.
    for cell in &mut stored.cells {
        cell.evaluation = "newer".into();
    }
    let mut now = stored.clone();
    now.report.margin = 0.02;
    let look = look_before_change(&layout, &stored, &now);
    assert_eq!(look, Some(Look::at(&stored, 2)));
}

#[test]
fn a_look_is_what_the_study_was() {
    let look = Look::at(&study(), 3);
    assert_eq!(look.seeds, ["0", "1"]);
    assert_eq!(look.grid["arm"], ["none", "mse"]);
    assert_eq!(look.grid.len(), 1);
    let judged = [
        ("alpha", "0.05"),
        ("baseline", "mse, match.strategy = uniform"),
        ("margin", "0.01"),
    ];
    let judged = judged.map(|(key, words)| (key.to_owned(), words.to_owned()));
    assert_eq!(look.report, BTreeMap::from(judged));
}

#[test]
fn the_only_seed_of_a_study_without_an_axis_of_seeds_is_known() {
    let mut study = study();
    study.axes.pop();
    assert_eq!(Look::at(&study, 0).seeds, Vec::<String>::new());
    let settings = study.settings.as_mut().unwrap();
    settings.shared.insert("seed".into(), "7".into());
    assert_eq!(Look::at(&study, 0).seeds, ["7"]);
}

#[test]
fn looks_are_read_back_and_those_of_a_damaged_file_as_far_as_they_go() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    assert_eq!(read_looks(&layout), []);
    let mut study = study();
    write_study(&layout, &study).unwrap();
    let without = std::fs::read_to_string(layout.lock()).unwrap();
    assert!(!without.contains("looks"), "{without}");
    assert_eq!(read_looks(&layout), []);
    study.looks = vec![Look::at(&study, 3), Look::at(&study, 4)];
    write_study(&layout, &study).unwrap();
    assert_eq!(read_study(&layout).unwrap(), study);
    assert_eq!(read_looks(&layout), study.looks);
    let whole = std::fs::read_to_string(layout.lock()).unwrap();
    let damage = |text: String| {
        std::fs::write(layout.lock(), text).unwrap();
        assert!(read_study(&layout).is_err());
        read_looks(&layout)
    };
    assert_eq!(damage(whole.replacen("format", "farmat", 1)), study.looks);
    assert_eq!(damage(whole.replacen("format =", "format", 1)), study.looks);
    assert_eq!(
        damage(whole.replacen("finished = 3", "finished 3", 1)),
        study.looks[1..]
    );
}
