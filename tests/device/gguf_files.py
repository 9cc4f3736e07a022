"""GGUF files written from the format's description, independently of the reader."""

import struct

import numpy as np

TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8}


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(item):
    if isinstance(item, bool):
        return struct.pack("<IB", 7, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, str):
        return struct.pack("<I", 8) + string(item)
    if isinstance(item[0], str):
        return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(map(string, item))
    code, letter = (6, "f") if isinstance(item[0], float) else (5, "i")
    return struct.pack(f"<IIQ{len(item)}{letter}", 9, code, len(item), *item)


def quantise(matrix, kind):
    """Bytes of the matrix, and the matrix they stand for."""
    if kind == "F32":
        return matrix.astype("<f4").tobytes(), matrix.astype(np.float32)
    if kind == "F16":
        half = matrix.astype("<f2")
        return half.tobytes(), half.astype(np.float32)
    blocks = matrix.reshape(-1, 32)
    if kind == "Q8_0":
        scale = (np.abs(blocks).max(1) / 127).astype(np.float16)
        inverse = np.where(scale > 0, 1 / np.maximum(scale.astype(float), 1e-12), 0)
        q = np.clip(np.round(blocks * inverse[:, None]), -128, 127).astype(np.int8)
        body = q.view(np.uint8)
        back = q * scale.astype(np.float32)[:, None]
    else:
        peak = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(1)]
        scale = (peak / -8).astype(np.float16)
        inverse = np.where(scale != 0, 1 / np.where(scale == 0, 1, scale.astype(float)), 0)
        q = np.clip(np.round(blocks * inverse[:, None]), -8, 7).astype(np.int8)
        nibbles = (q + 8).astype(np.uint8)
        body = nibbles[:, :16] | nibbles[:, 16:] << 4
        back = q * scale.astype(np.float32)[:, None]
    data = np.concatenate([scale.astype("<f2")[:, None].view(np.uint8), body], 1).tobytes()
    return data, back.reshape(matrix.shape).astype(np.float32)


def write(metadata, tensors):
    """A file; ``tensors`` maps names to ``(shape, type name, bytes)``."""
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    out += b"".join(string(key) + value(item) for key, item in metadata.items())
    offset, body = 0, b""
    for name, (shape, kind, data) in tensors.items():
        out += string(name) + struct.pack("<I", len(shape))
        out += struct.pack(f"<{len(shape)}Q", *reversed(shape))
        out += struct.pack("<IQ", TYPES[kind], offset)
        padding = -len(data) % 32
        body += data + bytes(padding)
        offset += len(data) + padding
    return out + bytes(-len(out) % 32) + body


PIECES = ["\u2581", "t", "h", "e", "th", "the", "\u2581the", "a"]


def weights(kind="Q8_0", *, seed=1, dimension=64, hidden=96, heads=4, kv_heads=2, layers=2):
    """Metadata, tensors to write, and the matrices they stand for."""
    rng = np.random.default_rng(seed)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + PIECES
    kv = dimension // heads * kv_heads
    shapes = {"token_embd": (len(tokens), dimension), "output_norm": (dimension,)}
    for layer in range(layers):
        shapes |= {
            f"blk.{layer}.{part}": shape
            for part, shape in {
                "attn_norm": (dimension,),
                "attn_q": (dimension, dimension),
                "attn_k": (kv, dimension),
                "attn_v": (kv, dimension),
                "attn_output": (dimension, dimension),
                "ffn_norm": (dimension,),
                "ffn_gate": (hidden, dimension),
                "ffn_up": (hidden, dimension),
                "ffn_down": (dimension, hidden),
            }.items()
        }
    tensors, matrices = {}, {}
    for name, shape in shapes.items():
        norm = len(shape) == 1
        matrix = rng.normal(size=shape) * (0.1 if norm else 1.5 / shape[-1] ** 0.5) + norm
        stored = "F32" if norm else kind
        data, matrices[name] = quantise(matrix, stored)
        tensors[f"{name}.weight"] = (shape, stored, data)
    metadata = {
        "general.architecture": "llama",
        "general.name": f"tiny {kind}",
        "llama.embedding_length": dimension,
        "llama.feed_forward_length": hidden,
        "llama.block_count": layers,
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": kv_heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.context_length": 64,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * 259 + [-float(rank) for rank in range(len(PIECES))],
        "tokenizer.ggml.token_type": [2, 3, 3] + [6] * 256 + [1] * len(PIECES),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }
    return metadata, tensors, matrices


def tiny_llama(kind="Q8_0", **shape):
    metadata, tensors, _ = weights(kind, **shape)
    return write(metadata, tensors)
