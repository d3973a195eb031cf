//! What the inputs of a run are, asked of the caller: each distinct input once a plan.

use super::identity::Fingerprints;
use super::input_fault::InputFault;
use super::path::InputPath;
use super::planned::{DatasetFact, Fact, Inputs, TaskFact, TeacherFact, TokenizerFact};
use super::resolve::{KnownFacts, known_from_spec};
use super::run::{
    DatasetSpec, DeviceSpec, EvaluateSpec, Init, KnownPrecisions, StudentSpec, TaskSpec,
    TeacherSpec, TokenizerSpec,
};
use super::written::WrittenRun;

/// The fingerprint of an input whose facts are not known.
const UNKNOWN: &str = "unknown";

/// The facts of every input that was asked for.
pub struct AskedInputs<'a> {
    inputs: &'a dyn Inputs,
    datasets: AskedFacts<DatasetSpec, DatasetFact>,
    tokenizers: AskedFacts<(DatasetSpec, TokenizerSpec), TokenizerFact>,
    teachers: AskedFacts<TeacherSpec, TeacherFact>,
    students: AskedFacts<InputPath, TeacherFact>,
    devices: AskedFacts<DeviceSpec, ()>,
    tasks: AskedFacts<(String, TaskSpec), TaskFact>,
}

/// The facts of one kind of input.
struct AskedFacts<K, T>(Vec<(K, Fact<T>)>);

impl<K: PartialEq + Clone, T: Clone> AskedFacts<K, T> {
    fn get(&mut self, key: &K, ask: impl FnOnce() -> Fact<T>) -> Fact<T> {
        if let Some((_, fact)) = self.0.iter().find(|(known, _)| known == key) {
            return fact.clone();
        }
        let fact = ask();
        self.0.push((key.clone(), fact.clone()));
        fact
    }
}

/// What the facts of one cell's inputs came to.
pub struct CellFacts {
    pub known: KnownFacts,
    pub fingerprints: Fingerprints,
    /// Why facts are not known yet.
    pub unknown: Vec<String>,
    /// What is wrong with inputs that cannot be used, each with its key.
    pub unusable: Vec<InputFault>,
}

impl CellFacts {
    /// Files a fact under the input at `key`; the value where it is known.
    fn take<T>(&mut self, key: &str, fact: Fact<T>) -> Option<T> {
        match fact {
            Fact::Known(value) => Some(value),
            Fact::Unknown(why) => {
                self.unknown.push(why);
                None
            }
            Fact::Bad(message) => {
                self.unusable.push(InputFault {
                    key: Some(key.to_owned()),
                    message,
                    hint: None,
                });
                None
            }
            Fact::Faulty(faults) => {
                self.unusable
                    .extend(faults.into_iter().map(|fault| InputFault {
                        key: fault.key.or_else(|| Some(key.to_owned())),
                        ..fault
                    }));
                None
            }
        }
    }
}

impl<'a> AskedInputs<'a> {
    /// Nothing was asked yet.
    pub fn new(inputs: &'a dyn Inputs) -> Self {
        Self {
            inputs,
            datasets: AskedFacts(Vec::new()),
            tokenizers: AskedFacts(Vec::new()),
            teachers: AskedFacts(Vec::new()),
            students: AskedFacts(Vec::new()),
            devices: AskedFacts(Vec::new()),
            tasks: AskedFacts(Vec::new()),
        }
    }

    /// The facts of a cell: those that the spec itself has, and those of its inputs.
    pub fn facts_of(&mut self, run: &WrittenRun) -> CellFacts {
        let mut facts = CellFacts {
            known: known_from_spec(run),
            fingerprints: Fingerprints::default(),
            unknown: Vec::new(),
            unusable: Vec::new(),
        };
        let device = run.train.device;
        facts.known.precisions = Some(match device {
            DeviceSpec::Cpu => KnownPrecisions {
                tf32: false,
                bf16: self.inputs.bf16(),
            },
            // Every card that is opened has both.
            DeviceSpec::Cuda(_) => KnownPrecisions {
                tf32: true,
                bf16: true,
            },
        });
        let missing = self
            .devices
            .get(&device, || match self.inputs.no_device(device) {
                Some(why) => Fact::Bad(why),
                None => Fact::Known(()),
            });
        facts.take("train.device", missing);
        self.ask_dataset(&run.dataset, &mut facts);
        self.ask_tokenizer(&run.dataset, &run.tokenizer, &mut facts);
        self.ask_teacher(&run.teacher, &mut facts);
        self.ask_student(&run.student, &mut facts);
        self.ask_tasks(&run.evaluate, &mut facts);
        facts
    }

    fn ask_tasks(&mut self, evaluate: &EvaluateSpec, facts: &mut CellFacts) {
        for (name, task) in &evaluate.tasks {
            if task.source().is_none() {
                continue;
            }
            let both = (name.clone(), task.clone());
            let fact = self.tasks.get(&both, || self.inputs.task(name, task));
            // What has no key of its own, such as a refusal of the hub, is told at the repo.
            let key = match task.is_of_hub() {
                true => format!("evaluate.tasks.{name}.repo"),
                false => "evaluate.tasks".to_owned(),
            };
            let fact = facts.take(&key, fact);
            facts.known.task_bytes += fact.as_ref().map_or(0, |fact| fact.bytes);
            let fingerprint = fact.map_or_else(|| UNKNOWN.to_owned(), |fact| fact.fingerprint);
            facts.fingerprints.tasks.insert(name.clone(), fingerprint);
        }
    }

    fn ask_dataset(&mut self, dataset: &DatasetSpec, facts: &mut CellFacts) {
        let named_by = match dataset {
            DatasetSpec::Synthetic { .. } => return,
            DatasetSpec::Text { .. } | DatasetSpec::Parquet { .. } | DatasetSpec::Jsonl { .. } => {
                "dataset.source"
            }
            DatasetSpec::Hub { .. } => "dataset.repo",
        };
        let fact = self.datasets.get(dataset, || self.inputs.dataset(dataset));
        let key = faulty_dataset_key(named_by, &fact);
        let fact = facts.take(key, fact);
        facts.known.held_out_bytes = fact.as_ref().and_then(|fact| fact.held_out_bytes);
        facts.fingerprints.dataset =
            fact.map_or_else(|| UNKNOWN.to_owned(), |fact| fact.fingerprint);
    }

    fn ask_tokenizer(
        &mut self,
        dataset: &DatasetSpec,
        tokenizer: &TokenizerSpec,
        facts: &mut CellFacts,
    ) {
        let key = match tokenizer {
            TokenizerSpec::Train { .. } => return,
            TokenizerSpec::Dir { .. } => "tokenizer.path",
            TokenizerSpec::Hub { .. } => "tokenizer.repo",
        };
        let both = (dataset.clone(), tokenizer.clone());
        let fact = self
            .tokenizers
            .get(&both, || self.inputs.tokenizer(dataset, tokenizer));
        let fact = facts.take(key, fact);
        facts.known.vocabulary = fact.as_ref().and_then(|fact| fact.vocabulary);
        facts.known.own_vocabulary = fact.as_ref().and_then(|fact| fact.own);
        facts.fingerprints.tokenizer =
            fact.map_or_else(|| UNKNOWN.to_owned(), |fact| fact.fingerprint);
    }

    fn ask_teacher(&mut self, teacher: &TeacherSpec, facts: &mut CellFacts) {
        let key = match teacher {
            TeacherSpec::Train { .. } => return,
            TeacherSpec::Dir { .. } => "teacher.path",
            TeacherSpec::Hub { .. } => "teacher.repo",
        };
        let fact = self.teachers.get(teacher, || self.inputs.teacher(teacher));
        facts.known.teacher = facts.take(key, fact);
        facts.fingerprints.teacher = fingerprint_of(facts.known.teacher.as_ref());
    }

    fn ask_student(&mut self, student: &StudentSpec, facts: &mut CellFacts) {
        let folder = match (student.init, &student.init_dir) {
            (Init::Dir, Some(folder)) => folder,
            (Init::Dir, None) | (Init::Random | Init::Teacher, _) => return,
        };
        let fact = self.students.get(folder, || self.inputs.student(folder));
        facts.known.init = facts.take("student.init_dir", fact);
        facts.fingerprints.student = fingerprint_of(facts.known.init.as_ref());
    }
}

fn fingerprint_of(model: Option<&TeacherFact>) -> String {
    model.map_or_else(|| UNKNOWN.to_owned(), |fact| fact.fingerprint.clone())
}

/// The key that a dataset's fault is about: the one that its message names, else the one that says
/// where it is.
fn faulty_dataset_key(named_by: &'static str, fact: &Fact<DatasetFact>) -> &'static str {
    let message = match fact {
        Fact::Bad(message) => message,
        Fact::Known(_) | Fact::Unknown(_) | Fact::Faulty(_) => return named_by,
    };
    [
        "dataset.config",
        "dataset.train",
        "dataset.validation",
        "dataset.test",
    ]
    .into_iter()
    .find(|key| message.contains(key))
    .unwrap_or(named_by)
}
