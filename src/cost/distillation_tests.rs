//! Tests of `distillation.rs`.

use super::*;

fn shape(layers: usize, width: usize) -> Gpt2Shape {
    Gpt2Shape {
        layers,
        width,
        inner: 4 * width,
        vocabulary: 100,
        positions: 16,
        tied: true,
    }
}

/// Two hidden terms on two pairs, one with critics, balanced on eight batches of 64 tokens.
fn balanced() -> Distillation {
    Distillation {
        student: shape(2, 8),
        teacher: Some(shape(4, 12)),
        steps: TrainingSteps {
            batch: 4,
            context: 16,
            accumulate: 2,
            count: 10,
        },
        needs_teacher: true,
        compares_logits: true,
        hidden_terms: 2,
        projected_terms: 2,
        clouds: Vec::new(),
        lens_terms: 0,
        attention_terms: 0,
        pairs: 2,
        valued_pairs: 0,
        student_states: 2,
        teacher_states: 2,
        teacher_attention: 0,
        critics: vec![CriticWork {
            shape: CriticShape {
                input: 12,
                width: 4,
                depth: 1,
                has_gradient_penalty: false,
            },
            updates: 5,
            warm_up: 100,
        }],
        balance_batches: 8,
        balance_every: None,
        rounded: [false; 2],
    }
}

#[test]
fn every_balance_costs_the_same_but_for_the_warm_up_of_the_first() {
    let once = balanced();
    let none = Distillation {
        balance_batches: 0,
        ..once.clone()
    };
    let every = |steps| Distillation {
        balance_every: Some(steps),
        ..once.clone()
    };
    // Of ten steps, before the fourth, the seventh and the tenth again.
    let extra =
        |of: fn(&TrainingFlops) -> f64, work: &Distillation| of(&work.flops()) - of(&none.flops());
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
    let teacher: fn(&TrainingFlops) -> f64 = |flops| flops.teacher;
    close(extra(teacher, &every(3)), 4.0 * extra(teacher, &once));
    let student: fn(&TrainingFlops) -> f64 = |flops| flops.student;
    let warm_up = 8.0 * 64.0 * once.student.forward_flops(16);
    close(
        extra(student, &every(3)) - warm_up,
        4.0 * (extra(student, &once) - warm_up),
    );
    assert_eq!(every(10).flops(), once.flops());
    assert_eq!(every(3).memory(), once.memory());
}

#[test]
fn memory_counts_the_teachers_states_of_all_balance_batches() {
    let with = balanced();
    let without = Distillation {
        balance_batches: 0,
        ..with.clone()
    };
    // Two kept states and the final one, of 12 floats each, on 8 batches of 64 tokens.
    assert_eq!(
        with.memory().shared - without.memory().shared,
        (8 * 64 * 3 * 12 * 4) as f64
    );
    // The teacher's weights: (100 + 16)·12 + 4·(12·144 + 13·12) + 24 parameters; its pass: 14
    // vectors of 12 for 64 tokens.
    assert_eq!(
        without.memory().shared,
        (4 * (1392 + 4 * 1884 + 24) + 4 * 64 * 12 * 14) as f64
    );
    let alone = Distillation {
        needs_teacher: false,
        ..with
    };
    assert_eq!(alone.memory().shared, 0.0);
}

#[test]
fn memory_counts_the_students_states_that_critics_warm_up_on() {
    let few = balanced();
    let many = Distillation {
        balance_batches: 1000,
        ..few.clone()
    };
    // The step's activations: 64 tokens of 2·(8·8 + 2·32) floats, and 4·512 rows of 100 logits.
    let activations = 4 * (64 * 256 + 4 * 512 * 100);
    // Three student states of 8 floats and both clouds of 12 on 1000 batches of 64 tokens are more;
    // on 8 batches they are fewer and take the activations' place.
    let states = 4 * 1000 * 64 * (3 * 8 + 2 * 12);
    assert_eq!(
        many.memory().own - few.memory().own,
        f64::from(states - activations)
    );
    let none = Distillation {
        balance_batches: 0,
        ..few.clone()
    };
    assert_eq!(few.memory().own, none.memory().own);
}

#[test]
fn attention_costs_the_scores_of_both_and_two_gradients_over_the_causal_half() {
    let without = Distillation {
        balance_batches: 0,
        ..balanced()
    };
    let with = Distillation {
        attention_terms: 1,
        teacher_attention: 2,
        ..without.clone()
    };
    // 20 micro-batches of 64 tokens, two pairs, 17 = T + 1; widths 8 and 12.
    assert_eq!(
        with.flops().student - without.flops().student,
        (20 * 64 * 2 * 17 * (3 * 8 + 12)) as f64
    );
    assert_eq!(with.memory().shared, without.memory().shared);
    let held = |work: &Distillation| {
        let balanced = Distillation {
            balance_batches: 8,
            ..work.clone()
        };
        balanced.memory().shared - work.memory().shared
    };
    // Queries, keys and values of two layers on every batch of the balance.
    assert_eq!(
        held(&with) - held(&without),
        (8 * 64 * 2 * 3 * 12 * 4) as f64
    );
}

#[test]
fn a_teacher_whose_predictions_nobody_compares_has_no_head() {
    let with = balanced();
    let without = Distillation {
        compares_logits: false,
        ..with.clone()
    };
    // 20 micro-batches of 64 tokens and the balance's 8; the head is 2·12·100 a token.
    let (with, without) = (with.flops(), without.flops());
    assert_eq!(
        with.teacher - without.teacher,
        (28 * 64 * 2 * 12 * 100) as f64
    );
    assert_eq!(with.student, without.student);
    assert_eq!(with.critics, without.critics);
}

#[test]
fn tokens_are_those_of_all_micro_batches() {
    assert_eq!(balanced().steps.tokens(), 1280.0);
}

#[test]
fn a_card_holds_more_logits_at_a_time_and_all_critics_of_a_term() {
    let work = balanced();
    let (host, card) = (work.memory(), work.memory_on_card());
    // All of the 64 tokens' logits, of 100 in three arrays, where the processor has 512 tokens' in
    // four; two arrays of 16·16 scores of each of 4 sequences.
    let in_turn = 4.0 * (3.0 * 64.0 * 100.0 + 2.0 * 4.0 * 256.0);
    assert_eq!(card.shared, host.shared + in_turn);
    // The head's gradient of 100·8, a second critic's workspace, and two clouds of 64·12 of both.
    let second = work.critics[0].shape.workspace_bytes(64);
    let copies = 4.0 * 2.0 * 64.0 * 12.0 * 2.0;
    let more = 4.0 * (800.0 - 4.0 * 512.0 * 100.0) + second + copies;
    assert_eq!(card.own, host.own + more);
    let rounded = Distillation {
        rounded: [true; 2],
        ..work.clone()
    };
    // Half of the bytes of all weights, and a third array of scores.
    let rounded = rounded.memory_on_card();
    assert_eq!(rounded.own - card.own, work.student.weight_bytes() / 2.0);
    let of_teacher = shape(4, 12).weight_bytes() / 2.0;
    assert_eq!(rounded.shared - card.shared, of_teacher + 4.0 * 4.0 * 256.0);
}

#[test]
fn a_card_holds_the_logits_of_so_many_tokens_and_no_more() {
    let more = |batch: usize| {
        let work = Distillation {
            student: Gpt2Shape {
                vocabulary: 50_257,
                ..shape(2, 8)
            },
            steps: TrainingSteps {
                batch,
                context: 1024,
                accumulate: 1,
                count: 10,
            },
            critics: Vec::new(),
            ..balanced()
        };
        work.memory_on_card().shared - work.memory().shared
    };
    // 2²⁶ logits of three arrays, 2²⁴ scores of two.
    let expected = 4.0 * (3.0 * f64::from(1 << 26) + 2.0 * f64::from(1 << 24));
    for batch in [16, 32] {
        assert!((more(batch) / expected - 1.0).abs() < 1e-9, "{batch}");
    }
}
