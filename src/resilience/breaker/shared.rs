use super::config::BreakerConfig;
use super::machine::{Machine, Permit, Refusal, State, Tally, Transition, Verdict};
use crate::clock::Nanos;
use crate::resilience::error::Invalid;
use crate::resilience::sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock};

const PASSES: u64 = 1;
const QUIET: u64 = 2;

/// A [`Machine`] for many threads. While it is closed, asking takes no lock; while in
/// addition nothing is counted against the dependency, neither does a success.
#[derive(Debug)]
pub struct Breaker {
    /// Generation in the upper half; whether calls pass, and whether successes are
    /// forgotten, in the lowest bits. Written under the lock.
    gate: AtomicU64,
    forgotten: AtomicU64,
    machine: Mutex<Machine>,
}

impl Breaker {
    /// Closed, with nothing counted.
    pub fn new(config: BreakerConfig) -> Result<Self, Invalid> {
        let machine = Machine::new(config)?;
        let gate = AtomicU64::new(gate_of(&machine));
        Ok(Self { gate, forgotten: AtomicU64::new(0), machine: Mutex::new(machine) })
    }

    /// A permit without a lock, if the breaker is closed.
    #[inline]
    pub fn pass(&self) -> Option<Permit> {
        let gate = self.gate.load(Ordering::Acquire);
        (gate & PASSES != 0).then_some(Permit { generation: (gate >> 32) as u32, trial: 0 })
    }

    /// Takes note of a success without a lock; `false` if it has to be
    /// [released](Self::release).
    #[inline]
    pub fn forget(&self, permit: Permit) -> bool {
        let gate = self.gate.load(Ordering::Acquire);
        let quiet = gate == u64::from(permit.generation) << 32 | PASSES | QUIET;
        if quiet {
            self.forgotten.fetch_add(1, Ordering::Relaxed);
        }
        quiet
    }

    /// See [`Machine::acquire`].
    pub fn acquire(&self, now: Nanos) -> Result<(Permit, Option<Transition>), Refusal> {
        self.with(|machine| machine.acquire(now))
    }

    /// See [`Machine::release`].
    pub fn release(
        &self,
        permit: Permit,
        verdict: Verdict,
        now: Nanos,
        took: Nanos,
        chance: f64,
    ) -> Option<Transition> {
        self.with(|machine| machine.release(permit, verdict, now, took, chance))
    }

    /// See [`Machine::set`].
    pub fn set(&self, to: State, now: Nanos) -> Option<Transition> {
        self.with(|machine| machine.set(to, now))
    }

    /// See [`Machine::configure`].
    pub fn configure(&self, config: BreakerConfig) -> Result<(), Invalid> {
        self.with(|machine| machine.configure(config))
    }

    /// What has happened since the beginning.
    pub fn tally(&self) -> Tally {
        let mut tally = self.look().tally();
        tally.successes += self.forgotten.load(Ordering::Relaxed);
        tally
    }

    /// The machine, to look at.
    pub fn look(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }

    fn with<T>(&self, action: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machine = self.look();
        let answer = action(&mut machine);
        self.gate.store(gate_of(&machine), Ordering::Release);
        answer
    }
}

fn gate_of(machine: &Machine) -> u64 {
    let passes = matches!(machine.state(), State::Closed | State::Disabled | State::MetricsOnly);
    u64::from(machine.generation()) << 32
        | if passes { PASSES } else { 0 }
        | if machine.is_quiet() { QUIET } else { 0 }
}
