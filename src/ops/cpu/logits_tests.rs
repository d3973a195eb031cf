//! Tests of `logits.rs`.

#[path = "logit_case.rs"]
mod logit_case;

use logit_case::{LogitCase, TERMS, log_softmax, reference, wide};

use super::*;
use crate::ops::Losses;
use crate::ops::composed::losses as composed;
use crate::ops::tape::read;
use crate::ops::test_support::{assert_close, gradients, numeric, of, with_threads};

fn weighted(values: &[f64], terms: &[(LogitTerm, f64)]) -> f64 {
    values
        .iter()
        .zip(terms)
        .map(|(value, (_, factor))| value * factor)
        .sum()
}

#[test]
fn values_and_gradients_are_those_of_the_definitions_in_f64() {
    for (tokens, width, teacher_width, vocabulary) in [(5, 3, 4, 19), (1, 1, 1, 2), (3, 2, 5, 33)] {
        let case = LogitCase::new(tokens, width, teacher_width, vocabulary);
        let (loss, values, gradients) = case.fused(&TERMS);
        let (hidden, head) = (wide(&case.hidden), wide(&case.head));
        let expected = reference(&case, &hidden, &head, &TERMS);
        for (value, expected) in values.iter().zip(&expected) {
            assert!(
                (value - expected).abs() < 2e-6 * expected.abs().max(1.0),
                "{values:?} against {expected:?}"
            );
        }
        assert!(
            (f64::from(loss) - weighted(&expected, &TERMS)).abs()
                < 2e-6 * loss.abs().max(1.0) as f64
        );
        let by_hidden = numeric(&read(&case.hidden), |hidden| {
            weighted(&reference(&case, hidden, &head, &TERMS), &TERMS)
        });
        let by_head = numeric(&read(&case.head), |head| {
            weighted(&reference(&case, &hidden, head, &TERMS), &TERMS)
        });
        assert_close(&gradients[0], &by_hidden, 1e-5);
        assert_close(&gradients[1], &by_head, 1e-5);
    }
}

#[test]
fn the_fused_kernel_equals_dfdx_s_own_operations_over_several_chunks() {
    let case = LogitCase::new(300, 3, 2, 9_001);
    assert_eq!(chunk_tokens(9_001), 256);
    let (loss, values, fused) = case.fused(&TERMS);
    let (composed, expected) = composed::logit_losses(
        case.hidden.leaky_trace(),
        (&case.head).into(),
        &case.targets,
        case.teacher(),
        &TERMS,
    );
    let composed_loss = composed.value();
    assert!(
        (loss - composed_loss).abs() < 1e-4 * composed_loss,
        "{loss} against {composed_loss}"
    );
    for (value, expected) in values.iter().zip(&expected) {
        assert!(
            (value - expected).abs() < 1e-4 * expected,
            "{values:?} against {expected:?}"
        );
    }
    let expected = gradients(composed, &[&case.hidden, &case.head]);
    assert_close(&fused[0], &expected[0], 1e-4);
    assert_close(&fused[1], &expected[1], 1e-4);
}

#[test]
fn without_a_tape_the_values_are_the_same() {
    let case = LogitCase::new(9, 4, 3, 21);
    let (with, values, _) = case.fused(&TERMS);
    let (without, again) = Cpu::logit_losses(
        case.hidden.clone(),
        (&case.head).into(),
        &case.targets,
        case.teacher(),
        &TERMS,
    );
    assert_eq!((with, values), (without.value(), again));
}

#[test]
fn language_modelling_alone_needs_no_teacher() {
    let case = LogitCase::new(4, 3, 3, 7);
    let (_, values) = Cpu::logit_losses(
        case.hidden.clone(),
        (&case.head).into(),
        &case.targets,
        None,
        &TERMS[..1],
    );
    assert_eq!(values, case.fused(&TERMS).1[..1]);
}

#[test]
fn logits_of_ten_thousand_give_finite_values_and_gradients() {
    let mut case = LogitCase::new(4, 2, 2, 5);
    case.hidden = of(4, 2, vec![1e4, 0.0, -1e4, 0.0, 0.0, 1e4, 3.0, -1e4]);
    case.head = of(
        5,
        2,
        vec![1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.0, -1.0],
    );
    case.teacher.0 = of(4, 2, vec![-1e4, 0.0, 1e4, 1.0, 1e4, 0.0, 0.0, 0.0]);
    case.teacher.1 = case.head.clone();
    let (loss, values, gradients) = case.fused(&TERMS);
    assert!(
        loss.is_finite() && values.iter().all(|x| x.is_finite()),
        "{values:?}"
    );
    assert!(gradients.iter().flatten().all(|x| x.is_finite()));
    let expected = reference(&case, &wide(&case.hidden), &wide(&case.head), &TERMS);
    values.iter().zip(&expected).for_each(|(value, expected)| {
        assert!(
            (value - expected).abs() <= 1e-6 * expected.abs().max(0.1),
            "{values:?} against {expected:?}"
        )
    });
}

#[test]
fn a_weight_that_is_not_a_number_shows_in_every_value() {
    let mut case = LogitCase::new(4, 2, 2, 40);
    let mut head = read(&case.head);
    head[33 * 2] = f32::NAN;
    case.head = of(40, 2, head);
    case.targets.fill(1);
    let (loss, values, _) = case.fused(&TERMS);
    assert!(
        loss.is_nan() && values.iter().all(|value| value.is_nan()),
        "{values:?}"
    );
}

#[test]
fn shared_logits_change_no_bit_whether_they_are_all_or_some() {
    for (tokens, vocabulary, shared_tokens) in [(300, 50, 300), (520, 40_000, 256)] {
        let case = LogitCase::new(tokens, 3, 2, vocabulary);
        let alone = case.teacher().expect("a teacher");
        let shared = Cpu::share_logits(alone.hidden, alone.head).expect("the CPU shares");
        assert_eq!(shared.values.len(), shared_tokens * vocabulary);
        let run = |teacher| {
            let (loss, values) = Cpu::logit_losses(
                case.hidden.leaky_trace(),
                (&case.head).into(),
                &case.targets,
                Some(teacher),
                &TERMS,
            );
            (values, gradients(loss, &[&case.hidden, &case.head]))
        };
        assert!(
            run(alone)
                == run(TeacherHead {
                    shared: Some(&shared),
                    ..alone
                })
        );
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let case = LogitCase::new(133, 24, 40, 1000);
    let [one, two, three] = with_threads(|| {
        (
            case.fused(&TERMS),
            Cpu::score(
                &case.hidden,
                (&case.head).into(),
                &case.targets,
                case.teacher(),
            ),
        )
    });
    assert!(one == two && one == three);
}

#[test]
fn scores_are_those_of_the_definitions_in_f64() {
    let case = LogitCase::new(40, 3, 4, 11);
    let student = log_softmax(&wide(&case.hidden), &wide(&case.head), 3, 1.0);
    let teacher = log_softmax(&wide(&case.teacher.0), &wide(&case.teacher.1), 4, 1.0);
    let scores = Cpu::score(
        &case.hidden,
        (&case.head).into(),
        &case.targets,
        case.teacher(),
    );
    let composed = composed::score(
        &case.hidden,
        (&case.head).into(),
        &case.targets,
        case.teacher(),
    );
    let best =
        |row: &[f64]| (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
    for (token, score) in scores.iter().enumerate() {
        assert!(
            (score.log_probability - student[token][case.targets[token] as usize]).abs() < 1e-5
        );
        let kl: f64 = teacher[token]
            .iter()
            .zip(&student[token])
            .map(|(p, q)| p.exp() * (p - q))
            .sum();
        assert!((score.kl - kl).abs() < 1e-5 * kl.max(1.0));
        assert_eq!(score.agrees, best(&student[token]) == best(&teacher[token]));
        assert!(
            (score.log_probability - composed[token].log_probability).abs() < 1e-5
                && score.agrees == composed[token].agrees
        );
    }
    assert!(scores.iter().any(|score| score.agrees) && scores.iter().any(|score| !score.agrees));
    let alone = Cpu::score(&case.hidden, (&case.head).into(), &case.targets, None);
    assert!(
        alone
            .iter()
            .zip(&scores)
            .all(|(a, b)| a.log_probability == b.log_probability && a.kl == 0.0 && !a.agrees)
    );
}

#[test]
fn a_lens_is_the_divergence_of_the_readings_and_leaves_the_head_alone() {
    let case = LogitCase::new(300, 3, 2, 50);
    let teacher = case.teacher().expect("a teacher");
    let (loss, value) = Cpu::lens(case.hidden.leaky_trace(), (&case.head).into(), teacher, 2.0);
    let found = gradients(loss, &[&case.hidden, &case.head]);
    let kl = LogitTerm::Kl {
        temperature: 2.0,
        reverse: false,
    };
    let (_, values, expected) = case.fused(&[(kl, 1.0)]);
    assert_eq!((value, &found[0]), (values[0], &expected[0]));
    assert!(found[1].iter().all(|g| *g == 0.0) && expected[1].iter().any(|g| *g != 0.0));
}
