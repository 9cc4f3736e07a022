"""Model servers: OpenAI-compatible ones, llama-server and Ollama."""

from __future__ import annotations

import contextlib
import json
import re
import time
from typing import TYPE_CHECKING, Any

from holdfast.edge._backends.base import DeviceDescription, Plain
from holdfast.edge._backends.http import HttpClient
from holdfast.edge._errors import DeviceConnectionError, DeviceError, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.edge._measurement.records import Generation


def _object(event: str) -> dict[str, Any]:
    try:
        said = json.loads(event)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("stream", "JSON", event) from error
    if not isinstance(said, dict):
        raise ProtocolError("stream", "an object", event)
    if said.get("error"):
        why = repr(said["error"])[:500]
        raise DeviceError(f"generate: the server said {why}", "DEVICE_SAID_NO")
    return said


def _count(value: object) -> int | None:
    """A number of things; None for anything else."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 1 << 53 else None  # type: ignore[operator, return-value]


def _amount(value: object) -> bool:
    """Whether rates and times can be computed with it."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return value == 0 or 1e-9 <= value < 1 << 53  # noqa: PLR2004


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise ProtocolError("stream", "text", repr(value))
    # JSON can hold halves of characters, which no file can.
    return (value or "").encode("utf-8", "replace").decode()


def _listed(value: object) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise ProtocolError("stream", "a list", repr(value))
    return value or []


def _choices(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = _listed(said.get("choices"))
    if not all(isinstance(one, dict) for one in found):
        raise ProtocolError("stream", "objects as choices", repr(found))
    return found


def _first(listed: object, key: str) -> str | None:
    """What the first of a list of models is called."""
    first = listed[0] if isinstance(listed, list) and listed else None
    name = first.get(key) if isinstance(first, dict) else None
    return name if isinstance(name, str) else None


def _timings(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """The server's times and counts, as far as they are numbers."""
    timings = said.get("timings")
    if not isinstance(timings, dict):
        return None
    return {name: value for name, value in timings.items() if _amount(value)}


class OpenAIServer(Plain):
    """`/v1/completions` or `/v1/chat/completions`, streamed.

    Chunks are not tokens: a rate is given only where the server's own count says that they
    are, or by its own timings.
    """

    kind = "openai"

    def __init__(
        self,
        base: str,
        *,
        connection_timeout: float = 10.0,
        model: str | None = None,
        chat: bool = False,
    ) -> None:
        self.client = HttpClient(base, connection_timeout=connection_timeout)
        self.name = base
        self._model, self._chat = model, chat
        self.handshakes_ns: list[int] = []

    def open(self) -> DeviceDescription:
        """Connect, and take the first model that is offered if none was named."""
        self.handshakes_ns.append(self.client.connect())
        status, said = self.client.json("GET", "/v1/models")
        listed = said.get("data") if isinstance(said, dict) else None
        if status == 200 and self._model is None:  # noqa: PLR2004
            self._model = _first(listed, "id")
        return DeviceDescription("openai", model={"name": self._model} if self._model else {})

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def heartbeat(self, timeout: float) -> bool:
        """Whether the server answers anything at all."""
        self.client.text("GET", "/v1/models", timeout=timeout)
        return True

    def _body(self, out: Generation, max_tokens: int, seed: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": max_tokens,
            "temperature": 0,
            "seed": seed,
        }
        if self._model is not None:
            body["model"] = self._model
        if self._chat:
            return body | {"messages": [{"role": "user", "content": out.prompt}]}
        return body | {"prompt": out.prompt}

    def generate(self, out: Generation, max_tokens: int, seed: int, timeout: float) -> None:
        """One streamed completion."""
        # The handshake is the link's, not the server's.
        self.client.connect()
        out.granularity = "chunk"
        path = "/v1/chat/completions" if self._chat else "/v1/completions"
        stream = self.client.stream(
            path, self._body(out, max_tokens, seed), lines=False, timeout=timeout
        )
        _, out.start_host_ns = next(stream)
        ended = False
        for event, now in stream:
            out.end_host_ns = now
            if event == "[DONE]":
                ended = True
                break
            said = _object(event)
            self._take(out, said, now)
            ended = ended or any(one.get("finish_reason") for one in _choices(said)[:1])
        stream.close()  # type: ignore[attr-defined]
        if not ended:
            raise DeviceConnectionError(self.name, self.kind, "the stream ended early")

    def _take(self, out: Generation, said: Mapping[str, Any], now: int) -> None:
        usage, timings = said.get("usage"), _timings(said)
        if isinstance(usage, dict):
            out.token_count = _count(usage.get("completion_tokens"))
            out.token_count_source = None if out.token_count is None else "usage"
            out.prompt_tokens = _count(usage.get("prompt_tokens"))
            details = usage.get("prompt_tokens_details")
            if isinstance(details, dict):
                out.cached_tokens = _count(details.get("cached_tokens"))
        if timings is not None:
            out.reported |= timings
            if out.token_count is None:
                out.token_count = _count(timings.get("predicted_n"))
                out.token_count_source = None if out.token_count is None else "timings"
        for choice in _choices(said):
            delta = choice.get("delta") or {}
            if not isinstance(delta, dict):
                raise ProtocolError("stream", "an object as delta", repr(delta))
            text = _text(delta.get("content") if self._chat else choice.get("text"))
            # A chunk that only names the role, or the reason of the end, holds no token.
            if text:
                out.add(now, piece=text, count=0)


class LlamaServer(OpenAIServer):
    """llama-server's own route: token ids and the server's clock for every token."""

    kind = "llama-server"

    def open(self) -> DeviceDescription:
        """Ask `/props`."""
        self.handshakes_ns.append(self.client.connect())
        status, said = self.client.json("GET", "/props")
        if status != 200 or not isinstance(said, dict):  # noqa: PLR2004
            raise ProtocolError("GET /props", "status 200 and an object", f"{status}")
        model = str(said.get("model_alias") or said.get("model_path") or "")
        model = model.rpartition("/")[2]
        settings = said.get("default_generation_settings")
        context = settings.get("n_ctx") if isinstance(settings, dict) else None
        return DeviceDescription(
            "llama-server",
            firmware=str(said.get("build_info") or "") or None,
            clock="server",
            tick_hz=1e9,
            model={"name": model} if model else {},
            extra={"n_ctx": _count(context)},
        )

    def generate(self, out: Generation, max_tokens: int, seed: int, timeout: float) -> None:
        """`/completion` with `timings_per_token`, without the prompt cache."""
        self.client.connect()
        body = {
            "prompt": out.prompt,
            "n_predict": max_tokens,
            "stream": True,
            "cache_prompt": False,
            "timings_per_token": True,
            "return_tokens": True,
            "temperature": 0,
            "seed": seed,
        }
        out.granularity, out.clock, out.tick_hz = "chunk", "server", 1e9
        stream = self.client.stream("/completion", body, lines=False, timeout=timeout)
        _, out.start_host_ns = next(stream)
        ended = False
        seen = 0
        for event, now in stream:
            out.end_host_ns = now
            if event == "[DONE]":
                break
            said = _object(event)
            seen = self._token(out, said, now, seen)
            if said.get("stop"):
                ended = True
                out.prompt_tokens = _count(said.get("tokens_evaluated"))
                out.cached_tokens = _count(said.get("tokens_cached_prompt"))
                break
        stream.close()  # type: ignore[attr-defined]
        if not ended:
            raise DeviceConnectionError(self.name, self.kind, "the stream ended early")
        self._finish(out)

    @staticmethod
    def _token(out: Generation, said: Mapping[str, Any], now: int, seen: int) -> int:
        timings = _timings(said) or {}
        out.reported |= timings
        made = _count(timings.get("predicted_n"))
        text, ids = _text(said.get("content")), _listed(said.get("tokens"))
        # Progress chunks carry no text and the token 0.
        if not text and (made is None or made <= seen):
            return seen
        if made is None:
            out.add(now, piece=text, count=len(ids))
            return seen
        if made < seen:
            raise ProtocolError("stream", f"at least {seen} tokens", str(made))
        if made == seen:
            # What was held back of tokens that were counted before.
            if out.pieces:
                out.pieces[-1] += text
            return seen
        times = [timings.get(name) for name in ("prompt_ms", "predicted_ms")]
        ticks = None if None in times else round(sum(times) * 1e6)  # type: ignore[arg-type]
        if ticks is not None and out.ticks and ticks < out.ticks[-1]:
            raise ProtocolError("stream", "timings that grow", str(timings))
        alone = len(ids) == 1 and made - seen == 1
        number = _count(ids[0]) if alone else None
        out.add(now, ticks=ticks, token_id=number, piece=text, count=made - seen)
        return made

    @staticmethod
    def _finish(out: Generation) -> None:
        timings = out.reported
        made = _count(timings.get("predicted_n"))
        if made is not None:
            out.token_count, out.token_count_source = made, "timings"
        if len(out.token_ids) != out.tokens:
            # Of a chunk of several tokens it names the last alone.
            out.token_ids.clear()
        prompt_ms = timings.get("prompt_ms")
        if len(out.ticks) != len(out.host_ns):
            out.ticks.clear()
            out.clock = None
            return
        # Text that is no whole character yet is held back: then a chunk has several tokens.
        out.granularity = "token" if all(count == 1 for count in out.counts) else "chunk"
        out.start_ticks = 0
        if out.ticks:
            out.end_ticks = out.ticks[-1]
        if prompt_ms is not None:
            out.prefill_ticks = round(float(prompt_ms) * 1e6)
        if _count(timings.get("cache_n")) is not None:
            out.cached_tokens = 0  # prompt_n leaves cached tokens out already
            out.prompt_tokens = _count(timings.get("prompt_n"))

    def metrics(self) -> dict[str, float]:
        """`/metrics` in Prometheus text; empty where the server was started without it."""
        status, text = self.client.text("GET", "/metrics")
        if status != 200:  # noqa: PLR2004
            return {}
        found = {}
        for line in text.splitlines():
            match = re.fullmatch(r"([A-Za-z_:][\w:]*)(?:\{[^}]*\})?\s+(\S+)", line)
            if match and not line.startswith("#"):
                with contextlib.suppress(ValueError):
                    found[match[1]] = float(match[2])
        return found


class OllamaServer(OpenAIServer):
    """Ollama's `/api/generate`: totals on the server's clock, chunks on ours."""

    kind = "ollama"

    def open(self) -> DeviceDescription:
        """Ask for the version, and take the first model if none was named."""
        self.handshakes_ns.append(self.client.connect())
        status, said = self.client.json("GET", "/api/version")
        if status != 200 or not isinstance(said, dict):  # noqa: PLR2004
            raise ProtocolError("GET /api/version", "status 200 and an object", f"{status}")
        if self._model is None:
            _, listed = self.client.json("GET", "/api/tags")
            self._model = _first(
                listed.get("models") if isinstance(listed, dict) else None, "name"
            )
        return DeviceDescription(
            "ollama",
            firmware=str(said.get("version")),
            model={"name": self._model} if self._model else {},
        )

    def generate(self, out: Generation, max_tokens: int, seed: int, timeout: float) -> None:
        """One streamed answer; loading the model is told apart from evaluating the prompt."""
        self.client.connect()
        body = {
            "model": self._model,
            "prompt": out.prompt,
            "raw": True,
            "options": {"num_predict": max_tokens, "seed": seed, "temperature": 0},
        }
        out.granularity = "chunk"
        stream = self.client.stream("/api/generate", body, lines=True, timeout=timeout)
        _, out.start_host_ns = next(stream)
        ended = False
        for event, now in stream:
            out.end_host_ns = now
            said = _object(event)
            if text := _text(said.get("response")):
                out.add(now, piece=text, count=0)
            if said.get("done"):
                ended = True
                self._totals(out, said)
                break
        stream.close()  # type: ignore[attr-defined]
        if not ended:
            raise DeviceConnectionError(self.name, self.kind, "the stream ended early")

    @staticmethod
    def _totals(out: Generation, said: Mapping[str, Any]) -> None:
        out.token_count = _count(said.get("eval_count"))
        out.token_count_source = None if out.token_count is None else "timings"
        evaluated = _count(said.get("prompt_eval_count"))
        out.prompt_tokens = evaluated
        for ours, theirs, scale in (
            ("prompt_ms", "prompt_eval_duration", 1e-6),
            ("load_ms", "load_duration", 1e-6),
            ("total_ms", "total_duration", 1e-6),
        ):
            if _count(said.get(theirs)) is not None:
                out.reported[ours] = said[theirs] * scale
        if evaluated:
            out.reported["prompt_n"] = evaluated
        made, spent = out.token_count, _count(said.get("eval_duration"))
        if made and spent:
            # eval_duration covers all tokens of the answer.
            out.reported["tokens_per_second"] = made / spent * 1e9


def detect(base: str, *, connection_timeout: float, model: str | None = None) -> OpenAIServer:
    """The backend for whatever answers at `base`.

    Raises
    ------
    DeviceConnectionError, DeviceTimeoutError
        When nothing answers.
    """
    client = HttpClient(base, connection_timeout=connection_timeout)
    try:
        until = time.monotonic() + connection_timeout
        kind: type[OpenAIServer] = OpenAIServer
        for candidate, path, key in (
            (LlamaServer, "/props", "default_generation_settings"),
            (OllamaServer, "/api/version", "version"),
        ):
            status, said = client.json("GET", path, timeout=max(until - time.monotonic(), 0.1))
            if status == 200 and isinstance(said, dict) and key in said:  # noqa: PLR2004
                kind = candidate
                break
    finally:
        client.close()
    return kind(base, connection_timeout=connection_timeout, model=model)
