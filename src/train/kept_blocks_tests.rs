//! Tests of `kept_blocks.rs`.

use super::*;

fn blocks() -> KeptBlocks {
    KeptBlocks::new(8 << 30)
}

#[test]
fn a_size_holds_what_was_asked_for_and_an_eighth_more_at_most() {
    let mut sizes = Vec::new();
    for octave in 18..30 {
        for part in 0..64 {
            let bytes = (1_usize << octave) + (part << octave) / 64 + part % 3;
            let (class, capacity) = size_class(bytes).unwrap();
            assert!(
                capacity >= bytes && capacity - bytes <= bytes / 8,
                "{bytes}"
            );
            assert!(capacity.is_multiple_of(PAGE), "{bytes}");
            assert_eq!(size_class(capacity), Some((class, capacity)));
            sizes.push((class, capacity));
        }
    }
    sizes.sort();
    sizes.dedup();
    // Another class is another size, and larger ones are.
    assert!(sizes.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
    assert_eq!(size_class(usize::MAX / 2), None);
}

#[test]
fn a_block_that_was_put_back_is_taken_again_and_no_other_has_it() {
    let kept = blocks();
    let size = 3 << 20;
    let (first, is_zero) = kept.take(size);
    if first.is_null() {
        eprintln!("skipped: the system reserves no addresses");
        return;
    }
    assert!(is_zero && kept.holds(first) && first.addr().is_multiple_of(PAGE));
    let (second, _) = kept.take(size);
    assert!(second.addr().abs_diff(first.addr()) >= size);
    // SAFETY: blocks are written within their sizes, and put back once.
    unsafe {
        first.write_bytes(7, size);
        second.write_bytes(9, size);
        assert!((0..size).step_by(999).all(|at| *first.add(at) == 7));
        kept.put(first, size);
        assert_eq!(kept.take(size - 5000), (first, false));
        kept.put(first, size - 5000);
        kept.put(second, size);
    }
    let local = 0_u8;
    assert!(!kept.holds((&raw const local).cast_mut()));
    assert!(kept.is_of_one_size(size, size - 5000) && !kept.is_of_one_size(size, 2 * size));
}

#[test]
fn what_waits_is_given_back_where_nothing_of_its_size_is_wanted() {
    let kept = blocks();
    let size = 160 << 20;
    let (block, _) = kept.take(size);
    if block.is_null() {
        return;
    }
    // SAFETY: the block is written within its size, and put back once each time.
    unsafe {
        block.write_bytes(1, size);
        kept.put(block, size);
        assert!(kept.waiting.load(Ordering::Relaxed) >= size);
        // Of another size, while more waits than may: the pages go.
        let (other, _) = kept.take(300 << 10);
        assert_eq!(kept.waiting.load(Ordering::Relaxed), 0);
        let (again, is_zero) = kept.take(size);
        assert_eq!((again, is_zero), (block, false));
        assert_eq!(*again.add(size / 2), 0, "its pages are new ones");
        kept.put(again, size);
        kept.put(other, 300 << 10);
    }
    assert_eq!(kept.live.load(Ordering::Relaxed), 0);
}

#[test]
fn threads_never_have_the_same_block() {
    let kept = blocks();
    if kept.take(LEAST).0.is_null() {
        return;
    }
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let kept = &kept;
            scope.spawn(move || {
                let mut state = thread as u64 + 1;
                let mut held: Vec<(*mut u8, usize, u8)> = Vec::new();
                for round in 0..2000_usize {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let size = LEAST + (state >> 40) as usize % (1 << 20);
                    let (block, _) = kept.take(size);
                    let mark = (thread * 64 + round % 64) as u8;
                    // SAFETY: every byte lies in a block that this thread has.
                    unsafe {
                        for at in [0, size / 2, size - 1] {
                            block.add(at).write(mark);
                        }
                        held.push((block, size, mark));
                        if held.len() > 6 {
                            let (block, size, mark) = held.remove(round % 6);
                            for at in [0, size / 2, size - 1] {
                                assert_eq!(*block.add(at), mark);
                            }
                            kept.put(block, size);
                        }
                    }
                    if round % 500 == 0 {
                        kept.give_back();
                    }
                }
            });
        }
    });
}
