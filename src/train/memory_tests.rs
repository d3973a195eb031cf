//! Tests of `memory.rs`.

use super::*;

#[test]
fn large_blocks_are_blocks_like_any_other() {
    for size in [100, 4 << 20, (5 << 20) + 12_345] {
        let layout = Layout::from_size_align(size, 64).expect("a layout");
        // SAFETY: the layout is not empty, the block is not null, what is read was written or
        // zeroed, and it is freed once, with the layout that it has then.
        unsafe {
            let block = LargeBlocks.alloc_zeroed(layout);
            assert!(!block.is_null() && block.addr().is_multiple_of(64));
            assert!(
                std::slice::from_raw_parts(block, size)
                    .iter()
                    .all(|&byte| byte == 0)
            );
            (0..size).for_each(|at| block.add(at).write(at as u8));
            let block = LargeBlocks.realloc(block, layout, 2 * size);
            assert!(
                std::slice::from_raw_parts(block, size)
                    .iter()
                    .enumerate()
                    .all(|(at, &byte)| byte == at as u8)
            );
            LargeBlocks.dealloc(
                block,
                Layout::from_size_align(2 * size, 64).expect("a layout"),
            );
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn large_blocks_ask_for_huge_pages() {
    let size = 16 << 20;
    let layout = Layout::from_size_align(size, 64).expect("a layout");
    // SAFETY: as above.
    let block = unsafe { LargeBlocks.alloc(layout) };
    let middle = block.addr() + size / 2;
    let Ok(maps) = std::fs::read_to_string("/proc/self/smaps") else {
        return;
    };
    let mut inside = false;
    let flags = maps.lines().find(|line| {
        let range = line
            .split(' ')
            .next()
            .and_then(|range| range.split_once('-'));
        if let Some((Ok(start), Ok(end))) = range.map(|(start, end)| {
            (
                usize::from_str_radix(start, 16),
                usize::from_str_radix(end, 16),
            )
        }) {
            inside = (start..end).contains(&middle);
        }
        inside && line.starts_with("VmFlags")
    });
    // Kernels without huge pages do not know the flag.
    if std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
        assert!(
            flags.is_some_and(|flags| flags.split(' ').any(|flag| flag == "hg")),
            "{flags:?}"
        );
    }
    // SAFETY: as above.
    unsafe { LargeBlocks.dealloc(block, layout) };
}
