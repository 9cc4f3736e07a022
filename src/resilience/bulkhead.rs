//! At most so many calls at a time, and so many waiting, first come, first served.

use std::collections::VecDeque;

use super::error::{Invalid, check};
use super::sync::{AtomicU64, Mutex, Ordering, lock};

/// How the calls stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// The call may be made.
    Admitted,
    /// The call waits under this number until its waker is returned by a release.
    Queued(u64),
    /// The queue is full.
    Refused,
}

const QUEUED: u64 = 1 << 32;

/// A semaphore with a bounded queue. `W` is how a waiter is woken; waking is the
/// caller's affair, after the lock is let go.
#[derive(Debug)]
pub struct Bulkhead<W> {
    /// Calls being made in the lower half; the upper half is not zero while calls wait,
    /// so that nobody overtakes them.
    held: AtomicU64,
    limit: AtomicU64,
    queue: Mutex<Queue<W>>,
}

#[derive(Debug)]
struct Queue<W> {
    capacity: usize,
    last: u64,
    waiting: VecDeque<(u64, W)>,
}

impl<W> Bulkhead<W> {
    /// At most `limit` calls at a time and `capacity` waiting.
    pub fn new(limit: u32, capacity: usize) -> Result<Self, Invalid> {
        check(limit >= 1, "max_concurrent", "at least 1", limit)?;
        let queue = Queue { capacity, last: 0, waiting: VecDeque::new() };
        Ok(Self {
            held: AtomicU64::new(0),
            limit: AtomicU64::new(limit.into()),
            queue: Mutex::new(queue),
        })
    }

    /// Enters if there is room and nobody waits.
    #[inline]
    pub fn try_enter(&self) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let mut held = self.held.load(Ordering::Relaxed);
        while held < limit {
            match self.held.compare_exchange_weak(
                held,
                held + 1,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => held = now,
            }
        }
        false
    }

    /// Enters, or waits if the queue has room.
    pub fn enter(&self, waker: W) -> Entry {
        let mut queue = lock(&self.queue);
        if queue.waiting.is_empty() {
            // From here on leaving takes the lock, so no wake-up can be missed.
            self.held.fetch_or(QUEUED, Ordering::AcqRel);
            let held = self.held.load(Ordering::Acquire) & (QUEUED - 1);
            if held < self.limit.load(Ordering::Relaxed) {
                self.held.fetch_add(1, Ordering::AcqRel);
                self.held.fetch_and(QUEUED - 1, Ordering::AcqRel);
                return Entry::Admitted;
            }
        }
        if queue.waiting.len() >= queue.capacity {
            if queue.waiting.is_empty() {
                self.held.fetch_and(QUEUED - 1, Ordering::AcqRel);
            }
            return Entry::Refused;
        }
        queue.last += 1;
        let number = queue.last;
        queue.waiting.push_back((number, waker));
        Entry::Queued(number)
    }

    /// Gives the place to the first waiter, who is returned to be woken, or frees it.
    #[inline]
    pub fn leave(&self) -> Option<W> {
        let mut held = self.held.load(Ordering::Relaxed);
        while held < QUEUED {
            match self.held.compare_exchange_weak(
                held,
                held - 1,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return None,
                Err(now) => held = now,
            }
        }
        self.hand_over()
    }

    #[cold]
    fn hand_over(&self) -> Option<W> {
        let mut queue = lock(&self.queue);
        let held = self.held.load(Ordering::Acquire) & (QUEUED - 1);
        let shrunk = held > self.limit.load(Ordering::Relaxed);
        let next = if shrunk { None } else { queue.waiting.pop_front() };
        if next.is_none() {
            self.held.fetch_sub(1, Ordering::AcqRel);
        }
        if queue.waiting.is_empty() {
            self.held.fetch_and(QUEUED - 1, Ordering::AcqRel);
        }
        next.map(|(_, waker)| waker)
    }

    /// Stops waiting; `false` if the place had been given already and must be left.
    pub fn give_up(&self, number: u64) -> bool {
        let mut queue = lock(&self.queue);
        let Some(index) = queue.waiting.iter().position(|(n, _)| *n == number) else {
            return false;
        };
        queue.waiting.remove(index);
        if queue.waiting.is_empty() {
            self.held.fetch_and(QUEUED - 1, Ordering::AcqRel);
        }
        true
    }

    /// Changes the limit in use; returns the waiters that now have a place.
    pub fn resize(&self, limit: u32) -> Result<Vec<W>, Invalid> {
        check(limit >= 1, "max_concurrent", "at least 1", limit)?;
        let mut queue = lock(&self.queue);
        self.limit.store(limit.into(), Ordering::Relaxed);
        let mut woken = Vec::new();
        while self.held.load(Ordering::Acquire) & (QUEUED - 1) < limit.into() {
            let Some((_, waker)) = queue.waiting.pop_front() else { break };
            self.held.fetch_add(1, Ordering::AcqRel);
            woken.push(waker);
        }
        if queue.waiting.is_empty() {
            self.held.fetch_and(QUEUED - 1, Ordering::AcqRel);
        }
        Ok(woken)
    }

    /// Calls being made.
    pub fn held(&self) -> u32 {
        (self.held.load(Ordering::Relaxed) & (QUEUED - 1)) as u32
    }

    /// Calls waiting.
    pub fn waiting(&self) -> usize {
        lock(&self.queue).waiting.len()
    }

    /// The most calls at a time.
    pub fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn who_waits_is_served_in_order_and_never_overtaken() {
        let bulkhead = Bulkhead::new(1, 2).unwrap();
        assert!(bulkhead.try_enter());
        assert_eq!(bulkhead.enter('a'), Entry::Queued(1));
        assert_eq!(bulkhead.enter('b'), Entry::Queued(2));
        assert_eq!(bulkhead.enter('c'), Entry::Refused);
        assert_eq!(bulkhead.leave(), Some('a'));
        assert!(!bulkhead.try_enter());
        assert_eq!(bulkhead.leave(), Some('b'));
        assert_eq!(bulkhead.leave(), None);
        assert!(bulkhead.try_enter());
    }

    #[test]
    fn a_wider_limit_wakes_those_who_fit() {
        let bulkhead = Bulkhead::new(1, 9).unwrap();
        assert!(bulkhead.try_enter());
        for waker in ['a', 'b', 'c'] {
            bulkhead.enter(waker);
        }
        assert_eq!(bulkhead.resize(3).unwrap(), ['a', 'b']);
        assert_eq!((bulkhead.held(), bulkhead.waiting()), (3, 1));
    }

    #[test]
    fn a_narrower_limit_is_reached_by_leaving() {
        let bulkhead = Bulkhead::<()>::new(3, 0).unwrap();
        for _ in 0..3 {
            assert!(bulkhead.try_enter());
        }
        bulkhead.resize(1).unwrap();
        assert_eq!(bulkhead.leave(), None);
        assert!(!bulkhead.try_enter());
        bulkhead.leave();
        bulkhead.leave();
        assert!(bulkhead.try_enter());
    }

    proptest! {
        #[test]
        fn it_agrees_with_two_lists(limit in 1u32..4, capacity in 0usize..4, steps in prop::collection::vec(0u8..3, 0..60)) {
            let bulkhead = Bulkhead::new(limit, capacity).unwrap();
            let (mut inside, mut queue, mut name) = (0, Vec::new(), 0);
            for step in steps {
                match step {
                    0 => {
                        name += 1;
                        let entry = if bulkhead.try_enter() { Entry::Admitted } else { bulkhead.enter(name) };
                        if inside < limit {
                            inside += 1;
                            prop_assert_eq!(entry, Entry::Admitted);
                        } else if queue.len() < capacity {
                            let Entry::Queued(number) = entry else { panic!("{entry:?}") };
                            queue.push((number, name));
                        } else {
                            prop_assert_eq!(entry, Entry::Refused);
                        }
                    }
                    1 if inside > 0 => {
                        let next = (!queue.is_empty()).then(|| queue.remove(0).1);
                        inside -= u32::from(next.is_none());
                        prop_assert_eq!(bulkhead.leave(), next);
                    }
                    2 if !queue.is_empty() => {
                        let (number, _) = queue.remove(queue.len() / 2);
                        prop_assert!(bulkhead.give_up(number));
                    }
                    _ => {}
                }
                prop_assert_eq!((bulkhead.held(), bulkhead.waiting()), (inside, queue.len()));
            }
        }
    }
}
