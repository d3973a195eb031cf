//! Tests of `overlap.rs`.

use super::*;

const END: u32 = 9;
const BLANK: u32 = 8;

fn split(documents: &[&[u32]]) -> (Vec<u32>, Vec<u64>) {
    let (mut tokens, mut starts) = (Vec::new(), Vec::new());
    for document in documents {
        starts.push(tokens.len() as u64);
        tokens.extend_from_slice(document);
        tokens.push(END);
    }
    (tokens, starts)
}

#[test]
fn documents_are_shared_by_what_they_say() {
    let (mut train, validation, test) = (
        split(&[&[1, 2], &[3], &[BLANK], &[1, 2, 3], &[BLANK, 4, 4]]),
        split(&[&[3], &[3], &[5], &[BLANK]]),
        split(&[&[2, 3], &[1, 2], &[5], &[BLANK], &[4, 4], &[6]]),
    );
    let count = |train: &(Vec<u32>, Vec<u64>)| {
        let of = |(tokens, starts): &'_ (Vec<u32>, Vec<u64>)| (tokens.clone(), starts.clone());
        let own = [of(train), of(&validation), of(&test)];
        let splits = [0, 1, 2].map(|i: usize| SplitDocuments {
            tokens: &own[i].0,
            starts: &own[i].1,
        });
        shared_documents(splits, END, &|document| {
            let byte = |&token: &u32| {
                if token == BLANK {
                    b' '
                } else {
                    b'a' + token as u8
                }
            };
            document.iter().map(byte).collect()
        })
    };
    let expected = SharedDocuments {
        validation_in_train: 2,
        test_in_train: 2,
        test_in_validation: 1,
    };
    assert_eq!(count(&train), expected);
    // The last training document may be cut, and may lack its end.
    train.0.pop();
    assert_eq!(count(&train), expected);
    train.0.pop();
    assert_eq!(count(&train).test_in_train, 1);
}
