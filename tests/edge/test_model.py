import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.edge import ModelFormatError, ModelLoadError, QuantizationType, QuantizedModel
from holdfast.errors import InvalidParameterError


@pytest.mark.parametrize(
    ("given", "is_"),
    [
        ("4bit", "4bit"), (4, "4bit"), ("Q8_0", "8bit"), ("fp32", "fp32"),
        (QuantizationType.INT2, "2bit"),
    ],
)  # fmt: skip
def test_quantisations_are_spelled_in_several_ways(given, is_):
    assert QuantizedModel("m", quantization=given).quantization.value == is_


@pytest.mark.parametrize("given", ["5bit", 7, "", True])
def test_other_quantisations_are_refused(given):
    with pytest.raises(InvalidParameterError, match="quantization"):
        QuantizedModel("m", quantization=given)


def test_size_may_be_given_and_gives_the_parameters():
    model = QuantizedModel("m", size_mb=1.0, other=3)
    assert (model.size_mb, model.parameter_count) == (1.0, 2 * 1024 * 1024)
    assert model.config == {"other": 3}
    assert QuantizedModel("m").size_mb == 0


def test_a_custom_file_gives_back_weights_and_header(tmp_path):
    model = QuantizedModel("m", quantization=8, vocab_size=77, context_length=64)
    model.weights = {
        "a": np.arange(6, dtype=np.int8).reshape(2, 3),
        "b": np.ones(4, np.float32),
    }
    model.export(tmp_path / "m.bin")
    back = QuantizedModel.from_file(tmp_path / "m.bin", quantization=4)
    assert (back.quantization.value, back.vocab_size, back.context_length) == ("8bit", 77, 64)
    np.testing.assert_array_equal(back.weights["a"], model.weights["a"])
    assert back.parameter_count == 10


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_damaged_custom_files_give_a_clear_error(tmp_path, data, cut):
    model = QuantizedModel("m")
    model.weights = {"a": np.arange(6, dtype=np.int8)}
    model.export(tmp_path / "good.bin")
    good = (tmp_path / "good.bin").read_bytes()
    (tmp_path / "bad.bin").write_bytes(good[:cut] + data)
    try:
        QuantizedModel("m", tmp_path / "bad.bin")
    except ModelFormatError as error:
        assert "bad.bin" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.gguf", b"nope"), ("m.ggml", b"nope"), ("m.pt", b"x"), ("M.SAFETENSORS", b"x"),
        ("m.bin", b"\1"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_its_suffix_says_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFormatError, match="expected"):
        QuantizedModel("m", tmp_path / name)


def test_a_missing_file_is_noticed_when_needed(tmp_path):
    model = QuantizedModel("m", tmp_path / "none.gguf")
    assert model.validate() == (False, [f"no file at {tmp_path / 'none.gguf'}"])
    with pytest.raises(ModelLoadError, match="no file"):
        model.data()
    with pytest.raises(FileNotFoundError):
        QuantizedModel.from_file(tmp_path / "none.gguf")


def test_an_optimised_copy_keeps_its_weights_and_says_what_it_cannot_do():
    model = QuantizedModel("m", size_mb=1.0)
    copy = model.optimize_for_platform("stm32f4")
    assert (copy.name, copy.context_length, copy.size_mb) == ("m_optimized_stm32f4", 512, 1.0)
    assert copy.config["requantize_to"] == "2bit"
    assert copy.quantization is model.quantization


def test_a_gguf_knows_its_own_facts(tiny_model):
    known = tiny_model.metadata
    assert (known.architecture, known.layers, known.dimension, known.kv_dimension) == (
        "llama", 2, 64, 32,
    )  # fmt: skip
    assert tiny_model.quantization.value == "8bit"
    assert (tiny_model.context_length, tiny_model.vocab_size) == (64, 267)
    assert tiny_model.parameter_count == 78_848
    needs = tiny_model.get_memory_requirements("esp32")
    assert needs["kv_cache_kb"] == 64 * 2 * 4 * 2 * 32 / 1024


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_gguf_files_give_a_clear_error(tiny_model, data):
    good = bytearray(tiny_model.data()[:4000])
    for _ in range(data.draw(st.integers(0, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with pytest.raises(ModelFormatError, match="gguf"):
        QuantizedModel.from_bytes("bad", bytes(good[: data.draw(st.integers(0, 4000))]))


def test_a_model_without_weights_says_so_when_it_is_written(tmp_path):
    model = QuantizedModel("m", size_mb=2.5)
    with pytest.warns(UserWarning, match="m has no weights"):
        model.export(tmp_path / "m.bin")
    assert b'"weights":"absent"' in (tmp_path / "m.bin").read_bytes()
    assert QuantizedModel.from_file(tmp_path / "m.bin").weights is None


def test_a_gguf_is_written_as_it_is_or_not_at_all(tiny_model, tmp_path):
    tiny_model.export(tmp_path / "copy.gguf", "gguf")
    assert (tmp_path / "copy.gguf").read_bytes() == tiny_model.data()
    with pytest.raises(InvalidParameterError, match="format must be gguf for"):
        tiny_model.export(tmp_path / "m.bin")
    assert not (tmp_path / "m.bin").exists()
    with pytest.raises(InvalidParameterError, match="format must be custom_bin"):
        QuantizedModel("m", size_mb=1).export(tmp_path / "m.gguf", "gguf")
    with pytest.raises(InvalidParameterError, match="format must be one of"):
        tiny_model.export(tmp_path / "m.x", "onnx")


class Hub:
    """What `huggingface_hub` has of it."""

    def __init__(self, path, files):
        self.path, self.files, self.fetched = path, files, []

    def HfApi(self):  # noqa: N802
        return self

    def list_repo_files(self, model_id):
        return self.files

    def hf_hub_download(self, model_id, name):
        self.fetched.append((model_id, name))
        return str(self.path)


@pytest.mark.parametrize(
    ("files", "options", "name"),
    [
        (["README.md", "m.gguf"], {}, "m.gguf"),
        (["m-Q4_0.gguf", "m-Q8_0.gguf"], {"quantization": 8}, "m-Q8_0.gguf"),
        (["m-Q4_0.gguf", "m-Q4_K.gguf"], {"filename": "m-Q4_K.gguf"}, "m-Q4_K.gguf"),
    ],
)
def test_a_model_on_the_hub_is_chosen_by_its_bits(
    tiny_model_path, monkeypatch, files, options, name
):
    import sys

    hub = Hub(tiny_model_path, files)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    model = QuantizedModel.from_huggingface("me/tiny", **options)
    assert hub.fetched == [("me/tiny", name)]
    assert (model.name, model.parameter_count) == ("me_tiny", 78_848)


def test_a_choice_that_cannot_be_made_lists_the_files(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub(None, ["a-q4.gguf", "b-q4.gguf"]))
    with pytest.raises(ModelLoadError, match=r"2 GGUF files fit 4bit.*a-q4.gguf, b-q4.gguf"):
        QuantizedModel.from_huggingface("me/tiny")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="pip install huggingface_hub"):
        QuantizedModel.from_huggingface("me/tiny")
