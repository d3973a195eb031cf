//! The file that holds the token streams of one dataset under one tokenizer.
//!
//! ```text
//! 0   magic "kdtokens"
//! 8   format, u32              12  zero, u32
//! 16  tokens, u64              24  documents, u64            32  bytes of the summary, u64
//! 40  sha256 of the bytes 0 … 39 and of everything from 80 on (by blocks of 1 MiB, so that all
//!     cores hash)
//! 72  zero, u64
//! 80  tokens of train, validation and test, u32 each; zeros up to a multiple of 8; starts of the
//!     documents, u64 each; the summary, JSON
//! ```
//!
//! All numbers are little-endian. The tokens are memory-mapped, the rest is read. A file is written
//! whole, then renamed, so it is there or it is not; the hash is checked whenever one is opened,
//! and a broken one is set aside. Everything that a start needs of the text is in it: no text is
//! read again.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use memmap2::{Mmap, MmapOptions};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::overlap::SharedDocuments;
use super::prepared::{Exact, Prepared, Split, SplitSizes, as_tokens};
use super::tasks::KeptTasks;
use super::tokenizer::{KeptFiles, Tokenizer};

/// Changes with the layout of the file or the meaning of what is in it; part of every key.
pub const FORMAT: u32 = 2;
/// Ending of the file's name.
pub const EXTENSION: &str = "kdtokens";

const MAGIC: &[u8; 8] = b"kdtokens";
const HEADER: usize = 80;
const BLOCK: usize = 1 << 20;

#[cfg(target_endian = "big")]
compile_error!("token streams are mapped as they lie in the file, which is little-endian");

/// What the file says beside the streams.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub key: String,
    /// The content of tokenizer.json.
    pub tokenizer: String,
    /// Train, validation, test.
    pub splits: [SplitSizes; 3],
    pub unigram_nats_per_token: f64,
    pub exact: Option<Exact>,
    pub shared: SharedDocuments,
}

/// The summary as it is stored: numbers as their bits, so that they come back exactly.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSummary {
    key: String,
    splits: [SplitSizes; 3],
    documents: [u64; 3],
    unigram_bits: u64,
    /// Of `nats_per_token` and `entropy_nats_per_token`.
    exact_bits: Option<[u64; 2]>,
    shared: SharedDocuments,
    tokenizer: String,
}

/// Writes a cache file from front to back; the header comes last.
#[derive(Debug)]
pub struct Writer<'f> {
    file: BufWriter<&'f mut File>,
    tokens: u64,
}

impl<'f> Writer<'f> {
    pub fn new(file: &'f mut File) -> Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; HEADER])?;
        Ok(Self { file, tokens: 0 })
    }

    /// Adds tokens; the splits follow one another.
    pub fn push(&mut self, tokens: &[u32]) -> Result<()> {
        self.tokens += tokens.len() as u64;
        // They lie in memory as in the file: both are little-endian, or nothing is compiled.
        self.file.write_all(bytemuck::cast_slice(tokens))?;
        Ok(())
    }

    /// The tokens so far, as they lie in the file.
    pub fn written(&mut self) -> Result<WrittenTokens> {
        self.file.flush()?;
        let length = HEADER + self.tokens as usize * 4;
        // SAFETY: the file is this process's own temporary one, and what is written of it is only
        // added to while it is mapped.
        let map = unsafe { MmapOptions::new().len(length).map(&**self.file.get_ref())? };
        Ok(WrittenTokens(map))
    }

    /// Adds what follows the tokens, and the header.
    pub fn finish(mut self, documents: &[Vec<u64>; 3], summary: &Summary) -> Result<()> {
        if self.tokens % 2 == 1 {
            self.file.write_all(&[0; 4])?;
        }
        for start in documents.iter().flatten() {
            self.file.write_all(&start.to_le_bytes())?;
        }
        let stored = serde_json::to_vec(&StoredSummary {
            key: summary.key.clone(),
            splits: summary.splits,
            documents: [0, 1, 2].map(|split| documents[split].len() as u64),
            unigram_bits: summary.unigram_nats_per_token.to_bits(),
            exact_bits: summary.exact.map(|exact| {
                [
                    exact.nats_per_token.to_bits(),
                    exact.entropy_nats_per_token.to_bits(),
                ]
            }),
            shared: summary.shared,
            tokenizer: summary.tokenizer.clone(),
        })?;
        self.file.write_all(&stored)?;
        self.file.flush()?;
        let file = self.file.into_inner().map_err(|error| error.into_error())?;

        let mut header = [0; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        header[16..24].copy_from_slice(&self.tokens.to_le_bytes());
        header[24..32].copy_from_slice(
            &documents
                .iter()
                .map(|starts| starts.len() as u64)
                .sum::<u64>()
                .to_le_bytes(),
        );
        header[32..40].copy_from_slice(&(stored.len() as u64).to_le_bytes());
        // SAFETY: the file is this process's own temporary one, and nobody writes it while it is
        // mapped.
        let written = unsafe { Mmap::map(&*file)? };
        let hash = content_hash(&header[..40], &written[HEADER..]);
        drop(written);
        header[40..72].copy_from_slice(&hash);
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header)?;
        Ok(())
    }
}

/// Tokens of a file that is still written.
pub struct WrittenTokens(Mmap);

impl WrittenTokens {
    /// All of them, the splits one after the other.
    pub fn tokens(&self) -> &[u32] {
        as_tokens(&self.0[HEADER..])
    }
}

/// sha256 over the head and the hashes of the body's blocks.
fn content_hash(head: &[u8], body: &[u8]) -> [u8; 32] {
    let blocks: Vec<[u8; 32]> = body
        .par_chunks(BLOCK)
        .map(|block| Sha256::digest(block).into())
        .collect();
    let mut hash = Sha256::new();
    hash.update(head);
    blocks.iter().for_each(|block| hash.update(block));
    hash.finalize().into()
}

/// Opens the cache file of `key`; `None` where there is none.
///
/// # Errors
/// A file that cannot be read, or is not what was written: foreign, cut short, changed, or of
/// another key.
pub fn open(path: &Path, key: &str) -> Result<Option<Prepared>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
    };
    ensure!(
        file.metadata()?.len() >= HEADER as u64,
        "it is too short to hold a header"
    );
    // SAFETY: published files are never written again, only replaced by a rename or removed, which
    // leaves a mapping as it is.
    let map = unsafe { Mmap::map(&file)? };
    let header = CacheHeader::read(&map)?;
    ensure!(
        content_hash(&map[..40], &map[HEADER..])[..] == map[40..72],
        "its content does not have the hash that its header gives"
    );
    // Beyond this point the content is what somebody wrote; that it fits together is looked at all
    // the same.
    let stored: StoredSummary = serde_json::from_slice(&map[header.summary_begin()..])
        .context("its summary cannot be read")?;
    ensure!(stored.key == key, "it is of the key {}", stored.key);
    stored.check(&header)?;
    let splits = splits(map, &header, &stored);
    let tokenizer = Tokenizer::from_json(stored.tokenizer)?;
    let mut largest = 0;
    for split in &splits {
        largest = largest.max(check_split(split, tokenizer.vocabulary())?);
    }
    let [train, validation, test] = splits;
    Ok(Some(Prepared {
        vocabulary: tokenizer.vocabulary(),
        end_of_text: tokenizer.document_end()?,
        largest_token: largest,
        kept: KeptFiles::default(),
        train,
        validation,
        test,
        key: stored.key,
        tokenizer,
        unigram_nats_per_token: f64::from_bits(stored.unigram_bits),
        exact: stored.exact_bits.map(|[nats, entropy]| Exact {
            nats_per_token: f64::from_bits(nats),
            entropy_nats_per_token: f64::from_bits(entropy),
        }),
        shared: stored.shared,
        notes: Vec::new(),
        tasks: KeptTasks::default(),
    }))
}

/// How much of everything a file holds, by its header.
struct CacheHeader {
    tokens: u64,
    documents: u64,
}

impl CacheHeader {
    /// Reads the header and compares it with the file's length.
    fn read(map: &[u8]) -> Result<Self> {
        let number =
            |at: usize| u64::from_le_bytes(map[at..at + 8].try_into().expect("eight bytes"));
        ensure!(&map[..8] == MAGIC, "it does not begin as a token file");
        let format = number(8);
        ensure!(
            format == u64::from(FORMAT),
            "its format is {format}, not {FORMAT}"
        );
        let (tokens, documents, summary) = (number(16), number(24), number(32));
        let token_bytes = tokens.checked_mul(4);
        let parts = [
            token_bytes.and_then(|bytes| bytes.checked_next_multiple_of(8)),
            documents.checked_mul(8),
            Some(summary),
            Some(HEADER as u64),
        ];
        let expected = parts
            .into_iter()
            .try_fold(0u64, |sum, part| sum.checked_add(part?));
        ensure!(
            expected == Some(map.len() as u64),
            "it has {} bytes, which does not fit its header",
            map.len()
        );
        Ok(Self { tokens, documents })
    }

    fn documents_begin(&self) -> usize {
        HEADER + (self.tokens as usize * 4).next_multiple_of(8)
    }

    fn summary_begin(&self) -> usize {
        self.documents_begin() + self.documents as usize * 8
    }
}

impl StoredSummary {
    /// Compares the sums over the splits with the whole.
    fn check(&self, header: &CacheHeader) -> Result<()> {
        let sum = |parts: [u64; 3]| parts.into_iter().try_fold(0u64, u64::checked_add);
        ensure!(
            sum(self.splits.map(|split| split.tokens)) == Some(header.tokens),
            "the splits of its summary do not fit its tokens"
        );
        ensure!(
            sum(self.documents) == Some(header.documents),
            "the splits of its summary do not fit its documents"
        );
        Ok(())
    }
}

/// The streams of the three splits, which lie in the file one after the other.
fn splits(map: Mmap, header: &CacheHeader, stored: &StoredSummary) -> [Split; 3] {
    let map = Arc::new(map);
    let (mut token_at, mut document_at) = (HEADER, header.documents_begin());
    [0, 1, 2].map(|index| {
        let sizes = stored.splits[index];
        let tokens = token_at..token_at + sizes.tokens as usize * 4;
        let starts = &map[document_at..document_at + stored.documents[index] as usize * 8];
        (token_at, document_at) = (tokens.end, document_at + starts.len());
        let documents = starts
            .chunks_exact(8)
            .map(|start| u64::from_le_bytes(start.try_into().expect("eight bytes")))
            .collect();
        Split::mapped(&map, tokens, documents, sizes)
    })
}

/// The largest token of a split whose parts fit together.
fn check_split(split: &Split, vocabulary: usize) -> Result<u32> {
    let tokens = split.tokens();
    let last = split.documents.last();
    ensure!(
        split.documents.is_sorted() && last.is_none_or(|&start| start <= tokens.len() as u64),
        "its documents overlap"
    );
    let largest = tokens.par_iter().copied().max().unwrap_or(0);
    ensure!(
        tokens.is_empty() || (largest as usize) < vocabulary,
        "it has tokens that its tokenizer does not have"
    );
    Ok(largest)
}
