//! Tests of `term.rs`.

use super::*;

/// A term by its kind, everything else as it is where nothing is written.
fn term(kind: &str) -> Term {
    toml::from_str(&format!("kind = \"{kind}\"")).unwrap()
}

#[test]
fn every_kind_says_what_it_takes() {
    // kind: hidden, needs the teacher, compares predictions with it, has a critic
    let expected = [
        ("lm", [false, false, false, false]),
        ("logits.kl", [false, true, true, false]),
        ("logits.js", [false, true, true, false]),
        ("logits.tv", [false, true, true, false]),
        ("logits.mse", [false, true, true, false]),
        ("logits.wasserstein", [false, true, true, false]),
        ("logits.lens", [true, true, false, false]),
        ("hidden.mse", [true, true, false, false]),
        ("hidden.cosine", [true, true, false, false]),
        ("hidden.wasserstein", [true, true, false, true]),
        ("hidden.sliced-wasserstein", [true, true, false, false]),
        ("hidden.energy", [true, true, false, false]),
        ("hidden.mmd", [true, true, false, false]),
        ("hidden.gaussian-w2", [true, true, false, false]),
        ("hidden.sinkhorn", [true, true, false, false]),
        ("hidden.cka", [true, true, false, false]),
        ("attention.kl", [true, true, false, false]),
    ];
    for (kind, expected) in expected {
        let mut term = term(kind);
        let found = [
            term.is_hidden(),
            term.needs_teacher(),
            term.compares_logits(),
            term.critic().is_some(),
        ];
        assert_eq!(found, expected, "{kind}");
        assert_eq!(term.critic_mut().is_some(), expected[3], "{kind}");
        assert_eq!(term.logits().is_some(), !term.is_hidden(), "{kind}");
        let has_temperature = kind.starts_with("logits.") && kind != "logits.mse";
        assert_eq!(term.temperature().is_some(), has_temperature, "{kind}");
    }
}

#[test]
fn states_are_projected_for_every_loss_but_those_that_take_any_width() {
    for (kind, is_projected) in [
        ("lm", false),
        ("hidden.mse", true),
        ("hidden.wasserstein", true),
        ("hidden.energy", true),
        ("hidden.cka", false),
        ("attention.kl", false),
    ] {
        assert_eq!(term(kind).is_projected(), is_projected, "{kind}");
    }
}

#[test]
fn only_divergences_of_predictions_are_in_nats() {
    assert_eq!(term("lm").nats_scale(None), Some(1.0));
    assert_eq!(term("logits.kl").nats_scale(Some(2.0)), Some(4.0));
    assert_eq!(term("logits.js").nats_scale(Some(2.0)), Some(4.0));
    for kind in ["logits.tv", "logits.mse", "logits.wasserstein"] {
        assert_eq!(term(kind).nats_scale(Some(2.0)), None, "{kind}");
    }
    assert_eq!(term("hidden.mse").nats_scale(None), None);
}
