"""The profiler: a device by name, connected, profiled, watched over."""

from __future__ import annotations

import secrets
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from holdfast.edge._config import ProfilingConfig
from holdfast.edge._connect import find_target, make_backend
from holdfast.edge._counters import counters
from holdfast.edge._errors import DeviceConnectionError, EdgeError, ResourceError
from holdfast.edge._guard import Guard
from holdfast.edge._health import status
from holdfast.edge._heartbeat import Heartbeat
from holdfast.edge._inputs import as_model, check_metrics, check_prompts, shipped_model
from holdfast.edge._own_process import CpuShare, memory_mb
from holdfast.edge._platforms import PlatformManager
from holdfast.edge._preflight import require_fit
from holdfast.edge._results import ProfileResults
from holdfast.edge._session import Session
from holdfast.edge._streaming import stream
from holdfast.errors import HoldfastError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from holdfast.edge._backend import Backend, DeviceDescription
    from holdfast.edge._model import QuantizedModel
    from holdfast.edge._records import Generation

_IN_PROCESS = {"sim", "host"}
_UPLOADS = {"holdfast", "sim", "host", "qemu"}
_PINGS = {"holdfast", "mlperf-tiny", "qemu"}


def _now() -> datetime:
    return datetime.now(timezone.utc)


class EdgeProfiler:
    """Profiles a small language model on one device.

    Parameters
    ----------
    platform : str
        An id of `PlatformManager`. `sim-rv32` is a simulated part that executes the shipped
        firmware, `host` this machine; both need no hardware.
    device : str, optional
        A serial port, or `tcp://`, `pty://`, `process://`, `qemu://`, `http://` with an
        address. Boards need one.
    baudrate : int, optional
        921,600 unless given; only for serial ports.
    connection : str
        `serial` takes `device` as it is; `local` is this machine.
    config : ProfilingConfig, optional
    protocol : str, path or mapping
        `auto` asks the device; otherwise `holdfast`, `mlperf-tiny`, `line`, `openai`, `chat`,
        `llama-server`, `ollama`, or the TOML file (or mapping) of a regex adapter.
    model_name : str, optional
        For servers with several models.

    Attributes
    ----------
    is_connected : bool
    device_health : dict
        `status`, `last_check`, `failures`, `last_error`.
    description : DeviceDescription or None
        What the device said about itself.

    Raises
    ------
    DeviceNotSupportedError, InvalidParameterError
        When platform, device, connection or settings are not known. Both are ValueErrors.
    """

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
        self.device, self.baudrate, self.connection = device, baudrate, connection
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
        self._heartbeat: Heartbeat | None = None
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
        health["status"], health["last_check"] = status, _now()
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
            self.last_heartbeat = _now()
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

    def _prepare(self, model: QuantizedModel | None) -> QuantizedModel | None:
        """Put the model on the device, if it takes one and does not have it."""
        backend = self._backend
        assert backend is not None  # noqa: S101 (called after connect)
        if backend.kind not in _UPLOADS:
            return model
        model = model or shipped_model()
        if self.platform_config.link == "" and self.platform != "generic":
            require_fit(model, self.platform_manager)
        if self._loaded is not model:
            self.guard.call(lambda: backend.load(model), timed=False)
            self._loaded = model
        return model

    def profile_model(
        self,
        model: QuantizedModel | str | Path | None = None,
        test_prompts: Sequence[str] = ("Once upon a time",),
        metrics: Sequence[str] | None = None,
        config: ProfilingConfig | None = None,
        *,
        progress: Callable[[int, int, Generation], object] | None = None,
    ) -> ProfileResults:
        """Run the prompts and measure.

        Parameters
        ----------
        model : QuantizedModel or path, optional
            None is the model in the package; servers and fixed firmware use their own.
        test_prompts : list of str
        metrics : list of str, optional
            Among `latency`, `memory`, `power`, `throughput`; otherwise as the settings say.
        config : ProfilingConfig, optional
            For this profile only.
        progress : callable, optional
            Called with requests done, requests planned and the last one.

        Raises
        ------
        InvalidParameterError
            For prompts, metrics, model or settings that cannot be used. Also a ValueError.
        ModelCompatibilityError
            When the model cannot fit the platform, saying by how much.
        DeviceError, ProfilingError, ProfilingTimeoutError
            When nothing could be measured; the last carries the partial results.
        """
        config = config or self.config
        config.validate()
        prompts = check_prompts(test_prompts, config)
        wanted = check_metrics(metrics, config)
        given = as_model(model)
        if not self._profiling.acquire(blocking=False):
            raise InvalidParameterError("profile_model must not be called while it runs")
        try:
            self.connect()
            with self.connection_lock:
                return self._profile(given, prompts, wanted, config, progress)
        finally:
            self._profiling.release()

    def _profile(
        self,
        given: QuantizedModel | None,
        prompts: list[str],
        wanted: list[str],
        config: ProfilingConfig,
        progress: Callable[[int, int, Generation], object] | None,
    ) -> ProfileResults:
        model = self._prepare(given)
        assert self._backend is not None  # noqa: S101 (connect made both)
        assert self.description is not None  # noqa: S101
        self.profiling_session_id = secrets.token_hex(16)
        self.start_time = _now()
        named = str(self.description.model.get("name") or "unknown")
        results = ProfileResults(
            self.platform,
            named if model is None else model.name,
            None if model is None else model.size_mb,
            "" if model is None else model.quantization.value,
            session_id=self.profiling_session_id,
            start_time=self.start_time,
        )
        results.session_metadata = {
            "connection_type": self._backend.kind,
            "target": self._target,
            "platform_config": self.platform_config.name,
        }
        session = Session(
            self._backend, self.description, self.guard, config, results,
            in_process=self.in_process, recover=self._recover, progress=progress,
        )  # fmt: skip
        session.run(prompts, wanted)
        if self._heartbeat is not None:
            self._heartbeat.touch()
        self._said("degraded" if results.session_metadata["failures"] else "healthy")
        results.session_metadata["device_health"] = self.get_health_status()["device_health"]
        return results

    def get_health_status(self) -> dict[str, Any]:
        """Connection, device, breaker and the profiler's own use, as plain values."""
        return status(self)

    def stream_metrics(
        self, duration_seconds: float = 60, prompt: str = "Hello"
    ) -> Iterator[dict[str, Any]]:
        """What the device does, request by request, for a while.

        Each item has `timestamp` (s since 1970) and what was measured: `tokens_per_second`,
        `first_token_latency_ms`, `memory_kb`; a device of the older line protocol is asked
        for its own METRICS instead.

        Raises
        ------
        RuntimeError
            When not connected.
        """
        backend = self._backend
        if not self.is_connected or backend is None:
            raise RuntimeError("stream_metrics needs a connection: call connect() first")
        with self.connection_lock:
            if backend.kind in _UPLOADS and self._loaded is None:
                self._prepare(None)
        yield from stream(
            backend, self.guard, self.config, self.connection_lock, duration_seconds, prompt
        )
