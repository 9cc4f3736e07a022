"""Older path of power, with the simulated sensor that scripts try themselves out on."""

from __future__ import annotations

import math
import time
from typing import Any

from holdfast import edge
from holdfast.compat.tiny_llm_profiler.results import PowerProfile
from holdfast.edge import INA219Sensor, PowerConfig, PowerMeasurement, PowerSensor

__all__ = [
    "INA219Sensor",
    "PowerConfig",
    "PowerMeasurement",
    "PowerProfile",
    "PowerProfiler",
    "PowerSensor",
    "SimulatedPowerSensor",
]

_VOLTS, _MEAN_MW, _RIPPLE_MW, _PERIOD = 3.3, 150.0, 20.0, 50
_TOKENS_PER_SECOND = 10


class SimulatedPowerSensor(PowerSensor):
    """A sine of 20 mW around 150 mW at 3.3 V, fifty readings long: to try a script, no meter.

    What a `PowerProfiler` makes of it says `simulated`.
    """

    source = "simulated"

    def __init__(self, config: PowerConfig) -> None:
        self.config = config
        self.is_initialized = False
        self._readings = 0

    def initialize(self) -> bool:
        """Begin."""
        self.is_initialized = True
        return True

    def read_power(self) -> PowerMeasurement:
        """The next reading.

        Raises
        ------
        RuntimeError
            Before `initialize`.
        """
        if not self.is_initialized:
            raise RuntimeError("read_power needs initialize() first")
        turn = 2.0 * math.pi * self._readings / _PERIOD
        self._readings += 1
        power = (_MEAN_MW + _RIPPLE_MW * math.sin(turn)) * self.config.calibration_factor
        return PowerMeasurement(time.time(), _VOLTS, power / _VOLTS, power, 25.0)

    def close(self) -> None:
        """End."""
        self.is_initialized = False


class PowerProfiler(edge.PowerProfiler):
    """`holdfast.edge.PowerProfiler` with a simulated sensor, which is its default, as it was.

    Of simulated power alone, idle power is the smallest reading and energy per token that of
    ten tokens a second; of a real sensor both stay None.
    """

    def __init__(
        self,
        sensor: str | PowerSensor = "simulated",
        i2c_addr: int = 0x40,
        shunt_ohms: float = 0.1,
        **settings: Any,
    ) -> None:
        if sensor != "simulated":
            super().__init__(sensor, i2c_addr, shunt_ohms, **settings)
            return
        config = PowerConfig(
            "simulated", i2c_address=i2c_addr, shunt_resistance_ohms=shunt_ohms, **settings
        )
        super().__init__(SimulatedPowerSensor(config), i2c_addr, shunt_ohms, **settings)
        self.config = config

    def profile(
        self, duration_seconds: float = 1.0, sample_rate_hz: float = 1000
    ) -> PowerProfile:
        """Sample for a while; see `holdfast.edge.PowerProfiler.profile`."""
        found = super().profile(duration_seconds, sample_rate_hz)
        found.__class__ = PowerProfile
        if isinstance(self.sensor, SimulatedPowerSensor):
            found.simulated = True
            found.idle_power_mw = min(one.power_mw for one in self.measurements)
            tokens = max(1, int(_TOKENS_PER_SECOND * (found.duration_s or 0.0)))
            found.energy_per_token_mj = (found.total_energy_mj or 0.0) / tokens
        return found  # type: ignore[return-value]
