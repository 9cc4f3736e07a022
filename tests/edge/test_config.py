import pickle

import pytest

from holdfast.edge import (
    DeviceConnectionError,
    DeviceTimeoutError,
    ProfilingConfig,
    ProfilingTimeoutError,
)
from holdfast.errors import HoldfastError, InvalidParameterError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sample_rate_hz", 0), ("sample_rate_hz", 10_001), ("duration_seconds", 0),
        ("measurement_iterations", 1001), ("measurement_iterations", 1.5),
        ("timeout_seconds", 0), ("timeout_seconds", float("nan")), ("max_retries", 11),
        ("connection_timeout", -1), ("operation_timeout", 0), ("max_memory_mb", 0),
        ("confidence_target", 1), ("control_lines", "up"), ("retry_delay", -1), ("seed", -1),
    ],
)  # fmt: skip
def test_a_setting_outside_its_domain_is_named(field, value):
    with pytest.raises(InvalidParameterError, match=field):
        ProfilingConfig(**{field: value})
    config = ProfilingConfig()
    setattr(config, field, value)
    with pytest.raises(ValueError, match=field):
        config.validate()


@pytest.mark.parametrize(
    "error",
    [
        DeviceConnectionError("/dev/x", "esp32", OSError("gone")),
        DeviceTimeoutError("ping", 2.0),
        ProfilingTimeoutError("profile", 3.0, {"a": 1}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_pickle_with_their_facts(error):
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert back.to_dict() == error.to_dict()
    assert isinstance(error, HoldfastError)


def test_a_timeout_carries_the_partial_results():
    assert ProfilingTimeoutError("profile", 1.0, "partial").partial_results == "partial"
    assert isinstance(DeviceTimeoutError("x", 1), TimeoutError)
