"""The text protocol of MLPerf Tiny devices under test (firmware API of v1.x)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from holdfast.edge._backends.base import DeviceDescription, Plain
from holdfast.edge._backends.lines import LineChannel, one_line
from holdfast.edge._errors import (
    DeviceConnectionError,
    DeviceError,
    DeviceRebootError,
    ProtocolError,
)
from holdfast.edge._measurement.clock import Ping, unwrap
from holdfast.errors import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.edge._links.channels import Link
    from holdfast.edge._measurement.records import Generation

_COMMAND_LIMIT = 79  # the parser of the firmware cuts silently at 80
_BYTES_PER_LINE = 31
_CLOCK_BITS = 32
_LAP = re.compile(r"m-lap-us-(\d{1,18})")
_OUTPUT = re.compile(r"[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|nan|inf)", re.IGNORECASE)


@dataclass
class InferenceRun:
    """One `infer`: the device's times in microseconds, unwrapped, and its outputs."""

    iterations: int
    warmups: int
    start_us: int
    end_us: int
    results: list[float]

    @property
    def throughput(self) -> float | None:
        """Inferences per second."""
        spent = self.end_us - self.start_us
        return self.iterations * 1e6 / spent if spent > 0 else None


class MLPerfTiny(Plain):
    """Client of the protocol: commands end with `%`, answers with `m-ready`."""

    kind = "mlperf-tiny"

    def __init__(
        self,
        opener: Callable[[], Link],
        *,
        timeout: float = 5.0,
        boot_timeout: float = 5.0,
        max_buffer: int = 1 << 20,
    ) -> None:
        self._opener, self._timeout, self._boot_timeout = opener, timeout, boot_timeout
        self._max_buffer = max_buffer
        self._channel: LineChannel | None = None
        self.name = "mlperf-tiny"
        self.boots = 0
        self._boots_seen = 0
        self._last: tuple[int, int] | None = None
        self._turned = 0
        self._late = 0

    @property
    def _device(self) -> LineChannel:
        if self._channel is None:
            raise DeviceConnectionError(self.name, self.kind, "it is not open")
        return self._channel

    def command(self, text: str, timeout: float | None = None) -> list[tuple[str, int]]:
        """Send one command; its lines, up to `m-ready`, with their times of arrival.

        Raises
        ------
        DeviceError
            `e-[...]` came back.
        DeviceTimeoutError
            `m-ready` did not come.
        DeviceRebootError
            It came from a device that had started anew.
        InvalidDataError
            The command holds `%` or a line break, or is too long for the firmware's buffer.
        """
        if "%" in one_line(text, "command") or len(text.encode()) > _COMMAND_LIMIT:
            raise InvalidDataError(
                f"command must have at most {_COMMAND_LIMIT} bytes and no '%', got {text!r}"
            )
        limit = self._timeout if timeout is None else timeout
        # A device that started anew meanwhile said so unasked.
        self.boots += sum(line.endswith("m-init-done") for line in self._device.drain())
        if self._late:
            self._settle()
        boots = self.boots
        self._device.send(text + "%")
        self._late += 1
        lines = self._until_ready(text, limit)
        self._late = 0
        if self.boots != boots:
            raise DeviceRebootError(text, "m-init-done in the middle of an answer")
        errors = [line for line, _ in lines if line.startswith("e-")]
        if errors:
            raise DeviceError(f"{text}: {errors[0]}", "DEVICE_SAID_NO", {"errors": errors})
        return lines

    def _until_ready(self, text: str, limit: float) -> list[tuple[str, int]]:
        lines: list[tuple[str, int]] = []
        for raw, now in self._device.answer(limit, text):
            line = raw.removeprefix("[dut]: ").strip()
            if line == "m-ready":
                break
            if line == "m-init-done":
                self.boots += 1
            if line:
                lines.append((line, now))
        return lines

    def _settle(self) -> None:
        """Let an answer that was given up pass by: it must not be taken for the next."""
        word = f"holdfast-{self._late}"
        self._late += 1
        self._device.send(word + "%")
        while not any(word in line for line, _ in self._until_ready(word, self._timeout)):
            pass

    def open(self) -> DeviceDescription:
        """Wait out a restart that opening the port may cause, then ask for the name."""
        link = self._opener()
        self.name = link.name
        self._channel = LineChannel(link)
        self._late, self._last, self._turned = 0, None, 0
        try:
            thrown = self._channel.drain(min(0.05, self._boot_timeout))
            if any("m-" in line for line in thrown) and "m-ready" not in thrown:
                self._until_ready("boot", self._boot_timeout)
            # A half command left in the device's buffer would swallow ours.
            self._channel.send("%")
            self._until_ready("%", self._timeout)
            vendor = self._value(self.command("name"), r"m-name-dut-\[(.*)\]", "name")
            profile = self.command("profile")
        except BaseException:
            self.close()
            raise
        texts = [line for line, _ in profile]
        model = [m[1] for text in texts if (m := re.fullmatch(r"m-model-\[(.*)\]", text))]
        firmware = [m[1] for text in texts if (m := re.fullmatch(r"m-profile-\[(.*)\]", text))]
        return DeviceDescription(
            "mlperf-tiny",
            board=vendor,
            firmware=firmware[0] if firmware else None,
            clock="device",
            tick_hz=1e6,
            model={"name": model[0]} if model else {},
        )

    def close(self) -> None:
        """Close the link."""
        if self._channel is not None:
            self._channel.link.close()
            self._channel = None

    def _wrong(self, operation: str, expected: str, received: str) -> ProtocolError:
        # More of it may follow.
        self._late += 1
        return ProtocolError(operation, expected, received)

    def _value(self, lines: list[tuple[str, int]], pattern: str, command: str) -> str:
        for line, _ in lines:
            if match := re.fullmatch(pattern, line):
                return match[1]
        raise self._wrong(command, pattern, "; ".join(line for line, _ in lines))

    def _lap(self, tick: int, host_ns: int) -> int:
        """The 32-bit microseconds, which start over every 71.6 minutes, made to grow."""
        if self._boots_seen != self.boots:
            self._boots_seen, self._last, self._turned = self.boots, None, 0
        before, then = self._last or (tick, host_ns)
        turn = 1 << _CLOCK_BITS
        turned, backwards = 0, tick < before
        if max(before, tick) < turn:
            grown = unwrap([before, tick], _CLOCK_BITS, [then, host_ns], 1e6)
            turned = grown[1] - tick
            # Far ahead of our clock is a step back by another name.
            backwards = grown[1] - before - (host_ns - then) / 1e3 > turn / 2
        if backwards or (tick >= turn and self._turned):
            said = f"{before} us, then {tick} us"
            raise self._wrong("timestamp", "a clock that grows", said)
        self._turned += turned
        self._last = (tick, host_ns)
        return tick + self._turned

    def timestamp(self) -> int:
        """The device's clock, us.

        Raises
        ------
        ProtocolError
            If the firmware answers with anything else.
        """
        lines = self.command("timestamp")
        for line, now in lines:
            if match := _LAP.fullmatch(line):
                return self._lap(int(match[1]), now)
        raise self._wrong("timestamp", "m-lap-us-<n>", "; ".join(line for line, _ in lines))

    def ping(self, timeout: float) -> Ping | None:  # noqa: ARG002
        """`timestamp` with the host's times around it."""
        sent = self._device.link.now_ns()
        tick = self.timestamp()
        return Ping(sent, tick, tick, self._device.link.now_ns())

    def load_input(self, data: bytes) -> None:
        """`db load` and `db`, 31 bytes a line.

        Raises
        ------
        InvalidDataError
            When it is empty or larger than the buffer: the firmware keeps the size it
            complained about and would write past its end.
        """
        if not 0 < len(data) <= self._max_buffer:
            raise InvalidDataError(
                f"input must have 1 to {self._max_buffer} bytes, got {len(data)}"
            )
        lines = self.command(f"db load {len(data)}")
        if not any(line == f"m-[Expecting {len(data)} bytes]" for line, _ in lines):
            said = "; ".join(line for line, _ in lines)
            raise self._wrong("db load", f"m-[Expecting {len(data)} bytes]", said)
        done = False
        for at in range(0, len(data), _BYTES_PER_LINE):
            lines = self.command("db " + data[at : at + _BYTES_PER_LINE].hex())
            done = any(line == "m-load-done" for line, _ in lines)
        if not done:
            raise self._wrong("db", "m-load-done", "; ".join(line for line, _ in lines))

    def read_input(self) -> bytes:
        """`db print`: what is in the buffer.

        Raises
        ------
        ProtocolError
            If the firmware answers with anything else.
        """
        text = "".join(
            line.removeprefix("m-buffer-") + "-"
            for line, _ in self.command("db print")
            if line.startswith("m-buffer-")
        )
        try:
            return bytes.fromhex(text.replace("-", ""))
        except ValueError as error:
            raise self._wrong("db print", "hexadecimal digits", text) from error

    def results(self) -> list[float]:
        """Outputs of the last inference."""
        return self._outputs(self.command("results"))

    def _outputs(self, lines: list[tuple[str, int]]) -> list[float]:
        text = self._value(lines, r"m-results-\[(.*)\]", "results")
        parts = [part.strip() for part in text.split(",")] if text.strip() else []
        if not all(_OUTPUT.fullmatch(part) for part in parts):
            raise self._wrong("results", "numbers", text)
        return [float(part) for part in parts]

    def infer(
        self, iterations: int = 1, warmups: int = 0, timeout: float = 30.0
    ) -> InferenceRun:
        """Run the model; the firmware's own default of 10 warm-ups is never relied on.

        Raises
        ------
        InvalidParameterError
            If there is no iteration, or fewer than 0 warm-ups.
        ProtocolError
            If the firmware answers with anything else.
        """
        if iterations < 1 or warmups < 0:
            raise InvalidParameterError(
                f"iterations must be at least 1 and warmups 0, got {iterations}, {warmups}"
            )
        lines = self.command(f"infer {iterations} {warmups}", timeout)
        laps = [
            self._lap(int(match[1]), now)
            for line, now in lines
            if (match := _LAP.fullmatch(line))
        ]
        if len(laps) != 2:  # noqa: PLR2004
            # Firmware built for energy mode raises an edge instead of printing the time.
            said = "; ".join(line for line, _ in lines)
            raise self._wrong("infer", "two m-lap-us lines (performance mode)", said)
        return InferenceRun(iterations, warmups, laps[0], laps[1], self._outputs(lines))

    def generate(self, out: Generation, max_tokens: int, seed: int, timeout: float) -> None:  # noqa: ARG002
        """One inference; such firmware has no tokens, so the request is the record."""
        out.granularity, out.clock, out.tick_hz = "summary", "device", 1e6
        self.load_input(out.prompt.encode())
        out.start_host_ns = self._device.link.now_ns()
        run = self.infer(1, 0, timeout)
        out.end_host_ns = self._device.link.now_ns()
        out.start_ticks, out.end_ticks = run.start_us, run.end_us
        out.reported["inference_us"] = run.end_us - run.start_us
        out.reported["results"] = run.results

    def benchmark(
        self, inputs: Sequence[bytes], *, seconds: float = 10.0, timeout: float = 60.0
    ) -> tuple[float, list[InferenceRun]]:
        """Median throughput over windows of at least `seconds`, one per input (5 by the rules).

        Raises
        ------
        InvalidParameterError
            If there is no input, or `seconds` is not above 0.
        ProtocolError
            When a window could not be made long enough.
        """
        if not inputs or not seconds > 0:
            raise InvalidParameterError(
                f"inputs must hold some and seconds be above 0, got {len(inputs)}, {seconds}"
            )
        runs = []
        for data in inputs:
            self.load_input(data)
            run = self.infer(10, 1, timeout)
            while (spent := (run.end_us - run.start_us) / 1e6) < seconds:
                wanted = run.iterations * min(seconds / max(spent, 1e-6) * 1.1, 1000) + 1
                if run.iterations > 10**9:
                    raise ProtocolError("infer", f"a window of {seconds} s", f"{spent} s")
                run = self.infer(int(wanted), 0, timeout + seconds * 2)
            runs.append(run)
        rates = [run.throughput for run in runs]
        return median(rate for rate in rates if rate is not None), runs
