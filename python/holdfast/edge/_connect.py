"""From what the user names to the backend that reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.edge._backends.line_protocol import LineProtocol
from holdfast.edge._backends.mlperf_tiny import MLPerfTiny
from holdfast.edge._backends.native import FramedDevice
from holdfast.edge._backends.regex_adapter import RegexAdapter, read_description
from holdfast.edge._errors import (
    DeviceConnectionError,
    DeviceError,
    DeviceTimeoutError,
    UnknownProtocolError,
)
from holdfast.edge._links.channels import open_link
from holdfast.edge._links.serial import check_port
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from holdfast.edge._backends.base import Backend, DeviceDescription
    from holdfast.edge._config import ProfilingConfig
    from holdfast.edge._links.channels import Link

CONNECTIONS = ("serial", "local", "network", "tcp", "http")
_LINUX_BOARDS = {"rpi_zero", "jetson_nano", "host"}
PROTOCOLS = (
    "auto",
    "holdfast",
    "mlperf-tiny",
    "line",
    "openai",
    "chat",
    "llama-server",
    "ollama",
)


def find_target(platform: str, device: str | None, connection: str, link: str) -> str | None:
    """Where a device is; None: a board that must still be named.

    Parameters
    ----------
    link : str
        How the platform is reached without a device; empty for boards.

    Raises
    ------
    InvalidParameterError
        When connection and platform do not go together, or `device` is no port.
    """
    if connection not in CONNECTIONS:
        raise InvalidParameterError(
            f"connection must be one of {', '.join(CONNECTIONS)}, got {connection!r}"
        )
    if connection == "local" or device == "local":
        if platform not in _LINUX_BOARDS:
            raise InvalidParameterError(
                f"connection='local' runs on this machine, which is no {platform}: "
                "name its port, or profile 'host' or 'sim-rv32'"
            )
        return "host://"
    if device is None:
        if platform.startswith("sim-rv32-"):
            return f"sim://{platform.removeprefix('sim-rv32-')}"
        # An emulator needs to be told what to run.
        return link or None
    if "://" not in device:
        check_port(device)
    return device


class Detected:
    """Asks in each language in turn until one is understood; then it is that device."""

    def __init__(self, candidates: list[Backend]) -> None:
        self._candidates = candidates
        self._chosen: Backend | None = None
        self.name, self.kind = candidates[0].name, "auto"

    def open(self) -> DeviceDescription:
        """The description given by the first that understands."""
        tried = [] if self._chosen is None else [self._chosen]
        failures = []
        for one in tried or self._candidates:
            try:
                said = one.open()
            except (DeviceTimeoutError, DeviceError) as error:
                if isinstance(error, DeviceConnectionError):
                    raise
                failures.append(f"{one.kind}: {error}")
                continue
            self._chosen, self.name, self.kind = one, one.name, one.kind
            return said
        why = f"no protocol was understood: {'; '.join(failures)}"
        raise UnknownProtocolError(self.name, "auto", why)

    @property
    def chosen(self) -> Backend | None:
        """The device that understood."""
        return self._chosen

    def __getattr__(self, name: str) -> Any:
        """Everything else is the device's own."""
        chosen = self.__dict__.get("_chosen")
        if chosen is None:
            raise DeviceConnectionError(
                self.__dict__.get("name", "auto"), "auto", "it is not open"
            )
        return getattr(chosen, name)

    def close(self) -> None:
        """Close what was opened."""
        if self._chosen is not None:
            self._chosen.close()


def _over_http(
    target: str, protocol: str, config: ProfilingConfig, model: str | None
) -> Backend:
    from holdfast.edge._backends import servers

    limit = config.connection_timeout
    kinds = {"openai": servers.OpenAIServer, "llama-server": servers.LlamaServer,
             "ollama": servers.OllamaServer}  # fmt: skip
    if protocol == "chat":
        return servers.OpenAIServer(target, connection_timeout=limit, model=model, chat=True)
    if protocol in kinds:
        return kinds[protocol](target, connection_timeout=limit, model=model)
    if protocol != "auto":
        raise InvalidParameterError(f"protocol {protocol!r} does not run over HTTP")
    return servers.detect(target, connection_timeout=limit, model=model)


def _over_bytes(opener: Callable[[], Link], protocol: str, config: ProfilingConfig) -> Backend:
    recoveries = config.max_retries if config.auto_recovery else 0
    patience = min(config.connection_timeout, 3.0)
    framed = FramedDevice(opener, recoveries=recoveries, patience=patience)
    tiny = MLPerfTiny(opener, boot_timeout=config.boot_timeout)
    line = LineProtocol(opener)
    by_name: dict[str, Backend] = {"holdfast": framed, "mlperf-tiny": tiny, "line": line}
    if protocol in by_name:
        return by_name[protocol]
    if protocol != "auto":
        raise InvalidParameterError(
            f"protocol must be auto, holdfast, mlperf-tiny or line over bytes, got {protocol!r}"
        )
    quick = FramedDevice(opener, timeout=0.3, recoveries=recoveries, patience=patience)
    # The boot was waited for by the first; the others only need to be heard.
    quick_tiny = MLPerfTiny(opener, timeout=1.0, boot_timeout=min(1.0, config.boot_timeout))
    return Detected([quick, quick_tiny, LineProtocol(opener, timeout=1.0)])


def make_backend(
    target: str,
    *,
    protocol: str | Path | Mapping[str, Any] = "auto",
    baudrate: int = 115_200,
    config: ProfilingConfig,
    model: str | None = None,
) -> Backend:
    """The backend for a target; nothing is opened yet, except that HTTP servers are asked.

    Parameters
    ----------
    target : str
        What `open_link` takes, `http://host:port`, `sim://profile` or `host://`.
    protocol : str, path or mapping
        One of `PROTOCOLS`, or the description of a regex adapter.

    Raises
    ------
    InvalidParameterError
        When target and protocol do not go together.
    """

    def opener() -> Link:
        return open_link(
            target,
            baudrate=baudrate,
            connection_timeout=config.connection_timeout,
            write_timeout=config.operation_timeout,
            control_lines=config.control_lines,
        )

    scheme = target.partition("://")[0]
    if (
        isinstance(protocol, str)
        and protocol not in PROTOCOLS
        and not protocol.endswith(".toml")
    ):
        raise InvalidParameterError(
            f"protocol must be one of {', '.join(PROTOCOLS)} or a description, got {protocol!r}"
        )
    if not isinstance(protocol, str) or protocol.endswith(".toml"):
        return RegexAdapter(opener, read_description(protocol), config.boot_timeout)
    if scheme in {"http", "https"}:
        return _over_http(target, protocol, config, model)
    if scheme == "sim":
        from holdfast.edge._backends.inprocess import Simulated

        return Simulated(target.partition("://")[2] or "generic-rv32", seed=config.seed)
    if scheme == "host":
        from holdfast.edge._backends.inprocess import LocalEngine

        return LocalEngine()
    if scheme == "qemu":
        from holdfast.edge._links.qemu import Emulated

        return Emulated(target, seed=config.seed)
    return _over_bytes(opener, protocol, config)
