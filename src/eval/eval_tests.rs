//! Tests of `mod.rs`.

use super::*;
use crate::model::Config;
use crate::ops::Cpu;
use crate::plan::run::{SamplesSpec, TokenPairing};
use crate::random::Stream;

/// 400 tokens, in documents of 100 that end with token 0.
fn four_documents() -> Vec<u32> {
    let mut stream = Stream::new(1, "test", 0);
    (0..400)
        .map(|i| {
            if i % 100 == 99 {
                0
            } else {
                1 + stream.below(28) as u32
            }
        })
        .collect()
}

fn settings() -> EvaluateSpec {
    EvaluateSpec {
        context: 32,
        stride: 16,
        samples: SamplesSpec {
            prompts: 2,
            tokens: 40,
        },
        probe_tokens: 100,
        directions: 8,
        embed_tokens: 20,
        treatment_tokens: 32,
        tasks: BTreeMap::new(),
    }
}

fn protocol() -> Protocol {
    Protocol {
        context: 32,
        stride: 16,
        rows: "text".into(),
        detokenize: "none".into(),
        tokenizer: "hash".into(),
        trained_on_train_split: Some(true),
    }
}

/// Evaluates a student of two layers, against a teacher of three or alone, with so many threads.
fn evaluated(with_teacher: bool, threads: usize) -> Evaluated {
    watched(with_teacher, threads, &Unwatched).unwrap()
}

fn watched(with_teacher: bool, threads: usize, watch: &dyn EvaluationWatch) -> Result<Evaluated> {
    let device = Cpu::default();
    let (own, other) = (Config::new(2, 12, 2, 29, 64), Config::new(3, 18, 3, 29, 64));
    let model = Gpt2::from_weights(&device, &own, &test_gpt2_f64::sharp_weights(&own, 1)).unwrap();
    let teacher =
        Gpt2::from_weights(&device, &other, &test_gpt2_f64::sharp_weights(&other, 2)).unwrap();
    let test = four_documents();
    let decode = |tokens: &[u32]| {
        Ok(tokens
            .iter()
            .map(|&token| char::from(b'a' + token as u8 % 26))
            .collect())
    };
    let inputs = EvaluationInputs {
        model: &model,
        teacher: with_teacher.then_some(&teacher),
        test: Text {
            tokens: &test,
            documents: &[0, 100, 200, 300],
            words: 300,
            bytes: 1600,
        },
        validation: Text {
            tokens: &test[..200],
            documents: &[0, 100],
            words: 150,
            bytes: 800,
        },
        vocabulary: Vocabulary {
            decode: &decode,
            end_of_text: 0,
            stops: &[0],
        },
        settings: &settings(),
        matched: &Matching::Pairs {
            pairs: Vec::new(),
            tokens: TokenPairing::Paired,
        },
        tasks: &BTreeMap::new(),
        protocol: protocol(),
        bytes: 1234,
        training: None,
        source: None,
        shared: None,
        watch,
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(|| evaluate(inputs))
}

/// Counts what is expected and done, and stops when that was asked for so many times.
#[derive(Default)]
struct Counting {
    sums: std::sync::Mutex<[f64; 2]>,
    looks_left: Option<std::sync::atomic::AtomicUsize>,
}

impl EvaluationWatch for Counting {
    fn expect(&self, operations: f64) {
        self.sums.lock().unwrap()[0] += operations;
    }

    fn advance(&self, operations: f64) {
        self.sums.lock().unwrap()[1] += operations;
    }

    fn is_stopped(&self) -> bool {
        use std::sync::atomic::Ordering;
        let Some(left) = &self.looks_left else {
            return false;
        };
        let counted = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        counted.is_err()
    }
}

#[test]
fn a_student_is_compared_with_its_teacher() {
    let found = evaluated(true, 2);
    let teacher = found.evaluation.teacher.as_ref().unwrap();
    assert!(teacher.kl_nats_per_token.unwrap() > 0.1 && teacher.top1 < 0.5);
    let pairs: Vec<(usize, usize)> = teacher
        .layers
        .iter()
        .map(|layer| (layer.student, layer.teacher))
        .collect();
    assert_eq!(pairs, [(1, 2), (2, 3)]);
    assert!(
        teacher
            .layers
            .iter()
            .all(|layer| layer.sliced_w2.is_none() && (0.0..1.0).contains(&layer.cka.unwrap()))
    );
    assert_eq!(found.evaluation.test.documents.len(), 4);
    assert_eq!(found.evaluation.validation.tokens, 200);
    assert_eq!(found.evaluation.model.bytes, 1234);
    assert_eq!(found.samples.len(), 2);
    assert!(
        found
            .samples
            .iter()
            .all(|sample| sample.prompt.len() == 24 && sample.teacher.is_some())
    );
    let counts = ["teacher", "student"].map(|model| {
        found
            .embedding
            .iter()
            .filter(|point| point.model == model)
            .count()
    });
    assert_eq!(counts, [20, 20]);
    assert!(
        found.embedding.iter().all(|point| point.x.is_finite()
            && point.layer == if point.model == "teacher" { 3 } else { 2 })
    );
    // They are from all over the test split, the same of both.
    let places = |model: &str| -> Vec<u32> {
        let of_model = found.embedding.iter().filter(|point| point.model == model);
        of_model.map(|point| point.token).collect()
    };
    let own = places("student");
    assert_eq!(own, places("teacher"));
    let in_part = |part: u32| own.iter().filter(|&&place| place / 134 == part).count();
    assert_eq!([0, 1, 2].map(in_part), [8, 5, 7], "{own:?}");
    // The test text spells its tokens from a on.
    let test = four_documents();
    assert!(found.embedding.iter().all(|point| {
        let letter = char::from(b'a' + test[point.token as usize] as u8 % 26);
        point.text.as_deref() == Some(letter.to_string().as_str())
    }));
}

#[test]
fn a_teacher_alone_has_no_comparison() {
    let found = evaluated(false, 2);
    assert_eq!(found.evaluation.teacher, None);
    assert!(found.samples.iter().all(|sample| sample.teacher.is_none()));
    assert!(found.embedding.iter().all(|point| point.model == "teacher"));
}

#[test]
fn everything_but_time_is_the_same_bits_for_any_number_of_threads() {
    let (one, three) = (evaluated(true, 1), evaluated(true, 3));
    assert_eq!(
        serde_json::to_string(&one.evaluation).unwrap(),
        serde_json::to_string(&three.evaluation).unwrap()
    );
    assert_eq!(one.samples, three.samples);
    assert_eq!(one.embedding, three.embedding);
}

#[test]
fn what_is_stored_reads_back() {
    let found = evaluated(true, 1).evaluation;
    let read: Evaluation = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(
        (
            &read.protocol,
            read.test.scored_tokens,
            read.model.parameters
        ),
        (
            &found.protocol,
            found.test.scored_tokens,
            found.model.parameters
        )
    );
    assert!((read.test.nll_nats_per_token / found.test.nll_nats_per_token - 1.0).abs() < 1e-14);
}

#[test]
fn what_is_expected_is_done_but_for_the_speed_which_is_measured_later() {
    for with_teacher in [true, false] {
        let watch = Counting::default();
        watched(with_teacher, 2, &watch).unwrap();
        let [expected, done] = *watch.sums.lock().unwrap();
        assert!(
            (0.5..=1.01).contains(&(done / expected)),
            "{done} of {expected}"
        );
    }
}

#[test]
fn a_stop_at_any_moment_is_an_end_and_no_result() {
    let mut looks = 0;
    loop {
        let watch = Counting {
            looks_left: Some(looks.into()),
            ..Counting::default()
        };
        match watched(true, 2, &watch) {
            Ok(found) => {
                assert_eq!(found, evaluated(true, 2));
                break;
            }
            Err(error) => assert!(error.is::<EvaluationStopped>(), "{looks}: {error:#}"),
        }
        looks += 1;
    }
    assert!(looks > 20, "{looks} moments");
}
