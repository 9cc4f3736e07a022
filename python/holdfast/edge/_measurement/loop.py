"""The measuring loop: which requests are sent in which order, and when it is enough."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.edge._counters import counters
from holdfast.edge._errors import (
    DeviceConnectionError,
    DeviceError,
    DeviceRebootError,
    DeviceTimeoutError,
    InsufficientMemoryError,
)
from holdfast.edge._interrupt import check
from holdfast.edge._measurement.metrics import request_metrics
from holdfast.edge._measurement.own_process import CpuShare, memory_mb, pressure
from holdfast.edge._measurement.records import Generation
from holdfast.edge._measurement.stopping import StopRule
from holdfast.edge._measurement.warmup import warm_up_length
from holdfast.errors import HoldfastError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from holdfast.edge._backends.base import Backend, DeviceDescription
    from holdfast.edge._config import ProfilingConfig
    from holdfast.edge._guard import Guard
    from holdfast.edge._measurement.clock import Ping

_BUSY_PERCENT = 50.0
_PINGS_PER_REQUEST = 2
# After these nothing on the link can be trusted: it is opened anew before the next request.
_BREAKS = (DeviceConnectionError, DeviceTimeoutError, DeviceRebootError)


@dataclass
class Run:
    """What a measuring loop gathered, complete or not.

    `stopped` is `complete`, `converged`, `timeout`, `breaker`, `memory`, `failed`
    or `interrupted`.
    """

    records: list[Generation] = field(default_factory=list)
    pings: list[Ping] = field(default_factory=list)
    planned: int = 0
    stopped: str = "complete"
    failures: list[str] = field(default_factory=list)


def order_of_prompts(prompts: int, repetitions: int, seed: int) -> list[tuple[int, int]]:
    """(prompt, repetition) pairs: every prompt once per round, each round shuffled anew.

    Interleaving keeps drift of the machine from looking like a property of a prompt.
    """
    rng = random.Random(seed)  # noqa: S311 (an order, not a secret)
    out = []
    for repetition in range(repetitions):
        turn = list(range(prompts))
        rng.shuffle(turn)
        out += [(prompt, repetition) for prompt in turn]
    return out


def _longest(attempts: Sequence[Generation], cause: str) -> Generation:
    """Of attempts that failed the one that got furthest, marked as what it is."""
    out = max(attempts, key=lambda one: len(one.host_ns))
    out.status, out.cause = "partial" if out.host_ns else "failed", cause
    if out.host_ns:
        out.end_host_ns = max(out.end_host_ns, out.host_ns[-1])
    return out


class Measuring:
    """One run over one open device."""

    def __init__(
        self,
        backend: Backend,
        said: DeviceDescription,
        guard: Guard,
        config: ProfilingConfig,
        *,
        in_process: bool = False,
        recover: Callable[[], object] | None = None,
        progress: Callable[[int, int, Generation], object] | None = None,
        stop: Event | None = None,
    ) -> None:
        self._backend, self._said, self._guard, self._config = backend, said, guard, config
        self._in_process, self._progress, self._recover = in_process, progress, recover
        self._broken, self._stop_asked = False, stop
        self._cpu = CpuShare()
        self._began = time.monotonic()
        self.run = Run()

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _respect_limits(self) -> None:
        """Stay below what the profiler's own process may use.

        Raises
        ------
        InsufficientMemoryError
            When it uses more memory than allowed.
        """
        config = self._config
        if not config.memory_monitoring:
            return
        used = memory_mb()
        if (
            config.max_memory_mb is not None
            and used is not None
            and used > config.max_memory_mb
        ):
            raise InsufficientMemoryError(used, config.max_memory_mb, "profiling")
        # A device inside this process is what is being measured: slowing it would be a lie.
        if config.max_cpu_percent is not None and not self._in_process:
            rest = self._cpu.rest_needed(config.max_cpu_percent)
            if rest > 0:
                time.sleep(min(rest, 1.0))
            self._cpu.percent()

    def _ping(self) -> None:
        try:
            ping = self._backend.ping(self._config.operation_timeout)
        except DeviceError as error:
            self.run.failures.append(f"ping: {error}")
            return
        if ping is not None:
            self.run.pings.append(ping)

    def request(self, prompt: str, prompt_index: int, repetition: int) -> Generation:
        """One request under the guards; a failure is in the record, not raised.

        Raises
        ------
        HoldfastError
            Only when the guards refuse to send it.
        """
        config = self._config
        count = len(self.run.records)
        kept: list[Generation] = []

        def attempt() -> Generation:
            check()
            out = Generation(count, prompt, prompt_index, repetition, attempts=len(kept) + 1)
            kept.append(out)
            if self._broken and self._recover is not None and config.auto_recovery:
                self._recover()
                self._broken = False
                out.marks.append("reconnect")
            left = max(config.timeout_seconds - self._elapsed(), 0.001)
            try:
                self._backend.generate(
                    out, config.max_new_tokens, config.seed, min(config.operation_timeout, left)
                )
            except _BREAKS:
                self._broken = True
                raise
            return out

        counters.add("device_requests", self._backend.name)
        try:
            out = self._guard.call(attempt)
        except KeyboardInterrupt:
            if any(one.host_ns for one in kept):
                self._keep(_longest(kept, "interrupted"))
            raise
        except HoldfastError as error:
            if not kept:
                raise
            out = _longest(kept, str(error))
            if isinstance(error, TimeoutError):
                counters.add("profiling_timeouts", self._backend.name)
            self.run.failures.append(f"request {count}: {error}")
        busy = pressure()
        if busy is not None and busy > _BUSY_PERCENT and out.clock != "virtual":
            out.marks.append("contention")
        self._keep(out)
        return out

    def _keep(self, out: Generation) -> None:
        counters.add("device_tokens", self._backend.name, len(out.host_ns))
        self.run.records.append(out)

    def measure(self, prompts: Sequence[str]) -> Run:
        """Warm up, then send every prompt as often as settings and precision ask for."""
        config, run = self._config, self.run
        once = self._said.deterministic
        order = order_of_prompts(
            len(prompts), 1 if once else config.measurement_iterations, config.seed
        )
        run.planned = len(order)
        rule = StopRule(len(order), config.timeout_seconds, config.confidence_target)
        columns: dict[str, list[float]] = {"ttft_ms": [], "tpot_ms": []}
        prompts_of: dict[str, list[int]] = {name: [] for name in columns}
        try:
            for _ in range(0 if once else config.warmup_iterations):
                if self._elapsed() < config.timeout_seconds:
                    self.request(prompts[0], 0, -1).warm_up = True
            for done, (prompt, repetition) in enumerate(order, 1):
                self._respect_limits()
                for _ in range(0 if once else _PINGS_PER_REQUEST):
                    self._ping()
                out = self.request(prompts[prompt], prompt, repetition)
                if self._progress is not None:
                    self._progress(done, len(order), out)
                self._note(out, columns, prompts_of)
                if stop := self._stop(out, rule, columns, prompts_of, done):
                    run.stopped = stop
                    break
        except InsufficientMemoryError as error:
            run.stopped = "memory"
            run.failures.append(str(error))
        except RejectedError as error:
            run.stopped = "breaker"
            run.failures.append(str(error))
        self._mark_warm_up()
        return run

    @staticmethod
    def _note(
        out: Generation, columns: dict[str, list[float]], prompts: dict[str, list[int]]
    ) -> None:
        found = request_metrics(out)
        for name, column in columns.items():
            value = getattr(found, name)
            if value is not None:
                column.append(value)
                prompts[name].append(out.prompt_index)

    def _stop(
        self,
        out: Generation,
        rule: StopRule,
        columns: dict[str, list[float]],
        prompts: dict[str, list[int]],
        done: int,
    ) -> str | None:
        """Why to end here, or None."""
        if out.status == "failed" and not self._config.graceful_degradation:
            return "failed"
        if self._guard.is_open:
            return "breaker"
        if self._stop_asked is not None and self._stop_asked.is_set():
            return "interrupted"
        decided = rule.decide(columns, done, self._elapsed(), prompts)
        if decided == "converged":
            self.run.planned = done
        if decided == "timeout" and done == self.run.planned:
            return None
        return decided if decided in {"converged", "timeout"} else None

    def _mark_warm_up(self) -> None:
        """Leave out first requests that differ from the rest, beyond the declared ones."""
        if self._said.deterministic:
            return
        kept = [one for one in self.run.records if not one.warm_up]
        drop = 0
        for name in ("ttft_ms", "tpot_ms"):
            values = [getattr(request_metrics(one), name) for one in kept]
            if all(value is not None for value in values):
                drop = max(drop, warm_up_length(values))
        for one in kept[:drop]:
            one.warm_up = True
        self.run.planned = max(self.run.planned - drop, 0)
