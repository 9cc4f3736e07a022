from __future__ import annotations

from holdfast import _core
from holdfast.errors._parameters import count, flag, hook, kinds, real, refuse, seconds
from holdfast.resilience._enums import CircuitState
from holdfast.resilience._guard import Guard
from holdfast.resilience._policy import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta
    from typing import Any, ClassVar

    from holdfast._sources import Sample
    from holdfast.errors._parameters import Clock, Kinds, Seconds
    from holdfast.resilience._config import CircuitBreakerConfig

_STATES = {"closed": 0.0, "half_open": 1.0, "open": 2.0, "forced_open": 2.0}


_CALLS = 1 << 20  # the longest window of calls


def _window(window: int | timedelta) -> tuple[str, float]:
    """How the core calls it."""
    if hasattr(window, "total_seconds"):
        return "window_seconds", seconds("window", window, zero=False)
    if isinstance(window, float):
        refuse("window", "a number of calls or a timedelta", window)
    return "window", count("window", window, most=_CALLS)


def _options(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters in the core's units."""
    core = dict(parameters)
    threshold, window = core["failure_threshold"], core.pop("window")
    if threshold is None and window is None:
        refuse("failure_threshold", "given, or window", None)
    if threshold is not None:
        core["failure_threshold"] = count("failure_threshold", threshold)
    if window is not None:
        name, core[name] = _window(window)
    for name in ("minimum_calls", "half_open_permits", "success_threshold"):
        core[name] = count(name, core[name])
    for name in ("success_takes_one", "adaptive"):
        core[name] = flag(name, core[name])
    for name in ("failure_rate", "slow_rate"):
        core[name] = real(name, core[name], above=0, most=1)
    core["open_growth"] = real("open_growth", core["open_growth"], least=1)
    core["open_jitter"] = real("open_jitter", core["open_jitter"], least=0, most=1)
    if core["slow_call"] is not None:
        core["slow_call"] = seconds("slow_call", core["slow_call"], zero=False)
    for name in ("open_time", "lease"):
        core[name] = seconds(name, core[name], zero=False)
    if core["max_open_time"] is None:
        core["max_open_time"] = core["open_time"] * (20 if core["open_growth"] > 1.0 else 1)
    core["max_open_time"] = seconds("max_open_time", core["max_open_time"], zero=False)
    return core


class CircuitBreaker(Guard):
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
        if not isinstance(name, str):
            name, config = None, config if name is None else name
        if config is not None:
            from holdfast.resilience._config import CircuitBreakerConfig

            if not isinstance(config, CircuitBreakerConfig):
                rule = "a str and a CircuitBreakerConfig, or one of them"
                refuse("name and config", rule, config)
            parameters.update(config.parameters())
            on = config.expected_exception
        self.config = config
        self._parameters = parameters
        # The last failure when it was dated by hand, and the date.
        self._dated: tuple[datetime | None, datetime | None] | None = None
        name = name_of(self.kind, name)
        on, ignore = kinds("on", on), kinds("ignore", ignore, least=0)
        core = _core.BreakerPolicy(
            name,
            _options(parameters),
            on,
            ignore or None,
            hook("fail_if", fail_if, optional=True),
            clock,
        )
        options = {"name": name, **parameters, "on": on, "ignore": ignore, "fail_if": fail_if}
        super().__init__(name, core, {**options, "clock": clock})

    def configure(self, **parameters: Any) -> None:
        """Change parameters in use; the state and what is counted stay.

        Raises
        ------
        InvalidParameterError
            A parameter is unknown or outside its domain; nothing is changed then.
        """
        if self.config is not None:
            parameters = self.config.spelt(parameters)
        for name in parameters:
            if name not in self._parameters:
                refuse("parameters", f"among {', '.join(self._parameters)}", name)
        changed = {**self._parameters, **parameters}
        self._core.configure(_options(changed))
        self._parameters = changed
        self._options = {**self._options, **parameters}
        if self.config is not None:
            self.config = self.config.changed(changed)

    @property
    def state(self) -> CircuitState:
        """The state as of the last call; looking never changes it."""
        return CircuitState(self._core.state)

    @state.setter
    def state(self, state: CircuitState | str) -> None:
        """Set it by hand: open lasts the usual time from now, closed forgets the failures."""
        self._core.set(CircuitState(state).value)

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
        failed = self._core.counts()[2]
        own = None if failed is None else _utc(failed)
        return own if self._dated is None or self._dated[0] != own else self._dated[1]

    @last_failure_time.setter
    def last_failure_time(self, moment: datetime | None) -> None:
        """Date it by hand: an open breaker whose time is over by that lets a trial through."""
        failed = self._core.counts()[2]
        self._dated = None if failed is None else _utc(failed), moment
        if moment is None or self.state is not CircuitState.OPEN:
            return
        from datetime import datetime

        if (datetime.now(moment.tzinfo) - moment).total_seconds() >= self.open_time:
            self.state = CircuitState.HALF_OPEN

    @property
    def state_changed_time(self) -> datetime:
        """When the state changed last, in UTC; at first, when the breaker was made."""
        return _utc(self._core.counts()[3])

    @property
    def failure_history(self) -> list[datetime]:
        """When the failures that `failure_count` counts were, at most the last 100, in UTC."""
        return [_utc(moment) for moment in self._core.history()]

    @property
    def logger(self) -> logging.Logger:
        """Where hooks that fail are logged."""
        import logging

        return logging.getLogger("holdfast.resilience")

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

    def _execute_protected(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call `function` under guard, as test-suites of older scripts do."""
        return self(function)(*args, **kwargs)

    def get_status(self) -> dict[str, Any]:
        """Name, state, counts and times as plain values."""
        failures, successes, failed, changed = self._core.counts()
        rates = self._core.rates()
        last = None if failed is None else _utc(failed).isoformat()
        return {
            "name": self.name,
            "state": str(self._core.state),
            "failure_count": failures,
            "success_count": successes,
            "last_failure_time": last,
            "state_changed_time": _utc(changed).isoformat(),
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


def _utc(moment: float) -> datetime:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(moment, timezone.utc)
