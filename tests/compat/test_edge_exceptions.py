"""A test-suite for the older profiler's exceptions; only its imports name Holdfast."""

import builtins
import pickle

import pytest

from holdfast.compat.tiny_llm_profiler import exceptions as ex
from holdfast.edge import PowerProfiler, PowerSensor

# class, base, arguments, code, keys of details
TABLE = [
    ("DeviceConnectionError", "DeviceError", ("/dev/x", "esp32", ValueError("no")),
     "DEVICE_CONNECTION_FAILED", "device_path platform original_error"),
    ("DeviceTimeoutError", "DeviceError", ("ping", 3.0), "DEVICE_TIMEOUT",
     "operation timeout_seconds"),
    ("DeviceNotSupportedError", "DeviceError", ("z80", ["esp32"]), "DEVICE_NOT_SUPPORTED",
     "platform supported_platforms"),
    ("ModelLoadError", "ModelError", ("m.gguf", "gone"), "MODEL_LOAD_FAILED",
     "model_path reason original_error"),
    ("ModelValidationError", "ModelError", ("m", ["big"]), "MODEL_VALIDATION_FAILED",
     "model_name validation_issues"),
    ("ModelCompatibilityError", "ModelError", ("m", "esp32", ["big"]),
     "MODEL_COMPATIBILITY_FAILED", "model_name platform compatibility_issues"),
    ("ModelFormatError", "ModelError", ("m", "gguf", "zip"), "MODEL_FORMAT_ERROR",
     "model_path expected_format detected_format"),
    ("ProfilingTimeoutError", "ProfilingError", ("run", 3.0, {"a": 1}), "PROFILING_TIMEOUT",
     "operation timeout_seconds partial_results_available"),
    ("InsufficientDataError", "ProfilingError", ("ttft", 1, 6), "INSUFFICIENT_DATA",
     "metric collected_samples required_samples"),
    ("ProfilerConfigurationError", "ProfilingError", ("seed", -1, "must be positive"),
     "PROFILER_CONFIG_ERROR", "parameter value reason"),
    ("InsufficientMemoryError", "ResourceError", (3.0, 1.0, "load"), "INSUFFICIENT_MEMORY",
     "required_mb available_mb operation"),
    ("DiskSpaceError", "ResourceError", (3.0, 1.0, "/tmp"), "INSUFFICIENT_DISK_SPACE",
     "required_mb available_mb path"),
    ("PermissionError", "ResourceError", ("port", "open"), "PERMISSION_DENIED",
     "resource operation"),
    ("UnsafePathError", "SecurityError", ("../x", "no"), "UNSAFE_PATH", "path reason"),
    ("InputValidationError", "SecurityError", ("p", 3, "max_value=2"),
     "INPUT_VALIDATION_FAILED", "parameter value validation_rule"),
    ("MissingDependencyError", "ConfigurationError", ("x", "pip install x"),
     "MISSING_DEPENDENCY", "dependency install_command"),
    ("EnvironmentError", "ConfigurationError", ("no venv",), "ENVIRONMENT_ERROR",
     "environment_issue suggested_fix"),
    ("InsufficientResultsError", "AnalysisError", ("trend", 1, 3), "INSUFFICIENT_RESULTS",
     "analysis_type available_results required_results"),
    ("DataCorruptionError", "AnalysisError", ("records", "cut"), "DATA_CORRUPTION",
     "data_type corruption_details"),
]  # fmt: skip
PLAIN = """DeviceError NetworkError ResourceError BenchmarkError ValidationError PlatformError
ModelError ProfilingError SecurityError ConfigurationError AnalysisError""".split()


@pytest.mark.parametrize(("name", "base", "arguments", "code", "keys"), TABLE)
def test_the_table(name, base, arguments, code, keys):
    error = getattr(ex, name)(*arguments)
    assert isinstance(error, getattr(ex, base))
    assert isinstance(error, ex.TinyLLMProfilerError)
    assert error.error_code == code
    assert list(error.details) == keys.split()
    assert str(error) == error.message
    assert error.to_dict() == {
        "error_type": name, "message": error.message, "error_code": code,
        "details": error.details,
    }  # fmt: skip
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), back.to_dict()) == (type(error), error.to_dict())


@pytest.mark.parametrize("name", PLAIN)
def test_plain_errors_take_message_code_and_details(name):
    error = getattr(ex, name)("text", "CODE", {"a": 1})
    assert (error.message, error.error_code, error.details) == ("text", "CODE", {"a": 1})
    assert getattr(ex, name)("text").error_code is None


def test_older_spellings():
    assert ex.ProfilerError is ex.TinyLLMProfilerError
    assert not issubclass(ex.PermissionError, builtins.PermissionError)
    assert ex.ProfilingTimeoutError("x", 1.0, {"a": 1}).partial_results == {"a": 1}
    assert sorted(ex.__all__) == ex.__all__
    assert all(hasattr(ex, name) for name in ex.__all__)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (OSError("Permission denied"), "PermissionError"),
        (builtins.PermissionError("no"), "PermissionError"),
        (RuntimeError("read timeout"), "DeviceTimeoutError"),
        (RuntimeError("Connection lost"), "DeviceConnectionError"),
        (RuntimeError("no such device"), "DeviceConnectionError"),
        (RuntimeError("odd"), "DeviceError"),
        (ex.ModelError("typed"), "ModelError"),
    ],
)
def test_errors_of_devices(raised, kind):
    @ex.handle_device_error
    def talk(*, device=None, platform=None):
        """Talk."""
        raise raised

    assert (talk.__name__, talk.__doc__) == ("talk", "Talk.")
    with pytest.raises(getattr(ex, kind)) as caught:
        talk(device="/dev/x", platform="esp32")
    assert type(caught.value) is getattr(ex, kind)
    if kind == "DeviceConnectionError":
        assert caught.value.details["device_path"] == "/dev/x"


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (FileNotFoundError("gone"), "ModelLoadError"), (builtins.PermissionError("no"), "ModelLoadError"),
        (ex.PermissionError("m", "read"), "ModelLoadError"), (ValueError("bad format"), "ModelFormatError"),
        (ValueError("corrupt"), "ModelFormatError"), (ValueError("odd"), "ModelError"),
        (ex.DeviceError("typed"), "DeviceError"),
    ],
)  # fmt: skip
def test_errors_of_models(raised, kind):
    @ex.handle_model_error
    def load():
        raise raised

    with pytest.raises(ex.TinyLLMProfilerError) as caught:
        load()
    assert type(caught.value) is getattr(ex, kind)


def test_wrapped_functions_return_what_they_did():
    assert ex.handle_device_error(lambda x: x + 1)(1) == 2
    assert ex.handle_model_error(lambda x: x + 1)(1) == 2


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        (3, {"type": int, "min_value": 3, "max_value": 3}),
        ("abc", {"type": str, "min_length": 3, "max_length": 3}),
        ([1], {"type": list, "min_items": 1, "max_items": 1}),
        ("a", {"allowed_values": ["a", "b"]}),
        (2, {"allowed_values": [1, 2]}),
        ("models/m.gguf", {"safe_path": True}),
        ("/tmp/m.gguf", {"safe_path": True, "allow_absolute": True}),
    ],
)
def test_inputs_that_keep_the_rules_are_given_back(value, rules):
    assert ex.validate_input(value, rules, "p") == value


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        ("3", {"type": int}), (2, {"min_value": 3}), (4, {"max_value": 3}),
        (float("nan"), {"min_value": 0}), ("ab", {"min_length": 3}), ("abcd", {"max_length": 3}),
        ([], {"min_items": 1}), ([1, 2], {"max_items": 1}), ("c", {"allowed_values": ["a"]}),
        (3, {"allowed_values": [1]}),
    ],
)  # fmt: skip
def test_inputs_that_break_a_rule_name_it(value, rules):
    with pytest.raises(ex.InputValidationError, match="p must keep") as caught:
        ex.validate_input(value, rules, "p")
    assert caught.value.details["parameter"] == "p"


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("../x", None), ("a/../../x", None), ("/etc/passwd", None), ("/proc/1/mem", None),
        ("C:\\Windows\\x", None), ("/tmp/basement/x", "/tmp/base"), ("a\\..\\b", None),
    ],
)  # fmt: skip
def test_unsafe_paths(path, base):
    with pytest.raises(ex.UnsafePathError):
        ex.safe_file_path(path, base)


def test_links_are_followed_out_of_the_base(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "base" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ex.UnsafePathError, match="must lie in"):
        ex.safe_file_path("link", str(tmp_path / "base"))
    assert ex.safe_file_path("m.gguf", str(tmp_path / "base")) == str(
        tmp_path / "base" / "m.gguf"
    )
    with pytest.raises(ex.UnsafePathError):
        ex.validate_input("/abs", {"safe_path": True}, "p")


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
