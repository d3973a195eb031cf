//! The program against PyTorch: models, losses, critics, windows and whole trainings, by the arrays
//! of `tests/reference/` (its README.md says what they are).
//!
//! The arrays come from float64, so a difference is this program's rounding and nothing else.
//! PyTorch's own f32 comes within 1e-6 of them, relative to the largest entry of an array (each
//! file records how far); [`TOLERANCE`] leaves ten times that for other orders of summation. A
//! wrong formula, a forgotten factor or an epsilon in another place shows at 1e-3 or more.

mod arrays;
mod checkpoints;
mod training;

use dfdx::prelude::*;
use kdpipe::eval::{Decoder, Sampler, Sampling, Text, generate, perplexity};
use kdpipe::model::{Array, Gpt2, score_windows, windows};
use kdpipe::ops::{
    Backend, Constraint, Critic, CriticSettings, Layers, LogitTerm, Losses, Mat, Precision, Scalar,
    StateArray, TeacherHead, composed, tape,
};
use kdpipe::plan::run::HiddenState;
use kdpipe::random::Stream;

use arrays::{Reference, assert_close};

/// Relative to the largest entry of an array.
const TOLERANCE: f64 = 1e-5;
/// For logits of ±150: their own rounding, 150·2⁻²⁴, is an absolute error of log-probabilities and
/// so a relative error of probabilities. PyTorch's f32 is off by 7e-6.
const TOLERANCE_OF_LARGE_LOGITS: f64 = 5e-5;

/// The gradients of `loss` for `inputs`.
fn gradients(loss: Scalar<Cpu, OwnedTape<f32, Cpu>>, inputs: &[&Mat<Cpu>]) -> Vec<Vec<f32>> {
    let mut all = loss.backward();
    inputs
        .iter()
        .map(|input| Cpu::take_gradient(&mut all, input))
        .collect()
}

/// hidden·headᵀ.
fn logits(hidden: &Mat<Cpu>, head: &Mat<Cpu>) -> Vec<f64> {
    let (columns, hidden, head) = (head.shape().1, tape::read(hidden), tape::read(head));
    let dot = |x: &[f32], w: &[f32]| {
        x.iter()
            .zip(w)
            .map(|(&x, &w)| f64::from(x) * f64::from(w))
            .sum()
    };
    hidden
        .chunks(columns)
        .flat_map(|x| head.chunks(columns).map(move |w| dot(x, w)))
        .collect()
}

#[test]
fn states_logits_and_gradients_are_those_of_transformers() {
    for name in ["teacher", "student"] {
        let reference = Reference::read(name);
        let (config, weights) = reference.model();
        let model = Gpt2::from_weights(&Cpu::default(), &config, &weights).unwrap();
        let (inputs, targets) = (reference.tokens("inputs"), reference.tokens("targets"));
        let context = reference.number(&["context"]) as usize;
        let keep: Vec<HiddenState> = (0..=config.layers).map(HiddenState::Layer).collect();
        let states = model.forward(OwnedTape::default(), inputs, context, &keep);
        for (state, array) in &states.kept {
            assert_close(
                &format!("{name}: state {state}"),
                &tape::read(array),
                reference.values(&format!("state.{state}")),
                TOLERANCE,
            );
        }
        let (last, tape) = states.last.split_tape();
        assert_close(
            &format!("{name}: final state"),
            &tape::read(&last),
            reference.values("state.final"),
            TOLERANCE,
        );
        assert_close(
            &format!("{name}: logits"),
            &logits(&last, &model.wte),
            reference.values("logits"),
            TOLERANCE,
        );

        let (loss, values) = Cpu::logit_losses(
            last.put_tape(tape),
            model.head(),
            targets,
            None,
            &[(LogitTerm::Lm, 1.0)],
        );
        assert_close(
            &format!("{name}: loss"),
            &values,
            &[reference.number(&["loss"])],
            TOLERANCE,
        );
        let mut gradients = loss.backward();
        for (parameter, tensor) in model.parameters() {
            let gradient = Cpu::take_gradient(&mut gradients, tensor);
            assert_close(
                &format!("{name}: gradient of {parameter}"),
                &gradient,
                reference.values(&format!("gradient.{parameter}")),
                TOLERANCE,
            );
        }
    }
}

#[test]
fn logit_terms_are_those_of_pytorch_for_ordinary_and_large_logits() {
    let reference = Reference::read("logits");
    let kl = |temperature, reverse| LogitTerm::Kl {
        temperature,
        reverse,
    };
    let cases = [
        ("lm", vec![(LogitTerm::Lm, 1.0)]),
        ("kl.forward", vec![(kl(2.5, false), 1.0)]),
        ("kl.reverse", vec![(kl(2.5, true), 1.0)]),
        (
            "mixture",
            vec![
                (LogitTerm::Lm, 0.5),
                (kl(2.5, false), 0.3),
                (kl(1.0, true), 0.2),
            ],
        ),
    ];
    for (scale, tolerance) in [
        ("ordinary", TOLERANCE),
        ("large", TOLERANCE_OF_LARGE_LOGITS),
    ] {
        let [hidden, head, teacher_hidden, teacher_head] = [
            "student.hidden",
            "student.head",
            "teacher.hidden",
            "teacher.head",
        ]
        .map(|name| reference.matrix(&format!("{scale}.{name}")));
        let teacher = Some(TeacherHead::new(&teacher_hidden, (&teacher_head).into()));
        let targets = reference.tokens(&format!("{scale}.targets"));
        for (name, terms) in &cases {
            for (how, (loss, values)) in [
                (
                    "fused",
                    Cpu::logit_losses(
                        hidden.leaky_trace(),
                        (&head).into(),
                        targets,
                        teacher,
                        terms,
                    ),
                ),
                (
                    "composed",
                    composed::losses::logit_losses(
                        hidden.leaky_trace(),
                        (&head).into(),
                        targets,
                        teacher,
                        terms,
                    ),
                ),
            ] {
                let what = format!("{how} {name} of {scale} logits");
                assert_close(
                    &format!("{what}: terms"),
                    &values,
                    &reference.list(&[scale, name, "terms"]),
                    tolerance,
                );
                assert_close(
                    &format!("{what}: loss"),
                    &[loss.as_vec()[0]],
                    &[reference.number(&[scale, name, "loss"])],
                    tolerance,
                );
                let found = gradients(loss, &[&hidden, &head]);
                for (part, gradient) in ["hidden", "head"].into_iter().zip(found) {
                    let expected = reference.values(&format!("{scale}.{name}.gradient.{part}"));
                    assert_close(
                        &format!("{what}: gradient of {part}"),
                        &gradient,
                        expected,
                        tolerance,
                    );
                }
            }
        }
    }
}

/// The states as a term with `states = "raw"` or `"layernorm"` compares them.
fn prepared<T: Tape<f32, Cpu>>(states: &str, x: Mat<Cpu, T>) -> Mat<Cpu, T> {
    if states == "layernorm" {
        Cpu::standardize(x, 1e-5)
    } else {
        x
    }
}

#[test]
fn distances_of_hidden_states_are_those_of_pytorch() {
    let reference = Reference::read("hidden");
    let [x, target, h, weight, bias] =
        ["x", "target", "h", "weight", "bias"].map(|name| reference.matrix(name));
    for states in ["raw", "layernorm"] {
        let target = prepared(states, target.clone());
        let own = || prepared(states, x.leaky_trace());
        for (how, kind, (loss, value)) in [
            ("fused", "mse", Cpu::hidden_mse(own(), &target, false)),
            (
                "fused",
                "mse.normalize",
                Cpu::hidden_mse(own(), &target, true),
            ),
            ("fused", "cosine", Cpu::hidden_cosine(own(), &target)),
            (
                "composed",
                "mse",
                composed::losses::hidden_mse(own(), &target, false),
            ),
            (
                "composed",
                "mse.normalize",
                composed::losses::hidden_mse(own(), &target, true),
            ),
            (
                "composed",
                "cosine",
                composed::losses::hidden_cosine(own(), &target),
            ),
        ] {
            let name = format!("{states}.{kind}");
            assert_close(
                &format!("{how} {name}"),
                &[value],
                &[reference.number(&[&name])],
                TOLERANCE,
            );
            let gradient = &gradients(loss, &[&x])[0];
            assert_close(
                &format!("gradient of {how} {name}"),
                gradient,
                reference.values(&format!("{name}.gradient")),
                TOLERANCE,
            );
        }
        let projected = prepared(
            states,
            Cpu::linear(h.leaky_trace(), &weight, &bias, Precision::F32),
        );
        let (loss, value) = Cpu::hidden_mse(projected, &target, false);
        assert_close(
            &format!("{states} through a projection"),
            &[value],
            &[reference.number(&[&format!("{states}.projected")])],
            TOLERANCE,
        );
        for (part, gradient) in ["h", "weight", "bias"]
            .into_iter()
            .zip(gradients(loss, &[&h, &weight, &bias]))
        {
            let expected = reference.values(&format!("{states}.projected.gradient.{part}"));
            assert_close(
                &format!("{states} through a projection, gradient of {part}"),
                &gradient,
                expected,
                TOLERANCE,
            );
        }
    }
}

/// A critic with the initial parameters, and singular vectors if it has some, under `prefix`.
fn critic(settings: &CriticSettings, reference: &Reference, prefix: &str) -> Critic {
    let mut critic = Critic::new(settings, Stream::new(0, "test", 0));
    let given = reference.arrays_under(prefix);
    let take = |(name, shape, zero): StateArray| {
        if name.starts_with("adam.") {
            return (name, shape, vec![0.0; zero.len()]);
        }
        let array = given
            .get(&name)
            .unwrap_or_else(|| panic!("the reference has no {prefix}{name}"));
        (name, array.shape.clone(), array.values.clone())
    };
    let state: Vec<StateArray> = critic.state().into_iter().map(take).collect();
    critic.restore(&state).unwrap();
    critic
}

#[test]
fn critics_are_trained_as_by_autograd_and_adam_of_pytorch() {
    let reference = Reference::read("critic");
    let setting = |key: &str| reference.number(&["settings", key]);
    let betas = reference.list(&["settings", "betas"]);
    let batch = |update: usize| {
        ["student", "teacher", "epsilon"]
            .map(|part| reference.matrix(&format!("batch.{update}.{part}")))
    };
    for (name, constraint) in [
        (
            "gradient-penalty",
            Constraint::GradientPenalty(setting("penalty")),
        ),
        ("spectral", Constraint::Spectral),
        ("clip", Constraint::Clip(setting("clip"))),
    ] {
        let settings = CriticSettings {
            input: batch(0)[0].shape().1,
            width: setting("width") as usize,
            depth: setting("depth") as usize,
            slope: setting("slope"),
            constraint,
            lr: setting("lr"),
            betas: [betas[0], betas[1]],
        };
        let mut critic = critic(&settings, &reference, &format!("{name}.initial."));
        let expected =
            ["estimate", "penalty", "gradient_norm"].map(|value| reference.list(&[name, value]));
        let mut found = [const { Vec::new() }; 3];
        for update in 0..expected[0].len() {
            let [student, teacher, epsilon] = batch(update);
            let report = Cpu::critic_update(&mut critic, &student, &teacher, &tape::read(&epsilon));
            found
                .iter_mut()
                .zip([report.estimate, report.penalty, report.gradient_norm])
                .for_each(|(all, value)| all.push(value));
            let after = reference.arrays_under(&format!("{name}.after.{update}."));
            for (array, _, values) in critic
                .state()
                .iter()
                .filter(|(array, _, _)| after.contains_key(array))
            {
                assert_close(
                    &format!("{name}: {array} after update {update}"),
                    values,
                    &after[array].values,
                    TOLERANCE,
                );
            }
            assert!(after.len() >= critic.parameters().len());
        }
        for (value, (found, expected)) in ["estimate", "penalty", "gradient norm"]
            .iter()
            .zip(found.iter().zip(&expected))
        {
            assert_close(&format!("{name}: {value}"), found, expected, TOLERANCE);
        }
        let [student, teacher, _] = batch(0);
        for (how, (loss, value)) in [
            (
                "fused",
                Cpu::critic_term(student.leaky_trace(), &teacher, &critic),
            ),
            (
                "composed",
                composed::losses::critic_term(student.leaky_trace(), &teacher, &critic),
            ),
        ] {
            // A difference of two means that may nearly cancel: judged by the estimates of the
            // updates.
            let largest = expected[0]
                .iter()
                .fold(0.0, |largest: f64, x| largest.max(x.abs()));
            let error = (value - reference.number(&[name, "term"])).abs();
            assert!(
                error <= TOLERANCE * largest,
                "{how} {name}: the student's term is off by {error}"
            );
            let gradient = &gradients(loss, &[&student])[0];
            assert_close(
                &format!("{how} {name}: gradient of the student's term"),
                gradient,
                reference.values(&format!("{name}.term.gradient")),
                TOLERANCE,
            );
        }
    }
}

#[test]
fn sliding_windows_score_every_token_as_transformers_does() {
    let (reference, (config, weights)) =
        (Reference::read("text"), Reference::read("teacher").model());
    let model = Gpt2::from_weights(&Cpu::default(), &config, &weights).unwrap();
    let text: Vec<u32> = reference
        .list(&["text"])
        .into_iter()
        .map(|token| token as u32)
        .collect();
    let names = reference
        .numbers
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|key| key.strip_prefix("windows."));
    let cases: Vec<Vec<usize>> = names
        .map(|name| {
            name.split('.')
                .map(|number| number.parse().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let &[count, context, stride] = &case[..] else {
            panic!("tokens, context and stride: {case:?}")
        };
        let name = format!("windows.{count}.{context}.{stride}");
        let text = &text[..count];
        let (mut positions, mut nll) = (Vec::new(), Vec::new());
        score_windows(
            &model,
            None,
            text,
            windows(count, context, stride),
            |position, score| {
                positions.push(position as f64);
                nll.push(-score.log_probability);
            },
        );
        assert_eq!(positions, reference.list(&[&name, "positions"]), "{name}");
        assert_close(&name, &nll, &reference.list(&[&name, "nll"]), TOLERANCE);

        let found = perplexity(
            &model,
            &Text {
                tokens: text,
                documents: &[0],
                words: 50,
                bytes: 400,
            },
            context,
            stride,
        );
        assert_eq!(found.scored_tokens, nll.len() as u64, "{name}");
        assert_close(
            &name,
            &[found.nll_nats_per_token],
            &[reference.number(&[&name, "nll_per_token"])],
            1e-6,
        );
    }
}

#[test]
fn the_greedy_continuation_is_that_of_transformers() {
    let (reference, (config, weights)) =
        (Reference::read("text"), Reference::read("teacher").model());
    let tokens = |key: &str| -> Vec<u32> {
        reference
            .list(&["greedy", key])
            .into_iter()
            .map(|token| token as u32)
            .collect()
    };
    let expected = tokens("continuation");
    let mut decoder = Decoder::new(&config, &weights);
    let found = generate(
        &mut decoder,
        &tokens("prompt"),
        expected.len(),
        &mut Sampler::new(Sampling::Greedy),
        None,
        |_| {},
    );
    assert_eq!(found, expected);
}

#[test]
fn a_long_greedy_text_is_that_of_transformers_with_the_cache_and_without() {
    let (reference, (mut config, mut weights)) =
        (Reference::read("text"), Reference::read("teacher").model());
    let tokens = |key: &str| -> Vec<u32> {
        reference
            .list(&["long", key])
            .into_iter()
            .map(|token| token as u32)
            .collect()
    };
    // The teacher's positions again and again, each time one column further and five times as
    // large.
    let (own, width) = (weights.arrays["wpe.weight"].values.clone(), config.width);
    let turned = |turn: usize| {
        own.chunks(width)
            .flat_map(|row| {
                (0..width)
                    .map(|j| 5.0 * row[(j + width - turn) % width])
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let turns = reference.number(&["long", "positions"]) as usize / config.positions;
    let values: Vec<f32> = (0..turns)
        .flat_map(|turn| -> Vec<f32> { turned(turn) })
        .collect();
    config.positions *= turns;
    weights.arrays.insert(
        "wpe.weight".to_owned(),
        Array {
            shape: vec![config.positions, width],
            values,
        },
    );

    let (prompt, expected) = (tokens("prompt"), tokens("continuation"));
    assert_eq!(expected.len(), 200);
    let greedy = || Sampler::new(Sampling::Greedy);
    let mut decoder = Decoder::new(&config, &weights);
    assert_eq!(
        generate(&mut decoder, &prompt, 200, &mut greedy(), None, |_| {}),
        expected
    );
    // Every token from all before it anew.
    let mut all = prompt.clone();
    while all.len() < prompt.len() + 200 {
        decoder.clear();
        let next = greedy().choose(decoder.read(&all));
        all.push(next);
    }
    assert_eq!(all[prompt.len()..], expected);
}
