//! Tests of `detokenize.rs`.

use super::*;

#[test]
fn marks_inside_words_and_numbers_are_joined() {
    assert_eq!(
        wikitext("a guest @-@ starring role"),
        "a guest-starring role"
    );
    assert_eq!(wikitext("12 @,@ 500 and 3 @.@ 5 %"), "12,500 and 3.5%");
}

#[test]
fn punctuation_joins_the_word_before_it() {
    assert_eq!(
        wikitext(" He is a film , television and theatre actor . \n"),
        "He is a film, television and theatre actor.\n"
    );
    assert_eq!(
        wikitext("Who ? Him ! Here : there ; yes"),
        "Who? Him! Here: there; yes"
    );
    assert_eq!(
        wikitext("It 's what they 're at : he does n't"),
        "It's what they're at: he doesn't"
    );
}

#[test]
fn brackets_and_quotes_close_around_what_they_hold() {
    assert_eq!(
        wikitext("as \" Craig \" in the episode \" Teddy 's Story \" ."),
        "as \"Craig\" in the episode \"Teddy's Story\"."
    );
    assert_eq!(wikitext("( born 1979 ) [ sic ]"), "(born 1979) [sic]");
    assert_eq!(wikitext("$ 5 or £ 3"), "$5 or £3");
    assert_eq!(wikitext("the ' tame ' fox"), "the 'tame' fox");
    assert_eq!(wikitext("the players ' room"), "the players' room");
}

#[test]
fn headings_keep_their_level() {
    assert_eq!(
        wikitext(" \n = Robert <unk> = \n \n = = Early life = = \n"),
        "\n= Robert <unk> =\n\n== Early life ==\n"
    );
    assert_eq!(wikitext(" = = "), "= =");
    assert_eq!(wikitext("a = b"), "a = b");
}

#[test]
fn ends_of_lines_stay_and_lines_are_independent() {
    assert_eq!(wikitext("\n \n\n"), "\n\n\n");
    assert_eq!(
        wikitext("an open \" quote \n a word"),
        "an open \"quote\na word"
    );
    assert_eq!(wikitext(""), "");
    let text = " = A = \n \n He said \" yes \" . \n It cost 1 @,@ 000 . \n";
    let cut = text.find(" \n It").unwrap();
    assert_eq!(
        wikitext(text),
        wikitext(&text[..cut]) + &wikitext(&text[cut..])
    );
}
