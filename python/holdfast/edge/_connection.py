"""One device by name: its link, opened, watched over and opened again."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from holdfast.edge._config import ProfilingConfig
from holdfast.edge._connect import find_target, make_backend
from holdfast.edge._counters import counters
from holdfast.edge._errors import DeviceConnectionError, EdgeError, ResourceError
from holdfast.edge._guard import Guard
from holdfast.edge._heartbeat import Heartbeat
from holdfast.edge._links.serial import check_baudrate
from holdfast.edge._measurement.own_process import CpuShare, memory_mb
from holdfast.edge._models.platforms import PlatformManager
from holdfast.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

    from holdfast.edge._backends.base import Backend, DeviceDescription
    from holdfast.edge._models.model import QuantizedModel
    from holdfast.edge._results.results import ProfileResults

_IN_PROCESS = {"sim", "host"}
_PINGS = {"holdfast", "mlperf-tiny", "qemu"}


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(timezone.utc)


class Connection:
    """The part of `EdgeProfiler` that holds the device; see there for the parameters."""

    def __init__(
        self,
        platform: str,
        device: str | None = None,
        baudrate: int = 921_600,
        connection: str = "serial",
        config: ProfilingConfig | None = None,
        *,
        protocol: str | Path | Mapping[str, Any] = "auto",
        model_name: str | None = None,
    ) -> None:
        self.platform = platform.lower()
        self.platform_manager = PlatformManager(self.platform)
        self.platform_config = self.platform_manager.get_config()
        self.device, self.connection = device, connection
        self.baudrate = check_baudrate(baudrate)
        self.config = config or ProfilingConfig()
        self.config.validate()
        self._protocol, self._model_name = protocol, model_name
        self._target = find_target(self.platform, device, connection, self.platform_config.link)
        self._backend: Backend | None = None
        self.guard = Guard(self._label(), self.config)
        self.connection_lock = threading.RLock()
        self.is_connected = False
        self.description: DeviceDescription | None = None
        self.last_heartbeat: datetime | None = None
        self.connection_attempts = 0
        self.start_time: datetime | None = None
        self.profiling_session_id: str | None = None
        self.device_health: dict[str, Any] = {
            "status": "unknown", "last_check": None, "failures": 0, "last_error": None,
        }  # fmt: skip
        self.last_results: ProfileResults | None = None
        self._heartbeat: Heartbeat | None = None
        self._stop = threading.Event()
        self._loaded: QuantizedModel | None = None
        self._profiling = threading.Lock()
        self.cpu = CpuShare()

    def _label(self) -> str:
        return self.platform if self.device is None else f"{self.platform}@{self.device}"

    @property
    def device_circuit(self) -> Any:
        """The breaker of this device."""
        return self.guard.breaker

    @property
    def connection_type(self) -> str:
        """Kind of the link, or what was asked for while there is none."""
        return self._backend.kind if self._backend else self.connection

    @property
    def profiling_active(self) -> bool:
        """Whether `profile_model` runs."""
        return self._profiling.locked()

    @property
    def in_process(self) -> bool:
        """Whether the device runs inside this process."""
        return (self._target or "").partition("://")[0] in _IN_PROCESS

    def _said(self, status: str, error: BaseException | None = None) -> None:
        health = self.device_health
        health["status"], health["last_check"] = status, utc_now()
        if error is None:
            health["failures"] = 0
        else:
            health["failures"] += 1
            health["last_error"] = str(error)

    def connect(self) -> bool:
        """Open the link and ask the device who it is; nothing happens when that was done.

        Raises
        ------
        DeviceConnectionError, DeviceTimeoutError
            When it does not answer, after all retries.
        """
        with self.connection_lock:
            if self.is_connected:
                return True
            if self._target is None:
                raise DeviceConnectionError(
                    "no device", self.platform,
                    "a board must be attached: name its port, or profile 'sim-rv32'",
                )  # fmt: skip
            self._check_memory()
            try:
                self.description = self.guard.call(self._open, timed=False)
            except HoldfastError as error:
                self._said("disconnected", error)
                raise
            except BaseException:
                # Ctrl-C while the port is opened or asked.
                if self._backend is not None:
                    self._backend.close()
                raise
            self.is_connected = True
            self._said("connected")
            if self.config.heartbeat_interval > 0 and self._can_be_asked():
                every = self.config.heartbeat_interval
                beat = Heartbeat(every, self.connection_lock, self._beat, self._heard)
                self._heartbeat = beat.start()
            return True

    def _can_be_asked(self) -> bool:
        """Whether there is anything that answers between requests."""
        backend = self._backend
        asks = hasattr(backend, "heartbeat") or getattr(backend, "kind", "") in _PINGS
        return asks and not self.in_process

    def _open(self) -> DeviceDescription:
        self.connection_attempts += 1
        try:
            if self._backend is None:
                self._backend = make_backend(
                    self._target or "",
                    protocol=self._protocol,
                    baudrate=self.baudrate,
                    config=self.config,
                    model=self._model_name,
                )
            return self._backend.open()
        except (EdgeError, OSError) as error:
            counters.add("device_connection_failures", self._label(), cause=str(error))
            raise

    def _check_memory(self) -> None:
        limit, used = self.config.max_memory_mb, memory_mb()
        if limit is not None and used is not None and used > limit:
            raise ResourceError(f"the profiler uses {used:.0f} MB, {limit:.0f} MB are allowed")

    def _beat(self) -> None:
        if self._backend is not None:
            beat = getattr(self._backend, "heartbeat", self._backend.ping)
            beat(self.config.connection_timeout)

    def _heard(self, error: BaseException | None) -> None:
        if error is None:
            self.last_heartbeat = utc_now()
            self._said("healthy")
            return
        self._said("unhealthy", error)
        if self.config.auto_recovery and isinstance(error, DeviceConnectionError):
            try:
                self._recover()
            except HoldfastError as again:
                self._said("unhealthy", again)

    def _recover(self) -> None:
        """Open the link anew, and bring the model back to a device that lost it."""
        backend = self._backend
        if backend is None:
            return
        backend.close()
        before = self.description.boot_id if self.description else None
        self.connection_attempts += 1
        try:
            self.description = backend.open()
        except EdgeError as error:
            counters.add("device_connection_failures", self._label(), cause=str(error))
            raise
        counters.add("device_reconnects", self._label())
        if self.description.boot_id != before:
            counters.add("device_reboots", self._label())
        if self._loaded is not None and (self.in_process or self.description.boot_id != before):
            backend.load(self._loaded)
        self._said("connected")

    def disconnect(self) -> None:
        """Close everything; never raises."""
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            heartbeat.stop()
        with self.connection_lock:
            if self._backend is not None and self.config.resource_cleanup:
                self._backend.close()
            self._backend, self._loaded, self.is_connected = None, None, False
            self.device_health["status"] = "disconnected"

    def force_reconnect(self) -> bool:
        """Disconnect and connect again; False when that fails."""
        self.disconnect()
        try:
            return self.connect()
        except HoldfastError:
            return False

    def reset_circuit_breaker(self) -> None:
        """Close the breaker of this device."""
        self.guard.reset()

    def __enter__(self) -> Self:
        """Connect."""
        self.connect()
        return self

    def __exit__(self, *error: object) -> None:
        """Disconnect."""
        self.disconnect()
