//! What a coroutine waits for beside its function: time, a place in a queue, its deadline.

use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::alarm::Timer;
use super::bulkhead::Waker;
use super::driver::{Doing, Driver, Turn};
use super::end::End;
use super::inner::Progress;
use super::pipeline::Stage;
use crate::clock::{Clock, Nanos, seconds};
use crate::resilience::bulkhead::Entry;

impl Driver {
    pub(super) fn wait(&mut self, py: Python<'_>, time: Nanos, then: usize) -> Turn {
        if time == 0 || self.pipe().clock.skip(time) {
            return Turn::Next(self.descend(py, then));
        }
        self.doing = Doing::Waiting(then);
        let sleep = PyModule::import(py, "asyncio")
            .and_then(|asyncio| asyncio.call_method1("sleep", (seconds(time),)));
        match sleep {
            Ok(sleep) => self.start(py, sleep.unbind()),
            Err(error) => Turn::Inner(Progress::Ended(Err(error))),
        }
    }

    pub(super) fn queue(&mut self, py: Python<'_>, stage: usize, patience: Nanos) -> Turn {
        let Stage::Bulkhead(bulkhead) = &self.pipe().stages[stage] else { unreachable!() };
        let bulkhead = bulkhead.get();
        let made = (|| {
            let asyncio = PyModule::import(py, "asyncio")?;
            let home = asyncio.call_method0("get_running_loop")?;
            let future = home.call_method0("create_future")?;
            let waiting =
                asyncio.call_method1("wait_for", (&future, seconds(patience.min(1 << 60))))?;
            Ok((home.unbind(), future.unbind(), waiting.unbind()))
        })();
        let (home, future, waiting) = match made {
            Ok(made) => made,
            Err(error) => {
                return Turn::Next(self.run.unwind(py, self.pipe(), stage, End::raised(py, error)));
            }
        };
        let entry = bulkhead.enter(Waker::Task(home, future));
        if !matches!(entry, Entry::Queued(_)) {
            // An unawaited coroutine would warn.
            if let Err(error) = waiting.call_method0(py, "close") {
                error.write_unraisable(py, None);
            }
        }
        match entry {
            Entry::Admitted => {
                self.run.entered(self.pipe(), stage);
                Turn::Next(self.descend(py, stage + 1))
            }
            Entry::Refused => {
                let end = End::Refused(bulkhead.full(py));
                Turn::Next(self.run.unwind(py, self.pipe(), stage, end))
            }
            Entry::Queued(number) => {
                self.doing = Doing::Queueing { stage, number };
                self.start(py, waiting)
            }
        }
    }

    /// Has the event loop watch the next deadline; only a call that suspends needs it.
    pub(super) fn set_timer(&mut self, py: Python<'_>) {
        let Some((deadline, stage)) = self.run.deadline() else { return };
        if matches!(self.pipe().clock, Clock::Virtual(_)) {
            return;
        }
        match Timer::set(py, deadline, stage) {
            Ok(timer) => self.timer = timer.map(Box::new),
            Err(error) => error.write_unraisable(py, None),
        }
    }

    pub(super) fn stop_timer(&mut self, py: Python<'_>) {
        let Some(timer) = self.timer.take() else { return };
        match timer.stop(py) {
            Ok(None) => {}
            Ok(expired) => self.run.expired = expired,
            Err(error) => error.write_unraisable(py, None),
        }
    }
}
