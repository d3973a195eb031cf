//! Tests of critics on a card: their updates against the processor's, which are held against
//! derivatives in f64 and against PyTorch, and their term against its composed form.

use dfdx::prelude::*;

use super::cuda_tests::{card, gradients, on};
use crate::ops::composed::losses as composed;
use crate::ops::test_support::{assert_close, matrix};
use crate::ops::{
    Backend, Constraint, Critic, CriticReport, CriticSettings, CriticState, CriticTask, Losses,
    Mat, Precision, StateArray, tape,
};
use crate::random::Stream;

type OfCard = <Cuda as Backend>::Critic;

const CONSTRAINTS: [Constraint; 3] = [
    Constraint::GradientPenalty(10.0),
    Constraint::Spectral,
    Constraint::Clip(0.3),
];

fn settings([input, width, depth]: [usize; 3], constraint: Constraint) -> CriticSettings {
    CriticSettings {
        input,
        width,
        depth,
        slope: 0.2,
        constraint,
        lr: 1e-3,
        // The first moments after a step are half of the gradient.
        betas: [0.5, 0.9],
    }
}

/// Critics, and clouds of a student and of a teacher for each.
fn made<C: CriticState>(settings: &CriticSettings, count: usize) -> Vec<C> {
    let new = |index| C::new(settings, Stream::new(1, "critic", index));
    (0..count as u64).map(new).collect()
}

fn clouds(rows: usize, input: usize, count: usize) -> Vec<[Mat<Cpu>; 2]> {
    let pair = |index: u64| {
        let student = matrix(rows, input, 1.0, 2 * index);
        [student, matrix(rows, input, 1.5, 2 * index + 1)]
    };
    (0..count as u64).map(pair).collect()
}

fn epsilon(rows: usize, critic: usize, update: usize) -> Vec<f32> {
    let mut stream = Stream::new(5, "epsilon", (100 * critic + update) as u64);
    (0..rows).map(|_| stream.uniform() as f32).collect()
}

/// So many updates of all critics; what each saw in the last one.
fn train<D: Losses>(
    critics: &mut [D::Critic],
    clouds: &[[Mat<D>; 2]],
    updates: usize,
) -> Vec<[f64; 3]> {
    let rows = clouds[0][0].shape().0;
    let draws: Vec<_> = (0..critics.len())
        .map(|critic| move |update| epsilon(rows, critic, update))
        .collect();
    let mut tasks: Vec<CriticTask<D>> = critics
        .iter_mut()
        .zip(clouds)
        .zip(&draws)
        .map(|((critic, [student, teacher]), epsilon)| CriticTask {
            critic,
            student,
            teacher,
            updates,
            epsilon,
        })
        .collect();
    let numbers = |report: CriticReport<D::Value>| {
        let values = [report.estimate, report.penalty, report.gradient_norm];
        let values = D::fetch(&values);
        [values[0], values[1], values[2]]
    };
    D::critic_updates(&mut tasks)
        .into_iter()
        .map(numbers)
        .collect()
}

fn compare(name: &str, found: &[StateArray], expected: &[StateArray], tolerance: f32, of: &str) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for ((array, shape, found), (other, other_shape, expected)) in found.iter().zip(expected) {
        assert_eq!((array, shape), (other, other_shape), "{name}");
        if !array.starts_with(of) {
            continue;
        }
        let size = expected.iter().fold(1e-4f32, |size, x| size.max(x.abs()));
        for (i, (x, y)) in found.iter().zip(expected).enumerate() {
            assert!(
                (x - y).abs() <= tolerance * size,
                "{name}: {array} at {i}: {x} against {y}, with values up to {size}"
            );
        }
    }
}

/// So many critics, trained together on a card and each on the processor; uneven ones have not all
/// taken as many steps.
fn train_both(
    card: &Cuda,
    constraint: Constraint,
    (shape, rows, count): ([usize; 3], usize, usize),
    is_uneven: bool,
) {
    let name = format!("{constraint:?} {shape:?} on {rows}");
    let settings = settings(shape, constraint);
    let mut hosts: Vec<Critic> = made(&settings, count);
    let mut cards: Vec<OfCard> = made(&settings, count);
    let of_host = clouds(rows, shape[0], count);
    let of_card: Vec<[Mat<Cuda>; 2]> = of_host
        .iter()
        .map(|pair| [on(card, &pair[0]), on(card, &pair[1])])
        .collect();
    let mut again = cards.clone();
    for (updates, of, tolerance) in [(1, "adam.first", 2e-4), (3, "", 2e-2)] {
        let expected = train::<Cpu>(&mut hosts, &of_host, updates);
        let found = train::<Cuda>(&mut cards, &of_card, updates);
        let found_again = train::<Cuda>(&mut again, &of_card, updates);
        assert_eq!(found, found_again, "{name}");
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            let close = (found - expected).abs() < 1e-4 * expected.abs().max(1.0);
            assert!(close, "{name}: {found} against {expected}");
        }
        for ((own, host), again) in cards.iter().zip(&hosts).zip(&again) {
            compare(&name, &own.state(), &host.state(), tolerance, of);
            assert!(own.state() == again.state(), "{name}: the same bits again");
        }
        if is_uneven {
            // From here on the first has taken a step more than the others.
            train::<Cpu>(&mut hosts[..1], &of_host[..1], 1);
            train::<Cuda>(&mut cards[..1], &of_card[..1], 1);
            train::<Cuda>(&mut again[..1], &of_card[..1], 1);
        }
    }
}

#[test]
fn critics_are_trained_together_as_each_is_on_the_processor() {
    let Some(card) = card() else { return };
    // Whose rows come to several chunks; planted faults are looked for here.
    for constraint in CONSTRAINTS {
        train_both(&card, constraint, ([7, 5, 2], 70, 3), true);
    }
}

#[test]
fn other_shapes_of_critics_are_trained_as_on_the_processor() {
    let Some(card) = card() else { return };
    // Interpolates of which not all are looked at, wide and deep ones, a single unit.
    for constraint in CONSTRAINTS {
        for shape in [([3, 4, 1], 300, 2), ([40, 33, 3], 9, 2), ([1, 1, 1], 1, 1)] {
            train_both(&card, constraint, shape, false);
        }
    }
}

#[test]
fn the_term_of_a_critic_is_the_composed_one() {
    let Some(card) = card() else { return };
    for constraint in CONSTRAINTS {
        for (shape, rows) in [([7, 5, 2], 70), ([40, 33, 3], 9), ([1, 1, 1], 1)] {
            let settings = settings(shape, constraint);
            let mut host = Critic::new(&settings, Stream::new(1, "critic", 0));
            let pair = clouds(rows, shape[0], 1);
            train::<Cpu>(std::slice::from_mut(&mut host), &pair, 2);
            let mut own = OfCard::new(&settings, Stream::new(2, "critic", 0));
            own.restore(&host.state()).expect("one form of both");
            let [x, target] = &pair[0];
            let (value, wanted) = composed::critic_term(x.leaky_trace(), target, &host);
            let wanted_value = f64::from(value.value());
            let (on_card, other) = (on(&card, x), on(&card, target));
            let (loss, place) = Cuda::critic_term(on_card.leaky_trace(), &other, &own);
            assert!((f64::from(loss.value()) - wanted_value).abs() < 1e-5);
            assert!((Cuda::fetch(&[place])[0] - wanted).abs() < 1e-5);
            let found = gradients(loss, std::slice::from_ref(&on_card));
            let expected = crate::ops::test_support::gradients(value, &[x]);
            let relative = expected[0].iter().fold(0f32, |top, x| top.max(x.abs()));
            let scaled = |all: &[f32]| all.iter().map(|x| x / relative).collect::<Vec<f32>>();
            assert_close(&scaled(&found[0]), &scaled(&expected[0]), 1e-4);
            let (_, place) = Cuda::critic_term(on_card, &other, &own);
            assert!((Cuda::fetch(&[place])[0] - wanted).abs() < 1e-5);
        }
    }
}

#[test]
fn in_bfloat16_critics_are_those_of_the_processor() {
    let Some(card) = card() else { return };
    let settings = settings([24, 16, 2], Constraint::GradientPenalty(10.0));
    let mut hosts: Vec<Critic> = made(&settings, 2);
    let mut cards: Vec<OfCard> = made(&settings, 2);
    hosts
        .iter_mut()
        .for_each(|critic| critic.set_precision(Precision::Bf16));
    cards
        .iter_mut()
        .for_each(|critic| critic.set_precision(Precision::Bf16));
    let of_host = clouds(50, 24, 2);
    let of_card: Vec<[Mat<Cuda>; 2]> = of_host
        .iter()
        .map(|pair| [on(&card, &pair[0]), on(&card, &pair[1])])
        .collect();
    let expected = train::<Cpu>(&mut hosts, &of_host, 1);
    let found = train::<Cuda>(&mut cards, &of_card, 1);
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!(
            (found - expected).abs() < 2e-3,
            "{found} against {expected}"
        );
    }
    for (own, host) in cards.iter().zip(&hosts) {
        // A sum near the middle of two of those numbers may be rounded to either.
        compare("bfloat16", &own.state(), &host.state(), 2e-2, "adam.first");
        let [x, target] = &of_host[0];
        let (_, expected) = Cpu::critic_term(x.clone(), target, host);
        let (_, found) = Cuda::critic_term(on(&card, x), &on(&card, target), own);
        assert!((Cuda::fetch(&[found])[0] - expected).abs() < 2e-3);
    }
}

#[test]
fn a_critic_of_the_card_goes_on_from_its_state_to_the_same_bits() {
    let Some(card) = card() else { return };
    for constraint in CONSTRAINTS {
        let settings = settings([6, 5, 2], constraint);
        let mut critic = OfCard::new(&settings, Stream::new(1, "critic", 0));
        let pair = clouds(11, 6, 1);
        let pair = [[on(&card, &pair[0][0]), on(&card, &pair[0][1])]];
        train::<Cuda>(std::slice::from_mut(&mut critic), &pair, 2);
        let mut other = OfCard::new(&settings, Stream::new(9, "critic", 0));
        other.restore(&critic.state()).expect("its own form");
        assert!(other.state() == critic.state());
        for critic in [&mut critic, &mut other] {
            train::<Cuda>(std::slice::from_mut(critic), &pair, 2);
        }
        assert!(other.state() == critic.state(), "{constraint:?}");
        let before = other.state();
        let error = other
            .restore(&before[1..])
            .expect_err("an array is missing");
        assert!(error.to_string().contains(&before[0].0), "{error}");
        assert!(other.state() == before);
        assert_eq!(tape::read(&pair[0][0]).len(), 66);
    }
}
