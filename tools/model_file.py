"""Writes llama models as GGUF: shapes, a vocabulary, quantised matrices."""

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8}
SPECIAL = 3 + 256
"""Tokens in front of the text's own: unknown, begin, end, and one for each byte."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a llama; the defaults are those of the model that ships."""

    dimension: int = 64
    hidden: int = 192
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    vocabulary: int = 512
    context: int = 256

    def matrices(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor, rows first. The output shares the embedding."""
        d, h = self.dimension, self.hidden
        kv = d // self.heads * self.kv_heads
        shapes: dict[str, tuple[int, ...]] = {
            "token_embd": (self.vocabulary, d),
            "output_norm": (d,),
        }
        parts: dict[str, tuple[int, ...]] = {
            "attn_q": (d, d), "attn_k": (kv, d), "attn_v": (kv, d), "attn_output": (d, d),
            "ffn_gate": (h, d), "ffn_up": (h, d), "ffn_down": (d, h),
            "attn_norm": (d,), "ffn_norm": (d,),
        }  # fmt: skip
        for layer in range(self.layers):
            shapes |= {f"blk.{layer}.{part}": shape for part, shape in parts.items()}
        return shapes

    def parameters(self) -> int:
        """All weights."""
        return sum(int(np.prod(shape)) for shape in self.matrices().values())


def _merges(text: str, count: int) -> list[str]:
    """The most frequent pairs of the text, one after the other; fewer if it has no more."""
    words = Counter("\u2581" + word for word in text.split())
    spelt = {word: list(word) for word in words}
    found: list[str] = []
    while len(found) < count:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, symbols in spelt.items():
            for pair in pairwise(symbols):
                pairs[pair] += words[word]
        if not pairs:
            break
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        found.append(left + right)
        for symbols in spelt.values():
            at = 0
            while at + 1 < len(symbols):
                if (symbols[at], symbols[at + 1]) == (left, right):
                    symbols[at : at + 2] = [left + right]
                at += 1
    return found


def vocabulary(text: str, count: int) -> tuple[list[str], list[float], list[int]]:
    """Tokens, scores and types as SentencePiece numbers them, by byte-pair encoding.

    What the text cannot fill is filled with tokens that no text contains.
    """
    characters = ["\u2581"] + [chr(code) for code in range(33, 127)]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    pieces = _merges(text, count - SPECIAL - len(characters))
    tokens += pieces + characters
    tokens += [f"<unused {number}>" for number in range(count - len(tokens))]
    scores = [0.0] * SPECIAL + [-float(rank) for rank in range(count - SPECIAL)]
    return tokens, scores, [2, 3, 3] + [6] * 256 + [1] * (count - SPECIAL)


def quantise(matrix: NDArray[np.floating], kind: str) -> bytes:
    """The bytes of a matrix in ggml's block formats."""
    if kind == "F32":
        return matrix.astype("<f4").tobytes()
    if kind == "F16":
        return matrix.astype("<f2").tobytes()
    blocks = matrix.reshape(-1, 32).astype(np.float32)
    peak = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(1)]
    scale = (np.abs(peak) / 127 if kind == "Q8_0" else peak / -8).astype(np.float16)
    divisor = np.where(scale == 0, 1, scale.astype(np.float32))[:, None]
    low, high = (-127, 127) if kind == "Q8_0" else (-8, 7)
    q = np.clip(np.rint(blocks / divisor), low, high).astype(np.int8)
    body = q.view(np.uint8)
    if kind == "Q4_0":
        nibbles = (q + 8).astype(np.uint8)
        body = nibbles[:, :16] | nibbles[:, 16:] << 4
    return np.concatenate([scale.astype("<f2")[:, None].view(np.uint8), body], 1).tobytes()


Item = str | float | list[str] | list[float] | list[int]


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(item: Item) -> bytes:
    if isinstance(item, str):
        return struct.pack("<I", 8) + _string(item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item[0], str):
        return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(map(_string, item))
    code, letter = (6, "f") if isinstance(item[0], float) else (5, "i")
    return struct.pack(f"<IIQ{len(item)}{letter}", 9, code, len(item), *item)


def write(
    name: str,
    description: str,
    shape: Shape,
    words: tuple[list[str], list[float], list[int]],
    weights: Mapping[str, NDArray[np.floating]],
    kind: str,
) -> bytes:
    """The file: matrices stored as `kind`, norms as they are."""
    tokens, scores, types = words
    metadata: dict[str, Item] = {
        "general.architecture": "llama",
        "general.name": name,
        "general.description": description,
        "general.license": "Apache-2.0",
        "llama.embedding_length": shape.dimension,
        "llama.feed_forward_length": shape.hidden,
        "llama.block_count": shape.layers,
        "llama.attention.head_count": shape.heads,
        "llama.attention.head_count_kv": shape.kv_heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.context_length": shape.context,
        "llama.rope.dimension_count": shape.dimension // shape.heads,
        "llama.vocab_size": shape.vocabulary,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }
    head, body = [b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(metadata))], []
    head += [_string(key) + _value(item) for key, item in metadata.items()]
    offset = 0
    for tensor, matrix in weights.items():
        stored = "F32" if matrix.ndim == 1 else kind
        head.append(_string(f"{tensor}.weight") + struct.pack("<I", matrix.ndim))
        head.append(struct.pack(f"<{matrix.ndim}Q", *reversed(matrix.shape)))
        head.append(struct.pack("<IQ", TYPES[stored], offset))
        data = quantise(matrix, stored)
        body.append(data + bytes(-len(data) % 32))
        offset += len(body[-1])
    front = b"".join(head)
    return front + bytes(-len(front) % 32) + b"".join(body)
