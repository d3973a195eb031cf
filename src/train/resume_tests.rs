//! Resume, as tests: wherever a run was stopped, and however often, rows, states and the windows it
//! read are those of a run that was not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::ops::Cpu;

use super::test_fixture::{
    self, SinkLog, VOCABULARY, WASSERSTEIN, run_on, student, teacher, teacher_config, tokens,
};
use super::*;
use crate::data::batches::consumed;
use crate::model::Gpt2;

/// Steps of every run here; with twelve windows and six to a step, an epoch is two steps.
const STEPS: u64 = 12;

/// The files of a checkpoint.
type CheckpointBytes = BTreeMap<String, Vec<u8>>;

/// Everything that a run leaves behind: what its sink was given, and the windows that its steps
/// read.
#[derive(Debug, PartialEq)]
struct Trace {
    kept: SinkLog,
    windows: Vec<consumed::BatchRecord>,
}

/// Trains with a stop after each of `stops`, from the newest checkpoint each time, and then to the
/// end.
fn trace(extra: &str, text: &[u32], teacher: &Gpt2<Cpu>, stops: &[u64]) -> Trace {
    let kept: Arc<Mutex<SinkLog>> = Arc::default();
    let mut windows = Vec::new();
    let mut member = student(extra, STEPS, &kept);
    for stop_after in stops.iter().copied().chain([u64::MAX]) {
        let begun = member.state.step;
        let mut members = [member];
        consumed::take();
        run_on(&mut members, Some(teacher), stop_after, text);
        let read = windows_of_steps();
        // Balancing, which a run from the beginning starts with, reads two micro-batches ahead.
        let ahead = if begun == 0 && extra.contains("gradient\"") {
            2
        } else {
            0
        };
        windows.extend_from_slice(&read[ahead.min(read.len())..]);
        let [Member { job, outcome, .. }] = members;
        if stop_after >= STEPS {
            assert!(
                matches!(outcome, Some(TrainOutcome::Finished)),
                "{outcome:?}"
            );
        }
        let newest = kept
            .lock()
            .unwrap()
            .checkpoints
            .last_key_value()
            .map(|(_, files)| files.clone());
        member = match newest {
            Some(files) => {
                let state =
                    TrainState::from_files(&Cpu::default(), &job, Some(&teacher_config()), &files)
                        .unwrap();
                Member::new(job, state, test_fixture::sink(&kept))
            }
            None => student(extra, STEPS, &kept),
        };
    }
    let kept = kept.lock().unwrap().clone();
    Trace { kept, windows }
}

/// What the steps read since the last look: critics are judged afterwards, on what would follow.
fn windows_of_steps() -> Vec<consumed::BatchRecord> {
    let mut read = consumed::take();
    read.retain(|(step, _, _)| *step < STEPS);
    read
}

/// The same, but for the checkpoints that a stop adds.
fn assert_same(found: Trace, expected: &Trace, stops: &[u64]) {
    assert_eq!(
        found.windows, expected.windows,
        "windows, stopped after {stops:?}"
    );
    assert_eq!(
        found.kept.rows, expected.kept.rows,
        "rows, stopped after {stops:?}"
    );
    for (step, files) in &expected.kept.checkpoints {
        assert_eq!(
            found.kept.checkpoints.get(step),
            Some(files),
            "the state after {step} steps, stopped after {stops:?}"
        );
    }
}

/// Once at every step, then twice and three times; before the first step and after the last among
/// them.
fn stops() -> Vec<Vec<u64>> {
    let mut all: Vec<Vec<u64>> = (0..=STEPS).map(|step| vec![step]).collect();
    all.extend([
        vec![1, 2],
        vec![2, 3],
        vec![0, 4, 8],
        vec![3, 4, 5],
        vec![1, 11, 12],
        vec![5, 5, 12],
    ]);
    all
}

/// With a gradient penalty, and a map that is drawn anew in the middle of epochs.
fn redrawn() -> String {
    let penalty = WASSERSTEIN.replace(
        "lipschitz = \"spectral\"",
        "lipschitz = \"gradient-penalty\"\npenalty = 10.0",
    );
    format!("{penalty}[match]\nstrategy = \"random\"\nredraw = 3\n")
}

/// With weights of layers that every step changes.
fn transported() -> String {
    "[balance]\nmode = \"gradient\"\nbatches = 2\nreference = \"kl\"\n[loss.kl]\nkind = \
     \"logits.kl\"\n[loss.hidden]\nkind = \"hidden.mse\"\n[match]\nstrategy = \"emd\"\n"
        .to_owned()
}

#[test]
fn a_run_may_stop_after_any_step_and_as_often_as_it_likes() {
    let teacher = teacher();
    // The log of windows is a thread's own: with one worker, training stays on the thread that asks
    // for the log.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let cases = [
        (WASSERSTEIN.to_owned(), 12),
        (redrawn(), 13),
        (transported(), 13),
    ];
    for (extra, windows) in cases {
        let text = tokens(windows * 8 + 1, 3);
        let traced = |stops: &[u64]| pool.install(|| trace(&extra, &text, &teacher, stops));
        let expected = traced(&[]);
        assert_eq!(expected.windows.len() as u64, 2 * STEPS);
        for stops in stops() {
            assert_same(traced(&stops), &expected, &stops);
        }
    }
}

#[test]
fn a_run_that_lost_steps_since_its_checkpoint_takes_them_again_with_the_same_rows() {
    let teacher = teacher();
    let text = tokens(97, 3);
    let expected = trace(WASSERSTEIN, &text, &teacher, &[]);
    for (lost, from) in [(7, 4), (11, 8), (5, 4)] {
        let kept: Arc<Mutex<SinkLog>> = Arc::default();
        run_on(
            &mut [student(WASSERSTEIN, STEPS, &kept)],
            Some(&teacher),
            lost,
            &text,
        );
        // A process that was killed leaves rows, and its older checkpoint.
        let files = {
            let mut kept = kept.lock().unwrap();
            kept.checkpoints.retain(|&step, _| step <= from);
            kept.checkpoints[&from].clone()
        };
        let member = student(WASSERSTEIN, STEPS, &kept);
        let state = TrainState::from_files(
            &Cpu::default(),
            &member.job,
            Some(&teacher_config()),
            &files,
        )
        .unwrap();
        consumed::take();
        run_on(
            &mut [Member::new(member.job, state, test_fixture::sink(&kept))],
            Some(&teacher),
            u64::MAX,
            &text,
        );
        let read: Vec<_> = expected
            .windows
            .iter()
            .filter(|(step, _, _)| *step >= from)
            .cloned()
            .collect();
        assert_eq!(windows_of_steps(), read, "from {from}");
        assert_eq!(kept.lock().unwrap().rows, expected.kept.rows, "from {from}");
        assert_eq!(
            kept.lock().unwrap().checkpoints[&STEPS],
            expected.kept.checkpoints[&STEPS],
            "from {from}"
        );
    }
}

#[test]
fn a_checkpoint_of_anything_else_is_an_error_that_says_what() {
    let teacher = teacher();
    let text = tokens(97, 3);
    let kept: Arc<Mutex<SinkLog>> = Arc::default();
    run_on(
        &mut [student(WASSERSTEIN, STEPS, &kept)],
        Some(&teacher),
        u64::MAX,
        &text,
    );
    let good = kept.lock().unwrap().checkpoints[&STEPS].clone();
    let job = student(WASSERSTEIN, STEPS, &kept).job;
    let error = |change: &dyn Fn(&mut CheckpointBytes)| {
        let mut files = good.clone();
        change(&mut files);
        format!(
            "{:#}",
            TrainState::from_files(&Cpu::default(), &job, Some(&teacher_config()), &files)
                .map(drop)
                .unwrap_err()
        )
    };
    assert_eq!(
        error(&|files| drop(files.remove("state.json"))),
        "the checkpoint has no state.json"
    );
    assert_eq!(
        error(&|files| drop(files.remove("state.safetensors"))),
        "the checkpoint has no state.safetensors"
    );
    assert!(
        error(&|files| files.get_mut("state.json").unwrap().truncate(20))
            .starts_with("state.json of the checkpoint is broken")
    );
    assert!(
        error(&|files| files.get_mut("state.safetensors").unwrap().truncate(3000))
            .starts_with("state.safetensors of the checkpoint is broken")
    );
    let hostile =
        |files: &mut CheckpointBytes| files.get_mut("state.safetensors").unwrap()[..8].fill(0xff);
    assert!(error(&hostile).starts_with("state.safetensors of the checkpoint is broken"));
    let wider = crate::model::Config::new(2, 16, 2, VOCABULARY, 8);
    let other = Job {
        config: wider,
        ..job.clone()
    };
    let error = format!(
        "{:#}",
        TrainState::from_files(&Cpu::default(), &other, Some(&teacher_config()), &good)
            .map(drop)
            .unwrap_err()
    );
    assert!(
        error.contains("of the checkpoint has") && error.contains("this run asks for"),
        "{error}"
    );
}
