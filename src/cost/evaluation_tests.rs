//! Tests of `evaluation.rs`.

use super::*;

fn work() -> EvaluationWork {
    let shape = |layers, width| Gpt2Shape {
        layers,
        width,
        inner: 4 * width,
        vocabulary: 768,
        positions: 64,
        tied: true,
    };
    EvaluationWork {
        model: shape(3, 64),
        teacher: Some(shape(6, 64)),
        test_tokens: 27_000.0,
        validation_tokens: 27_000.0,
        context: 64,
        stride: 32,
        probe_tokens: 1024,
        embed_tokens: 256,
        prompts: 4,
        sample_tokens: 64,
        treatment_tokens: 1024,
        measured_pairs: 9,
        task_tokens: 0.0,
    }
}

#[test]
fn what_tasks_ask_is_read_once_by_the_model_alone() {
    let plain = work();
    let asked = EvaluationWork {
        task_tokens: 500.0,
        ..plain
    };
    let more = asked.flops().total() - plain.flops().total();
    let expected = 500.0 * plain.model.forward_flops(64);
    assert!((more / expected - 1.0).abs() < 1e-6, "{more} of {expected}");
}

#[test]
fn overlapping_windows_read_a_text_more_often_and_a_teacher_reads_the_test_split_too() {
    let work = work();
    let forward = |shape: &Gpt2Shape| shape.forward_flops(64);
    let (own, teacher) = (
        forward(&work.model),
        forward(work.teacher.as_ref().unwrap()),
    );
    let flops = work.flops();
    assert_eq!(
        flops.perplexity,
        2.0 * 27_000.0 * (own + teacher) + 2.0 * 27_000.0 * own
    );
    let side_by_side = EvaluationWork { stride: 64, ..work };
    assert_eq!(2.0 * side_by_side.flops().perplexity, flops.perplexity);
}

#[test]
fn the_treatment_is_most_of_a_small_evaluation_and_costs_nothing_where_it_is_off() {
    let all = work().flops();
    assert!(all.treatment > 0.5 * all.total(), "{all:?}");
    let off = EvaluationWork {
        treatment_tokens: 0,
        ..work()
    };
    assert_eq!(off.flops().treatment, 0.0);
    assert!(off.memory(2) < work().memory(2));
    let pairs = work().memory(2) - work().memory(1);
    assert_eq!(
        pairs,
        8.0 * MATRICES * 1024.0 * 1024.0,
        "a pair more at once"
    );
}
