//! Tests of `ordering.rs`.

use minijinja::{UndefinedBehavior, context};

use super::*;

/// A template of three settings, one of which has no loss.
fn rendered(template: &str) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    add_orderings(&mut environment);
    let row = |arm: &str, nll: Option<f64>| context! { arm, nll, of => context! { steps => 3 } };
    let rows = [
        row("mse", Some(0.83)),
        row("critic", None),
        row("logits", Some(0.81)),
    ];
    let error = |error: Error| error.detail().unwrap_or_default().to_owned();
    environment
        .render_str(template, context! { rows })
        .map_err(error)
}

#[test]
fn a_setting_without_a_result_is_not_the_best() {
    let of_nll = "`nll` of an item is absent and has no place in an order; take those that have \
                  one by selectattr(\"nll\", \"number\")";
    let first = "{{ (rows | sort(attribute=\"nll\") | first).arm }}";
    assert_eq!(rendered(first), Err(of_nll.to_owned()));
    for template in [
        "{{ rows | map(attribute=\"nll\") | min }}",
        "{{ rows | map(attribute=\"nll\") | max }}",
        "{{ rows | selectattr(\"nll\", \"lt\", 0.5) | length }}",
        "{{ rows | selectattr(\"nll\", \">=\", 0.5) | length }}",
    ] {
        let error = rendered(template).unwrap_err();
        assert!(
            error.contains("has no place in an order"),
            "{template}: {error}"
        );
    }
    // An attribute that nothing has is no order either.
    let misspelt = rendered("{{ (rows | sort(attribute=\"of.step\") | first).arm }}").unwrap_err();
    assert!(misspelt.starts_with("`of.step` of an item"), "{misspelt}");
}

#[test]
fn numbers_and_texts_are_put_in_order_as_ever() {
    for (template, expected) in [
        (
            "{{ (rows | selectattr(\"nll\", \"number\") | sort(attribute=\"nll\") | first).arm }}",
            "logits",
        ),
        (
            "{{ rows | sort(attribute=\"arm\", reverse=true) | map(attribute=\"arm\") | join }}",
            "mselogitscritic",
        ),
        (
            "{{ rows | sort(attribute=\"of.steps, arm\") | map(attribute=\"arm\") | first }}",
            "critic",
        ),
        (
            "{{ [3, 1, 2] | min }}{{ [3, 1, 2] | max }}{{ [] | sort }}",
            "13[]",
        ),
        ("{{ [3, 1, 2] | select(\"le\", 2) | sort }}", "[1, 2]"),
        ("{{ 2 is gt 1 }} {{ 2 is lt 1 }}", "True False"),
    ] {
        assert_eq!(rendered(template).as_deref(), Ok(expected), "{template}");
    }
}
