//! How a long kernel is called from Python, written once: the GIL is released, the
//! kernel has a thread pool of its own, and the calling thread watches for Ctrl-C, the
//! time budget and progress while it waits.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::ThreadPoolBuilder;

use super::arguments::count;
use super::errors::TimeBudgetError;
use crate::task::{Stopped, Task};

/// How often the waiting thread looks up; Ctrl-C is answered within a few of these.
const TICK: Duration = Duration::from_millis(20);

/// Why a kernel gave no result: it was stopped, or it failed in its own terms.
pub(super) trait KernelError: Send + Into<PyErr> + From<Stopped> {
    fn is_stopped(&self) -> bool;
}

impl KernelError for Stopped {
    fn is_stopped(&self) -> bool {
        true
    }
}

/// What a call may use. Python passes `limits=(threads, seconds, progress)`.
///
/// `threads = 0` means all processors this process may run on. `progress` is called with
/// work done and work announced, at most every 20 ms.
#[derive(FromPyObject)]
pub(super) struct Limits(i64, Option<f64>, Option<Py<PyAny>>);

impl Limits {
    /// That many threads, no budget, no progress.
    pub(super) fn threads(threads: i64) -> Self {
        Self(threads, None, None)
    }
}

/// Runs `kernel` on a pool of `limits` threads without the GIL.
///
/// The pool lives for this call only: a pool kept across calls would have no threads in
/// a forked child and hang there.
pub(super) fn run<T, E>(
    py: Python<'_>,
    limits: &Limits,
    kernel: impl FnOnce(&Task) -> Result<T, E> + Send,
) -> PyResult<T>
where
    T: Send,
    E: KernelError,
{
    let Limits(threads, seconds, progress) = limits;
    let threads = match count("n_jobs", *threads)? {
        0 => available_threads(),
        threads => threads,
    };
    let deadline = seconds.map(|s| Instant::now() + Duration::from_secs_f64(s.clamp(0.0, 1e9)));
    let task = Task::new();
    let mut why: Option<PyErr> = None;
    let result = py.detach(|| -> PyResult<Result<T, E>> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool =
            pool.map_err(|error| PyRuntimeError::new_err(format!("no thread pool: {error}")))?;
        std::thread::scope(|scope| {
            let (finished, finish) = channel();
            let task = &task;
            let worker = scope.spawn(move || {
                let result = pool.install(|| kernel(task));
                // The receiver lives until this thread is joined.
                let _ = finished.send(());
                result
            });
            while let Err(RecvTimeoutError::Timeout) = finish.recv_timeout(TICK) {
                if why.is_none() {
                    why = interruption(deadline, *seconds, progress.as_ref(), task).err();
                    if why.is_some() {
                        task.stop();
                    }
                }
            }
            worker.join().map_err(|_| PyRuntimeError::new_err("internal error: a kernel panicked"))
        })
    })?;
    match (result, why) {
        (Ok(value), None) => Ok(value),
        // An interrupt outranks a result that came in at the same moment; a late budget does not.
        (Ok(value), Some(why)) if why.is_instance_of::<TimeBudgetError>(py) => Ok(value),
        (Err(error), None) => Err(error.into()),
        (Err(error), Some(_)) if !error.is_stopped() => Err(error.into()),
        (_, Some(why)) => Err(why),
    }
}

fn interruption(
    deadline: Option<Instant>,
    seconds: Option<f64>,
    progress: Option<&Py<PyAny>>,
    task: &Task,
) -> PyResult<()> {
    if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
        let seconds = seconds.unwrap_or_default();
        return Err(TimeBudgetError::new_err(format!(
            "stopped: the time budget was used up ({seconds:.3} s were left for this step)"
        )));
    }
    Python::attach(|py| {
        py.check_signals()?;
        if let Some(progress) = progress {
            progress.call1(py, task.progress())?;
        }
        Ok(())
    })
}

/// Processors this process may use; `HOLDFAST_NUM_THREADS` or `OMP_NUM_THREADS` (which
/// joblib sets in its workers) lower it.
pub(super) fn available_threads() -> usize {
    let set = ["HOLDFAST_NUM_THREADS", "OMP_NUM_THREADS"]
        .iter()
        .find_map(|name| std::env::var(name).ok()?.parse::<usize>().ok().filter(|n| *n > 0));
    set.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}
