//! When a condition on series becomes an alert, and when it ends.

mod condition;
mod rule;

pub use condition::{Comparison, Condition};
pub use rule::{Active, Change, Rule, Step};

#[cfg(test)]
mod tests;
