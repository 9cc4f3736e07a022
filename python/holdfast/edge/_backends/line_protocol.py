"""The older line protocol: PING, INFER, FIRST_TOKEN, MEM_STATUS, METRICS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdfast.edge._backends.base import DeviceDescription, MemoryReading, Plain
from holdfast.edge._backends.lines import LineChannel, one_line
from holdfast.edge._errors import DeviceConnectionError, DeviceTimeoutError, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.edge._links.channels import Link
    from holdfast.edge._measurement.records import Generation

_NUMBER = r"(\d{1,12}(?:\.\d{1,12})?)"


class LineProtocol(Plain):
    """A device that answers line by line and knows neither tokens nor clock.

    Time to first token and the whole answer are two requests there, so no rate between
    tokens can be computed from them: only the end-to-end rate is measured.
    """

    kind = "line"

    def __init__(self, opener: Callable[[], Link], timeout: float = 2.0) -> None:
        self._opener, self._timeout = opener, timeout
        self._channel: LineChannel | None = None
        self._pong = ""
        self._late = False
        self.name = "line"

    @property
    def _device(self) -> LineChannel:
        if self._channel is None:
            raise DeviceConnectionError(self.name, self.kind, "it is not open")
        return self._channel

    def open(self) -> DeviceDescription:
        """Silence to PING means that nobody is there."""
        link = self._opener()
        self.name = link.name
        self._channel = LineChannel(link)
        try:
            self._channel.drain()
            self._channel.send("PING\n")
            answer, _ = self._channel.line(self._timeout, "PING")
        except BaseException:
            self.close()
            raise
        self._pong, self._late = answer, False
        return DeviceDescription("line", firmware=answer[:80])

    def close(self) -> None:
        """Close the link."""
        if self._channel is not None:
            self._channel.link.close()
            self._channel = None

    def _ask(
        self, command: str, pattern: str, timeout: float
    ) -> tuple[re.Match[str], int, int]:
        self._device.drain()
        if self._late:
            # The answer that was given up may still come: it must not be taken for the next.
            self._device.send("PING\n")
            for line, _ in self._device.answer(timeout, "PING"):
                if line == self._pong:
                    break
        self._late = True
        sent = self._device.send(command + "\n")
        answer, arrived = self._device.line(timeout, command.partition(":")[0])
        match = re.fullmatch(pattern, answer.strip())
        if match is None:
            raise ProtocolError(command.partition(":")[0], pattern, answer)
        self._late = False
        return match, sent, arrived

    def generate(self, out: Generation, max_tokens: int, seed: int, timeout: float) -> None:  # noqa: ARG002
        """FIRST_TOKEN for the time to the first token, then INFER for the rest."""
        prompt = one_line(out.prompt)
        out.granularity = "summary"
        _, sent, arrived = self._ask(f"FIRST_TOKEN:{prompt}", r".+", timeout)
        out.reported["first_token_ms"] = (arrived - sent) / 1e6
        match, out.start_host_ns, out.end_host_ns = self._ask(
            f"INFER:{prompt}", r"TOKENS:(\d{1,9})", timeout
        )
        out.token_count, out.token_count_source = int(match[1]), "reported"

    def command(self, text: str, timeout: float) -> list[tuple[str, int]]:
        """One line out, one line in, with its time of arrival."""
        self._device.drain()
        self._device.send(text + "\n")
        return [self._device.line(timeout, text)]

    def memory(self, timeout: float) -> MemoryReading | None:
        """MEM_STATUS."""
        match, _, _ = self._ask("MEM_STATUS", f"MEM:{_NUMBER}", timeout)
        return MemoryReading(total_bytes=round(float(match[1]) * 1024))

    def heartbeat(self, timeout: float) -> bool:
        """HB, between requests only, and PING where the firmware stays silent to that.

        Raises
        ------
        DeviceTimeoutError
            When it answers neither.
        """
        self._device.drain()
        self._device.send("HB\n")
        try:
            self._device.line(min(timeout, self._timeout), "HB")
        except DeviceTimeoutError:
            self._ask("PING", r".*", timeout)
            return False
        return True

    def metrics(self, timeout: float) -> dict[str, float]:
        """METRICS: `cpu_percent`, `memory_kb`, `tokens_per_second`, as reported."""
        numbers = ",".join([_NUMBER] * 3)
        match, _, _ = self._ask("METRICS", f"METRICS:{numbers}", timeout)
        names = ("cpu_percent", "memory_kb", "tokens_per_second")
        return dict(zip(names, map(float, match.groups()), strict=True))
