//! Tests of `file_hash.rs`.

use super::super::file_reads;
use super::*;

#[test]
fn a_file_that_was_just_written_is_read_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    for (content, reads) in [("one", 1), ("two", 2), ("two", 3)] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(
            file_facts(&path).unwrap().sha256,
            crate::digest::sha256(content.as_bytes())
        );
        assert_eq!(file_reads::count(&path), reads);
    }
}

#[test]
fn a_file_is_settled_when_its_last_change_is_well_past() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    std::fs::write(&path, "one").unwrap();
    let stamp = FileStamp::of(&path).unwrap();
    let now = SystemTime::now();
    assert!(!stamp.is_settled(now));
    assert!(!stamp.is_settled(now + TICK));
    assert!(stamp.is_settled(now + TICK + Duration::from_secs(2)));
    assert!(!stamp.is_settled(now - TICK), "a clock that runs ahead");
}

#[cfg(unix)]
#[test]
fn any_change_shows_even_where_the_time_of_writing_is_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let write_as_of_old = |content: &str| {
        std::fs::write(&path, content).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        FileStamp::of(&path).unwrap()
    };
    let first = write_as_of_old("one");
    std::thread::sleep(Duration::from_millis(20));
    let second = write_as_of_old("two");
    assert_eq!(
        (first.length, first.written),
        (second.length, second.written)
    );
    assert_ne!(first, second);
}

#[test]
fn a_file_that_is_gone_is_an_error_with_its_path() {
    let error = file_facts(Path::new("no-such-file")).unwrap_err();
    assert!(format!("{error:#}").contains("no-such-file"), "{error:#}");
}

#[test]
fn a_file_is_utf8_up_to_the_byte_where_it_stops_being_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let piece = 1 << 20;
    let long = [b"a".repeat(piece - 1), "€€".into()].concat();
    for (content, at) in [
        (b"".to_vec(), None),
        ("ä€𝄞".into(), None),
        (long.clone(), None),
        ([&long[..], b"\xff"].concat(), Some(long.len())),
        (long[..long.len() - 1].to_vec(), Some(long.len() - 3)),
        ([&long[..piece], b"(", b"more"].concat(), Some(piece - 1)),
        (b"ab\xe2\x82".to_vec(), Some(2)),
        (b"abc\xff def\xff".to_vec(), Some(3)),
    ] {
        std::fs::write(&path, &content).unwrap();
        let facts = file_facts(&path).unwrap();
        assert_eq!(facts.not_utf8_at, at.map(|at| at as u64));
        assert_eq!(facts.length, content.len() as u64);
    }
}
