"""Trains the model that ships, on the fables of `tools/fables.py`.

    python tools/train_model.py [--steps 1600] [--output model.gguf]

Needs `jax` (a few minutes on two cores). Everything comes from one seed; weights from
another processor or another version of jax differ in their last bits, and so does the file.
"""

import argparse
import sys
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from fables import fables
from model_file import Shape, vocabulary, write
from numpy.typing import NDArray

Weights = dict[str, jax.Array]
Words = tuple[list[str], list[float], list[int]]

SEED = 20_261_121
SHAPE = Shape()
BATCH, LENGTH = 16, 128
NEWLINE = 3 + 10
IMAGES = Path(__file__).parent.parent / "python/holdfast/edge/images"


def tokenize(word: str, ranks: dict[str, int]) -> list[int]:
    """Ids of a word: the best pair merges first, the left one of equals."""
    symbols = list("\u2581" + word)
    while True:
        joined = [left + right for left, right in pairwise(symbols)]
        best = min(joined, key=lambda pair: ranks.get(pair, len(ranks) + 512), default="")
        if best not in ranks:
            return [ranks[symbol] for symbol in symbols]
        at = joined.index(best)
        symbols[at : at + 2] = [best]


def corpus(lines: list[str], words: Words) -> NDArray[np.int32]:
    """All lines one after the other, each begun by a line break and never ended."""
    ranks = {token: number for number, token in enumerate(words[0]) if words[2][number] == 1}
    known: dict[str, list[int]] = {}
    ids: list[int] = []
    for line in lines:
        ids.append(NEWLINE)
        for word in line.split():
            if word not in known:
                known[word] = tokenize(word, ranks)
            ids += known[word]
    return np.array(ids, np.int32)


def initial(key: jax.Array) -> Weights:
    """Small random matrices, norms of one."""
    weights = {}
    for name, size in SHAPE.matrices().items():
        key, now = jax.random.split(key)
        scale = 1.0 if name == "token_embd" else size[-1] ** -0.5
        scale *= (2 * SHAPE.layers) ** -0.5 if name.endswith(("_output", "_down")) else 1.0
        ones = len(size) == 1
        weights[name] = jnp.ones(size) if ones else jax.random.normal(now, size) * scale
    weights["token_embd"] *= SHAPE.dimension**-0.5
    return weights


def norm(x: jax.Array, weight: jax.Array) -> jax.Array:
    """Root-mean-square norm."""
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight


def logits(w: Weights, ids: jax.Array) -> jax.Array:
    """The equations of llama, as ``agent/src/engine`` computes them."""
    head, count = SHAPE.dimension // SHAPE.heads, ids.shape[1]
    angles = np.arange(count)[:, None] * 10_000.0 ** (-np.arange(0, head, 2) / head)
    cosine, sine = jnp.cos(angles)[:, None], jnp.sin(angles)[:, None]

    def turn(x: jax.Array) -> jax.Array:
        a, b = x[..., ::2], x[..., 1::2]
        pairs = jnp.stack([a * cosine - b * sine, a * sine + b * cosine], -1)
        return pairs.reshape(x.shape)

    def heads(x: jax.Array) -> jax.Array:
        return x.reshape(*x.shape[:2], -1, head)

    mask = jnp.where(np.tri(count), 0.0, -1e9)
    x = w["token_embd"][ids]
    for layer in range(SHAPE.layers):
        part = partial("blk.{}.{}".format, layer)
        h = norm(x, w[part("attn_norm")])
        q = turn(heads(h @ w[part("attn_q")].T))
        k = turn(heads(h @ w[part("attn_k")].T))
        v = heads(h @ w[part("attn_v")].T)
        k, v = (jnp.repeat(a, SHAPE.heads // SHAPE.kv_heads, 2) for a in (k, v))
        scores = jnp.einsum("bihd,bjhd->bhij", q, k) * head**-0.5 + mask
        mixed = jnp.einsum("bhij,bjhd->bihd", jax.nn.softmax(scores), v).reshape(x.shape)
        x = x + mixed @ w[part("attn_output")].T
        h = norm(x, w[part("ffn_norm")])
        gated = jax.nn.silu(h @ w[part("ffn_gate")].T) * (h @ w[part("ffn_up")].T)
        x = x + gated @ w[part("ffn_down")].T
    return norm(x, w["output_norm"]) @ w["token_embd"].T


def loss(w: Weights, ids: jax.Array) -> jax.Array:
    """Nats per token."""
    scores = jax.nn.log_softmax(logits(w, ids[:, :-1]))
    return -jnp.take_along_axis(scores, ids[:, 1:, None], -1).mean()


@partial(jax.jit, static_argnames="steps")
def step(
    w: Weights, mean: Weights, square: Weights, number: int, ids: jax.Array, steps: int
) -> tuple[Weights, Weights, Weights, jax.Array]:
    """One step of Adam (Kingma and Ba 2015), warmed up and then cooled along a cosine."""
    value, slopes = jax.value_and_grad(loss)(w, ids)
    size = jnp.sqrt(sum((one * one).sum() for one in slopes.values()))
    slopes = {name: one * jnp.minimum(1.0, 1.0 / size) for name, one in slopes.items()}
    rate = 4e-3 * jnp.minimum(number / 50, 0.5 + 0.5 * jnp.cos(jnp.pi * number / steps))
    mean = {name: 0.9 * mean[name] + 0.1 * one for name, one in slopes.items()}
    square = {name: 0.99 * square[name] + 0.01 * one * one for name, one in slopes.items()}

    def moved(name: str) -> jax.Array:
        first, second = mean[name] / (1 - 0.9**number), square[name] / (1 - 0.99**number)
        decay = 0.01 * w[name] if w[name].ndim > 1 else 0.0
        return w[name] - rate * (first / (jnp.sqrt(second) + 1e-8) + decay)

    return {name: moved(name) for name in w}, mean, square, value


def main() -> None:
    """Trains and writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    lines = list(islice(fables(SEED), 20_000))
    words = vocabulary("\n".join(lines[:2000]), SHAPE.vocabulary)
    text, rng = corpus(lines, words), np.random.default_rng(SEED)
    w = initial(jax.random.key(SEED))
    mean = square = {name: jnp.zeros_like(one) for name, one in w.items()}
    for number in range(1, arguments.steps + 1):
        # Windows begin anywhere: texts are met from their middle too.
        at = rng.integers(0, len(text) - LENGTH - 1, BATCH)
        ids = text[at[:, None] + np.arange(LENGTH + 1)]
        ids[:, 0] = np.where(rng.random(BATCH) < 0.5, 1, ids[:, 0])  # noqa: PLR2004
        w, mean, square, value = step(w, mean, square, number, ids, arguments.steps)
        if number % 100 == 0:
            sys.stderr.write(f"step {number}: {float(value):.3f} nats per token\n")
    name = f"fables-{SHAPE.parameters() // 1000}k-q8_0"
    description = f"trained on tools/fables.py, seed {SEED}"
    weights = {name: np.asarray(one) for name, one in w.items()}
    output = arguments.output or IMAGES / f"{name}.gguf"
    output.write_bytes(write(name, description, SHAPE, words, weights, "Q8_0"))


if __name__ == "__main__":
    main()
