"""The profiler's older exceptions; only the imports name Holdfast."""

import builtins
import pickle

import pytest

from holdfast.compat.tiny_llm_profiler import exceptions as x
from holdfast.errors import InvalidParameterError

PLAIN = (
    "DeviceError NetworkError ResourceError BenchmarkError ValidationError PlatformError "
    "ModelError ProfilingError SecurityError ConfigurationError AnalysisError"
)

# Base, arguments by the names of the details, code.
SPECIAL = {
    "DeviceTimeoutError": ("DeviceError", {"operation": "ping", "timeout_seconds": 2.0},
                           "DEVICE_TIMEOUT"),
    "DeviceNotSupportedError": (
        "PlatformError", {"platform": "z80", "supported_platforms": ["esp32"]},
        "DEVICE_NOT_SUPPORTED"),
    "ModelValidationError": (
        "ModelError", {"model_name": "m", "validation_issues": ["too large"]},
        "MODEL_VALIDATION_FAILED"),
    "ModelCompatibilityError": (
        "ModelError", {"model_name": "m", "platform": "p", "compatibility_issues": ["ram"]},
        "MODEL_COMPATIBILITY_FAILED"),
    "ModelFormatError": (
        "ModelError", {"model_path": "m", "expected_format": "gguf", "detected_format": "?"},
        "MODEL_FORMAT_ERROR"),
    "InsufficientDataError": (
        "ProfilingError", {"metric": "latency", "collected_samples": 1, "required_samples": 3},
        "INSUFFICIENT_DATA"),
    "ProfilerConfigurationError": (
        "ProfilingError", {"parameter": "rate", "value": -1, "reason": "must be positive"},
        "PROFILER_CONFIG_ERROR"),
    "InsufficientMemoryError": (
        "ResourceError", {"required_mb": 9.0, "available_mb": 3.0, "operation": "load"},
        "INSUFFICIENT_MEMORY"),
    "DiskSpaceError": ("ResourceError", {"required_mb": 9.0, "available_mb": 3.0, "path": "/x"},
                       "INSUFFICIENT_DISK_SPACE"),
    "PermissionError": ("ResourceError", {"resource": "port", "operation": "open"},
                        "PERMISSION_DENIED"),
    "UnsafePathError": ("SecurityError", {"path": "..", "reason": "climbs"}, "UNSAFE_PATH"),
    "InputValidationError": (
        "SecurityError", {"parameter": "n", "value": "-1", "validation_rule": "positive"},
        "INPUT_VALIDATION_FAILED"),
    "MissingDependencyError": (
        "ConfigurationError", {"dependency": "x", "install_command": "pip install x"},
        "MISSING_DEPENDENCY"),
    "EnvironmentError": (
        "ConfigurationError", {"environment_issue": "no port", "suggested_fix": "plug it in"},
        "ENVIRONMENT_ERROR"),
    "InsufficientResultsError": (
        "AnalysisError",
        {"analysis_type": "trend", "available_results": 1, "required_results": 5},
        "INSUFFICIENT_RESULTS"),
    "DataCorruptionError": ("AnalysisError", {"data_type": "json", "corruption_details": "cut"},
                            "DATA_CORRUPTION"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN.split())
def test_plain_errors(name):
    error = getattr(x, name)("went wrong", "CODE", {"n": 1})
    assert isinstance(error, x.TinyLLMProfilerError)
    assert error.to_dict() == {
        "error_type": name,
        "message": "went wrong",
        "error_code": "CODE",
        "details": {"n": 1},
    }


@pytest.mark.parametrize("name", SPECIAL)
def test_errors_with_facts(name):
    base, details, code = SPECIAL[name]
    error = getattr(x, name)(*details.values())
    assert isinstance(error, getattr(x, base))
    assert (error.error_code, error.details) == (code, details)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.to_dict()) == (str(error), error.to_dict())


def test_errors_with_a_cause():
    cause = OSError("gone")
    error = x.DeviceConnectionError("/dev/x", "esp32", cause)
    assert error.details == {
        "device_path": "/dev/x",
        "platform": "esp32",
        "original_error": "gone",
    }
    assert x.ModelLoadError("m", "cut", cause).details["original_error"] == "gone"
    for one in (error, x.ProfilingTimeoutError("run", 3)):
        assert str(pickle.loads(pickle.dumps(one))) == str(one)
    assert x.ProfilerError is x.TinyLLMProfilerError
    partial = x.ProfilingTimeoutError("run", 3, {"tokens": 1})
    assert partial.partial_results == {"tokens": 1}
    assert partial.details["partial_results_available"]


def raising(error, decorator):
    @decorator
    def call(*args, **kwargs):
        """Docs."""
        raise error

    assert (call.__name__, call.__doc__) == ("call", "Docs.")
    return call


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError("Permission denied"), "PermissionError"),
        (OSError("read timeout"), "DeviceTimeoutError"),
        (OSError("connection lost"), "DeviceConnectionError"),
        (OSError("no such device"), "DeviceConnectionError"),
        (OSError("?"), "DeviceError"),
    ],
    ids=repr,
)
def test_errors_of_devices_by_their_text(error, kind):
    with pytest.raises(getattr(x, kind)) as raised:
        raising(error, x.handle_device_error)(device="/dev/x", platform="esp32")
    assert type(raised.value).__name__ == kind
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError("x"), "ModelLoadError"),
        (builtins.PermissionError("x"), "ModelLoadError"),
        (x.PermissionError("m", "read"), "ModelLoadError"),
        (ValueError("corrupt header"), "ModelFormatError"),
        (ValueError("x"), "ModelError"),
    ],
    ids=repr,
)
def test_errors_of_models(error, kind):
    with pytest.raises(getattr(x, kind)) as raised:
        raising(error, x.handle_model_error)("m.gguf")
    assert type(raised.value).__name__ == kind
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("decorator", [x.handle_device_error, x.handle_model_error])
def test_own_errors_stay_as_they_are(decorator):
    own = x.DeviceTimeoutError("ping", 2)
    with pytest.raises(x.DeviceTimeoutError) as raised:
        raising(own, decorator)()
    assert raised.value is own


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        (3, {"type": int, "min_value": 1, "max_value": 3}),
        ("abc", {"min_length": 1, "max_length": 3, "allowed_values": ["abc"]}),
        ([1], {"min_items": 1, "max_items": 1}),
        ("models/x.gguf", {"safe_path": True}),
        ("/tmp/x.gguf", {"safe_path": True, "allow_absolute": True}),  # noqa: S108
    ],
)
def test_inputs_that_keep_the_rules(value, rules):
    assert x.validate_input(value, rules, "n") == value


@pytest.mark.parametrize(
    ("value", "rules", "said"),
    [
        ("3", {"type": int}, "must be of type"),
        (0, {"min_value": 1}, "at least 1"),
        (4, {"max_value": 3}, "at most 3"),
        (float("nan"), {"min_value": 1}, "at least 1"),
        ("", {"min_length": 1}, "at least 1 characters"),
        ([1, 2], {"max_items": 1}, "at most 1 items"),
        (5, {"allowed_values": [1, 2]}, "one of"),
        ("../x", {"safe_path": True}, "climb"),
        ("/tmp/x", {"safe_path": True}, "absolute"),  # noqa: S108
    ],
)
def test_inputs_that_break_one(value, rules, said):
    with pytest.raises(x.SecurityError, match=said) as raised:
        x.validate_input(value, rules, "n")
    path = rules.get("safe_path", False)
    assert type(raised.value) is (x.UnsafePathError if path else x.InputValidationError)


def test_a_rule_that_is_none():
    with pytest.raises(InvalidParameterError, match="min_valve"):
        x.validate_input(1, {"min_valve": 0}, "n")


def test_paths(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    assert x.safe_file_path("a/b.txt", base) == str(base.resolve() / "a/b.txt")
    (base / "link").symlink_to("/etc")
    for path in (
        "../x", "a/../../x", tmp_path / "basement/x", "/etc/passwd", "/proc/1/mem",
        "link/passwd", "C:\\Windows\\system.ini", "a\0b", "a\\..\\b",
    ):  # fmt: skip
        with pytest.raises(x.UnsafePathError):
            x.safe_file_path(path, base)
    with pytest.raises(x.UnsafePathError):
        x.safe_file_path("/sys/kernel")
