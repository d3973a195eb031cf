//! Names of rows: of several one, and such as a sentence can have.

use crate::report::axes::{self, ARM};
use crate::report::format::MOST_NAMES;
use crate::report::rows::TableRow;

/// What rows are called together where they are all of them.
const ALL: &str = "all students";

/// A label as a sentence has it: of a row its name, of a value of an axis the value.
pub fn in_sentence(rows: &[TableRow], label: &str) -> String {
    let row = rows.iter().find(|row| row.label == label);
    row.map_or_else(|| axes::spoken(label), |row| row.name.clone())
}

/// A name in a sentence for the rows at `places`: all of them, the arms that they are all of, or
/// their names.
pub fn name_of(rows: &[TableRow], places: &[usize]) -> String {
    if let [only] = places {
        return rows[*only].name.clone();
    }
    if places.len() == rows.len() {
        return ALL.to_owned();
    }
    if let Some(arms) = whole_arms(rows, places) {
        let arms: Vec<String> = arms.into_iter().map(axes::spoken).collect();
        return with_and(&arms);
    }
    let names = places.iter().map(|&place| rows[place].name.as_str());
    in_a_row(&names.collect::<Vec<_>>())
}

/// The same in a table, where no name is taken for a word, and labels have commas of their own.
pub fn label_of(rows: &[TableRow], places: &[usize]) -> String {
    if let [only] = places {
        return rows[*only].label.clone();
    }
    if places.len() == rows.len() {
        return ALL.to_owned();
    }
    if let Some(arms) = whole_arms(rows, places) {
        return arms.join("; ");
    }
    let labels = places.iter().map(|&place| rows[place].label.as_str());
    listed(&labels.collect::<Vec<_>>())
}

/// The arms that the rows at `places` are all of; none where an arm has other rows too.
fn whole_arms<'a>(rows: &'a [TableRow], places: &[usize]) -> Option<Vec<&'a str>> {
    let arm = |place: usize| rows[place].at.get(ARM).map(String::as_str);
    let mut arms: Vec<&str> = Vec::new();
    for &place in places {
        let own = arm(place)?;
        let mut of_arm = (0..rows.len()).filter(|&other| arm(other) == Some(own));
        if !of_arm.all(|other| places.contains(&other)) {
            return None;
        }
        if !arms.contains(&own) {
            arms.push(own);
        }
    }
    Some(arms)
}

/// `a, b and c`: the first of these, and how many more there are.
pub fn in_a_row<S: AsRef<str>>(all: &[S]) -> String {
    let named = all.iter().take(MOST_NAMES);
    let mut named: Vec<String> = named.map(|name| name.as_ref().to_owned()).collect();
    if all.len() > MOST_NAMES {
        named.push(format!("{} more", all.len() - MOST_NAMES));
    }
    with_and(&named)
}

/// `a, b and c`.
fn with_and(names: &[String]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// The facts, each once, with the rows that it is of; in the order of their first rows.
pub fn grouped<T: PartialEq>(facts: impl IntoIterator<Item = (usize, T)>) -> Vec<(Vec<usize>, T)> {
    let mut found: Vec<(Vec<usize>, T)> = Vec::new();
    for (place, fact) in facts {
        match found.iter_mut().find(|(_, known)| *known == fact) {
            Some((places, _)) => places.push(place),
            None => found.push((vec![place], fact)),
        }
    }
    found
}

/// Puts rows with the same facts together, for a table: each of the facts with a label for its
/// rows.
pub fn merged<T: PartialEq>(
    rows: &[TableRow],
    facts: impl IntoIterator<Item = (usize, T)>,
) -> Vec<(String, T)> {
    grouped(facts)
        .into_iter()
        .map(|(places, fact)| (label_of(rows, &places), fact))
        .collect()
}

/// The first of these, each a clause or a name with clauses around it, and how many more there are.
pub fn listed<S: AsRef<str>>(all: &[S]) -> String {
    let named: Vec<&str> = all.iter().take(MOST_NAMES).map(AsRef::as_ref).collect();
    let more = match all.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    named.join("; ") + &more
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
