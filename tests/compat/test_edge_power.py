"""The names of the older root and of power."""

import pytest

from holdfast.compat.tiny_llm_profiler.power import PowerProfiler, PowerSensor


def test_the_root_has_the_older_names():
    import holdfast.compat.tiny_llm_profiler as root
    from holdfast.compat.tiny_llm_profiler import power

    for name in ("EdgeProfiler", "QuantizedModel", "ProfileResults", "PlatformManager",
                 "MetricsAnalyzer", "ComparativeAnalyzer", "PowerProfiler"):  # fmt: skip
        assert name in root.__all__
        assert getattr(root, name).__name__ == name
    assert power.PowerProfiler is PowerProfiler
    config = power.PowerConfig()
    assert (config.sensor_type, config.i2c_address, config.shunt_resistance_ohms) == (
        "ina219", 0x40, 0.1,
    )  # fmt: skip
    assert (config.sample_rate_hz, config.voltage_range_v, config.current_range_ma) == (
        1000,
        16,
        400,
    )
    assert config.calibration_factor == 1.0
    with pytest.raises(TypeError, match="abstract"):
        PowerSensor()
    with pytest.raises(ValueError, match="sensor must be one of"):
        PowerProfiler(sensor="unknown")
