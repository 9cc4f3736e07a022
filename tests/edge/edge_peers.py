"""Devices and servers written from their specifications, for tests."""

import contextlib
import os
import re
import select
import socket
import termios
import threading
import time
import tty


class TinyDevice:
    """MLPerf Tiny firmware API: bytes in, bytes out. `now_us` is its clock."""

    def __init__(
        self, *, now_us=lambda: 0, energy=False, largest=64, boot=False, us_per_inference=1000
    ):
        self.now_us, self.energy, self.largest = now_us, energy, largest
        self.cost, self.extra = us_per_inference, 0
        self.pending, self.expected, self.buffer = "", 0, bytearray()
        self.commands = []
        self.hello = self.banner() if boot else b""

    def banner(self):
        mode = "energy" if self.energy else "performance"
        return f"m-timestamp-mode-{mode}\r\nm-lap-us-7\r\nm-init-done\r\nm-ready\r\n".encode()

    def lap(self):
        return [] if self.energy else [f"m-lap-us-{(self.now_us() + self.extra) % 2**32}"]

    def feed(self, data):
        out = b""
        for character in data.decode("latin-1"):
            if character == "%":
                out += "".join(
                    line + "\r\n" for line in [*self.run(self.pending), "m-ready"]
                ).encode()
                self.pending = ""
            else:
                # The last place is overwritten: silent truncation, as the real buffer does.
                self.pending = (
                    (self.pending + character)
                    if len(self.pending) < 79
                    else self.pending[:78] + character
                )
        return out

    def run(self, text):
        self.commands.append(text)
        words = text.split(" ")
        if text == "name":
            return ["m-name-dut-[holdfast-peer]"]
        if text == "profile":
            return ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[kws01]"]
        if text == "timestamp":
            return self.lap()
        if text == "help":
            return ["anything"]
        if text == "results":
            return ["m-results-[0.100,0.900]"]
        if words[0] == "infer":
            return self.infer(words[1:])
        if words[0] == "db":
            return self.db(words[1:])
        return [f"e-[Unknown command: {text}]"]

    def infer(self, words):
        n = int(words[0]) if words else 1
        warm = int(words[1]) if len(words) > 1 else 10
        if n <= 0:
            return ["e-[Inference iterations must be >0]"]
        if warm < 0:
            return ["e-[Inference warmup must be >=0]"]
        lines = [f"m-warmup-start-{warm}", "m-warmup-done", f"m-infer-start-{n}", *self.lap()]
        self.extra += n * self.cost
        return [*lines, *self.lap(), "m-infer-done", "m-results-[0.100,0.900]"]

    def db(self, words):
        if words[0] == "load":
            n = int(words[1])
            lines = []
            if n > self.largest:
                lines = [f"Supplied buffer size {n} exceeds maximum of {self.largest}"]
            self.expected, self.buffer = n, bytearray()
            return [*lines, f"m-[Expecting {n} bytes]"]
        if words[0] == "print":
            rows = [self.buffer[i : i + 8] for i in range(0, len(self.buffer), 8)]
            return ["m-buffer-" + "-".join(f"{byte:02x}" for byte in row) for row in rows]
        digits = words[0]
        if len(digits) % 2:
            return ["e-[Insufficent number of hex digits]"]
        for i in range(0, len(digits), 2):
            if not re.fullmatch("[0-9a-fA-F]{2}", digits[i : i + 2]):
                return [f"e-[Invalid hex digit '{digits[i : i + 2]}']"]
            if len(self.buffer) < self.expected:
                self.buffer.append(int(digits[i : i + 2], 16))
        return ["m-load-done"] if len(self.buffer) >= self.expected else []


class LineDevice:
    """The older line protocol."""

    hello = b""

    def __init__(self, *, tokens=12, answers=None, answer_heartbeat=True):
        self.tokens, self.answers, self.beat = tokens, answers or {}, answer_heartbeat
        self.pending, self.commands = b"", []

    def feed(self, data):
        self.pending += data
        *lines, self.pending = self.pending.split(b"\n")
        out = b""
        for line in lines:
            text = line.decode()
            self.commands.append(text)
            name = text.partition(":")[0]
            usual = {
                "PING": "PONG", "HB": "OK" if self.beat else None,
                "INFER": f"TOKENS:{self.tokens}", "FIRST_TOKEN": "the", "MEM_STATUS": "MEM:123.5",
                "METRICS": "METRICS:10.5,200,7.5",
            }  # fmt: skip
            answer = (usual | self.answers).get(name, "ERR")
            out += b"" if answer is None else answer.encode() + b"\n"
        return out


class Printing:
    """Firmware that answers each line with fixed text."""

    def __init__(self, answer, hello=b""):
        self.answer, self.hello, self.commands = answer, hello, []

    def feed(self, data):
        self.commands.append(data.decode())
        return self.answer if data.endswith(b"\n") else b""


class Silent:
    hello = b""

    def feed(self, data):
        return b""


class PtyPeer:
    """A device on a pty; `unplug` closes its end."""

    def __init__(self, device):
        self.device = device
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        device.slave = self.slave
        self.stop, self.wake = os.pipe()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        os.write(self.master, self.device.hello)
        while True:
            ready, _, _ = select.select([self.master, self.stop], [], [])
            if self.stop in ready:
                return
            try:
                data = os.read(self.master, 4096)
            except OSError:
                return
            answer = self.device.feed(data)
            if answer:
                os.write(self.master, answer)

    def unplug(self):
        if self.thread.is_alive():
            os.write(self.wake, b"x")
            self.thread.join()
        for descriptor in ("master", "slave"):
            if getattr(self, descriptor) is not None:
                os.close(getattr(self, descriptor))
                setattr(self, descriptor, None)

    def close(self):
        self.unplug()
        os.close(self.stop)
        os.close(self.wake)


class TcpPeer:
    """A device behind TCP that may split, delay or drop."""

    def __init__(self, make_device, *, piece=None, delay=0.0, drop_after=None):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        self.make, self.piece, self.delay, self.drop_after = (
            make_device,
            piece,
            delay,
            drop_after,
        )
        self.device = make_device()
        self.connections = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                link, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            with link:
                self.talk(link)

    def talk(self, link):
        sent = 0
        try:
            link.sendall(self.device.hello)
            while data := link.recv(4096):
                answer = self.device.feed(data)
                step = self.piece or len(answer) or 1
                for at in range(0, len(answer), step):
                    if self.drop_after is not None and sent >= self.drop_after:
                        self.drop_after = None
                        return
                    time.sleep(self.delay)
                    link.sendall(answer[at : at + step])
                    sent += step
        except OSError:
            return

    def close(self):
        self.server.close()


class Agent:
    """The framed protocol, served by the engine of this machine."""

    def __init__(self, model=None):
        from holdfast.edge import serve_agent

        self.url = None
        known = threading.Event()

        def ready(where):
            self.url = where
            known.set()

        thread = threading.Thread(
            target=serve_agent, args=("127.0.0.1:0",), kwargs={"model": model, "ready": ready},
            daemon=True,
        )  # fmt: skip
        thread.start()
        assert known.wait(60), "the agent did not begin to serve"

    def close(self):
        pass


class Proxy:
    """TCP in between: `down(data, total)` and `up(...)` may change, delay or refuse bytes."""

    def __init__(self, url, *, down=None, up=None):
        host, port = url.removeprefix("tcp://").split(":")
        self.behind = (host, int(port))
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        self.down, self.up = down, up
        self.connections = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.connect, args=(near,), daemon=True).start()

    def connect(self, near):
        try:
            far = socket.create_connection(self.behind)
        except OSError:
            near.close()
            return
        with near, far:
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            up = threading.Thread(target=self.carry, args=(near, far, self.up), daemon=True)
            up.start()
            self.carry(far, near, self.down)
            up.join()

    @staticmethod
    def carry(source, target, change):
        total = 0
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                total += len(data)
                if change is not None:
                    data = change(data, total)
                    if data is None:
                        break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.server.close()


class AgentDevice:
    """The engine of this machine behind a pty: bytes in, bytes out."""

    hello = b""

    def __init__(self, model=None):
        from holdfast._core import LocalAgent

        self.agent = LocalAgent(model)

    def feed(self, data):
        self.agent.write(data)
        out = b""
        while self.agent.step():
            out += self.agent.read()
        return out + self.agent.read()


class SimulatedBoard:
    """The simulated part behind a pty; bytes are garbled while the speeds disagree."""

    hello = b""
    slave = None

    def __init__(self, model):
        from holdfast._core import SimulatedDevice
        from holdfast.edge._backends.images import simulator_firmware

        self.device = SimulatedDevice(simulator_firmware(), model)

    def feed(self, data):
        # The pty's own setting stands for the speed of the host's end.
        code = termios.tcgetattr(self.slave)[5]
        rates = (9600, 115_200, 230_400, 460_800, 921_600)
        self.device.set_host_baud({getattr(termios, f"B{rate}"): rate for rate in rates}[code])
        self.device.write(data)
        out = b""
        while self.device.run(1_000_000) == "running":
            out += self.device.read()
        return out + self.device.read()
