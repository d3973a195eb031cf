//! README.md beside a model's weights: what it is, how it was made, how to load it. It is a
//! function of what determines the run, so that the same run has the same bytes: no measurements,
//! no names of studies, no dates.

use anyhow::Result;
use serde_json::Value;

use crate::model::Config;
use crate::plan::run::{Init, InitBlocks, RunSpec, StudentSpec, TeacherSpec, TrainSpec};
use crate::plan::{counted, run_spec_toml};
use crate::record::layout::LOADING_HEADING;

/// What the hub's pages read at the head of a card.
const HEAD: &str = "---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- \
                    gpt2\n- knowledge-distillation\n- kdpipe\n---\n";

/// What stands below [`LOADING_HEADING`]; FOLDER is where the card lies.
const LOADING: &str = r#"
In transformers, where FOLDER is the folder of this page:

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = AutoModelForCausalLM.from_pretrained("FOLDER")
```

In kdpipe:

```sh
kdpipe generate FOLDER --prompt "The"
kdpipe eval FOLDER --text FILE
```

As the teacher of a study, or as where a student starts:

```toml
[teacher]
source = "dir"
path = "FOLDER"

[student]
init = "dir"
init_dir = "FOLDER"
```
"#;

/// The card of a run's student.
///
/// # Errors
/// A spec that has no form in TOML.
pub(super) fn student_card(id: &str, spec: &RunSpec, config: &Config) -> Result<String> {
    let (teacher, start) = (
        describe_teacher(&spec.teacher),
        describe_start(&spec.student),
    );
    let losses: Vec<String> = spec
        .loss
        .iter()
        .map(|(name, term)| describe_term(name, serde_json::to_value(term).unwrap_or_default()))
        .collect();
    Ok(format!(
        "{HEAD}
# A GPT-2 student of {layers}

{shape} It is the student of the run `{id}` of a knowledge-distillation study made with kdpipe \
         {version}.

## How it was made

- **Teacher:** {teacher}.
- **Start:** {start}.
- **Losses:** {losses}.
- **Training:** {training}, seed {seed}.

Everything that determines the run, as kdpipe resolved it:

```toml
{spec}```

{LOADING_HEADING}
{LOADING}",
        layers = counted(config.layers, "layer"),
        shape = shape(config),
        version = env!("CARGO_PKG_VERSION"),
        losses = losses.join("; "),
        training = training(&spec.train),
        seed = spec.seed,
        spec = run_spec_toml(spec)?,
    ))
}

fn describe_teacher(teacher: &TeacherSpec) -> String {
    match teacher {
        TeacherSpec::Train {
            layers,
            width,
            heads,
            seed,
            ..
        } => {
            format!(
                "a GPT-2 of {}, width {width} and {heads} heads that kdpipe trained on the same \
                 text with seed {seed}",
                counted(*layers, "layer")
            )
        }
        TeacherSpec::Dir { .. } => "the GPT-2 in the folder that [teacher] names below".to_owned(),
        TeacherSpec::Hub { repo, revision, .. } => format!("{repo} at {revision}, of the hub"),
    }
}

/// What the student's weights were before its training.
fn describe_start(student: &StudentSpec) -> String {
    match (student.init, &student.init_blocks) {
        (Init::Random, _) => "the random initialisation of the GPT-2 paper".to_owned(),
        (Init::Dir, _) => "the weights in the folder that student.init_dir names below".to_owned(),
        (Init::Teacher, Some(InitBlocks::List(blocks))) => {
            let blocks = blocks
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            format!("the teacher's embeddings, final norm and blocks {blocks}, counted from 0")
        }
        (Init::Teacher, _) => "the teacher's embeddings, final norm and blocks".to_owned(),
    }
}

/// The card of a teacher that kdpipe trained.
///
/// # Errors
/// Settings that have no form in TOML.
pub(super) fn teacher_card(
    config: &Config,
    seed: u64,
    train: &TrainSpec,
    data: &str,
) -> Result<String> {
    Ok(format!(
        "{HEAD}
# A GPT-2 teacher of {layers}

{shape} kdpipe {version} trained it as a language model, as the teacher of distillation studies.

## How it was made

{training}, seed {seed}, on the tokens with the key `{data}`, from the random initialisation of \
         the GPT-2 paper:

```toml
{settings}```

{LOADING_HEADING}
{LOADING}",
        layers = counted(config.layers, "layer"),
        shape = shape(config),
        version = env!("CARGO_PKG_VERSION"),
        training = training(train),
        settings = toml::to_string(train)?,
    ))
}

fn shape(config: &Config) -> String {
    format!(
        "A GPT-2 of {}, width {} and {} heads, with {} tokens and {} positions: {} \
         parameters.",
        counted(config.layers, "layer"),
        config.width,
        config.heads,
        config.vocabulary,
        config.positions,
        config.parameters()
    )
}

fn training(train: &TrainSpec) -> String {
    let TrainSpec {
        steps,
        batch,
        accumulate,
        context,
        lr,
        ..
    } = train;
    let tokens = (*batch as u64)
        .saturating_mul(*accumulate as u64)
        .saturating_mul(*context as u64);
    format!(
        "{steps} steps of {tokens} tokens ({} sequences of {context}), AdamW with a peak rate of \
         {}",
        batch * accumulate,
        lr.peak
    )
}

/// A term in a few words: its name, its kind, and its weight if that is one number.
fn describe_term(name: &str, term: Value) -> String {
    let kind = term["kind"].as_str().unwrap_or_default().to_owned();
    match &term["weight"] {
        Value::Number(weight) => format!("`{name}` ({kind}, weight {weight})"),
        _ => format!("`{name}` ({kind}, weight by a schedule)"),
    }
}
