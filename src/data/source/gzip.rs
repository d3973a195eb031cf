//! A gzip file as gzip reads it: members one after the other, and zeros behind them, with which
//! tapes and some tools fill a block.

use std::io::{BufRead, ErrorKind, Read, Result};

use flate2::bufread::GzDecoder;

/// What the members hold, one after the other.
pub struct GzipMembers<R> {
    /// Nothing at the end of the file.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipMembers<R> {
    pub fn new(file: R) -> Self {
        Self {
            member: Some(GzDecoder::new(file)),
        }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(ended) = self.member.take() else {
                break;
            };
            let mut file = ended.into_inner();
            if skip_zeros(&mut file)? {
                self.member = Some(GzDecoder::new(file));
            }
        }
        Ok(0)
    }
}

/// Skips zeros; whether something follows them.
fn skip_zeros(file: &mut impl BufRead) -> Result<bool> {
    loop {
        let block = match file.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            block => block?,
        };
        if block.is_empty() {
            return Ok(false);
        }
        let zeros = block.iter().take_while(|&&byte| byte == 0).count();
        let is_all = zeros == block.len();
        file.consume(zeros);
        if !is_all {
            return Ok(true);
        }
    }
}
