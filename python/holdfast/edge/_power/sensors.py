"""Energy of this machine from the kernel: RAPL counters and INA monitors."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from holdfast.edge._errors import DeviceError
from holdfast.edge._power.energy import PowerTrace
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable


class Sensor(Protocol):
    """Something that tells power."""

    source: str

    def milliwatts(self) -> float | None:
        """Power now, or since the last call; None when it is not known yet."""
        ...


class Rapl:
    """Package energy of Intel and AMD processors (powercap): power between two readings."""

    source = "rapl"

    def __init__(self, root: str | Path = "/sys/class/powercap") -> None:
        zones = sorted(Path(root).glob("intel-rapl:[0-9]"))
        self._zones = [zone for zone in zones if (zone / "energy_uj").is_file()]
        if not self._zones:
            raise InvalidParameterError(
                f"energy='rapl' needs counters in {root}: there are none"
            )
        self._last: tuple[int, list[int]] | None = None

    def milliwatts(self) -> float | None:
        """Mean since the last call, all packages together; wraps are repaired."""
        try:
            now, values = (
                time.monotonic_ns(),
                [int((zone / "energy_uj").read_text()) for zone in self._zones],
            )
        except OSError as error:
            raise DeviceError(f"rapl: {error}") from error
        before, self._last = self._last, (now, values)
        if before is None or now == before[0]:
            return None
        joules = 0.0
        for zone, new, old in zip(self._zones, values, before[1], strict=True):
            step = new - old
            if step < 0:
                step += int((zone / "max_energy_range_uj").read_text())
            joules += step * 1e-6
        return joules / ((now - before[0]) * 1e-9) * 1e3


class Ina:
    """An INA219, INA226 or the like, as the kernel's hwmon shows it."""

    source = "ina"

    def __init__(self, root: str | Path = "/sys/class/hwmon") -> None:
        self._folder: Path | None = None
        for folder in sorted(Path(root).glob("hwmon*")):
            name = folder / "name"
            if name.is_file() and name.read_text().strip().startswith("ina"):
                self._folder = folder
                break
        if self._folder is None:
            raise InvalidParameterError(
                f"energy='ina' needs a monitor in {root}: there is none"
            )

    def _read(self, name: str) -> int | None:
        assert self._folder is not None  # noqa: S101 (checked when made)
        file = self._folder / name
        try:
            return int(file.read_text()) if file.is_file() else None
        except OSError as error:
            raise DeviceError(f"ina: {error}") from error

    def milliwatts(self) -> float | None:
        """`power1_input` (uW), else current (mA) times bus voltage (mV)."""
        if (microwatts := self._read("power1_input")) is not None:
            return microwatts / 1e3
        current, voltage = self._read("curr1_input"), self._read("in1_input")
        if current is None or voltage is None:
            return None
        return current * voltage / 1e3


SENSORS: dict[str, Callable[[], Sensor]] = {
    "rapl": Rapl,
    "ina": Ina,
    "ina219": Ina,
    "ina226": Ina,
}


class Sampler:
    """Reads a sensor in the background; `stop` gives the trace."""

    def __init__(self, sensor: Sensor, rate_hz: float) -> None:
        self._sensor, self._period = sensor, 1 / rate_hz
        self._times: list[int] = []
        self._powers: list[float] = []
        self._stop = threading.Event()
        self._error: DeviceError | None = None
        self._thread = threading.Thread(target=self._work, name="holdfast-energy", daemon=True)

    def start(self) -> Sampler:
        """Begin."""
        self._thread.start()
        return self

    def _work(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            try:
                power = self._sensor.milliwatts()
            except DeviceError as error:
                self._error = error
                return
            if power is not None:
                self._times.append(time.monotonic_ns())
                self._powers.append(power)
            # The schedule is kept, not the pause: otherwise the rate drifts.
            due = max(due + self._period, time.monotonic())
            self._stop.wait(max(due - time.monotonic(), 0))

    def stop(self) -> PowerTrace:
        """End, and hand over what was read.

        Raises
        ------
        DeviceError
            When the sensor failed on the way.
        """
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
        return PowerTrace(self._times, self._powers, self._sensor.source, aligned=True)
