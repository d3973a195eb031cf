//! Tests of writing texts on a card, against the processor's form over matrices.

use dfdx::prelude::*;

use super::cuda_tests::{card, on};
use crate::ops::test_support::{assert_close, matrix};
use crate::ops::{Backend, Decoding, Head, Layers, Mat, Precision, tape};

/// What new rows attend to, piece by piece, behind what was read.
fn attended<D: Decoding>(device: &D, pieces: &[Mat<D>], heads: usize) -> Vec<Vec<f32>> {
    let width = pieces[0].shape().1 / 3;
    let rows: usize = pieces.iter().map(|piece| piece.shape().0).sum();
    let (mut cache, mut held) = (device.cache(rows, width), 0);
    pieces
        .iter()
        .map(|piece| {
            let out = D::attend(piece, &mut cache, held, heads, 0.37);
            held += piece.shape().0;
            tape::read(&out)
        })
        .collect()
}

#[test]
fn a_sequence_that_is_read_in_pieces_attends_as_on_the_processor() {
    let Some(card) = card() else { return };
    for (pieces, heads, head) in [
        (vec![1, 1, 1], 1, 1),
        (vec![5, 1, 7, 1], 3, 7),
        (vec![40, 1, 1], 2, 33),
    ] {
        let hosts: Vec<Mat<Cpu>> = (0..)
            .zip(&pieces)
            .map(|(i, &rows)| matrix(rows, 3 * heads * head, 1.0, i))
            .collect();
        let cards: Vec<Mat<Cuda>> = hosts.iter().map(|x| on(&card, x)).collect();
        let expected = attended(&Cpu::default(), &hosts, heads);
        let found = attended(&card, &cards, heads);
        assert!(
            found == attended(&card, &cards, heads),
            "the same bits again"
        );
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(found, expected, 2e-5);
        }
        // From the beginning it is the attention of training.
        let whole = Cuda::attention(cards[0].clone(), pieces[0], heads, 0.37, Precision::F32);
        assert_close(&found[0], &tape::read(&whole), 2e-5);
    }
}

#[test]
fn tokens_behind_others_take_the_positions_behind_theirs() {
    let Some(card) = card() else { return };
    let (wte, wpe) = (matrix(9, 7, 1.0, 0), matrix(6, 7, 1.0, 1));
    for (tokens, held) in [(vec![8], 0), (vec![3, 0, 3], 3), (vec![1], 5)] {
        let expected = Cpu::embed_behind(&tokens, held, &wte, &wpe);
        let found = Cuda::embed_behind(&tokens, held, &on(&card, &wte), &on(&card, &wpe));
        assert_eq!(tape::read(&found), tape::read(&expected));
    }
}

#[test]
fn the_logits_of_the_next_token_are_those_of_the_last_row() {
    let Some(card) = card() else { return };
    for (rows, width, vocabulary) in [(1, 1, 2), (3, 13, 301)] {
        let (hidden, matrix) = (
            matrix(rows, width, 1.0, 0),
            matrix(vocabulary, width, 1.0, 1),
        );
        for precision in [Precision::F32, Precision::Bf16] {
            let tolerance = match precision {
                Precision::Bf16 => 2e-2,
                _ => 1e-5,
            };
            let expected = Cpu::next_logits(&hidden, (&matrix).into());
            let (own, head) = (on(&card, &hidden), on(&card, &matrix));
            let found = Cuda::next_logits(
                &own,
                Head {
                    matrix: &head,
                    precision,
                },
            );
            assert_close(&found, &expected, tolerance);
        }
    }
    assert!(!Cuda::writes_on_arrays() && card.hardware().is_some());
}
