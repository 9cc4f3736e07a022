use super::*;
use crate::clock::SECOND;

fn machine(config: BreakerConfig) -> Machine {
    Machine::new(config).unwrap()
}

fn call(machine: &mut Machine, verdict: Verdict, now: u64) -> Option<Transition> {
    let (permit, _) = machine.acquire(now).unwrap();
    machine.release(permit, verdict, now, 0, 0.0)
}

fn opened(config: BreakerConfig) -> Machine {
    let mut machine = machine(BreakerConfig { failure_threshold: Some(1), ..config });
    call(&mut machine, Verdict::Failure, 0);
    assert_eq!(machine.state(), State::Open);
    machine
}

#[test]
fn opens_at_the_threshold_and_closes_after_a_trial() {
    let mut breaker =
        machine(BreakerConfig { failure_threshold: Some(2), ..BreakerConfig::default() });
    assert_eq!(call(&mut breaker, Verdict::Failure, 0), None);
    let opens = Transition { from: State::Closed, to: State::Open };
    assert_eq!(call(&mut breaker, Verdict::Failure, 0), Some(opens));
    assert_eq!(breaker.acquire(10 * SECOND).unwrap_err().retry_after, Some(20 * SECOND));
    let (trial, turned) = breaker.acquire(30 * SECOND).unwrap();
    assert_eq!(turned, Some(Transition { from: State::Open, to: State::HalfOpen }));
    assert!(breaker.acquire(30 * SECOND).is_err());
    let closes = Transition { from: State::HalfOpen, to: State::Closed };
    assert_eq!(breaker.release(trial, Verdict::Success, 31 * SECOND, 0, 0.0), Some(closes));
}

#[test]
fn a_success_clears_the_count_or_takes_one_back() {
    for (success_takes_one, left) in [(false, 0), (true, 1)] {
        let mut breaker = machine(BreakerConfig { success_takes_one, ..BreakerConfig::default() });
        call(&mut breaker, Verdict::Failure, 0);
        call(&mut breaker, Verdict::Failure, 0);
        call(&mut breaker, Verdict::Success, 0);
        assert_eq!(breaker.failures(), left);
    }
}

#[test]
fn a_verdict_from_an_older_generation_moves_nothing() {
    let mut breaker =
        machine(BreakerConfig { failure_threshold: Some(1), ..BreakerConfig::default() });
    let (slow, _) = breaker.acquire(0).unwrap();
    call(&mut breaker, Verdict::Failure, 0);
    assert_eq!(breaker.release(slow, Verdict::Success, 1, 1, 0.0), None);
    assert_eq!((breaker.state(), breaker.tally().late), (State::Open, 1));
    breaker.acquire(30 * SECOND).unwrap();
    assert_eq!(breaker.release(slow, Verdict::Failure, 31 * SECOND, 0, 0.0), None);
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn a_trial_that_says_nothing_gives_its_permit_back() {
    let mut breaker = opened(BreakerConfig::default());
    assert_eq!(call(&mut breaker, Verdict::Neither, 30 * SECOND), None);
    assert!(breaker.acquire(30 * SECOND).is_ok());
}

#[test]
fn a_trial_that_hangs_loses_its_permit_and_its_say() {
    let mut breaker = opened(BreakerConfig { lease: 5 * SECOND, ..BreakerConfig::default() });
    let (hung, _) = breaker.acquire(30 * SECOND).unwrap();
    assert_eq!(breaker.acquire(34 * SECOND).unwrap_err().retry_after, Some(SECOND));
    let (fresh, _) = breaker.acquire(35 * SECOND).unwrap();
    assert_eq!(breaker.release(hung, Verdict::Failure, 36 * SECOND, 0, 0.0), None);
    breaker.release(fresh, Verdict::Success, 36 * SECOND, 0, 0.0);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn the_open_time_grows_and_starts_anew_after_closing() {
    let config =
        BreakerConfig { open_growth: 2.0, open_cap: 100 * SECOND, ..BreakerConfig::default() };
    let mut breaker = opened(config);
    let mut now = 0;
    for wait in [30, 60, 100, 100] {
        assert!(breaker.acquire(now + wait * SECOND - 1).is_err());
        now += wait * SECOND;
        call(&mut breaker, Verdict::Failure, now);
    }
    now += 100 * SECOND;
    call(&mut breaker, Verdict::Success, now);
    call(&mut breaker, Verdict::Failure, now);
    assert!(breaker.acquire(now + 30 * SECOND).is_ok());
}

#[test]
fn rates_need_their_minimum_of_calls() {
    let config = BreakerConfig {
        failure_threshold: None,
        window: Some(Span::Calls(10)),
        minimum_calls: 4,
        ..BreakerConfig::default()
    };
    let mut breaker = machine(config);
    call(&mut breaker, Verdict::Failure, 0);
    call(&mut breaker, Verdict::Failure, 0);
    call(&mut breaker, Verdict::Success, 0);
    assert_eq!(breaker.state(), State::Closed);
    call(&mut breaker, Verdict::Success, 0);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn slow_successes_open_it_too() {
    let config = BreakerConfig {
        window: Some(Span::Calls(4)),
        minimum_calls: 2,
        slow_call: Some(SECOND),
        ..BreakerConfig::default()
    };
    let mut breaker = machine(config);
    for _ in 0..2 {
        let (permit, _) = breaker.acquire(0).unwrap();
        breaker.release(permit, Verdict::Success, 2 * SECOND, SECOND + 1, 0.0);
    }
    assert_eq!((breaker.state(), breaker.tally().slow), (State::Open, 2));
}

#[test]
fn a_learned_limit_bears_what_is_usual_but_not_an_outage() {
    let config = |adaptive| BreakerConfig {
        failure_threshold: None,
        window: Some(Span::Calls(20)),
        failure_rate: 0.4,
        adaptive,
        ..BreakerConfig::default()
    };
    // Every fourth call fails; then, for a while, every second one.
    let survives = |adaptive| {
        let mut breaker = machine(config(adaptive));
        (0..2000).for_each(|i| {
            call(&mut breaker, if i % 4 == 0 { Verdict::Failure } else { Verdict::Success }, 0);
        });
        for i in 0..20 {
            if breaker.state() == State::Closed {
                call(&mut breaker, if i % 2 == 0 { Verdict::Failure } else { Verdict::Success }, 0);
            }
        }
        let bore = breaker.state() == State::Closed;
        for _ in 0..20 {
            if breaker.state() == State::Closed {
                call(&mut breaker, Verdict::Failure, 0);
            }
        }
        (bore, breaker.state())
    };
    assert_eq!(survives(false), (false, State::Open));
    assert_eq!(survives(true), (true, State::Open));
}

#[test]
fn states_set_by_hand_stay() {
    let strict =
        || machine(BreakerConfig { failure_threshold: Some(1), ..BreakerConfig::default() });
    let mut disabled = strict();
    disabled.set(State::Disabled, 0);
    call(&mut disabled, Verdict::Failure, 0);
    assert_eq!(disabled.state(), State::Disabled);
    let mut watched = strict();
    watched.set(State::MetricsOnly, 0);
    call(&mut watched, Verdict::Failure, 0);
    assert_eq!((watched.state(), watched.tally().opened), (State::MetricsOnly, 1));
    let mut forced = strict();
    forced.set(State::ForcedOpen, 0);
    assert_eq!(forced.acquire(u64::MAX).unwrap_err().retry_after, None);
}

#[test]
fn a_new_configuration_keeps_what_is_counted() {
    let mut breaker = machine(BreakerConfig::default());
    for _ in 0..3 {
        call(&mut breaker, Verdict::Failure, 0);
    }
    let stricter = BreakerConfig { failure_threshold: Some(4), ..BreakerConfig::default() };
    breaker.configure(stricter).unwrap();
    call(&mut breaker, Verdict::Failure, 0);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn the_shared_breaker_counts_what_it_forgets() {
    let breaker = Breaker::new(BreakerConfig::default()).unwrap();
    let permit = breaker.pass().unwrap();
    assert!(breaker.forget(permit));
    assert_eq!(breaker.tally().successes, 1);
    breaker.release(permit, Verdict::Failure, 0, 0, 0.0);
    assert!(!breaker.forget(permit));
}
