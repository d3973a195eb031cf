//! `kdpipe init`: a commented starter spec.

use std::path::Path;

use super::args::Common;
use super::{Exit, Outcome, print};
use crate::{files, spec};

pub fn init(path: &Path, common: &Common) -> Outcome {
    if path.exists() {
        return Err(anyhow::anyhow!(
            "{} exists already; give another name: kdpipe init NAME.toml",
            path.display()
        )
        .into());
    }
    files::write_atomically(path, spec::STARTER.as_bytes())?;
    if !common.quiet {
        print(&format!(
            "wrote {0}\ntry: kdpipe plan {0}\n",
            path.display()
        ));
    }
    Ok(Exit::Good)
}
