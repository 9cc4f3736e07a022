from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from holdfast import _core
from holdfast.resilience._policy import Policy, name_of
from holdfast.resilience._policy import seconds as seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast._sources import Sample
    from holdfast.resilience._policy import Seconds


class Timeout(Policy):
    """Bound how long a call may take.

    The deadline travels with the call: calls inside see what is left of it, a retry does
    not wait past it, and holdfast's own kernels stop at it. An overrun always raises
    `DeadlineExceededError`, also when the call came back with a result after all.

    In a coroutine the call is cancelled at the deadline, as by `asyncio.timeout`.

    Parameters
    ----------
    seconds : float or timedelta
    name : str, optional

    Raises
    ------
    InvalidParameterError
        `seconds` is not greater than 0.
    """

    kind: ClassVar[str] = "timeout"

    def __init__(self, seconds: Seconds, *, name: str | None = None) -> None:
        name = name_of(self.kind, name)
        core = _core.TimeoutPolicy(name, seconds_of("seconds", seconds))
        super().__init__(name, core, {"seconds": seconds, "name": name})

    def configure(self, seconds: Seconds) -> None:
        """Change the limit for calls that begin from now on."""
        self._core.configure(seconds_of("seconds", seconds))
        self._options["seconds"] = seconds

    def samples(self) -> Iterable[Sample]:
        """Calls that took too long."""
        totals = {"exceeded": float(self._core.exceeded)}
        return self._totals("timeouts", "Calls that took too long", totals)
