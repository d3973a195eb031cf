//! Tests of `names.rs`.

use super::*;

#[test]
fn a_name_says_what_an_array_is() {
    for (written, expected) in [
        ("wte.weight", ArrayKind::Own("wte.weight")),
        ("transformer.h.3.ln_1.bias", ArrayKind::Own("h.3.ln_1.bias")),
        ("transformer.wpe.weight", ArrayKind::Own("wpe.weight")),
        ("transformer.anything", ArrayKind::Own("anything")),
        ("lm_head.bias", ArrayKind::Own("lm_head.bias")),
        ("transformer.h.0.attn.bias", ArrayKind::Mask),
        ("h.0.attn.masked_bias", ArrayKind::Mask),
        ("score.weight", ArrayKind::Foreign),
        ("v_head.summary.weight", ArrayKind::Foreign),
        ("module.wte.weight", ArrayKind::Foreign),
        ("head", ArrayKind::Foreign),
    ] {
        assert_eq!(kind(written), expected, "{written}");
    }
}

#[test]
fn of_a_long_list_the_first_are_shown_and_the_rest_counted() {
    let words: Vec<String> = (0..5).map(|i| i.to_string()).collect();
    assert_eq!(listed(&words[..3], "; "), "0; 1; 2");
    assert_eq!(listed(&words, "; "), "0; 1; 2; and 2 more");
    assert_eq!(listed(&[], "; "), "");
}
