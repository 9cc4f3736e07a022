use std::collections::VecDeque;

use super::config::BreakerConfig;
use super::window::Window;
use crate::clock::Nanos;
use crate::resilience::error::Invalid;

/// Whether calls pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Calls pass and are counted.
    Closed,
    /// Calls are refused for a while.
    Open,
    /// A few trial calls decide.
    HalfOpen,
    /// Calls pass and are not counted: set by hand.
    Disabled,
    /// Calls are refused: set by hand.
    ForcedOpen,
    /// Calls pass and are counted, and nothing ever opens: set by hand, to try a
    /// configuration out.
    MetricsOnly,
}

/// How a call ended, in the breaker's eyes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Well.
    Success,
    /// In a way that counts against the dependency.
    Failure,
    /// In a way that says nothing of the dependency: cancelled, refused by another
    /// guard, or an error that does not count.
    Neither,
}

/// The right to make one call. It carries the generation of the state it was given in:
/// a verdict from an older generation never moves a newer state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Permit {
    pub(super) generation: u32,
    /// Number of the trial; 0 when closed.
    pub(super) trial: u32,
}

/// Why a call is not made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// When to ask again, if time will tell.
    pub retry_after: Option<Nanos>,
    /// Failures counted when it opened.
    pub failures: u32,
    /// When the last failure was.
    pub last_failure: Option<Nanos>,
}

/// A change of state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
}

/// What has happened since the beginning.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Calls that went well.
    pub successes: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Calls that were slow, well or not.
    pub slow: u64,
    /// Calls that ended as neither.
    pub neither: u64,
    /// Calls refused.
    pub refused: u64,
    /// Verdicts that came too late to matter.
    pub late: u64,
    /// Times it opened; under `MetricsOnly`, times it would have.
    pub opened: u64,
}

#[derive(Clone, Debug)]
struct Trial {
    number: u32,
    expires: Nanos,
}

/// The states of one breaker, for one thread.
#[derive(Clone, Debug)]
pub struct Machine {
    config: BreakerConfig,
    state: State,
    generation: u32,
    failures: u32,
    /// When the last of these were.
    recent: VecDeque<Nanos>,
    window: Option<Window>,
    until: Nanos,
    opens_in_a_row: u32,
    trials: Vec<Trial>,
    trials_begun: u32,
    trials_passed: u32,
    last_failure: Option<Nanos>,
    usual: f64,
    tally: Tally,
}

/// The weight of one call in the usual failure rate: it forgets half in 350 calls.
const LEARNING: f64 = 0.002;
/// No learned limit is higher: an entirely failing dependency always opens.
const HIGHEST: f64 = 0.95;
/// Failures of which the time is known.
const REMEMBERED: usize = 100;

impl Machine {
    /// Closed, with nothing counted.
    pub fn new(config: BreakerConfig) -> Result<Self, Invalid> {
        config.check()?;
        Ok(Self {
            window: config.window.map(Window::new),
            config,
            state: State::Closed,
            generation: 0,
            failures: 0,
            recent: VecDeque::new(),
            until: 0,
            opens_in_a_row: 0,
            trials: Vec::new(),
            trials_begun: 0,
            trials_passed: 0,
            last_failure: None,
            usual: 0.0,
            tally: Tally::default(),
        })
    }

    /// Asks to make a call. Every permit ends in one [`release`](Self::release).
    pub fn acquire(&mut self, now: Nanos) -> Result<(Permit, Option<Transition>), Refusal> {
        let mut transition = None;
        match self.state {
            State::Closed | State::Disabled | State::MetricsOnly => {
                return Ok((Permit { generation: self.generation, trial: 0 }, None));
            }
            State::Open if now >= self.until => {
                transition = Some(self.change(State::HalfOpen));
            }
            State::Open => return Err(self.refuse(Some(self.until - now))),
            State::ForcedOpen => return Err(self.refuse(None)),
            State::HalfOpen => {}
        }
        self.trials.retain(|trial| trial.expires > now);
        if self.trials.len() >= self.config.permits as usize {
            let next = self.trials.iter().map(|trial| trial.expires - now).min();
            return Err(self.refuse(next));
        }
        self.trials_begun += 1;
        let number = self.trials_begun;
        self.trials.push(Trial { number, expires: now.saturating_add(self.config.lease) });
        Ok((Permit { generation: self.generation, trial: number }, transition))
    }

    /// Says how the call ended and how long it took; `chance` is from `[0, 1)`.
    pub fn release(
        &mut self,
        permit: Permit,
        verdict: Verdict,
        now: Nanos,
        took: Nanos,
        chance: f64,
    ) -> Option<Transition> {
        let slow =
            verdict != Verdict::Neither && self.config.slow_call.is_some_and(|limit| took > limit);
        match verdict {
            Verdict::Success => self.tally.successes += 1,
            Verdict::Failure => {
                self.tally.failures += 1;
                self.last_failure = self.last_failure.max(Some(now));
            }
            Verdict::Neither => self.tally.neither += 1,
        }
        self.tally.slow += u64::from(slow);
        if permit.generation != self.generation {
            self.tally.late += 1;
            return None;
        }
        match self.state {
            State::Closed | State::MetricsOnly if verdict != Verdict::Neither => {
                self.count(verdict == Verdict::Failure, slow, now);
                self.tripped(now).then(|| self.trip(now, chance)).flatten()
            }
            State::HalfOpen => self.judge(permit, verdict, slow, now, chance),
            _ => None,
        }
    }

    fn judge(
        &mut self,
        permit: Permit,
        verdict: Verdict,
        slow: bool,
        now: Nanos,
        chance: f64,
    ) -> Option<Transition> {
        let Some(index) = self.trials.iter().position(|trial| trial.number == permit.trial) else {
            self.tally.late += 1;
            return None;
        };
        self.trials.swap_remove(index);
        match verdict {
            Verdict::Neither => None,
            Verdict::Success if !slow => {
                self.trials_passed += 1;
                let enough = self.trials_passed >= self.config.success_threshold;
                enough.then(|| self.change(State::Closed))
            }
            _ => {
                self.failures = self.failures.saturating_add(1);
                self.remember(Some(now));
                self.trip(now, chance)
            }
        }
    }

    fn count(&mut self, failed: bool, slow: bool, now: Nanos) {
        self.failures = match (failed, self.config.success_takes_one) {
            (true, _) => self.failures.saturating_add(1),
            (false, true) => self.failures.saturating_sub(1),
            (false, false) => 0,
        };
        self.remember(failed.then_some(now));
        if let Some(window) = &mut self.window {
            window.record(failed, slow, now);
        }
        if self.config.adaptive {
            self.usual += LEARNING * (f64::from(u8::from(failed)) - self.usual);
        }
    }

    fn remember(&mut self, failure: Option<Nanos>) {
        self.recent.extend(failure);
        while self.recent.len() > REMEMBERED.min(self.failures as usize) {
            self.recent.pop_front();
        }
    }

    fn tripped(&mut self, now: Nanos) -> bool {
        if self.config.failure_threshold.is_some_and(|threshold| self.failures >= threshold) {
            return true;
        }
        let Some(window) = &mut self.window else { return false };
        let counts = window.counts(now);
        let minimum = match self.config.window {
            Some(super::Span::Calls(calls)) => self.config.minimum_calls.min(calls),
            _ => self.config.minimum_calls,
        };
        let calls = f64::from(counts.calls);
        counts.calls >= minimum
            && (f64::from(counts.failed) >= self.limit(calls) * calls
                || (self.config.slow_call.is_some()
                    && f64::from(counts.slow) >= self.config.slow_rate * calls))
    }

    /// The failure rate that opens it: as configured, or three standard errors above the
    /// usual one if that is higher.
    fn limit(&self, calls: f64) -> f64 {
        if !self.config.adaptive {
            return self.config.failure_rate;
        }
        let error = (self.usual * (1.0 - self.usual) / calls).sqrt();
        let learned = (self.usual + 3.0 * error).min(HIGHEST);
        self.config.failure_rate.max(learned)
    }

    fn trip(&mut self, now: Nanos, chance: f64) -> Option<Transition> {
        self.tally.opened += 1;
        if self.state == State::MetricsOnly {
            self.failures = 0;
            self.recent.clear();
            if let Some(window) = &mut self.window {
                window.clear();
            }
            return None;
        }
        self.opens_in_a_row = self.opens_in_a_row.saturating_add(1);
        let wait = self.config.open_for(self.opens_in_a_row, chance);
        self.until = now.saturating_add(wait);
        Some(self.change(State::Open))
    }

    fn change(&mut self, to: State) -> Transition {
        let from = std::mem::replace(&mut self.state, to);
        self.generation = self.generation.wrapping_add(1);
        self.trials.clear();
        self.trials_passed = 0;
        if !matches!(to, State::Open | State::HalfOpen) {
            self.failures = 0;
            self.recent.clear();
            self.opens_in_a_row = 0;
        }
        if let Some(window) = &mut self.window {
            window.clear();
        }
        Transition { from, to }
    }

    fn refuse(&mut self, retry_after: Option<Nanos>) -> Refusal {
        self.tally.refused += 1;
        Refusal { retry_after, failures: self.failures, last_failure: self.last_failure }
    }

    /// Sets the state by hand; `Closed` is the reset, `Open` lasts the usual time.
    pub fn set(&mut self, to: State, now: Nanos) -> Option<Transition> {
        if to == State::Open {
            self.until = now.saturating_add(self.config.open_for(1, 0.0));
        }
        Some(self.change(to)).filter(|change| change.from != change.to)
    }

    /// Exchanges the configuration; the state stays, and so does the window unless its
    /// span is another.
    pub fn configure(&mut self, config: BreakerConfig) -> Result<(), Invalid> {
        config.check()?;
        if config.window != self.config.window {
            self.window = config.window.map(Window::new);
        }
        self.config = config;
        Ok(())
    }

    /// The state as of the last call: time alone does not change it.
    pub fn state(&self) -> State {
        self.state
    }

    /// Counts every change of state.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Failures in a row, or what successes left of them.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Successful trials since it became half-open.
    pub fn trials_passed(&self) -> u32 {
        self.trials_passed
    }

    /// Calls and failures in the window.
    pub fn rates(&mut self, now: Nanos) -> Option<(u32, u32, u32)> {
        let counts = self.window.as_mut()?.counts(now);
        Some((counts.calls, counts.failed, counts.slow))
    }

    /// When the last of [`failures`](Self::failures) were, at most 100.
    pub fn recent(&self) -> impl Iterator<Item = Nanos> {
        self.recent.iter().copied()
    }

    /// When the last failure was.
    pub fn last_failure(&self) -> Option<Nanos> {
        self.last_failure
    }

    /// What has happened since the beginning.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The configuration in force.
    pub fn config(&self) -> &BreakerConfig {
        &self.config
    }

    /// Whether a success now would change nothing.
    pub(super) fn is_quiet(&self) -> bool {
        self.state == State::Closed && self.failures == 0 && self.config.forgets_successes()
    }
}
