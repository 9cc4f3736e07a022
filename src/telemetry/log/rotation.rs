//! When a file of lines has had enough, and what its predecessors are called.

use std::time::Duration;

/// Rules for starting a new file.
#[derive(Clone, Debug, Default)]
pub struct Rotation {
    /// Size that a file must not exceed, if it holds more than one line.
    pub max_bytes: Option<u64>,
    /// Age at which a file is closed.
    pub every: Option<Duration>,
    /// How many older files are kept.
    pub backups: u32,
}

impl Rotation {
    /// Whether a line of `line` bytes must go to a new file.
    pub fn is_due(&self, size: u64, line: u64, age: impl FnOnce() -> Duration) -> bool {
        size > 0
            && (self.max_bytes.is_some_and(|most| size + line > most)
                || self.every.is_some_and(|every| age() >= every))
    }

    /// Renames that make room for a new file, in order; with none the file is dropped.
    pub fn moves(&self, path: &str) -> Vec<(String, String)> {
        let name = |i: u32| if i == 0 { path.to_owned() } else { format!("{path}.{i}") };
        (0..self.backups).rev().map(|i| (name(i), name(i + 1))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_full_before_the_line_that_would_not_fit() {
        let rotation = Rotation { max_bytes: Some(100), ..Rotation::default() };
        let young = || Duration::ZERO;
        assert!(!rotation.is_due(90, 10, young));
        assert!(rotation.is_due(91, 10, young));
        assert!(!rotation.is_due(0, 1000, young), "an empty file takes a line of any length");
        let daily = Rotation { every: Some(Duration::from_secs(86_400)), ..Rotation::default() };
        assert!(!daily.is_due(1, 1, || Duration::from_secs(86_399)));
        assert!(daily.is_due(1, 1, || Duration::from_secs(86_400)));
    }

    #[test]
    fn older_files_move_first() {
        let rotation = Rotation { backups: 2, ..Rotation::default() };
        let moves = rotation.moves("a.log");
        let moves: Vec<_> = moves.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(moves, [("a.log.1", "a.log.2"), ("a.log", "a.log.1")]);
        assert!(Rotation::default().moves("a.log").is_empty());
    }
}
