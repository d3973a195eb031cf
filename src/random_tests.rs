//! Tests of `random.rs`.

use super::*;

#[test]
fn streams_differ_by_seed_purpose_and_index_and_repeat_themselves() {
    let first = |seed, purpose, index| Stream::new(seed, purpose, index).bits();
    assert_eq!(first(1, "init", 0), first(1, "init", 0));
    let all = [
        first(1, "init", 0),
        first(2, "init", 0),
        first(1, "order", 0),
        first(1, "init", 1),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b));
    }
}

#[test]
fn normal_numbers_have_mean_zero_and_variance_one() {
    let mut stream = Stream::new(0, "test", 0);
    let draws: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
    let mean = draws.iter().sum::<f64>() / draws.len() as f64;
    let variance = draws.iter().map(|x| x * x).sum::<f64>() / draws.len() as f64;
    assert!(mean.abs() < 0.02, "{mean}");
    assert!((variance - 1.0).abs() < 0.02, "{variance}");
}

#[test]
fn a_permutation_holds_every_number_once() {
    let mut order = Stream::new(3, "test", 0).permutation(1000);
    order.sort_unstable();
    assert!(order.iter().enumerate().all(|(i, &x)| i == x));
}

#[test]
fn integers_below_a_bound_are_uniform() {
    let mut stream = Stream::new(5, "test", 0);
    let mut counts = [0u32; 7];
    (0..70_000).for_each(|_| counts[stream.below(7) as usize] += 1);
    assert!(
        counts.iter().all(|&count| (9_500..10_500).contains(&count)),
        "{counts:?}"
    );
}

/// One of every purpose. Whoever adds a purpose adds it here, too: the match demands it.
fn every_purpose() -> Vec<Purpose<'static>> {
    let all = vec![
        Purpose::Weights("wte.weight"),
        Purpose::Weights("h.0.attn.c_attn.weight"),
        Purpose::Projection("hidden", "1", "weight"),
        Purpose::Projection("hidden", "1", "bias"),
        Purpose::Critic("hidden", "1"),
        Purpose::Critic("other", "final"),
        Purpose::CriticWarmup("hidden", "1"),
        Purpose::CriticPenalty("hidden", "1"),
        Purpose::CriticJudged("hidden", "1"),
        Purpose::WindowOrder,
        Purpose::RandomMap,
        Purpose::ShuffledMap,
        Purpose::LossDirections("hidden", "1"),
        Purpose::LossDirections("hidden", "final"),
        Purpose::LossTokens("hidden"),
        Purpose::TokenOrder,
        Purpose::BenchmarkTokens,
        Purpose::PairPlace,
        Purpose::Document("train"),
        Purpose::Document("validation"),
        Purpose::Document("test"),
        Purpose::Word("object"),
        Purpose::Directions,
        Purpose::Tsne,
        Purpose::Components,
        Purpose::GeneratedTokens,
    ];
    for purpose in &all {
        match purpose {
            Purpose::Weights(_)
            | Purpose::Projection(..)
            | Purpose::Critic(..)
            | Purpose::CriticWarmup(..)
            | Purpose::CriticPenalty(..)
            | Purpose::CriticJudged(..)
            | Purpose::WindowOrder
            | Purpose::RandomMap
            | Purpose::ShuffledMap
            | Purpose::LossDirections(..)
            | Purpose::LossTokens(_)
            | Purpose::TokenOrder
            | Purpose::BenchmarkTokens
            | Purpose::PairPlace
            | Purpose::Document(_)
            | Purpose::Word(_)
            | Purpose::Directions
            | Purpose::Tsne
            | Purpose::Components
            | Purpose::GeneratedTokens => {}
        }
    }
    all
}

/// Every seed of a number whose streams a purpose may be drawn from.
fn owners(purpose: &Purpose, number: u64) -> Vec<Seed> {
    match purpose {
        Purpose::Document(_) | Purpose::PairPlace | Purpose::Word(_) => vec![Seed::Text(number)],
        Purpose::Directions | Purpose::Tsne | Purpose::Components => {
            vec![Seed::Measurement(number)]
        }
        Purpose::GeneratedTokens => vec![Seed::Generation(number)],
        // Whatever a run draws, a teacher's training may draw.
        _ => vec![Seed::Run(number), Seed::Teacher(number)],
    }
}

/// Streams count on from a place that their key is: one that began within another would repeat it
/// from there. So every draw is looked at, and not the first alone.
#[test]
fn no_draw_of_any_purpose_under_any_owner_s_seed_is_a_draw_of_another_stream() {
    const DRAWS: usize = 48;
    let mut seen = std::collections::HashMap::new();
    let mut streams = 0;
    for number in [0, 1, 2, 50, 71, u64::MAX] {
        for purpose in every_purpose() {
            for seed in owners(&purpose, number) {
                for index in [0, 1, 2, 1000] {
                    let mut stream = Stream::of(seed, purpose, index);
                    streams += 1;
                    for _ in 0..DRAWS {
                        let owner = (format!("{seed:?}"), purpose.to_string(), index);
                        if let Some(other) = seen.insert(stream.bits(), owner.clone()) {
                            panic!("{owner:?} draws what {other:?} draws");
                        }
                    }
                }
            }
        }
    }
    assert!(streams > 900, "{streams} streams");
}

#[test]
fn no_two_purposes_share_a_stream_and_nothing_of_a_teacher_is_a_runs() {
    let mut seen = std::collections::BTreeMap::new();
    for number in 0..4 {
        for purpose in every_purpose() {
            for index in 0..4 {
                for seed in [Seed::Run(number), Seed::Teacher(number)] {
                    let mut stream = Stream::of(seed, purpose, index);
                    let draws = [stream.bits(), stream.bits()];
                    let owner = format!("{purpose} of {seed:?} at {index}");
                    if let Some(other) = seen.insert(draws, owner.clone()) {
                        panic!("{owner} draws what {other} draws");
                    }
                }
            }
        }
    }
}

#[test]
fn seeds_of_texts_measurements_and_writing_are_told_from_a_runs_by_their_purposes() {
    // These owners take the number as it is, so each purpose must belong to one of them alone.
    let owner = |purpose: &Purpose| match purpose {
        Purpose::Document(_) | Purpose::PairPlace | Purpose::Word(_) => "text",
        Purpose::Directions | Purpose::Tsne | Purpose::Components => "measurement",
        Purpose::GeneratedTokens => "generation",
        Purpose::Weights(_)
        | Purpose::Projection(..)
        | Purpose::Critic(..)
        | Purpose::CriticWarmup(..)
        | Purpose::CriticPenalty(..)
        | Purpose::CriticJudged(..)
        | Purpose::WindowOrder
        | Purpose::RandomMap
        | Purpose::ShuffledMap
        | Purpose::LossDirections(..)
        | Purpose::LossTokens(_)
        | Purpose::TokenOrder
        | Purpose::BenchmarkTokens => "run",
    };
    let mut owners = std::collections::BTreeMap::new();
    for purpose in every_purpose() {
        let known = *owners
            .entry(purpose.to_string())
            .or_insert_with(|| owner(&purpose));
        assert_eq!(known, owner(&purpose), "{purpose}");
    }
    assert_eq!(
        owners.len(),
        every_purpose().len(),
        "two purposes have one name"
    );
}
