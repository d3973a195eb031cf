//! What trainings are called while they advance.

/// Names of a group of trainings, or of one.
pub(super) struct TrainingNames {
    /// All of them.
    pub title: String,
    /// Whether they are runs of the grid.
    pub is_of_grid: bool,
    /// Each by itself.
    pub members: Vec<String>,
}

impl TrainingNames {
    /// Of trainings with these titles, which share a seed.
    pub fn of(members: Vec<String>, seed: u64, is_of_grid: bool) -> Self {
        let title = match members.as_slice() {
            [one] => one.clone(),
            many => format!("{} runs of seed {seed} together", many.len()),
        };
        Self {
            title,
            is_of_grid,
            members,
        }
    }
}
