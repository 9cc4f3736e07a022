"""Simulator, codec and engine: rates on this machine, by processor time of this process.

python benches/device.py [--gguf FILE]
"""

import argparse
import time
from pathlib import Path

import harness

harness.one_thread()

from holdfast import _core  # noqa: E402

IMAGES = Path(_core.__file__).parent / "edge" / "images"


def processor_seconds(call):
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def best(call, repeat=3):
    return min((processor_seconds(call) for _ in range(repeat)), key=lambda pair: pair[0])


def simulator(firmware, model):
    def run():
        device, client = _core.SimulatedDevice(firmware, model), _core.ProtocolClient()
        client.generate(1, "Once upon a time", 0, max_tokens=64, ignore_eos=True)
        device.write(client.take())
        while device.run() == "running":
            pass
        return device.report(), client.feed(device.read(), 0)

    seconds, (report, events) = best(run)
    end = next(event for event in events if event["event"] == "end")
    rate = report["instructions"] / seconds / 1e6
    print(f"simulator            {rate:10.0f} MIPS      goal 300")
    tokens = end["tokens"] - 1
    cycles = events[-2]["ticks"] - end["prefill_ticks"]
    print(
        f"  a token of the shipped model: {cycles / tokens / 1e6:.2f} million cycles (modelled)"
    )
    touched, stack = report["ram_touched_bytes"], report["stack_high_water_bytes"]
    print(f"  memory touched {touched} B, stack {stack} B")


def records(model):
    agent, client = _core.LocalAgent(model), _core.ProtocolClient()
    client.generate(1, "a", 0, max_tokens=240, ignore_eos=True)
    agent.write(client.take())
    while agent.step():
        pass
    stream = agent.read()
    count = stream.count(b"\x00") // 2
    copies = 200

    def parse():
        for _ in range(copies):
            client = _core.ProtocolClient()
            client.generate(1, "a", 0, max_tokens=240, ignore_eos=True)
            client.feed(stream, 0)

    seconds, _ = best(parse)
    rate = count * copies / seconds
    print(f"records to events    {rate:10.0f} /s        goal 100000")
    bytes_rate = len(stream) * copies / seconds
    print(f"bytes parsed         {bytes_rate / 1e6:10.1f} MB/s")
    print(f"  share of a processor at 921600 baud: {92_160 / bytes_rate:.2%}   goal below 1%")


def engine(name, model):
    host = _core.HostEngine(model)
    tokens = host.tokenize("Once upon a time")
    count = min(200, host.info()["context"] - len(tokens))
    for level in _core.simd_levels():
        _core.force_simd_level(level)
        seconds, _ = best(lambda: host.generate(tokens, count, ignore_eos=True))
        print(f"engine {name:24} {level:10} {count / seconds:10.0f} tokens/s")
    _core.force_simd_level(None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", type=Path, help="another model, e.g. a larger one")
    path = parser.parse_args().gguf
    firmware = (IMAGES / "sim-rv32.elf").read_bytes()
    shipped = IMAGES / "fables-279k-q8_0.gguf"
    simulator(firmware, shipped.read_bytes())
    records(shipped.read_bytes())
    for each in filter(None, (shipped, path)):
        engine(each.stem, each.read_bytes())


if __name__ == "__main__":
    main()
