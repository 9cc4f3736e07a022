"""What every kind of device can be asked, whatever language it speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from holdfast.edge._measurement.clock import Ping
    from holdfast.edge._measurement.records import Generation
    from holdfast.edge._models.model import QuantizedModel


@dataclass
class DeviceDescription:
    """What a device says about itself; None where it does not.

    Attributes
    ----------
    protocol : str
        `holdfast`, `mlperf-tiny`, `line`, `regex:<name>`, `openai`, `llama-server`, `ollama`.
    clock : str or None
        Whose clock its records carry.
    deterministic : bool
        Whether it always does the same, tick for tick.
    modelled : str or None
        Provenance of its times when they come from a model.
    """

    protocol: str
    board: str | None = None
    firmware: str | None = None
    clock: str | None = None
    tick_hz: float | None = None
    deterministic: bool = False
    modelled: str | None = None
    ram_bytes: int | None = None
    flash_bytes: int | None = None
    boot_id: str | None = None
    model: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class MemoryReading:
    """Memory of a device at one moment, bytes; None where it cannot tell."""

    total_bytes: int | None = None
    static_bytes: int | None = None
    stack_bytes: int | None = None
    heap_bytes: int | None = None
    kv_bytes: int | None = None
    model_bytes: int | None = None
    flash_bytes: int | None = None
    method: str = "reported"

    @property
    def peak_bytes(self) -> int | None:
        """Static data, highest stack and highest heap together, or the total it reported."""
        parts = (self.static_bytes, self.stack_bytes, self.heap_bytes)
        known = [part for part in parts if part is not None]
        return self.total_bytes if not known or self.total_bytes is not None else sum(known)


class Backend(Protocol):
    """One device behind one protocol. Every call raises a DeviceError when it fails."""

    name: str
    kind: str

    def open(self) -> DeviceDescription:
        """Connect and ask who is there."""
        ...

    def close(self) -> None:
        """Let go; never raises."""
        ...

    def load(self, model: QuantizedModel) -> None:
        """Make the device use `model`."""
        ...

    def generate(self, out: Generation, max_tokens: int, seed: int, timeout: float) -> None:
        """Run `out.prompt`, filling `out` as records arrive: what came stays on a failure."""
        ...

    def ping(self, timeout: float) -> Ping | None:
        """One exchange of times; None when the protocol has none."""
        ...

    def memory(self, timeout: float) -> MemoryReading | None:
        """Memory now; None when it cannot tell."""
        ...

    def statistics(self) -> dict[str, int]:
        """Counts of the link: bytes, errors, repetitions."""
        ...


class Plain:
    """What a protocol without clock, memory, upload and counters says to those questions."""

    def load(self, model: QuantizedModel) -> None:
        """The model is whatever the device already runs; naming it is the caller's part."""

    def ping(self, timeout: float) -> Ping | None:  # noqa: ARG002
        """No exchange of times."""
        return None

    def memory(self, timeout: float) -> MemoryReading | None:  # noqa: ARG002
        """No answer."""
        return None

    def statistics(self) -> dict[str, int]:
        """Nothing is counted."""
        return {}
