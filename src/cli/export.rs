//! `kdpipe export RUN DIR`: a student as a folder that is ready to upload.

use serde_json::json;

use super::args::{Common, ExportArguments};
use super::{CommandResult, Exit, print, print_json};
use crate::export;

pub fn export(arguments: &ExportArguments, common: &Common) -> CommandResult {
    let ExportArguments { run, folder, gguf } = arguments;
    let written = export::export(run, folder, *gguf)?;
    if common.json {
        print_json(&json!({ "folder": folder, "files": written }))?;
    } else if !common.quiet {
        let mut text = String::new();
        for file in &written {
            text += &format!("wrote {}\n", folder.join(file).display());
        }
        text += &format!(
            "ready to upload: hf upload OWNER/NAME {}\n",
            folder.display()
        );
        print(&text);
    }
    Ok(Exit::Good)
}
