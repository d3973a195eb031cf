//! What kind of data the files of a repo are, by their names, as the `datasets` library (5.2) has
//! it; three of the kinds can be read here.

use std::collections::BTreeMap;

/// A kind of file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFormat {
    Parquet,
    /// JSON, one object after another or in a list.
    Json,
    /// Text, of which every line is a row.
    Text,
}

impl DataFormat {
    /// The kind of that name, where it can be read.
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "parquet" => Some(Self::Parquet),
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// Each kind, and the endings of its files.
const KINDS: [(&str, &str); 27] = [
    ("csv", "csv tsv"),
    ("json", "json jsonl ndjson"),
    ("parquet", "parquet geoparquet gpq"),
    ("arrow", "arrow"),
    ("text", "txt"),
    ("conll", "conll conllu"),
    ("webdataset", "tar"),
    ("xml", "xml"),
    ("hdf5", "hdf5 h5"),
    ("eval", "eval"),
    ("harbor", "toml md"),
    ("lance", "lance idx manifest txn"),
    ("tsfile", "tsfile"),
    ("vortex", "vortex"),
    ("fasta", "fa fasta fna ffn faa frn afa"),
    ("genbank", "gb gbk genbank"),
    ("fastq", "fq fastq"),
    ("pdb", "pdb ent"),
    ("mmcif", "cif mmcif"),
    (
        "images",
        "blp bmp dib bufr cur pcx dcx dds ps eps fit fits fli flc ftc ftu gbr gif grib png apng \
         jp2 j2k jpc jpf jpx j2c icns ico im iim tif tiff jfif jpe jpg jpeg msp pcd pxr pbm pgm \
         ppm pnm psd bw rgb rgba sgi ras tga icb vda vst webp wmf emf xbm xpm",
    ),
    (
        "audio",
        "mpg aiff au avr caf flac htk svx mat4 mat5 mpc2k ogg paf pvf raw rf64 sd2 sds ircam voc \
         w64 wav nist wavex wve xi mp3 opus 3gp 3g2 asf flv m4v webm f4v wmv wma ogm mxf nut",
    ),
    ("video", "mpeg avi mp4 mov mkv"),
    ("meshes", "glb gltf ply stl"),
    ("pdf", "pdf"),
    ("nifti", "nii"),
    ("zip", "zip"),
    ("scripts", "py"),
];
/// Kinds whose endings may be written in capitals.
const CAPITALS: [&str; 7] = ["pdb", "images", "audio", "video", "meshes", "pdf", "nifti"];
/// Files beside data of some kinds, which say nothing about the kind.
const METADATA: [&str; 6] = [
    "instruction.md",
    "latest_version_hint.json",
    "metadata.csv",
    "metadata.jsonl",
    "metadata.parquet",
    "task.toml",
];
/// Endings of which no kind is told by the library.
const UNTOLD: [&str; 4] = ["idx", "manifest", "txn", "py"];

fn kind_of_ending(ending: &str) -> Option<&'static str> {
    let of = |(_, endings): &&(&str, &str)| endings.split(' ').any(|known| known == ending);
    KINDS.iter().find(of).map(|(kind, _)| *kind)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn endings(path: &str) -> impl Iterator<Item = &str> {
    file_name(path).split('.').skip(1)
}

/// Whether a file is data of any kind.
pub fn is_data(path: &str) -> bool {
    endings(path).any(|ending| {
        let kind = kind_of_ending(ending).or_else(|| {
            let kind = kind_of_ending(&ending.to_ascii_lowercase())?;
            let capitals = ending.bytes().all(|byte| !byte.is_ascii_lowercase());
            (capitals && CAPITALS.contains(&kind)).then_some(kind)
        });
        kind.is_some_and(|kind| kind != "scripts")
    })
}

/// The kind that most of the files are; of as many, parquet comes first.
pub fn kind_of_most(paths: &[&str]) -> Option<&'static str> {
    let mut counts: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for path in paths {
        let is_metadata = METADATA.contains(&file_name(path));
        for ending in endings(path) {
            *counts
                .entry((ending.to_lowercase(), is_metadata))
                .or_default() += 1;
        }
    }
    let favour = |ending: &str| {
        let order = [
            "csv", "json", "jsonl", "arrow", "vortex", "lance", "parquet",
        ];
        order
            .iter()
            .position(|known| *known == ending)
            .map_or(0, |at| at + 1)
    };
    counts
        .into_iter()
        .map(|((ending, is_metadata), count)| (!is_metadata, count, favour(&ending), ending))
        .filter(|(.., ending)| !UNTOLD.contains(&ending.as_str()))
        .filter_map(|rank| Some((kind_of_ending(&rank.3)?, rank)))
        .max_by(|(_, a), (_, b)| a.cmp(b))
        .map(|(kind, _)| kind)
}

/// Whether a file is of a kind: one of its endings is, and only further endings come behind it.
pub fn is_of_kind(path: &str, kind: &str) -> bool {
    let endings = KINDS.iter().find(|(known, _)| *known == kind);
    let mut endings = endings.map_or("", |(_, endings)| endings).split(' ');
    endings.any(|ending| {
        let dotted = format!(".{ending}");
        path.match_indices(&dotted).any(|(at, _)| {
            let rest = &path[at + dotted.len()..];
            rest.is_empty() || rest.starts_with('.') && rest.len() > 1
        })
    })
}

/// What a repo holds, in words: `3 csv files, 1 script`.
pub fn in_words(paths: &[&str]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        let kind = endings(path)
            .filter_map(|ending| kind_of_ending(&ending.to_ascii_lowercase()))
            .next();
        if let Some(kind) = kind.filter(|kind| *kind != "harbor") {
            *counts.entry(kind).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let word = |(kind, count): &(&str, usize)| match (*kind, *count) {
        ("scripts", 1) => "1 Python script".to_owned(),
        ("scripts", count) => format!("{count} Python scripts"),
        (kind, 1) => format!("1 file of {kind}"),
        (kind, count) => format!("{count} files of {kind}"),
    };
    let words: Vec<String> = counts.iter().take(4).map(word).collect();
    if words.is_empty() {
        format!("{} files of no kind of data", paths.len())
    } else {
        words.join(", ")
    }
}

#[cfg(test)]
#[path = "data_formats_tests.rs"]
mod tests;
