"""Probes of what this process needs, asked with a deadline and answered from memory."""

from __future__ import annotations

import enum
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast import _events
from holdfast._core import HealthBoard, Registry
from holdfast.errors import InvalidParameterError
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._fork import Locked
from holdfast.telemetry._logs.own_log import logger
from holdfast.telemetry._series.catalogue_names import declare
from holdfast.telemetry._series.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PROBES = ("live", "ready")
_ANSWERS = ("summary", "live", "ready", "detailed")
_HISTORY = 100


class HealthStatus(str, enum.Enum):
    """How something is."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Attributes
    ----------
    checked_at : float
        Seconds since 1970.
    took_seconds : float
        How long the probe took, or was waited for.
    """

    name: str
    status: HealthStatus
    message: str
    checked_at: float
    took_seconds: float


class Check:
    """A named probe.

    Parameters
    ----------
    name : str
        Shown in answers.
    probe : callable
        Called without arguments. True or None: healthy; False: unhealthy; a `HealthStatus`,
        or a pair of status and message, as it says; an exception: unhealthy, with its text.
    probes : sequence of str
        Which questions it answers: `live` (restart me otherwise), `ready` (send no work
        otherwise). Every check is in the detailed answer.
    critical : bool
        Whether its failure makes everything unhealthy, or only degraded.
    ttl : float
        Seconds for which an answer is good; later it is asked again, and shown as stale.
    deadline : float
        Seconds after which the probe counts as failed. Its thread cannot be stopped: it is
        left alone, and the probe is not called again before it has returned.
    failures, successes : int
        How many in a row make it unhealthy, and healthy again.
    remedy : callable, optional
        Called with the `CheckResult` when it has become unhealthy.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], object],
        *,
        probes: Sequence[str] = ("ready",),
        critical: bool = True,
        ttl: float = 10.0,
        deadline: float = 1.0,
        failures: int = 1,
        successes: int = 1,
        remedy: Callable[[CheckResult], object] | None = None,
    ) -> None:
        parameters.text("name", name)
        parameters.hook("probe", probe)
        if not set(parameters.names("probes", probes)) <= set(_PROBES):
            parameters.refuse("probes", "a sequence of 'live' and 'ready'", probes)
        parameters.flag("critical", critical)
        for parameter, value in (("ttl", ttl), ("deadline", deadline)):
            parameters.real(parameter, value, above=0)
        for parameter, times in (("failures", failures), ("successes", successes)):
            parameters.count(parameter, times)
        parameters.hook("remedy", remedy, optional=True)
        self.name, self.probe, self.probes = name, probe, tuple(probes)
        self.critical, self.ttl, self.deadline = critical, ttl, deadline
        self.failures, self.successes, self.remedy = failures, successes, remedy
        self.history: deque[CheckResult] = deque(maxlen=_HISTORY)
        self._status = HealthStatus.HEALTHY
        self._against = 0
        self._call: _Call | None = None
        self._asked: float | None = None
        self.failure: str | None = None

    def due(self) -> bool:
        """Whether the last answer is older than `ttl`, by a clock that is never set."""
        return self._asked is None or time.monotonic() - self._asked >= self.ttl

    def begin(self) -> None:
        """Call the probe in a thread, unless it has not come back from the last time."""
        if self._call is None or self._call.done.is_set():
            self._call = _Call(self.probe)

    def forget(self) -> None:
        """In a forked child, where the thread of a call in progress is not."""
        self._call = None

    def end(self, now: float) -> CheckResult:
        """Wait for the answer, at most until the deadline; `now` stamps it.

        Raises
        ------
        RuntimeError
            The check has not begun.
        """
        call = self._call
        if call is None:
            raise RuntimeError(f"check {self.name!r} has not begun")
        left = call.started + self.deadline - time.monotonic()
        if call.done.wait(max(left, 0.0)):
            found, message = _read(call)
            took = call.took
            raised = call.error is not None
            failed = "exception" if raised else "unhealthy"
            self.failure = failed if found is HealthStatus.UNHEALTHY else None
        else:
            found, self.failure = HealthStatus.UNHEALTHY, "timeout"
            message = f"no answer within {self.deadline:g} s"
            took = time.monotonic() - call.started
        result = CheckResult(self.name, self._settle(found), message, now, took)
        self.history.append(result)
        self._asked = time.monotonic()
        return result

    def _settle(self, found: HealthStatus) -> HealthStatus:
        """Change sides only after enough answers in a row."""
        unhealthy = self._status is HealthStatus.UNHEALTHY
        if (found is HealthStatus.UNHEALTHY) == unhealthy:
            self._status, self._against = found, 0
            return found
        self._against += 1
        if self._against >= (self.successes if unhealthy else self.failures):
            self._status, self._against = found, 0
        return self._status


class _Call:
    def __init__(self, probe: Callable[[], object]) -> None:
        self.done = threading.Event()
        self.answer: object = None
        self.error: BaseException | None = None
        self.started = time.monotonic()
        self.took = 0.0
        threading.Thread(
            target=self._run, args=(probe,), name="holdfast-check", daemon=True
        ).start()

    def _run(self, probe: Callable[[], object]) -> None:
        try:
            self.answer = probe()
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is the answer)
            self.error = error
        self.took = time.monotonic() - self.started
        self.done.set()


def _read(call: _Call) -> tuple[HealthStatus, str]:
    answer, message = call.answer, ""
    if call.error is not None:
        return HealthStatus.UNHEALTHY, f"{type(call.error).__name__}: {call.error}"
    if isinstance(answer, tuple) and len(answer) == 2:  # noqa: PLR2004 (status and message)
        answer, message = answer[0], str(answer[1])
    if answer is None or answer is True:
        return HealthStatus.HEALTHY, message
    if answer is False:
        return HealthStatus.UNHEALTHY, message
    try:
        return HealthStatus(answer), message
    except ValueError:
        return HealthStatus.UNHEALTHY, f"the probe must return a status, got {answer!r}"


class HealthChecks(Locked):
    """The checks of a process and what they last found.

    Parameters
    ----------
    tolerance : float
        Seconds for which whoever runs the checks may be silent before the process counts as
        not alive. It counts once the checks run by themselves (`serve`).
    registry : Registry, optional
        Where `health_check_duration_seconds` and `health_check_failures_total` are counted;
        by default nowhere. The checks of the process are counted in its registry.

    Raises
    ------
    InvalidParameterError
        `tolerance` is not above 0.
    """

    def __init__(self, tolerance: float = 60.0, *, registry: Registry | None = None) -> None:
        super().__init__()
        parameters.instance("registry", registry, Registry, optional=True)
        self._registry = registry
        self.board = HealthBoard(parameters.real("tolerance", tolerance, above=0))
        self._checks: dict[str, Check] = {}

    def renew(self) -> None:
        """Take a new lock, and wait for no call that a fork left behind."""
        super().renew()
        for check in self._checks.values():
            check.forget()

    def add(self, check: Check) -> Check:
        """Ask `check` from now on; it replaces one of the same name.

        Raises
        ------
        InvalidParameterError
            `check` is no Check.
        """
        parameters.instance("check", check, Check)
        with self._lock:
            self._checks[check.name] = check
            self.board.declare(
                check.name,
                "live" in check.probes,
                "ready" in check.probes,
                check.critical,
                check.ttl,
            )
        return check

    def remove(self, name: str) -> bool:
        """Ask a check no longer; False when there was none."""
        with self._lock:
            self._checks.pop(name, None)
            return self.board.remove(name)

    def run(self, names: Sequence[str] | None = None) -> dict[str, CheckResult]:
        """Ask the named checks, by default those whose answer is old, all at the same time.

        Raises
        ------
        InvalidParameterError
            A name is not that of a check.
        """
        if names is not None:
            names = parameters.names("names", names)
        with self._lock:
            if names is None:
                chosen = [check for check in self._checks.values() if check.due()]
            else:
                chosen = [self._known(name) for name in names]
            for check in chosen:
                check.begin()
            return {check.name: self._end(check) for check in chosen}

    def beat(self) -> None:
        """Tell that whoever runs the checks is at work."""
        self.board.beat(time.time())

    def history(self, name: str) -> list[CheckResult]:
        """The last answers of a check, oldest first.

        Raises
        ------
        InvalidParameterError
            There is no check of this name.
        """
        return list(self._known(name).history)

    def last(self) -> dict[str, CheckResult]:
        """The last answer of every check that has given one."""
        with self._lock:
            return {name: c.history[-1] for name, c in self._checks.items() if c.history}

    def standing(self) -> dict[str, tuple[str, bool]]:
        """The last status of every check that has one, and whether it is critical."""
        with self._lock:
            asked = [check for check in self._checks.values() if check.history]
            return {c.name: (c.history[-1].status.value, c.critical) for c in asked}

    def answer(self, probe: str = "detailed") -> dict[str, Any]:
        """What the endpoint answers, after asking the checks whose answer is old.

        Parameters
        ----------
        probe : str
            `summary`, `live`, `ready` or `detailed`.

        Raises
        ------
        InvalidParameterError
            `probe` is none of them.
        """
        if probe not in _ANSWERS:
            parameters.refuse("probe", f"one of {', '.join(_ANSWERS)}", probe)
        self.run()
        import json  # a probe over HTTP is answered without

        answer: dict[str, Any] = json.loads(self.board.render(probe, time.time())[1])
        return answer

    def _known(self, name: str) -> Check:
        check = self._checks.get(name)
        if check is None:
            raise InvalidParameterError(
                f"name must be one of {sorted(self._checks)}, got {name!r}"
            )
        return check

    def _end(self, check: Check) -> CheckResult:
        before = check.history[-1].status if check.history else HealthStatus.HEALTHY
        result = check.end(time.time())
        self.board.report(
            check.name,
            result.status.value,
            result.message,
            result.checked_at,
            result.took_seconds,
        )
        if self._registry is not None:
            took = declare(self._registry, "health_check_duration_seconds")
            took.labels(check.name, result.status.value).observe(result.took_seconds)
            if check.failure is not None:
                failures = declare(self._registry, "health_check_failures_total")
                failures.labels(check.name, check.failure).inc()
        if result.status is not before and _events.listening():
            facts = {"status": result.status.value, "message": result.message}
            _events.tell(_events.Event("check.changed", check.name, facts))
        fell = result.status is HealthStatus.UNHEALTHY and before is not HealthStatus.UNHEALTHY
        if fell and check.remedy is not None:
            try:
                check.remedy(result)
            except Exception:  # noqa: BLE001 (it is logged)
                logger().exception("the remedy of check %s failed", check.name)
        return result


_health = HealthChecks(registry=get_registry())


def get_health() -> HealthChecks:
    """The checks of this process."""
    return _health


def add_check(
    name: str,
    probe: Callable[[], object],
    *,
    probes: Sequence[str] = ("ready",),
    critical: bool = True,
    ttl: float = 10.0,
    deadline: float = 1.0,
    failures: int = 1,
    successes: int = 1,
    remedy: Callable[[CheckResult], object] | None = None,
) -> Check:
    """Add a check to those of this process. Parameters as of `Check`."""
    return _health.add(
        Check(
            name,
            probe,
            probes=probes,
            critical=critical,
            ttl=ttl,
            deadline=deadline,
            failures=failures,
            successes=successes,
            remedy=remedy,
        )
    )
