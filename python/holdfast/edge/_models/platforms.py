"""What a platform offers, and whether a model fits it."""

from __future__ import annotations

import json
import shlex
from copy import deepcopy
from pathlib import Path
from typing import Any

from holdfast.edge._errors import DeviceNotSupportedError, PlatformError
from holdfast.edge._models.platform_table import (
    BOARDS,
    VIRTUAL,
    Architecture,
    MemoryConfiguration,
    PlatformCapabilities,
    PlatformConfig,
)

_TINY_CORES = {Architecture.ARM_CORTEX_M0, Architecture.ARM_CORTEX_M0_PLUS}


def read_platform(path: str | Path) -> PlatformConfig:
    """A platform described in a JSON file.

    Raises
    ------
    PlatformError
        When the file lacks something or says it wrongly.
    """
    try:
        said = json.loads(Path(path).read_text(encoding="utf-8"))
        return PlatformConfig(
            said["name"],
            said["display_name"],
            Architecture(said["architecture"]),
            MemoryConfiguration(**said["memory"]),
            PlatformCapabilities(**said["capabilities"]),
            said["toolchain"],
            said.get("flash_command"),
            said.get("debug_interface"),
            said.get("default_baudrate", 115_200),
            said.get("supported_quantizations", ["4bit"]),
            said.get("optimization_flags", []),
            said.get("link", ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PlatformError(f"{path} does not describe a platform: {error!r}") from error


class PlatformManager:
    """One platform by name.

    Parameters
    ----------
    platform_name : str
        An id of `list_supported_platforms`, `sim-rv32`, `host`, `qemu` or `generic`, or the
        path of a JSON description (ending in `.json`).

    Raises
    ------
    DeviceNotSupportedError
        When there is none of that name. Also a ValueError.
    """

    def __init__(self, platform_name: str) -> None:
        if platform_name.endswith(".json"):
            self.config = read_platform(platform_name)
            self.platform_name = self.config.name
            return
        self.platform_name = platform_name.lower()
        # `sim-rv32-esp32-c3`: a profile of the simulator.
        known = BOARDS | VIRTUAL
        name = "sim-rv32" if self.platform_name.startswith("sim-rv32-") else self.platform_name
        if name not in known:
            raise DeviceNotSupportedError(platform_name, list(known))
        self.config = deepcopy(known[name])
        if name == "sim-rv32":
            self._take_part(self.platform_name.removeprefix("sim-rv32-"))

    def _take_part(self, part: str) -> None:
        from holdfast._core import simulated_profiles

        if (facts := simulated_profiles().get(part)) is not None:
            memory, can = self.config.memory, self.config.capabilities
            memory.ram_kb = facts["ram_bytes"] // 1024
            memory.flash_kb = facts["flash_bytes"] // 1024
            can.max_cpu_freq_mhz = facts["clock_hz"] // 1_000_000

    def get_config(self) -> PlatformConfig:
        """The description of the platform."""
        return self.config

    def get_memory_constraints(self) -> dict[str, int]:
        """Memory in kB; a fifth of the RAM is left to everything else."""
        memory = self.config.memory
        return {
            "total_ram_kb": memory.ram_kb,
            "available_ram_kb": int(memory.ram_kb * 0.8),
            "flash_kb": memory.flash_kb,
            "external_ram_kb": memory.external_ram_kb,
            "cache_kb": memory.cache_kb,
        }

    def get_optimization_recommendations(self, model_size_mb: float) -> dict[str, Any]:
        """Settings for a model of `model_size_mb` MiB; nothing the platform lacks is named."""
        available = self.get_memory_constraints()["available_ram_kb"] / 1024
        ratio = model_size_mb / available
        wanted, context, level = "4bit", 2048, "balanced"
        if ratio > 0.8:  # noqa: PLR2004
            wanted, context, level = "2bit", 512, "aggressive"
        elif ratio > 0.5:  # noqa: PLR2004
            wanted, context, level = "3bit", 1024, "moderate"
        advice: dict[str, Any] = {
            "quantization": wanted,
            "context_length": context,
            "batch_size": 1,
            "use_external_memory": ratio > 0.8 and self.config.memory.external_ram_kb > 0,  # noqa: PLR2004
            "optimization_level": level,
        }
        if self.config.architecture in _TINY_CORES:
            advice |= {"prefer_integer_ops": True, "context_length": min(512, context)}
        elif self.config.capabilities.has_dedicated_ai_accelerator:
            advice["use_ai_accelerator"] = True
        return advice

    def validate_model_compatibility(
        self, model_size_mb: float, quantization: str
    ) -> tuple[bool, list[str]]:
        """Whether a model of `model_size_mb` MiB can be held, and what is against it.

        An unlisted quantisation is named but does not refuse: firmware differs.
        """
        memory = self.config.memory
        room = (
            self.get_memory_constraints()["available_ram_kb"] + memory.external_ram_kb
        ) / 1024
        room = max(room, memory.flash_kb * 0.8 / 1024)
        issues = []
        fits = model_size_mb <= room
        if not fits:
            issues.append(
                f"the model has {model_size_mb:.2f} MB, memory and flash hold {room:.2f} MB: "
                f"{(model_size_mb - room) * 1024:.0f} KB too many"
            )
        if quantization not in self.config.supported_quantizations:
            listed = ", ".join(self.config.supported_quantizations)
            issues.append(f"warning: quantization {quantization} is not usual here ({listed})")
        if self.config.architecture in _TINY_CORES and model_size_mb > 1:
            issues.append("warning: more than 1 MB on a core without divide and FPU is slow")
        return fits, issues

    def flash_arguments(self, firmware_path: str, device_port: str | None = None) -> list[str]:
        """Program and arguments that write `firmware_path`; never meant for a shell.

        Raises
        ------
        PlatformError
            When the platform has no flash tool, or an argument starts with a dash.
        """
        port = device_port or "/dev/ttyUSB0"
        for name, value in (("firmware_path", firmware_path), ("device_port", port)):
            if value.startswith("-") or "\0" in value:
                raise PlatformError(f"{name} must be a path, got {value!r}")
        tool = self.config.flash_command
        after = {
            "esptool.py": [
                "--chip", self.config.name, "--port", port, "write_flash", "0x1000",
                firmware_path,
            ],
            "st-flash": ["write", firmware_path, "0x8000000"],
            "picotool": ["load", firmware_path, "--execute"],
            "nrfjprog": ["--program", firmware_path, "--sectorerase", "--verify", "--reset"],
            "kflash": ["-p", port, "-b", "1500000", firmware_path],
            "blflash": ["flash", firmware_path, "--port", port],
        }  # fmt: skip
        if tool not in after:
            raise PlatformError(f"{self.config.name} has no flash tool")
        return [tool, *after[tool]]

    def get_flash_command(self, firmware_path: str, device_port: str | None = None) -> str:
        """`flash_arguments` as one quoted line, to be read or pasted."""
        if self.config.flash_command is None:
            return f"# {self.config.name} is not flashed from here"
        return shlex.join(self.flash_arguments(firmware_path, device_port))

    def get_build_flags(self) -> list[str]:
        """Compiler flags for the platform."""
        able = self.config.capabilities
        flags = [
            *self.config.optimization_flags,
            f"-DPLATFORM_{self.config.name.upper().replace('-', '_')}",
            f"-DARCH_{self.config.architecture.value.upper()}",
        ]
        for name, has in (
            ("HAS_FPU", able.has_fpu),
            ("HAS_DSP", able.has_dsp),
            ("SUPPORTS_DUAL_CORE", able.supports_dual_core),
            ("HAS_AI_ACCELERATOR", able.has_dedicated_ai_accelerator),
        ):
            if has:
                flags.append(f"-D{name}=1")
        return flags

    @classmethod
    def list_supported_platforms(cls, *, include_virtual: bool = False) -> list[str]:
        """The ids of real boards; `include_virtual` adds those that need no hardware."""
        return [*BOARDS, *(VIRTUAL if include_virtual else ())]

    @classmethod
    def get_platform_info(cls, platform_name: str) -> dict[str, Any] | None:
        """A short description, or None."""
        one = (BOARDS | VIRTUAL).get(platform_name.lower())
        if one is None:
            return None
        return {
            "name": one.name,
            "display_name": one.display_name,
            "architecture": one.architecture.value,
            "ram_kb": one.memory.ram_kb,
            "flash_kb": one.memory.flash_kb,
            "max_freq_mhz": one.capabilities.max_cpu_freq_mhz,
            "has_fpu": one.capabilities.has_fpu,
            "dual_core": one.capabilities.supports_dual_core,
            "ai_accelerator": one.capabilities.has_dedicated_ai_accelerator,
            "supported_quantizations": list(one.supported_quantizations),
        }
