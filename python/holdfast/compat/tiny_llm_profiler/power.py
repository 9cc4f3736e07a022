"""Power; there is no simulated sensor."""

from holdfast.edge import (
    INA219Sensor,
    PowerConfig,
    PowerMeasurement,
    PowerProfile,
    PowerProfiler,
    PowerSensor,
)

__all__ = [
    "INA219Sensor",
    "PowerConfig",
    "PowerMeasurement",
    "PowerProfile",
    "PowerProfiler",
    "PowerSensor",
]
