"""Random faults on the link of a device that streams tokens: what is lost, what is wrong.

Drops, flipped bits, stalls, doubled and cut chunks, in both directions, on TCP.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests/edge"), str(ROOT / "tests/device")]

from edge_peers import Agent, Proxy  # noqa: E402
from gguf_files import tiny_llama  # noqa: E402

from holdfast.edge import EdgeError, Generation  # noqa: E402
from holdfast.edge._links import open_link  # noqa: E402
from holdfast.edge._native import FramedDevice  # noqa: E402

FAULTS = ("drop", "flip", "stall", "double", "cut")


class Chaos:
    """Changes about one chunk in ten while `armed`; counts what it did."""

    def __init__(self, seed):
        self.rng, self.done, self.armed = random.Random(seed), Counter(), False

    def __call__(self, data, _total):
        if not self.armed or self.rng.random() > 0.1:
            return data
        kind = self.rng.choice(FAULTS)
        self.done[kind] += 1
        if kind == "drop":
            return None
        if kind == "stall":
            time.sleep(0.03)
            return data
        if kind == "double":
            return data + data
        if kind == "cut":
            return data[: self.rng.randrange(len(data))]
        changed = bytearray(data)
        changed[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        return bytes(changed)


def main(faults=1000, tokens=16):
    agent = Agent(tiny_llama())
    calm = FramedDevice(lambda: open_link(agent.url))
    calm.open()
    true = Generation(0, "abc")
    calm.generate(true, tokens, 0, 10)
    calm.close()
    down, up = Chaos(1), Chaos(2)
    proxy = Proxy(agent.url, down=down, up=up)
    device = FramedDevice(lambda: open_link(proxy.url), timeout=0.1, recoveries=20)
    device.open()
    outcomes, wrong, requests = Counter(), 0, 0
    began = time.monotonic()
    while sum((down.done + up.done).values()) < faults and time.monotonic() - began < 300:
        down.armed = up.armed = True
        out = Generation(requests, "abc")
        requests += 1
        try:
            device.generate(out, tokens, 0, 20)
            outcomes["complete" if out.token_ids == true.token_ids else "partial"] += 1
        except EdgeError as error:
            outcomes[type(error).__name__] += 1
            down.armed = up.armed = False
            device.close()
            device.open()
        expected = true.token_ids[: len(out.token_ids)]
        wrong += out.token_ids != expected
    print(f"{sum((down.done + up.done).values())} faults: {dict(down.done + up.done)}")
    print(
        f"{requests} requests of {tokens} tokens: {dict(outcomes)}; {wrong} with a wrong record"
    )
    print(f"{device.reconnects} reconnects in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
