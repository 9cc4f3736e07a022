//! Grouping rows.

pub mod kmeans;
