"""Power on its own, without a model: sample for a while and say what it was."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from holdfast.edge._errors import InsufficientDataError
from holdfast.edge._meter_files import read_trace, write_csv
from holdfast.edge._profiles import PowerProfile
from holdfast.edge._sensors import SENSORS, Sampler, Sensor
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.edge._energy import PowerTrace


def open_sensor(name: str) -> Sensor:
    """A sensor of this machine by name.

    Raises
    ------
    InvalidParameterError
        When there is none of that name, or it is not present.
    """
    if name not in SENSORS:
        raise InvalidParameterError(f"sensor must be one of {', '.join(SENSORS)}, got {name!r}")
    return SENSORS[name]()


class PowerProfiler:
    """Samples a sensor of this machine, or reads a recording.

    Parameters
    ----------
    sensor : str
        `rapl`, `ina` (also `ina219`, `ina226`), or the path of a recording.
    volts : float, optional
        Supply, for recordings of current.

    Raises
    ------
    InvalidParameterError
        When the sensor is not there. There is no simulated one.
    """

    def __init__(self, sensor: str | Sensor = "rapl", *, volts: float | None = None) -> None:
        self.measurements: PowerTrace | None = None
        self.is_profiling = False
        self.sensor: Sensor | None = None
        if not isinstance(sensor, str):
            self.sensor = sensor
        elif sensor in SENSORS:
            self.sensor = open_sensor(sensor)
        elif Path(sensor).is_file():
            self.measurements = read_trace(sensor, volts=volts)
        else:
            raise InvalidParameterError(
                f"sensor must be one of {', '.join(SENSORS)} or a recording, got {sensor!r}"
            )

    def profile(
        self, duration_seconds: float = 1.0, sample_rate_hz: float = 100
    ) -> PowerProfile:
        """Sample for a while, or summarise the recording.

        Raises
        ------
        InsufficientDataError
            When fewer than two samples came.
        """
        if self.sensor is not None:
            self.is_profiling = True
            sampler = Sampler(self.sensor, sample_rate_hz).start()
            try:
                time.sleep(duration_seconds)
            finally:
                self.measurements = sampler.stop()
                self.is_profiling = False
        trace = self.measurements
        if trace is None or len(trace.times_ns) < 2:  # noqa: PLR2004
            raise InsufficientDataError("power", 0 if trace is None else len(trace.times_ns), 2)
        start, end = trace.times_ns[0], trace.times_ns[-1]
        energy, coverage = trace.energy_mj(start, end)
        seconds = (end - start) * 1e-9
        mean = (
            energy / (seconds * coverage) if coverage and seconds else fmean(trace.milliwatts)
        )
        return PowerProfile(
            active_power_mw=mean,
            peak_power_mw=max(trace.milliwatts),
            total_energy_mj=energy,
            voltage_v=trace.volts,
            avg_voltage_v=trace.volts,
            measurement_duration_sec=seconds,
            power_std_mw=stdev(trace.milliwatts),
            sample_count=len(trace.times_ns),
            duration_s=seconds,
            source=trace.source,
            coverage=coverage,
            sample_rate_hz=1e9 / trace.period_ns if trace.period_ns else None,
        )

    async def profile_async(
        self, duration_seconds: float = 1.0, sample_rate_hz: float = 100
    ) -> PowerProfile:
        """`profile` in a thread."""
        import asyncio  # noqa: PLC0415

        return await asyncio.to_thread(self.profile, duration_seconds, sample_rate_hz)

    def stream_measurements(self, sample_rate_hz: float = 100) -> Iterator[tuple[int, float]]:
        """(monotonic ns, mW) pairs until `stop_profiling`."""
        if self.sensor is None:
            raise InvalidParameterError("sensor must be a live one to stream, got a recording")
        self.is_profiling = True
        while self.is_profiling:
            power = self.sensor.milliwatts()
            if power is not None:
                yield time.monotonic_ns(), power
            time.sleep(1 / sample_rate_hz)

    def stop_profiling(self) -> None:
        """End `stream_measurements`."""
        self.is_profiling = False

    def export_measurements(self, path: str | Path) -> None:
        """Write `time_s,power_mw`.

        Raises
        ------
        InsufficientDataError
            When nothing was measured.
        """
        if self.measurements is None:
            raise InsufficientDataError("power", 0, 1)
        write_csv(self.measurements, path)
