//! The teacher: read from a folder, or trained once and kept in the cache for every study that names it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use dfdx::prelude::Cpu;

use super::evaluation::{Subject, evaluate};
use super::sink::AttemptSink;
use super::{Event, Site};
use crate::data::{Order, Prepared};
use crate::files;
use crate::model::{Config, Gpt2, Weights};
use crate::ops::{Native, native};
use crate::record::{self, Attempt, RunState, layout::Layout};
use crate::spec::PlannedRun;
use crate::spec::run::{Teacher as Source, Train};
use crate::train::{Control, Corpus, Job, Member, Outcome, State, train};

/// A teacher in hand.
pub struct Teacher {
    pub model: Gpt2<Native>,
    /// How it was trained here; none for one that came trained.
    pub training: Option<(Config, Train)>,
    /// Bytes of its model.safetensors.
    pub bytes: u64,
}
