//! Tests of `newer.rs` against tokenizers 1.0.0rc3: `tests/reference/newer.json`, which `newer.py`
//! beside it writes.

use super::super::codec::Tokenizer;
use super::*;

const REFERENCE: &str = include_str!("../../../tests/reference/newer.json");

fn reference() -> Value {
    serde_json::from_str(REFERENCE).unwrap()
}

/// The tokenizer of a folder with this tokenizer.json, which PreTrainedTokenizerFast takes whole.
fn opened(file: &Value) -> Result<Tokenizer> {
    let folder = tempfile::tempdir().unwrap();
    let config = r#"{"tokenizer_class": "PreTrainedTokenizerFast"}"#;
    std::fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), file.to_string()).unwrap();
    Tokenizer::open(folder.path())
}

#[test]
fn the_form_of_tokenizers_1_gives_the_ids_that_it_gives_there() {
    let reference = reference();
    let text = reference["text"].as_str().unwrap();
    for case in reference["cases"].as_array().unwrap() {
        let name = &case["name"];
        let tokenizer = opened(&case["file"]).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let found = tokenizer.encode_with_specials(text).unwrap();
        assert_eq!(
            json!(tokenizer.frame().around(found)),
            case["ids"],
            "{name}"
        );
    }
}

#[test]
fn what_the_older_form_has_no_words_for_is_refused_by_name() {
    let refusal = |change: &dyn Fn(&mut Value)| {
        let mut file = reference()["cases"][4]["file"].clone();
        change(&mut file);
        format!("{:#}", opened(&file).unwrap_err())
    };
    for (change, expected) in [
        (
            &(|f: &mut Value| f["model"]["byte_level"] = json!(false)) as &dyn Fn(&mut Value),
            "does not have byte_level = true",
        ),
        (
            &|f| f["role_to_token"] = json!({"eos": "<a>"}),
            "its role_to_token is not followed here; name the tokens in tokenizer_config.json",
        ),
        (
            &|f| f["post_processor"]["single"][0]["ids"] = json!([7000]),
            "its post_processor has the id 7000, which no token has",
        ),
        (
            &|f| f["post_processor"]["single"][0] = json!({"what": 1}),
            "which is neither a text nor ids",
        ),
        (
            &|f| f["post_processor"]["type"] = json!("RobertaProcessing"),
            "its post_processor is \"RobertaProcessing\", not TemplateProcessing",
        ),
    ] {
        let said = refusal(change);
        let form = "cannot be used: it has the form of tokenizers 1.0 (\"version\": \"2.0\"): ";
        assert!(said.contains(form) && said.contains(expected), "{said}");
    }
    assert!(refusal(&|f| f["version"] = json!("3.0")).contains("\"1.0\" and \"2.0\" are read"));
}

#[test]
fn a_student_gets_the_form_that_both_libraries_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = reference()["cases"][0]["file"].to_string();
    std::fs::write(folder.path().join("tokenizer.json"), file).unwrap();
    let read = super::super::files::TokenizerFile::read(folder.path()).unwrap();
    let (name, kept) = read.kept.files().next().unwrap();
    let kept: Value = serde_json::from_str(kept).unwrap();
    assert_eq!((name, &kept["version"]), ("tokenizer.json", &json!("1.0")));
    assert_eq!(kept["pre_tokenizer"], byte_level(false));
    assert_eq!(kept["decoder"], byte_level(false));
    assert!(kept["model"].get("byte_level").is_none());
    assert_eq!(
        in_older_form("{ \"version\": \"1.0\" }".to_owned()).unwrap(),
        "{ \"version\": \"1.0\" }",
        "the older form stays byte for byte"
    );
}
