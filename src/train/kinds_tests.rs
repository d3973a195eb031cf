//! Every kind of loss of hidden states and of predictions in a whole training: balanced, recorded,
//! for a student of another width than its teacher, with every way of matching.

use std::sync::{Arc, Mutex};

use super::test_fixture::*;
use super::*;
use crate::distill::NamedValues;
use crate::model::Gpt2;
use crate::ops::Cpu;

/// With the defaults of what is not written.
const HIDDEN: [&str; 9] = [
    "kind = \"hidden.mse\"",
    "kind = \"hidden.sliced-wasserstein\"\ndirections = 5",
    "kind = \"hidden.energy\"",
    // Fewer tokens than a micro-batch has, drawn at every step.
    "kind = \"hidden.energy\"\ntokens = 7",
    "kind = \"hidden.mmd\"\ntokens = 9",
    "kind = \"hidden.gaussian-w2\"",
    "kind = \"hidden.sinkhorn\"\ntokens = 8",
    "kind = \"hidden.cka\"",
    "kind = \"logits.lens\"\ntemperature = 2.0",
];
const PREDICTIONS: [&str; 6] = [
    "kind = \"logits.kl\"\nskew = 0.1",
    "kind = \"logits.kl\"\nskew = 0.1\ndirection = \"reverse\"",
    "kind = \"logits.js\"\ntemperature = 2.0",
    "kind = \"logits.tv\"",
    "kind = \"logits.mse\"",
    "kind = \"logits.wasserstein\"",
];
const BALANCED: &str = "[balance]\nmode = \"gradient\"\nbatches = 2\nreference = \"kl\"\n\
                        [loss.kl]\nkind = \"logits.kl\"\n";
const PAIRS: &str = "[match]\nstrategy = \"pairs\"\npairs = [[1, 2], [2, \"final\"]]\n";

/// The rows of three steps.
fn rows(teacher: &Gpt2<Cpu>, extra: &str) -> Vec<NamedValues> {
    let kept: Arc<Mutex<SinkLog>> = Arc::default();
    let mut members = vec![student(extra, 3, &kept)];
    run(&mut members, Some(teacher), u64::MAX);
    assert!(
        matches!(members[0].outcome, Some(TrainOutcome::Finished)),
        "{extra}\n{:?}",
        members[0].outcome
    );
    let log = kept.lock().unwrap();
    log.rows.values().cloned().collect()
}

fn assert_finite(rows: &[NamedValues], what: &str) {
    assert_eq!(rows.len(), 3, "{what}");
    let finite = |row: &NamedValues| row.values().all(|value| value.is_finite());
    assert!(rows.iter().all(finite), "{what}: {rows:?}");
}

#[test]
fn every_loss_of_states_trains_a_student_of_another_width_balanced_and_recorded() {
    let teacher = teacher();
    for term in HIDDEN {
        let rows = rows(
            &teacher,
            &format!("{PAIRS}{BALANCED}[loss.hidden]\n{term}\n"),
        );
        assert_finite(&rows, term);
        assert!(rows[0]["balance.hidden"] > 0.0, "{term}");
        assert!(rows[0].contains_key("term.hidden"), "{term}");
    }
}

#[test]
fn every_loss_of_predictions_trains_a_student() {
    let teacher = teacher();
    for term in PREDICTIONS {
        let rows = rows(
            &teacher,
            &format!("[balance]\nmode = \"none\"\n[loss.soft]\n{term}\n"),
        );
        assert_finite(&rows, term);
        assert!(rows[0]["term.soft"] > 0.0, "{term}");
    }
}

#[test]
fn maps_of_several_layers_train_and_the_one_by_attention_records_its_entropy() {
    let teacher = teacher();
    for strategy in ["attention", "combine"] {
        for term in &HIDDEN[..6] {
            let map = format!("[match]\nstrategy = \"{strategy}\"\n");
            let rows = rows(&teacher, &format!("{map}{BALANCED}[loss.hidden]\n{term}\n"));
            assert_finite(&rows, term);
            for layer in [1, 2] {
                let entropy = rows[2].get(&format!("map.hidden.{layer}.entropy"));
                assert_eq!(entropy.is_some(), strategy == "attention");
                // Over the three layers of the teacher.
                assert!(entropy.is_none_or(|&nats| (0.0..=3f64.ln()).contains(&nats)));
            }
        }
    }
}

#[test]
fn shuffled_tokens_change_what_is_matched_pair_by_pair_and_not_what_clouds_are() {
    let teacher = teacher();
    let first = |term: &str, tokens: &str| {
        let map = PAIRS.replace("[match]\n", &format!("[match]\ntokens = \"{tokens}\"\n"));
        rows(&teacher, &format!("{map}{BALANCED}[loss.hidden]\n{term}\n"))[0]["term.hidden"]
    };
    for (term, has_pairs) in HIDDEN
        .iter()
        .zip([true, false, false, false, false, false, false])
    {
        let (paired, shuffled) = (first(term, "paired"), first(term, "shuffled"));
        let difference = (paired - shuffled).abs() / paired.abs();
        // Of clouds it is rounding alone.
        assert_eq!(difference > 1e-4, has_pairs, "{term}: {paired} {shuffled}");
    }
    for term in &HIDDEN[7..] {
        let difference = first(term, "paired") - first(term, "shuffled");
        assert!(difference.abs() > 1e-4, "{term}");
    }
}
