"""Checks of the machine, the platform and the model; each says what it found."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.compat._machine import find_psutil
from holdfast.compat.tiny_llm_profiler._issues import (
    ValidationCategory,
    ValidationIssue,
    ValidationLevel,
    ValidationResult,
    judged,
)
from holdfast.edge import EdgeError, PlatformManager
from holdfast.edge._links.channels import open_link
from holdfast.edge._measurement.own_process import host_memory
from holdfast.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIB, _GIB = 2.0**20, 2.0**30
_REQUIRED = ("numpy",)
_OPTIONAL = ("serial", "psutil", "plotly")
_BITS = {"2bit": 2.0, "3bit": 1.6, "4bit": 1.3, "8bit": 1.0, "fp16": 0.8, "fp32": 0.4}
_SPEED = {
    "esp32": 1.0, "esp32s3": 1.2, "stm32f4": 0.6, "stm32f7": 0.8, "rp2040": 0.5,
    "nrf52840": 0.3, "rpi_zero": 2.0, "jetson_nano": 10.0,
}  # fmt: skip
_PICO_PORTS = ("/dev/ttyACM0", "/dev/ttyACM1", "/dev/ttyUSB0")
_LINUX = {"rpi_zero": "BCM", "jetson_nano": "tegra"}


class _Found:
    """Issues of one category as they are found."""

    def __init__(self, category: ValidationCategory) -> None:
        self._category = category

    def __call__(
        self, severity: str, message: str, recommendation: str | None = None
    ) -> ValidationIssue:
        return ValidationIssue(self._category, severity, message, recommendation)


def _listed(found: object) -> list[ValidationIssue]:
    """Issues; what a test puts in the place of a check finds none."""
    return found if isinstance(found, list) else []


class SystemValidator:
    """Whether this machine can take a profile."""

    def __init__(self, validation_level: ValidationLevel = ValidationLevel.MODERATE) -> None:
        self.validation_level = ValidationLevel(validation_level)

    def validate_system(self) -> ValidationResult:
        """Memory, disk, permissions and Python."""
        checks = (
            self._check_system_memory,
            self._check_disk_space,
            self._check_permissions,
            self._check_python_environment,
        )
        issues = [issue for check in checks for issue in _listed(check())]
        return judged(issues, self.validation_level)

    def _check_system_memory(self) -> list[ValidationIssue]:
        found, psutil = _Found(ValidationCategory.HARDWARE), find_psutil()
        if psutil is not None:
            memory = psutil.virtual_memory()
            total, available = memory.total / _MIB, memory.available / _MIB
        else:
            percent, free = host_memory()
            if percent is None or free is None:
                return []
            available = free
            total = free / (1.0 - percent / 100.0) if percent < 100 else free  # noqa: PLR2004
        issues = []
        if total < 1024:  # noqa: PLR2004
            issues.append(found("warning", f"low total memory: {total:.0f} MB"))
        if available < 512:  # noqa: PLR2004
            text = f"insufficient available memory: {available:.0f} MB"
            issues.append(found("error", text, "close other programs"))
        return issues

    def _check_disk_space(self) -> list[ValidationIssue]:
        found = _Found(ValidationCategory.HARDWARE)
        usage = getattr(find_psutil() or shutil, "disk_usage")  # noqa: B009 (of either)
        try:
            free = usage(str(Path.cwd())).free / _GIB
        except OSError as error:
            return [found("warning", f"disk space cannot be read: {error}")]
        text = f"low disk space: {free:.2f} GB are free"
        return [found("warning", text)] if free < 1 else []

    def _check_permissions(self) -> list[ValidationIssue]:
        found, probe = _Found(ValidationCategory.ENVIRONMENT), Path(".holdfast_probe")
        try:
            probe.write_text("test")
            probe.unlink()
        except OSError as error:
            text = f"no permission to write to {Path.cwd()}: {error}"
            return [found("error", text, "work in another folder")]
        return []

    def _check_python_environment(self) -> list[ValidationIssue]:
        found, issues = _Found(ValidationCategory.ENVIRONMENT), []
        version = tuple(sys.version_info[:2])
        if version < (3, 10):
            text = f"Python {'.'.join(map(str, version))} is older than 3.10"
            issues.append(found("error", text, "install Python 3.10 or later"))
        for names, severity in ((_REQUIRED, "error"), (_OPTIONAL, "info")):
            for name in names:
                if importlib.util.find_spec(name) is None:
                    text = f"{name} is not installed"
                    issues.append(found(severity, text, f"pip install {name}"))
        return issues


class PlatformValidator:
    """Whether a platform is known and its device is there."""

    def __init__(
        self, platform: str, validation_level: ValidationLevel = ValidationLevel.MODERATE
    ) -> None:
        self.platform = platform.lower()
        self.validation_level = ValidationLevel(validation_level)

    def validate_platform(self, device_path: str | None = None) -> ValidationResult:
        """Look for the device; a port is opened, and nothing is sent."""
        name = self.platform
        if name.startswith("esp32"):
            issues = self._validate_esp32(device_path)
        elif name.startswith("stm32"):
            issues = self._validate_stm32(device_path)
        elif name == "rp2040":
            issues = self._validate_rp2040(device_path)
        elif name in _LINUX:
            issues = self._validate_linux_board()
        elif PlatformManager.get_platform_info(name) is not None:
            issues = self._validate_board(device_path)
        else:
            found = _Found(ValidationCategory.PLATFORM)
            issues = [found("warning", f"Unknown platform: {self.platform}")]
        return judged(_listed(issues), self.validation_level)

    def _validate_board(self, device_path: str | None) -> list[ValidationIssue]:
        found = _Found(ValidationCategory.HARDWARE)
        if not device_path:
            return [found("error", "No device path given", "name the port of the board")]
        if not Path(device_path).exists():
            return [found("error", f"Device not found: {device_path}", "plug it in")]
        return []

    def _validate_stm32(self, device_path: str | None) -> list[ValidationIssue]:
        return self._validate_board(device_path)

    def _validate_esp32(self, device_path: str | None) -> list[ValidationIssue]:
        issues = self._validate_board(device_path)
        if issues or device_path is None:
            return issues
        try:
            open_link(
                device_path, baudrate=921_600, connection_timeout=2.0, write_timeout=2.0,
                control_lines="none",
            ).close()  # fmt: skip
        except (HoldfastError, OSError) as error:
            found = _Found(ValidationCategory.HARDWARE)
            return [found("error", f"Cannot connect to {device_path}: {error}")]
        return []

    def _validate_rp2040(self, device_path: str | None) -> list[ValidationIssue]:
        if device_path:
            return self._validate_board(device_path)
        if any(Path(port).exists() for port in _PICO_PORTS):
            return []
        found = _Found(ValidationCategory.HARDWARE)
        return [found("warning", f"Device not found at {', '.join(_PICO_PORTS)}")]

    def _validate_linux_board(self) -> list[ValidationIssue]:
        found = _Found(ValidationCategory.HARDWARE)
        try:
            text = Path("/proc/cpuinfo").read_text()
            text += "".join(
                path.read_text(errors="replace")
                for path in [Path("/proc/device-tree/compatible")]
                if path.exists()
            )
        except OSError as error:
            return [found("warning", f"the processor cannot be told: {error}")]
        if _LINUX[self.platform].lower() in text.lower():
            return []
        return [found("warning", f"this machine is not a {self.platform}")]


class ModelValidator:
    """Whether a model suits a platform."""

    def __init__(self, validation_level: ValidationLevel = ValidationLevel.MODERATE) -> None:
        self.validation_level = ValidationLevel(validation_level)

    def validate_model(self, model: Any, platform: str) -> ValidationResult:
        """Its file, size, precision and place on the platform."""
        return judged(self._issues(model, platform.lower()), self.validation_level)

    def _issues(self, model: Any, platform: str) -> Iterator[ValidationIssue]:
        found = _Found(ValidationCategory.MODEL)
        path = getattr(model, "model_path", None)
        if isinstance(path, (str, Path)) and not Path(path).exists():
            yield found("error", f"Model file not found: {path}")
        size = float(model.size_mb)
        if size > 50:  # noqa: PLR2004
            yield found("error", f"the model is too large: {size:.1f} MB")
        elif size > 10:  # noqa: PLR2004
            yield found("warning", f"the model is large: {size:.1f} MB")
        bits = str(getattr(model.quantization, "value", model.quantization))
        if bits in {"fp16", "fp32"}:
            text = f"{bits} is a high precision for a small device"
            yield found("warning", text, "quantise to 8 bits or fewer")
        yield from self._fits(size, platform)
        rate = self.estimate_tokens_per_second(size, bits, platform)
        if rate < 1:
            yield found("warning", f"about {rate:.1f} tokens/s are to be expected")
        elif rate < 5:  # noqa: PLR2004
            yield found("info", f"about {rate:.1f} tokens/s are to be expected")

    def _fits(self, size_mb: float, platform: str) -> Iterator[ValidationIssue]:
        found = _Found(ValidationCategory.PLATFORM)
        try:
            memory = PlatformManager(platform).get_memory_constraints()
        except EdgeError:
            return
        flash = memory["flash_kb"] / 1024
        ram = (memory["available_ram_kb"] + memory["external_ram_kb"]) / 1024
        room = max(ram, 0.8 * flash)
        if size_mb > room:
            yield found(
                "error",
                f"{size_mb:.2f} MB exceed memory and flash of {platform}, {room:.2f} MB",
                "fewer bits or a smaller model",
            )
        elif size_mb > 0.8 * room:
            yield found("warning", f"{size_mb:.2f} MB nearly fill the memory of {platform}")

    @staticmethod
    def estimate_tokens_per_second(size_mb: float, bits: str, platform: str) -> float:
        """A rule of thumb before anything is measured: 50/MB, times board, times bits."""
        return 50.0 / max(size_mb, 0.1) * _SPEED.get(platform, 1.0) * _BITS.get(bits, 1.0)
