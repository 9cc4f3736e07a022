"""The profiler: a device by name, connected, profiled, watched over."""

from __future__ import annotations

import asyncio
import functools
import secrets
from typing import TYPE_CHECKING, Any

from holdfast.edge._backends.streaming import stream
from holdfast.edge._connection import utc_now
from holdfast.edge._device_calls import DeviceCalls
from holdfast.edge._health import status
from holdfast.edge._inputs import as_model, check_metrics, check_prompts, shipped_model
from holdfast.edge._models.preflight import require_fit
from holdfast.edge._results.results import ProfileResults
from holdfast.edge._session import Session
from holdfast.errors import HoldfastError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from holdfast.edge._config import ProfilingConfig
    from holdfast.edge._measurement.records import Generation
    from holdfast.edge._models.model import QuantizedModel

_UPLOADS = {"holdfast", "sim", "host", "qemu"}


class EdgeProfiler(DeviceCalls):
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
    last_results : ProfileResults or None
        Of the last profile, also when it was interrupted.

    Raises
    ------
    DeviceNotSupportedError, InvalidParameterError
        When platform, device, connection or settings are not known. Both are ValueErrors.
    """

    def _prepare(self, model: QuantizedModel | None) -> QuantizedModel | None:
        """Put the model on the device, if it takes one and does not have it."""
        backend = self._backend
        assert backend is not None  # noqa: S101 (called after connect)
        if backend.kind not in _UPLOADS:
            return model
        model = model or shipped_model()
        if self.platform_config.link == "" and self.platform != "generic":
            require_fit(model, self.platform_manager)
        # What a deterministic part did before shows in its ticks: each profile starts it anew.
        said = self.description
        anew = self.in_process and said is not None and said.deterministic
        if self._loaded is not model or anew:
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
        KeyboardInterrupt
            After the link was closed; `last_results`, and `partial_results` of the exception,
            hold what was measured.
        """
        config = config or self.config
        config.validate()
        prompts = check_prompts(test_prompts, config)
        wanted = check_metrics(metrics, config)
        given = as_model(model)
        if not self._profiling.acquire(blocking=False):
            raise InvalidParameterError("profile_model must not be called while it runs")
        self._stop.clear()
        try:
            self.connect()
            with self.connection_lock:
                return self._profile(given, prompts, wanted, config, progress)
        except HoldfastError as error:
            if self.is_connected:
                self._said("unhealthy", error)
            raise
        except KeyboardInterrupt:
            self.disconnect()
            raise
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
        self.start_time = utc_now()
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
            stop=self._stop,
        )  # fmt: skip
        self.last_results = results
        self.perf_logger.log_profiling_start(
            self.platform,
            results.model_name,
            self.profiling_session_id,
            device_path=self.device,
        )
        session.run(prompts, wanted)
        took = (utc_now() - self.start_time).total_seconds()
        summary = results.get_summary()
        self.perf_logger.log_profiling_end(self.profiling_session_id, took, summary)
        if self._heartbeat is not None:
            self._heartbeat.touch()
        self._said("degraded" if results.session_metadata["failures"] else "healthy")
        health = self.get_health_status()
        for name in ("device_health", "resource_stats"):
            results.session_metadata[name] = health[name]
        return results

    async def profile_model_async(self, *arguments: Any, **options: Any) -> ProfileResults:
        """`profile_model` in a thread, so that the event loop goes on.

        When the task is cancelled the profile ends after the request that runs.
        """
        call = functools.partial(self.profile_model, *arguments, **options)
        try:
            return await asyncio.to_thread(call)
        except asyncio.CancelledError:
            self.stop()
            raise

    def stop(self) -> None:
        """End a running `profile_model` after its request, from another thread."""
        self._stop.set()

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
