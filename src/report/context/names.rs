//! One name for several rows.

use crate::report::axes::ARM;
use crate::report::rows::TableRow;

/// Rows that are named one by one; of more it gives the number of the rest.
const MOST_NAMES: usize = 4;

/// A name for the rows at `places`: all of them, the arms that they are all of, or their labels.
pub fn name_of(rows: &[TableRow], places: &[usize]) -> String {
    if let [only] = places {
        return rows[*only].label.clone();
    }
    if places.len() == rows.len() {
        return "all students".to_owned();
    }
    let arm = |place: usize| rows[place].at.get(ARM);
    let is_whole = |place: &usize| {
        (0..rows.len()).all(|other| arm(other) != arm(*place) || places.contains(&other))
    };
    if places
        .iter()
        .all(|place| arm(*place).is_some() && is_whole(place))
    {
        let mut arms: Vec<&str> = Vec::new();
        for name in places.iter().filter_map(|&place| arm(place)) {
            if !arms.contains(&name.as_str()) {
                arms.push(name);
            }
        }
        return arms.join("; ");
    }
    let labels: Vec<&str> = places
        .iter()
        .map(|&place| rows[place].label.as_str())
        .collect();
    listed(&labels)
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

/// Puts rows with the same facts together: each of the facts with a name for its rows.
pub fn merged<T: PartialEq>(
    rows: &[TableRow],
    facts: impl IntoIterator<Item = (usize, T)>,
) -> Vec<(String, T)> {
    grouped(facts)
        .into_iter()
        .map(|(places, fact)| (name_of(rows, &places), fact))
        .collect()
}

/// The first of these, and how many more there are.
pub fn listed<S: AsRef<str>>(all: &[S]) -> String {
    let named: Vec<&str> = all.iter().take(MOST_NAMES).map(AsRef::as_ref).collect();
    let more = match all.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    named.join("; ") + &more
}
