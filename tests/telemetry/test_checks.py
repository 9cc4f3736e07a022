import json
import os
import threading
import time

import pytest

from holdfast import _events
from holdfast.errors import InvalidParameterError
from holdfast.telemetry import Check, HealthChecks, HealthStatus

HEALTHY, UNHEALTHY = HealthStatus.HEALTHY, HealthStatus.UNHEALTHY


@pytest.fixture
def checks():
    return HealthChecks()


def failing():
    raise OSError("no route")


@pytest.mark.parametrize(
    ("probe", "status", "message"),
    [
        (lambda: True, "healthy", ""),
        (lambda: None, "healthy", ""),
        (lambda: False, "unhealthy", ""),
        (lambda: "degraded", "degraded", ""),
        (lambda: (HealthStatus.DEGRADED, "slow"), "degraded", "slow"),
        (lambda: 17, "unhealthy", "the probe must return a status, got 17"),
        (failing, "unhealthy", "OSError: no route"),
    ],
)
def test_what_a_probe_returns_is_its_status(checks, probe, status, message):
    checks.add(Check("it", probe))
    found = checks.run()["it"]
    assert (found.status.value, found.message) == (status, message)


def test_a_probe_that_hangs_fails_at_its_deadline_and_is_not_called_twice(checks):
    calls, release = [], threading.Event()

    def hang():
        calls.append(1)
        release.wait(10)

    checks.add(Check("it", hang, deadline=0.01))
    assert checks.run()["it"].message == "no answer within 0.01 s"
    assert checks.run(["it"])["it"].status is UNHEALTHY
    release.set()
    assert len(calls) == 1
    call = checks._known("it")._call  # noqa: SLF001
    assert call.done.wait(5)
    assert checks.run(["it"])["it"].status is HEALTHY


def test_checks_run_side_by_side(checks):
    barrier = threading.Barrier(3)
    for name in "abc":
        checks.add(Check(name, lambda: barrier.wait(5) >= 0, deadline=5))
    assert {result.status for result in checks.run().values()} == {HEALTHY}


def test_an_answer_is_good_for_its_time_to_live(checks):
    calls = []
    checks.add(Check("it", lambda: calls.append(1), ttl=60))
    checks.run()
    assert checks.run() == {}
    assert len(calls) == 1
    assert len(checks.run(["it"])) == 1
    assert len(checks.history("it")) == 2


def test_a_clock_that_is_set_back_keeps_no_check_waiting(checks, monkeypatch):
    calls = []
    checks.add(Check("it", lambda: calls.append(1), ttl=1e-9))
    wall = time.time()
    checks.run()
    monkeypatch.setattr(time, "time", lambda: wall - 3600)
    assert list(checks.run()) == ["it"]
    assert checks.answer("ready")["checks"]["it"]["age_seconds"] == 0


def test_it_takes_several_answers_in_a_row_to_change_sides(checks):
    answers = iter([False, True, False, False, True, False, True, True])
    checks.add(Check("it", lambda: next(answers), failures=2, successes=2))
    found = [checks.run(["it"])["it"].status is HEALTHY for _ in range(8)]
    assert found == [True, True, True, False, False, False, False, True]


def test_a_remedy_is_called_once_a_fall_and_may_fail(checks, caplog):
    seen = []
    answers = iter([False, False, True, False])

    def remedy(result):
        seen.append(result.name)
        raise RuntimeError("cannot help")

    checks.add(Check("it", lambda: next(answers), remedy=remedy))
    for _ in range(4):
        checks.run(["it"])
    assert seen == ["it", "it"]
    assert "cannot help" in caplog.text


def test_criticality_decides_between_degraded_and_unhealthy(checks):
    checks.add(Check("cache", lambda: False, critical=False, probes=("live", "ready")))
    assert checks.answer("ready")["status"] == "degraded"
    checks.add(Check("database", lambda: False, probes=("ready",)))
    assert checks.answer("ready")["status"] == "unhealthy"
    assert checks.answer("live")["status"] == "degraded"
    assert checks.remove("database")
    assert checks.answer("detailed")["checks"].keys() == {"cache"}


def test_an_answer_shows_its_age(checks):
    checks.add(Check("it", lambda: (True, "fine"), ttl=5))
    at = checks.run()["it"].checked_at
    good, body = checks.board.render("detailed", at + 7)
    shown = json.loads(body)["checks"]["it"]
    assert good
    assert shown["age_seconds"] == pytest.approx(7, abs=1e-3)
    assert (shown["stale"], shown["message"]) == (True, "fine")


def test_changes_are_events(checks):
    events = []
    stop = _events.subscribe(events.append)
    try:
        answers = iter([True, False, False])
        checks.add(Check("it", lambda: next(answers)))
        for _ in range(3):
            checks.run(["it"])
    finally:
        stop()
    assert [(e.kind, e.attributes["status"]) for e in events] == [
        ("check.changed", "unhealthy")
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Check("", bool), "name must be a non-empty str, got ''"),
        (lambda: Check("a", bool, ttl=0), "ttl must be a finite number > 0, got 0"),
        (lambda: Check("a", bool, deadline=-1), "deadline must be a finite number > 0, got -1"),
        (lambda: Check("a", bool, failures=0), "failures must be an integer >= 1, got 0"),
        (lambda: Check("a", bool, probes=("startup",)), "probes must be"),
        (lambda: HealthChecks(0), "tolerance must be a finite number > 0, got 0"),
        (lambda: HealthChecks().run(["a"]), "name must be one of"),
        (lambda: HealthChecks().answer("all"), "probe must be"),
    ],
)
def test_wrong_parameters_are_refused(wrong, message):
    with pytest.raises(InvalidParameterError, match=message):
        wrong()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_asks_again_what_was_being_asked():
    come_back = threading.Event()
    parent = os.getpid()
    checks = HealthChecks()

    def probe():
        return os.getpid() != parent or come_back.wait(60)

    check = checks.add(Check("slow", probe, deadline=0.01))
    assert checks.run()["slow"].status is HealthStatus.UNHEALTHY
    child = os.fork()
    if not child:
        check.deadline = 60
        healthy = checks.run(["slow"])["slow"].message == ""
        os._exit(not healthy)
    come_back.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
