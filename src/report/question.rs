//! A comparison that a study is asked for, and what it is about.

/// What a comparison is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A row against its baseline.
    Baseline,
    /// An arm against one that computes as much.
    Compute,
    /// An arm with hidden losses against the same without them.
    Untreated,
    /// A map against one that should not help.
    Null,
    /// A value of an axis against the reference of that axis, all other axes equal.
    Axis(String),
    /// The same, as the mean over the levels of the other axes.
    Main(String),
    /// Whether the effect of the first axis depends on the second: a difference of differences,
    /// as the mean over the levels of the remaining axes.
    Interaction(String, String),
}

/// A comparison that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub question: Question,
    /// What is compared, and with what.
    pub label: String,
    pub against: Option<String>,
    /// What it is the mean over, in words; none of a single pair of rows.
    pub over: Option<String>,
    /// The row that it is about; none of a mean over several.
    pub row: Option<usize>,
    /// Rows to be subtracted from each other; none where the second is not in the grid.
    pub pairs: Vec<(usize, usize)>,
    /// What the sum of the pairs' differences is multiplied by.
    pub scale: f64,
    pub is_primary: bool,
}
