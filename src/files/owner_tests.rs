//! Tests of `owner.rs`.

use super::*;

#[test]
fn an_owner_survives_its_text_and_a_cut_text_is_no_owner() {
    let this = Owner::this();
    let text = this.to_text();
    assert_eq!(Owner::parse(&text).as_ref(), Some(this));
    for cut in 0..text.len() {
        assert_eq!(Owner::parse(&text[..cut]), None, "cut at {cut}");
    }
}

#[test]
fn life_is_told_by_process_start_boot_and_host() {
    let this = Owner::this();
    assert_eq!(this.life(), Life::Alive);
    assert_eq!(
        Owner {
            host: "elsewhere".into(),
            ..this.clone()
        }
        .life(),
        Life::Unknown
    );
    if this.boot.is_empty() {
        return;
    }
    assert_eq!(
        Owner {
            start: "1".into(),
            ..this.clone()
        }
        .life(),
        Life::Dead,
        "the number was given to another process"
    );
    assert_eq!(
        Owner {
            process: u32::MAX,
            ..this.clone()
        }
        .life(),
        Life::Dead
    );
    assert_eq!(
        Owner {
            boot: "before".into(),
            ..this.clone()
        }
        .life(),
        Life::Dead,
        "the machine was started again"
    );
    assert_eq!(
        Owner {
            space: "pid:[1]".into(),
            process: 1,
            ..this.clone()
        }
        .life(),
        Life::Unknown
    );
}

#[test]
fn what_a_dead_process_left_in_the_making_is_recognised() {
    let own = name_in_the_making("report.md");
    assert!(!is_left_behind(&own, "report.md"), "its maker lives");
    let this = Owner::this();
    let dead = own.replace(
        &format!("-{}-{}-", this.process, this.start),
        &format!("-{}-1-", this.process),
    );
    assert_eq!(is_left_behind(&dead, "report.md"), !this.boot.is_empty());
    assert!(!is_left_behind(&dead, "report"));
    assert!(!is_left_behind("report.md", "report.md"));
}
