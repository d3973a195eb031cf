//! Tests of `batches.rs`.

use super::*;

#[test]
fn a_window_holds_its_tokens_and_the_next_ones_as_targets() {
    let tokens: Vec<u32> = (0..23).collect();
    let order = Order::new(23, 5, Seed::Run(0), false).unwrap();
    assert_eq!(order.windows(), 4);
    let first = batch(&tokens, &order, 2, 1, 0, 0);
    assert_eq!(first.windows, [0, 1]);
    assert_eq!(first.inputs, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(first.targets, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let third = batch(&tokens, &order, 3, 1, 1, 0);
    assert_eq!(
        third.windows,
        [3, 0, 1],
        "the second epoch follows the first without a gap"
    );
}

#[test]
fn the_last_token_is_a_target_when_the_stream_fits_exactly() {
    let tokens: Vec<u32> = (0..11).collect();
    let order = Order::new(11, 5, Seed::Run(0), false).unwrap();
    assert_eq!(batch(&tokens, &order, 2, 1, 0, 0).targets.last(), Some(&10));
    assert_eq!(
        Order::new(10, 5, Seed::Run(0), false).unwrap().windows(),
        1,
        "one token short of two windows"
    );
}

#[test]
fn every_epoch_visits_every_window_once_and_epochs_differ() {
    let order = Order::new(1001, 10, Seed::Run(7), true).unwrap();
    let epoch = |e: u64| {
        (0..100)
            .map(|i| order.window(e * 100 + i))
            .collect::<Vec<_>>()
    };
    for e in 0..5 {
        let mut sorted = epoch(e);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
    assert_ne!(epoch(0), epoch(1));
    assert_eq!(
        epoch(3),
        epoch(3),
        "asking again, or out of order, changes nothing"
    );
    assert_ne!(
        epoch(0),
        (0..100)
            .map(|i| Order::new(1001, 10, Seed::Run(8), true).unwrap().window(i))
            .collect::<Vec<_>>()
    );
}

#[test]
fn no_epoch_of_a_seed_has_the_order_of_any_epoch_of_another() {
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..5 {
        let order = Order::new(1001, 10, Seed::Run(seed), true).unwrap();
        for epoch in 0..3 {
            let windows = (0..100).map(|i| order.window(epoch * 100 + i));
            orders.insert(windows.collect::<Vec<_>>());
        }
    }
    assert_eq!(orders.len(), 15);
}

#[test]
fn every_epoch_predicts_every_token_once_whatever_the_sizes() {
    let mut draws = Stream::new(5, "test.packing", 0);
    for _ in 0..200 {
        let (context, size) = (1 + draws.below(9) as usize, 1 + draws.below(6) as usize);
        let tokens: Vec<u32> = (0..(context as u64 + 1 + draws.below(120)) as u32).collect();
        let order = Order::new(
            tokens.len(),
            context,
            Seed::Run(draws.bits()),
            draws.below(2) == 0,
        )
        .unwrap();
        let windows = order.windows();
        // As many steps as make a whole number of epochs.
        let mut predicted = vec![0; tokens.len()];
        for step in 0..windows as u64 {
            let batch = batch(&tokens, &order, size, 1, step, 0);
            for (input, target) in batch.inputs.iter().zip(&batch.targets) {
                assert_eq!(input + 1, *target, "the target is the next token");
                predicted[*target as usize] += 1;
            }
        }
        let (covered, rest) = predicted[1..].split_at(windows * context);
        assert!(
            covered.iter().all(|&times| times == size),
            "{windows} windows of {context}: {predicted:?}"
        );
        assert!(
            rest.len() < context && rest.iter().all(|&times| times == 0),
            "only what fills no window is left out"
        );
    }
}

#[test]
fn accumulated_micro_batches_are_the_one_large_batch() {
    let tokens: Vec<u32> = (0..500).collect();
    let order = Order::new(500, 7, Seed::Run(3), true).unwrap();
    for step in [0, 1, 16, 17, 1_000_000] {
        let whole = batch(&tokens, &order, 12, 1, step, 0);
        let parts: Vec<Batch> = (0..3)
            .map(|micro| batch(&tokens, &order, 4, 3, step, micro))
            .collect();
        assert_eq!(
            whole.windows,
            parts
                .iter()
                .flat_map(|part| part.windows.clone())
                .collect::<Vec<_>>()
        );
        assert_eq!(
            whole.inputs,
            parts
                .iter()
                .flat_map(|part| part.inputs.clone())
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_stream_without_one_window_is_an_error_with_both_numbers() {
    let error = Order::new(64, 64, Seed::Run(0), true)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("64 tokens") && error.contains("the 65 that"),
        "{error}"
    );
    assert!(Order::new(0, 64, Seed::Run(0), true).is_err());
    assert!(Order::new(65, 64, Seed::Run(0), true).is_ok());
}

#[test]
fn a_teacher_and_a_run_of_one_seed_read_in_orders_of_their_own() {
    let order = |seed| {
        let order = Order::new(1001, 10, seed, true).unwrap();
        (0..100).map(|i| order.window(i)).collect::<Vec<_>>()
    };
    assert_ne!(order(Seed::Run(0)), order(Seed::Teacher(0)));
    let mut sorted = order(Seed::Teacher(0));
    sorted.sort_unstable();
    assert!(sorted.iter().enumerate().all(|(i, &window)| i == window));
}
