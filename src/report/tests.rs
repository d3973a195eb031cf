//! The whole report, from a folder of closed-form numbers.

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::test_fixture::{Fixture, StudyShape};
use super::{Rendered, render, write};
use crate::record::layout::Layout;
use crate::record::read_study;
use crate::table;

/// The Markdown of a report.
fn page(rendered: &Rendered) -> String {
    let (_, bytes) = rendered
        .files
        .iter()
        .find(|(path, _)| path.ends_with("report.md"))
        .unwrap();
    String::from_utf8(bytes.clone()).unwrap()
}

/// Renders, and leaves the report in the folder that the environment names, for eyes.
fn rendered(fixture: &Fixture, name: &str) -> Rendered {
    let rendered = render(&fixture.layout, fixture.study.clone(), None)
        .unwrap_or_else(|error| panic!("{error:#}"));
    if let Some(folder) = std::env::var_os("KDPIPE_TEST_REPORTS") {
        for (path, bytes) in &rendered.files {
            let path = Path::new(&folder).join(name).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    rendered
}

#[test]
fn the_report_of_two_arms_by_two_strategies() {
    let fixture = Fixture::new(&StudyShape::default());
    let rendered = rendered(&fixture, "plain");
    insta::assert_snapshot!("report", page(&rendered));
    insta::assert_snapshot!("summary", rendered.summary);
    let names: Vec<String> = rendered
        .files
        .iter()
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "report.md",
            "runs.csv",
            "runs.parquet",
            "metrics.parquet",
            "figures/losses.svg",
            "figures/curves.svg",
            "figures/compute.svg",
            "figures/strategies.svg",
            "figures/distances.svg",
            "figures/terms.svg",
            "figures/critic.svg",
            "figures/embedding.svg",
        ]
    );
}

#[test]
fn the_committed_reports_are_rendered_again_byte_by_byte() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let claims = [
        "hidden-at-equal-compute",
        "kl-direction",
        "layer-choice",
        "skew-kl",
        "weak-teachers",
    ];
    let own = ["sweep", "sweep-logits", "novels-logits", "wikitext2"];
    for name in own.into_iter().chain(claims) {
        let layout = Layout::new(&results, name);
        for (path, bytes) in render(&layout, read_study(&layout).unwrap(), None)
            .unwrap()
            .files
        {
            let committed = layout.root.join(&path);
            // What it holds is in the tables of the runs: it may be missing, but not be another.
            if path == Path::new(super::STUDY_METRICS) && !committed.exists() {
                continue;
            }
            let committed = fs::read(committed).unwrap();
            assert!(committed == bytes, "{name}: {} differs", path.display());
        }
    }
}

#[test]
fn settings_with_one_budget_are_the_same_but_for_their_hidden_losses() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let layout = Layout::new(&results, "sweep");
    let page = render(&layout, read_study(&layout).unwrap(), None).unwrap();
    let page = page
        .files
        .into_iter()
        .find(|(path, _)| path.ends_with("report.md"));
    let page = String::from_utf8(page.unwrap().1).unwrap();
    // They take 638 and 651 steps for as many operations.
    assert!(
        page.contains("| mse-long, uniform | none-long | 5 | "),
        "{page}"
    );
    assert!(page.contains("| mse, uniform | none | 5 | "), "{page}");
    assert!(
        !page.contains("| mse-long, uniform | none | 5 | "),
        "{page}"
    );
}

#[test]
fn rendering_twice_and_on_one_thread_gives_the_same_bytes() {
    let fixture = Fixture::new(&StudyShape::default());
    let first = render(&fixture.layout, fixture.study.clone(), None).unwrap();
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(
        first,
        one.install(|| render(&fixture.layout, fixture.study.clone(), None).unwrap())
    );
    write(&fixture.layout, &first).unwrap();
    assert_eq!(
        first,
        render(&fixture.layout, fixture.study.clone(), None).unwrap()
    );
}

#[test]
fn writing_leaves_no_figure_of_an_older_report() {
    let fixture = Fixture::new(&StudyShape::default());
    fs::create_dir_all(fixture.layout.figures()).unwrap();
    fs::write(fixture.layout.figures().join("old.svg"), "").unwrap();
    fs::write(fixture.layout.figures().join("own.png"), "").unwrap();
    write(
        &fixture.layout,
        &render(&fixture.layout, fixture.study.clone(), None).unwrap(),
    )
    .unwrap();
    assert!(!fixture.layout.figures().join("old.svg").exists());
    assert!(fixture.layout.figures().join("own.png").exists());
    assert!(fixture.layout.report().exists());
    let runs = table::read(&fixture.layout.root.join("runs.parquet")).unwrap();
    assert_eq!(runs.rows(), 12);
    assert_eq!(runs.text("run.state").unwrap()[0], "finished");
}

#[test]
fn a_wide_study_with_null_controls_and_an_arm_without_a_hidden_term() {
    let fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "none", "cosine", "wasserstein"],
        strategies: vec!["uniform", "last", "reverse", "shuffled"],
        layers: vec![2, 4],
        seeds: 5,
        ..StudyShape::default()
    });
    let page = page(&rendered(&fixture, "wide"));
    // wasserstein/uniform is 0.02 better than mse/uniform and 0.03 and 0.04 better than its own
    // controls.
    assert!(
        page.contains("| wasserstein, uniform, 4 layers | −0.0298 (−0.0"),
        "{page}"
    );
    assert!(
        page.contains(
            "| 0.00083 | better than the nulls, not shown to be better than the baseline |"
        ),
        "{page}"
    );
}

#[test]
fn one_seed_has_no_verdict() {
    let fixture = Fixture::new(&StudyShape {
        seeds: 1,
        ..StudyShape::default()
    });
    let page = page(&rendered(&fixture, "one-seed"));
    assert!(
        page.contains(
            "**One seed decides nothing: the test loss of wasserstein (mean over uniform, last) \
             differs from that of mse by −0.0187"
        ),
        "{page}"
    );
    assert!(page.contains("A verdict takes three."));
}

#[test]
fn a_single_cell_is_reported_alone() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none"],
        strategies: vec!["uniform"],
        seeds: 1,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.axes.clear();
        study.arms.clear();
        study.cells[0].at.clear();
        study.facts.note = Some("a first run that decides nothing".to_owned());
        study.facts.student_init = "teacher".to_owned();
        study.facts.balance = "none".to_owned();
    });
    let rendered = rendered(&fixture, "single");
    let page = page(&rendered);
    assert!(page.contains("> **a first run that decides nothing**"));
    assert!(page.contains("a perplexity of 23.52; nothing is compared with it."));
    // Of one run there is no spread, and no interval.
    assert!(!page.contains("other initial weights") && !page.contains("is a single one"));
    assert!(!page.contains("<!-- times -->"));
    assert_eq!(
        rendered.summary,
        "1 of 1 runs finished\nThe student's test loss is 3.1580 nats per token, a perplexity of \
         23.52; nothing is compared with it.\nnote: The student was still learning: over the last \
         tenth of the steps its validation loss fell by 0.0061 nats per token, more than δ."
    );
}

#[test]
fn failures_are_listed_and_decide_nothing_silently() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        ..StudyShape::default()
    });
    fixture.diverge("wasserstein-uniform-4-1");
    fixture.remove("mse-uniform-4-2");
    let page = page(&rendered(&fixture, "failures"));
    assert!(
        page.contains("4 runs of 6 finished, 1 diverged, 1 missing"),
        "{page}"
    );
    assert!(page.contains(" cannot be compared with mse: "), "{page}");
    assert!(
        page.contains(
            "1 of 3 seeds finished in both (1 diverged in wasserstein, 1 not finished in mse)"
        ),
        "{page}"
    );
    assert!(page.contains("With diverged seeds ranked last:"), "{page}");
    assert!(
        page.contains(
            "| `wasserstein-uniform-4-1` | arm=wasserstein match.strategy=uniform \
             student.layers=4 seed=1 | diverged | term.kl is NaN at step 17 |"
        ),
        "{page}"
    );
    assert!(page.contains("| missing | not begun |"), "{page}");
}

#[test]
fn a_damaged_run_is_listed_with_its_reason() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        ..StudyShape::default()
    });
    fs::write(fixture.layout.run("mse-uniform-4-0").metrics(), "PAR1 no").unwrap();
    let page = page(&rendered(&fixture, "damaged"));
    assert!(page.contains("| missing | damaged: "), "{page}");
}

#[test]
fn perplexities_of_different_protocols_are_not_compared() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        ..StudyShape::default()
    });
    fixture.reevaluate("wasserstein-uniform-4-0", |evaluation| {
        evaluation.protocol.stride = 256
    });
    let page = page(&rendered(&fixture, "protocols"));
    assert!(page.contains(" cannot be compared with mse: "), "{page}");
    assert!(page.contains("measured by different protocols"), "{page}");
}

#[test]
fn an_arm_that_changes_nothing_is_not_comparable() {
    let mut fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study
            .cells
            .iter_mut()
            .for_each(|cell| cell.run = cell.run.replace("wasserstein", "mse"))
    });
    let page = page(&rendered(&fixture, "dead"));
    assert!(
        page.contains("both are the same run: what the arm changes has no effect"),
        "{page}"
    );
}

#[test]
fn nothing_finished_is_a_report_too() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        extras: false,
        ..StudyShape::default()
    });
    fixture
        .study
        .cells
        .iter()
        .for_each(|cell| fixture.remove(&cell.run));
    let page = page(&rendered(&fixture, "nothing"));
    assert!(page.contains("0 runs of 6 finished, 6 missing"), "{page}");
}

#[test]
fn a_grid_of_a_thousand_runs_renders_in_seconds() {
    let fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "none", "cosine", "wasserstein"],
        strategies: vec!["uniform", "last", "first", "reverse", "shuffled"],
        layers: (2..7).collect(),
        seeds: 12,
        steps: 30,
        extras: false,
    });
    let started = Instant::now();
    let rendered = rendered(&fixture, "thousand");
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} cells rendered in {seconds:.2} s",
        fixture.study.cells.len()
    );
    assert!(page(&rendered).contains("1,200") || fixture.study.cells.len() == 1200);
    assert!(seconds < 30.0, "{seconds} s");
}

#[test]
fn the_null_controls_that_are_spoken_of_are_those_of_the_grid() {
    let told = |strategies: &[&'static str]| {
        let fixture = Fixture::new(&StudyShape {
            strategies: strategies.to_vec(),
            extras: false,
            steps: 10,
            ..StudyShape::default()
        });
        page(&render(&fixture.layout, fixture.study.clone(), None).unwrap())
    };
    let both = "| difference to reverse | difference to shuffled |";
    assert!(told(&["uniform", "reverse", "shuffled"]).contains(both));
    let one = told(&["uniform", "last", "shuffled"]);
    assert!(
        one.contains("This grid has `shuffled` alone") && !one.contains(both),
        "{one}"
    );
    let none = told(&["uniform", "last"]);
    assert!(
        none.contains("This grid has no null control") && !none.contains(both),
        "{none}"
    );
}

#[test]
fn what_has_no_value_is_a_dash_with_its_reason_among_the_notes() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        extras: false,
        steps: 10,
        ..StudyShape::default()
    });
    let first = fixture.study.cells[0].run.clone();
    fixture.reevaluate(&first, |evaluation| {
        evaluation.test.word_perplexity = None;
        let teacher = evaluation.teacher.as_mut().unwrap();
        teacher.kl_nats_per_token = None;
        teacher.layers[0].cka = None;
    });
    let rendered = render(&fixture.layout, fixture.study.clone(), None).unwrap();
    let page = page(&rendered);
    assert!(
        page.contains(
            "- test.word\\_perplexity has no value, a dash in tables and a gap in runs.csv: it is \
             larger than any number of 64 bits: the 5001 tokens of the text are 3000 words, by \
             white space. The loss in nats per token does not depend on it."
        ),
        "{page}"
    );
    for reason in [
        "- teacher.kl\\_nats\\_per\\_token has no value, a dash in tables and a gap in runs.csv: a \
         prediction is beyond the numbers of 32 bits.",
        "- teacher.cka has no value, a dash in tables and a gap in runs.csv: layer 1 of the \
         student, or ",
    ] {
        assert!(page.contains(reason), "{page}");
    }
}
