//! Tests of `losses.rs`.

use super::*;
use crate::ops::test_support::{assert_close, gradients, matrix};

#[test]
fn chunks_of_tokens_change_neither_values_nor_gradients() {
    let (hidden, head) = (matrix(7, 3, 1.0, 0), matrix(9, 3, 1.0, 1));
    let (teacher_hidden, teacher_head) = (matrix(7, 2, 1.0, 2), matrix(9, 2, 1.0, 3));
    let targets = [0, 3, 8, 1, 1, 5, 2];
    let terms = [
        (LogitTerm::Lm, 0.5),
        (
            LogitTerm::Kl {
                temperature: 2.0,
                reverse: false,
            },
            1.5,
        ),
        (
            LogitTerm::Kl {
                temperature: 1.0,
                reverse: true,
            },
            0.3,
        ),
    ];
    let run = |chunk: usize| {
        let teacher = Some(TeacherHead::new(&teacher_hidden, (&teacher_head).into()));
        let (loss, values) = logit_losses_by(
            chunk,
            hidden.leaky_trace(),
            (&head).into(),
            &targets,
            teacher,
            &terms,
        );
        (loss.value(), values, gradients(loss, &[&hidden, &head]))
    };
    let (whole, parts) = (run(7), run(2));
    assert!((whole.0 - parts.0).abs() < 1e-5);
    whole
        .1
        .iter()
        .zip(&parts.1)
        .for_each(|(a, b)| assert!((a - b).abs() < 1e-6, "{a} against {b}"));
    assert_close(&whole.2[0], &parts.2[0], 1e-5);
    assert_close(&whole.2[1], &parts.2[1], 1e-5);
}
