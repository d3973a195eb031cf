//! What only the inputs show: shapes of models and sizes of vocabularies that do not fit together.

use kdpipe::plan::path::InputPath;
use kdpipe::plan::run::{DatasetSpec, TeacherSpec, TokenizerSpec};
use kdpipe::plan::{DatasetFact, Fact, Inputs, TeacherFact, TokenizerFact};

use crate::plan::{Folder, RICH};

/// A teacher of 4 layers of 64, 4 heads, 32 positions and so many rows; a student of 2 layers and
/// as many rows; a tokenizer.
struct SmallInputs {
    rows: usize,
    tokens: usize,
    /// Of them, those that were added behind the vocabulary.
    added: usize,
}

impl SmallInputs {
    /// Of the tokens, two were added.
    fn of(rows: usize, tokens: usize) -> Self {
        Self {
            rows,
            tokens,
            added: 2,
        }
    }
}

impl Inputs for SmallInputs {
    fn dataset(&self, _: &DatasetSpec) -> Fact<DatasetFact> {
        Fact::Bad("dataset.test has no text; write some".to_owned())
    }

    fn tokenizer(&self, _: &DatasetSpec, _: &TokenizerSpec) -> Fact<TokenizerFact> {
        Fact::Known(TokenizerFact {
            fingerprint: "t".to_owned(),
            vocabulary: Some(self.tokens),
            own: Some(self.tokens - self.added),
        })
    }

    fn teacher(&self, _: &TeacherSpec) -> Fact<TeacherFact> {
        Fact::Known(TeacherFact {
            fingerprint: "m".to_owned(),
            layers: 4,
            width: 64,
            heads: 4,
            positions: 32,
            vocabulary: Some(self.rows),
            inner: 256,
            tied: true,
        })
    }

    fn student(&self, _: &InputPath) -> Fact<TeacherFact> {
        Fact::Known(TeacherFact {
            fingerprint: "s".to_owned(),
            layers: 2,
            width: 64,
            heads: 4,
            positions: 16,
            vocabulary: Some(self.rows),
            inner: 256,
            tied: true,
        })
    }
}

/// The messages with their lines, where the inputs are small.
fn refusals(folder: &Folder, set: &[&str]) -> Vec<(String, usize)> {
    let loaded = folder.load("study.toml", set, &[]).expect("a study");
    let inputs = SmallInputs {
        rows: 300,
        tokens: 280,
        added: 0,
    };
    let mistakes = loaded.resolve(&inputs).expect_err("a refusal");
    mistakes
        .0
        .into_iter()
        .map(|one| (one.message, one.place.map_or(0, |place| place.line)))
        .collect()
}

#[test]
fn what_only_the_inputs_show_is_refused_with_both_numbers() {
    let folder = Folder::new(&RICH.replace(
        "source = \"train\"\nlayers = 6\nwidth = 96\nheads = 6",
        "source = \"dir\"\npath = \"there\"",
    ));
    let refused = |set: &[&str], expected: &[&str]| {
        let told = refusals(&folder, set);
        for message in expected {
            assert!(
                told.iter().any(|(own, line)| own == message && *line > 0),
                "{message}\n{told:?}"
            );
        }
    };
    refused(
        &["tokenizer={ source = \"dir\", path = \"there\" }"],
        &[
            "the tokenizer has 280 tokens, and the teacher's vocabulary 300",
            "train.context = 128 is longer than the teacher's 32 positions",
            "evaluate.context = 128 is longer than the teacher's 32 positions",
        ],
    );
    refused(
        &["match.strategy=last", "student.layers=5"],
        &[
            "match.strategy = \"last\" needs a student no deeper than its teacher: 5 layers \
             against 4",
        ],
    );
    refused(
        &["student.init=teacher"],
        &[
            "student.init = \"teacher\" with student.width = 96 and a teacher of width 64",
            "student.init = \"teacher\" with student.heads = 6 and a teacher of heads 4",
        ],
    );
    refused(
        &[
            "student.init=dir",
            "student.init_dir=there",
            "tokenizer={ source = \"dir\", path = \"there\" }",
        ],
        &[
            "student.layers = 3, and the model in student.init_dir has 2",
            "the tokenizer has 280 tokens, and the model in student.init_dir a vocabulary of 300",
            "the teacher has 32 positions, and the model in student.init_dir 16",
        ],
    );
    refused(
        &["dataset={ source = \"text\", train = [\"a\"], validation = [\"b\"], test = [\"c\"] }"],
        &["dataset.test has no text; write some"],
    );
}

#[test]
fn a_teacher_with_padded_rows_or_none_for_added_tokens_fits_its_tokenizer() {
    let folder = Folder::new(&RICH.replace(
        "source = \"train\"\nlayers = 6\nwidth = 96\nheads = 6",
        "source = \"dir\"\npath = \"there\"",
    ));
    let set = [
        "tokenizer={ source = \"dir\", path = \"there\" }",
        "student.init=dir",
        "student.init_dir=there",
    ];
    let told = |tokens: usize, rows: usize| {
        let wrong = folder
            .load("study.toml", &set, &[])
            .expect("a study")
            .resolve(&SmallInputs::of(rows, tokens))
            .expect_err("contexts are too long anyway");
        wrong
            .0
            .into_iter()
            .map(|one| one.message)
            .filter(|message| message.contains("vocabulary"))
            .collect::<Vec<_>>()
    };
    for (tokens, rows) in [
        (300, 300),
        (50_257, 50_264),
        (50_257, 50_304),
        (280, 288),
        (300, 384),
        // Tokens that were added, for which the model has no rows.
        (300, 299),
        (300, 298),
    ] {
        assert!(told(tokens, rows).is_empty(), "{tokens} {rows}");
    }
    for (tokens, rows) in [
        (300, 297),
        (299, 300),
        (280, 300),
        (2048, 50_257),
        (300, 512),
        (50_304, 50_257),
    ] {
        let expected = [
            format!("the tokenizer has {tokens} tokens, and the teacher's vocabulary {rows}"),
            format!(
                "the tokenizer has {tokens} tokens, and the model in student.init_dir a \
                 vocabulary of {rows}"
            ),
        ];
        assert!(
            expected
                .iter()
                .all(|message| told(tokens, rows).contains(message)),
            "{:?}",
            told(tokens, rows)
        );
    }
}
