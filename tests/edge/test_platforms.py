import json

import pytest

from holdfast.edge import (
    DeviceNotSupportedError,
    ModelCompatibilityError,
    PlatformError,
    PlatformManager,
    QuantizedModel,
    check_fit,
    require_fit,
)

BOARDS = [
    "esp32", "esp32s3", "stm32f4", "stm32f7", "rp2040", "nrf52840", "k210", "bl602", "rpi_zero",
    "jetson_nano",
]  # fmt: skip


def test_boards_come_in_the_order_of_the_table():
    assert PlatformManager.list_supported_platforms() == BOARDS
    assert "sim-rv32" in PlatformManager.list_supported_platforms(include_virtual=True)


@pytest.mark.parametrize(
    ("name", "ram", "flash", "clock", "baud"),
    [
        ("esp32", 520, 4096, 240, 921_600), ("stm32f4", 192, 2048, 168, 115_200),
        ("nrf52840", 256, 1024, 64, 115_200), ("bl602", 276, 2048, 192, 2_000_000),
        ("rp2040", 264, 2048, 133, 115_200),
    ],
)  # fmt: skip
def test_facts_of_boards(name, ram, flash, clock, baud):
    info = PlatformManager.get_platform_info(name)
    assert (info["ram_kb"], info["flash_kb"], info["max_freq_mhz"]) == (ram, flash, clock)
    assert PlatformManager(name.upper()).get_config().default_baudrate == baud


def test_an_unknown_platform_is_named_with_the_known_ones():
    with pytest.raises(DeviceNotSupportedError, match=r"esp99.*esp32s3") as caught:
        PlatformManager("esp99")
    assert isinstance(caught.value, ValueError)
    assert PlatformManager.get_platform_info("esp99") is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "sim-rv33"])
def test_a_name_is_never_taken_for_a_path(name):
    with pytest.raises(DeviceNotSupportedError):
        PlatformManager(name)


def test_a_platform_can_be_described_in_a_file(tmp_path):
    file = tmp_path / "mine.json"
    said = {
        "name": "mine", "display_name": "Mine", "architecture": "riscv_rv32",
        "memory": {"ram_kb": 100, "flash_kb": 200}, "capabilities": {"has_fpu": True},
        "toolchain": "gcc",
    }  # fmt: skip
    file.write_text(json.dumps(said))
    assert PlatformManager(str(file)).get_memory_constraints()["available_ram_kb"] == 80
    file.write_text(json.dumps(said | {"architecture": "z80"}))
    with pytest.raises(PlatformError, match="z80"):
        PlatformManager(str(file))


def test_flash_commands_are_arguments_and_hostile_names_stay_one_argument():
    board = PlatformManager("esp32")
    hostile = "fw.bin; rm -rf $(HOME)"
    arguments = board.flash_arguments(hostile, "/dev/ttyUSB1")
    assert arguments == [
        "esptool.py", "--chip", "esp32", "--port", "/dev/ttyUSB1", "write_flash", "0x1000",
        hostile,
    ]  # fmt: skip
    assert "'fw.bin; rm -rf $(HOME)'" in board.get_flash_command(hostile)
    with pytest.raises(PlatformError, match="firmware_path"):
        board.flash_arguments("--erase-all")
    assert PlatformManager("rpi_zero").get_flash_command("x").startswith("#")


def test_build_flags_end_with_what_the_platform_has():
    flags = PlatformManager("rp2040").get_build_flags()
    assert flags == [
        "-O2", "-mthumb", "-mcpu=cortex-m0plus", "-DPLATFORM_RP2040",
        "-DARCH_ARM_CORTEX_M0_PLUS", "-DSUPPORTS_DUAL_CORE=1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("size", "bits", "level"),
    [(0.05, "4bit", "balanced"), (0.25, "3bit", "moderate"), (0.4, "2bit", "aggressive")],
)
def test_recommendations_follow_the_share_of_memory(size, bits, level):
    advice = PlatformManager("esp32").get_optimization_recommendations(size)
    assert (advice["quantization"], advice["optimization_level"]) == (bits, level)


def test_an_accelerator_does_not_raise_the_bits_of_what_does_not_fit():
    advice = PlatformManager("k210").get_optimization_recommendations(7.0)
    assert advice["quantization"] == "2bit"
    assert advice["use_ai_accelerator"]


def test_a_model_that_cannot_fit_is_refused_by_how_much():
    big = QuantizedModel("big", size_mb=0.3, context_length=4096)
    fit = check_fit(big, PlatformManager("nrf52840"))
    assert not fit.fits
    assert fit.placement == "flash"
    needs = big.get_memory_requirements("nrf52840")
    expected = needs["total_estimated_kb"] - needs["model_weights_kb"] - int(256 * 0.8)
    assert fit.over_by_kb == pytest.approx(expected)
    with pytest.raises(ModelCompatibilityError, match=f"{expected:.0f} KB too many"):
        require_fit(big, PlatformManager("nrf52840"))


def test_quantisation_only_warns():
    model = QuantizedModel("small", quantization="fp16", size_mb=0.1, context_length=8)
    fit = require_fit(model, PlatformManager("nrf52840"))
    assert fit.fits
    assert "fp16" in fit.warnings[0]
    assert PlatformManager("nrf52840").validate_model_compatibility(0.1, "fp16")[0]


def test_weights_larger_than_flash_must_fit_the_ram():
    model = QuantizedModel("wide", size_mb=5, context_length=8)
    assert check_fit(model, PlatformManager("esp32")).placement == "ram"
    assert not check_fit(model, PlatformManager("stm32f4")).fits


def test_a_simulated_part_has_the_figures_of_the_simulator():
    from holdfast._core import simulated_profiles

    for name, facts in simulated_profiles().items():
        found = PlatformManager(f"sim-rv32-{name}").get_config()
        memory = found.memory
        assert memory.ram_kb * 1024 == facts["ram_bytes"]
        assert memory.flash_kb * 1024 == facts["flash_bytes"]
        assert found.capabilities.max_cpu_freq_mhz * 1e6 == facts["clock_hz"]
    generic = PlatformManager("sim-rv32-generic-rv32").get_config()
    assert PlatformManager("sim-rv32").get_config().memory == generic.memory
