//! Which of a bounded number of resources to use, keep and give up. The resources
//! themselves are the caller's; here they are numbers.

use std::collections::BTreeMap;

use super::error::{Invalid, check};
use crate::clock::{Nanos, seconds};

/// Bounds of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// The most resources, idle or lent.
    pub size: usize,
    /// A resource that was idle for longer is closed.
    pub idle: Nanos,
    /// A resource that is older is closed when it comes back.
    pub age: Nanos,
    /// A resource that was lent for longer has leaked.
    pub leak: Nanos,
}

/// What a borrower gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loan {
    /// An idle resource; check it if it must be healthy.
    Idle(u64),
    /// The right to make one under this number.
    New(u64),
    /// None: all are lent.
    None,
    /// None: the pool is draining.
    Draining,
}

/// What is to be done with a resource that came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Return {
    /// It is idle now.
    Keep,
    /// Close it.
    Close,
    /// Nobody was lent that number: it was returned twice.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
struct Resource {
    made: Nanos,
    since: Nanos,
    lent: bool,
    reported: bool,
}

/// The books of a pool.
#[derive(Debug)]
pub struct Pool {
    config: PoolConfig,
    last: u64,
    resources: BTreeMap<u64, Resource>,
    /// The one that came back last is lent first, so that those not needed age.
    idle: Vec<u64>,
    draining: bool,
}

impl Pool {
    /// An empty pool.
    pub fn new(config: PoolConfig) -> Result<Self, Invalid> {
        check(config.size >= 1, "max_size", "at least 1", config.size)?;
        check(config.age > 0, "max_age", "greater than 0", seconds(config.age))?;
        check(config.leak > 0, "leak_after", "greater than 0", seconds(config.leak))?;
        let (resources, idle) = (BTreeMap::new(), Vec::new());
        Ok(Self { config, last: 0, resources, idle, draining: false })
    }

    /// Lends a resource.
    pub fn lend(&mut self, now: Nanos) -> Loan {
        if self.draining {
            return Loan::Draining;
        }
        if let Some(number) = self.idle.pop() {
            if let Some(resource) = self.resources.get_mut(&number) {
                (resource.lent, resource.since, resource.reported) = (true, now, false);
            }
            return Loan::Idle(number);
        }
        if self.resources.len() >= self.config.size {
            return Loan::None;
        }
        self.last += 1;
        let resource = Resource { made: now, since: now, lent: true, reported: false };
        self.resources.insert(self.last, resource);
        Loan::New(self.last)
    }

    /// Takes a resource back.
    pub fn take_back(&mut self, number: u64, healthy: bool, now: Nanos) -> Return {
        let Some(resource) = self.resources.get_mut(&number).filter(|found| found.lent) else {
            return Return::Unknown;
        };
        let old = now.saturating_sub(resource.made) > self.config.age;
        if !healthy || old || self.draining {
            self.resources.remove(&number);
            return Return::Close;
        }
        (resource.lent, resource.since) = (false, now);
        self.idle.push(number);
        Return::Keep
    }

    /// The idle resources to close by now, and the lent ones that have leaked and were
    /// not reported before, with how long they are out.
    pub fn sweep(&mut self, now: Nanos) -> (Vec<u64>, Vec<(u64, Nanos)>) {
        let (mut closed, mut leaked) = (Vec::new(), Vec::new());
        for (&number, resource) in &mut self.resources {
            let passed = now.saturating_sub(resource.since);
            let old = now.saturating_sub(resource.made) > self.config.age;
            if resource.lent && passed > self.config.leak && !resource.reported {
                resource.reported = true;
                leaked.push((number, passed));
            } else if !resource.lent && (old || passed > self.config.idle || self.draining) {
                closed.push(number);
            }
        }
        for number in &closed {
            self.resources.remove(number);
        }
        self.idle.retain(|number| !closed.contains(number));
        (closed, leaked)
    }

    /// Lends nothing from now on; [`sweep`](Self::sweep) tells what to close.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Resources idle and lent.
    pub fn counts(&self) -> (usize, usize) {
        (self.idle.len(), self.resources.len() - self.idle.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pool(size: usize) -> Pool {
        Pool::new(PoolConfig { size, idle: 10, age: 100, leak: 50 }).unwrap()
    }

    #[test]
    fn what_came_back_last_is_lent_first() {
        let mut pool = pool(2);
        assert_eq!((pool.lend(0), pool.lend(0)), (Loan::New(1), Loan::New(2)));
        assert_eq!(pool.lend(0), Loan::None);
        pool.take_back(2, true, 1);
        pool.take_back(1, true, 1);
        assert_eq!(pool.lend(2), Loan::Idle(1));
    }

    #[test]
    fn nothing_is_taken_back_twice() {
        let mut pool = pool(1);
        pool.lend(0);
        assert_eq!(pool.take_back(1, true, 0), Return::Keep);
        assert_eq!(pool.take_back(1, true, 0), Return::Unknown);
    }

    #[test]
    fn the_sick_and_the_old_are_closed() {
        let mut pool = pool(2);
        pool.lend(0);
        assert_eq!(pool.take_back(1, false, 1), Return::Close);
        pool.lend(0);
        assert_eq!(pool.take_back(2, true, 101), Return::Close);
        assert_eq!(pool.counts(), (0, 0));
    }

    #[test]
    fn a_leak_is_reported_once_and_the_idle_are_swept() {
        let mut pool = pool(3);
        pool.lend(0);
        pool.lend(0);
        pool.take_back(2, true, 0);
        assert_eq!(pool.sweep(11), (vec![2], vec![]));
        assert_eq!(pool.sweep(51), (vec![], vec![(1, 51)]));
        assert_eq!(pool.sweep(52), (vec![], vec![]));
    }

    #[test]
    fn a_draining_pool_lends_nothing_and_closes_all() {
        let mut pool = pool(2);
        pool.lend(0);
        pool.lend(0);
        pool.take_back(1, true, 0);
        pool.drain();
        assert_eq!(pool.sweep(0).0, [1]);
        assert_eq!(pool.lend(0), Loan::Draining);
        assert_eq!(pool.take_back(2, true, 0), Return::Close);
    }

    proptest! {
        #[test]
        fn no_more_are_out_than_the_size(size in 1usize..5, steps in prop::collection::vec((0u8..3, any::<bool>()), 0..80)) {
            let mut pool = pool(size);
            let mut lent = Vec::new();
            for (now, (step, healthy)) in steps.into_iter().enumerate() {
                let now = now as u64;
                match step {
                    0 => match pool.lend(now) {
                        Loan::Idle(n) | Loan::New(n) => {
                            prop_assert!(!lent.contains(&n));
                            lent.push(n);
                        }
                        _ => prop_assert_eq!(lent.len(), size),
                    },
                    1 if !lent.is_empty() => {
                        let number = lent.remove(0);
                        prop_assert_ne!(pool.take_back(number, healthy, now), Return::Unknown);
                    }
                    _ => drop(pool.sweep(now)),
                }
                let (idle, out) = pool.counts();
                prop_assert_eq!(out, lent.len());
                prop_assert!(idle + out <= size);
            }
        }
    }
}
