"""The host engine against llama.cpp: time for tokens on one thread, models of random
weights from a quarter of a million to 28 million parameters.

    python benches/engine.py

Needs the `llama-cpp-python` package. Both evaluate one token after the other over the same
ids from an empty context; loading is not counted, ours also
picks the likeliest token. Goal: at least as
fast as llama.cpp below 30 million parameters.
"""

import sys
import tempfile
from pathlib import Path

import harness

harness.one_thread()

from llama_cpp import Llama, llama_cpp  # noqa: E402

from holdfast import _core  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
from make_model import build  # noqa: E402
from model_file import Shape  # noqa: E402

SHAPES = [
    Shape(),
    Shape(dimension=192, hidden=512, layers=8, heads=6, kv_heads=6, vocabulary=8192),
    Shape(dimension=288, hidden=768, layers=6, heads=6, kv_heads=6, vocabulary=32_000),
    Shape(dimension=384, hidden=1024, layers=9, heads=6, kv_heads=6, vocabulary=32_000),
]


def theirs(llama, ids):
    """Evaluates `ids` one by one from an empty context."""
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(llama.ctx), True)  # noqa: FBT003
    batch = llama_cpp.llama_batch_init(1, 0, 1)
    batch.n_tokens = batch.n_seq_id[0] = batch.logits[0] = 1
    batch.seq_id[0][0] = 0
    for position, token in enumerate(ids):
        batch.token[0], batch.pos[0] = token, position
        if llama_cpp.llama_decode(llama.ctx, batch) != 0:
            raise RuntimeError(position)
    llama_cpp.llama_batch_free(batch)


def main():
    """Prints a line for each shape and element type."""
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            count = 200 if shape.parameters() < 10**7 else 64
            for kind in ("Q8_0", "Q4_0", "F32"):
                path = Path(folder) / "model.gguf"
                path.write_bytes(build(kind, shape))
                llama = Llama(
                    str(path), n_threads=1, n_threads_batch=1, n_ctx=256, verbose=False
                )
                host = _core.HostEngine(path.read_bytes(), context=256)
                # Both work for every logit of every token: what generating takes.
                ids = host.generate([1], count, ignore_eos=True)["tokens"]
                harness.compare(
                    f"{count} tokens, {shape.parameters() / 1e6:.1f} M parameters, {kind}",
                    lambda host=host, count=count: host.generate([1], count, ignore_eos=True),
                    {"llama.cpp": lambda llama=llama, ids=ids: theirs(llama, [1, *ids[:-1]])},
                    {"llama.cpp": 1.0},
                )


if __name__ == "__main__":
    main()
