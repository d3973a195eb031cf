//! A spec of any bytes is a plan or a list of mistakes: parsing, checking, the grid, resolution.
#![no_main]

mod folder;

use kdpipe::spec::path::InputPath;
use kdpipe::spec::run::{Dataset, Teacher, Tokenizer};
use kdpipe::spec::{DatasetFact, Fact, Inputs, Options, TeacherFact, TokenizerFact, load};
use libfuzzer_sys::fuzz_target;

/// Inputs that are all there.
struct There;

impl There {
    fn model() -> Fact<TeacherFact> {
        Fact::Unknown("a fuzzer has no models".to_owned())
    }
}

impl Inputs for There {
    fn dataset(&self, _: &Dataset) -> Fact<DatasetFact> {
        Fact::Known(DatasetFact { fingerprint: "d".to_owned() })
    }

    fn tokenizer(&self, _: &Dataset, _: &Tokenizer) -> Fact<TokenizerFact> {
        Fact::Known(TokenizerFact { fingerprint: "t".to_owned(), vocabulary: Some(300) })
    }

    fn teacher(&self, _: &Teacher) -> Fact<TeacherFact> {
        Self::model()
    }

    fn student(&self, _: &InputPath) -> Fact<TeacherFact> {
        Self::model()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let path = folder::put("study.toml", bytes);
    let options = Options { set: Vec::new(), environment: Vec::new(), working_folder: folder::FOLDER.clone() };
    match load(&path, &options).and_then(|loaded| loaded.resolve(&There)) {
        Ok(plan) => {
            for cell in &plan.cells {
                assert!(cell.run < plan.runs.len());
            }
        }
        Err(diagnostics) => {
            let text = diagnostics.render(false);
            assert!(text.contains("error"), "{text}");
        }
    }
});
