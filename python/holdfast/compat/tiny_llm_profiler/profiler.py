"""Older path of `EdgeProfiler`."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from holdfast import edge
from holdfast.compat._machine import lazy_psutil
from holdfast.compat.tiny_llm_profiler._errors import InputValidationError
from holdfast.compat.tiny_llm_profiler._serial_port import (
    PortLink,
    is_replaced,
    serial_module,
)
from holdfast.compat.tiny_llm_profiler._stand_in import simulated_part, stand_in
from holdfast.compat.tiny_llm_profiler.results import ProfileResults, as_older
from holdfast.edge import (
    DeviceConnectionError,
    ProfilingConfig,
    QuantizedModel,
)
from holdfast.edge._backends.line_protocol import LineProtocol
from holdfast.edge._inputs import shipped_model
from holdfast.edge._measurement.own_process import host_memory
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["EdgeProfiler", "ProfilingConfig"]

_OWN = ("protocol", "model_name")
_KINDS = ("serial", "local", "network", "tcp", "http")
_LEAST_MB = 100
_log = logging.getLogger("holdfast.compat")


def __getattr__(name: str) -> Any:
    """`serial` and `psutil`, which older tests replace here."""
    return serial_module() if name == "serial" else lazy_psutil(__name__, name)


class EdgeProfiler(edge.EdgeProfiler):
    """`holdfast.edge.EdgeProfiler` for scripts that have no board attached.

    `connection="local"` of a board simulates an ESP32-C3, and a model that is a name
    only is stood in for by the one in the package: `session_metadata["stand_in"]` says so, and
    the times and joules of a simulated part are `modelled`. Other keywords are ignored, as they
    were, and logged.

    Raises
    ------
    DeviceNotSupportedError, InvalidParameterError
        When platform or settings are not known. Both are ValueErrors.
    InputValidationError
        When `device` is no port; a SecurityError.
    """

    def __init__(
        self,
        platform: str,
        device: str | None = None,
        baudrate: int = 921_600,
        connection: str = "serial",
        config: ProfilingConfig | None = None,
        **kwargs: Any,
    ) -> None:
        options = {name: kwargs.pop(name) for name in _OWN if name in kwargs}
        if kwargs:
            _log.warning("EdgeProfiler ignores %s", ", ".join(sorted(kwargs)))
        part = None
        if device in {None, "local"} and "local" in {connection, device}:
            part = simulated_part(platform)
        open_by = connection if connection in _KINDS and part is None else "serial"
        network = connection == "network"
        try:
            super().__init__(
                platform, None if part or network else device, baudrate, open_by, config,
                **options,
            )  # fmt: skip
        except InvalidParameterError as error:
            if device is not None and str(error).startswith("device must be"):
                rule = "must be a serial port such as /dev/ttyUSB0"
                raise InputValidationError("device", device, rule) from error
            raise
        self.device, self.connection = device, connection
        if part is not None:
            self._target = f"sim://{part}"
        self._stands_in: dict[str, str] = {}
        self._given_port: Any = None
        self._shipped: QuantizedModel | None = None

    @property
    def serial_conn(self) -> Any:
        """The open link; one that was put here is closed with the connection."""
        return super().serial_conn if self._given_port is None else self._given_port

    @serial_conn.setter
    def serial_conn(self, port: Any) -> None:
        self._given_port = port

    @property
    def connection_type(self) -> str:
        """What was asked for, where that is `local`; otherwise the kind of the link."""
        return "local" if self._is_local else super().connection_type

    @property
    def _is_local(self) -> bool:
        return "local" in {self.connection, self.device}

    def connect(self) -> bool:
        """Open the link; see `holdfast.edge.EdgeProfiler.connect`.

        Raises
        ------
        NotImplementedError
            For `connection="network"`: name the address as `device`, `tcp://host:port`.
        DeviceConnectionError
            For a kind of connection that there is not, and when nobody answers.
        """
        if self.connection == "network":
            raise NotImplementedError("name the address as device: tcp://host:port")
        if self.connection not in _KINDS:
            raise DeviceConnectionError(
                str(self.device), self.platform, f"connection={self.connection!r} is not known"
            )
        available = host_memory()[1]
        if self._is_local and available is not None and available < _LEAST_MB:
            why = f"{available:.0f} MB of memory are free, {_LEAST_MB} are needed"
            raise DeviceConnectionError("localhost", self.platform, why)
        opener = getattr(sys.modules[__name__], "serial").Serial  # noqa: B009 (looked up now)
        if self._backend is None and self.device and not self._is_local and is_replaced(opener):
            self._backend = LineProtocol(lambda: self._replaced_port(opener))
        return super().connect()

    def _replaced_port(self, opener: Any) -> PortLink:
        try:
            port = opener(
                self.device,
                self.baudrate,
                timeout=self.config.connection_timeout,
                write_timeout=self.config.operation_timeout,
            )
        except OSError as error:
            raise DeviceConnectionError(str(self.device), self.platform, error) from error
        return PortLink(port, str(self.device), self.baudrate)

    def disconnect(self) -> None:
        """Close everything; never raises."""
        port, self._given_port = self._given_port, None
        if port is not None:
            port.close()
        super().disconnect()

    def _prepare(self, model: QuantizedModel | None) -> QuantizedModel | None:
        backend = self._backend
        known = model is not None and has_content(model)
        if not self._is_local or known or backend is None:
            return super()._prepare(model)
        if self._shipped is None:
            self._shipped = shipped_model()
        if self._loaded is not self._shipped:
            on_device = self._shipped
            self.guard.call(lambda: backend.load(on_device), timed=False)
            self._loaded = self._shipped
        if model is None:
            return self._shipped
        self._stands_in["model"] = self._shipped.name
        return model

    def profile_model(
        self,
        model: QuantizedModel | str | Path | None = None,
        test_prompts: Sequence[str] = ("Once upon a time",),
        metrics: Sequence[str] | None = None,
        config: ProfilingConfig | None = None,
        *,
        progress: Callable[..., object] | None = None,
    ) -> ProfileResults:
        """See `holdfast.edge.EdgeProfiler.profile_model`."""
        self._stands_in = {}
        given = stand_in(model) if self._is_local else model
        found = super().profile_model(given, test_prompts, metrics, config, progress=progress)
        results = as_older(found)
        if self._is_local:
            target = self._target or ""
            if target.startswith("sim://"):
                self._stands_in["platform"] = target
            results.session_metadata |= {
                "connection_type": "local", "stand_in": dict(self._stands_in),
            }  # fmt: skip
            for name, one in self._stands_in.items():
                _log.warning("%s stands in for the %s", one, name)
        return results

    def stream_metrics(
        self, duration_seconds: float = 60, prompt: str = "Hello"
    ) -> Iterator[dict[str, Any]]:
        """See `holdfast.edge.EdgeProfiler.stream_metrics`; here with `cpu_percent` too."""
        for item in super().stream_metrics(duration_seconds, prompt):
            if self._is_local:
                memory = item.get("memory_kb")
                item["cpu_percent"] = self.cpu.percent()
                item["memory_mb"] = None if memory is None else memory / 1024
            yield item


def has_content(model: QuantizedModel) -> bool:
    """Whether there is something that a device could run."""
    path = model.model_path
    return model._data is not None or (path is not None and path.exists())  # noqa: SLF001
