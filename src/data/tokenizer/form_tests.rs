//! Tests of `form.rs`.

use super::*;

fn content(pre_tokenizer: Value) -> Value {
    json!({
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": pre_tokenizer,
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    })
}

fn sequence(parts: &[Value]) -> Value {
    json!({"type": "Sequence", "pretokenizers": parts})
}

fn split(regex: &str, behavior: &str, invert: bool) -> Value {
    json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": invert})
}

#[test]
fn a_text_may_be_cut_where_the_form_allows_it() {
    let bare = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false});
    let kept = split(GPT2_CUT, "Isolated", false);
    let dropped = split(GPT2_CUT, "Removed", true);
    let digits = json!({"type": "Digits", "individual_digits": true});
    for (pre_tokenizer, expected) in [
        (byte_level(false), CutRule::Anywhere),
        (sequence(&[byte_level(false)]), CutRule::Anywhere),
        (
            sequence(&[sequence(&[byte_level(false)])]),
            CutRule::Anywhere,
        ),
        (sequence(&[kept.clone(), bare.clone()]), CutRule::Anywhere),
        (sequence(&[dropped, bare.clone()]), CutRule::Anywhere),
        (byte_level(true), CutRule::BeforeSpace),
        (sequence(&[byte_level(true)]), CutRule::BeforeSpace),
        (bare.clone(), CutRule::Nowhere),
        (sequence(&[digits, byte_level(false)]), CutRule::Nowhere),
        (sequence(&[kept, byte_level(false)]), CutRule::Nowhere),
        (
            sequence(&[split(GPT2_CUT, "Removed", false), bare.clone()]),
            CutRule::Nowhere,
        ),
        (
            sequence(&[split(r"\s+", "Isolated", false), bare]),
            CutRule::Nowhere,
        ),
    ] {
        assert_eq!(
            check_form(&content(pre_tokenizer.clone())).unwrap(),
            expected,
            "{pre_tokenizer}"
        );
    }
}

#[test]
fn a_normalizer_keeps_cuts_to_places_that_it_leaves_alone() {
    let with = |normalizer: Value, pre_tokenizer: Value, added: Value| {
        let mut content = content(pre_tokenizer);
        content["normalizer"] = normalizer;
        content["added_tokens"] = added;
        check_form(&content).unwrap()
    };
    let list = |parts: &[Value]| json!({"type": "Sequence", "normalizers": parts});
    let (nfc, strip) = (json!({"type": "NFC"}), json!({"type": "Strip"}));
    let plain = || byte_level(false);
    assert_eq!(with(list(&[]), plain(), json!([])), CutRule::Anywhere);
    assert_eq!(
        with(list(&[list(&[])]), plain(), json!([])),
        CutRule::Anywhere
    );
    assert_eq!(with(nfc.clone(), plain(), json!([])), CutRule::BesideAscii);
    assert_eq!(
        with(list(std::slice::from_ref(&nfc)), plain(), json!([])),
        CutRule::BesideAscii
    );
    assert_eq!(
        with(list(&[nfc.clone(), strip]), plain(), json!([])),
        CutRule::Nowhere
    );
    assert_eq!(
        with(nfc.clone(), byte_level(true), json!([])),
        CutRule::Nowhere
    );
    let normalized = json!([{"id": 3, "content": "AB", "normalized": true}]);
    assert_eq!(with(nfc, plain(), normalized), CutRule::Nowhere);
}

#[test]
fn a_form_that_cannot_be_run_is_refused_by_its_name() {
    let refusal = |change: &dyn Fn(&mut Value)| {
        let mut content = content(byte_level(false));
        change(&mut content);
        format!("{:#}", check_form(&content).unwrap_err())
    };
    let third = refusal(&|c| c["version"] = json!("3.0"));
    assert!(
        third.contains("its version is \"3.0\": \"1.0\" and \"2.0\" are read"),
        "{third}"
    );
    for none in [json!(null), json!({"type": "Metaspace"}), sequence(&[])] {
        let said = refusal(&|c| c["pre_tokenizer"] = none.clone());
        assert!(
            said.contains("its pre_tokenizer has no ByteLevel"),
            "{said}"
        );
    }
    let split = |c: &mut Value| c["pre_tokenizer"] = split(GPT2_CUT, "Isolated", false);
    assert!(refusal(&split).contains("has no ByteLevel"));
}

#[test]
fn gpt2s_class_builds_the_pipeline_anew() {
    let mut plain = content(sequence(&[byte_level(false)]));
    plain["model"]["ignore_merges"] = json!(false);
    let before = plain.clone();
    assert!(
        !rebuild(&mut plain, false) && plain == before,
        "nothing to change"
    );
    let mut other = content(byte_level(true));
    other["normalizer"] = json!({"type": "NFC"});
    other["model"]["ignore_merges"] = json!(true);
    other["model"]["dropout"] = json!(0.5);
    assert!(rebuild(&mut other, false));
    assert_eq!(other["pre_tokenizer"], byte_level(false));
    assert_eq!(other["normalizer"], Value::Null);
    assert_eq!(other["model"]["ignore_merges"], false);
    assert_eq!(check_form(&other).unwrap(), CutRule::Anywhere);
    assert!(rebuild(&mut other, true));
    assert_eq!(check_form(&other).unwrap(), CutRule::BeforeSpace);
}
