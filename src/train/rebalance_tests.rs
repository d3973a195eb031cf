//! Balance again and again: the shares of the terms stay near what was asked for, and a run that
//! stopped goes on with the same numbers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::test_fixture::*;
use super::*;
use crate::distill::NamedValues;
use crate::model::Gpt2;
use crate::ops::Cpu;

const STEPS: u64 = 40;

/// A run with an MSE of a tenth, whose factor is the same or set again.
fn extra(every: &str) -> String {
    format!(
        "[balance]\nmode = \"gradient\"\nbatches = 2\nreference = \"kl\"\n{every}[loss.kl]\nkind = \
         \"logits.kl\"\n[loss.hidden]\nkind = \"hidden.mse\"\nweight = 1.0\n"
    )
}

/// The rows of a run that may be stopped on the way, as its checkpoints say.
fn rows(teacher: &Gpt2<Cpu>, every: &str, stops: &[u64]) -> BTreeMap<u64, NamedValues> {
    let kept: Arc<Mutex<SinkLog>> = Arc::default();
    let extra = extra(every);
    let mut member = student(&extra, STEPS, &kept);
    for stop_after in stops.iter().copied().chain([u64::MAX]) {
        member.job.train.gradients_every = Some(1);
        let mut members = [member];
        run(&mut members, Some(teacher), stop_after);
        let [Member { job, outcome, .. }] = members;
        if stop_after == u64::MAX {
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
        let files = newest.expect("a checkpoint");
        let shape = teacher_config();
        let state = TrainState::from_files(&Cpu::default(), &job, Some(&shape), &files).unwrap();
        member = Member::new(job, state, sink(&kept));
    }
    let log = kept.lock().unwrap();
    log.rows.clone()
}

/// How many times the hidden term's gradient is the reference's, by step.
fn ratios(rows: &BTreeMap<u64, NamedValues>) -> Vec<f64> {
    let ratio = |row: &NamedValues| row["gradient.hidden"] / row["gradient.kl"];
    rows.values().map(ratio).collect()
}

#[test]
fn the_gradients_share_stays_where_it_was_asked_for_while_one_balance_is_forgotten() {
    let teacher = teacher();
    let (once, again) = (rows(&teacher, "", &[]), rows(&teacher, "every = 4\n", &[]));
    let far = |rows: &BTreeMap<u64, NamedValues>| {
        let last = &ratios(rows)[STEPS as usize / 2..];
        last.iter().map(|ratio| ratio.ln().abs()).sum::<f64>() / last.len() as f64
    };
    let (of_one, of_many) = (far(&once), far(&again));
    assert!(of_many < 0.25, "{of_many}: {:?}", ratios(&again));
    assert!(
        of_one > 2.0 * of_many,
        "{of_one} {of_many}: {:?}",
        ratios(&once)
    );
    for (step, row) in &once {
        assert_eq!(row["balance.hidden"], once[&0]["balance.hidden"], "{step}");
    }
    for (step, row) in again.iter().skip(1) {
        let is_set = row["balance.hidden"] != again[&(step - 1)]["balance.hidden"];
        assert_eq!(is_set, step.is_multiple_of(4), "{step}");
    }
    assert_eq!(again[&0]["balance.hidden"], once[&0]["balance.hidden"]);
}

#[test]
fn a_run_that_is_balanced_again_may_stop_anywhere() {
    let teacher = teacher();
    let expected = rows(&teacher, "every = 3\n", &[]);
    for stops in [vec![1], vec![3], vec![4, 6], vec![2, 3, 9, 12]] {
        assert_eq!(rows(&teacher, "every = 3\n", &stops), expected, "{stops:?}");
    }
}
