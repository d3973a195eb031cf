//! `kdpipe man DIR`: pages for `man`, made from the arguments themselves. Hidden, since it serves
//! those who make packages.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_mangen::Man;
use serde_json::json;

use super::args::{Cli, Common};
use super::{CommandResult, Exit, print, print_json};
use crate::files;

/// The last three fields of a page's first line: no date, since a page is as old as its program;
/// the program; the manual. clap_mangen leaves the quotes of an empty field away, so that the next
/// one takes its place.
const FIELDS: &str = concat!("\"\" \"kdpipe ", env!("CARGO_PKG_VERSION"), "\" \"kdpipe\"");

pub fn man(folder: &Path, common: &Common) -> CommandResult {
    let mut written = Vec::new();
    for (name, page) in pages()? {
        let path = folder.join(name);
        files::write_atomically(&path, &page)?;
        written.push(path);
    }
    if common.json {
        print_json(&json!({ "wrote": written }))?;
    } else if !common.quiet {
        for path in written {
            print(&format!("wrote {}\n", path.display()));
        }
    }
    Ok(Exit::Good)
}

/// The name of every page and its text: of the program, then of each command that is shown.
fn pages() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    // `kdpipe help` says what the pages do, and is no command to have one.
    let mut program = Cli::command().disable_help_subcommand(true);
    // Passes the flags of all commands on to each, and joins the names: kdpipe-run.
    program.build();
    let commands = program
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    std::iter::once(&program)
        .chain(commands)
        .cloned()
        .map(page)
        .collect()
}

fn page(command: clap::Command) -> anyhow::Result<(String, Vec<u8>)> {
    let page = Man::new(command);
    let mut text = Vec::new();
    page.render(&mut text).context("a page cannot be made")?;
    let text = String::from_utf8(text).context("a page is not UTF-8")?;
    let name = page.get_filename();
    let title = format!(
        ".TH {} 1 {FIELDS}",
        name.trim_end_matches(".1").to_uppercase()
    );
    let lines = text.lines().map(|line| match line.starts_with(".TH ") {
        true => format!("{title}\n"),
        false => format!("{}\n", line.trim_end()),
    });
    Ok((name, lines.collect::<String>().into_bytes()))
}
