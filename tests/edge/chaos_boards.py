"""Boards that are unplugged, halted, reset and killed; see `chaos`."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import tty
from pathlib import Path

from chaos import REPLY_SECONDS, Rig
from edge_peers import Proxy


class PtyRig(Rig):
    """The engine behind a pty that can be unplugged and plugged in again."""

    gentle = ("lose", "stall", "double", "cut", "flip", "replug")
    harsh = ("reset", "unplug")

    def __init__(self, seed, model):
        from holdfast._core import LocalAgent

        self.board = LocalAgent(model)
        self.folder = tempfile.TemporaryDirectory(prefix="holdfast-", dir="/tmp")
        self.path = f"{self.folder.name}/port"
        self.master = self.slave = None
        self.ending, self.carried, self.fault, self.back = False, 0, None, None
        self.down = self.up = bytes
        self.plug()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        super().__init__(seed, f"pty://{self.path}")
        before = self.carried
        self.request()
        self.reply_bytes = self.carried - before

    def plug(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        with contextlib.suppress(FileNotFoundError):
            Path(self.path).unlink()
        Path(self.path).symlink_to(os.ttyname(self.slave))

    def unplug(self):
        Path(self.path).unlink()
        for descriptor in (self.master, self.slave):
            os.close(descriptor)
        self.master = self.slave = None

    def serve(self):
        while not self.ending:
            if self.back is not None and time.monotonic() >= self.back:
                self.plug()
                self.back = None
            busy = self.board.step()
            if said := self.board.read():
                self.carry(bytes(said))
            if self.master is None:
                time.sleep(0.001)
            elif select.select([self.master], [], [], 0 if busy else 0.002)[0]:
                with contextlib.suppress(BlockingIOError):
                    self.board.write(self.up(os.read(self.master, 4096)))
            if busy:
                time.sleep(0.0005)

    def carry(self, said):
        self.carried += len(said)
        fault = self.fault
        if fault is not None and self.carried >= fault[0]:
            # What the board has not sent yet is lost with it.
            said, self.fault = said[: len(said) - (self.carried - fault[0])], None
            self.send(said)
            fault[1]()
        else:
            self.send(said)

    def send(self, said):
        if self.master is not None and said:
            with contextlib.suppress(BlockingIOError):
                os.write(self.master, self.down(said))

    def replug(self):
        self.unplug()
        self.back = time.monotonic() + self.rng.uniform(0.02, 0.3)

    def harm(self, kind):
        """Of the reply, not of the clock: a quick board has answered before any timer."""
        acts = {"reset": self.board.reset, "replug": self.replug, "unplug": self.unplug}
        if kind in acts:
            at = 1 + self.rng.randrange(int(0.8 * self.reply_bytes))
            self.fault = self.carried + at, acts[kind]
        else:
            self.down.arm((kind,), 1 + self.rng.randrange(2))
            self.up.arm((kind,), self.rng.randrange(2))

    def repair(self):
        assert self.fault is None, "the fault never came"
        if self.master is None and self.back is None:
            self.back = time.monotonic()
        while self.master is None and not self.ending:
            time.sleep(0.002)

    def expected(self, kind):
        return {"reset": ("reboot",), "unplug": ("lost",)}.get(kind, ())

    def close(self):
        super().close()
        self.ending = True
        self.thread.join()
        if self.master is not None:
            self.unplug()
        self.folder.cleanup()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class QemuRig(Rig):
    """An emulated Cortex-M board, halted, reset and killed through QMP, behind a proxy."""

    gentle = ("pause", "flip")
    harsh = ("freeze", "reset", "quit", "kill", "gone")
    reply_seconds = 0.3

    def __init__(self, seed, model, kernel):
        self.folder = tempfile.TemporaryDirectory(prefix="holdfast-", dir="/tmp")
        stored = Path(self.folder.name) / "model.bin"
        stored.write_bytes(b"HFM1" + struct.pack("<I", len(model)) + bytes(8) + model)
        self.port, self.kernel, self.boots = free_port(), kernel, seed
        self.process = self.control = None
        self.start()
        self.proxy = Proxy(
            f"tcp://127.0.0.1:{self.port}",
            down=self.harm_down, up=self.harm_up,
        )  # fmt: skip
        super().__init__(seed, self.proxy.url)

    def start(self):
        self.boots += 1
        name = f"{self.folder.name}/qmp"
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        self.process = subprocess.Popen([
            shutil.which("qemu-system-arm"), "-M", "mps2-an386", "-kernel", str(self.kernel),
            "-display", "none", "-monitor", "none",
            "-serial", f"tcp:127.0.0.1:{self.port},server=on,wait=off,nodelay=on",
            "-qmp", f"unix:{name},server=on,wait=off",
            "-device", f"loader,file={self.folder.name}/model.bin,addr=0x200000,force-raw=on",
            "-device", f"loader,addr=0x3ffff0,data={self.boots},data-len=4",
        ])  # fmt: skip
        until = time.monotonic() + 10
        while True:
            self.control = socket.socket(socket.AF_UNIX)
            try:
                self.control.connect(name)
                break
            except OSError:
                self.control.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
        self.lines = self.control.makefile("rw")
        self.lines.readline()
        self.qmp("qmp_capabilities")

    def qmp(self, command):
        self.lines.write(json.dumps({"execute": command}) + "\n")
        self.lines.flush()
        while "return" not in json.loads(self.lines.readline() or '{"return": 0}'):
            pass

    def end(self, how):
        if how == "quit":
            with contextlib.suppress(OSError):
                self.qmp("quit")
        else:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.lines.close()
        self.control.close()

    def harm(self, kind):
        moment = self.rng.uniform(0, 0.03)
        if kind == "flip":
            self.down.arm(("flip",), 1 + self.rng.randrange(2))
            self.up.arm(("flip",), self.rng.randrange(2))
            return None
        return self.later(moment, lambda: self.act(kind))

    def act(self, kind):
        if kind in {"pause", "freeze"}:
            self.qmp("stop")
            if kind == "pause":
                time.sleep(REPLY_SECONDS)
                self.qmp("cont")
        elif kind == "reset":
            self.qmp("system_reset")
        elif kind in {"quit", "kill"}:
            self.end(kind)
            time.sleep(self.rng.uniform(0, 0.2))
            self.start()
        else:
            self.end("kill")

    def repair(self):
        if self.process.poll() is not None:
            self.start()
        self.qmp("cont")

    def expected(self, kind):
        return {
            "freeze": ("timeout",), "reset": ("reboot",), "gone": ("lost",),
            "quit": ("reboot", "lost"), "kill": ("reboot", "lost"),
        }.get(kind, ())  # fmt: skip

    def close(self):
        super().close()
        self.proxy.close()
        self.end("kill")
        self.folder.cleanup()
