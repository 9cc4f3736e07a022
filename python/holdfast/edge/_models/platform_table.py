"""Boards and parts: memory, clock, quantisations, tools.

The figures are those that older scripts know; `docs/edge.md` (Platforms) says what each was
checked against and where a maker's own differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Architecture(str, Enum):
    """Instruction set and core."""

    ARM_CORTEX_M0 = "arm_cortex_m0"
    ARM_CORTEX_M0_PLUS = "arm_cortex_m0_plus"
    ARM_CORTEX_M3 = "arm_cortex_m3"
    ARM_CORTEX_M4 = "arm_cortex_m4"
    ARM_CORTEX_M7 = "arm_cortex_m7"
    ARM_CORTEX_A7 = "arm_cortex_a7"
    ARM_CORTEX_A53 = "arm_cortex_a53"
    ARM_CORTEX_A57 = "arm_cortex_a57"
    ARM1176 = "arm1176"
    XTENSA_LX6 = "xtensa_lx6"
    XTENSA_LX7 = "xtensa_lx7"
    RISCV_RV32 = "riscv_rv32"
    RISCV_RV64 = "riscv_rv64"
    X86_64 = "x86_64"


@dataclass
class PlatformCapabilities:
    """What the core can do, and its clock in MHz."""

    has_fpu: bool = False
    has_dsp: bool = False
    has_simd: bool = False
    has_vector_unit: bool = False
    has_dedicated_ai_accelerator: bool = False
    supports_dual_core: bool = False
    supports_wifi: bool = False
    supports_bluetooth: bool = False
    max_cpu_freq_mhz: int = 80
    min_cpu_freq_mhz: int = 1


@dataclass
class MemoryConfiguration:
    """Memory in kB of 1,024 bytes."""

    ram_kb: int
    flash_kb: int
    external_ram_kb: int = 0
    cache_kb: int = 0
    has_mmu: bool = False
    has_psram: bool = False


@dataclass
class PlatformConfig:
    """One platform.

    `link` is how a device of it is reached when none is named: empty for real boards, which
    must be attached.
    """

    name: str
    display_name: str
    architecture: Architecture
    memory: MemoryConfiguration
    capabilities: PlatformCapabilities
    toolchain: str
    flash_command: str | None = None
    debug_interface: str | None = None
    default_baudrate: int = 115_200
    supported_quantizations: list[str] = field(default_factory=lambda: ["4bit"])
    optimization_flags: list[str] = field(default_factory=list)
    link: str = ""


_TO_4 = ["2bit", "3bit", "4bit"]
_TO_8 = [*_TO_4, "8bit"]
_TO_16 = [*_TO_8, "fp16"]
_M4 = ["-O2", "-mthumb", "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]


def _platform(
    name: str,
    display: str,
    architecture: Architecture,
    ram_kb: int,
    flash_kb: int,
    clock: tuple[int, int],
    can: str,
    toolchain: str,
    flags: list[str],
    quantizations: list[str],
    *,
    external_ram_kb: int = 0,
    cache_kb: int = 0,
    baudrate: int = 115_200,
    flash: str | None = None,
    debug: str | None = None,
    link: str = "",
) -> PlatformConfig:
    able = set(can.split())
    return PlatformConfig(
        name,
        display,
        architecture,
        MemoryConfiguration(
            ram_kb, flash_kb, external_ram_kb, cache_kb, "mmu" in able, external_ram_kb > 0
        ),
        PlatformCapabilities(
            has_fpu="fpu" in able,
            has_dsp="dsp" in able,
            has_simd="simd" in able,
            has_vector_unit="vector" in able,
            has_dedicated_ai_accelerator="ai" in able,
            supports_dual_core="dual" in able,
            supports_wifi="wifi" in able,
            supports_bluetooth="bt" in able,
            max_cpu_freq_mhz=clock[1],
            min_cpu_freq_mhz=clock[0],
        ),
        toolchain,
        flash,
        debug,
        baudrate,
        list(quantizations),
        flags,
        link,
    )


BOARDS = {
    one.name: one
    for one in (
        _platform(
            "esp32", "ESP32", Architecture.XTENSA_LX6, 520, 4096, (10, 240),
            "fpu dual wifi bt", "xtensa-esp32-elf",
            ["-O2", "-ffast-math", "-DESP32_OPTIMIZED"], _TO_4,
            external_ram_kb=8192, baudrate=921_600, flash="esptool.py", debug="jtag",
        ),
        _platform(
            "esp32s3", "ESP32-S3", Architecture.XTENSA_LX7, 512, 8192, (10, 240),
            "fpu vector dual wifi bt", "xtensa-esp32s3-elf",
            ["-O2", "-ffast-math", "-DESP32S3_OPTIMIZED", "-DESP_NN"], _TO_8,
            external_ram_kb=32_768, baudrate=921_600, flash="esptool.py",
        ),
        _platform(
            "stm32f4", "STM32F4", Architecture.ARM_CORTEX_M4, 192, 2048, (1, 168),
            "fpu dsp", "arm-none-eabi-gcc", _M4, _TO_4,
            cache_kb=8, flash="st-flash", debug="swd",
        ),
        _platform(
            "stm32f7", "STM32F7", Architecture.ARM_CORTEX_M7, 512, 2048, (1, 216),
            "fpu dsp", "arm-none-eabi-gcc",
            ["-O2", "-mthumb", "-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-d16"], _TO_8,
            cache_kb=32, flash="st-flash", debug="swd",
        ),
        # The Pico carries 2 MB; the chip itself can address 16.
        _platform(
            "rp2040", "Raspberry Pi Pico (RP2040)", Architecture.ARM_CORTEX_M0_PLUS,
            264, 2048, (1, 133), "dual", "arm-none-eabi-gcc",
            ["-O2", "-mthumb", "-mcpu=cortex-m0plus"], _TO_4, flash="picotool", debug="swd",
        ),
        _platform(
            "nrf52840", "Nordic nRF52840", Architecture.ARM_CORTEX_M4, 256, 1024, (1, 64),
            "fpu bt", "arm-none-eabi-gcc", _M4, _TO_4, flash="nrfjprog", debug="swd",
        ),
        _platform(
            "k210", "Kendryte K210", Architecture.RISCV_RV64, 8192, 16_384, (1, 400),
            "fpu ai dual", "riscv64-unknown-elf-gcc",
            ["-O2", "-march=rv64imafc", "-mabi=lp64f", "-DCONFIG_K210"], _TO_8,
            flash="kflash", debug="jtag",
        ),
        _platform(
            "bl602", "Bouffalo Lab BL602", Architecture.RISCV_RV32, 276, 2048, (1, 192),
            "fpu wifi bt", "riscv32-unknown-elf-gcc",
            ["-O2", "-march=rv32imafc", "-mabi=ilp32f"], _TO_4,
            baudrate=2_000_000, flash="blflash",
        ),
        _platform(
            "rpi_zero", "Raspberry Pi Zero", Architecture.ARM1176, 524_288, 33_554_432,
            (700, 1000), "fpu mmu", "arm-linux-gnueabihf-gcc",
            ["-O2", "-mcpu=arm1176jzf-s", "-mfloat-abi=hard", "-mfpu=vfp"], _TO_16,
        ),
        _platform(
            "jetson_nano", "NVIDIA Jetson Nano", Architecture.ARM_CORTEX_A57,
            4_194_304, 33_554_432, (102, 1479), "fpu simd ai dual mmu",
            "aarch64-linux-gnu-gcc", ["-O2", "-mcpu=cortex-a57", "-mtune=cortex-a57"], _TO_16,
        ),
    )
}  # fmt: skip

VIRTUAL = {
    one.name: one
    for one in (
        _platform(
            "sim-rv32", "Simulated RISC-V part", Architecture.RISCV_RV32, 256, 2048, (1, 160),
            "", "riscv32imc", [], _TO_16, link="sim://generic-rv32",
        ),
        _platform(
            "host", "This machine", Architecture.X86_64, 16_777_216, 33_554_432, (1, 6000),
            "fpu simd dual mmu", "host", [], _TO_16, link="host://",
        ),
        _platform(
            "qemu", "QEMU Cortex-M board", Architecture.ARM_CORTEX_M4, 16_384, 4096, (1, 25),
            "fpu dsp", "arm-none-eabi", [], _TO_16, link="qemu://mps2-an386",
        ),
        _platform(
            "generic", "Anything that streams tokens", Architecture.X86_64,
            16_777_216, 33_554_432, (1, 6000), "", "none", [], _TO_16,
        ),
    )
}  # fmt: skip
