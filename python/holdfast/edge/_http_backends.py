"""Model servers: OpenAI-compatible ones, llama-server and Ollama."""

from __future__ import annotations

import contextlib
import json
import re
import time
from typing import TYPE_CHECKING, Any

from holdfast.edge._backend import DeviceDescription, Plain
from holdfast.edge._errors import DeviceConnectionError, DeviceError, ProtocolError
from holdfast.edge._http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.edge._records import Generation


def _object(event: str) -> dict[str, Any]:
    try:
        said = json.loads(event)
    except ValueError as error:
        raise ProtocolError("stream", "JSON", event) from error
    if not isinstance(said, dict):
        raise ProtocolError("stream", "an object", event)
    if said.get("error"):
        raise DeviceError(f"generate: the server said {said['error']!r}", "DEVICE_SAID_NO")
    return said


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


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
        if status == 200 and listed and self._model is None:  # noqa: PLR2004
            self._model = str(listed[0].get("id"))
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
            choices = said.get("choices") or [{}]
            ended = ended or bool(choices[0].get("finish_reason"))
        stream.close()  # type: ignore[attr-defined]
        if not ended:
            raise DeviceConnectionError(self.name, self.kind, "the stream ended early")

    def _take(self, out: Generation, said: Mapping[str, Any], now: int) -> None:
        usage, timings = said.get("usage"), said.get("timings")
        if isinstance(usage, dict):
            out.token_count = _count(usage.get("completion_tokens"))
            out.token_count_source = "usage"  # noqa: S105
            out.prompt_tokens = _count(usage.get("prompt_tokens"))
            details = usage.get("prompt_tokens_details")
            if isinstance(details, dict):
                out.cached_tokens = _count(details.get("cached_tokens"))
        if isinstance(timings, dict):
            out.reported |= timings
            if out.token_count is None:
                out.token_count = _count(timings.get("predicted_n"))
                out.token_count_source = "timings"  # noqa: S105
        for choice in said.get("choices") or []:
            delta = choice.get("delta") or {}
            text = delta.get("content") if self._chat else choice.get("text")
            # A chunk that only names the role, or the reason of the end, holds no token.
            if text:
                out.add(now, piece=str(text), count=0)


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
        return DeviceDescription(
            "llama-server",
            firmware=str(said.get("build_info") or "") or None,
            clock="server",
            tick_hz=1e9,
            model={"name": model} if model else {},
            extra={"n_ctx": (said.get("default_generation_settings") or {}).get("n_ctx")},
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
        timings = said.get("timings")
        made = None
        if isinstance(timings, dict):
            out.reported |= timings
            made = _count(timings.get("predicted_n"))
        text = str(said.get("content") or "")
        ids = said.get("tokens") or []
        # Progress chunks carry no text and the token 0.
        if not text and not (made is not None and made > seen):
            return seen
        if made is not None and isinstance(timings, dict):
            spent = float(timings.get("prompt_ms") or 0) + float(
                timings.get("predicted_ms") or 0
            )
            step = made - seen
            if step <= 0:
                return seen
            number = ids[0] if len(ids) == 1 else None
            out.add(now, ticks=round(spent * 1e6), token_id=number, piece=text, count=step)
            return made
        out.add(now, piece=text, count=len(ids))
        return seen

    @staticmethod
    def _finish(out: Generation) -> None:
        timings = out.reported
        made = _count(timings.get("predicted_n"))
        if made is not None:
            out.token_count, out.token_count_source = made, "timings"
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
            models = listed.get("models") if isinstance(listed, dict) else None
            if models:
                self._model = str(models[0].get("name"))
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
            if said.get("response"):
                out.add(now, piece=str(said["response"]), count=0)
            if said.get("done"):
                ended = True
                self._totals(out, said)
                break
        stream.close()  # type: ignore[attr-defined]
        if not ended:
            raise DeviceConnectionError(self.name, self.kind, "the stream ended early")

    @staticmethod
    def _totals(out: Generation, said: Mapping[str, Any]) -> None:
        out.token_count, out.token_count_source = _count(said.get("eval_count")), "timings"
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
