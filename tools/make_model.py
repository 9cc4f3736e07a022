"""Writes the model that ships: random weights of a fixed seed in the shape of a small llama.

    python tools/make_model.py [Q8_0|Q4_0|F16|F32] [path]

It says nothing sensible, and costs exactly what a trained model of this shape costs. The
vocabulary is byte-pair encoding of the text below.
"""

import argparse
import struct
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEED = 20_261_121
DIMENSION, HIDDEN, LAYERS, HEADS, KV_HEADS, VOCABULARY, CONTEXT = 64, 192, 5, 8, 4, 512, 256
TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8}
DEFAULT = Path(__file__).parent.parent / "python/holdfast/edge/images/noise-279k-q8_0.gguf"

TEXT = """
A device that runs a language model is asked a question and answers one token at a time. The
first token takes the longest, because the whole prompt has to be read before it. After that
every token costs about the same, a little more as the text grows, since each new token looks
back at all the others. What we want to know is how long the first one takes, how long the
next ones take, how much memory was used when there was the least of it left, and how much
energy was spent. These are simple things to ask and they are hard to measure well. The clock
on the table is not the clock on the board. The wire between them adds a time of its own, and
it is not the same time twice. A number that was measured once is a story; a number that was
measured many times, with the spread written next to it, is something to build on. When the
wire is pulled out in the middle of a run, the rest of the numbers should still be there. When
the board starts again, somebody should say so. When nothing was measured, nothing should be
written down. That is all this little program is for: to ask, to wait, to count, and to tell
the truth about what it has seen. The rain in the morning, the light over the sea, the old man
and the young woman who walked along the river with their dog and said nothing for an hour;
these are in the text only so that the words of a story have a place in the vocabulary too.
"""


def merges(count: int) -> list[str]:
    """The most frequent pairs of the text, one after the other."""
    words = Counter("\u2581" + word for word in TEXT.split())
    spelt = {word: list(word) for word in words}
    found = []
    while len(found) < count:
        pairs = Counter()
        for word, symbols in spelt.items():
            for pair in pairwise(symbols):
                pairs[pair] += words[word]
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        found.append(left + right)
        for symbols in spelt.values():
            at = 0
            while at + 1 < len(symbols):
                if (symbols[at], symbols[at + 1]) == (left, right):
                    symbols[at : at + 2] = [left + right]
                at += 1
    return found


def vocabulary() -> tuple[list[str], list[float], list[int]]:
    """Tokens, scores and types as SentencePiece numbers them."""
    characters = ["\u2581"] + [chr(code) for code in range(33, 127)]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    scores, types = [0.0] * len(tokens), [2, 3, 3] + [6] * 256
    pieces = merges(VOCABULARY - len(tokens) - len(characters))
    tokens += pieces + characters
    scores += [-float(rank) for rank in range(len(pieces) + len(characters))]
    types += [1] * (len(pieces) + len(characters))
    return tokens, scores, types


def quantise(matrix: NDArray[np.float64], kind: str) -> bytes:
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


def string(text: str) -> bytes:
    """A GGUF string."""
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(item: str | float | list[str] | list[float] | list[int]) -> bytes:
    """A GGUF value with its type."""
    if isinstance(item, str):
        return struct.pack("<I", 8) + string(item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item[0], str):
        return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(map(string, item))
    code, letter = (6, "f") if isinstance(item[0], float) else (5, "i")
    return struct.pack(f"<IIQ{len(item)}{letter}", 9, code, len(item), *item)


def build(kind: str) -> bytes:
    """The file."""
    rng = np.random.default_rng(SEED)
    kv = DIMENSION // HEADS * KV_HEADS
    embedding = rng.normal(size=(VOCABULARY, DIMENSION))
    # Whole characters are chosen, never control tokens or loose bytes.
    embedding[:259] *= 0.1
    tensors = [("token_embd", embedding), ("output_norm", np.ones(DIMENSION))]
    for layer in range(LAYERS):
        shapes = {
            "attn_q": (DIMENSION, DIMENSION),
            "attn_k": (kv, DIMENSION),
            "attn_v": (kv, DIMENSION),
            "attn_output": (DIMENSION, DIMENSION),
            "ffn_gate": (HIDDEN, DIMENSION),
            "ffn_up": (HIDDEN, DIMENSION),
            "ffn_down": (DIMENSION, HIDDEN),
        }
        for part, shape in shapes.items():
            matrix = rng.normal(size=shape) * 1.5 / shape[1] ** 0.5
            tensors.append((f"blk.{layer}.{part}", matrix))
        tensors.append((f"blk.{layer}.attn_norm", np.ones(DIMENSION)))
        tensors.append((f"blk.{layer}.ffn_norm", np.ones(DIMENSION)))
    parameters = sum(matrix.size for _, matrix in tensors)
    tokens, scores, types = vocabulary()
    metadata = {
        "general.architecture": "llama",
        "general.name": f"noise-{parameters // 1000}k-{kind.lower()}",
        "general.description": f"random weights, seed {SEED}; not trained",
        "general.license": "Apache-2.0",
        "llama.embedding_length": DIMENSION,
        "llama.feed_forward_length": HIDDEN,
        "llama.block_count": LAYERS,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.context_length": CONTEXT,
        "llama.rope.dimension_count": DIMENSION // HEADS,
        "llama.vocab_size": VOCABULARY,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }
    head, body = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)), b""
    head += b"".join(string(key) + value(item) for key, item in metadata.items())
    for name, matrix in tensors:
        stored = "F32" if matrix.ndim == 1 else kind
        head += string(f"{name}.weight") + struct.pack("<I", matrix.ndim)
        head += struct.pack(f"<{matrix.ndim}Q", *reversed(matrix.shape))
        head += struct.pack("<IQ", TYPES[stored], len(body))
        data = quantise(matrix, stored)
        body += data + bytes(-len(data) % 32)
    return head + bytes(-len(head) % 32) + body


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", nargs="?", default="Q8_0", choices=TYPES)
    parser.add_argument("path", nargs="?", type=Path, default=DEFAULT)
    arguments = parser.parse_args()
    arguments.path.write_bytes(build(arguments.kind))
