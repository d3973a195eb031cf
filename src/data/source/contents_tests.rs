//! Tests of `contents.rs`.

use super::*;

/// The header of a tar archive with one empty file, as POSIX has it or as it was before.
fn tar(is_posix: bool) -> Vec<u8> {
    let mut block = [0; 1024];
    block[..5].copy_from_slice(b"a.txt");
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(b"00000000005");
    block[156] = b'0';
    if is_posix {
        block[257..263].copy_from_slice(b"ustar\0");
    }
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block[512..517].copy_from_slice(b"words");
    block.to_vec()
}

const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n\
    oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

fn said(name: &str, packed_by: Option<TextPacking>, head: &[u8]) -> String {
    refusal(Path::new(name), packed_by, FileContents::of(head), "text")
        .map_or_else(|| "read".to_owned(), |fault| fault.to_string())
}

/// Name, beginning, and what is said. It is long because it has a line for every kind.
fn kinds() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        (
            "d/a.txt",
            tar(true),
            "d/a.txt is a tar archive, not text; unpack it with `tar -xf d/a.txt` and name the \
             files that come out",
        ),
        (
            "a.tar",
            tar(false),
            "a.tar is a tar archive, not text; unpack it with `tar -xf a.tar` and name the files \
             that come out",
        ),
        (
            "it's a.txt",
            b"PK\x03\x04rest".to_vec(),
            "it's a.txt is a zip archive (as .docx, .xlsx and .npz files are), not text; unpack \
             it with `unzip 'it'\\''s a.txt'` and name the files that come out",
        ),
        (
            "a.txt.xz",
            b"\xfd7zXZ\0\0".to_vec(),
            "a.txt.xz is an xz archive, not text; unpack it with `xz -dc a.txt.xz > a.txt`",
        ),
        (
            "a.txt",
            b"BZh91AY&SY rest".to_vec(),
            "a.txt is a bzip2 archive, not text; unpack it with `bzip2 -dc a.txt > a.txt.txt`",
        ),
        (
            "a.txt",
            POINTER.to_vec(),
            "a.txt is a pointer of Git LFS, whose file was not fetched, not text; fetch the file \
             with `git lfs pull` in its repository",
        ),
        (
            "a.txt",
            b"PAR1....".to_vec(),
            "a.txt is a parquet file, not text; write dataset.source = \"parquet\"",
        ),
        (
            "a.txt",
            b"\xff\xfea\0b\0".to_vec(),
            "a.txt is a text in UTF-16, not text; convert it with `iconv -f UTF-16 -t UTF-8 a.txt \
             > a.utf8.txt`",
        ),
        (
            "a.txt",
            b"a\0b\0c\0\n\0".to_vec(),
            "a.txt is a text in UTF-16 without a mark, not text; convert it with `iconv -f \
             UTF-16LE -t UTF-8 a.txt > a.utf8.txt`",
        ),
        (
            "a.txt",
            b"\xff\xfe\0\0a\0\0\0".to_vec(),
            "a.txt is a text in UTF-32, not text; convert it with `iconv -f UTF-32 -t UTF-8 a.txt \
             > a.utf8.txt`",
        ),
        (
            "a.pdf",
            b"%PDF-1.7\n".to_vec(),
            "a.pdf is a PDF, not text; take its text with `pdftotext a.pdf a.txt`",
        ),
    ]
}

#[test]
fn what_is_no_text_is_named_with_the_command_that_makes_text_of_it() {
    for (name, head, expected) in kinds() {
        assert_eq!(said(name, None, &head), expected);
    }
}

#[test]
fn what_is_unpacked_is_looked_at_too() {
    assert_eq!(
        said("a.tar.gz", Some(TextPacking::Gzip), &tar(true)),
        "a.tar.gz holds a tar archive, packed by gzip, and not text; unpack it with `tar -xf \
         a.tar.gz` and name the files that come out"
    );
    assert_eq!(
        said("a.gz", Some(TextPacking::Gzip), b"\x1f\x8b\x08"),
        "a.gz holds a gzip archive, packed by gzip, and not text; unpack it with `gzip -dc a.gz > \
         a`, then unpack it with `gzip -dc a > a.txt`"
    );
    assert_eq!(
        said("a.txt.zst", Some(TextPacking::Zstandard), b"\xfe\xff\0a"),
        "a.txt.zst holds a text in UTF-16, packed by zstandard, and not text; unpack it with \
         `zstd -dc a.txt.zst > a.txt`, then convert it with `iconv -f UTF-16 -t UTF-8 a.txt > \
         a.utf8.txt`"
    );
}

#[test]
fn what_begins_alike_is_text() {
    let long_pointer = [POINTER, &b"and so on\n".repeat(200)].concat();
    for head in [
        &b""[..],
        b"PK and a point",
        b"BZh9 is a mark",
        b"\xef\xbb\xbftext with a mark of UTF-8",
        b"version https://git-lfs.github.com/spec/v1 is how a pointer begins",
        &long_pointer,
        b"Rar! said the crow",
        &b"0".repeat(2000),
        &vec![b' '; 600],
        "ustar ".repeat(200).as_bytes(),
    ] {
        assert_eq!(said("a.txt", None, head), "read", "{head:?}");
    }
}
