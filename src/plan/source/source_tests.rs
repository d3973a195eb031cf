//! Tests of `source.rs`.

use super::*;

fn parse(text: &str) -> Result<SpecNode, Vec<Diagnostic>> {
    SpecText::new("a.toml", text, Path::new("")).parse()
}

#[test]
fn every_key_and_value_knows_its_place() {
    let text = "seed = 0\n[train.lr]\npeak = 5e-4\n[loss.kl]\nweight = { shape = \"linear\", \
                    from = 1 }\n[[grid.exclude]]\narm = \"a\"\ngrid.x = [1, 2]\n";
    let root = parse(text).unwrap();
    let peak = root
        .get("train")
        .unwrap()
        .get("lr")
        .unwrap()
        .get("peak")
        .unwrap();
    assert_eq!(
        (&text[peak.key.clone()], &text[peak.value.clone()]),
        ("peak", "5e-4")
    );
    let lr = root.get("train").unwrap().get("lr").unwrap();
    assert_eq!(&text[lr.key.clone()], "lr");
    let shape = root
        .get("loss")
        .unwrap()
        .get("kl")
        .unwrap()
        .get("weight")
        .unwrap()
        .get("shape")
        .unwrap();
    assert_eq!(
        (&text[shape.key.clone()], &text[shape.value.clone()]),
        ("shape", "\"linear\"")
    );
    let Content::List(excludes) = &root.get("grid").unwrap().get("exclude").unwrap().content else {
        panic!()
    };
    assert_eq!(
        &text[excludes[0].get("arm").unwrap().value.clone()],
        "\"a\""
    );
}

#[test]
fn hostile_text_gives_an_error_and_never_a_panic() {
    let deep = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let dotted = format!("{}a = 1", "a.".repeat(100_000));
    let header = format!("[{}a]", "a.".repeat(100_000));
    let inline = format!("x = {}", "{a=".repeat(100_000));
    for text in [
        &deep,
        &dotted,
        &header,
        &inline,
        "x = 1979-05-27",
        "x = nan",
        "x = inf",
        "=",
        "[",
        "\u{0}",
        "a = \"",
        "a=1\na=2",
    ] {
        let wrong = parse(text).unwrap_err();
        assert!(!wrong.is_empty());
    }
}

#[test]
fn values_are_written_as_toml_that_reads_back() {
    for text in [
        "\"a \\\"b\\\" \\u001b\"",
        "1.0",
        "1e-8",
        "1e300",
        "-3",
        "true",
        "[1, [2.5, \"x\"]]",
        "{ a = 1, \"b c\" = { d = 2 } }",
        "{}",
    ] {
        let first = parse(&format!("x = {text}"))
            .unwrap()
            .get("x")
            .unwrap()
            .toml();
        let second = parse(&format!("x = {first}"))
            .unwrap()
            .get("x")
            .unwrap()
            .toml();
        assert_eq!(first, second);
    }
}
