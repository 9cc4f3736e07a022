"""An INA219 on an I2C bus of this machine, without a kernel driver (datasheet SBOS448)."""

from __future__ import annotations

import contextlib
import os
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

from holdfast.edge._errors import DeviceError
from holdfast.errors import InvalidParameterError

_I2C_SLAVE = 0x0703
_CONFIGURATION, _SHUNT, _BUS = 0x00, 0x01, 0x02
# 32 V range, shunt gain by range, 12 bits, shunt and bus continuously.
_SETTINGS = 0x2000 | 0x0180 | 0x0018 | 0x0007
_GAINS = ((0.04, 0), (0.08, 1), (0.16, 2), (0.32, 3))


@dataclass
class PowerConfig:
    """How a sensor is wired and read.

    Attributes
    ----------
    sensor_type : str
    i2c_address : int
        7 bits.
    shunt_resistance_ohms : float
    sample_rate_hz : float
    voltage_range_v, current_range_ma : float
        Highest values; they choose the gain.
    calibration_factor : float
        What readings of current are multiplied by.
    i2c_bus : int
        N of `/dev/i2c-N`.

    Raises
    ------
    InvalidParameterError
        `i2c_address` is not in 0x08 to 0x77, or another number is not above 0.
    """

    sensor_type: str = "ina219"
    i2c_address: int = 0x40
    shunt_resistance_ohms: float = 0.1
    sample_rate_hz: float = 1000
    voltage_range_v: float = 16.0
    current_range_ma: float = 400.0
    calibration_factor: float = 1.0
    i2c_bus: int = 1

    def __post_init__(self) -> None:
        """Check what was given."""
        if not 0x08 <= self.i2c_address <= 0x77:  # noqa: PLR2004
            raise InvalidParameterError(
                f"i2c_address must lie in 0x08 to 0x77, got {self.i2c_address!r}"
            )
        for name in ("shunt_resistance_ohms", "sample_rate_hz", "voltage_range_v",
                     "current_range_ma", "calibration_factor"):  # fmt: skip
            if not getattr(self, name) > 0:
                raise InvalidParameterError(
                    f"{name} must be above 0, got {getattr(self, name)!r}"
                )


@dataclass
class PowerMeasurement:
    """One reading; None is what the sensor does not tell.

    Attributes
    ----------
    timestamp : float
        Seconds since 1970.
    """

    timestamp: float
    voltage_v: float | None
    current_ma: float | None
    power_mw: float
    temperature_c: float | None = None


class PowerSensor(ABC):
    """Something that tells power; make one of your own for another meter."""

    source = "sensor"

    @abstractmethod
    def initialize(self) -> bool:
        """Open it; whether that worked."""

    @abstractmethod
    def read_power(self) -> PowerMeasurement:
        """Power now.

        Raises
        ------
        RuntimeError
            Before `initialize`.
        """

    def set_sample_rate(self, hz: float) -> None:  # noqa: B027 (most sensors have none)
        """Called before sampling; sensors that have a rate of their own set it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""

    def milliwatts(self) -> float | None:
        """Power alone."""
        return self.read_power().power_mw


class INA219Sensor(PowerSensor):
    """An INA219 at `/dev/i2c-N`, read directly."""

    source = "ina219"

    def __init__(self, config: PowerConfig | None = None) -> None:
        self.config = config or PowerConfig()
        self._descriptor: int | None = None

    def initialize(self) -> bool:
        """Open the bus and set ranges; False when there is no such bus or nobody answers."""
        import fcntl

        drop = self.config.current_range_ma / 1e3 * self.config.shunt_resistance_ohms
        gain = next((code for limit, code in _GAINS if drop <= limit * 1.000001), 3)
        settings = _SETTINGS & ~0x1800 | gain << 11
        try:
            self._descriptor = os.open(f"/dev/i2c-{self.config.i2c_bus}", os.O_RDWR)
            fcntl.ioctl(self._descriptor, _I2C_SLAVE, self.config.i2c_address)
            os.write(self._descriptor, bytes((_CONFIGURATION, settings >> 8, settings & 0xFF)))
        except OSError:
            self.close()
            return False
        return True

    def _register(self, number: int, *, signed: bool) -> int:
        if self._descriptor is None:
            raise RuntimeError("initialize() must be called before read_power()")
        try:
            os.write(self._descriptor, bytes((number,)))
            data = os.read(self._descriptor, 2)
        except OSError as error:
            raise DeviceError(f"ina219: {error}") from error
        return int.from_bytes(data, "big", signed=signed)

    def read_power(self) -> PowerMeasurement:
        """Current from the shunt (10 uV a step), voltage from the bus (4 mV a step).

        Raises
        ------
        RuntimeError
            Before `initialize`.
        DeviceError
            When the bus fails.
        """
        drop_v = self._register(_SHUNT, signed=True) * 10e-6
        volts = (self._register(_BUS, signed=False) >> 3) * 4e-3
        amperes = drop_v / self.config.shunt_resistance_ohms * self.config.calibration_factor
        return PowerMeasurement(time.time(), volts, amperes * 1e3, volts * amperes * 1e3)

    def close(self) -> None:
        """Let go of the bus."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)
