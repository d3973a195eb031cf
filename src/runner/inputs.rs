//! Facts about a study's inputs, which `plan` asks for before it resolves ids: hashes and commits,
//! vocabularies, the teacher's shape.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::device::why_no_device;
use crate::data;
use crate::digest;
use crate::files;
use crate::hub::{Hub, HubError, Pin, Repo};
use crate::model::{Config, ModelFolder, TokenIds, read_config, weight_files};
use crate::ops::bf16_instructions;
use crate::plan::path::InputPath;
use crate::plan::run::{
    DatasetSpec, DeviceSpec, ItemSource, RunSpec, TaskSpec, TeacherSpec, TokenizerSpec,
};
use crate::plan::{DatasetFact, Fact, InputFault, Inputs, TaskFact, TeacherFact, TokenizerFact};
use crate::record::study::HubPin;

/// Reads facts from the local disk, and of what lies on the hub the little that they need.
pub struct StudyInputs<'a> {
    hub: &'a Hub<'a>,
    /// What was not fetched yet is unknown, and no mistake.
    planning: bool,
    /// Files in the hub's cache are read for mistakes.
    checking: bool,
    /// Whether the machine has to have the study's device.
    needs_device: bool,
}

impl<'a> StudyInputs<'a> {
    /// For a study that is to run: what is missing is fetched, or it is a mistake.
    pub fn to_run(hub: &'a Hub<'a>) -> Self {
        Self {
            hub,
            planning: false,
            checking: false,
            needs_device: true,
        }
    }

    /// For a look at a study with a hub that is offline.
    pub fn to_plan(hub: &'a Hub<'a>) -> Self {
        Self {
            hub,
            planning: true,
            checking: false,
            needs_device: false,
        }
    }

    /// The same, with the study's device at hand.
    pub fn to_time(hub: &'a Hub<'a>) -> Self {
        Self {
            needs_device: true,
            ..Self::to_plan(hub)
        }
    }

    /// For a run on other machines: this one need not have the study's device.
    pub fn to_submit(hub: &'a Hub<'a>) -> Self {
        Self {
            needs_device: false,
            ..Self::to_run(hub)
        }
    }

    /// For a look at everything that can be wrong, on the machine that the study is to run on: what
    /// the hub's cache has is read to the end.
    pub fn to_check(hub: &'a Hub<'a>) -> Self {
        Self {
            checking: true,
            needs_device: true,
            ..Self::to_plan(hub)
        }
    }

    fn fact<T>(&self, found: Result<T>) -> Fact<T> {
        match found {
            Ok(fact) => Fact::Known(fact),
            Err(error) => match error.downcast_ref::<HubError>() {
                Some(HubError::NotHere { what }) if self.planning => {
                    Fact::Unknown(format!("{what} is not here yet; `run` fetches it"))
                }
                _ => match InputFault::found_in(&error) {
                    Some(faults) => Fact::Faulty(faults),
                    None => Fact::Bad(format!("{error:#}")),
                },
            },
        }
    }

    fn tokenizer_of_the_hub(&self, repo: &Repo) -> Result<TokenizerFact> {
        let commit = self.hub.commit(repo)?;
        match self.hub.tokenizer(repo) {
            Ok(snapshot) => {
                let file = data::TokenizerFile::read(&snapshot.folder)?;
                // The commit alone makes the id, but where its files were read otherwise before.
                let fingerprint = match file.is_read_anew {
                    true => format!("{commit} {}", digest::sha256(file.json.as_bytes())),
                    false => commit,
                };
                tokenizer_fact(fingerprint, &data::Tokenizer::from_file(&file)?)
            }
            // Of most tokenizers this is the id; of the others it is another once they are here.
            Err(error)
                if self.planning
                    && matches!(error.downcast_ref(), Some(HubError::NotHere { .. })) =>
            {
                Ok(TokenizerFact {
                    fingerprint: commit,
                    vocabulary: None,
                    own: None,
                })
            }
            Err(error) => Err(error),
        }
    }
}

impl Inputs for StudyInputs<'_> {
    fn bf16(&self) -> bool {
        bf16_instructions().is_some()
    }

    fn no_device(&self, device: DeviceSpec) -> Option<String> {
        self.needs_device.then(|| why_no_device(device)).flatten()
    }

    fn dataset(&self, dataset: &DatasetSpec) -> Fact<DatasetFact> {
        // Asked first, for the hub remembers what it finds.
        let pin = dataset_repo(dataset).and_then(|repo| self.hub.pin(&repo));
        let found = data::dataset_fact(dataset, self.hub).and_then(|fact| {
            if self.checking {
                data::check_rows(dataset, self.hub)?;
            }
            Ok(fact)
        });
        match (self.fact(found), pin) {
            // Held to a commit by an earlier run, it has its id, though its files are not here.
            (Fact::Unknown(_), Some(pin)) => Fact::Known(DatasetFact {
                fingerprint: pin.commit,
                held_out_bytes: None,
            }),
            (fact, _) => fact,
        }
    }

    fn tokenizer(&self, _: &DatasetSpec, tokenizer: &TokenizerSpec) -> Fact<TokenizerFact> {
        self.fact(match tokenizer {
            TokenizerSpec::Train { vocab_size } => Ok(TokenizerFact {
                fingerprint: format!("byte-level BPE of {vocab_size}"),
                vocabulary: Some(*vocab_size),
                own: Some(*vocab_size),
            }),
            TokenizerSpec::Dir { path } => data::Tokenizer::open(&path.resolve())
                .and_then(|read| tokenizer_fact(read.sha256(), &read)),
            TokenizerSpec::Hub { repo, revision } => {
                self.tokenizer_of_the_hub(&Repo::model(repo, revision))
            }
        })
    }

    fn teacher(&self, teacher: &TeacherSpec) -> Fact<TeacherFact> {
        match teacher {
            TeacherSpec::Train { .. } => Fact::Unknown("it is trained by this study".to_owned()),
            TeacherSpec::Dir { path, .. } => self.fact(model_folder(&path.resolve())),
            TeacherSpec::Hub { repo, revision, .. } => {
                let snapshot = self.hub.config(&Repo::model(repo, revision));
                self.fact(
                    snapshot.and_then(|snapshot| {
                        shape(&snapshot.folder, |_| Ok(snapshot.commit.clone()))
                    }),
                )
            }
        }
    }

    fn student(&self, folder: &InputPath) -> Fact<TeacherFact> {
        self.fact(model_folder(&folder.resolve()))
    }

    fn task(&self, name: &str, task: &TaskSpec) -> Fact<TaskFact> {
        // As of a dataset.
        let pin = task_repo(task).and_then(|repo| self.hub.pin(&repo));
        match (self.fact(data::task_fact(name, task, self.hub)), pin) {
            (Fact::Unknown(_), Some(pin)) => Fact::Known(TaskFact {
                fingerprint: pin.commit,
                bytes: 0,
            }),
            (fact, _) => fact,
        }
    }
}

/// What the plan needs of a tokenizer that is there.
fn tokenizer_fact(fingerprint: String, read: &data::Tokenizer) -> Result<TokenizerFact> {
    let end = read.document_end()? as usize;
    Ok(TokenizerFact {
        fingerprint,
        vocabulary: Some(read.vocabulary()),
        // Every stream has the end of a document.
        own: Some(read.own_vocabulary().max(end + 1)),
    })
}

/// The shape of a GPT-2 folder, and the hash of what it holds, which is looked at first: what is
/// wrong with its arrays is known before anything is prepared.
fn model_folder(folder: &Path) -> Result<TeacherFact> {
    // A folder that is none has words of its own.
    read_config(folder)?;
    let paths = weight_files(folder)?;
    for file in &paths {
        ensure!(
            !files::is_lfs_pointer(file),
            "{} is a pointer of Git LFS, and not the weights that it stands for; fetch them: `git \
             lfs pull`",
            file.display()
        );
    }
    let tied = ModelFolder::open(folder)?.config.tied;
    let fact = shape(folder, |text| {
        let weights: Vec<String> = paths
            .iter()
            .map(|file| files::sha256_of_file(file))
            .collect::<Result<_>>()?;
        let mut identity = format!("{text}\n{}", weights.join("\n"));
        // Where a text ends is in config.json, unless another file says otherwise.
        let ids = TokenIds::read(folder)?;
        if ids.differ() {
            identity.push_str(&format!("\n{:?}", ids.stops()));
        }
        Ok(digest::sha256(identity.as_bytes()))
    })?;
    Ok(TeacherFact { tied, ..fact })
}

/// The shape that a folder's config.json gives; what identifies it comes from `fingerprint`, which
/// gets the file's text.
fn shape(folder: &Path, fingerprint: impl FnOnce(&str) -> Result<String>) -> Result<TeacherFact> {
    let text = read_config(folder)?;
    let config = Config::from_json(&text).with_context(|| format!("in {}", folder.display()))?;
    Ok(TeacherFact {
        fingerprint: fingerprint(&text)?,
        layers: config.layers,
        width: config.width,
        heads: config.heads,
        positions: config.positions,
        vocabulary: Some(config.vocabulary),
        inner: config.inner,
        tied: config.tied,
    })
}

/// The repo of the hub that a dataset is.
pub(super) fn dataset_repo(dataset: &DatasetSpec) -> Option<Repo> {
    match dataset {
        DatasetSpec::Synthetic { .. }
        | DatasetSpec::Text { .. }
        | DatasetSpec::Parquet { .. }
        | DatasetSpec::Jsonl { .. } => None,
        DatasetSpec::Hub { repo, revision, .. } => Some(Repo::dataset(repo, revision)),
    }
}

/// The repo of the hub that a task's items lie in.
pub(super) fn task_repo(task: &TaskSpec) -> Option<Repo> {
    match task.source()? {
        ItemSource::Grammar(_) | ItemSource::Files(_) => None,
        ItemSource::Hub(items) => Some(Repo::dataset(items.repo, items.revision)),
    }
}

/// What a run takes from the hub.
pub(super) fn repos(spec: &RunSpec) -> Vec<Repo> {
    let mut repos: Vec<Repo> = dataset_repo(&spec.dataset).into_iter().collect();
    if let TokenizerSpec::Hub { repo, revision } = &spec.tokenizer {
        repos.push(Repo::model(repo, revision));
    }
    if let TeacherSpec::Hub { repo, revision, .. } = &spec.teacher {
        repos.push(Repo::model(repo, revision));
    }
    repos.extend(spec.evaluate.tasks.values().filter_map(task_repo));
    repos
}

/// Pins as `lock.toml` has them, for the hub; what is no pin is left out.
pub fn pins_from_lock(pins: Vec<HubPin>) -> Vec<Pin> {
    let pin = |HubPin {
                   kind,
                   repo,
                   revision,
                   commit,
                   branch,
               }: HubPin| {
        let repo = match kind.as_str() {
            "model" => Repo::model(&repo, &revision),
            "dataset" => Repo::dataset(&repo, &revision),
            _ => return None,
        };
        Some(Pin {
            repo,
            commit,
            branch,
        })
    };
    pins.into_iter().filter_map(pin).collect()
}

/// A pin for `lock.toml`.
pub(super) fn pin_for_lock(pin: Pin) -> HubPin {
    let Pin {
        repo,
        commit,
        branch,
    } = pin;
    HubPin {
        kind: repo.kind.to_string(),
        repo: repo.name,
        revision: repo.revision,
        commit,
        branch,
    }
}
