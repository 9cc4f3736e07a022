//! The breaker, the limiter and the bulkhead under random schedules (Burckhardt et al., "A
//! Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010), by shuttle.

use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

use holdfast_schedules::clock::SECOND;
use holdfast_schedules::resilience::breaker::{Breaker, BreakerConfig, State, Verdict};
use holdfast_schedules::resilience::bulkhead::{Bulkhead, Entry};
use holdfast_schedules::resilience::limiter::{Gcra, Rate};

const RUNS: usize = 2000;

/// Set by who wakes a waiting call.
type Woken = std::sync::Arc<AtomicU64>;

fn together(threads: usize, action: impl Fn(usize) + Send + Sync + 'static) {
    let action = Arc::new(action);
    let handles: Vec<_> = (0..threads)
        .map(|index| {
            let action = action.clone();
            thread::spawn(move || action(index))
        })
        .collect();
    for handle in handles {
        handle.join().unwrap();
    }
}

#[test]
fn half_open_admits_exactly_its_permits() {
    shuttle::check_pct(
        || {
            let config = BreakerConfig {
                failure_threshold: Some(1),
                permits: 2,
                success_threshold: 2,
                ..BreakerConfig::default()
            };
            let breaker = Arc::new(Breaker::new(config).unwrap());
            let first = breaker.pass().unwrap();
            breaker.release(first, Verdict::Failure, 0, 0, 0.0);
            let admitted = Arc::new(AtomicU64::new(0));
            let (inside, count) = (breaker.clone(), admitted.clone());
            together(4, move |_| {
                assert!(inside.pass().is_none());
                if inside.acquire(30 * SECOND).is_ok() {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
            assert_eq!(admitted.load(Ordering::SeqCst), 2);
        },
        RUNS,
        3,
    );
}

#[test]
fn a_late_success_never_closes_and_no_verdict_is_lost() {
    shuttle::check_pct(
        || {
            let config = BreakerConfig { failure_threshold: Some(2), ..BreakerConfig::default() };
            let breaker = Arc::new(Breaker::new(config).unwrap());
            let inside = breaker.clone();
            together(4, move |index| {
                let Some(permit) = inside.pass() else { return };
                if index < 2 {
                    inside.release(permit, Verdict::Failure, 0, 0, 0.0);
                } else if !inside.forget(permit) {
                    inside.release(permit, Verdict::Success, 0, 0, 0.0);
                }
            });
            let tally = breaker.tally();
            assert_eq!(tally.failures, 2);
            assert!(tally.successes <= 2);
            if breaker.look().state() == State::Open {
                assert!(breaker.pass().is_none());
            }
        },
        RUNS,
        3,
    );
}

#[test]
fn a_bucket_never_gives_more_than_it_holds() {
    shuttle::check_pct(
        || {
            let rate = Rate { limit: 3, period: SECOND, burst: 3 };
            let bucket = Arc::new(Gcra::new(rate).unwrap());
            let taken = Arc::new(AtomicU64::new(0));
            let (inside, count) = (bucket.clone(), taken.clone());
            together(3, move |_| {
                for _ in 0..2 {
                    if inside.take(0, 1, 0).is_ok() {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
            assert_eq!(taken.load(Ordering::SeqCst), 3);
        },
        RUNS,
        3,
    );
}

/// Enters, waiting if it must, finds at most `places` inside, and wakes who is next.
fn pass_through(bulkhead: &Bulkhead<Woken>, inside: &AtomicU64, places: u64) {
    let woken = Woken::new(AtomicU64::new(0));
    if !bulkhead.try_enter()
        && let Entry::Queued(_) = bulkhead.enter(woken.clone())
    {
        while woken.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
    }
    assert!(inside.fetch_add(1, Ordering::SeqCst) < places);
    inside.fetch_sub(1, Ordering::SeqCst);
    if let Some(next) = bulkhead.leave() {
        next.store(1, Ordering::SeqCst);
    }
}

#[test]
fn a_bulkhead_is_never_overfull_and_wakes_everyone_who_waits() {
    shuttle::check_pct(
        || {
            let bulkhead = Arc::new(Bulkhead::new(1, 9).unwrap());
            let inside = Arc::new(AtomicU64::new(0));
            let shared = (bulkhead.clone(), inside);
            together(3, move |_| {
                pass_through(&shared.0, &shared.1, 1);
            });
            assert_eq!((bulkhead.held(), bulkhead.waiting()), (0, 0));
        },
        RUNS,
        3,
    );
}

#[test]
fn a_place_given_to_who_gives_up_is_not_lost() {
    shuttle::check_pct(
        || {
            let bulkhead = Arc::new(Bulkhead::new(1, 9).unwrap());
            assert!(bulkhead.try_enter());
            let shared = bulkhead.clone();
            let leave = move || {
                let mut next: Option<std::sync::Arc<AtomicU64>> = shared.leave();
                while let Some(woken) = next.take() {
                    // Whoever has given up passes the place on.
                    if woken.swap(1, Ordering::SeqCst) == 2 {
                        next = shared.leave();
                    }
                }
            };
            let shared = bulkhead.clone();
            together(3, move |index| {
                if index == 0 {
                    return leave();
                }
                let woken = std::sync::Arc::new(AtomicU64::new(0));
                match shared.enter(woken.clone()) {
                    Entry::Admitted => leave(),
                    Entry::Queued(number) if shared.give_up(number) => {}
                    // The place was on its way: if it is here, it goes on from here.
                    Entry::Queued(_) if woken.swap(2, Ordering::SeqCst) == 1 => leave(),
                    Entry::Queued(_) => {}
                    Entry::Refused => panic!("the queue has room"),
                }
            });
            assert_eq!((bulkhead.held(), bulkhead.waiting()), (0, 0));
            assert!(bulkhead.try_enter());
        },
        RUNS,
        3,
    );
}

#[test]
fn a_bulkhead_that_grows_wakes_whom_it_has_room_for() {
    shuttle::check_pct(
        || {
            let bulkhead = Arc::new(Bulkhead::new(1, 9).unwrap());
            let inside = Arc::new(AtomicU64::new(0));
            let shared = (bulkhead.clone(), inside);
            together(4, move |index| {
                let (bulkhead, inside) = &shared;
                if index == 0 {
                    for next in bulkhead.resize(2).unwrap() {
                        let next: std::sync::Arc<AtomicU64> = next;
                        next.store(1, Ordering::SeqCst);
                    }
                    return;
                }
                pass_through(bulkhead, inside, 2);
            });
            assert_eq!((bulkhead.held(), bulkhead.waiting()), (0, 0));
        },
        RUNS,
        3,
    );
}

#[test]
fn a_verdict_of_another_generation_changes_nothing() {
    shuttle::check_pct(
        || {
            let config = BreakerConfig { failure_threshold: Some(1), ..BreakerConfig::default() };
            let breaker = Arc::new(Breaker::new(config).unwrap());
            let (early, late) = (breaker.pass().unwrap(), breaker.pass().unwrap());
            let inside = breaker.clone();
            together(3, move |index| match index {
                0 => {
                    inside.set(State::Open, 0);
                    inside.set(State::Closed, 0);
                }
                1 if !inside.forget(early) => {
                    inside.release(early, Verdict::Success, 0, 0, 0.0);
                }
                2 => {
                    inside.release(late, Verdict::Failure, 0, 0, 0.0);
                }
                _ => {}
            });
            // The failure came before the reset, or too late: closed either way.
            assert_eq!(breaker.look().state(), State::Closed);
            assert!(breaker.pass().is_some());
            assert!(!breaker.forget(early));
            let tally = breaker.tally();
            assert_eq!((tally.successes, tally.failures), (1, 1));
        },
        RUNS,
        3,
    );
}

#[test]
fn every_success_is_counted_by_whichever_way() {
    shuttle::check_pct(
        || {
            let breaker = Arc::new(Breaker::new(BreakerConfig::default()).unwrap());
            let inside = breaker.clone();
            together(3, move |_| {
                let permit = inside.pass().unwrap();
                assert!(inside.forget(permit));
            });
            assert_eq!(breaker.tally().successes, 3);
        },
        RUNS,
        3,
    );
}
