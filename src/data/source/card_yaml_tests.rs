//! Tests of `card_yaml.rs`.

use super::*;

fn text(text: &str) -> Yaml {
    Yaml::Text(text.to_owned())
}

#[test]
fn scalars_stay_what_was_written_and_nothing_is_nothing() {
    let read = Yaml::read("a: no\nb: 2019\nc: ~\nd:\ne: \"\"\nf: 'x'\ng: [1, two]\n").unwrap();
    assert_eq!(read.get("a"), Some(&text("no")));
    assert_eq!(read.get("b"), Some(&text("2019")));
    assert_eq!((read.get("c"), read.get("d")), (None, None));
    assert_eq!(read.get("e"), Some(&text("")));
    assert_eq!(read.get("f").and_then(Yaml::text), Some("x"));
    assert_eq!(
        read.get("g"),
        Some(&Yaml::List(vec![text("1"), text("two")]))
    );
    assert_eq!(Yaml::read("").unwrap(), Yaml::Nothing);
}

#[test]
fn aliases_and_merge_keys_are_followed() {
    let read = Yaml::read("x: &x {a: 1, b: 2}\ny: *x\nz:\n  <<: *x\n  b: 3\n").unwrap();
    assert_eq!(read.get("x"), read.get("y"));
    let z = read.get("z").unwrap();
    assert_eq!(
        (z.get("a"), z.get("b")),
        (Some(&text("1")), Some(&text("3")))
    );
}

#[test]
fn what_is_no_yaml_or_stands_for_too_much_is_refused() {
    let refusal = |text: &str| format!("{:#}", Yaml::read(text).unwrap_err());
    assert!(refusal("a: [1\nb: 2").starts_with("it is not YAML"));
    assert_eq!(
        refusal("a: 1\na: 2"),
        "it has the key \"a\" twice in one place"
    );
    assert_eq!(refusal("[a]: 1"), "it has a key that is no text");
    // Lines of aliases, each ten times the one before.
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        bomb += &format!(
            "a{level}: &a{level} [{}]\n",
            [below.as_str(); 10].join(", ")
        );
    }
    assert_eq!(refusal(&bomb), "it has more than 1048576 values");
    let deep = "[".repeat(70);
    assert_eq!(refusal(&deep), "it is more than 64 levels deep");
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..70 {
        chain += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert_eq!(refusal(&chain), "it is more than 64 levels deep");
}
