//! Tests of `data.rs`: runs that are on their way.

use super::*;
use crate::record::evaluation::MetricValues;
use crate::record::{Attempt, RunClaim, write_error};
use crate::report::curves::VALIDATION;
use crate::report::test_fixture::{Fixture, StudyShape};
use crate::report::{Rendered, render};

const RUN: &str = "mse-uniform-4-2";

fn fixture() -> Fixture {
    Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        ..StudyShape::default()
    })
}

/// Takes a run's place by an attempt that has recorded so many steps.
fn begin(fixture: &Fixture, run: &str, steps: u64) -> Box<Attempt> {
    let folder = fixture.layout.run(run);
    let spec = std::fs::read(folder.spec()).unwrap();
    fixture.remove(run);
    let RunClaim::Ours(mut attempt) = Attempt::open_or_new(&fixture.layout, run).unwrap() else {
        panic!("not ours")
    };
    attempt.write_out("spec.toml", &spec).unwrap();
    for step in 0..steps {
        let mut row = MetricValues::from([
            ("term.kl".to_owned(), 2.0),
            ("weight.kl".to_owned(), 0.5),
            ("loss".to_owned(), 1.0),
        ]);
        if (step + 1) % 40 == 0 {
            row.insert(VALIDATION.to_owned(), 4.25);
        }
        attempt.metrics.append(step, &row).unwrap();
        let seconds = MetricValues::from([("seconds".to_owned(), 0.5)]);
        attempt.timings.append(step, &seconds).unwrap();
    }
    attempt
}

fn rendered(fixture: &Fixture) -> Rendered {
    render(&fixture.layout, fixture.study.clone(), None).unwrap()
}

fn page(rendered: &Rendered) -> String {
    String::from_utf8(rendered.page().to_vec()).unwrap()
}

fn figure(rendered: &Rendered, name: &str) -> String {
    let path = Path::new("figures").join(format!("{name}.svg"));
    let found = rendered.files.iter().find(|(file, _)| *file == path);
    found.map_or_else(String::new, |(_, bytes)| {
        String::from_utf8(bytes.clone()).unwrap()
    })
}

#[test]
fn a_run_in_work_is_told_with_its_steps_its_time_and_what_is_left() {
    let fixture = fixture();
    let attempt = begin(&fixture, RUN, 100);
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let run = data.runs.iter().find(|run| run.id == RUN).unwrap();
    let RunResult::InWork(work) = &run.state else {
        panic!("{:?}", run.state)
    };
    assert_eq!((work.step, work.steps), (100, Some(400)));
    assert_eq!((work.seconds, work.seconds_left), (50.0, Some(150.0)));
    assert_eq!(run.curves[VALIDATION], [(39.0, 4.25), (79.0, 4.25)]);
    // Thinned as a whole training of 400 steps is: means over three.
    assert_eq!(run.curves["term.kl"].len(), 34);
    assert_eq!(run.nll_or_worst(9.0), None, "it decides nothing");

    let rendered = rendered(&fixture);
    let page = page(&rendered);
    assert_eq!(rendered.in_work, 1);
    assert!(
        page.contains("5 runs of 6 finished, 1 in work; seeds"),
        "{page}"
    );
    assert!(
        page.contains(
            "| `mse-uniform-4-2` | arm=mse match.strategy=uniform student.layers=4 seed=2 | 100 \
             of 400 | 50.0 s | 2.50 min | 4.2500 | process "
        ),
        "{page}"
    );
    assert!(!page.contains("## Failures"), "it is no failure: {page}");
    assert!(page.contains("](figures/in-work.svg)"), "{page}");
    assert!(figure(&rendered, "in-work").contains(">mse<"));
    assert!(
        rendered
            .summary
            .starts_with("5 of 6 runs finished, 1 in work")
    );
    drop(attempt);
}

#[test]
fn a_run_that_was_left_is_missing_with_its_step_and_the_reason_of_its_failure() {
    let fixture = fixture();
    drop(begin(&fixture, RUN, 100));
    let page_of = || page(&rendered(&fixture));
    let row = "seed=2 | missing | left at step 100 of 400";
    assert!(page_of().contains(&format!("{row} |")), "{}", page_of());
    write_error(
        &fixture.layout,
        RUN,
        "cannot write x: no space left\n",
        None,
    )
    .unwrap();
    let page = page_of();
    assert!(
        page.contains(&format!("{row}: cannot write x: no space left |")),
        "{page}"
    );
    assert!(page.contains("5 runs of 6 finished, 1 missing"), "{page}");
}

#[test]
fn a_run_that_failed_before_its_first_step_has_the_reason_too() {
    let fixture = fixture();
    fixture.remove(RUN);
    write_error(&fixture.layout, RUN, "the teacher cannot be read", None).unwrap();
    let page = page(&rendered(&fixture));
    let row = "seed=2 | missing | not begun: the teacher cannot be read |";
    assert!(page.contains(row), "{page}");
}

#[test]
fn curves_of_a_setting_on_its_way_are_drawn_as_far_as_they_are() {
    let mut fixture = fixture();
    let whole = rendered(&fixture);
    let attempts: Vec<_> = (0..3)
        .map(|seed| begin(&fixture, &format!("mse-uniform-4-{seed}"), 200))
        .collect();
    let on_its_way = rendered(&fixture);
    assert_ne!(figure(&on_its_way, "curves"), figure(&whole, "curves"));
    assert!(figure(&on_its_way, "curves").contains(">mse<"));
    assert!(figure(&on_its_way, "terms").contains(">mse<"));
    drop(attempts);
    // Only what is asked for is looked at.
    fixture.change(|study| study.cells.retain(|cell| cell.at["arm"] != "mse"));
    assert!(!figure(&rendered(&fixture), "curves").contains(">mse<"));
}

#[test]
fn the_report_of_a_finished_study_is_the_same_whatever_work_lies_around() {
    let fixture = fixture();
    let before = rendered(&fixture);
    let work = fixture.layout.work(RUN).join("0123");
    std::fs::create_dir_all(&work).unwrap();
    std::fs::write(work.join("metrics.journal"), "kdpipe journal 1\n").unwrap();
    write_error(&fixture.layout, RUN, "an older failure", None).unwrap();
    write_error(&fixture.layout, "of-another-spec", "no", None).unwrap();
    assert_eq!(rendered(&fixture), before);
}
