//! `kdpipe diff A B`: whether two studies say the same, or two folders hold the same.

use std::path::Path;

use serde_json::json;

use super::args::Common;
use super::diff_bytes::differences;
use super::{CommandResult, Exit, counted, print, print_json};
use crate::record::layout::Layout;
use crate::report::{KeyDifference, StudyComparison, compare_studies};

/// Lines of a kind that are shown; all of them with --verbose and --json.
const SHOWN: usize = 10;

pub fn diff(a: &Path, b: &Path, bytes: bool, common: &Common) -> CommandResult {
    for folder in [a, b] {
        if !folder.is_dir() {
            return Err(anyhow::anyhow!(
                "{} is not a folder; give two results folders (results/NAME) or two runs \
                 (results/NAME/runs/ID)",
                folder.display()
            )
            .into());
        }
    }
    let layouts = [a, b].map(|folder| Layout {
        root: folder.to_owned(),
    });
    let studies = layouts.iter().filter(|layout| layout.lock().is_file());
    if !bytes && studies.count() == 2 {
        return diff_studies(&layouts, common);
    }
    let differences = differences(a, b)?;
    let same = differences.is_empty();
    if common.json {
        let value = json!({ "same": same, "differences": differences });
        print(&format!("{value}\n"));
    } else if same {
        print("the same\n");
    } else {
        for difference in differences {
            print(&format!("{difference}\n"));
        }
    }
    Ok(exit(same))
}

fn exit(same: bool) -> Exit {
    if same { Exit::Good } else { Exit::Failed }
}

fn diff_studies([a, b]: &[Layout; 2], common: &Common) -> CommandResult {
    let found = compare_studies(a, b)?;
    if common.json {
        print_json(&found)?;
    } else {
        print(&in_words(
            &found,
            if common.verbose { usize::MAX } else { SHOWN },
        ));
    }
    Ok(exit(found.same))
}

/// What differs, `shown` lines of a kind.
fn in_words(found: &StudyComparison, shown: usize) -> String {
    let [a, b] = &found.versions;
    let mut text = match (found.same, a == b) {
        (true, true) => "the same\n".to_owned(),
        (true, false) => format!("the same, stored by kdpipe {a} and {b}\n"),
        (false, true) => String::new(),
        (false, false) => format!("stored by kdpipe {a} | {b}\n"),
    };
    text.push_str(&list("what the specs set", &found.settings, shown));
    if !found.settings_known {
        text.push_str("  what the runs are set to is not known: an older kdpipe did not note it\n");
    }
    let runs = &found.runs;
    if !(runs.only_a.is_empty() && runs.only_b.is_empty()) {
        text.push_str(&format!(
            "runs: {} in both, {} only in A, {} only in B\n",
            runs.both,
            runs.only_a.len(),
            runs.only_b.len()
        ));
    }
    text.push_str(&list("cells", &found.cells, shown));
    text.push_str(&list("verdicts", &found.verdicts, shown));
    let losses = &found.losses;
    if !losses.differing.is_empty() {
        text.push_str(&format!(
            "test loss in nats per token, at equal axes: {} of {} differ\n",
            losses.differing.len(),
            counted(losses.compared, "cell")
        ));
        for one in losses.differing.iter().take(shown) {
            text.push_str(&format!(
                "  {}: {} | {} ({:+.4})\n",
                one.cell, one.a, one.b, one.difference
            ));
        }
        text.push_str(&rest(losses.differing.len(), shown));
    }
    text
}

fn list(title: &str, differences: &[KeyDifference], shown: usize) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let mut text = format!("{title}\n");
    for one in differences.iter().take(shown) {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".into());
        text.push_str(&format!(
            "  {}: {} | {}\n",
            one.key,
            value(&one.a),
            value(&one.b)
        ));
    }
    text + &rest(differences.len(), shown)
}

fn rest(count: usize, shown: usize) -> String {
    match count.saturating_sub(shown) {
        0 => String::new(),
        more => format!("  … and {more} more (--verbose shows all)\n"),
    }
}
