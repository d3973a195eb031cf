//! Tests of `archive.rs`.

use std::io::Write;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn zstandard(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

fn content(name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let mut archive = Archive::open(&path)?;
    let (mut all, mut buffer) = (Vec::new(), [0; 1000]);
    loop {
        match archive.read(&mut buffer)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

#[test]
fn packed_and_plain_files_give_the_same_text_in_one_part_or_several() {
    let text: Vec<u8> = (0..40_000u64)
        .flat_map(|i| format!("word{} ", i * i).into_bytes())
        .collect();
    let (one, two) = text.split_at(100_001);
    assert!(content("a.txt", &text).unwrap() == text);
    assert!(content("a.txt.gz", &gzip(&text)).unwrap() == text);
    assert!(content("a.txt.gz", &[gzip(one), gzip(two)].concat()).unwrap() == text);
    assert!(content("a.txt.zst", &zstandard(&text)).unwrap() == text);
    assert!(content("a.txt.zst", &[zstandard(one), zstandard(two)].concat()).unwrap() == text);
    assert!(content("without-an-ending", &gzip(&text)).unwrap() == text);
    assert!(content("without-an-ending", &zstandard(&text)).unwrap() == text);
    assert_eq!(content("empty.txt", b"").unwrap(), b"");
    assert_eq!(content("empty.gz", &gzip(b"")).unwrap(), b"");
    assert_eq!(content("empty.zst", &zstandard(b"")).unwrap(), b"");
    let skippable = [
        &[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..],
        &zstandard(b"text"),
    ]
    .concat();
    assert_eq!(content("a.zst", &skippable).unwrap(), b"text");
}

#[test]
fn broken_archives_are_refused_by_name() {
    let text: Vec<u8> = (0..30_000u64)
        .flat_map(|i| format!("word{} ", i * i).into_bytes())
        .collect();
    for (name, packed, packer) in [
        ("a.gz", gzip(&text), "gzip"),
        ("a.zst", zstandard(&text), "zstandard"),
    ] {
        let mut changed = packed.clone();
        let middle = changed.len() / 2;
        changed[middle..middle + 8]
            .iter_mut()
            .for_each(|byte| *byte ^= 0x5a);
        let cases = [
            packed[..packed.len() - 3].to_vec(),
            packed[..packed.len() / 2].to_vec(),
            packed[..3].to_vec(),
            changed,
            [&packed[..], b"more"].concat(),
        ];
        for bytes in cases {
            let error = content(name, &bytes).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{name} is no whole {packer} archive (")),
                "{error}"
            );
        }
        assert_eq!(content(name, b"plain text").unwrap(), b"plain text");
    }
}

#[test]
fn a_small_archive_of_a_large_text_is_read_in_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.gz");
    let mut packer =
        flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
    (0..8).for_each(|_| packer.write_all(&[b'a'; 1 << 20]).unwrap());
    packer.finish().unwrap();
    let mut archive = Archive::open(&path).unwrap();
    let (mut total, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        match archive.read(&mut buffer).unwrap() {
            0 => break,
            count => total += count,
        }
    }
    assert_eq!(total, 8 << 20);
}

#[test]
fn zeros_behind_gzip_and_between_its_members_are_no_part_of_it() {
    let (one, two) = (gzip(b"one "), gzip(b"two"));
    let zeros = vec![0; 70_000];
    for bytes in [
        [&one[..], &two, &zeros].concat(),
        [&one[..], &zeros, &two].concat(),
        [&one[..], &gzip(b""), &two, &[0]].concat(),
    ] {
        assert_eq!(content("a.gz", &bytes).unwrap(), b"one two");
    }
    let error = content("a.gz", &[&one[..], &zeros, b"more"].concat()).unwrap_err();
    assert!(
        error.to_string().contains("is no whole gzip archive ("),
        "{error}"
    );
}

#[test]
fn the_longest_window_of_zstandard_is_read() {
    let mut packer = zstd::Encoder::new(Vec::new(), 1).unwrap();
    packer.long_distance_matching(true).unwrap();
    packer.window_log(31).unwrap();
    packer.write_all(b"words and words").unwrap();
    let packed = packer.finish().unwrap();
    assert_eq!(content("a.zst", &packed).unwrap(), b"words and words");
}

#[test]
fn what_is_no_text_inside_a_packed_file_is_refused() {
    let mut tar = vec![0; 1024];
    tar[..5].copy_from_slice(b"a.txt");
    tar[257..262].copy_from_slice(b"ustar");
    for (name, bytes) in [("a.gz", gzip(&tar)), ("a.zst", zstandard(&tar))] {
        let error = content(name, &bytes).unwrap_err().to_string();
        assert!(error.contains("holds a tar archive, packed by"), "{error}");
    }
}
