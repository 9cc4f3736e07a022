"""A test-suite for the older profiler's platforms; only its imports name Holdfast."""

import pytest

from holdfast.compat.tiny_llm_profiler.platforms import (
    Architecture,
    MemoryConfiguration,
    PlatformCapabilities,
    PlatformConfig,
    PlatformManager,
)

# id, display, RAM, flash, external RAM, cache, MHz, true capabilities, baud, tool, debug, bits
TABLE = [
    ("esp32", "ESP32", 520, 4096, 8192, 0, (10, 240), "fpu dual wifi bt", 921600, "esptool.py",
     "jtag", "2bit 3bit 4bit"),
    ("esp32s3", "ESP32-S3", 512, 8192, 32768, 0, (10, 240), "fpu vector dual wifi bt", 921600,
     "esptool.py", None, "2bit 3bit 4bit 8bit"),
    ("stm32f4", "STM32F4", 192, 2048, 0, 8, (1, 168), "fpu dsp", 115200, "st-flash", "swd",
     "2bit 3bit 4bit"),
    ("stm32f7", "STM32F7", 512, 2048, 0, 32, (1, 216), "fpu dsp", 115200, "st-flash", "swd",
     "2bit 3bit 4bit 8bit"),
    # The Pico's flash is 2 MB; the older table gave what the chip can address.
    ("rp2040", "Raspberry Pi Pico (RP2040)", 264, 2048, 0, 0, (1, 133), "dual", 115200,
     "picotool", "swd", "2bit 3bit 4bit"),
    ("nrf52840", "Nordic nRF52840", 256, 1024, 0, 0, (1, 64), "fpu bt", 115200, "nrfjprog",
     "swd", "2bit 3bit 4bit"),
    ("k210", "Kendryte K210", 8192, 16384, 0, 0, (1, 400), "fpu ai dual", 115200, "kflash",
     "jtag", "2bit 3bit 4bit 8bit"),
    ("bl602", "Bouffalo Lab BL602", 276, 2048, 0, 0, (1, 192), "fpu wifi bt", 2000000, "blflash",
     None, "2bit 3bit 4bit"),
    ("rpi_zero", "Raspberry Pi Zero", 524288, 33554432, 0, 0, (700, 1000), "fpu mmu", 115200,
     None, None, "2bit 3bit 4bit 8bit fp16"),
    ("jetson_nano", "NVIDIA Jetson Nano", 4194304, 33554432, 0, 0, (102, 1479),
     "fpu simd ai dual mmu", 115200, None, None, "2bit 3bit 4bit 8bit fp16"),
]  # fmt: skip
CAPABILITIES = {
    "fpu": "has_fpu", "dsp": "has_dsp", "simd": "has_simd", "vector": "has_vector_unit",
    "ai": "has_dedicated_ai_accelerator", "dual": "supports_dual_core", "wifi": "supports_wifi",
    "bt": "supports_bluetooth",
}  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_the_table(row):
    name, display, ram, flash, external, cache, clock, can, baud, tool, debug, bits = row
    one = PlatformManager(name).get_config()
    able = set(can.split())
    assert (one.name, one.display_name) == (name, display)
    memory = one.memory
    assert (memory.ram_kb, memory.flash_kb) == (ram, flash)
    assert (memory.external_ram_kb, memory.cache_kb) == (external, cache)
    assert (memory.has_psram, memory.has_mmu) == (external > 0, "mmu" in able)
    found = one.capabilities
    assert (found.min_cpu_freq_mhz, found.max_cpu_freq_mhz) == clock
    for word, attribute in CAPABILITIES.items():
        assert getattr(found, attribute) is (word in able), attribute
    assert (one.default_baudrate, one.flash_command, one.debug_interface) == (baud, tool, debug)
    assert one.supported_quantizations == bits.split()
    assert PlatformManager.get_platform_info(name) == {
        "name": name, "display_name": display, "architecture": one.architecture.value,
        "ram_kb": ram, "flash_kb": flash, "max_freq_mhz": clock[1], "has_fpu": "fpu" in able,
        "dual_core": "dual" in able, "ai_accelerator": "ai" in able,
        "supported_quantizations": bits.split(),
    }  # fmt: skip
    assert PlatformManager(name).get_memory_constraints() == {
        "total_ram_kb": ram, "available_ram_kb": int(ram * 0.8), "flash_kb": flash,
        "external_ram_kb": external, "cache_kb": cache,
    }  # fmt: skip


def test_the_listing_has_the_order_of_the_table():
    assert PlatformManager.list_supported_platforms() == [row[0] for row in TABLE]


def test_architectures():
    older = """arm_cortex_m0 arm_cortex_m0_plus arm_cortex_m3 arm_cortex_m4 arm_cortex_m7
    arm_cortex_a7 arm_cortex_a53 xtensa_lx6 xtensa_lx7 riscv_rv32 riscv_rv64 x86_64""".split()
    for value in older:
        assert Architecture[value.upper()].value == value
        assert Architecture(value) == value


def test_parts_have_their_defaults():
    able = PlatformCapabilities()
    assert not any(getattr(able, name) for name in CAPABILITIES.values())
    assert (able.max_cpu_freq_mhz, able.min_cpu_freq_mhz) == (80, 1)
    memory = MemoryConfiguration(100, 200)
    assert (memory.external_ram_kb, memory.cache_kb, memory.has_mmu, memory.has_psram) == (
        0, 0, False, False,
    )  # fmt: skip
    one = PlatformConfig("x", "X", Architecture.X86_64, memory, able, "gcc")
    assert (one.default_baudrate, one.flash_command, one.debug_interface) == (
        115200,
        None,
        None,
    )


def test_an_unknown_platform_is_a_value_error():
    with pytest.raises(ValueError, match="nonsense"):
        PlatformManager("nonsense")
    assert PlatformManager.get_platform_info("nonsense") is None
    assert PlatformManager("ESP32").platform_name == "esp32"


@pytest.mark.parametrize(
    ("platform", "size", "expected"),
    [
        ("esp32", 0.1, ("4bit", 2048, False, "balanced")),
        ("esp32", 0.3, ("3bit", 1024, False, "moderate")),
        ("esp32", 2.0, ("2bit", 512, True, "aggressive")),
        ("stm32f4", 2.0, ("2bit", 512, False, "aggressive")),
        ("rp2040", 0.01, ("4bit", 512, False, "balanced")),
    ],
)
def test_recommendations(platform, size, expected):
    found = PlatformManager(platform).get_optimization_recommendations(size)
    assert (
        found["quantization"], found["context_length"], found["use_external_memory"],
        found["optimization_level"],
    ) == expected  # fmt: skip
    assert found["batch_size"] == 1
    assert found.get("prefer_integer_ops", False) is (platform == "rp2040")
    assert "use_ai_accelerator" not in found
    assert PlatformManager("k210").get_optimization_recommendations(1)["use_ai_accelerator"]


@pytest.mark.parametrize(
    ("platform", "size", "bits", "fits", "words"),
    [
        ("esp32", 0.2, "4bit", True, []),
        ("esp32", 50.0, "4bit", False, ["memory"]),
        ("rp2040", 1.2, "4bit", True, ["1 MB"]),
    ],
)
def test_compatibility(platform, size, bits, fits, words):
    found, issues = PlatformManager(platform).validate_model_compatibility(size, bits)
    assert found is fits
    assert len(issues) == len(words)
    assert all(word in text for word, text in zip(words, issues, strict=True))


@pytest.mark.parametrize(
    ("platform", "port", "command"),
    [
        ("esp32", None, "esptool.py --chip esp32 --port /dev/ttyUSB0 write_flash 0x1000 fw.bin"),
        ("esp32s3", "/dev/ttyACM1",
         "esptool.py --chip esp32s3 --port /dev/ttyACM1 write_flash 0x1000 fw.bin"),
        ("stm32f4", None, "st-flash write fw.bin 0x8000000"),
        ("rp2040", None, "picotool load fw.bin --execute"),
        ("nrf52840", None, "nrfjprog --program fw.bin --sectorerase --verify --reset"),
        ("k210", None, "kflash -p /dev/ttyUSB0 -b 1500000 fw.bin"),
    ],
)  # fmt: skip
def test_flash_commands(platform, port, command):
    assert PlatformManager(platform).get_flash_command("fw.bin", port) == command


def test_a_platform_without_a_flash_tool_gives_a_remark():
    assert PlatformManager("jetson_nano").get_flash_command("fw.bin").startswith("#")


@pytest.mark.parametrize(
    ("platform", "flags"),
    [
        ("esp32", "-O2 -ffast-math -DESP32_OPTIMIZED -DPLATFORM_ESP32 -DARCH_XTENSA_LX6 "
                  "-DHAS_FPU=1 -DSUPPORTS_DUAL_CORE=1"),
        ("stm32f4", "-O2 -mthumb -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16 "
                    "-DPLATFORM_STM32F4 -DARCH_ARM_CORTEX_M4 -DHAS_FPU=1 -DHAS_DSP=1"),
        ("k210", "-O2 -march=rv64imafc -mabi=lp64f -DCONFIG_K210 -DPLATFORM_K210 "
                 "-DARCH_RISCV_RV64 -DHAS_FPU=1 -DSUPPORTS_DUAL_CORE=1 -DHAS_AI_ACCELERATOR=1"),
    ],
)  # fmt: skip
def test_build_flags(platform, flags):
    assert PlatformManager(platform).get_build_flags() == flags.split()
