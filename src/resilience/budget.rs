//! A bound on how many retries a dependency gets, whoever makes them.

use super::error::{Invalid, check};
use super::sync::{Mutex, lock};
use crate::clock::{Nanos, seconds};

/// Calls pay in, retries take out (Finagle's `RetryBudget`): retries are at most `share`
/// of the calls plus `per_second`, so they cannot multiply through layers.
#[derive(Debug)]
pub struct Budget {
    share: f64,
    per_second: f64,
    capacity: f64,
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    balance: f64,
    settled: Nanos,
}

impl Budget {
    /// Starts with `reserve` retries and never saves more than that and one second's share.
    pub fn new(share: f64, per_second: f64, reserve: f64) -> Result<Self, Invalid> {
        check((0.0..=1.0).contains(&share), "share", "from 0 to 1", share)?;
        let holds = per_second.is_finite() && per_second >= 0.0;
        check(holds, "per_second", "finite and at least 0", per_second)?;
        check(reserve.is_finite() && reserve >= 1.0, "reserve", "at least 1", reserve)?;
        let account = Mutex::new(Account { balance: reserve, settled: 0 });
        Ok(Self { share, per_second, capacity: reserve.max(per_second), account })
    }

    /// A first attempt was made.
    pub fn deposit(&self) {
        let mut account = lock(&self.account);
        account.balance = (account.balance + self.share).min(self.capacity);
    }

    /// Whether a retry may be made; if so it is paid for.
    pub fn withdraw(&self, now: Nanos) -> bool {
        let mut account = lock(&self.account);
        let earned = seconds(now.saturating_sub(account.settled)) * self.per_second;
        account.balance = (account.balance + earned).min(self.capacity);
        account.settled = account.settled.max(now);
        // A tenth of a billionth forgives sums such as 5 * 0.2.
        let paid = account.balance >= 1.0 - 1e-10;
        if paid {
            account.balance = (account.balance - 1.0).max(0.0);
        }
        paid
    }

    /// Retries that could be made at once.
    pub fn balance(&self) -> f64 {
        lock(&self.account).balance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_share_of_the_calls() {
        let budget = Budget::new(0.2, 0.0, 1.0).unwrap();
        assert!(budget.withdraw(0));
        assert!(!budget.withdraw(0));
        for _ in 0..5 {
            budget.deposit();
        }
        assert!(budget.withdraw(0));
        assert!(!budget.withdraw(0));
    }

    #[test]
    fn a_quiet_client_may_retry_now_and_then() {
        let budget = Budget::new(0.0, 1.0, 1.0).unwrap();
        assert!(budget.withdraw(0));
        assert!(!budget.withdraw(crate::clock::SECOND / 2));
        assert!(budget.withdraw(crate::clock::SECOND));
    }

    #[test]
    fn savings_are_bounded() {
        let budget = Budget::new(1.0, 0.0, 3.0).unwrap();
        for _ in 0..100 {
            budget.deposit();
        }
        assert_eq!((0..100).filter(|_| budget.withdraw(0)).count(), 3);
    }
}
