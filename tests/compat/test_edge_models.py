"""A test-suite for the older profiler's models; only its imports name Holdfast."""

import json
import struct

import numpy as np
import pytest

from holdfast.compat.tiny_llm_profiler.models import (
    ModelFormat,
    ModelMetadata,
    QuantizationType,
    QuantizedModel,
)


def test_enumerations():
    found = {one.name: one.value for one in QuantizationType}
    assert found == {
        "INT2": "2bit", "INT3": "3bit", "INT4": "4bit", "INT8": "8bit", "FLOAT16": "fp16",
        "FLOAT32": "fp32",
    }  # fmt: skip
    assert {one.name: one.value for one in ModelFormat} == {
        "GGUF": "gguf", "GGML": "ggml", "SAFETENSORS": "safetensors", "PYTORCH": "pytorch",
        "CUSTOM_BIN": "custom_bin",
    }  # fmt: skip
    assert QuantizationType.INT4 == "4bit"


def test_metadata_by_position():
    one = ModelMetadata("m", "llama", 32000, 2048, 100, QuantizationType.INT4, ModelFormat.GGUF)
    assert one.creation_date is one.author is one.license is None


def test_a_model_with_defaults():
    one = QuantizedModel("test")
    assert (one.name, one.model_path, one.vocab_size, one.context_length) == (
        "test",
        None,
        32000,
        2048,
    )
    assert one.quantization is QuantizationType.INT4
    assert one.weights is one.metadata is None
    assert one.config == {}
    assert (one.size_mb, one.parameter_count) == (0.0, 0)


@pytest.mark.parametrize("bits", ["2bit", "3bit", "4bit", "8bit", "fp16", 4])
def test_quantisation_by_text_or_number(bits):
    assert isinstance(QuantizedModel("m", quantization=bits).quantization, QuantizationType)


@pytest.mark.parametrize("bits", ["invalid", "5bit", 6])
def test_other_quantisations_are_value_errors(bits):
    with pytest.raises(ValueError, match="quantization"):
        QuantizedModel("m", quantization=bits)


def test_size_is_honoured_and_other_keywords_are_kept():
    one = QuantizedModel("m", size_mb=2.5, architecture="llama")
    assert one.size_mb == 2.5
    assert one.config == {"architecture": "llama"}


def test_a_missing_path_is_noticed_when_it_is_loaded(tmp_path):
    one = QuantizedModel("m", tmp_path / "none.gguf")
    with pytest.raises(FileNotFoundError):
        one.load()
    two = QuantizedModel.from_file(tmp_path / "none.gguf", quantization="2bit")
    assert (two.name, two.quantization, two.size_mb) == ("none", QuantizationType.INT2, 0.0)
    with pytest.raises(FileNotFoundError):
        two.load()


@pytest.mark.parametrize(
    "name", ["m.gguf", "M.GGUF", "m.ggml", "m.safetensors", "m.pt", "m.pth"]
)
def test_files_of_another_kind_are_value_errors(tmp_path, name):
    (tmp_path / name).write_bytes(b"WRONG" * 10)
    with pytest.raises(ValueError, match="expected"):
        QuantizedModel("m", tmp_path / name)


def test_the_older_container_is_read(tmp_path):
    header = {"name": "inside", "architecture": "llama", "quantization": "2bit", "vocab_size": 10,
              "context_length": 20, "parameter_count": 77, "format_version": "1.0"}  # fmt: skip
    text = json.dumps(header).encode()
    (tmp_path / "m.bin").write_bytes(struct.pack("<I", len(text)) + text)
    one = QuantizedModel.from_file(tmp_path / "m.bin", vocab_size=5)
    assert (one.name, one.vocab_size, one.context_length) == ("inside", 10, 20)
    assert one.quantization is QuantizationType.INT2
    assert (one.metadata.architecture, one.parameter_count) == ("llama", 77)


def test_a_header_that_cannot_be_parsed_leaves_what_was_given(tmp_path):
    (tmp_path / "m.bin").write_bytes(struct.pack("<I", 4) + b"\xff\xfe\xfd\xfc" + b"\0" * 100)
    one = QuantizedModel.from_file(tmp_path / "m.bin", vocab_size=5)
    assert (one.name, one.vocab_size) == ("m", 5)


def test_the_container_is_written_as_it_was(tmp_path):
    one = QuantizedModel("m", vocab_size=100)
    one.weights = {"w": np.ones((2, 3), np.float32)}
    one.export(tmp_path / "m.bin")
    data = (tmp_path / "m.bin").read_bytes()
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    assert set(header) >= {
        "name", "architecture", "quantization", "vocab_size", "context_length",
        "parameter_count", "format_version",
    }  # fmt: skip
    at = 4 + length
    assert struct.unpack_from("<I", data, at) == (1,)
    assert data[at + 4 : at + 5] == b"w"
    assert struct.unpack_from("<III", data, at + 5) == (2, 2, 3)
    assert data[at + 17 :] == one.weights["w"].tobytes()


def test_a_model_without_weights_is_a_header_and_logged(tmp_path, caplog):
    QuantizedModel("m", vocab_size=100).export(output_path=tmp_path / "m.bin")
    assert "no weights" in caplog.text
    assert QuantizedModel.from_file(tmp_path / "m.bin").vocab_size == 100


@pytest.mark.parametrize(
    "kind", [ModelFormat.GGUF, ModelFormat.SAFETENSORS, ModelFormat.PYTORCH]
)
def test_other_containers_are_value_errors(tmp_path, kind):
    with pytest.raises(ValueError, match="format"):
        QuantizedModel("m").export(tmp_path / "m.x", kind)


@pytest.mark.parametrize(
    ("bits", "count"),
    [("2bit", 4_194_304), ("4bit", 2_097_152), ("8bit", 1_048_576), ("fp16", 524_288)],
)
def test_parameters_follow_from_size_and_bits(bits, count):
    assert QuantizedModel("m", quantization=bits, size_mb=1.0).parameter_count == count


def test_weights_count_more_than_anything_else():
    one = QuantizedModel("m", size_mb=3.0)
    one.weights = {"a": np.zeros(1024 * 1024, np.int8)}
    assert (one.size_mb, one.parameter_count) == (1.0, 1024 * 1024)


@pytest.mark.parametrize(
    ("platform", "overhead"),
    [("esp32", 50), ("stm32f4", 20), ("stm32f7", 30), ("rp2040", 15), ("nrf52840", 10),
     ("k210", 30)],
)  # fmt: skip
def test_memory_requirements(platform, overhead):
    found = QuantizedModel("m", size_mb=1.0, context_length=1024).get_memory_requirements(
        platform
    )
    assert found == {
        "model_weights_kb": 1024.0, "context_buffer_kb": 4.0, "kv_cache_kb": 2048.0,
        "system_overhead_kb": overhead, "total_estimated_kb": 3076.0 + overhead,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("platform", "constraints", "context"),
    [
        ("esp32", {"use_psram": False, "max_memory_kb": 250}, 1024),
        ("esp32", {"use_psram": False, "max_memory_kb": 400}, 2048), ("esp32", None, 2048),
        ("stm32f4", None, 512), ("stm32f7", None, 512), ("rp2040", None, 1024),
        ("jetson_nano", None, 2048),
    ],
)  # fmt: skip
def test_copies_for_platforms(platform, constraints, context):
    one = QuantizedModel("m", size_mb=0.1)
    copy = one.optimize_for_platform(platform, constraints)
    assert copy is not one
    assert (copy.name, copy.context_length) == (f"m_optimized_{platform}", context)
    assert copy.size_mb == pytest.approx(0.1)


def test_validation():
    assert QuantizedModel("m", context_length=512).validate() == (True, [])
    ok, issues = QuantizedModel(
        "m", quantization="fp16", size_mb=11, context_length=4096
    ).validate()
    assert not ok
    assert len(issues) == 3


def test_the_representation():
    text = repr(QuantizedModel("tiny", size_mb=1.0))
    for part in ("tiny", "4bit", "1.0MB", "2,097,152 params"):
        assert part in text
