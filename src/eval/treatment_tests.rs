//! Tests of `treatment.rs`: what is measured is what its words say, on windows of the whole text.

use super::super::test_gpt2_f64::sharp_weights;
use super::super::watch::Unwatched;
use super::*;
use crate::model::Config;
use crate::ops::Cpu;

fn model(layers: usize, width: usize, seed: u64) -> Gpt2<Cpu> {
    let config = Config::new(layers, width, width / 6, 29, 64);
    Gpt2::from_weights(&Cpu::default(), &config, &sharp_weights(&config, seed)).unwrap()
}

fn text(tokens: u32) -> Vec<u32> {
    (0..tokens).map(|i| (i * i + 7 * i) % 29).collect()
}

const NO_MAP: Matching = Matching::Pairs {
    pairs: Vec::new(),
    tokens: TokenPairing::Paired,
};

#[test]
fn windows_alternate_over_the_whole_text_and_never_overlap() {
    let text: Vec<u32> = (0..1000).collect();
    let samples = Samples::of(&text, 12, 100).unwrap();
    assert_eq!(
        (samples.window, samples.a.len(), samples.b.len()),
        (12, 96, 96)
    );
    assert_eq!(samples.a[0], 0);
    assert_eq!(samples.b.last(), Some(&999));
    let mut all: Vec<u32> = samples.a.iter().chain(&samples.b).copied().collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 192);
    // A text that is too short for all is cut in two.
    let short = Samples::of(&text[..21], 32, 1024).unwrap();
    assert_eq!((short.window, short.a.len(), short.b.len()), (10, 10, 10));
    assert!(Samples::of(&text[..3], 32, 1024).is_none());
    assert!(Samples::of(&text, 32, 0).is_none());
}

#[test]
fn a_student_that_is_its_teacher_is_at_the_floor_and_has_no_error() {
    let teacher = model(3, 12, 2);
    let how = (16, 64, 8);
    let text = text(600);
    let floor = floor(&teacher, &text, how, &Unwatched).unwrap();
    let own: Vec<_> = (1..=3)
        .map(|i| (HiddenState::Layer(i), HiddenState::Layer(i)))
        .collect();
    let found = treatment(&teacher, &teacher, &text, how, &own, &Unwatched).unwrap();
    assert_eq!(found.tokens, 64);
    for (pair, floor) in found.pairs.iter().zip(&floor.pairs) {
        assert_eq!(pair.student_state, floor.student_state);
        assert!((pair.cka.unwrap() - 1.0).abs() < 1e-9);
        for (form, floor) in [(&pair.raw, &floor.raw), (&pair.layernorm, &floor.layernorm)] {
            let (form, floor) = (form.as_ref().unwrap(), floor.as_ref().unwrap());
            assert_eq!(form.w1, floor.w1);
            assert_eq!(form.sliced_w2, floor.sliced_w2);
            assert_eq!(form.energy, floor.energy);
            assert_eq!(form.mse, Some(0.0));
            assert_eq!(floor.mse, None);
            assert!(floor.w1.unwrap() > 0.0);
        }
    }
    assert_eq!(
        floor.pairs.last().unwrap().student_state,
        HiddenState::Final
    );
}

#[test]
fn another_model_is_farther_than_the_floor_and_its_error_is_the_mean_square() {
    let (student, teacher) = (model(2, 12, 1), model(3, 12, 2));
    let how = (16, 64, 8);
    let text = text(600);
    let pair = (HiddenState::Layer(2), HiddenState::Layer(3));
    let found = treatment(&student, &teacher, &text, how, &[pair], &Unwatched).unwrap();
    let floor = floor(&teacher, &text, how, &Unwatched).unwrap();
    let raw = found.pairs[0].raw.as_ref().unwrap();
    let of_floor = floor.pairs[2].raw.as_ref().unwrap();
    assert!(raw.w1 > of_floor.w1 && raw.energy > of_floor.energy);
    let samples = Samples::of(&text, 16, 64).unwrap();
    let states =
        |model, place| hidden_states(model, &samples.a, samples.window, &[place])[&place].clone();
    let (x, y) = (states(&student, pair.0), states(&teacher, pair.1));
    let squares = x.iter().zip(&y).map(|(x, y)| f64::from(x - y).powi(2));
    let expected = squares.sum::<f64>() / x.len() as f64;
    assert!((raw.mse.unwrap() / expected - 1.0).abs() < 1e-5);
}

#[test]
fn widths_that_differ_leave_what_needs_no_width() {
    let found = treatment(
        &model(2, 12, 1),
        &model(3, 18, 2),
        &text(300),
        (16, 32, 8),
        &[(HiddenState::Layer(1), HiddenState::Layer(2))],
        &Unwatched,
    );
    let pair = &found.unwrap().pairs[0];
    assert!((0.0..1.0).contains(&pair.cka.unwrap()));
    assert_eq!((&pair.raw, &pair.layernorm), (&None, &None));
}

#[test]
fn the_pairs_are_those_of_the_usual_maps_and_of_the_run() {
    let layer = |(i, j)| (HiddenState::Layer(i), HiddenState::Layer(j));
    let usual = [(1, 2), (1, 4), (1, 6), (2, 4), (2, 5), (3, 2), (3, 6)].map(layer);
    assert_eq!(measured_pairs(&NO_MAP, 3, 6), usual);
    let own = Matching::Pairs {
        pairs: vec![layer((1, 2)), (HiddenState::Final, HiddenState::Final)],
        tokens: TokenPairing::Paired,
    };
    let all = measured_pairs(&own, 3, 6);
    assert_eq!(all.len(), usual.len() + 1);
    assert!(all.contains(&(HiddenState::Final, HiddenState::Final)));
    // A student that is deeper than its teacher has no last map.
    assert_eq!(measured_pairs(&NO_MAP, 2, 1), [(1, 1), (2, 1)].map(layer));
}
