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
/// Of states of layers alone.
const ATTENTION: &str = "kind = \"attention.kl\"";
const LAYERS: &str = "[match]\nstrategy = \"pairs\"\npairs = [[1, 2], [2, 3]]\n";
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
fn attention_is_compared_alone_and_beside_states_and_shuffled_tokens_change_it() {
    let teacher = teacher();
    let with = |map: &str, more: &str| {
        let rows = rows(
            &teacher,
            &format!("{map}{BALANCED}{more}[loss.look]\n{ATTENTION}\n"),
        );
        assert_finite(&rows, more);
        rows
    };
    let alone = with(LAYERS, "");
    assert!(alone[0]["term.look"] > 0.0 && alone[0]["balance.look"] > 0.0);
    let beside = with(LAYERS, "[loss.hidden]\nkind = \"hidden.mse\"\n");
    assert_eq!(beside[0]["term.look"], alone[0]["term.look"]);
    assert!(beside[2].contains_key("term.hidden"));
    let map = LAYERS.replace("[match]\n", "[match]\ntokens = \"shuffled\"\n");
    assert_ne!(with(&map, "")[0]["term.look"], alone[0]["term.look"]);
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

/// The first row of a term by itself, one micro-batch a step.
fn first_row(teacher: &Gpt2<Cpu>, map: &str, term: &str) -> NamedValues {
    let kept: Arc<Mutex<SinkLog>> = Arc::default();
    let mut members = vec![student(
        &format!("{map}[balance]\nmode = \"none\"\n[loss.hidden]\n{term}\n"),
        2,
        &kept,
    )];
    members[0].job.train.accumulate = 1;
    run(&mut members, Some(teacher), u64::MAX);
    kept.lock().unwrap().rows[&0].clone()
}

#[test]
fn the_map_by_transport_takes_the_cheapest_flow_between_equally_weighted_layers() {
    let teacher = teacher();
    for term in [
        "kind = \"hidden.mse\"",
        "kind = \"hidden.mmd\"\ntokens = 9",
        ATTENTION,
    ] {
        // Two layers of the student, three of the teacher.
        let mut losses = [[0.0; 3]; 2];
        for (own, row) in losses.iter_mut().enumerate() {
            for (other, loss) in row.iter_mut().enumerate() {
                let pair = format!("pairs = [[{}, {}]]\n", own + 1, other + 1);
                let map = format!("[match]\nstrategy = \"pairs\"\n{pair}");
                *loss = first_row(&teacher, &map, term)["term.hidden"];
            }
        }
        // Vertices of the flows with row sums of 3/6 and column sums of 2/6 are whole sixths.
        let mut least = f64::INFINITY;
        for first in 0..=2 {
            for second in 0..=2 {
                let third = 3 - first - second;
                if (0..=2).contains(&third) {
                    let own = [first, second, third];
                    let ways = (0..3).map(|j| {
                        f64::from(own[j]) * losses[0][j] + f64::from(2 - own[j]) * losses[1][j]
                    });
                    least = least.min(ways.sum::<f64>() / 6.0);
                }
            }
        }
        let map = "[match]\nstrategy = \"emd\"\n";
        let row = first_row(&teacher, map, term);
        let found = row["term.hidden"];
        assert!(
            (found - least).abs() < 1e-9,
            "{term}: {found}, not {least} of {losses:?}"
        );
        assert_eq!(row["map.hidden.2.weight"], 0.5);
        assert_eq!(row["map.hidden.teacher-3.weight"], 1.0 / 3.0);
        let costs = [1, 2].map(|layer| row[&format!("map.hidden.{layer}.cost")]);
        assert!((costs[0] / 2.0 + costs[1] / 2.0 - found).abs() < 1e-9);
        assert!((0.0..=3f64.ln()).contains(&row["map.hidden.1.entropy"]));
    }
}

#[test]
fn weights_of_layers_follow_their_costs_unless_they_are_to_stay_equal() {
    let teacher = teacher();
    let at_the_end = |weights: &str| {
        let map = format!("[match]\nstrategy = \"emd\"\n{weights}");
        let term = "[loss.hidden]\nkind = \"hidden.mse\"\n";
        let rows = rows(&teacher, &format!("{map}{BALANCED}{term}"));
        assert_finite(&rows, weights);
        [1, 2].map(|layer| rows[2][&format!("map.hidden.{layer}.weight")])
    };
    assert_eq!(at_the_end("weights = \"uniform\"\n"), [0.5, 0.5]);
    let learned = at_the_end("");
    assert!((learned[0] + learned[1] - 1.0).abs() < 1e-12);
    assert_ne!(learned, [0.5, 0.5]);
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
