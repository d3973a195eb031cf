//! Tests of `cutter.rs`.

use super::super::document::Piece;
use super::*;

/// The documents of a part that texts give, each a document of its own, pushed in pieces of `step`
/// bytes.
fn documents_by(
    texts: &[String],
    cut: SplitCut,
    part: Part,
    reach: ReadLimit,
    step: usize,
) -> Result<Vec<String>> {
    let (mut documents, mut text) = (Vec::new(), String::new());
    let mut visitor = |piece: Piece| {
        match piece {
            Piece::Text { text: more, .. } => text.push_str(more),
            Piece::End { .. } => documents.push(std::mem::take(&mut text)),
        }
        Ok(Flow::Continue(()))
    };
    let mut cutter = Cutter::of_share(cut, part, reach, Detokenize::None, &mut visitor);
    'all: for text in texts {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.floor_char_boundary(step.min(rest.len())));
            if cutter.push(now)?.is_break() {
                break 'all;
            }
            rest = later;
        }
        if cutter.end()?.is_break() {
            break;
        }
    }
    cutter.finish()?;
    documents.retain(|document| !document.is_empty());
    Ok(documents)
}

fn documents(texts: &[String], cut: SplitCut, part: Part) -> Vec<String> {
    documents_by(texts, cut, part, None, 1000).unwrap()
}

fn shares(validation: &str, test: &str) -> Shares {
    Shares::new(validation, test)
}

fn by_documents(validation: &str, test: &str) -> SplitCut {
    SplitCut {
        shares: shares(validation, test),
        blocks: None,
    }
}

fn by_lines(lines: u64, gap: u64) -> SplitCut {
    SplitCut {
        shares: shares("20%", "20%"),
        blocks: Some(LineBlocks { lines, gap }),
    }
}

fn texts(count: usize) -> Vec<String> {
    (0..count)
        .map(|index| format!("document {index}"))
        .collect()
}

#[test]
fn every_document_is_in_one_split_and_a_document_has_the_same_one_wherever_it_stands() {
    let cut = by_documents("20%", "20%");
    let mut twice = texts(2_000);
    twice.extend(texts(2_000).iter().map(|text| format!("{text}\n")));
    let all = Part::ALL.map(|part| documents(&twice, cut, part));
    assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 4_000);
    for (part, found) in Part::ALL.into_iter().zip(&all) {
        assert!(found.iter().all(|text| cut.shares.part(text) == part));
    }
    assert!(
        (600..1_000).contains(&all[1].len()),
        "about a fifth of 4000 documents: {}",
        all[1].len()
    );
}

#[test]
fn the_reach_of_training_ends_the_other_splits_too() {
    let (cut, texts) = (by_documents("20%", "20%"), texts(20_000));
    let trained: Vec<usize> = (0..texts.len())
        .filter(|&at| cut.shares.part(&texts[at]) == Part::Train)
        .take(100)
        .collect();
    let last = *trained.last().unwrap();
    let tested = texts[..=last]
        .iter()
        .filter(|text| cut.shares.part(text) == Part::Test)
        .cloned();
    assert_eq!(
        documents_by(&texts, cut, Part::Test, Some(100), 9).unwrap(),
        tested.collect::<Vec<_>>()
    );
}

/// Lines of one long text, each unlike any other.
fn lines(count: usize) -> Vec<String> {
    (0..count)
        .map(|index| format!("line {index} of a text\n"))
        .collect()
}

#[test]
fn blocks_of_lines_are_in_one_split_each_and_splits_are_apart_by_the_gap() {
    const LINES: usize = 4_003;
    let lines = lines(LINES);
    let text = [lines.concat()];
    let found = Part::ALL.map(|part| documents(&text, by_lines(10, 3), part));
    // Whose every line is; nothing where it was left out.
    let mut owner: Vec<Option<usize>> = vec![None; LINES];
    for (part, documents) in found.iter().enumerate() {
        for line in documents.iter().flat_map(|text| text.split_inclusive('\n')) {
            let index: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
            assert_eq!(line, lines[index], "lines stay whole");
            assert_eq!(owner[index].replace(part), None, "of one split alone");
        }
    }
    let mut changes = 0;
    for start in (10..LINES).step_by(10) {
        let (before, first) = (owner[start - 1].unwrap(), owner[start]);
        match first {
            Some(own) => assert_eq!(own, before, "a run goes on without a gap"),
            None => {
                changes += 1;
                let end = (start + 3).min(LINES);
                assert!(owner[start..end].iter().all(Option::is_none));
                if end < LINES {
                    assert_ne!(owner[end].unwrap(), before);
                }
            }
        }
    }
    assert!(changes > 100, "{changes}");
    let kept = owner.iter().flatten().count();
    assert!(kept >= LINES - 3 * changes);
    let validation = owner.iter().filter(|owner| **owner == Some(1)).count();
    assert!((500..1_000).contains(&validation), "{validation}");
    let runs: usize = found.iter().map(Vec::len).sum();
    assert!(runs.abs_diff(changes + 1) <= 1, "a run is a document");
}

#[test]
fn how_the_text_comes_changes_no_block() {
    let text = ["é first\n\n".to_owned() + &lines(500).concat() + "no end of line"];
    for part in Part::ALL {
        let of = |step| documents_by(&text, by_lines(7, 2), part, None, step).unwrap();
        let whole = of(usize::MAX);
        assert!(!whole.is_empty());
        for step in [2, 13, 4096] {
            assert_eq!(of(step), whole, "in pieces of {step} bytes");
        }
    }
}

#[test]
fn a_document_ends_its_blocks_and_equal_blocks_are_of_one_split() {
    let book = lines(100).concat();
    let books = [book.clone(), book.clone(), book];
    let cut = by_lines(10, 0);
    for part in Part::ALL {
        let one = documents(&books[..1], cut, part);
        assert_eq!(
            documents(&books, cut, part),
            [&one[..]; 3].concat(),
            "{part:?}"
        );
    }
}

#[test]
fn training_documents_of_blocks_are_counted_as_they_are_handed_on() {
    let text = [lines(2_000).concat()];
    let cut = by_lines(10, 2);
    let trained = documents(&text, cut, Part::Train);
    let all = documents(&text, cut, Part::Validation);
    let count = |reach| {
        let found = documents_by(&text, cut, Part::Validation, Some(reach), 100).unwrap();
        assert_eq!(found, all[..found.len()], "a beginning of all");
        found.len()
    };
    let reach = trained.len() as u64 / 2;
    let half = count(reach);
    assert!((all.len() / 3..all.len()).contains(&half), "{half}");
    // The last line of the last training document that counts comes before all that is left out.
    let last = &trained[reach as usize - 1];
    let place = |part: &str| text[0].find(part.lines().next().unwrap()).unwrap();
    assert!(place(&all[half - 1]) < place(&trained[reach as usize]));
    assert!(all.get(half).is_none_or(|next| place(next) > place(last)));
    assert_eq!(count(trained.len() as u64), all.len());
}

#[test]
fn a_share_that_nothing_falls_into_says_what_there_is_and_what_to_write() {
    let told = |texts: &[String], cut, part| {
        let error = documents_by(texts, cut, part, None, 100).unwrap_err();
        let fault = InputFault::found_in(&error).unwrap().remove(0);
        format!("{}: {fault}", fault.key.clone().unwrap())
    };
    assert_eq!(
        told(
            &["one text".to_owned()],
            by_documents("1%", "1%"),
            Part::Test
        ),
        "dataset.test: the test split is empty: the text is 1 document, and none of it falls into \
         the share; write dataset.cut = { lines = 200, gap = 10 } to cut blocks of lines, or write \
         a larger share"
    );
    let cut = SplitCut {
        shares: shares("0.001%", "1%"),
        ..by_lines(10, 0)
    };
    assert_eq!(
        told(&[lines(100).concat()], cut, Part::Validation),
        "dataset.validation: the validation split is empty: the text is 10 blocks of lines, and \
         none of it falls into the share; write fewer dataset.cut.lines, or write a larger share"
    );
    assert_eq!(
        told(
            &["one".to_owned()],
            by_documents("50%", "49.9999%"),
            Part::Train
        ),
        "dataset.train: the train split is empty: the text is 1 document, and all of it falls into \
         the shares; write dataset.cut = { lines = 200, gap = 10 } to cut blocks of lines, or \
         write smaller shares"
    );
}
