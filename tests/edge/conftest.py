import random
import sys
from pathlib import Path

import pytest

from holdfast.edge import Generation, ProfileResults

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "device")]


def generation(
    index=0,
    *,
    tokens=16,
    ttft_ms=20.0,
    itl_ms=5.0,
    link_ms=2.0,
    clock="device",
    hz=1e6,
    prompt_tokens=4,
    jitter=None,
):
    """A request whose every time is known."""
    one = Generation(index, "Hello", 0, index, clock, hz, prompt_tokens=prompt_tokens)
    one.start_host_ns, one.start_ticks = 10**12 + index * 10**9, 5000
    time = ttft_ms
    for i in range(tokens):
        ticks = one.start_ticks + round(time * hz / 1e3)
        one.add(
            one.start_host_ns + round((time + link_ms) * 1e6),
            ticks=ticks,
            token_id=100 + i,
            piece=f"t{i} ",
        )
        time += itl_ms if jitter is None else itl_ms * jitter(i)
    one.prefill_ticks = one.ticks[0]
    one.end_ticks = one.ticks[-1]
    one.end_host_ns = one.host_ns[-1] + 1000
    return one


@pytest.fixture
def make_generation():
    return generation


@pytest.fixture
def results():
    one = ProfileResults("sim-rv32", "tiny", 0.3, "8bit", session_id="0" * 32)
    noise = random.Random(1)
    one.records = [
        generation(i, itl_ms=5 * noise.uniform(0.97, 1.03), ttft_ms=20 + noise.random())
        for i in range(40)
    ]
    return one


@pytest.fixture
def peer():
    """Make a peer that is closed after the test."""
    made = []

    def make(kind, *arguments, **options):
        made.append(kind(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
