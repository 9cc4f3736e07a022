"""Every call to a device runs under this: retries, a breaker, a limit on its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.edge._counters import counters
from holdfast.edge._errors import (
    DeviceConnectionError,
    DeviceError,
    DeviceRebootError,
    DeviceTimeoutError,
    ProtocolError,
    UnknownProtocolError,
)
from holdfast.errors import RejectedError
from holdfast.resilience import CircuitBreaker, Pipeline, Retry, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.edge._config import ProfilingConfig

T = TypeVar("T")

# What may pass by itself. A refusal by the device, or bad input, does not.
PASSING = (DeviceConnectionError, DeviceTimeoutError, ProtocolError, DeviceRebootError)
_SLACK_SECONDS = 5.0


class Guard:
    """The pipeline of one device.

    Attributes
    ----------
    breaker : CircuitBreaker
        Named after platform and device: two boards of one kind do not share it.
    """

    def __init__(self, name: str, config: ProfilingConfig) -> None:
        self.name = name
        # Failures in a row and nothing else: a share of failures would open it earlier than
        # the settings say.
        self.breaker = CircuitBreaker(
            f"device_{name}",
            failure_threshold=config.failure_threshold,
            open_time=config.circuit_timeout,
            on=DeviceError,
            # Who is there but cannot be understood will not be understood after a rest either.
            ignore=UnknownProtocolError,
        )
        self.last_error: DeviceError | None = None
        self.retry = Retry(
            config.max_retries + 1,
            on=PASSING,
            retry_if=lambda error: not isinstance(error, UnknownProtocolError),
            base_delay=config.retry_delay,
            max_delay=max(config.retry_delay, 30.0),
            jitter=0.1,
            name=f"device_{name}",
        )
        # Each call bounds itself and keeps what came; this one catches what does not.
        limit = Timeout(config.operation_timeout + _SLACK_SECONDS, name=f"device_{name}")
        self._pipeline = Pipeline(self.retry, self.breaker, limit, name=f"device_{name}")
        self._untimed = Pipeline(self.retry, self.breaker, name=f"device_{name}_untimed")
        self._counted_open = False

    def call(self, function: Callable[[], T], *, timed: bool = True) -> T:
        """Call `function` under the guards; `timed` False for what bounds itself by size.

        Raises
        ------
        CircuitOpenError
            When the breaker is open, with what the device last failed of.
        """

        def noted() -> T:
            try:
                return function()
            except DeviceError as error:
                self.last_error = error
                raise

        try:
            guarded: Callable[[], T] = (self._pipeline if timed else self._untimed)(noted)
            return guarded()
        except RejectedError as error:
            if self.last_error is not None and error.args:
                said = f"{error.args[0]}; the last failure: {self.last_error}"
                error.args = (said, *error.args[1:])
            raise
        finally:
            self._count()

    def _count(self) -> None:
        is_open = self.is_open
        if is_open != self._counted_open:
            self._counted_open = is_open
            counters.add("circuit_breaker_open", self.name, 1 if is_open else -1)

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now."""
        return self.breaker.state.value in {"open", "forced_open"}

    def status(self) -> dict[str, Any]:
        """State and counts of the breaker."""
        status: dict[str, Any] = self.breaker.get_status()
        return status

    def reset(self) -> None:
        """Close the breaker and forget the failures."""
        self.breaker.reset()
        self.last_error = None
        self._count()
