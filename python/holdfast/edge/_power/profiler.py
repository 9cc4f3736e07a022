"""Power on its own, without a model: sample for a while and say what it was."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from holdfast.edge._errors import DeviceConnectionError, InsufficientDataError
from holdfast.edge._power.ina219 import INA219Sensor, PowerConfig, PowerMeasurement, PowerSensor
from holdfast.edge._power.meter_files import read_trace
from holdfast.edge._power.sensors import SENSORS, Sampler, Sensor
from holdfast.edge._results.profiles import PowerProfile
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import TypeIs

    from holdfast.edge._power.energy import PowerTrace

_COLUMNS = ("timestamp", "voltage_v", "current_ma", "power_mw", "temperature_c")


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
    sensor : str or PowerSensor
        `rapl`, `ina` (a monitor with a kernel driver), `ina219` (read over I2C), a sensor of
        your own, or the path of a recording. There is no simulated one: numbers come from a
        meter.
    i2c_addr, shunt_ohms : int, float
        Of an `ina219`.
    volts : float, optional
        Supply, for recordings of current.
    **settings
        Further fields of `PowerConfig`.

    Attributes
    ----------
    config : PowerConfig
    sensor : PowerSensor or None
        None for a recording.
    measurements : list of PowerMeasurement
        What was sampled last.
    is_profiling : bool

    Raises
    ------
    InvalidParameterError
        When the sensor is not known or not there, or a setting is wrong.
    """

    def __init__(
        self,
        sensor: str | Sensor | PowerSensor = "rapl",
        i2c_addr: int = 0x40,
        shunt_ohms: float = 0.1,
        *,
        volts: float | None = None,
        **settings: Any,
    ) -> None:
        kind = sensor if isinstance(sensor, str) else type(sensor).__name__
        try:
            self.config = PowerConfig(
                kind, i2c_address=i2c_addr, shunt_resistance_ohms=shunt_ohms, **settings
            )
        except TypeError as error:
            raise InvalidParameterError(f"PowerConfig: {error}") from error
        self.measurements: list[PowerMeasurement] = []
        self.trace: PowerTrace | None = None
        self.is_profiling = False
        self.sensor: Sensor | PowerSensor | None = None
        self._ready = False
        if not isinstance(sensor, str):
            self.sensor = sensor
        elif sensor == "ina219":
            self.sensor = INA219Sensor(self.config)
        elif sensor in SENSORS:
            self.sensor = open_sensor(sensor)
        elif Path(sensor).is_file():
            self.trace = read_trace(sensor, volts=volts)
            self.measurements = _readings(self.trace, 0.0)
        else:
            raise InvalidParameterError(
                f"sensor must be one of ina219, {', '.join(SENSORS)} or a recording, "
                f"got {sensor!r}"
            )

    def initialize(self) -> None:
        """Open the sensor; `profile` does it by itself.

        Raises
        ------
        DeviceConnectionError
            When it does not answer.
        """
        if self._ready or not _reads(self.sensor):
            return
        if not self.sensor.initialize():
            where = f"i2c-{self.config.i2c_bus}, {self.config.i2c_address:#x}"
            raise DeviceConnectionError(where, self.config.sensor_type, "it does not answer")
        self._ready = True

    def close(self) -> None:
        """Let go of the sensor."""
        if _reads(self.sensor):
            self.sensor.close()
        self._ready = False

    def profile(
        self, duration_seconds: float = 1.0, sample_rate_hz: float = 1000
    ) -> PowerProfile:
        """Sample for a while, or summarise the recording.

        Idle power is absent: nothing says when the device was idle. Energy per token is that
        of `EdgeProfiler`, which knows the tokens.

        Raises
        ------
        InvalidParameterError
            When duration or rate is not above 0.
        InsufficientDataError
            When fewer than two samples came.
        DeviceError
            When the sensor fails.
        """
        for name, value in (
            ("duration_seconds", duration_seconds), ("sample_rate_hz", sample_rate_hz),
        ):  # fmt: skip
            if not value > 0:
                raise InvalidParameterError(f"{name} must be above 0, got {value!r}")
        if self.sensor is not None:
            self._sample(duration_seconds, sample_rate_hz)
        trace = self.trace
        if trace is None or len(trace.times_ns) < 2:  # noqa: PLR2004
            raise InsufficientDataError("power", 0 if trace is None else len(trace.times_ns), 2)
        return _summary(trace, self.measurements)

    def _sample(self, seconds: float, rate_hz: float) -> None:
        assert self.sensor is not None  # noqa: S101 (called with one)
        self.initialize()
        if _reads(self.sensor):
            self.sensor.set_sample_rate(rate_hz)
        self.is_profiling = True
        kept = _Keeping(self.sensor)
        offset = time.time() - time.monotonic()
        sampler = Sampler(kept, rate_hz).start()
        try:
            time.sleep(seconds)
        finally:
            self.is_profiling = False
            self.trace = sampler.stop()
        self.measurements = kept.readings or _readings(self.trace, offset)

    async def profile_async(
        self, duration_seconds: float = 1.0, sample_rate_hz: float = 1000
    ) -> PowerProfile:
        """`profile` in a thread."""
        import asyncio

        return await asyncio.to_thread(self.profile, duration_seconds, sample_rate_hz)

    def stream_measurements(self, sample_rate_hz: float = 100) -> Iterator[PowerMeasurement]:
        """Readings, which are kept in `measurements` too, until `stop_profiling`.

        Raises
        ------
        InvalidParameterError
            For a recording.
        """
        if self.sensor is None:
            raise InvalidParameterError("sensor must be a live one to stream, got a recording")
        self.initialize()
        self.measurements, self.is_profiling = [], True
        kept = _Keeping(self.sensor)
        due = time.monotonic()
        try:
            while self.is_profiling:
                power = kept.milliwatts()
                if power is not None:
                    reading = (
                        kept.readings[-1]
                        if kept.readings
                        else PowerMeasurement(time.time(), None, None, power)
                    )
                    self.measurements.append(reading)
                    yield reading
                due = max(due + 1 / sample_rate_hz, time.monotonic())
                time.sleep(max(due - time.monotonic(), 0))
        finally:
            self.is_profiling = False

    def stop_profiling(self) -> None:
        """End `stream_measurements`."""
        self.is_profiling = False

    def export_measurements(self, path: str | Path) -> None:
        """Write `timestamp,voltage_v,current_ma,power_mw,temperature_c`; `read_trace` reads it.

        Raises
        ------
        InsufficientDataError
            When nothing was measured.
        """
        from holdfast.edge._files import write_whole

        if not self.measurements:
            raise InsufficientDataError("power", 0, 1)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        for one in self.measurements:
            values = [getattr(one, name) for name in _COLUMNS]
            writer.writerow(["" if value is None else repr(value) for value in values])
        write_whole(path, text.getvalue().encode())

    def plot_measurements(self, path: str | Path) -> None:
        """Write power over time as a page.

        Raises
        ------
        InsufficientDataError
            When nothing was measured.
        """
        from holdfast.edge._files import write_whole
        from holdfast.edge._results.html import picture_page
        from holdfast.edge._results.svg import Axes

        if not self.measurements:
            raise InsufficientDataError("power", 0, 1)
        begin = self.measurements[0].timestamp
        step = max(len(self.measurements) // 4000, 1)
        shown = self.measurements[::step]
        times = [one.timestamp - begin for one in shown]
        powers = [one.power_mw for one in shown]
        axes = Axes((0, times[-1]), (min(powers), max(powers)), "seconds", "mW")
        picture = axes.line(times, powers).svg("Power over time")
        write_whole(path, picture_page("Power over time", picture).encode())


def _reads(sensor: Sensor | PowerSensor | None) -> TypeIs[PowerSensor]:
    """Whether it gives whole readings; it need only be like a PowerSensor."""
    return hasattr(sensor, "read_power")


class _Keeping:
    """A sensor that remembers whole readings."""

    def __init__(self, sensor: Sensor | PowerSensor) -> None:
        self._sensor = sensor
        self.source = sensor.source
        self.readings: list[PowerMeasurement] = []

    def milliwatts(self) -> float | None:
        if _reads(self._sensor):
            self.readings.append(self._sensor.read_power())
            return self.readings[-1].power_mw
        return self._sensor.milliwatts()


def _readings(trace: PowerTrace, offset: float) -> list[PowerMeasurement]:
    volts = trace.volts
    return [
        PowerMeasurement(at / 1e9 + offset, volts, power / volts if volts else None, power)
        for at, power in zip(trace.times_ns, trace.milliwatts, strict=True)
    ]


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _summary(trace: PowerTrace, readings: list[PowerMeasurement]) -> PowerProfile:
    start, end = trace.times_ns[0], trace.times_ns[-1]
    energy, coverage = trace.energy_mj(start, end)
    seconds = (end - start) * 1e-9
    mean = energy / (seconds * coverage) if coverage and seconds else fmean(trace.milliwatts)
    volts = _mean([one.voltage_v for one in readings])
    current = _mean([one.current_ma for one in readings])
    return PowerProfile(
        active_power_mw=mean,
        peak_power_mw=max(trace.milliwatts),
        total_energy_mj=energy,
        average_current_ma=current,
        voltage_v=volts,
        avg_voltage_v=volts,
        avg_current_ma=current,
        measurement_duration_sec=seconds,
        power_std_mw=stdev(trace.milliwatts),
        sample_count=len(trace.times_ns),
        duration_s=seconds,
        source=trace.source,
        coverage=coverage,
        sample_rate_hz=1e9 / trace.period_ns if trace.period_ns else None,
    )
