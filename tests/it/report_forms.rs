//! The report in its other forms, and the tables beside it.

use kdpipe::table;
use serde_json::Value;

use crate::builder::{TestSite, differences};

#[test]
fn the_report_comes_as_html_latex_and_json_and_the_forms_that_are_kept_are_verified() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml --only arm=none").code(0);
    let before = site.results();
    // A form in a file of one's own leaves the study as it is.
    for (form, begins) in [
        ("--html", "<!DOCTYPE html>"),
        ("--latex", "% Tables of the study tiny"),
        ("--json", "{\n  \"format\": 1,"),
    ] {
        site.kdpipe(&format!("report study.toml {form} -o own.file"))
            .code(0);
        let own = std::fs::read_to_string(site.path("own.file")).unwrap();
        assert!(own.starts_with(begins), "{own}");
    }
    let json = site.kdpipe("report study.toml --json").code(0).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["study"]["name"], "tiny");
    assert_eq!(json["counts"]["finished"], 1);
    assert_eq!(differences(&before, &site.results()), Vec::<String>::new());
    assert!(
        site.kdpipe("report study.toml --html --json -o own.file")
            .code(2)
            .error
            .contains("-o takes one form of the report")
    );
    // Forms beside the page are kept up to date, and verified.
    let both = site.kdpipe("report study.toml --html --latex").code(0).out;
    assert!(
        both.ends_with("report: results/tiny/report.html\nreport: results/tiny/report.tex\n"),
        "{both}"
    );
    site.kdpipe("verify study.toml").code(0);
    let margin = "--set report.margin=0.5";
    site.kdpipe(&format!("verify study.toml {margin}")).code(1);
    let name = site.path("results/tiny/report.html");
    std::fs::write(&name, "<p>").unwrap();
    let wrong = site.kdpipe("verify study.toml").code(1).out;
    assert!(
        wrong.contains("wrong: report.html: the stored results give other bytes"),
        "{wrong}"
    );
    site.kdpipe("report study.toml").code(0);
    site.kdpipe("verify study.toml").code(0);
    assert!(std::fs::read_to_string(name).unwrap().contains("</html>"));
}

#[cfg(unix)]
#[test]
fn a_report_goes_where_it_is_sent_and_what_is_there_stays_what_it_is() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml --only arm=none").code(0);
    let report = |output: &str| {
        site.kdpipe(&format!("report study.toml -o {output}"))
            .code(0)
    };
    let text = |name: &str| std::fs::read_to_string(site.path(name)).unwrap();
    report("page.md");
    let page = text("page.md");
    // By either name nothing else is printed.
    for name in ["-", "/dev/stdout"] {
        assert_eq!(report(name).out, page, "{name}");
    }
    assert!(!site.path("-").exists());
    let json = site.kdpipe("report study.toml --json -o -").code(0).out;
    assert!(json.starts_with("{\n  \"format\": 1,"), "{json}");
    site.write("far.md", b"another text");
    std::os::unix::fs::symlink("far.md", site.path("link.md")).unwrap();
    report("link.md");
    assert!(site.path("link.md").is_symlink());
    assert_eq!(text("far.md"), page);
    let pipe = site.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let reader = std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap());
    report("pipe");
    assert_eq!(reader.join().unwrap(), page);
    assert!(!site.path("pipe").is_file());
}

#[test]
fn a_study_that_cannot_be_written_is_printed_for_programs_all_the_same() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml --only arm=none").code(0);
    let json = "report study.toml --json";
    let whole = site.kdpipe(json).code(0).out;
    // Where its folder of figures has to be there is a file.
    std::fs::remove_dir_all(site.path("results/tiny/figures")).unwrap();
    site.write("results/tiny/figures", b"");
    let printed = site.kdpipe(json).code(0);
    assert_eq!(printed.out, whole);
    assert!(
        printed
            .error
            .contains("note: the report is printed, and not written: "),
        "{}",
        printed.error
    );
    for written in ["report study.toml", "report study.toml --json --html"] {
        let refused = site.kdpipe(written).code(2).error;
        assert!(refused.contains("figures"), "{written}: {refused}");
    }
}

#[test]
fn what_every_run_has_recorded_is_in_one_table_beside_the_report() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml").code(0);
    let path = site.path("results/tiny/metrics.parquet");
    let metrics = table::read(&path).unwrap();
    assert_eq!(metrics.rows(), 3 * 10);
    assert_eq!(&metrics.text("arm").unwrap()[9..11], ["none", "mse"]);
    assert_eq!(metrics.i64("seed").unwrap(), [0; 30]);
    assert_eq!(metrics.u64("step").unwrap()[..3], [0, 1, 2]);
    assert_eq!(metrics.sparse("term.hidden").unwrap()[9], None);
    assert!(metrics.sparse("term.hidden").unwrap()[10].is_some());
    assert!(
        metrics
            .names()
            .any(|name| name == "critic.hidden.1.estimate")
    );
    let runs = table::read(&site.path("results/tiny/runs.parquet")).unwrap();
    let last = runs.sparse("last.loss").unwrap();
    assert_eq!(last[1], metrics.sparse("loss").unwrap()[19]);
    std::fs::write(&path, "PAR1").unwrap();
    let wrong = site.kdpipe("verify study.toml").code(1).out;
    assert!(
        wrong.contains("wrong: metrics.parquet: the stored results give other bytes"),
        "{wrong}"
    );
    std::fs::remove_file(&path).unwrap();
    let absent = site.kdpipe("verify study.toml -v").code(0).out;
    assert!(absent.contains("not here: metrics.parquet"), "{absent}");
    site.kdpipe("report study.toml").code(0);
    assert!(path.exists());
}
