use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A float that many threads set and add to without a lock.
#[derive(Debug, Default)]
pub struct Number(AtomicU64);

impl Number {
    /// The value now.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    /// Replaces the value.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    /// Adds `amount`; no addition is lost.
    #[inline]
    pub fn add(&self, amount: f64) {
        let mut old = self.0.load(Relaxed);
        loop {
            let new = (f64::from_bits(old) + amount).to_bits();
            match self.0.compare_exchange_weak(old, new, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(current) => old = current,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_addition_is_lost_between_threads() {
        let number = Number::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        number.add(1.0);
                    }
                });
            }
        });
        assert!((number.get() - 40_000.0).abs() < f64::EPSILON);
    }
}
