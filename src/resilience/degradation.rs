//! Which features to give up under load, without flapping.

use super::error::{Invalid, check};
use crate::clock::Nanos;

/// A level is entered at `enter` and left below `leave`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Load at or above which it holds.
    pub enter: f64,
    /// Load below which it may end; less than `enter`.
    pub leave: f64,
}

/// Level 0 is normal service; higher ones give up more.
#[derive(Clone, Debug)]
pub struct Degradation {
    levels: Vec<Level>,
    hold: Nanos,
    level: usize,
    calm_since: Option<Nanos>,
}

impl Degradation {
    /// Levels from mild to severe. A level ends when the load was below its `leave` for
    /// `hold`, one level at a time; it begins at once.
    pub fn new(levels: Vec<Level>, hold: Nanos) -> Result<Self, Invalid> {
        check(!levels.is_empty(), "levels", "at least one", "none")?;
        for level in &levels {
            let holds = level.leave < level.enter && level.leave.is_finite();
            check(holds, "leave", "less than enter", level.leave)?;
        }
        for pair in levels.windows(2) {
            let rises = pair[0].enter < pair[1].enter && pair[0].leave <= pair[1].leave;
            check(rises, "levels", "in rising order", pair[1].enter)?;
        }
        Ok(Self { levels, hold, level: 0, calm_since: None })
    }

    /// The load now, in the unit of the levels; returns the level before if it changed.
    pub fn observe(&mut self, load: f64, now: Nanos) -> Option<usize> {
        let before = self.level;
        let reached = self.levels.iter().take_while(|level| load >= level.enter).count();
        if reached > self.level {
            self.level = reached;
            self.calm_since = None;
        } else if self.level > 0 {
            // What is not a number is no sign of calm.
            if load < self.levels[self.level - 1].leave {
                let since = *self.calm_since.get_or_insert(now);
                if now.saturating_sub(since) >= self.hold {
                    self.level -= 1;
                    self.calm_since = None;
                }
            } else {
                self.calm_since = None;
            }
        }
        (self.level != before).then_some(before)
    }

    /// The level in force.
    pub fn level(&self) -> usize {
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Degradation {
        let levels = [(0.7, 0.5), (0.9, 0.8)].map(|(enter, leave)| Level { enter, leave });
        Degradation::new(levels.to_vec(), 10).unwrap()
    }

    #[test]
    fn it_rises_at_once_and_falls_step_by_step() {
        let mut degradation = two();
        let steps = [
            (0, 0.95, 2),
            (1, 0.79, 2),
            (10, 0.79, 2),
            (11, 0.79, 1),
            (12, 0.4, 1),
            (21, 0.4, 1),
            (22, 0.4, 0),
        ];
        for (now, load, level) in steps {
            degradation.observe(load, now);
            assert_eq!(degradation.level(), level, "at {now}");
        }
    }

    #[test]
    fn a_load_between_the_bounds_changes_nothing() {
        let mut degradation = two();
        degradation.observe(0.7, 0);
        for now in 1..100 {
            assert_eq!(degradation.observe(if now % 2 == 0 { 0.69 } else { 0.51 }, now), None);
        }
    }

    #[test]
    fn calm_must_last() {
        let mut degradation = two();
        degradation.observe(0.7, 0);
        for now in 1..100 {
            degradation.observe(if now % 9 == 0 { 0.6 } else { 0.1 }, now);
        }
        assert_eq!(degradation.level(), 1);
        degradation.observe(f64::NAN, 200);
        assert_eq!(degradation.level(), 1);
    }

    #[test]
    fn levels_must_rise() {
        let levels = [(0.9, 0.8), (0.7, 0.5)].map(|(enter, leave)| Level { enter, leave });
        assert!(Degradation::new(levels.to_vec(), 0).is_err());
        assert!(Degradation::new(vec![Level { enter: 0.5, leave: 0.5 }], 0).is_err());
    }
}
