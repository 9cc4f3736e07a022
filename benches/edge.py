"""What the profiler claims about its own statistics and speed, printed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tty

import numpy as np

from holdfast._core import LocalAgent, ProtocolClient
from holdfast.edge import (
    EdgeProfiler,
    Generation,
    ProfilingConfig,
    compare,
    median_interval,
    request_metrics,
)
from holdfast.edge._backends.native import FramedDevice
from holdfast.edge._links.channels import open_link


def correlated(rng, runs, n, rho):
    """Request values of unit variance whose neighbours correlate by rho."""
    noise = rng.standard_normal((runs, n + 50))
    out = np.empty_like(noise)
    out[:, 0] = noise[:, 0]
    for t in range(1, n + 50):
        out[:, t] = rho * out[:, t - 1] + np.sqrt(1 - rho * rho) * noise[:, t]
    return out[:, 50:]


def coverage(runs=2000):
    rng = np.random.default_rng(1)
    print("share of 95 % intervals that hold the true median")
    print(f"{'requests':>10} {'rho':>5} {'normal':>8} {'skewed':>8} {'half-width':>11}")
    for n in (30, 60, 100, 300):
        for rho in (0.0, 0.3, 0.6):
            held = {"normal": 0, "skewed": 0}
            widths = []
            for row in correlated(rng, runs, n, rho):
                for shape, values in (("normal", row), ("skewed", np.expm1(0.5 * row))):
                    found = median_interval(values.tolist())
                    held[shape] += found.low <= 0 <= found.high
                    widths.append((found.high - found.low) / 2)
            shares = [held[shape] / runs for shape in ("normal", "skewed")]
            print(f"{n:10} {rho:5} {shares[0]:8.3f} {shares[1]:8.3f} {np.mean(widths):11.3f}")


def clustered(runs=2000):
    """Requests that share what their prompt does to them, in shuffled order."""
    rng = np.random.default_rng(2)
    print("the same with an effect per prompt, 5 prompts, shuffled rounds")
    for n in (30, 60, 100):
        effect = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
        held = 0
        for _ in range(runs):
            prompts = np.concatenate([rng.permutation(5) for _ in range(n // 5)])
            values = effect[prompts] + rng.standard_normal(n)
            found = median_interval(values.tolist(), strata=prompts.tolist())
            held += found.low <= 0 <= found.high
        print(f"{n:10} {'':5} {held / runs:8.3f}")


def power(runs=1000):
    rng = np.random.default_rng(3)
    print("compare(): 60 pairs, 5 % variation, load shared by both of a pair")
    for slower in (1.0, 1.03, 1.05):
        found = 0
        for _ in range(runs):
            load = np.repeat(rng.uniform(1, 2, 6), 10)
            a, b = (load * np.exp(0.05 * rng.standard_normal(60)) for _ in "ab")
            found += compare(a.tolist(), (slower * b).tolist()).verdict == "slower"
        print(f"{100 * (slower - 1):9.0f} % slower: called slower in {found / runs:.3f}")


def model_bytes(context=256):
    sys.path.insert(0, "tests/device")
    from gguf_files import weights, write

    metadata, tensors, _ = weights()
    return write(metadata | {"llama.context_length": context}, tensors)


def parsing(tokens=200):
    """Token records of one request, decoded again and again; the engine's time is left out."""
    agent = LocalAgent(model_bytes())
    client = ProtocolClient()
    stream = b""
    client.generate(1, "abc", 0, max_tokens=tokens, ignore_eos=True)
    agent.write(client.take())
    while agent.step():
        stream += agent.read()
    stream += agent.read()
    records, spent = 0, 0.0
    while spent < 1.0:
        fresh = ProtocolClient(batch=True)
        fresh.generate(1, "abc", 0, max_tokens=tokens, ignore_eos=True)
        fresh.take()
        out, device = Generation(0, clock="device", tick_hz=1e9), FramedDevice(lambda: None)
        start = time.perf_counter()
        for at in range(0, len(stream), 4096):
            for event in fresh.feed(stream[at : at + 4096], at):
                device._take(out, event, 1)  # noqa: SLF001
        spent += time.perf_counter() - start
        records += len(out.ticks)
    rate = records / spent
    size = len(stream) / max(len(out.ticks), 1)
    print(f"{rate:,.0f} token records/s from bytes to columns, {rate * size / 1e6:.1f} MB/s")


PLAYER = """
import os, sys, time
data, began, sent = sys.stdin.buffer.read(), time.monotonic(), 0
while sent < len(data):
    sent += os.write(int(sys.argv[1]), data[sent : sent + int(sys.argv[2])])
    time.sleep(max(began + sent / 92_160 - time.monotonic(), 0))
"""


def reading(tokens=20_000):
    """A serial line that is full of token records: what this process spends on it."""
    agent, client, stream = LocalAgent(model_bytes(30_000)), ProtocolClient(), b""
    client.generate(1, "abc", 0, max_tokens=tokens, ignore_eos=True)
    agent.write(client.take())
    while agent.step():
        stream += agent.read()
    stream += agent.read()
    for piece in (64, 512):
        master, slave = os.openpty()
        tty.setraw(slave)
        link = open_link(os.ttyname(slave), baudrate=921_600)
        os.close(slave)
        device = FramedDevice(lambda link=link: link, first_request=1)
        vars(device).update(
            _link=link, _client=ProtocolClient(batch=True), _hello={"clock_hz": 1e9}
        )
        out = Generation(0, "abc")
        command = [sys.executable, "-c", PLAYER, str(master), str(piece)]
        player = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[master])
        player.stdin.write(stream)
        player.stdin.close()
        spent = time.process_time()
        device.generate(out, tokens, 0, 60)
        spent = time.process_time() - spent
        player.wait()
        link.close()
        os.close(master)
        share = spent / (len(stream) / 92_160)
        print(
            f"{100 * share:.2f} % of one core at 921600 baud, all token records, in pieces of "
            f"{piece} bytes ({len(out.ticks)} tokens)"
        )


def metrics(tokens=256, requests=200):
    one = Generation(0, clock="device", tick_hz=1e6, start_ticks=0, start_host_ns=1)
    for i in range(tokens):
        one.add(i * 1000 + 2, ticks=1000 + i * 1000 + i % 7, token_id=i, piece="x")
    one.end_ticks, one.end_host_ns = one.ticks[-1], one.host_ns[-1]
    start = time.perf_counter()
    for _ in range(requests):
        request_metrics(one)
    each = (time.perf_counter() - start) / requests
    print(f"{1e3 * each:.2f} ms for the metrics of a request of {tokens} tokens")


def simulated(runs=100):
    """A report without hardware: how long it takes, and whether it is always the same."""
    config = ProfilingConfig(max_new_tokens=8)
    hashes, took = set(), []
    for _ in range(runs):
        start = time.perf_counter()
        with EdgeProfiler("sim-rv32", config=config) as profiler:
            found = profiler.profile_model(None, ["Once upon a time"])
        took.append(time.perf_counter() - start)
        hashes.add(found.content_hash())
    print(
        f"{len(hashes)} content hash of {runs} runs of sim-rv32, {np.median(took):.2f} s each"
    )


if __name__ == "__main__":
    coverage()
    clustered()
    power()
    parsing()
    reading()
    metrics()
    simulated()
