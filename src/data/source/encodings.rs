//! Text that is not UTF-8 and hides it: UTF-16 and UTF-32 without a mark.
//!
//! Much of it is valid UTF-8, character by character: Latin text has a zero byte beside each
//! letter, Cyrillic one of 4. So it is known by where the small bytes stand.

/// The places of the high bytes, those that are small, in a unit.
#[derive(Debug, Clone, Copy)]
pub struct ByteOrder {
    /// Which of two bytes.
    of_two: usize,
    /// Which of four bytes, the two highest.
    of_four: [usize; 2],
    /// Which of four bytes, the lowest.
    lowest_of_four: usize,
}

/// The low byte first.
pub const LITTLE: ByteOrder = ByteOrder {
    of_two: 1,
    of_four: [2, 3],
    lowest_of_four: 0,
};

/// The high byte first.
pub const BIG: ByteOrder = ByteOrder {
    of_two: 0,
    of_four: [0, 1],
    lowest_of_four: 3,
};

/// Whether a text begins as UTF-16 of this order, in an alphabet below U+2000: nearly every high
/// byte is below 32, and those of spaces and ends of lines are zero, as the low ones are not.
pub fn is_utf16(head: &[u8], order: ByteOrder) -> bool {
    let high = every(head, 2, order.of_two);
    let low = every(head, 2, 1 - order.of_two);
    let units = low.clone().count().min(high.clone().count());
    let zeros = high.clone().filter(|&byte| byte == 0).count();
    let small = high.filter(|&byte| byte < 0x20).count();
    let zeros_of_low = low.filter(|&byte| byte == 0).count();
    units >= 2 && zeros * 20 >= units && small * 10 >= units * 9 && zeros_of_low * 10 <= zeros
}

/// Whether a text begins as UTF-32 of this order: the two highest bytes of nearly every character
/// are zero, as those of all but emoji and their kin are, and the lowest is not.
pub fn is_utf32(head: &[u8], order: ByteOrder) -> bool {
    let units = head.len() / 4;
    let [one, two] = order.of_four.map(|place| {
        every(head, 4, place)
            .take(units)
            .filter(|&byte| byte == 0)
            .count()
    });
    let zeros_of_lowest = every(head, 4, order.lowest_of_four)
        .filter(|&byte| byte == 0)
        .count();
    units >= 2 && one * 10 >= units * 9 && two * 10 >= units * 9 && zeros_of_lowest * 10 <= units
}

/// Every so many bytes, from a place on.
fn every(head: &[u8], step: usize, from: usize) -> impl Iterator<Item = u8> + Clone + '_ {
    head.iter().skip(from).step_by(step).copied()
}

#[cfg(test)]
#[path = "encodings_tests.rs"]
mod tests;
