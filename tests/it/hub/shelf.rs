//! What lies on the hub of the tests: a tiny GPT-2 with its tokenizer, and stories as a dataset.

use std::path::Path;
use std::time::Duration;

use kdpipe::data::tokenizer::bpe;
use kdpipe::data::{Dataset, grammar};
use kdpipe::hub::{Hub, Settings};
use kdpipe::model::{Config, Weights};
use kdpipe::plan::run::DatasetSpec;
use kdpipe::random::Seed;
use kdpipe::table::{Column, Table, to_parquet};

use super::server::Server;

pub const MODEL: &str = "models/o/tiny-gpt2";
pub const STORIES: &str = "datasets/o/stories";
/// Tokens of the model.
pub const VOCABULARY: usize = 300;

/// A hub that is this server, with its cache in a folder.
pub fn settings(server: &Server, cache: &Path) -> Settings {
    Settings {
        endpoint: server.address.clone(),
        cache: cache.to_owned(),
        token: None,
        offline: false,
        offline_datasets: false,
        pause: Duration::from_millis(1),
        problem: None,
    }
}

/// The files of a GPT-2 of three layers, width 16, with `positions`.
pub fn model(positions: usize, seed: u64) -> Vec<(&'static str, Vec<u8>)> {
    let offline = Settings {
        endpoint: "http://127.0.0.1:9".to_owned(),
        cache: "none".into(),
        token: None,
        offline: true,
        offline_datasets: true,
        pause: Duration::ZERO,
        problem: None,
    };
    let text = DatasetSpec::Synthetic {
        seed: 0,
        train_words: 4_000,
        validation_words: 10,
        test_words: 10,
        train_tokens: None,
    };
    let hub = Hub::quiet(offline, Vec::new());
    let dataset = Dataset::find(&text, &hub).expect("a dataset");
    let tokenizer = bpe::train(&dataset, VOCABULARY).expect("a tokenizer");
    let config = Config::new(3, 16, 2, VOCABULARY, positions);
    vec![
        ("README.md", b"# A tiny GPT-2\n".to_vec()),
        (
            "config.json",
            config
                .to_json(tokenizer.document_end().unwrap())
                .to_string()
                .into_bytes(),
        ),
        (
            "model.safetensors",
            Weights::random(&config, Seed::Run(seed))
                .to_safetensors()
                .expect("weights"),
        ),
        ("tokenizer.json", tokenizer.json().as_bytes().to_vec()),
        (
            "tokenizer_config.json",
            tokenizer.config_json(positions, None).into_bytes(),
        ),
    ]
}

/// Stories `from` … `to` as a parquet file.
pub fn stories(from: u64, to: u64) -> Vec<u8> {
    let texts = (from..to)
        .map(|index| grammar::generate(5, "train", index).text)
        .collect();
    parquet(texts)
}

/// A parquet file with a column of text and one of numbers.
pub fn parquet(texts: Vec<String>) -> Vec<u8> {
    let numbers = (0..texts.len() as u64).collect();
    to_parquet(
        &Table::new()
            .with("id", Column::U64(numbers))
            .with("text", Column::Text(texts)),
    )
    .expect("parquet")
}

/// A dataset with two files of training and one of each other split.
pub fn splits() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain/train-00000-of-00002.parquet", stories(0, 60)),
        ("plain/train-00001-of-00002.parquet", stories(60, 120)),
        ("plain/validation-00000-of-00001.parquet", stories(120, 130)),
        ("plain/test-00000-of-00001.parquet", stories(130, 145)),
        ("README.md", b"# Stories\n".to_vec()),
    ]
}

/// All of it on a server.
pub fn filled() -> Server {
    let server = Server::start();
    server.commit(MODEL, "main", &model(16, 1));
    server.commit(STORIES, "main", &splits());
    server
}
