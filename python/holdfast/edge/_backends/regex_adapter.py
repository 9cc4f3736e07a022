"""Firmware and programs that print what they like, described by patterns in a TOML file."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.edge._backends.base import DeviceDescription, Plain
from holdfast.edge._backends.lines import LineChannel, one_line
from holdfast.edge._errors import DeviceConnectionError, DeviceError, ProtocolError
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.edge._links.channels import Link
    from holdfast.edge._measurement.records import Generation

_SUMMARY = {"tokens_per_second", "ms_per_token", "first_token_ms", "tokens", "prompt_tokens"}
_TOKEN = {"id", "us", "ms", "text", "index"}
_COUNTS = {"tokens", "prompt_tokens"}
_WHOLE = re.compile(r"\d{1,18}")


@dataclass
class Description:
    """What a device prints.

    Attributes
    ----------
    name : str
    request : str
        Sent for each prompt; `{prompt}`, `{tokens}` and `{seed}` are filled in.
    ready, end, error : pattern or None
        A line to wait for after opening, the line that ends an answer, one that ends it badly.
    token : pattern or None
        A line per token, with groups among `id`, `us`, `ms`, `text`, `index`.
    summary : list of pattern
        Lines with groups among `tokens_per_second`, `ms_per_token`, `first_token_ms`,
        `tokens`, `prompt_tokens`.
    clock_bits : int
        Width of the `us` or `ms` counter.
    """

    name: str
    request: str
    ready: re.Pattern[str] | None
    end: re.Pattern[str] | None
    error: re.Pattern[str] | None
    token: re.Pattern[str] | None
    summary: list[re.Pattern[str]]
    clock_bits: int = 32


def _pattern(name: str, text: object, allowed: set[str]) -> re.Pattern[str]:
    if not isinstance(text, str):
        raise InvalidParameterError(f"{name} must be a pattern, got {text!r}")
    try:
        made = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidParameterError(
            f"{name} must be a pattern, got {text!r}: {error}"
        ) from error
    unknown = set(made.groupindex) - allowed
    if unknown:
        raise InvalidParameterError(
            f"{name} must use the groups {', '.join(sorted(allowed))}, got {', '.join(unknown)}"
        )
    return made


def _optional(said: Mapping[str, Any], name: str) -> re.Pattern[str] | None:
    text = said.get(name)
    return None if text is None else _pattern(name, text, _SUMMARY)


def _summary(said: Mapping[str, Any]) -> list[object]:
    summary = said.get("summary", [])
    if not isinstance(summary, (str, list)):
        raise InvalidParameterError(f"summary must be a pattern or a list, got {summary!r}")
    return [summary] if isinstance(summary, str) else summary


def _bits(said: Mapping[str, Any]) -> int:
    bits = said.get("clock_bits", 32)
    if not isinstance(bits, int) or not 8 <= bits <= 64:  # noqa: PLR2004
        raise InvalidParameterError(f"clock_bits must be in [8, 64], got {bits!r}")
    return bits


def read_description(source: str | Path | Mapping[str, Any]) -> Description:
    """From a TOML file, or a mapping of the same shape.

    Raises
    ------
    InvalidParameterError
        Naming the entry, its rule and its value.
    """
    if isinstance(source, (str, Path)):
        if sys.version_info < (3, 11):
            raise InvalidParameterError(
                "a description must be a mapping on Python 3.10, which reads no TOML"
            )
        import tomllib

        try:
            said: Mapping[str, Any] = tomllib.loads(Path(source).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InvalidParameterError(f"description {source}: {error}") from error
    else:
        said = source
    known = {"name", "request", "ready", "end", "error", "token", "summary", "clock_bits"}
    if unknown := set(said) - known:
        raise InvalidParameterError(f"unknown entries: {', '.join(sorted(unknown))}")
    request = said.get("request")
    if not isinstance(request, str) or "{prompt}" not in request:
        raise InvalidParameterError(f"request must hold {{prompt}}, got {request!r}")
    summary, token = _summary(said), said.get("token")
    if token is None and not summary:
        raise InvalidParameterError("token or summary must be given, got neither")
    if not summary and said.get("end") is None:
        raise InvalidParameterError("end must be given where there is no summary, got None")
    return Description(
        str(said.get("name", "unnamed")),
        request,
        _optional(said, "ready"),
        _optional(said, "end"),
        _optional(said, "error"),
        None if token is None else _pattern("token", token, _TOKEN),
        [_pattern("summary", text, _SUMMARY) for text in summary],
        _bits(said),
    )


class RegexAdapter(Plain):
    """Profiles what a description describes.

    With a `token` pattern that has a time, token times are the device's; with one that has
    none, they are times of arrival. With summaries only, all numbers are the device's claims
    and marked `reported`.
    """

    def __init__(
        self,
        opener: Callable[[], Link],
        description: Description,
        boot_timeout: float = 5.0,
    ) -> None:
        self._opener, self.description = opener, description
        self._boot_timeout = boot_timeout
        self._channel: LineChannel | None = None
        self.kind = f"regex:{description.name}"
        self.name = self.kind

    def open(self) -> DeviceDescription:
        """Open the link and wait for `ready`, if there is such a line."""
        link = self._opener()
        self.name, self._channel = link.name, LineChannel(link)
        try:
            ready = self.description.ready
            if ready is not None:
                lines = self._channel.answer(self._boot_timeout, "ready")
                next(line for line, _ in lines if ready.search(line))
        except BaseException:
            self.close()
            raise
        pattern = self.description.token
        timed = pattern is not None and {"us", "ms"} & set(pattern.groupindex)
        hz = None if not timed or pattern is None else _hz(pattern)
        return DeviceDescription(self.kind, clock="device" if timed else None, tick_hz=hz)

    def close(self) -> None:
        """Close the link."""
        if self._channel is not None:
            self._channel.link.close()
            self._channel = None

    def generate(self, out: Generation, max_tokens: int, seed: int, timeout: float) -> None:
        """Send the request and read until the end, the last summary, or silence."""
        channel, said = self._channel, self.description
        if channel is None:
            raise DeviceConnectionError(self.name, self.kind, "it is not open")
        request = said.request.replace("{tokens}", str(max_tokens)).replace("{seed}", str(seed))
        channel.drain()
        out.granularity = "token" if said.token is not None else "summary"
        if said.token is not None and {"us", "ms"} & set(said.token.groupindex):
            out.clock, out.tick_hz = "device", _hz(said.token)
        out.start_host_ns = channel.send(request.replace("{prompt}", one_line(out.prompt)))
        waiting = set(range(len(said.summary)))
        last = None
        for line, now in channel.answer(timeout, "generate"):
            out.end_host_ns = now
            if said.error is not None and said.error.search(line):
                raise DeviceError(f"generate: the device said {line[:120]!r}", "DEVICE_SAID_NO")
            last = self._take_token(out, line, now, last)
            self._take_summary(out, line, waiting)
            if not waiting if said.end is None else said.end.search(line):
                break
        if "tokens" in out.reported and out.granularity == "summary":
            out.token_count, out.token_count_source = int(out.reported["tokens"]), "reported"
        if "prompt_tokens" in out.reported:
            out.prompt_tokens = int(out.reported["prompt_tokens"])

    def _take_summary(self, out: Generation, line: str, waiting: set[int]) -> None:
        for index, pattern in enumerate(self.description.summary):
            if match := pattern.search(line):
                waiting.discard(index)
                for name, text in match.groupdict().items():
                    if text is not None:
                        out.reported[name] = _claim(name, text)

    def _take_token(self, out: Generation, line: str, now: int, last: int | None) -> int | None:
        """The index the line carries, which tells of lines that were lost."""
        pattern = self.description.token
        match = None if pattern is None else pattern.search(line)
        if match is None:
            return last
        found = {
            name: _whole(name, text)
            for name, text in match.groupdict().items()
            if name != "text" and text is not None
        }
        index, ticks = found.get("index"), found.get("us", found.get("ms"))
        if last is not None and index is not None and index != last + 1:
            raise ProtocolError("generate", f"token {last + 1}", f"token {index}")
        if ticks is not None and out.ticks:
            turn = 1 << self.description.clock_bits
            step = (ticks - out.ticks[-1]) % turn
            if step > turn // 2:
                raise ProtocolError("generate", "times that grow", line)
            ticks = out.ticks[-1] + step
        piece = match.groupdict().get("text") or ""
        out.add(now, ticks=ticks, token_id=found.get("id"), piece=piece)
        return index


def _whole(name: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ProtocolError("generate", f"a whole number for {name}", text)
    return int(text)


def _claim(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    counted = name not in _COUNTS or value.is_integer()
    if not (0 <= value < 1e18 and counted):  # noqa: PLR2004
        raise ProtocolError("generate", f"a number for {name}", text)
    return value


def _hz(pattern: re.Pattern[str]) -> float:
    return 1e6 if "us" in pattern.groupindex else 1e3
