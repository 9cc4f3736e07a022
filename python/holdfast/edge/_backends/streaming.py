"""What a device does, request by request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from holdfast.edge._backends.line_protocol import LineProtocol
from holdfast.edge._measurement.metrics import request_metrics
from holdfast.edge._measurement.records import Generation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from holdfast.edge._backends.base import Backend
    from holdfast.edge._config import ProfilingConfig
    from holdfast.edge._guard import Guard

_TOKENS = 16
_PAUSE_SECONDS = 0.1


def _request(
    backend: Backend, guard: Guard, config: ProfilingConfig, prompt: str
) -> dict[str, Any]:
    out = Generation(0, prompt)
    limit, tokens = config.operation_timeout, min(config.max_new_tokens, _TOKENS)
    guard.call(lambda: backend.generate(out, tokens, config.seed, limit))
    found = request_metrics(out)
    reading = guard.call(lambda: backend.memory(limit))
    peak = None if reading is None else reading.peak_bytes
    return {
        "tokens_per_second": found.decode_tps or found.e2e_tps,
        "first_token_latency_ms": found.ttft_ms,
        "memory_kb": None if peak is None else peak / 1024,
    }


def stream(
    backend: Backend,
    guard: Guard,
    config: ProfilingConfig,
    lock: AbstractContextManager[Any],
    seconds: float,
    prompt: str,
) -> Iterator[dict[str, Any]]:
    """See `EdgeProfiler.stream_metrics`."""
    until = time.monotonic() + seconds
    # The device may be wrapped by what detected its protocol.
    line = getattr(backend, "chosen", backend)
    while time.monotonic() < until:
        with lock:
            if isinstance(line, LineProtocol):
                own: dict[str, Any] = dict(
                    guard.call(lambda: line.metrics(config.operation_timeout))
                )
            else:
                own = _request(backend, guard, config, prompt)
        yield {"timestamp": time.time(), **own}
        if isinstance(line, LineProtocol):
            time.sleep(_PAUSE_SECONDS)
