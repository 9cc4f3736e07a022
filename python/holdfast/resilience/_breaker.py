from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast import _core
from holdfast.errors import InvalidParameterError
from holdfast.resilience._config import CircuitBreakerConfig, CircuitState
from holdfast.resilience._policy import Policy, count, hook, kinds, name_of, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast._sources import Sample
    from holdfast.resilience._policy import Clock, Kinds, Seconds

_STATES = {"closed": 0.0, "half_open": 1.0, "open": 2.0, "forced_open": 2.0}


def _options(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters in the core's units."""
    core = dict(parameters)
    threshold = core["failure_threshold"]
    core["failure_threshold"] = threshold and count("failure_threshold", threshold)
    if threshold == 0:
        raise InvalidParameterError("failure_threshold must be at least 1 or None, got 0")
    window = core.pop("window")
    if isinstance(window, timedelta):
        core["window_seconds"] = window.total_seconds()
    elif window is not None:
        core["window"] = count("window", window)
    for name in ("minimum_calls", "half_open_permits", "success_threshold"):
        core[name] = count(name, core[name])
    for name in ("open_time", "max_open_time", "lease", "slow_call"):
        if core[name] is not None:
            core[name] = seconds(name, core[name])
    if core["max_open_time"] is None:
        growing = core["open_growth"] > 1.0
        core["max_open_time"] = core["open_time"] * (20 if growing else 1)
    return core


def _from(config: CircuitBreakerConfig) -> dict[str, Any]:
    options: dict[str, Any] = {
        "failure_threshold": config.failure_threshold,
        "open_time": config.timeout_seconds,
        "success_threshold": config.success_threshold,
        "half_open_permits": config.success_threshold,
        "success_takes_one": config.gradual,
    }
    if not config.gradual:
        options["window"] = timedelta(seconds=config.monitor_window_seconds)
        options["failure_rate"] = config.failure_rate_threshold
        options["minimum_calls"] = max(10, 2 * config.failure_threshold)
    return options


class CircuitBreaker(Policy):
    """Stop calling what keeps failing (Nygard, "Release It!", 2007).

    Closed, calls pass. When one of the rules below is met it opens and refuses calls with
    `CircuitOpenError`; after `open_time` it is half-open and lets `half_open_permits`
    trial calls through at a time. `success_threshold` successful trials close it, one
    failed trial opens it again. A verdict on a call that was let through in an earlier
    state is counted and moves nothing. Cancelled calls, and calls that another guard
    refused, are neither success nor failure.

    Share one breaker between the functions that call one dependency. No lock is held
    while a call is made.

    Parameters
    ----------
    name : str, optional
    config : CircuitBreakerConfig, optional
        Instead of the parameters below. `CircuitBreaker(config)` works as well.
    failure_threshold : int or None, default 5
        Failures in a row that open it.
    success_takes_one : bool, default False
        A success takes one failure back instead of all.
    window : int or timedelta, optional
        The last calls, or the last seconds, over which the rates are taken.
    failure_rate, minimum_calls : float and int, default 0.5 and 10
        The share of failures that opens it, of at least so many calls.
    slow_call, slow_rate : seconds or timedelta, and float, default None and 1.0
        A call that takes longer is slow; the share of slow calls that opens it.
    adaptive : bool, default False
        Learn the failure rate of quiet times, and open only three standard errors above
        it where that is more than `failure_rate`; at most at 0.95.
    open_time : seconds or timedelta, default 30
        How long it stays open.
    open_growth, max_open_time, open_jitter : default 1.0, 20 open times, 0.0
        Each opening in a row is longer by the factor, up to the maximum; chance takes off
        up to this share.
    half_open_permits, success_threshold : int, default 1 and 1
        Trials at a time, and successful ones that close it.
    lease : seconds or timedelta, default 60
        A trial that takes longer gives its permit to another and loses its say.
    on, ignore : exception class or classes, default Exception and none
        What counts as a failure, and what of that does not.
    fail_if : callable, optional
        Given the result, whether it counts as a failure.
    clock : {"coarse", "precise"} or VirtualClock, default "coarse"

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    kind: ClassVar[str] = "breaker"

    def __init__(
        self,
        name: str | CircuitBreakerConfig | None = None,
        config: CircuitBreakerConfig | None = None,
        *,
        failure_threshold: int | None = 5,
        success_takes_one: bool = False,
        window: int | timedelta | None = None,
        failure_rate: float = 0.5,
        minimum_calls: int = 10,
        slow_call: Seconds | None = None,
        slow_rate: float = 1.0,
        adaptive: bool = False,
        open_time: Seconds = 30.0,
        open_growth: float = 1.0,
        max_open_time: Seconds | None = None,
        open_jitter: float = 0.0,
        half_open_permits: int = 1,
        success_threshold: int = 1,
        lease: Seconds = 60.0,
        on: Kinds = Exception,
        ignore: Kinds = (),
        fail_if: Callable[[Any], bool] | None = None,
        clock: Clock = "coarse",
    ) -> None:
        parameters: dict[str, Any] = {
            "failure_threshold": failure_threshold,
            "success_takes_one": success_takes_one,
            "window": window,
            "failure_rate": failure_rate,
            "minimum_calls": minimum_calls,
            "slow_call": slow_call,
            "slow_rate": slow_rate,
            "adaptive": adaptive,
            "open_time": open_time,
            "open_growth": open_growth,
            "max_open_time": max_open_time,
            "open_jitter": open_jitter,
            "half_open_permits": half_open_permits,
            "success_threshold": success_threshold,
            "lease": lease,
        }
        if isinstance(name, CircuitBreakerConfig):
            name, config = None, name
        if config is not None:
            parameters.update(_from(config))
            on = config.expected_exception
        self.config = config
        self._parameters = parameters
        name = name_of(self.kind, name)
        core = _core.BreakerPolicy(
            name,
            _options(parameters),
            kinds("on", on),
            kinds("ignore", ignore) or None,
            hook("fail_if", fail_if),
            clock,
        )
        options = {"name": name, **parameters, "on": on, "ignore": ignore, "fail_if": fail_if}
        super().__init__(name, core, {**options, "clock": clock})

    def configure(self, **parameters: Any) -> None:
        """Change parameters in use; the state and what is counted stay."""
        unknown = set(parameters) - set(self._parameters)
        if unknown:
            raise InvalidParameterError(
                f"parameters must be among {', '.join(self._parameters)}, got {min(unknown)}"
            )
        changed = {**self._parameters, **parameters}
        self._core.configure(_options(changed))
        self._parameters = changed
        self._options = {**self._options, **parameters}

    @property
    def state(self) -> CircuitState:
        """The state as of the last call; looking never changes it."""
        return CircuitState(self._core.state)

    @property
    def open_time(self) -> float:
        """Seconds it stays open the first time."""
        lasts: Seconds = self._parameters["open_time"]
        return seconds("open_time", lasts)

    @property
    def failure_count(self) -> int:
        """Failures in a row, or what successes left of them."""
        return int(self._core.counts()[0])

    @property
    def success_count(self) -> int:
        """Successful trials since it became half-open."""
        return int(self._core.counts()[1])

    @property
    def last_failure_time(self) -> datetime | None:
        """When the last failure was, in UTC."""
        return _ago(self._core.counts()[2])

    @property
    def state_changed_time(self) -> datetime | None:
        """When the state changed last, in UTC; None if it never did."""
        return _ago(self._core.counts()[3])

    @property
    def rates(self) -> tuple[int, int, int] | None:
        """Calls, failures and slow calls in the window, if there is one."""
        rates: tuple[int, int, int] | None = self._core.rates()
        return rates

    def reset(self) -> None:
        """Close it and forget what was counted."""
        self._core.set("closed")

    def force_open(self) -> None:
        """Refuse every call until `reset`."""
        self._core.set("forced_open")

    def disable(self) -> None:
        """Let every call through, uncounted, until `reset`."""
        self._core.set("disabled")

    def metrics_only(self) -> None:
        """Let every call through, counted, until `reset`: a dry run."""
        self._core.set("metrics_only")

    def get_status(self) -> dict[str, Any]:
        """Name, state, counts and times as plain values."""
        failures, successes, failed, changed = self._core.counts()
        rates = self._core.rates()
        last, change = _ago(failed), _ago(changed)
        return {
            "name": self.name,
            "state": str(self._core.state),
            "failure_count": failures,
            "success_count": successes,
            "last_failure_time": last and last.isoformat(),
            "state_changed_time": change and change.isoformat(),
            "failures_in_window": rates[1] if rates else failures,
        }

    def samples(self) -> Iterable[Sample]:
        """Calls by outcome, openings and the state."""
        names = ("success", "failure", "slow", "neither", "refused", "late", "opened")
        totals = dict(zip(names, self._core.tally(), strict=True))
        opened = totals.pop("opened")
        yield from self._totals("breaker_calls", "Calls through a breaker", totals)
        yield from self._totals("breaker_transitions", "Openings", {"opened": opened})
        state = _STATES.get(self._core.state, 0.0)
        yield self._gauge("breaker_state", "0 closed, 1 half-open, 2 open", state)


def _ago(passed: float | None) -> datetime | None:
    if passed is None:
        return None
    return datetime.fromtimestamp(time.time() - passed, timezone.utc)
