//! Pages for `man`: one for the program and one for every command.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::builder::TestSite;

/// The commands that `kdpipe --help` lists, but for help itself.
fn commands(site: &TestSite) -> Vec<String> {
    let help = site.kdpipe("--help").code(0).out;
    let lines = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"));
    let listed = lines.skip(1).take_while(|line| !line.is_empty());
    let names = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|&name| name != "help")
        .map(str::to_owned)
        .collect()
}

/// The flags that a command's help lists, each in its long form.
fn flags(help: &str) -> BTreeSet<String> {
    let starts = help.lines().map(str::trim_start);
    let listed = starts.filter(|line| line.starts_with("--") || line.starts_with('-'));
    let long = listed.filter_map(|line| {
        let from = line.find("--")?;
        let name = line[from..].split([' ', '=', '[', ',']).next()?;
        (name.len() > 2).then(|| name.to_owned())
    });
    long.collect()
}

#[test]
fn every_command_and_every_flag_of_it_is_on_a_page() {
    let site = TestSite::new("");
    let said = site.kdpipe("man pages/man1").code(0).out;
    let page = |name: &str| {
        let file = format!("pages/man1/{name}.1");
        assert!(said.contains(&format!("wrote {file}\n")), "{said}");
        // A hyphen that is not to be made a dash stands behind a backslash.
        let text = std::fs::read_to_string(site.path(&file)).unwrap();
        text.replace("\\-", "-")
    };
    let commands = commands(&site);
    assert!(commands.len() > 12, "{commands:?}");
    let program = page("kdpipe");
    for command in &commands {
        let text = page(&format!("kdpipe-{command}"));
        let help = site.kdpipe(&format!("{command} --help")).code(0).out;
        let flags = flags(&help);
        assert!(flags.contains("--threads"), "{flags:?}");
        for flag in flags {
            assert!(text.contains(&flag), "{command}: {flag}");
        }
        let about = help.lines().next().unwrap();
        assert!(
            text.contains(&about.replace('\'', "\\*(Aq")),
            "{command}: {about}"
        );
        assert!(
            program.contains(&format!("kdpipe-{command}(1)")),
            "{command}"
        );
        let version = env!("CARGO_PKG_VERSION");
        let name = command.to_uppercase();
        let title = format!(".TH KDPIPE-{name} 1 \"\" \"kdpipe {version}\" \"kdpipe\"");
        assert!(text.lines().any(|line| line == title), "{title}");
    }
    let files = std::fs::read_dir(site.path("pages/man1")).unwrap();
    assert_eq!(files.count(), commands.len() + 1, "the hidden have no page");
    let json = site.kdpipe("man pages/man1 --json").code(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["wrote"].as_array().unwrap().len(), commands.len() + 1);
    assert_eq!(site.kdpipe("man pages/man1 -q").code(0).out, "");
}

/// groff with every warning it knows; `preconv` first, since the pages are UTF-8.
#[test]
fn pages_are_set_without_a_warning() {
    let groff = |page: &str| {
        Command::new("groff")
            .args(["-k", "-Tutf8", "-man", "-ww", "-P-cbou", page])
            .stdin(Stdio::null())
            .output()
    };
    // The smallest packages of it have the program, and not its macros.
    let is_whole = groff("/dev/null").is_ok_and(|set| set.status.success());
    if !is_whole {
        eprintln!("skipped: there is no groff, or only a part of it");
        return;
    }
    let site = TestSite::new("");
    site.kdpipe("man pages").code(0);
    for entry in std::fs::read_dir(site.path("pages")).unwrap() {
        let path = entry.unwrap().path();
        let set = groff(path.to_str().unwrap()).unwrap();
        let said = String::from_utf8_lossy(&set.stderr);
        assert!(
            set.status.success() && said.is_empty(),
            "{}: {said}",
            path.display()
        );
        assert!(String::from_utf8_lossy(&set.stdout).contains("SYNOPSIS"));
    }
}
