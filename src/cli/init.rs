//! `kdpipe init`: a commented starter spec.

use std::path::Path;

use serde_json::json;

use super::args::Common;
use super::{CommandResult, Exit, print, print_json};
use crate::{files, plan};

pub fn init(path: &Path, common: &Common) -> CommandResult {
    if path.exists() {
        return Err(anyhow::anyhow!(
            "{} exists already; give another name: kdpipe init NAME.toml",
            path.display()
        )
        .into());
    }
    files::write_atomically(path, plan::STARTER.as_bytes())?;
    if common.json {
        print_json(&json!({ "wrote": path }))?;
    } else if !common.quiet {
        print(&format!(
            "wrote {0}\ntry: kdpipe plan {0}\n",
            path.display()
        ));
    }
    Ok(Exit::Good)
}
