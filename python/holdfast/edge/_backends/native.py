"""Devices that speak the framed protocol of `docs/protocol.md`."""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import TYPE_CHECKING, Any

from holdfast.edge._backends.base import DeviceDescription, MemoryReading
from holdfast.edge._errors import (
    DeviceConnectionError,
    DeviceError,
    DeviceRebootError,
    DeviceTimeoutError,
    ModelLoadError,
)
from holdfast.edge._links.outage import Outage
from holdfast.edge._links.pace import Pace
from holdfast.edge._measurement.clock import Ping

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.edge._links.channels import Link
    from holdfast.edge._measurement.records import Generation
    from holdfast.edge._models.model import QuantizedModel

Event = dict[str, Any]

_BUSY = "DEVICE_BUSY"
# Commands sent on behalf of a request; None: the device complains unasked.
_ASKED = {"generate", "resume", "hello", None}


class FramedDevice:
    """One device behind a `ProtocolClient`; the link below it may break and come back.

    Parameters
    ----------
    opener : callable
        Opens the link; called again when it was lost.
    timeout : float
        Seconds without an answer after which a command is repeated.
    recoveries : int
        How often one request may lose its link and go on.
    patience : float
        Seconds for which a lost link is tried again: a plug takes its time.
    clock : str
        Whose clock the device's ticks are: `device`, `virtual` or `host`.
    modelled : str, optional
        Provenance of a virtual clock.
    first_request : int, optional
        Number of the first request. A device that outlives a session must never see one
        twice, so it is drawn at random unless given.
    """

    kind = "holdfast"

    def __init__(
        self,
        opener: Callable[[], Link],
        *,
        timeout: float = 1.0,
        recoveries: int = 3,
        patience: float = 3.0,
        clock: str = "device",
        modelled: str | None = None,
        first_request: int | None = None,
    ) -> None:
        self._opener, self._timeout, self._recoveries = opener, timeout, recoveries
        self._patience = patience
        self._clock, self._modelled = clock, modelled
        self._link: Link | None = None
        self._client: Any = None
        self._hello: Event = {}
        self._first_request = first_request
        self._abandoned: int | None = None
        self._count_requests_anew()
        self._wanted = False
        self.name = "holdfast"
        self.reconnects = 0
        self.reboots = 0

    def _count_requests_anew(self) -> None:
        """A device that was started anew has seen none."""
        first = self._first_request
        self._requests = secrets.randbits(31) if first is None else first - 1
        self._abandoned = None

    @property
    def link(self) -> Link:
        """The open link."""
        if self._link is None:
            raise DeviceConnectionError(self.name, self.kind, "it is not open")
        return self._link

    @property
    def baudrate(self) -> int | None:
        """Speed of a serial line."""
        return None if self._link is None else self._link.baudrate

    def open(self) -> DeviceDescription:
        """Say hello."""
        from holdfast._core import ProtocolClient

        self._link, self._wanted = self._opener(), True
        self.name = self._link.name
        self._client = ProtocolClient(reply_timeout_ns=int(self._timeout * 1e9), batch=True)
        try:
            sequence = self._client.hello(self._link.now_ns())
            self._hello = self._answer("hello", sequence, "hello", self._timeout * 5)
        except BaseException:
            self.close()
            raise
        said = self._hello
        return DeviceDescription(
            "holdfast",
            board=said["board"],
            firmware=said["firmware"],
            clock=self._clock,
            tick_hz=float(said["clock_hz"]),
            deterministic=bool(said["deterministic"]),
            modelled=self._modelled,
            ram_bytes=said["ram_bytes"],
            flash_bytes=said["flash_bytes"],
            boot_id=str(said["boot_id"]),
            extra={"protocol": said["protocol"], "baud_rates": list(said["baud_rates"])},
        )

    def close(self) -> None:
        """Close the link."""
        self._wanted = False
        self._drop()

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _step(self, until_ns: int, operation: str, timeout: float) -> list[Event]:
        """Send what waits, read what is there, and let time pass until something happens."""
        link, client = self.link, self._client
        if waiting := client.take():
            link.write(waiting)
        now = link.now_ns()
        if now >= until_ns:
            raise DeviceTimeoutError(operation, timeout)
        due = client.deadline()
        wake = until_ns if due is None else min(due, until_ns)
        data = link.read(max(wake - now, 0) / 1e9)
        now = link.now_ns()
        events: list[Event] = client.feed(data, now) if data else client.poll(now)
        self.reboots += sum(event["event"] == "reboot" for event in events)
        return events

    def _answer(
        self, kind: str, sequence: int, operation: str, timeout: float, until: int | None = None
    ) -> Event:
        """Wait for the event of that kind; anything else of interest is raised."""
        until = until or self.link.now_ns() + int(timeout * 1e9)
        while True:
            for event in self._step(until, operation, timeout):
                name = event["event"]
                if name == kind and event.get("sequence", sequence) == sequence:
                    return event
                if name == "timeout" and event.get("sequence") == sequence:
                    raise DeviceTimeoutError(operation, timeout)
                if name == "error" and event.get("sequence") == sequence:
                    raise _refusal(operation, event)
                if name == "reboot":
                    raise DeviceRebootError(operation, f"boot id {event['boot_id']}")

    def load(self, model: QuantizedModel) -> None:
        """Upload with hash; nothing is sent when the device already holds that very model."""
        data = model.data()
        self._client.upload(data, self.link.now_ns())
        # Ten bits a byte, and as much again for answers and flash.
        rate = (self.link.baudrate or 8_000_000) / 10
        timeout = 10 + 4 * len(data) / rate
        until = self.link.now_ns() + int(timeout * 1e9)
        outage = Outage(self._recoveries)
        while True:
            for event in self._steady(outage, until, "upload", timeout):
                if event["event"] == "model":
                    return
                if event["event"] == "error":
                    reason = f"{event['code']}: {event['text']}"
                    raise ModelLoadError(str(model.model_path or model.name), reason)
                if event["event"] == "timeout":
                    raise DeviceTimeoutError("upload", self._timeout)
                if event["event"] == "reboot":
                    raise DeviceRebootError("upload", f"boot id {event['boot_id']}")

    def _steady(
        self,
        outage: Outage,
        until: int,
        operation: str,
        timeout: float,
        lost: Callable[[], object] = lambda: None,
    ) -> list[Event]:
        """A step that opens a lost link again; `lost` is told when that was done."""
        try:
            events = self._step(until, operation, timeout)
        except DeviceConnectionError:
            # Somebody may have closed it on purpose meanwhile.
            if not self._wanted or not outage.may_try_again(self._patience):
                raise
            self._drop()
            # When that fails, the next step finds the link closed.
            with contextlib.suppress(DeviceConnectionError, DeviceTimeoutError):
                self._link = self._opener()
                self.reconnects += 1
                lost()
                self._client.reconnected(self._link.now_ns())
            return []
        if events:
            outage.over()
        return events

    def generate(self, out: Generation, max_tokens: int, seed: int, timeout: float) -> None:
        """Stream tokens; a lost link is opened again and the stream resumed where it ended."""
        until = self.link.now_ns() + int(timeout * 1e9)
        while True:
            try:
                self._cancel_abandoned(until, timeout)
                self._generate(out, max_tokens, seed, until, timeout)
            except DeviceError as error:
                if error.error_code != _BUSY or out.host_ns:
                    raise
                # Somebody left in the middle; the records that still come name the request.
                while self._abandoned is None:
                    self._step(until, "generate: the device is busy", timeout)
                    self._abandoned = self._client.stray()
            else:
                return

    def _generate(
        self, out: Generation, max_tokens: int, seed: int, until: int, timeout: float
    ) -> None:
        self._requests = self._requests % 0xFFFF_FFFF + 1
        request = self._requests
        out.clock, out.tick_hz, out.granularity = self._clock, self._hello["clock_hz"], "token"
        out.start_host_ns = self.link.now_ns()
        self._client.generate(
            request, out.prompt, out.start_host_ns, max_tokens=max_tokens, seed=seed
        )
        try:
            self._stream(out, request, until, timeout)
        except BaseException as error:
            # An abandoned request must not be resumed with the next link, nor go on.
            self._client.forget(request)
            if getattr(error, "error_code", None) != _BUSY:
                self._abandoned = request
            raise

    def _cancel_abandoned(self, until: int, timeout: float) -> None:
        """End what this side gave up: the device may still be busy with it."""
        request, self._abandoned = self._abandoned, None
        if request is None:
            return
        sequence = self._client.cancel(request, self.link.now_ns())
        try:
            self._answer("acknowledged", sequence, "cancel", timeout, until)
        except DeviceConnectionError:
            # The request that follows opens the link again.
            self._abandoned = request
        except DeviceRebootError:
            return
        except DeviceError as error:
            # After a restart it knows nothing of it, which is as good.
            if error.error_code != "DEVICE_UNKNOWN_REQUEST":
                self._abandoned = request
                raise

    def _stream(self, out: Generation, request: int, until: int, timeout: float) -> None:
        outage = Outage(self._recoveries)

        def lost() -> None:
            out.marks.append("reconnect")

        pace = Pace()
        while True:
            events = self._steady(outage, until, "generate", timeout, lost)
            for event in events:
                if self._take(out, event, request):
                    return
            # Other clocks belong to devices in this process.
            if events and self._clock == "device":
                pace.read(time.monotonic())
                pace.rest()

    def _take(self, out: Generation, event: Event, request: int) -> bool:
        """Put one event into `out`; whether the request is over."""
        name = event["event"]
        if name == "reboot" and request in event["lost_requests"]:
            raise DeviceRebootError("generate", f"boot id {event['boot_id']}")
        # What a cancellation or a ping came to is of no interest here.
        if name in {"timeout", "error"} and event["command"] in _ASKED:
            if name == "error":
                raise _refusal("generate", event)
            raise DeviceTimeoutError(f"generate ({event['command']})", self._timeout)
        if event.get("request") != request:
            return False
        if name == "started":
            out.start_ticks, out.prompt_tokens = event["ticks"], event["prompt_tokens"]
        elif name == "tokens":
            ids = event["ids"]
            out.host_ns += [event["now_ns"]] * len(ids)
            out.counts += [1] * len(ids)
            out.token_ids += ids
            out.ticks += event["ticks"]
            out.pieces += event["pieces"]
        elif name == "end":
            self._end(out, event)
            return True
        return False

    @staticmethod
    def _end(out: Generation, event: Event) -> None:
        out.end_host_ns = event["now_ns"]
        out.start_ticks, out.prefill_ticks = event["start_ticks"], event["prefill_ticks"]
        out.end_ticks, out.prompt_tokens = event["end_ticks"], event["prompt_tokens"]
        out.token_count, out.token_count_source = event["tokens"], "token ids"
        out.digest = str(event["digest"])
        out.reported = {
            key: event[key] for key in ("reason", "cycles", "instructions") if event.get(key)
        }
        if event["tokens"] != len(out.ticks):
            out.status = "partial"
            out.cause = (
                f"{event['tokens'] - len(out.ticks)} token records could not be recovered"
            )
        if event["reason"] in {"error", "cancelled"}:
            out.status, out.cause = "partial", f"the device ended it: {event['reason']}"

    def ping(self, timeout: float) -> Ping | None:
        """In-band; between two tokens while a request runs."""
        sequence = self._client.ping(self.link.now_ns())
        pong = self._answer("pong", sequence, "ping", timeout)
        return Ping(
            pong["sent_ns"], pong["device_received"], pong["device_sent"], pong["now_ns"]
        )

    def memory(self, timeout: float) -> MemoryReading | None:
        """High-water marks that the device keeps."""
        sequence = self._client.memory(self.link.now_ns())
        said = self._answer("memory", sequence, "memory", timeout)
        painted = said["stack_high_water_bytes"] is not None
        return MemoryReading(
            static_bytes=said["static_bytes"],
            stack_bytes=said["stack_high_water_bytes"],
            heap_bytes=said["arena_used_bytes"],
            kv_bytes=said["kv_bytes"],
            model_bytes=said["model_bytes"],
            flash_bytes=said["flash_used_bytes"],
            method="painted stack and arena marks" if painted else "arena marks",
        )

    def set_baudrate(self, rate: int, timeout: float = 5.0) -> bool:
        """Change the speed of both ends; False: the device fell back to the old one."""
        link, client = self.link, self._client
        client.set_baud(rate, link.now_ns())
        until = link.now_ns() + int(timeout * 1e9)
        while True:
            for event in self._step(until, "set_baud", timeout):
                name = event["event"]
                if name in {"baud_switch", "baud_fallback"} and hasattr(link, "set_baudrate"):
                    link.set_baudrate(event["rate"])
                if name == "baud_switch":
                    client.baud_switched(link.now_ns())
                elif name in {"baud_kept", "baud_fallback"}:
                    return bool(name == "baud_kept")
                elif name in {"error", "timeout"}:
                    raise _refusal("set_baud", event)

    def statistics(self) -> dict[str, int]:
        """Counts of the protocol client, and how often the link was opened anew."""
        counted: dict[str, int] = {} if self._client is None else self._client.statistics()
        return counted | {"reconnects": self.reconnects}


def _refusal(operation: str, event: Event) -> DeviceError:
    code, text = event.get("code", event["event"]), event.get("text", "")
    return DeviceError(
        f"{operation}: the device said {code}: {text}",
        f"DEVICE_{str(code).upper()}",
        {"code": code, "text": text},
    )
