//! Tests of `model_types.rs` against the table of transformers 5.24, as
//! `tests/reference/folders.json` has it.

use std::collections::BTreeMap;

use super::*;

#[derive(serde::Deserialize)]
struct RegisteredTable {
    registered: BTreeMap<String, String>,
}

#[test]
fn every_kind_of_model_has_the_class_that_transformers_has_for_it() {
    let text = include_str!("../../../tests/reference/folders.json");
    let RegisteredTable { registered } = serde_json::from_str(text).unwrap();
    let mut known = 0;
    for (class, model_types) in &registered {
        let expected = match class.as_str() {
            "GPT2Tokenizer" => RegisteredClass::Gpt2,
            "TokenizersBackend" => RegisteredClass::Whole,
            _ => RegisteredClass::Other,
        };
        for model_type in model_types.split(' ') {
            let found = RegisteredClass::of(model_type);
            assert_eq!(found, Some(expected), "{model_type}");
            known += 1;
        }
    }
    let listed = [GPT2, WHOLE, OTHERS].map(|list| list.split(' ').count());
    assert_eq!(listed.iter().sum::<usize>(), known, "and none more");
    assert_eq!(RegisteredClass::of("my_own"), None);
    assert_eq!(RegisteredClass::of(""), None);
}
