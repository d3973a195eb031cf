//! Rows of a table that are the lines of one text.

/// Joins rows that are lines: unchanged where they bring their ends of line, and by one where they
/// do not. An empty row among those without is an empty line, and among those with one is nothing.
#[derive(Debug, Default)]
pub(super) struct LineJoiner {
    /// Empty rows before the first that has text: it shows what they are.
    leading: usize,
    /// Whether rows lack their ends of line; known from the first with text on.
    lack_ends: Option<bool>,
}

impl LineJoiner {
    /// How many ends of line belong before a row.
    pub(super) fn ends_before(&mut self, row: &str) -> usize {
        let ends = match self.lack_ends {
            None if row.is_empty() => {
                self.leading += 1;
                return 0;
            }
            None if row.ends_with('\n') => 0,
            None => self.leading,
            Some(lack) => usize::from(lack),
        };
        if !row.is_empty() {
            self.lack_ends = Some(!row.ends_with('\n'));
        }
        ends
    }
}
