//! What a file is, by what is in it: its name says nothing.
//!
//! [`FileContents::of`] looks at the beginning of a file, or of what is unpacked from one. Text and
//! the two packings of text are read; whatever else has a line in [`KINDS`] is refused with what it
//! is and the command that makes text of it. What has no line there is text, if it is UTF-8. A kind
//! belongs in the table where it would pass for text (a tar archive of texts is UTF-8, and so are a
//! pointer of Git LFS and UTF-16 without a mark), or where people take it for text.

use std::io::Read;
use std::path::Path;

use super::encodings;
use crate::files::starts_lfs_pointer;
use crate::plan::InputFault;
use crate::shell;

/// Bytes that are looked at.
const HEAD: usize = 4096;

/// What the beginning of a file shows.
#[derive(Debug, Clone, Copy)]
pub enum FileContents {
    /// Nothing that is known: text, if it is UTF-8.
    Text,
    Packed(TextPacking),
    Other(&'static ContentKind),
}

/// How a text may be packed and still be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPacking {
    Gzip,
    Zstandard,
}

/// A kind of file that is no text.
#[derive(Debug)]
pub struct ContentKind {
    /// With its article.
    name: &'static str,
    is: fn(&[u8]) -> bool,
    /// What makes text of it; `FILE` stands for the file, `OUT` for what comes of it.
    remedy: &'static str,
    /// The ending of `OUT`; none where it is the name without its last one.
    ending: Option<&'static str>,
}

/// Parquet files, which have a source of their own.
const PARQUET: ContentKind = ContentKind {
    name: "a parquet file",
    is: |head| head.starts_with(b"PAR1") || head.starts_with(b"PARE"),
    remedy: "write dataset.source = \"parquet\"",
    ending: None,
};

/// In the order in which they are tried.
static KINDS: [ContentKind; 21] = [
    PARQUET,
    kind(
        "a tar archive",
        is_tar,
        "unpack it with `tar -xf FILE` and name the files that come out",
    ),
    kind(
        "a zip archive (as .docx, .xlsx and .npz files are)",
        |head| head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06"),
        "unpack it with `unzip FILE` and name the files that come out",
    ),
    kind(
        "an xz archive",
        |head| head.starts_with(b"\xfd7zXZ\0"),
        "unpack it with `xz -dc FILE > OUT`",
    ),
    kind(
        "a bzip2 archive",
        is_bzip2,
        "unpack it with `bzip2 -dc FILE > OUT`",
    ),
    kind(
        "an lz4 archive",
        |head| head.starts_with(b"\x04\x22\x4d\x18"),
        "unpack it with `lz4 -dc FILE > OUT`",
    ),
    kind(
        "an archive of `compress`",
        |head| head.starts_with(b"\x1f\x9d"),
        "unpack it with `gzip -dc FILE > OUT`",
    ),
    kind(
        "a 7z archive",
        |head| head.starts_with(b"7z\xbc\xaf\x27\x1c"),
        "unpack it with `7z x FILE` and name the files that come out",
    ),
    kind(
        "a rar archive",
        |head| head.starts_with(b"Rar!\x1a\x07"),
        "unpack it with `unrar x FILE` and name the files that come out",
    ),
    kind(
        "a pointer of Git LFS, whose file was not fetched",
        starts_lfs_pointer,
        "fetch the file with `git lfs pull` in its repository",
    ),
    kind(
        "a pointer of git-annex, whose file was not fetched",
        |head| head.len() < HEAD && head.starts_with(b"/annex/objects/"),
        "fetch the file with `git annex get FILE`",
    ),
    kind(
        "an Arrow file",
        |head| head.starts_with(b"ARROW1\0\0") || head.starts_with(b"\xff\xff\xff\xff"),
        "write it as parquet (in Python: datasets.Dataset.from_file(\"…\").to_parquet(\"…\")) and \
         write dataset.source = \"parquet\"",
    ),
    ContentKind {
        ending: Some("txt"),
        ..kind(
            "a PDF",
            |head| head.starts_with(b"%PDF-"),
            "take its text with `pdftotext FILE OUT`",
        )
    },
    kind(
        "a text with layout (RTF)",
        |head| head.starts_with(b"{\\rtf"),
        "save it as plain text",
    ),
    // UTF-32 comes first: its mark begins with that of UTF-16.
    encoding(
        "a text in UTF-32",
        |head| head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff"),
        "convert it with `iconv -f UTF-32 -t UTF-8 FILE > OUT`",
    ),
    encoding(
        "a text in UTF-32 without a mark",
        |head| encodings::is_utf32(head, encodings::LITTLE),
        "convert it with `iconv -f UTF-32LE -t UTF-8 FILE > OUT`",
    ),
    encoding(
        "a text in UTF-32 without a mark",
        |head| encodings::is_utf32(head, encodings::BIG),
        "convert it with `iconv -f UTF-32BE -t UTF-8 FILE > OUT`",
    ),
    encoding(
        "a text in UTF-16",
        |head| head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff"),
        "convert it with `iconv -f UTF-16 -t UTF-8 FILE > OUT`",
    ),
    encoding(
        "a text in UTF-16 without a mark",
        |head| encodings::is_utf16(head, encodings::LITTLE),
        "convert it with `iconv -f UTF-16LE -t UTF-8 FILE > OUT`",
    ),
    encoding(
        "a text in UTF-16 without a mark",
        |head| encodings::is_utf16(head, encodings::BIG),
        "convert it with `iconv -f UTF-16BE -t UTF-8 FILE > OUT`",
    ),
    kind(
        "an SQLite database",
        |head| head.starts_with(b"SQLite format 3\0"),
        "write the text that you want out of it",
    ),
];

const fn kind(name: &'static str, is: fn(&[u8]) -> bool, remedy: &'static str) -> ContentKind {
    ContentKind {
        name,
        is,
        remedy,
        ending: None,
    }
}

const fn encoding(name: &'static str, is: fn(&[u8]) -> bool, remedy: &'static str) -> ContentKind {
    ContentKind {
        ending: Some("utf8.txt"),
        ..kind(name, is, remedy)
    }
}

impl FileContents {
    /// What begins with these bytes, of which some thousand should be there where there are as
    /// many.
    pub fn of(head: &[u8]) -> Self {
        // A skippable frame may come before the first one of zstandard.
        let zstandard = matches!(head, [0x28, 0xb5, 0x2f, 0xfd, ..])
            || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        if head.starts_with(&[0x1f, 0x8b]) {
            return Self::Packed(TextPacking::Gzip);
        }
        if zstandard {
            return Self::Packed(TextPacking::Zstandard);
        }
        KINDS
            .iter()
            .find(|kind| (kind.is)(head))
            .map_or(Self::Text, Self::Other)
    }

    /// Whether it is parquet.
    pub fn is_parquet(self) -> bool {
        matches!(self, Self::Other(kind) if kind.name == PARQUET.name)
    }
}

impl TextPacking {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstandard => "zstandard",
        }
    }

    /// The packing that a file's name promises.
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "gz" => Some(Self::Gzip),
            "zst" | "zstd" => Some(Self::Zstandard),
            _ => None,
        }
    }

    /// The command that unpacks a file.
    fn unpacked(self, path: &Path) -> String {
        let command = match self {
            Self::Gzip => "gzip",
            Self::Zstandard => "zstd",
        };
        format!(
            "`{command} -dc {} > {}`",
            shell::path(path),
            shell::path(&out(path, None))
        )
    }
}

/// The first bytes of what is read, as many as [`FileContents::of`] looks at.
///
/// # Errors
/// Those of the reader.
pub fn head(reader: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// That a file is of a kind that is not read, where `wanted` is; it may have come out of a packed
/// one.
pub fn refusal(
    path: &Path,
    packed_by: Option<TextPacking>,
    contents: FileContents,
    wanted: &str,
) -> Option<InputFault> {
    let (name, remedy) = match contents {
        FileContents::Text => return None,
        FileContents::Packed(inner) => {
            let inside = match packed_by {
                Some(_) => out(path, None),
                None => path.to_owned(),
            };
            let remedy = format!("unpack it with {}", inner.unpacked(&inside));
            (format!("a {} archive", inner.name()), remedy)
        }
        FileContents::Other(kind) => {
            // tar unpacks by itself.
            let file = match packed_by {
                Some(_) if !kind.name.contains("tar") => out(path, None),
                Some(_) | None => path.to_owned(),
            };
            let remedy = kind
                .remedy
                .replace("FILE", &shell::path(&file))
                .replace("OUT", &shell::path(&out(&file, kind.ending)));
            (kind.name.to_owned(), remedy)
        }
    };
    let message = match packed_by {
        Some(packing) => format!(
            "{} holds {name}, packed by {}, and not {wanted}",
            path.display(),
            packing.name()
        ),
        None => format!("{} is {name}, not {wanted}", path.display()),
    };
    let hint = match packed_by {
        Some(packing) if !name.contains("tar") => {
            format!("unpack it with {}, then {remedy}", packing.unpacked(path))
        }
        Some(_) | None => remedy,
    };
    Some(InputFault::new(message, hint))
}

/// The name of what a command makes of a file.
fn out(path: &Path, ending: Option<&str>) -> std::path::PathBuf {
    match ending {
        Some(ending) => path.with_extension(ending),
        None => {
            let is_packed = path.extension().is_some_and(|ending| {
                ["gz", "zst", "zstd", "xz", "bz2", "lz4", "Z"]
                    .iter()
                    .any(|known| ending.eq_ignore_ascii_case(known))
            });
            if is_packed {
                path.with_extension("")
            } else {
                let mut name = path.as_os_str().to_owned();
                name.push(".txt");
                name.into()
            }
        }
    }
}

/// By the mark of POSIX, or by the sum of its header, which older ones have too.
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else {
        return false;
    };
    let sum = &header[148..156];
    let written = std::str::from_utf8(sum)
        .ok()
        .map(|text| text.trim_matches([' ', '\0']))
        .and_then(|text| u32::from_str_radix(text, 8).ok());
    let counted = header
        .iter()
        .enumerate()
        .map(|(at, &byte)| {
            let is_sum = (148..156).contains(&at);
            u32::from(if is_sum { b' ' } else { byte })
        })
        .sum();
    header[0] != 0 && (header[257..262] == *b"ustar" || written == Some(counted))
}

/// By the mark and that of its first block, or of its end where it has none: `BZh9` alone may begin
/// a text.
fn is_bzip2(head: &[u8]) -> bool {
    let block = head.get(4..10);
    head.starts_with(b"BZh")
        && (block == Some(b"\x31\x41\x59\x26\x53\x59")
            || block == Some(b"\x17\x72\x45\x38\x50\x90"))
}

#[cfg(test)]
#[path = "contents_tests.rs"]
mod tests;
