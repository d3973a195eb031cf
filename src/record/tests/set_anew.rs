//! What a study keeps of what it was, through changes one after another.

use super::looks::{settings, study};
use super::*;
use crate::record::set_anew::{input, set_anew};
use crate::record::study::*;

/// The study that comes of changes one after another, of which two runs were evaluated at first.
fn changed(steps: &[fn(&mut Study)]) -> Study {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    for run in ["none0", "mse0"] {
        publish_evaluation(&layout.run(run), "e", &evaluated()).unwrap();
    }
    let mut study = Study {
        settings: Some(settings("0.1", "1.0")),
        ..study()
    };
    for change in steps {
        let mut now = study.clone();
        change(&mut now);
        carry_what_was_seen(&layout, &study, &mut now);
        study = now;
    }
    study
}

fn weight(study: &mut Study, weight: &str) {
    study.settings = Some(settings("0.1", weight));
}

const OUT: fn(&mut Study) = |study| {
    study.axes[0].values.pop();
    study.cells.truncate(2);
    study.settings.as_mut().unwrap().arms.clear();
};
const BACK: fn(&mut Study) = |now| {
    now.axes = study().axes;
    now.cells = study().cells;
    weight(now, "1.0");
};
const BACK_OTHERWISE: fn(&mut Study) = |study| {
    BACK(study);
    weight(study, "2.0");
    study.cells[2].run = "other".into();
};

#[test]
fn an_arm_that_is_taken_out_and_comes_back_is_what_it_was_or_is_told() {
    let came_back = changed(&[OUT, BACK]);
    assert_eq!(came_back.looks.len(), 2);
    assert_eq!(
        came_back.looks[0].removed["mse"].settings["loss.hidden.weight"],
        "1.0"
    );
    assert_eq!(set_anew(&came_back), BTreeMap::new());
    let key = "arms.mse.loss.hidden.weight".to_owned();
    let otherwise = changed(&[OUT, BACK_OTHERWISE]);
    assert_eq!(
        set_anew(&otherwise),
        [(key.clone(), vec!["1.0", "2.0"])].into()
    );
    let once_more: fn(&mut Study) = |study| {
        BACK(study);
        weight(study, "3.0");
        study.cells[2].run = "third".into();
    };
    let thrice = changed(&[OUT, BACK_OTHERWISE, OUT, once_more]);
    assert_eq!(set_anew(&thrice)[&key], ["1.0", "2.0", "3.0"]);
    // What holds for all of them, and a key that only the newer version knows, are no arm's own.
    let for_all: fn(&mut Study) = |study| {
        study.settings = Some(settings("0.2", "1.0"));
        study.settings.as_mut().unwrap().arms.clear();
        study.cells[0].run = "slower".into();
    };
    let back: fn(&mut Study) = |study| {
        BACK(study);
        study.settings = Some(settings("0.2", "1.0"));
        let new = ("train.new".to_owned(), "1".to_owned());
        study.settings.as_mut().unwrap().shared.extend([new]);
        study.version = "0.2.0".into();
    };
    let peak = [("train.lr.peak".to_owned(), vec!["0.1", "0.2"])];
    assert_eq!(set_anew(&changed(&[OUT, for_all, back])), peak.into());
}

const WITH_INPUTS: fn(&mut Study) = |study| {
    let shared = &mut study.settings.as_mut().unwrap().shared;
    for (key, value) in [
        ("dataset.train", "[\"a.txt\"]"),
        ("teacher.source", "\"train\""),
    ] {
        shared.insert(key.to_owned(), value.to_owned());
    }
    study.inputs = [("dataset", "0123456789abcdef"), ("teacher", "t0")]
        .map(|(role, hash)| (role.to_owned(), hash.to_owned()))
        .into();
};

/// The inputs that the last look after these changes keeps.
fn exchanged(steps: &[fn(&mut Study)]) -> Option<BTreeMap<String, String>> {
    changed(steps).looks.pop().map(|look| look.inputs)
}

#[test]
fn an_input_that_is_exchanged_under_its_name_is_kept_with_its_hash_of_then() {
    let exchange: fn(&mut Study) = |study| {
        study
            .inputs
            .insert("dataset".into(), "ffffffffffffffff".into());
        study.inputs.insert("teacher".into(), "t1".into());
        study.cells[2].run = "other".into();
    };
    let dataset = [("dataset".to_owned(), "0123456789ab".to_owned())];
    // A teacher that is trained here follows from what it is trained on.
    assert_eq!(
        exchanged(&[WITH_INPUTS, exchange]),
        Some(dataset.clone().into())
    );
    assert_eq!(
        input(&changed(&[WITH_INPUTS, exchange]), "dataset"),
        "ffffffffffff"
    );
    let of_a_folder: fn(&mut Study) = |study| {
        let shared = &mut study.settings.as_mut().unwrap().shared;
        shared.insert("teacher.source".into(), "\"dir\"".into());
    };
    let both = dataset
        .into_iter()
        .chain([("teacher".to_owned(), "t0".to_owned())]);
    assert_eq!(
        exchanged(&[WITH_INPUTS, of_a_folder, exchange]),
        Some(both.collect())
    );
    // Another file, or an axis of them, has its own words.
    let other_file: fn(&mut Study) = |study| {
        let shared = &mut study.settings.as_mut().unwrap().shared;
        shared.insert("dataset.train".into(), "[\"b.txt\"]".into());
        study.inputs.insert("dataset".into(), "ff".into());
        study.cells[2].run = "other".into();
    };
    assert_eq!(exchanged(&[WITH_INPUTS, other_file]), Some(BTreeMap::new()));
    let axis: fn(&mut Study) = |study| {
        let (key, values) = ("dataset.train".to_owned(), vec!["a".into(), "b".into()]);
        study.axes.push(Axis { key, values });
        study.inputs.insert("dataset".into(), "ff".into());
    };
    assert_eq!(exchanged(&[WITH_INPUTS, axis]), Some(BTreeMap::new()));
}

#[test]
fn nothing_is_exchanged_where_nothing_is_gone_or_comparable() {
    // Where an arm comes with an input of its own, or another version counts.
    let beside: fn(&mut Study) = |study| {
        study.inputs.insert("dataset.2".into(), "ff".into());
        study.axes[0].values.push("own".into());
        study.cells[2].run = "other".into();
    };
    assert_eq!(exchanged(&[WITH_INPUTS, beside]), Some(BTreeMap::new()));
    let upgraded: fn(&mut Study) = |study| {
        study
            .inputs
            .insert("dataset".into(), "ffffffffffffffff".into());
        study.version = "0.2.0".into();
        study.report.margin += 0.01;
    };
    assert_eq!(exchanged(&[WITH_INPUTS, upgraded]), Some(BTreeMap::new()));
}

#[test]
fn what_was_seen_stays_seen_when_runs_become_others() {
    let all_others: fn(&mut Study) = |study| {
        for cell in &mut study.cells {
            cell.run += "b";
        }
    };
    let upgraded = changed(&[all_others]);
    assert_eq!((upgraded.seen, upgraded.looks.len()), (Some(2), 0));
    let margin: fn(&mut Study) = |study| study.report.margin += 0.01;
    let seed: fn(&mut Study) = |study| study.axes[1].values.push("2".into());
    let then = changed(&[all_others, margin]);
    assert_eq!(then.looks.len(), 1);
    assert_eq!((then.looks[0].finished, then.seen), (2, Some(2)));
    // A second change is as much one after results were seen, whether the new runs are evaluated.
    let twice = changed(&[margin, all_others, seed]);
    let finished: Vec<usize> = twice.looks.iter().map(|look| look.finished).collect();
    assert_eq!(finished, [2, 2]);
    assert_eq!(changed(&[|_| {}]).seen, None);
}

#[test]
fn a_study_that_is_written_beside_results_says_that_they_were_there() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    let found = |study: &mut Study| {
        note_what_was_found(&layout, study);
        study.found
    };
    let mut first = study();
    assert_eq!(found(&mut first), None);
    publish_evaluation(&layout.run("none0"), "e", &evaluated()).unwrap();
    assert_eq!(found(&mut first), None, "one run is compared with nothing");
    // That a run diverged was seen as well.
    let diverged = Failure {
        reason: "the loss is not finite".into(),
        step: 3,
        term: None,
    };
    let run = layout.run("mse0");
    std::fs::create_dir_all(&run.root).unwrap();
    std::fs::write(
        run.failure(),
        store::to_json(&diverged, "the failure").unwrap(),
    )
    .unwrap();
    assert_eq!(found(&mut first), Some(2));
    // Also where they are runs of another plan.
    let mut other = study();
    other.cells.truncate(1);
    assert_eq!(found(&mut other), Some(2));
    let mut now = first.clone();
    assert!(carry_what_was_seen(&layout, &first, &mut now).is_none());
    assert_eq!(now, first);
}
