"""What a device said about one request, token by token, and when, by whose clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Generation:
    """One request and everything that came back; columns have one entry per record.

    Attributes
    ----------
    request : int
        Counts from 0 within a session.
    prompt_index, repetition : int
        Which prompt it was, and for the how-manieth time.
    clock : str or None
        Whose clock `ticks` are of: `device`, `server`, `virtual`, `host`; None: there is none.
    tick_hz : float or None
        Ticks per second.
    start_host_ns, end_host_ns : int
        Host clock (monotonic) when the first byte of the request was about to be written,
        and when its end arrived.
    start_ticks, prefill_ticks, end_ticks : int or None
        Device clock when the request was accepted, the prompt evaluated, the last token done.
    host_ns, ticks : list of int
        Arrival by the host's clock; when it was made by the device's. `ticks` may be empty.
    token_ids : list of int
        Empty when the device does not tell them.
    pieces : list of str
        Text of each record.
    counts : list of int
        Tokens in each record; 0: unknown.
    prompt_tokens, cached_tokens : int or None
    token_count : int or None
        Tokens made, and in `token_count_source` who counted: `token ids`, `usage`, `timings`,
        `reported`, `tokenizer`, `chunks`.
    granularity : str
        `token`, `chunk` (a record may hold several tokens) or `summary` (no records).
    reported : dict
        The device's own claims, raw.
    status, cause : str
        `ok`, `partial` or `failed`, and why.
    marks : list of str
        What disturbed it: `reconnect`, `resumed`, `contention`, `baud_limited`.
    warm_up : bool
        Whether it is left out of the statistics.
    """

    request: int
    prompt: str = ""
    prompt_index: int = 0
    repetition: int = 0
    clock: str | None = None
    tick_hz: float | None = None
    start_host_ns: int = 0
    end_host_ns: int = 0
    start_ticks: int | None = None
    prefill_ticks: int | None = None
    end_ticks: int | None = None
    host_ns: list[int] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    token_count: int | None = None
    token_count_source: str | None = None
    granularity: str = "token"
    reported: dict[str, Any] = field(default_factory=dict)
    digest: str | None = None
    status: str = "ok"
    cause: str | None = None
    attempts: int = 1
    marks: list[str] = field(default_factory=list)
    warm_up: bool = False

    def add(
        self,
        host_ns: int,
        *,
        ticks: int | None = None,
        token_id: int | None = None,
        piece: str = "",
        count: int = 1,
    ) -> None:
        """Append one record."""
        self.host_ns.append(host_ns)
        self.pieces.append(piece)
        self.counts.append(count)
        if ticks is not None:
            self.ticks.append(ticks)
        if token_id is not None:
            self.token_ids.append(token_id)

    @property
    def text(self) -> str:
        """What was written, as far as it is known."""
        return "".join(self.pieces)

    @property
    def tokens(self) -> int | None:
        """How many tokens were made; None when nobody can tell."""
        if self.token_count is not None:
            return self.token_count
        if self.granularity == "token":
            return len(self.host_ns)
        return None

    def device_content(self) -> dict[str, Any]:
        """What does not depend on the host: for hashes."""
        own = self.clock not in {None, "host"}
        return {
            "prompt": self.prompt,
            "token_ids": self.token_ids,
            "pieces": self.pieces,
            "digest": self.digest,
            "ticks": [tick - (self.start_ticks or 0) for tick in self.ticks] if own else [],
            "reported": self.reported if own else {},
        }
