"""Writes a model of random weights in any shape, for benches: it costs what a trained one
of its shape costs and says nothing sensible.

    python tools/make_model.py Q8_0 noise.gguf [--dimension 288 --layers 6 ...]
"""

import argparse
from dataclasses import fields
from itertools import islice
from pathlib import Path

import numpy as np
from fables import fables
from model_file import SPECIAL, TYPES, Shape, vocabulary, write

SEED = 20_261_121


def build(kind: str, shape: Shape, seed: int = SEED) -> bytes:
    """The file."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, size in shape.matrices().items():
        if len(size) == 1:
            weights[name] = np.ones(size)
        elif name == "token_embd":
            weights[name] = rng.normal(size=size)
            # Whole characters are chosen, never control tokens or loose bytes.
            weights[name][:SPECIAL] *= 0.1
        else:
            weights[name] = rng.normal(size=size) * 1.5 / size[1] ** 0.5
    words = vocabulary("\n".join(islice(fables(seed), 50)), shape.vocabulary)
    name = f"noise-{shape.parameters() // 1000}k-{kind.lower()}"
    return write(name, f"random weights, seed {seed}; not trained", shape, words, weights, kind)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("kind", choices=TYPES)
    parser.add_argument("path", type=Path)
    for field in fields(Shape):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    arguments = vars(parser.parse_args())
    kind, path = arguments.pop("kind"), arguments.pop("path")
    path.write_bytes(build(kind, Shape(**arguments)))
