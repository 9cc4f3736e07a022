use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::rate::Rate;
use super::sliding::Sliding;
use crate::clock::{Nanos, seconds};
use crate::resilience::error::{Invalid, check};

/// Shuts a key out that keeps being refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lockout {
    /// Refusals..
    pub violations: u32,
    /// ..within this long..
    pub within: Nanos,
    /// ..shut it out for this long.
    pub duration: Nanos,
}

/// Why a key was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denied {
    /// Its rate is used up; ask again after this long.
    Rate(Nanos),
    /// It is shut out for this long.
    LockedOut(Nanos),
    /// It is on the deny list.
    Listed,
}

/// Keys that always or never pass: literally, or by IP network.
#[derive(Clone, Debug, Default)]
pub struct List {
    keys: HashSet<Box<[u8]>>,
    networks: Vec<(u128, u32, bool)>,
}

impl List {
    /// From keys and networks such as `10.0.0.0/8`.
    pub fn new(entries: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, Invalid> {
        let mut list = Self::default();
        for entry in entries {
            match network_of(&entry)? {
                Some(network) => list.networks.push(network),
                None => {
                    list.keys.insert(entry.into());
                }
            }
        }
        Ok(list)
    }

    fn holds(&self, key: &[u8]) -> bool {
        if self.keys.contains(key) {
            return true;
        }
        if self.networks.is_empty() {
            return false;
        }
        let address = std::str::from_utf8(key).ok().and_then(|key| key.parse().ok());
        address.map(bits_of).is_some_and(|(bits, six)| {
            self.networks.iter().any(|(network, prefix, its)| {
                *its == six && (*prefix == 0 || (bits ^ network) >> (128 - prefix) == 0)
            })
        })
    }
}

/// The address in the upper bits, and whether it is of version 6.
fn bits_of(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(four) => (u128::from(four.to_bits()) << 96, false),
        IpAddr::V6(six) => (six.to_bits(), true),
    }
}

fn network_of(entry: &[u8]) -> Result<Option<(u128, u32, bool)>, Invalid> {
    let Ok(text) = std::str::from_utf8(entry) else { return Ok(None) };
    let Some((address, prefix)) = text.split_once('/') else { return Ok(None) };
    let Ok(address) = address.parse::<IpAddr>() else { return Ok(None) };
    let (bits, six) = bits_of(address);
    let widest = if six { 128 } else { 32 };
    let prefix = prefix.parse::<u32>().ok().filter(|prefix| *prefix <= widest);
    check(prefix.is_some(), "allow and deny", "keys or networks like 10.0.0.0/8", text)?;
    Ok(prefix.map(|prefix| (bits, prefix, six)))
}

/// One limit for each of many keys, in bounded memory.
///
/// A key is forgotten only when that changes nothing: its bucket is full again and it is
/// not shut out. While the table holds nothing but such keys, newcomers share one bucket:
/// inventing keys neither takes memory nor sets anybody's count back.
#[derive(Debug)]
pub struct Table {
    rate: Rate,
    sliding: bool,
    capacity: usize,
    lockout: Option<Lockout>,
    allow: List,
    deny: List,
    index: HashMap<Box<[u8]>, u32>,
    cells: Vec<Cell>,
    hand: usize,
    crowd: Cell,
    crowded: u64,
}

#[derive(Debug, Default)]
struct Cell {
    key: Box<[u8]>,
    full: Nanos,
    window: Option<Box<Sliding>>,
    strikes: u32,
    first_strike: Nanos,
    locked_until: Nanos,
}

/// Cells looked at for one to forget, per newcomer.
const LOOK: usize = 8;

impl Table {
    /// An empty table for at most `capacity` keys.
    pub fn new(
        rate: Rate,
        sliding: bool,
        capacity: usize,
        lockout: Option<Lockout>,
        allow: List,
        deny: List,
    ) -> Result<Self, Invalid> {
        rate.check()?;
        check((1..1 << 31).contains(&capacity), "max_keys", "at least 1", capacity)?;
        if let Some(Lockout { violations, within, duration }) = lockout {
            check(violations >= 1, "lockout violations", "at least 1", violations)?;
            check(within > 0, "lockout within", "greater than 0", seconds(within))?;
            check(duration > 0, "lockout duration", "greater than 0", seconds(duration))?;
        }
        Ok(Self {
            rate,
            sliding,
            capacity,
            lockout,
            allow,
            deny,
            index: HashMap::new(),
            cells: Vec::new(),
            hand: 0,
            crowd: Cell::default(),
            crowded: 0,
        })
    }

    /// Takes `cost` calls for `key`; see [`Gcra::take`](super::Gcra::take).
    pub fn take(
        &mut self,
        key: &[u8],
        now: Nanos,
        cost: u32,
        patience: Nanos,
    ) -> Result<Nanos, Denied> {
        if self.deny.holds(key) {
            return Err(Denied::Listed);
        }
        if self.allow.holds(key) {
            return Ok(0);
        }
        let (rate, sliding, lockout) = (self.rate, self.sliding, self.lockout);
        self.cell(key, now).take(rate, sliding, lockout, now, cost, patience)
    }

    fn cell(&mut self, key: &[u8], now: Nanos) -> &mut Cell {
        if let Some(&place) = self.index.get(key) {
            return &mut self.cells[place as usize];
        }
        let cell = Cell { key: key.into(), ..Cell::default() };
        let place = match self.idle_place(now) {
            Some(place) => {
                let old = std::mem::replace(&mut self.cells[place], cell);
                self.index.remove(&old.key);
                place
            }
            None if self.cells.len() < self.capacity => {
                self.cells.push(cell);
                self.cells.len() - 1
            }
            None => {
                self.crowded += 1;
                return &mut self.crowd;
            }
        };
        self.index.insert(key.into(), place as u32);
        &mut self.cells[place]
    }

    fn idle_place(&mut self, now: Nanos) -> Option<usize> {
        for _ in 0..LOOK.min(self.cells.len()) {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.cells.len();
            if self.cells[place].is_idle(self.lockout, now) {
                return Some(place);
            }
        }
        None
    }

    /// Changes the rate in use; what was taken stays taken.
    pub fn configure(&mut self, rate: Rate) -> Result<(), Invalid> {
        rate.check()?;
        self.rate = rate;
        for cell in &mut self.cells {
            if let Some(window) = &mut cell.window {
                window.configure(rate)?;
            }
        }
        Ok(())
    }

    /// Forgets a key: its bucket is full and it is not shut out.
    pub fn forget(&mut self, key: &[u8]) {
        if let Some(place) = self.index.remove(key) {
            self.cells[place as usize] = Cell::default();
        }
    }

    /// Keys held, and calls that had to share a bucket because the table was full.
    pub fn counts(&self) -> (usize, u64) {
        (self.index.len(), self.crowded)
    }
}

impl Cell {
    fn take(
        &mut self,
        rate: Rate,
        sliding: bool,
        lockout: Option<Lockout>,
        now: Nanos,
        cost: u32,
        patience: Nanos,
    ) -> Result<Nanos, Denied> {
        if now < self.locked_until {
            return Err(Denied::LockedOut(self.locked_until - now));
        }
        let taken = if sliding {
            let window = match &mut self.window {
                Some(window) => window,
                // The rate was checked with the table.
                none => match Sliding::new(rate) {
                    Ok(new) => none.insert(Box::new(new)),
                    Err(_) => return Err(Denied::Listed),
                },
            };
            window.take(now, cost, patience)
        } else {
            self.fill(rate, now, cost, patience)
        };
        taken.map_err(|after| self.strike(lockout, now, after))
    }

    fn fill(&mut self, rate: Rate, now: Nanos, cost: u32, patience: Nanos) -> Result<Nanos, Nanos> {
        let interval = rate.refill();
        let room = interval.saturating_mul(rate.burst.into());
        let price = interval.saturating_mul(cost.into());
        let filled = self.full.max(now).saturating_add(price);
        let wait = (filled - now).saturating_sub(room);
        if wait > patience || price > room {
            return Err(wait);
        }
        self.full = filled;
        Ok(wait)
    }

    fn strike(&mut self, lockout: Option<Lockout>, now: Nanos, after: Nanos) -> Denied {
        let Some(lockout) = lockout else { return Denied::Rate(after) };
        if self.strikes == 0 || now - self.first_strike.min(now) > lockout.within {
            (self.strikes, self.first_strike) = (0, now);
        }
        self.strikes += 1;
        if self.strikes < lockout.violations {
            return Denied::Rate(after);
        }
        self.strikes = 0;
        self.locked_until = now.saturating_add(lockout.duration);
        Denied::LockedOut(lockout.duration)
    }

    fn is_idle(&self, lockout: Option<Lockout>, now: Nanos) -> bool {
        let remembered = lockout.is_some_and(|lockout| {
            self.strikes > 0 && now - self.first_strike.min(now) <= lockout.within
        });
        self.full <= now
            && self.locked_until <= now
            && !remembered
            && self.window.as_ref().is_none_or(|window| window.is_idle(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    fn table(capacity: usize, lockout: Option<Lockout>) -> Table {
        let rate = Rate { limit: 2, period: SECOND, burst: 2 };
        Table::new(rate, true, capacity, lockout, List::default(), List::default()).unwrap()
    }

    fn key(number: usize) -> Vec<u8> {
        number.to_string().into_bytes()
    }

    #[test]
    fn each_key_has_its_own_limit() {
        let mut table = table(9, None);
        for key in [b"a", b"b"] {
            assert_eq!(table.take(key, 0, 1, 0), Ok(0));
            assert_eq!(table.take(key, 0, 1, 0), Ok(0));
            assert_eq!(table.take(key, 0, 1, 0), Err(Denied::Rate(SECOND)));
        }
    }

    #[test]
    fn a_flood_of_keys_sets_nobody_back() {
        let mut table = table(16, None);
        table.take(b"victim", 0, 2, 0).unwrap();
        let passed = (0..1000).filter(|n| table.take(&key(*n), 0, 1, 0).is_ok()).count();
        assert_eq!(passed, 15 + 2); // the places that were free, and the shared bucket
        assert!(table.take(b"victim", 0, 1, 0).is_err());
        assert_eq!(table.counts(), (16, 1000 - 15));
    }

    #[test]
    fn a_key_that_is_idle_makes_room() {
        let mut table = table(4, None);
        for n in 0..4 {
            table.take(&key(n), 0, 1, 0).unwrap();
        }
        for n in 4..100 {
            table.take(&key(n), SECOND * n as u64, 1, 0).unwrap();
        }
        assert_eq!(table.counts(), (4, 0));
    }

    #[test]
    fn violations_shut_a_key_out_and_then_count_from_nothing() {
        let lockout = Lockout { violations: 3, within: SECOND, duration: 10 * SECOND };
        let mut table = table(4, Some(lockout));
        table.take(b"k", 0, 2, 0).unwrap();
        let denied: Vec<_> = (0..3).map(|_| table.take(b"k", 0, 1, 0).unwrap_err()).collect();
        assert_eq!(denied[2], Denied::LockedOut(10 * SECOND));
        assert_eq!(table.take(b"k", 9 * SECOND, 1, 0), Err(Denied::LockedOut(SECOND)));
        table.take(b"k", 10 * SECOND, 2, 0).unwrap();
        assert!(matches!(table.take(b"k", 10 * SECOND, 1, 0), Err(Denied::Rate(_))));
    }

    #[test]
    fn old_violations_are_forgiven() {
        let lockout = Lockout { violations: 2, within: SECOND, duration: SECOND };
        let mut table = table(4, Some(lockout));
        for turn in 0..5 {
            let now = turn * 2 * SECOND;
            table.take(b"k", now, 2, 0).unwrap();
            assert!(matches!(table.take(b"k", now, 1, 0), Err(Denied::Rate(_))));
        }
    }

    #[test]
    fn lists_hold_keys_and_networks() {
        let list = |entries: &[&str]| {
            List::new(entries.iter().map(|entry| entry.as_bytes().to_vec())).unwrap()
        };
        let rate = Rate { limit: 1, period: SECOND, burst: 1 };
        let (allow, deny) = (list(&["admin", "10.0.0.0/8"]), list(&["10.6.6.6", "fd00::/8"]));
        let mut table = Table::new(rate, true, 9, None, allow, deny).unwrap();
        for key in ["admin", "10.1.2.3"] {
            assert!((0..5).all(|_| table.take(key.as_bytes(), 0, 1, 0) == Ok(0)));
        }
        for key in ["10.6.6.6", "fd12::1"] {
            assert_eq!(table.take(key.as_bytes(), 0, 1, 0), Err(Denied::Listed));
        }
        assert_eq!(table.take(b"11.0.0.1", 0, 1, 0), Ok(0));
        assert!(matches!(table.take(b"11.0.0.1", 0, 1, 0), Err(Denied::Rate(_))));
        assert!(List::new([b"10.0.0.0/99".to_vec()]).is_err());
    }
}
