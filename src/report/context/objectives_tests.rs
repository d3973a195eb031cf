//! Tests of `objectives.rs`.

use super::*;
use crate::report::test_fixture::{Fixture, StudyShape};

fn words_of(facts: Vec<WordsOfRows>) -> Vec<(String, String)> {
    facts
        .into_iter()
        .map(|fact| (fact.label, fact.words))
        .collect()
}

#[test]
fn rows_that_minimise_the_same_are_told_once() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform", "last"],
        layers: vec![2],
        extras: false,
        ..StudyShape::default()
    });
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let told = words_of(objectives(&data, &analysis));
    let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        told,
        [
            ("mse", "1 hidden (MSE) + 0.5 kl (τ = 2)"),
            ("wasserstein", "1 hidden (Wasserstein) + 0.5 kl (τ = 2)"),
        ]
    );
    assert_eq!(
        words_of(schedules(&data, &analysis)),
        [(
            "all students".to_owned(),
            "400 steps of 4 × 64 tokens (102,400 in all); AdamW, learning rate 0.0005 after a \
             warm-up over 5 %, cosine to 10 % of it; f32; last weights"
                .to_owned()
        )]
    );
}

#[test]
fn schedules_and_forms_are_told_where_they_are_not_the_usual_ones() {
    let term = |text: &str| -> Term { toml::from_str(text).unwrap() };
    let kl = term(
        "kind = \"logits.kl\"\nweight = { shape = \"linear\", from = 1.0, to = 0.25, over = \
         \"20%\" }\ntemperature = { shape = \"step\", from = 4, to = 1, over = 1000 }\ndirection \
         = \"reverse\"\n",
    );
    assert_eq!(
        term_in_words("kl", &kl),
        "[1 to 0.25, linear over 20 %] kl (τ = [4 to 1, at 1,000 steps], reverse)"
    );
    let mse = term("kind = \"hidden.mse\"\nstates = \"layernorm\"\nnormalize = true\n");
    assert_eq!(
        term_in_words("pkd", &mse),
        "1 pkd (MSE, layer-normed, of unit vectors)"
    );
    let lm = term(
        "kind = \"lm\"\nweight = { shape = \"piecewise\", points = [[0, 0.5], [\"50%\", 1]] }\n",
    );
    assert_eq!(term_in_words("lm", &lm), "[0.5 at 0 steps, 1 at 50 %] lm");
}
