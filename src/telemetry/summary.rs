use super::{Micros, Sketch, TelemetryError};

/// How many sketches share the window; the oldest is dropped as a whole.
const AGES: usize = 5;

/// Sum and count for ever, quantiles of the last minutes.
#[derive(Clone, Debug)]
pub struct Summary {
    ages: [Sketch; AGES],
    /// Which sketch is written to.
    current: usize,
    /// When the next one takes over.
    turn: Micros,
    step: Micros,
    sum: f64,
    count: u64,
}

impl Summary {
    /// Quantiles will be of the last `window`.
    pub fn new(window: Micros) -> Self {
        let step = (window / AGES as Micros).max(1);
        Self { ages: Default::default(), current: 0, turn: Micros::MIN, step, sum: 0.0, count: 0 }
    }

    /// Counts a finite `value`.
    pub fn observe(&mut self, value: f64, now: Micros) -> Result<(), TelemetryError> {
        if !value.is_finite() {
            return Err(TelemetryError::Value(format!("value must be finite, got {value}")));
        }
        self.advance(now);
        self.ages[self.current].observe(value);
        self.sum += value;
        self.count += 1;
        Ok(())
    }

    /// NaN when nothing was observed inside the window.
    pub fn quantile(&mut self, q: f64, now: Micros) -> f64 {
        self.advance(now);
        let mut all = Sketch::default();
        self.ages.iter().for_each(|age| all.merge(age));
        all.quantile(q)
    }

    /// Of everything ever observed.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// How many were ever observed.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn advance(&mut self, now: Micros) {
        if self.turn == Micros::MIN {
            self.turn = now + self.step;
        }
        for _ in 0..AGES {
            if now < self.turn {
                return;
            }
            self.current = (self.current + 1) % AGES;
            self.ages[self.current] = Sketch::default();
            self.turn += self.step;
        }
        self.turn = self.turn.max(now + self.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_forget_and_totals_do_not() {
        let mut summary = Summary::new(500);
        summary.observe(1.0, 0).unwrap();
        summary.observe(100.0, 450).unwrap();
        assert!((summary.quantile(0.0, 460) - 1.0).abs() < 0.011);
        assert!((summary.quantile(0.0, 520) - 100.0).abs() < 1.1);
        assert!(summary.quantile(0.0, 5000).is_nan());
        assert_eq!((summary.count(), summary.sum() as i64), (2, 101));
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        for value in [f64::NAN, f64::INFINITY] {
            assert!(Summary::new(1).observe(value, 0).is_err());
        }
    }
}
