//! Tests of the loop as a whole: groups, balance, divergence, and that distillation brings a
//! student closer to its teacher. Exact resume has tests of its own (`resume_tests.rs`).

use std::sync::Arc;

use super::test_fixture::*;
use super::*;
use crate::data::Order;
use crate::distill::{NamedValues, TeacherOutputs};
use crate::model::{Config, Gpt2, Weights};
use crate::ops::{Backend, Cpu, Losses, NoneTape, OwnedTape, TeacherHead};
use crate::plan::run::HiddenState;
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
fn looks_at_the_gradient_of_every_term_change_nothing_of_the_training() {
    let teacher = teacher();
    let trained = |every: Option<u64>| {
        let kept = Arc::default();
        let mut member = student(WASSERSTEIN, 6, &kept);
        member.job.train.gradients_every = every;
        run(&mut [member], Some(&teacher), u64::MAX);
        kept.lock().unwrap().clone()
    };
    let (plain, mut looked) = (trained(None), trained(Some(3)));
    assert_eq!(plain.checkpoints, looked.checkpoints);
    for (step, row) in &mut looked.rows {
        for term in ["hidden", "kl", "lm"] {
            let norm = row.remove(&format!("gradient.{term}"));
            assert_eq!(
                norm.is_some_and(|norm| norm > 0.0),
                step % 3 == 0,
                "{step} {term}"
            );
            let cosine = row.remove(&format!("gradient_cosine.{term}"));
            assert_eq!(
                cosine.is_some_and(|cosine| cosine.abs() <= 1.0),
                step % 3 == 0,
                "{step} {term}"
            );
        }
    }
    assert_eq!(plain.rows, looked.rows);
}

#[test]
fn the_gradient_of_the_only_term_that_counts_is_the_whole_gradient() {
    let off = format!("{KL}[loss.lm]\nkind = \"lm\"\nweight = 0.0\n");
    let kept = Arc::default();
    let mut member = student(&off, 4, &kept);
    member.job.train.gradients_every = Some(1);
    member.job.train.accumulate = 1;
    run(&mut [member], Some(&teacher()), u64::MAX);
    for row in kept.lock().unwrap().rows.values() {
        assert!(!row.contains_key("gradient.lm"));
        // Along or against what, where it is all there is?
        assert!(!row.contains_key("gradient_cosine.kl"));
        let (norm, whole) = (row["gradient.kl"], row["gradient_norm"]);
        assert!((norm / whole - 1.0).abs() < 1e-12, "{norm} {whole}");
    }
    // A third of a step is rounded; what is left of it is no other term.
    let kept = Arc::default();
    let mut member = student(&off, 2, &kept);
    member.job.train.gradients_every = Some(1);
    member.job.train.accumulate = 3;
    run(&mut [member], Some(&teacher()), u64::MAX);
    for row in kept.lock().unwrap().rows.values() {
        assert!(row["gradient.kl"] > 0.0 && !row.contains_key("gradient_cosine.kl"));
    }
}

/// Language modelling, predictions, and squares of hidden states, balanced.
fn with_mse() -> String {
    let before = WASSERSTEIN.split("[loss.hidden]").next().unwrap();
    format!(
        "{before}[loss.hidden]\nkind = \"hidden.mse\"\nweight = 1.0\nstates = \"raw\"\n\
         normalize = false\n"
    )
}

/// What a term by itself, times `factor`, sends to the parameters of the initial student on a
/// micro-batch of the first step: from the definition.
fn gradient_of(fresh: &Member<Cpu>, term: (&str, f64), micro: usize) -> Vec<f32> {
    let (text, state, teacher) = (tokens(2000, 0), &fresh.state, teacher());
    let order = Order::new(text.len(), CONTEXT, Seed::Run(3), true).unwrap();
    let batch = crate::data::batch(&text, &order, 3, 2, 0, micro);
    let keep = [HiddenState::Layer(1), HiddenState::Layer(2)];
    let own = state
        .student
        .forward(OwnedTape::default(), &batch.inputs, CONTEXT, &keep);
    let others = teacher.forward(NoneTape, &batch.inputs, CONTEXT, &keep);
    let teacher = Some(TeacherOutputs::new(&others, teacher.reader()));
    let (loss, _) = fresh.job.objective.losses(
        &fresh.job.objective.at(0, 0),
        &NamedValues::from([(term.0.to_owned(), term.1)]),
        own,
        state.student.reader(),
        &batch.targets,
        teacher,
        &state.auxiliary,
    );
    let mut gradients = loss.backward();
    let parameters = state.student.parameters().into_iter();
    parameters
        .flat_map(|(_, parameter)| Cpu::take_gradient(&mut gradients, parameter))
        .collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    products.sum()
}

#[test]
fn the_balanced_gradient_of_a_hidden_term_has_the_norm_of_the_reference() {
    let kept = Arc::default();
    let mut members = vec![student(&with_mse(), 1, &kept)];
    run(&mut members, Some(&teacher()), u64::MAX);
    let factor = members[0].state.balance["hidden"];

    // Measured again: both terms alone, on the first two micro-batches.
    let fresh = student(&with_mse(), 1, &kept);
    let norm = |term: &str| {
        let squares = (0..2).map(|micro| {
            let gradient = gradient_of(&fresh, (term, 1.0), micro);
            dot(&gradient, &gradient)
        });
        squares.sum::<f64>().sqrt()
    };
    let expected = norm("kl") / norm("hidden");
    assert!(
        (factor / expected - 1.0).abs() < 1e-6,
        "{factor} against {expected}"
    );
}

#[test]
fn the_cosine_of_a_term_is_the_one_with_the_sum_of_all_others() {
    let kept = Arc::default();
    let mut member = student(&with_mse(), 1, &kept);
    member.job.train.gradients_every = Some(1);
    let mut members = [member];
    run(&mut members, Some(&teacher()), u64::MAX);
    let balance = members[0].state.balance["hidden"];
    let (_, row) = kept.lock().unwrap().rows.pop_first().unwrap();

    let fresh = student(&with_mse(), 1, &kept);
    let factors = [("lm", 0.5), ("kl", 0.5), ("hidden", balance)];
    let gradients = factors.map(|term| gradient_of(&fresh, term, 0));
    for (place, (term, _)) in factors.iter().enumerate() {
        let mut others = vec![0.0; gradients[0].len()];
        for (other, gradient) in gradients.iter().enumerate() {
            let parts = others.iter_mut().zip(gradient);
            parts
                .filter(|_| other != place)
                .for_each(|(sum, part)| *sum += part);
        }
        let own = &gradients[place];
        let norms = (dot(own, own) * dot(&others, &others)).sqrt();
        let (cosine, expected) = (
            row[&format!("gradient_cosine.{term}")],
            dot(own, &others) / norms,
        );
        assert!(
            (cosine - expected).abs() < 1e-5,
            "{term}: {cosine} against {expected}"
        );
        // Neither is along the other: a test that could not tell them apart would be none.
        assert!(
            expected.abs() > 1e-3 && expected.abs() < 0.999,
            "{term}: {expected}"
        );
    }
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
