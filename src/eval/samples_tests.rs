//! Tests of `samples.rs`.

use super::*;

#[test]
fn prompts_begin_at_evenly_spaced_long_documents() {
    let documents: Vec<usize> = vec![0, 100, 110, 200, 300, 310, 400];
    // Long enough for 24 + 40 tokens: those at 0, 110, 200, 310 and 400.
    assert_eq!(prompt_starts(500, &documents, 2, 40), [0, 200]);
    assert_eq!(
        prompt_starts(500, &documents, 5, 40),
        [0, 110, 200, 310, 400]
    );
}

#[test]
fn one_long_document_gives_evenly_spaced_prompts() {
    assert_eq!(prompt_starts(1064, &[0], 4, 40), [0, 250, 500, 750]);
    assert_eq!(prompt_starts(30, &[0], 2, 40), [0, 0]);
    assert!(prompt_starts(20, &[0], 2, 40).is_empty());
}

#[test]
fn markdown_shows_every_text_in_a_fence_that_holds() {
    let sample = TextSample {
        prompt: "Once".into(),
        reference: " upon\n".into(),
        teacher: Some(" a ```".into()),
        student: " time".into(),
    };
    let page = samples_markdown(&[sample]);
    assert_eq!(
        page,
        "# Samples\n\n## Prompt 1\n\n```text\nOnce\n```\n\nThe test text goes \
             on:\n\n```text\n upon\n```\n\nThe teacher:\n\n````text\n a ```\n````\n\nThe \
             student:\n\n```text\n time\n```\n"
    );
}
