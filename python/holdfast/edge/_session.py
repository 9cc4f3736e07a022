"""One profile from the first request to the filled result."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.edge._errors import EdgeError, ProfilingError, ProfilingTimeoutError
from holdfast.edge._measurement.clock import fit_clock
from holdfast.edge._measurement.loop import Measuring
from holdfast.edge._measurement.metrics import request_metrics
from holdfast.edge._measurement.own_process import system
from holdfast.edge._measurement.summary import fill, measured
from holdfast.edge._power.energy import energy_per_request, modelled_energy, power_profile
from holdfast.edge._power.meter_files import read_trace
from holdfast.edge._power.profiler import open_sensor
from holdfast.edge._power.sensors import SENSORS, Sampler
from holdfast.edge._results.profiles import Measurement, MemoryProfile
from holdfast.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from holdfast.edge._backends.base import Backend, DeviceDescription, MemoryReading
    from holdfast.edge._config import ProfilingConfig
    from holdfast.edge._guard import Guard
    from holdfast.edge._measurement.loop import Run
    from holdfast.edge._measurement.records import Generation
    from holdfast.edge._power.energy import PowerTrace
    from holdfast.edge._results.results import ProfileResults


def _kb(value: int | None) -> float | None:
    return None if value is None else value / 1024


def memory_profile(
    before: MemoryReading, after: MemoryReading, longest: int | None
) -> MemoryProfile:
    """From a reading with the model loaded and one after the requests."""
    base, peak = _kb(before.peak_bytes), _kb(after.peak_bytes)
    return MemoryProfile(
        base,
        peak,
        peak,
        longest / peak if longest and peak else None,
        stack_usage_kb=_kb(after.stack_bytes),
        heap_usage_kb=_kb(after.heap_bytes),
        static_kb=_kb(after.static_bytes),
        flash_kb=_kb(after.flash_bytes),
        method=after.method,
    )


class Session:
    """Takes one profile; whatever fails is said in the result, with its cause."""

    def __init__(
        self,
        backend: Backend,
        said: DeviceDescription,
        guard: Guard,
        config: ProfilingConfig,
        results: ProfileResults,
        *,
        in_process: bool,
        recover: Callable[[], object],
        progress: Callable[..., object] | None,
        stop: Event | None = None,
    ) -> None:
        self._backend, self._said, self._guard, self._config = backend, said, guard, config
        self._results = results
        self._failed: dict[str, str] = {}
        self._measuring = Measuring(
            backend, said, guard, config,
            in_process=in_process, recover=recover, progress=progress, stop=stop,
        )  # fmt: skip

    def _memory(self) -> MemoryReading | None:
        limit = self._config.operation_timeout
        try:
            return self._guard.call(lambda: self._backend.memory(limit))
        except HoldfastError as error:
            self._failed["memory"] = str(error)
            return None

    def _sampler(self) -> Sampler | None:
        name = self._config.energy
        if name not in SENSORS:
            return None
        return Sampler(open_sensor(name), self._config.sample_rate_hz).start()

    def run(self, prompts: Sequence[str], metrics: Sequence[str]) -> ProfileResults:
        """Measure, and fill the results.

        Raises
        ------
        ProfilingTimeoutError
            When time ran out before anything was measured, or in the middle while
            `graceful_degradation` is off; carries the partial results.
        ProfilingError
            When nothing asked for could be measured.
        KeyboardInterrupt
            With the partial results, which are also in place.
        """
        try:
            run = self._measure(prompts, metrics)
        except KeyboardInterrupt as error:
            self._interrupted(prompts, metrics)
            error.partial_results = self._results  # type: ignore[attr-defined]
            raise
        self._finish(run, metrics)
        return self._results

    def _measure(self, prompts: Sequence[str], metrics: Sequence[str]) -> Run:
        wants_memory = "memory" in metrics
        before = self._memory() if wants_memory else None
        try:
            sampler = self._sampler() if "power" in metrics else None
        except HoldfastError as error:
            self._failed["power"], sampler = str(error), None
        trace: PowerTrace | None = None
        try:
            run = self._measuring.measure(prompts)
        finally:
            if sampler is not None:
                try:
                    trace = sampler.stop()
                except EdgeError as error:
                    self._failed["power"] = str(error)
        self._settings(run, prompts, metrics)
        self._times(run, metrics)
        if wants_memory:
            self._fill_memory(before)
        if "power" in metrics:
            self._fill_power(trace)
        self._link(run)
        return run

    def _interrupted(self, prompts: Sequence[str], metrics: Sequence[str]) -> None:
        """Fill in what was measured until then; the device is asked nothing more."""
        run = self._measuring.run
        run.stopped = "interrupted"
        self._settings(run, prompts, metrics)
        self._times(run, metrics)
        for name in {"memory", "power"} & set(metrics):
            self._failed.setdefault(name, "interrupted")
        self._account(run, metrics)

    def _settings(self, run: Run, prompts: Sequence[str], metrics: Sequence[str]) -> None:
        results = self._results
        results.records = run.records
        results.test_configuration = {
            **asdict(self._config),
            "prompts": list(prompts),
            "metrics": list(metrics),
            "planned_requests": run.planned,
            "deterministic": self._said.deterministic,
            "modelled": self._said.modelled,
        }
        results.environment_info = {"host": system(), "device": asdict(self._said)}

    def _times(self, run: Run, metrics: Sequence[str]) -> None:
        if not {"latency", "throughput", "power"} & set(metrics):
            return
        fill(self._results, planned=run.planned)
        if self._results.latency_profile is None:
            none = "interrupted" if run.stopped == "interrupted" else "no request gave a time"
            why = run.failures[-1] if run.failures else none
            for name in {"latency", "throughput"} & set(metrics):
                self._failed[name] = why

    def _fill_memory(self, before: MemoryReading | None) -> None:
        after = self._memory()
        results = self._results
        if after is None or after.peak_bytes is None:
            cause = self._failed.setdefault("memory", "the device does not tell")
            results.measurements["ram_peak"] = Measurement.absent("ram_peak", "B", cause)
            return
        lengths = [one.tokens for one in measured(results.records) if one.tokens]
        results.add_memory_profile(
            memory_profile(before or after, after, max(lengths, default=None))
        )
        for name, value in (
            ("ram_peak", after.peak_bytes),
            ("stack_peak", after.stack_bytes),
            ("heap_peak", after.heap_bytes),
            ("flash", after.flash_bytes),
        ):
            if value is not None:
                results.measurements[name] = Measurement(
                    name, float(value), "B", n=1, method=after.method
                )

    def _fill_power(self, trace: PowerTrace | None) -> None:
        results, config = self._results, self._config
        try:
            if trace is None and config.energy is not None and config.energy not in SENSORS:
                trace = read_trace(Path(config.energy), volts=config.volts)
            modelled = getattr(self._backend, "modelled_power", None)
            profile = None
            if trace is not None:
                profile = power_profile(trace, results.records)
            elif modelled is not None and "power" not in self._failed:
                profile = modelled(results.records)
                if profile is None:
                    self._failed["power"] = "no power is stated for this part"
        except HoldfastError as error:
            self._failed["power"], profile = str(error), None
        if profile is None:
            cause = self._failed.setdefault(
                "power",
                "no meter: name one in ProfilingConfig.energy"
                if trace is None
                else "the recording does not overlap the requests",
            )
            results.measurements["energy_per_token"] = Measurement.absent(
                "energy_per_token", "mJ", cause
            )
            return
        results.add_power_profile(profile)
        if trace is not None:
            each: list[float | None] = energy_per_request(trace, results.records)
        else:
            each = modelled_energy(profile.active_power_mw, results.records)
        if any(value is not None for value in each):
            results.raw_measurements["energy_per_token_mj"] = each
        results.measurements["energy_per_token"] = Measurement(
            "energy_per_token",
            profile.energy_per_token_mj,
            "mJ",
            provenance=profile.source or "file",
            n=len(measured(results.records)),
            coverage=profile.coverage,
            status="ok" if (profile.coverage or 0) >= 0.95 else "partial",  # noqa: PLR2004
            method="trapezoids between first and last token",
        )

    def _link(self, run: Run) -> None:
        """Round trips, clock fit and counts of the link."""
        results, said = self._results, self._said
        counted = self._backend.statistics()
        results.session_metadata["link"] = counted
        self._saturation(run, counted.get("bytes_in", 0))
        if run.pings and said.tick_hz and said.clock == "device":
            fit = fit_clock(run.pings, said.tick_hz)
            results.session_metadata["clock_fit"] = asdict(fit)
            results.measurements["rtt_ms"] = Measurement(
                "rtt_ms", fit.rtt_ns / 1e6, "ms", "host", n=len(run.pings),
                method="shortest exchange",
            )  # fmt: skip
            if (link := results.measurements.get("link_ms")) and link.value is not None:
                link.method = f"{link.method}; clock error at most {fit.error_ns / 1e6:.3g} ms"

    def _saturation(self, run: Run, bytes_in: int) -> None:
        """Mark requests whose tokens could not have come faster over this serial line."""
        rate = getattr(self._backend, "baudrate", None)
        tokens = sum(len(one.host_ns) for one in run.records)
        if not rate or not tokens or not bytes_in:
            return
        # Ten bits a byte. Answers to pings are in the count, so this is an upper bound.
        each_ms = bytes_in / tokens * 10 / rate * 1e3
        self._results.measurements["link_ms_per_token"] = Measurement(
            "link_ms_per_token", each_ms, "ms", provenance=f"computed(10 bits, {rate} baud)",
            n=tokens,
        )  # fmt: skip
        for one in run.records:
            gap = request_metrics(one).itl_median_ms
            if gap is not None and each_ms > gap / 2:
                one.marks.append("baud_limited")

    def _account(self, run: Run, metrics: Sequence[str]) -> tuple[list[str], list[Generation]]:
        """Note what was done and what failed; returns the metrics and requests that count."""
        results = self._results
        done = [name for name in metrics if name not in self._failed]
        kept = [one for one in run.records if not one.warm_up]
        results.session_metadata |= {
            "successful_metrics": done,
            "failed_metrics": [name for name in metrics if name in self._failed],
            "causes": dict(self._failed),
            "stopped": run.stopped,
            "requests": {
                status: sum(one.status == status for one in kept)
                for status in ("ok", "partial", "failed")
            },
            "planned_requests": run.planned,
            "retries": sum(one.attempts - 1 for one in run.records),
            "warm_up_requests": sum(one.warm_up for one in run.records),
            "failures": run.failures[:100],
            "marks": {
                mark: sum(mark in one.marks for one in kept)
                for mark in sorted({mark for one in kept for mark in one.marks})
            },
        }
        return done, kept

    def _finish(self, run: Run, metrics: Sequence[str]) -> None:
        config, results = self._config, self._results
        done, kept = self._account(run, metrics)
        if run.stopped == "timeout" and (not config.graceful_degradation or not kept):
            raise ProfilingTimeoutError("profile_model", config.timeout_seconds, results)
        if self._failed and not config.graceful_degradation:
            name, cause = next(iter(self._failed.items()))
            raise ProfilingError(f"{name} failed: {cause}", details=self._summary())
        if not done:
            causes = "; ".join(f"{name}: {cause}" for name, cause in self._failed.items())
            raise ProfilingError(f"nothing was measured: {causes}", details=self._summary())

    def _summary(self) -> dict[str, Any]:
        return {"causes": dict(self._failed)}
