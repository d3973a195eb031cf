//! The names under which a training records its values, step by step: who writes them and who
//! reads them spell them here. A leaf, so that the loop and the report know it both.

/// The column of steps, counted from 0.
pub const STEP: &str = "step";
/// The column of how long a step took, which lies in a table of its own.
pub const SECONDS: &str = "seconds";
/// The sum that is minimised.
pub const LOSS: &str = "loss";
pub const LEARNING_RATE: &str = "lr";
/// The norm of the gradient before it is clipped.
pub const GRADIENT_NORM: &str = "gradient_norm";
/// The loss on the validation split, at the steps that look at it.
pub const VALIDATION_NLL: &str = "validation.nll";

const TERM: &str = "term.";
const BALANCE: &str = "balance.";
const CRITIC: &str = "critic.";
const MAP: &str = "map.";
const GRADIENT: &str = "gradient.";
const COSINE: &str = "gradient_cosine.";

/// The value of a loss term, without weight and balance.
pub fn term(name: &str) -> String {
    format!("{TERM}{name}")
}

/// The loss term whose value a column has.
pub fn term_of(column: &str) -> Option<&str> {
    column.strip_prefix(TERM)
}

/// The weight of a loss term.
pub fn weight(term: &str) -> String {
    format!("weight.{term}")
}

/// The temperature of a loss term.
pub fn temperature(term: &str) -> String {
    format!("temperature.{term}")
}

/// The factor by which a loss term is balanced: one number for the whole run, unless it is
/// balanced again.
pub fn balance(term: &str) -> String {
    format!("{BALANCE}{term}")
}

/// The loss term whose factor a column has.
pub fn balance_of(column: &str) -> Option<&str> {
    column.strip_prefix(BALANCE)
}

/// The norm of the gradient that a loss term sends to the student, with weight and balance, at the
/// steps that measure it.
pub fn gradient(term: &str) -> String {
    format!("{GRADIENT}{term}")
}

/// The cosine of the gradient that a loss term sends to the student with what all other terms send
/// together, at the steps that measure it: below 0 it pulls against them.
pub fn cosine(term: &str) -> String {
    format!("{COSINE}{term}")
}

/// The loss term whose gradient a column measures.
pub fn gradient_of(column: &str) -> Option<&str> {
    column.strip_prefix(GRADIENT)
}

/// Whether a column has values at some steps only, which are measured for themselves.
pub fn is_measured_at_times(column: &str) -> bool {
    let is_of_the_end = critic_of(column).is_some_and(|(_, _, v)| v == HELD_OUT || v == FURTHER);
    let is_of_a_gradient = [GRADIENT, COSINE]
        .iter()
        .any(|part| column.starts_with(part));
    column == VALIDATION_NLL || is_of_a_gradient || is_of_the_end
}

/// A value of the critic of a loss term at a state of the student: the number of a layer, or
/// "final".
pub fn critic(term: &str, state: &str, value: &str) -> String {
    format!("{CRITIC}{term}.{state}.{value}")
}

/// The term, the state and the value of a critic's column.
pub fn critic_of(column: &str) -> Option<(&str, &str, &str)> {
    let (critic, value) = column.strip_prefix(CRITIC)?.rsplit_once('.')?;
    let (term, state) = critic.rsplit_once('.')?;
    Some((term, state, value))
}

/// A value of the map of a loss term at a state of the student.
pub fn map(term: &str, state: &str, value: &str) -> String {
    format!("{MAP}{term}.{state}.{value}")
}

/// The term and the state of a column of a map's entropies.
pub fn map_entropy_of(column: &str) -> Option<(&str, &str)> {
    let (map, value) = column.strip_prefix(MAP)?.rsplit_once('.')?;
    let of_entropy = map.rsplit_once('.');
    of_entropy.filter(|_| value == ENTROPY)
}

/// Whether a column has a value of a map.
pub fn is_of_a_map(column: &str) -> bool {
    column.starts_with(MAP)
}

/// The mean entropy, in nats, of the weights that a map gives the teacher's layers for a token.
pub const ENTROPY: &str = "entropy";

/// The weight of a layer in a map by transport, and what a unit of that weight cost.
pub const LAYER_WEIGHT: &str = "weight";
pub const LAYER_COST: &str = "cost";

/// How a layer of the teacher is called where a map has values of both models' layers.
pub fn of_teacher(layer: usize) -> String {
    format!("teacher-{layer}")
}

/// What a critic says of the distance.
pub const ESTIMATE: &str = "estimate";
/// What it says at the end of tokens that it was not trained on: as it is, and after further
/// updates while both models stand.
pub const HELD_OUT: &str = "held_out";
pub const FURTHER: &str = "held_out_further";
/// The mean norm of a critic's gradient at the points of its penalty, and the penalty.
pub const CRITIC_GRADIENT_NORM: &str = "gradient_norm";
pub const PENALTY: &str = "penalty";

#[cfg(test)]
#[path = "recorded_tests.rs"]
mod tests;
