"""The checks before a profile; only the imports name Holdfast."""

from unittest.mock import Mock, patch

import pytest

from holdfast.compat.tiny_llm_profiler.models import QuantizedModel
from holdfast.compat.tiny_llm_profiler.validation import (
    ModelValidator,
    PlatformValidator,
    RobustProfilingWrapper,
    SystemValidator,
    ValidationCategory,
    ValidationIssue,
    ValidationLevel,
    ValidationResult,
)

MIB = 2**20
HERE = "holdfast.compat.tiny_llm_profiler"


def issue(severity, category=ValidationCategory.MODEL):
    return ValidationIssue(category, severity, f"a {severity}")


def test_enumerations():
    assert [one.value for one in ValidationLevel] == ["strict", "moderate", "permissive"]
    assert [one.value for one in ValidationCategory] == [
        "hardware", "model", "platform", "configuration", "environment",
    ]  # fmt: skip


def test_a_result_sorts_its_issues():
    error, warning, info = map(issue, ("error", "warning", "info"))
    found = ValidationResult(False, [error, warning, info])  # noqa: FBT003
    assert (found.errors, found.warnings) == ([error], [warning])
    assert found.has_errors
    assert found.has_warnings
    none = ValidationResult(is_valid=True)
    assert (none.issues, none.has_errors, none.has_warnings) == ([], False, False)
    assert (error.recommendation, error.auto_fix) == (None, None)


@pytest.mark.parametrize(
    ("level", "severity", "valid"),
    [
        ("strict", "warning", False), ("strict", "info", True), ("moderate", "warning", True),
        ("moderate", "error", False), ("permissive", "error", True),
    ],
)  # fmt: skip
def test_the_level_weighs_the_issues(level, severity, valid):
    validator = SystemValidator(ValidationLevel(level))
    with (
        patch.object(validator, "_check_system_memory", return_value=[issue(severity)]),
        patch.object(validator, "_check_disk_space", return_value=[]),
        patch.object(validator, "_check_permissions", return_value=[]),
        patch.object(validator, "_check_python_environment", return_value=[]),
    ):
        found = validator.validate_system()
    assert found.is_valid is valid
    assert len(found.issues) == 1


def test_checks_can_be_replaced_by_mocks():
    names = ("system_memory", "disk_space", "permissions", "python_environment")
    validator = SystemValidator()
    checks = [patch.object(validator, f"_check_{name}") for name in names]
    started = [one.start() for one in checks]
    assert validator.validate_system().is_valid
    for one in started:
        one.assert_called_once()
    for one in checks:
        one.stop()


@pytest.mark.parametrize(
    ("total", "available", "severities"),
    [(8192, 4096, []), (900, 600, ["warning"]), (8192, 400, ["error"]),
     (900, 400, ["warning", "error"])],
)  # fmt: skip
def test_memory(total, available, severities):
    with patch("psutil.virtual_memory") as memory:
        memory.return_value = Mock(total=total * MIB, available=available * MIB)
        found = SystemValidator()._check_system_memory()  # noqa: SLF001
    assert [one.severity for one in found] == severities
    assert all("memory" in one.message for one in found)


def test_disk_and_permissions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with patch("psutil.disk_usage", return_value=Mock(free=100 * MIB)):
        (low,) = SystemValidator()._check_disk_space()  # noqa: SLF001
    assert low.severity == "warning"
    assert SystemValidator()._check_permissions() == []  # noqa: SLF001
    assert list(tmp_path.iterdir()) == []
    for error in (PermissionError("no"), OSError(30, "read-only file system")):
        with patch("pathlib.Path.write_text", side_effect=error):
            (found,) = SystemValidator()._check_permissions()  # noqa: SLF001
        assert found.severity == "error"
        assert "permission" in found.message


@pytest.mark.parametrize(
    ("platform", "device", "severity", "said"),
    [
        ("esp32", None, "error", "no device path"),
        ("esp32", "/dev/ttyUSB77", "error", "not found"),
        ("stm32f4", None, "error", "no device path"),
        ("nrf52840", "/dev/ttyACM77", "error", "not found"),
        ("rp2040", "/dev/ttyACM77", "error", "not found"),
        ("z80", None, "warning", "unknown"),
        ("rpi_zero", None, "warning", "not a rpi_zero"),
    ],
)
def test_platforms(platform, device, severity, said):
    found = PlatformValidator(platform).validate_platform(device)
    assert [one.severity for one in found.issues] == [severity]
    assert said in found.issues[0].message.lower()
    assert found.is_valid is (severity != "error")


def test_a_port_that_cannot_be_opened(tmp_path):
    path = tmp_path / "ttyUSB0"
    path.write_bytes(b"")
    (found,) = PlatformValidator("esp32").validate_platform(str(path)).errors
    assert "cannot connect" in found.message.lower()


@pytest.mark.parametrize("name", ["esp32", "stm32"])
def test_platform_checks_can_be_replaced(name):
    platform = {"stm32": "stm32f4"}.get(name, name)
    with patch.object(PlatformValidator, f"_validate_{name}") as check:
        assert PlatformValidator(platform).validate_platform("/dev/x").is_valid
    check.assert_called_once_with("/dev/x")


@pytest.mark.parametrize(
    ("size", "bits", "platform", "severities", "word"),
    [
        (0.2, "4bit", "esp32", [], ""), (60.0, "4bit", "jetson_nano", ["error"], "large"),
        (12.0, "4bit", "jetson_nano", ["warning"], "large"),
        (0.2, "fp16", "jetson_nano", ["warning"], "precision"),
        (9.0, "4bit", "esp32", ["error"], "exceed"),
        (1.5, "4bit", "stm32f4", ["warning"], "fill"),
    ],
)  # fmt: skip
def test_models(size, bits, platform, severities, word):
    model = QuantizedModel("m", quantization=bits, size_mb=size)
    found = ModelValidator().validate_model(model, platform)
    assert [one.severity for one in found.issues if one.severity != "info"] == severities
    assert not severities or word in found.issues[0].message


def test_a_missing_file_and_a_slow_model():
    model = QuantizedModel("m", model_path="/nowhere/m.gguf")
    assert not ModelValidator().validate_model(model, "esp32").is_valid
    estimate = ModelValidator.estimate_tokens_per_second
    assert estimate(1.0, "4bit", "esp32") == pytest.approx(65.0)
    assert estimate(0.01, "2bit", "stm32f4") == pytest.approx(600.0)
    assert estimate(10.0, "fp32", "nrf52840") == pytest.approx(0.6)


def test_all_checks_at_once():
    model = QuantizedModel("m", size_mb=0.2)
    found = RobustProfilingWrapper().validate_before_profiling(model, "esp32", "/dev/ttyUSB9")
    assert not found.is_valid
    assert any("not found" in one.message for one in found.errors)


def test_a_profile_is_tried_again_after_1_2_and_4_seconds():
    work = Mock(side_effect=[None, ValueError("no"), None, "done"])
    with patch(f"{HERE}._before_profiling.time.sleep") as sleep:
        assert RobustProfilingWrapper(max_retries=4).robust_profile(work, 1, a=2) == "done"
    assert [call.args for call in sleep.call_args_list] == [(1.0,), (2.0,), (4.0,)]
    work.assert_called_with(1, a=2)


def test_the_last_exception_comes_back():
    last = ValueError("second")
    with patch("time.sleep"):
        wrapper = RobustProfilingWrapper(max_retries=2)
        assert wrapper.robust_profile(Mock(side_effect=[OSError("first"), last])) is last
    for wrong in (0, -1, True):
        with pytest.raises(ValueError, match="max_retries"):
            RobustProfilingWrapper(max_retries=wrong)
