//! A student that leaves its study: the folder for the hub, and GGUF.

use std::collections::BTreeMap;
use std::path::Path;

use kdpipe::model::Weights;

use crate::builder::TestSite;

/// Numbers of a GGUF file, read one after another.
struct Bytes<'a>(&'a [u8], usize);

impl Bytes<'_> {
    fn take(&mut self, count: usize) -> &[u8] {
        self.1 += count;
        &self.0[self.1 - count..self.1]
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn u64(&mut self) -> usize {
        u64::from_le_bytes(self.take(8).try_into().unwrap()) as usize
    }

    fn text(&mut self) -> String {
        let length = self.u64();
        String::from_utf8(self.take(length).to_vec()).unwrap()
    }

    /// A value in words; of a list its length and its first entry.
    fn value(&mut self, kind: u32) -> String {
        match kind {
            4 | 5 => self.u32().to_string(),
            6 => f32::from_bits(self.u32()).to_string(),
            7 => (self.take(1)[0] == 1).to_string(),
            8 => self.text(),
            9 => {
                let (kind, length) = (self.u32(), self.u64());
                let all: Vec<String> = (0..length).map(|_| self.value(kind)).collect();
                format!("{length}: {}", all.first().map_or("", String::as_str))
            }
            other => panic!("the type {other}"),
        }
    }
}

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Keys and tensors of a GGUF file, the fastest dimension first.
fn read_gguf(path: &Path) -> (BTreeMap<String, String>, Tensors) {
    let bytes = std::fs::read(path).unwrap();
    let mut read = Bytes(&bytes, 0);
    assert_eq!(read.take(4), b"GGUF");
    assert_eq!(read.u32(), 3, "the version");
    let (tensors, keys) = (read.u64(), read.u64());
    let keys = (0..keys).map(|_| {
        let (key, kind) = (read.text(), read.u32());
        (key, read.value(kind))
    });
    let keys: BTreeMap<String, String> = keys.collect();
    let infos: Vec<(String, Vec<usize>, usize)> = (0..tensors)
        .map(|_| {
            let (name, dimensions) = (read.text(), read.u32());
            let shape = (0..dimensions).map(|_| read.u64()).collect();
            assert_eq!(read.u32(), 0, "f32");
            (name, shape, read.u64())
        })
        .collect();
    let start = read.1.next_multiple_of(32);
    let tensors = infos.into_iter().map(|(name, shape, offset)| {
        assert_eq!(offset % 32, 0);
        let count: usize = shape.iter().product();
        let values = bytes[start + offset..][..4 * count].chunks_exact(4);
        let values = values.map(|one| f32::from_le_bytes(one.try_into().unwrap()));
        (name, (shape, values.collect()))
    });
    (keys, tensors.collect())
}

/// The tiny study with one arm, run.
fn run_study() -> (TestSite, String) {
    let site = TestSite::tiny(&[(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\"]",
    )]);
    site.kdpipe("run study.toml").code(0);
    let runs = std::fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let id = runs.map(|run| run.unwrap().file_name()).next().unwrap();
    let run = format!("results/tiny/runs/{}", id.to_string_lossy());
    (site, run)
}

/// It is long because it looks at every file.
#[test]
fn a_student_is_exported_with_a_card_that_says_how_good_it_is_and_as_gguf() {
    let (site, run) = run_study();
    let done = site
        .kdpipe(&format!("export {run} student --gguf --json"))
        .code(0);
    let told: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let files: Vec<&str> = told["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|file| file.as_str())
        .collect();
    assert_eq!(
        files,
        [
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
            "model-f32.gguf",
            "README.md",
        ]
    );
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        let of = |folder: &str| std::fs::read(site.path(&format!("{folder}/{file}"))).unwrap();
        assert_eq!(of("student"), of(&format!("{run}/student")), "{file}");
    }
    let card = std::fs::read_to_string(site.path("student/README.md")).unwrap();
    let id = run.rsplit('/').next().unwrap();
    for text in [
        "---\nlibrary_name: transformers\n",
        "model-index:\n- name: \"student\"\n",
        "      type: synthetic\n",
        "    - type: perplexity\n      value: ",
        "## How it was made",
        "## Data",
        "stories of the embedded grammar",
        &format!("The run's name `{id}` is a hash of everything"),
        "| loss, nats per token | ",
        " ± ",
        "95 % interval over the n = ",
        "## How to load it",
        "llama-completion -m model-f32.gguf",
    ] {
        assert!(card.contains(text), "no {text} in {card}");
    }
    assert_eq!(card.matches("\n---\n").count(), 1, "one head");
    // It is a model like another.
    site.kdpipe("generate student --prompt The --max-new-tokens 3")
        .code(0);
    let (keys, tensors) = read_gguf(&site.path("student/model-f32.gguf"));
    for (key, value) in [
        ("general.architecture", "gpt2"),
        ("general.name", "student"),
        ("gpt2.block_count", "2"),
        ("gpt2.context_length", "16"),
        ("gpt2.embedding_length", "12"),
        ("gpt2.feed_forward_length", "48"),
        ("gpt2.attention.head_count", "2"),
        ("gpt2.attention.layer_norm_epsilon", "0.00001"),
        ("tokenizer.ggml.model", "gpt2"),
        ("tokenizer.ggml.pre", "gpt-2"),
        ("tokenizer.ggml.tokens", "300: !"),
        ("tokenizer.ggml.token_type", "300: 1"),
        ("tokenizer.ggml.eos_token_id", "299"),
    ] {
        assert_eq!(keys.get(key).map(String::as_str), Some(value), "{key}");
    }
    let (_, weights) = Weights::read(&site.path("student")).unwrap();
    assert_eq!(tensors.len(), weights.arrays.len());
    let embedding = &weights.arrays["wte.weight"];
    assert_eq!(
        tensors["token_embd.weight"],
        (vec![12, 300], embedding.values.clone())
    );
    // Coordinates of the input are columns there, and rows here.
    let (shape, values) = &tensors["blk.1.attn_qkv.weight"];
    assert_eq!(shape, &[12, 36]);
    let ours = &weights.arrays["h.1.attn.c_attn.weight"];
    for input in 0..12 {
        for output in 0..36 {
            assert_eq!(
                values[output * 12 + input],
                ours.values[input * 36 + output]
            );
        }
    }
}

#[test]
fn what_cannot_be_exported_is_refused_with_what_to_do() {
    let (site, run) = run_study();
    let refused = |arguments: &str| site.kdpipe(&format!("export {arguments}")).code(2).error;
    std::fs::create_dir(site.path("full")).unwrap();
    site.write("full/mine.txt", b"work");
    assert!(
        refused(&format!("{run} full")).contains("full has something in it; give a new folder")
    );
    assert!(refused("results/tiny new").contains("is no run of a study"));
    std::fs::remove_file(site.path(&format!("{run}/student/model.safetensors"))).unwrap();
    let told = refused(&format!("{run} new"));
    assert!(told.contains("kdpipe run SPEC --weights"), "{told}");
    assert!(!site.path("new").exists());
}
