"""The integer engine against the network's equations in NumPy."""

import numpy as np
import pytest
from gguf_files import tiny_llama, weights, write

from holdfast import _core
from holdfast.errors import InvalidDataError


def rounded(x):
    """What the cache keeps: twelve bits and a scale for each head and position."""
    scale = np.abs(x).max(-1, keepdims=True) / 2047
    return np.round(x / scale) * scale


def reference(metadata, w, tokens, keep=lambda x: x):
    """Logits of the last token by the equations of llama, in float64."""
    w = {name: matrix.astype(float) for name, matrix in w.items()}
    heads, kv_heads = (
        metadata["llama.attention.head_count"],
        metadata["llama.attention.head_count_kv"],
    )
    dimension = metadata["llama.embedding_length"]
    head = dimension // heads

    def norm(x, weight):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight

    def rotate(x):
        n, count = x.shape[0], x.shape[1] // head
        angles = np.arange(n)[:, None] * 10_000.0 ** (-np.arange(0, head, 2) / head)
        pairs = x.reshape(n, count, head // 2, 2)
        turned = (pairs[..., 0] + 1j * pairs[..., 1]) * np.exp(1j * angles)[:, None]
        return np.stack([turned.real, turned.imag], -1).reshape(n, count, head)

    x = w["token_embd"][tokens]
    n = len(tokens)
    mask = np.triu(np.full((n, n), -np.inf), 1)
    for layer in range(metadata["llama.block_count"]):
        part = {
            name.split(".", 2)[2]: m
            for name, m in w.items()
            if name.startswith(f"blk.{layer}.")
        }
        h = norm(x, part["attn_norm"])
        q, k = rotate(h @ part["attn_q"].T), rotate(h @ part["attn_k"].T)
        v = (h @ part["attn_v"].T).reshape(n, kv_heads, head)
        q, k, v = keep(q), keep(k), keep(v)
        k, v = (np.repeat(a, heads // kv_heads, 1) for a in (k, v))
        scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(head) + mask
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        x = x + np.einsum("hij,jhd->ihd", p, v).reshape(n, dimension) @ part["attn_output"].T
        h = norm(x, part["ffn_norm"])
        gate = h @ part["ffn_gate"].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ part["ffn_up"].T)) @ part["ffn_down"].T
    return norm(x[-1], w["output_norm"]) @ w["token_embd"].T


@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0", "Q4_0"])
@pytest.mark.parametrize(
    "shape", [{}, {"heads": 8, "kv_heads": 8}, {"dimension": 128, "layers": 3}], ids=str
)
def test_logits_follow_the_equations(kind, shape):
    metadata, tensors, matrices = weights(kind, **shape)
    engine = _core.HostEngine(write(metadata, tensors))
    tokens = [1, *np.random.default_rng(3).integers(0, 267, 40).tolist()]
    ours = engine.forward(tokens)
    exact = reference(metadata, matrices, tokens)
    assert np.abs(ours - exact).max() < 0.01 * exact.std()
    if kind in {"F32", "F16"}:
        # Nothing but the cache is rounded; now and then a value rounds the other way.
        cached = reference(metadata, matrices, tokens, rounded)
        assert np.abs(ours - cached).max() < 0.004 * exact.std()
        assert np.median(np.abs(ours - cached)) < 0.001 * exact.std()


@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0", "Q4_0"])
def test_all_instruction_sets_give_the_same_bits(kind):
    engine = _core.HostEngine(tiny_llama(kind))
    found = set()
    try:
        for level in _core.simd_levels():
            _core.force_simd_level(level)
            found.add(engine.forward([1, 5, 9, 44]).tobytes())
    finally:
        _core.force_simd_level(None)
    assert len(found) == 1


def test_generation_stops_where_it_is_told_and_says_why():
    engine = _core.HostEngine(tiny_llama())
    made = engine.generate([1, 5], 10, ignore_eos=True)
    assert (len(made["tokens"]), made["reason"]) == (10, "length")
    assert made["start_ns"] <= made["prefill_ns"] <= made["ticks_ns"][0] <= made["end_ns"]
    made = engine.generate([1, 5], 1000, ignore_eos=True)
    assert (len(made["tokens"]), made["reason"]) == (63, "context")


def test_memory_is_accounted_for_to_the_byte():
    info = _core.HostEngine(tiny_llama(), context=32).info()
    assert sum(info["memory"].values()) == info["arena_bytes"]
    cells = info["layers"] * 32
    assert info["memory"]["key_value_cache"] == cells * (2 * 2 * 4 + 2 * 32 * 2)
    assert (info["name"], info["quantisation"], info["context"]) == ("tiny Q8_0", "Q8_0", 32)


def test_text_becomes_tokens_and_back():
    engine = _core.HostEngine(tiny_llama())
    tokens = engine.tokenize("the the\u00e9")
    assert tokens[:3] == [1, 265, 265]
    assert b"".join(map(engine.piece, tokens)) == " the the\u00e9".encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"general.architecture": "gpt2"}, "general.architecture"),
        ({"llama.block_count": 3}, r"blk\.2\.attn_norm"),
        ({"llama.embedding_length": 32}, "shape"),
        ({"llama.attention.head_count": 0}, "head_count"),
        ({"llama.context_length": 2**31}, "context_length"),
        ({"tokenizer.ggml.bos_token_id": 9999}, "bos_token_id"),
        ({"llama.rope.scaling.type": "yarn"}, "scaling"),
    ],
    ids=str,
)
def test_impossible_models_are_refused_by_what_is_wrong(change, message):
    metadata, tensors, _ = weights()
    with pytest.raises(InvalidDataError, match=message):
        _core.HostEngine(write(metadata | change, tensors))


def test_a_cut_file_is_refused():
    model = tiny_llama()
    for length in (10, 100, 5000, len(model) - 100):
        with pytest.raises(InvalidDataError, match="ends before"):
            _core.HostEngine(model[:length])


def test_prompts_outside_the_model_are_refused():
    engine = _core.HostEngine(tiny_llama())
    for tokens, message in [([], "at least one"), ([999], "999"), ([1] * 65, "context")]:
        with pytest.raises(InvalidDataError, match=message):
            engine.forward(tokens)


def test_inspection_lists_metadata_and_tensors():
    found = _core.inspect_gguf(tiny_llama("Q4_0"))
    assert found["metadata"]["llama.block_count"] == 2
    assert found["metadata"]["general.name"] == "tiny Q4_0"
    shapes = {
        tensor["name"]: (tensor["shape"][:2], tensor["type"]) for tensor in found["tensors"]
    }
    assert shapes["blk.0.attn_k.weight"] == ([64, 32], "Q4_0")
