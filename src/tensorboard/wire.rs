//! The bytes of an event file: records in TensorFlow's framing, each a protocol buffer. Of either
//! only what is written here is known; numbers of fields are those of `event.proto`,
//! `summary.proto` and `tensor.proto`.

use crc::{CRC_32_ISCSI, Crc};

/// What TensorFlow adds to a rotated checksum, so that one of bytes that hold checksums is no
/// weaker.
const MASK: u32 = 0xa282_ead8;
const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// A protocol buffer in the making: a field is its number and kind, then its content.
#[derive(Debug, Clone, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    pub fn double(mut self, field: u64, value: f64) -> Self {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn single(mut self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    /// Seven bits a byte, the lowest first; all but the last have the eighth.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// An event at a time, of a step, that holds nothing yet.
pub(super) fn event(wall: f64, step: u64) -> Message {
    Message::new().double(1, wall).number(2, step)
}

/// A record: its length, the checksum of that, the bytes, and theirs.
pub(super) fn framed(message: &Message) -> Vec<u8> {
    let length = (message.0.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked_checksum(&length).to_le_bytes());
    record.extend(&message.0);
    record.extend(masked_checksum(&message.0).to_le_bytes());
    record
}

/// CRC-32C, rotated by 15 bits and shifted by a constant.
pub(super) fn masked_checksum(bytes: &[u8]) -> u32 {
    CASTAGNOLI
        .checksum(bytes)
        .rotate_right(15)
        .wrapping_add(MASK)
}
