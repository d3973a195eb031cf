//! Tests of the loop as a whole: groups, balance, divergence, and that distillation brings a
//! student closer to its teacher. Exact resume has tests of its own (`resume_tests.rs`).

use std::sync::Arc;

use super::test_fixture::*;
use super::*;
use crate::distill::NamedValues;
use crate::model::{Config, Gpt2, Weights};
use crate::ops::{Cpu, Losses, NoneTape, TeacherHead};
use crate::random::Seed;

#[test]
fn a_run_is_the_same_alone_and_in_a_group_whose_other_members_fail() {
    struct Full;
    impl Sink for Full {
        fn row(&mut self, step: u64, _: &NamedValues, _: f64) -> anyhow::Result<()> {
            if step == 2 {
                anyhow::bail!("the disk is full")
            } else {
                Ok(())
            }
        }
        fn checkpoint(&mut self, _: u64, _: CheckpointFiles) -> anyhow::Result<()> {
            Ok(())
        }
    }
    let teacher = teacher();
    let alone = Arc::default();
    run(
        &mut [student(WASSERSTEIN, 6, &alone)],
        Some(&teacher),
        u64::MAX,
    );
    let (together, other) = (Arc::default(), Arc::default());
    let mut full = student(LM, 6, &other);
    full.sink = Box::new(Full);
    let mut members = vec![
        student(KL, 6, &other),
        full,
        student(WASSERSTEIN, 6, &together),
    ];
    run(&mut members, Some(&teacher), u64::MAX);
    assert_eq!(*together.lock().unwrap(), *alone.lock().unwrap());
    assert!(matches!(members[1].outcome, Some(TrainOutcome::Failed(_))));
    assert!(matches!(members[0].outcome, Some(TrainOutcome::Finished)));
}

#[test]
fn critics_are_judged_on_the_pairs_of_the_last_step_and_not_on_a_draw_that_would_come_next() {
    let rows = |redraw: u64| {
        let kept = Arc::default();
        let extra = format!("{WASSERSTEIN}[match]\nstrategy = \"random\"\nredraw = {redraw}\n");
        run(&mut [student(&extra, 5, &kept)], Some(&teacher()), u64::MAX);
        kept.lock().unwrap().rows.clone()
    };
    // Both draw once for all steps.
    assert_eq!(rows(5), rows(500));
    assert_ne!(rows(4), rows(500));
}

#[test]
fn every_term_weight_temperature_and_critic_is_in_the_row_of_a_step() {
    let kept = Arc::default();
    run(
        &mut [student(WASSERSTEIN, 5, &kept)],
        Some(&teacher()),
        u64::MAX,
    );
    let rows = kept.lock().unwrap().rows.clone();
    let names: Vec<&str> = rows[&4].keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "balance.hidden",
            "critic.hidden.1.estimate",
            "critic.hidden.1.gradient_norm",
            "critic.hidden.1.held_out",
            "critic.hidden.1.held_out_further",
            "critic.hidden.1.penalty",
            "critic.hidden.2.estimate",
            "critic.hidden.2.gradient_norm",
            "critic.hidden.2.held_out",
            "critic.hidden.2.held_out_further",
            "critic.hidden.2.penalty",
            "gradient_norm",
            "loss",
            "lr",
            "temperature.kl",
            "term.hidden",
            "term.kl",
            "term.lm",
            "validation.nll",
            "weight.hidden",
            "weight.kl",
            "weight.lm",
        ]
    );
    for row in rows.values() {
        let estimates = (row["critic.hidden.1.estimate"] + row["critic.hidden.2.estimate"]) / 2.0;
        assert!((row["term.hidden"] - estimates).abs() < 1e-9);
        let loss = 0.5 * row["term.kl"]
            + 0.5 * row["term.lm"]
            + 0.3 * row["balance.hidden"] * row["term.hidden"];
        assert!((row["loss"] - loss).abs() < 1e-9);
    }
    assert!(!rows[&2].contains_key("validation.nll"));
}

#[test]
fn a_diverging_run_stops_with_its_reason_and_keeps_no_best_weights() {
    let kept = Arc::default();
    let mut bad = student(LM, 10, &kept);
    bad.job.train.lr.peak = 1e30;
    let good = Arc::default();
    let mut members = vec![bad, student(LM, 10, &good)];
    run(&mut members, None, u64::MAX);
    let Some(TrainOutcome::Diverged { step, reason }) = &members[0].outcome else {
        panic!("{:?}", members[0].outcome)
    };
    assert!(
        *step < 10 && (reason.contains("term.lm is") || reason.contains("gradient_norm is")),
        "{reason}"
    );
    assert!(members[0].state.best.is_none());
    assert!(matches!(members[1].outcome, Some(TrainOutcome::Finished)));
}

#[test]
fn hopeless_predictions_stop_a_run_and_weights_that_are_no_numbers_are_never_saved() {
    let config = Config::new(2, 12, 2, VOCABULARY, CONTEXT);
    for extra in [LM, KL] {
        let job = Job::distillation(&spec(10, extra), config.clone(), &teacher_config());
        let mut weights = Weights::random(&config, Seed::Run(3));
        weights
            .arrays
            .get_mut("wte.weight")
            .expect("embeddings")
            .values
            .iter_mut()
            .for_each(|x| *x *= 1e5);
        let mut members = vec![member(
            job,
            Some(&teacher_config()),
            &weights,
            &Arc::default(),
        )];
        run(&mut members, Some(&teacher()), u64::MAX);
        let Some(TrainOutcome::Diverged { step: 0, reason }) = &members[0].outcome else {
            panic!("{:?}", members[0].outcome)
        };
        assert!(
            reason.ends_with("more than 10 times that of guessing") && reason.starts_with("term."),
            "{reason}"
        );
    }
    let kept = Arc::default();
    let mut beyond = student(LM, 10, &kept);
    beyond.job.train.lr.peak = 1e40;
    beyond.job.train.checkpoint_every = 1;
    let mut members = vec![beyond];
    run(&mut members, None, u64::MAX);
    assert!(
        matches!(
            members[0].outcome,
            Some(TrainOutcome::Diverged { step: 1, .. })
        ),
        "{:?}",
        members[0].outcome
    );
    assert!(kept.lock().unwrap().checkpoints.is_empty() && members[0].state.best.is_none());
}

#[test]
fn a_member_that_panics_leaves_its_group_and_the_others_are_what_they_are_alone() {
    struct Defective;
    impl Sink for Defective {
        fn row(&mut self, step: u64, _: &NamedValues, _: f64) -> anyhow::Result<()> {
            assert!(step < 2, "a defect");
            Ok(())
        }
        fn checkpoint(&mut self, _: u64, _: CheckpointFiles) -> anyhow::Result<()> {
            Ok(())
        }
    }
    let teacher = teacher();
    let alone = Arc::default();
    run(
        &mut [student(WASSERSTEIN, 6, &alone)],
        Some(&teacher),
        u64::MAX,
    );
    let together = Arc::default();
    let mut defective = student(LM, 6, &Arc::default());
    defective.sink = Box::new(Defective);
    let mut members = vec![defective, student(WASSERSTEIN, 6, &together)];
    run(&mut members, Some(&teacher), u64::MAX);
    let Some(TrainOutcome::Failed(error)) = &members[0].outcome else {
        panic!("{:?}", members[0].outcome)
    };
    assert_eq!(
        error.to_string(),
        "a defect of kdpipe and not of your study (a defect); please report it"
    );
    assert_eq!(*together.lock().unwrap(), *alone.lock().unwrap());
}

#[test]
fn every_term_stays_finite_for_a_student_that_is_its_teacher_and_for_states_that_are_all_the_same()
{
    let teacher = teacher();
    let critic = |lipschitz: &str| {
        format!(
            "kind = \"hidden.wasserstein\"\nweight = 1.0\nstates = \"raw\"\ncritic = {{ width = \
             6, depth = 2, steps = 2, slope = 0.2, lipschitz = {lipschitz}, lr = 1e-3, betas = \
             [0.0, 0.9], warmup = 0 }}"
        )
    };
    let hidden = [
        "kind = \"hidden.mse\"\nweight = 1.0\nstates = \"layernorm\"\nnormalize = false".to_owned(),
        "kind = \"hidden.mse\"\nweight = 1.0\nstates = \"raw\"\nnormalize = true".to_owned(),
        "kind = \"hidden.cosine\"\nweight = 1.0\nstates = \"raw\"".to_owned(),
        critic("\"gradient-penalty\", penalty = 10.0"),
        critic("\"spectral\""),
        critic("\"clip\", clip = 0.01"),
    ];
    let same = vec![3; 97];
    for text in [tokens(97, 0), same] {
        for term in &hidden {
            let extra = format!("{KL}[loss.hidden]\n{term}\n");
            let mut spec = spec(3, &extra);
            (spec.student.layers, spec.student.width) =
                (teacher_config().layers, teacher_config().width);
            let job = Job::distillation(&spec, teacher_config(), &teacher_config());
            let kept = Arc::default();
            let mut members = vec![member(
                job,
                Some(&teacher_config()),
                &teacher.to_weights(),
                &kept,
            )];
            run_on(&mut members, Some(&teacher), u64::MAX, &text);
            assert!(
                matches!(members[0].outcome, Some(TrainOutcome::Finished)),
                "{term}: {:?}",
                members[0].outcome
            );
            let finite = kept
                .lock()
                .unwrap()
                .rows
                .values()
                .all(|row: &NamedValues| row.values().all(|value| value.is_finite()));
            assert!(finite, "{term}");
        }
    }
}

#[test]
fn distillation_brings_a_student_closer_to_its_teacher_than_language_modelling_does() {
    let teacher = teacher();
    let text = tokens(400, 5);
    let distance = |extra: &str| {
        let mut members = vec![student(extra, 60, &Arc::default())];
        run(&mut members, Some(&teacher), u64::MAX);
        let model = &members[0].state.student;
        let states = |model: &Gpt2<Cpu>| model.forward(NoneTape, &text, CONTEXT, &[]).last;
        let (own, others) = (states(model), states(&teacher));
        let scores = Cpu::score(
            &own,
            model.head(),
            &text,
            Some(TeacherHead::new(&others, teacher.head())),
        );
        scores.iter().map(|score| score.kl).sum::<f64>() / scores.len() as f64
    };
    let (lm, kl) = (distance(LM), distance(KL));
    assert!(
        kl < 0.8 * lm,
        "KL to the teacher: {kl} by distillation, {lm} by language modelling"
    );
}
