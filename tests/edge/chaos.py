"""Devices whose links, power and bits fail on request, and what must come of each failure.

A rig is a device that streams tokens behind one kind of link. `trial` does one fault to it
in the middle of a request and says what the profiler made of it.
"""

import random
import threading
import time
from collections import Counter

from edge_peers import Agent, Proxy

from holdfast.edge import DeviceError, EdgeProfiler, Generation, ProfilingConfig
from holdfast.edge._backends.native import FramedDevice
from holdfast.edge._links.channels import open_link
from holdfast.edge._measurement.loop import Measuring
from holdfast.errors import RejectedError

REPLY_SECONDS = 0.06
TOKENS = 24
THRESHOLD = 3
REST_SECONDS = 0.6
# What the cause of a request that could not be completed says.
WORDS = {"reboot": "restarted", "timeout": "no answer within", "lost": "cannot reach"}


class Noise:
    """Harms chunks of bytes while armed: `budget` of them, of the kinds asked for."""

    def __init__(self, seed):
        self.rng, self.kinds, self.budget, self.done = random.Random(seed), (), 0, Counter()

    def arm(self, kinds, budget):
        self.kinds, self.budget = kinds, budget

    def __call__(self, data, _total=0):
        if not self.budget or not data or self.rng.random() > 0.3:
            return data
        self.budget -= 1
        kind = self.rng.choice(self.kinds)
        self.done[kind] += 1
        if kind == "drop":
            return None
        if kind == "lose":
            return b""
        if kind == "stall":
            time.sleep(0.5 * REPLY_SECONDS)
            return data
        if kind == "double":
            return data + data
        if kind == "cut":
            return data[: self.rng.randrange(len(data))]
        changed = bytearray(data)
        changed[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        return bytes(changed)


class Rig:
    """A profiler on a device, and a model of how its breaker must behave."""

    gentle: tuple = ()
    harsh: tuple = ()
    reply_seconds = REPLY_SECONDS

    def __init__(self, seed, target):
        self.rng = random.Random(seed)
        self.down, self.up = Noise(seed + 1), Noise(seed + 2)
        self.config = ProfilingConfig(
            max_retries=0, retry_delay=0.0, failure_threshold=THRESHOLD, timeout_seconds=3600,
            circuit_timeout=REST_SECONDS, operation_timeout=8.0, max_new_tokens=TOKENS,
            heartbeat_interval=0.0, memory_monitoring=False, connection_timeout=1.0,
            warmup_iterations=0,
        )  # fmt: skip
        self.profiler = EdgeProfiler("generic", target, config=self.config)
        self.device = FramedDevice(
            lambda: open_link(target, baudrate=921_600, connection_timeout=1.0),
            timeout=self.reply_seconds, recoveries=10, patience=1.5,
        )  # fmt: skip
        self.profiler._backend = self.device
        self.profiler.connect()
        self.measuring = self.new_run()
        self.truth = self.request().token_ids
        assert len(self.truth) == TOKENS
        self.failures, self.open, self.opened, self.done = 0, False, 0.0, Counter()

    def harm_down(self, data, total):
        return self.down(data, total)

    def harm_up(self, data, total):
        return self.up(data, total)

    def new_run(self):
        return Measuring(
            self.device, self.profiler.description, self.profiler.guard, self.config,
            recover=self.profiler._recover,
        )  # fmt: skip

    def request(self) -> Generation:
        return self.measuring.request("abc", 0, 0)

    def harm(self, kind):
        """Do it, at a random moment of the request that begins now; returns what to wait for."""
        raise NotImplementedError

    def repair(self):
        """After a fault that must be undone before anything works again."""

    def trial(self, kind=None):
        """One fault; returns (kind, status, complaint or None)."""
        kind = kind or self.rng.choice(self.gentle * 2 + self.harsh)
        self.done[kind] += 1
        refused = self.refused_when_open()
        if refused:
            return kind, "refused", refused
        self.mend()
        waiting = self.harm(kind)
        before = self.profiler.guard.breaker.state.value
        try:
            out = self.request()
        except RejectedError as error:
            return kind, "refused", f"refused while {before}: {error}"
        finally:
            for one in (self.down, self.up):
                one.budget = 0
            if waiting is not None:
                waiting.join()
            self.repair()
        if kind in self.harsh:
            # It may have come too late for this request; it is not meant for the next.
            self.measuring._broken = True
        return kind, out.status, self.complaint(kind, out)

    def mend(self):
        """Open a broken link before the fault, which is meant for the request alone."""
        left = 10
        while self.measuring._broken:
            left -= 1
            try:
                self.profiler._recover()
            except DeviceError:
                # A busy machine may need longer to start an emulator.
                if not left:
                    raise
                continue
            self.measuring._broken = False

    def complaint(self, kind, out):
        """What is wrong with the outcome; None: nothing."""
        return self.breaker_complaint(out) or self.record_complaint(kind, out)

    def record_complaint(self, kind, out):
        if out.token_ids != self.truth[: len(out.token_ids)]:
            return f"wrong tokens: {out.token_ids}"
        if any(b < a for a, b in zip(out.ticks, out.ticks[1:], strict=False)):
            return f"time runs backwards: {out.ticks}"
        if len({len(c) for c in (out.ticks, out.token_ids, out.pieces, out.host_ns)}) != 1:
            return "columns of different lengths"
        if out.status == "ok" and len(out.token_ids) != TOKENS:
            return f"called complete with {len(out.token_ids)} tokens"
        if out.status != "ok":
            expected = self.expected(kind)
            if not any(WORDS[word] in (out.cause or "") for word in expected):
                return f"{kind}: expected {expected or 'success'}, the cause is {out.cause!r}"
            if (out.status == "partial") != bool(out.token_ids):
                return f"{out.status} with {len(out.token_ids)} tokens"
        return None

    def expected(self, kind):
        """Labels that the fault may end in; none: it must be recovered from."""
        return ()

    def breaker_complaint(self, out):
        self.failures = 0 if out.status == "ok" else self.failures + 1
        self.open = self.failures >= THRESHOLD
        self.opened = time.monotonic()
        state = self.profiler.guard.breaker.state.value
        if (state == "open") != self.open:
            return f"breaker is {state} after {self.failures} failures in a row"
        return None

    def refused_when_open(self):
        """An open breaker sends nothing and lets one through after its time."""
        if not self.open:
            return None
        # The next failure opens it again at once.
        self.open, self.failures = False, THRESHOLD - 1
        sent, refused = self.device.statistics()["frames_out"], False
        early = time.monotonic() < self.opened + 0.8 * REST_SECONDS
        if early:
            try:
                self.request()
            except RejectedError:
                refused = True
        time.sleep(max(self.opened + 1.2 * REST_SECONDS - time.monotonic(), 0))
        if early and (not refused or self.device.statistics()["frames_out"] != sent):
            return "an open breaker let a request through"
        return None

    def later(self, seconds, action):
        thread = threading.Timer(seconds, action)
        thread.start()
        return thread

    def close(self):
        self.profiler.disconnect()


class TcpRig(Rig):
    """The engine of this machine behind a TCP proxy."""

    gentle = ("drop", "lose", "stall", "double", "cut", "flip")

    def __init__(self, seed, model):
        self.agent = Agent(model)
        self.proxy = Proxy(self.agent.url, down=self.harm_down, up=self.harm_up)
        super().__init__(seed, self.proxy.url)

    def harm(self, kind):
        kinds = (kind,) if kind != "lose" else ("lose", "flip")
        self.down.arm(kinds, 1 + self.rng.randrange(2))
        self.up.arm(kinds, self.rng.randrange(2))

    def close(self):
        super().close()
        self.proxy.close()


def run(rig, trials, seconds=3600.0, kind=None):
    """Trials in a row: (outcomes by kind and status, complaints)."""
    outcomes, complaints = Counter(), []
    until = time.monotonic() + seconds
    for _ in range(trials):
        if time.monotonic() > until:
            break
        kind_done, status, complaint = rig.trial(kind)
        outcomes[kind_done, status] += 1
        if complaint:
            complaints.append(complaint)
    return outcomes, complaints
