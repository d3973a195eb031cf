//! Tests of `cloud.rs`.

use super::*;

fn shape(kind: CloudKind, tokens: usize) -> CloudShape {
    CloudShape {
        kind,
        tokens,
        widths: [8, 8],
    }
}

#[test]
fn all_pairs_cost_the_square_of_the_tokens_and_the_others_do_not() {
    for (kind, factor) in [
        (CloudKind::Pairs, 4.0),
        (CloudKind::Transport { iterations: 10 }, 4.0),
        (CloudKind::Sliced { directions: 4 }, 2.0),
        (CloudKind::Cka, 2.0),
    ] {
        let (few, many) = (shape(kind, 100).flops(), shape(kind, 200).flops());
        assert_eq!(many, factor * few, "{kind:?}");
    }
    // The products of the definition: 2·N²·C for each of five.
    assert_eq!(shape(CloudKind::Pairs, 100).flops(), 5.0 * 2.0 * 1e4 * 8.0);
}

#[test]
fn the_roots_of_covariances_do_not_grow_with_the_tokens() {
    let kind = CloudKind::Covariances;
    let (few, many) = (shape(kind, 100).flops(), shape(kind, 200).flops());
    assert_eq!(many - few, 6.0 * 100.0 * 64.0);
    assert_eq!(few - 6.0 * 100.0 * 64.0, 30.0 * 512.0);
}

#[test]
fn memory_counts_the_pairs() {
    let of = |kind| shape(kind, 1000).workspace_bytes() - FLOAT_BYTES * 3.0 * 8000.0;
    assert_eq!(of(CloudKind::Pairs), 8e6);
    assert_eq!(of(CloudKind::Transport { iterations: 1 }), 12e6);
}
