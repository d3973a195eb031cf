use super::*;

fn documents(count: u64) -> impl Iterator<Item = Document> {
    (0..count).map(|index| generate(1, "test", index))
}

#[test]
fn a_document_depends_on_seed_split_and_index_alone() {
    let first = generate(1, "train", 7);
    assert_eq!(generate(1, "train", 7), first);
    for other in [
        generate(2, "train", 7),
        generate(1, "test", 7),
        generate(1, "train", 8),
    ] {
        assert_ne!(other.text, first.text);
    }
}

#[test]
fn a_story_reads_as_pinned_here() {
    assert_eq!(
        generate(0, "train", 0).text,
        "In a quiet country, near the valley there lived a proud rabbit named Lena. Her best \
         friend was a grumpy beaver named Theo. Not far away lived a greedy bear named Conrad, \
         who kept a copper spoon. Nobody but Theo ever talked about the spoon.\n\
         The greedy bear still had the spoon. \"Come with me to the tower,\" explained Lena to \
         Theo. \"I want the spoon,\" shouted Theo to Conrad. He frowned and waited. \"I am \
         afraid,\" repeated Theo to the proud rabbit.\n\
         That night Lena went home to the valley, and Theo slept."
    );
}

#[test]
fn every_text_has_one_parse_with_the_probability_it_was_generated_with() {
    for document in documents(3000) {
        let parses = score::parses(&document.text);
        assert_eq!(parses.len(), 1, "{}", document.text);
        assert!(
            (log_probability(&document.text) - document.log_probability).abs() < 1e-9,
            "{}",
            document.text
        );
    }
}

#[test]
fn a_text_that_was_changed_anywhere_is_another_or_none() {
    for document in documents(20) {
        let words: Vec<&str> = document.text.split(' ').collect();
        for cut in 0..words.len() {
            let mut fewer = words.clone();
            fewer.remove(cut);
            let fewer = fewer.join(" ");
            let p = log_probability(&fewer);
            assert!(
                p == f64::NEG_INFINITY || p != document.log_probability,
                "{fewer}"
            );
        }
        for cut in (0..document.text.len()).step_by(7) {
            assert_eq!(
                log_probability(&document.text[..cut]),
                f64::NEG_INFINITY,
                "{}",
                &document.text[..cut]
            );
            let mut bytes = document.text.clone().into_bytes();
            bytes[cut] = b'#';
            assert_eq!(
                log_probability(&String::from_utf8(bytes).unwrap()),
                f64::NEG_INFINITY
            );
        }
        assert_eq!(
            log_probability(&(document.text.clone() + " ")),
            f64::NEG_INFINITY
        );
        assert_eq!(
            log_probability(&(document.text.clone() + &document.text)),
            f64::NEG_INFINITY
        );
    }
    assert_eq!(log_probability(""), f64::NEG_INFINITY);
    assert_eq!(log_probability("Wörter"), f64::NEG_INFINITY);
}

#[test]
fn agreement_is_part_of_the_grammar() {
    let broken = |text: &str, right: &str, wrong: &str| {
        assert!(text.contains(right), "{text}");
        log_probability(&text.replacen(right, wrong, 1))
    };
    let past = documents(1000)
        .find(|document| document.text.contains(" were ") && document.text.contains("lived"))
        .unwrap();
    assert_eq!(broken(&past.text, " were ", " was "), f64::NEG_INFINITY);
    assert_eq!(broken(&past.text, " were ", " are "), f64::NEG_INFINITY);
    let hers = documents(1000)
        .find(|document| document.text.contains(" She "))
        .unwrap();
    assert_eq!(broken(&hers.text, " She ", " He "), f64::NEG_INFINITY);
}

#[test]
fn the_entropy_is_the_mean_of_minus_ln_p() {
    let surprises: Vec<f64> = documents(20_000)
        .map(|document| -document.log_probability)
        .collect();
    let count = surprises.len() as f64;
    let mean = surprises.iter().sum::<f64>() / count;
    let deviation = (surprises
        .iter()
        .map(|nats| (nats - mean).powi(2))
        .sum::<f64>()
        / (count - 1.0))
        .sqrt();
    let error = (mean - entropy()) / (deviation / count.sqrt());
    assert!(
        error.abs() < 4.0,
        "mean {mean}, entropy {}, {error} standard errors apart",
        entropy()
    );
    assert!(
        deviation / count.sqrt() < 0.005 * mean,
        "the comparison means something"
    );
}

#[test]
fn documents_are_short_and_words_few() {
    let mut lengths: Vec<usize> = documents(2000)
        .map(|document| document.text.split_whitespace().count())
        .collect();
    lengths.sort_unstable();
    assert!(
        lengths[0] >= 50 && lengths[1999] <= 260,
        "{} to {}",
        lengths[0],
        lengths[1999]
    );
    assert!(
        lengths[20] >= 60 && lengths[1980] <= 210,
        "{} to {}",
        lengths[20],
        lengths[1980]
    );
    let words: std::collections::BTreeSet<String> = documents(2000)
        .flat_map(|document| {
            document
                .text
                .split_whitespace()
                .map(str::to_lowercase)
                .collect::<Vec<_>>()
        })
        .collect();
    assert!((400..2000).contains(&words.len()), "{}", words.len());
}

#[test]
fn probabilities_of_ranks_add_up_to_one() {
    for count in [2, 7, 22, 31] {
        let sum: f64 = (0..count).map(|rank| ln_rank(rank, count).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{count}: {sum}");
    }
}
