"""Devices inside this process: the simulator, and the engine compiled for this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from holdfast.edge._backends.native import FramedDevice
from holdfast.edge._errors import (
    DeviceConnectionError,
    DeviceError,
    ModelCompatibilityError,
)
from holdfast.edge._interrupt import check
from holdfast.edge._results.profiles import PowerProfile
from holdfast.errors import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._backends.base import DeviceDescription, MemoryReading
    from holdfast.edge._measurement.records import Generation
    from holdfast.edge._models.model import QuantizedModel

# Short enough that the arrival of a token is known to a few milliseconds.
_SLICE = 500_000


class SimulatorLink:
    """The UART of a simulated device; its clock is the device's, so a run repeats exactly."""

    kind = "sim"
    baudrate: int | None = None

    def __init__(self, device: Any, name: str) -> None:
        self.device, self.name = device, name
        self._open = True

    def now_ns(self) -> int:
        """Virtual time."""
        now: int = self.device.ticks * 10**9 // self.device.clock_hz
        return now

    def write(self, data: bytes) -> None:
        """Into the UART."""
        if not self._open:
            raise DeviceConnectionError(self.name, self.kind, "the link is closed")
        self.device.write(data)

    def read(self, timeout: float) -> bytes:
        """Execute until the device says something or has nothing to do."""
        until = self.now_ns() + int(timeout * 1e9)
        while True:
            check()
            state = self.device.run(_SLICE)
            if data := self.device.read():
                return bytes(data)
            if state == "fault":
                fault = self.device.fault or {}
                raise DeviceError(
                    f"{self.name}: {fault.get('text', 'fault')}", "DEVICE_FAULT", dict(fault)
                )
            if state == "idle":
                self.device.advance(max(until - self.now_ns(), 0) / 1e9)
                return b""
            if self.now_ns() >= until:
                return b""

    def close(self) -> None:
        """Unplug."""
        self._open = False


class AgentLink:
    """The agent in this process; its clock is this machine's."""

    kind = "host"
    baudrate: int | None = None

    def __init__(self, agent: Any) -> None:
        self.agent, self.name = agent, "host"
        self._open = True

    def now_ns(self) -> int:
        """`time.monotonic_ns`."""
        return time.monotonic_ns()

    def write(self, data: bytes) -> None:
        """To the agent."""
        if not self._open:
            raise DeviceConnectionError(self.name, self.kind, "the link is closed")
        self.agent.write(data)

    def read(self, timeout: float) -> bytes:
        """Let the agent work until it says something."""
        until = time.monotonic() + timeout
        while True:
            check()
            busy = self.agent.step()
            if data := self.agent.read():
                return bytes(data)
            if not busy or time.monotonic() >= until:
                return b""

    def close(self) -> None:
        """Let go."""
        self._open = False


class Simulated(FramedDevice):
    """The shipped firmware on the instruction-set simulator."""

    kind = "sim"

    def __init__(self, profile: str, *, seed: int = 0) -> None:
        from holdfast._core import simulated_profiles

        known = simulated_profiles()
        if profile not in known:
            raise InvalidParameterError(
                f"profile must be one of {', '.join(known)}, got {profile!r}"
            )
        self.profile, self._seed = profile, seed
        self.facts: dict[str, Any] = dict(known[profile])
        self.device: Any = None
        super().__init__(
            self._opened,
            timeout=2.0,
            clock="virtual",
            modelled=f"modelled(cycles of {profile})",
            first_request=1,
        )

    def _opened(self) -> SimulatorLink:
        from holdfast._core import SimulatedDevice
        from holdfast.edge._backends.images import simulator_firmware

        if self.device is None:
            self.device = SimulatedDevice(
                simulator_firmware(), self._model, profile=self.profile, seed=self._seed + 1
            )
        return SimulatorLink(self.device, f"sim://{self.profile}")

    _model: bytes | None = None

    def load(self, model: QuantizedModel) -> None:
        """Flash the model beside the firmware and start anew, as a programmer would.

        Raises
        ------
        ModelCompatibilityError
            When it does not fit the flash, saying by how much.
        """
        self.close()
        before, self._model, self.device = self._model, model.data(), None
        self._count_requests_anew()
        try:
            self.open()
        except InvalidDataError as error:
            self._model = before
            raise ModelCompatibilityError(model.name, self.profile, [str(error)]) from error

    def memory(self, timeout: float) -> MemoryReading | None:
        """What the device says, with what the simulator saw of the stack."""
        reading = super().memory(timeout)
        if reading is not None and self.device is not None:
            exact = self.device.report()
            reading.stack_bytes = exact["stack_high_water_bytes"]
            reading.method = "exact (every access seen)"
        return reading

    def modelled_power(self, records: Sequence[Generation]) -> PowerProfile | None:
        """The power its maker states times modelled time; None where no power is stated."""
        power = self.facts.get("active_milliwatts")
        spans = [
            ((one.end_ticks - one.start_ticks) / one.tick_hz,
             (one.ticks[-1] - one.ticks[0]) / one.tick_hz, len(one.ticks) - 1)
            for one in records
            if one.status == "ok" and one.ticks and one.tick_hz
            and one.end_ticks is not None and one.start_ticks is not None
        ]  # fmt: skip
        if power is None or not spans:
            return None
        seconds, decode, tokens = (sum(column) for column in zip(*spans, strict=True))
        return PowerProfile(
            active_power_mw=power,
            energy_per_token_mj=power * decode / tokens if tokens else None,
            total_energy_mj=power * seconds,
            measurement_duration_sec=seconds,
            simulated=True,
            duration_s=seconds,
            source=f"modelled(stated power of {self.facts['part']})",
            coverage=1.0,
        )

    def report(self) -> dict[str, Any]:
        """Instructions by class, cycles, touched memory: facts of the execution."""
        return {} if self.device is None else dict(self.device.report())


class LocalEngine(FramedDevice):
    """The agent compiled for this machine."""

    kind = "host"

    def __init__(self) -> None:
        self._model: bytes | None = None
        self._agent: Any = None
        super().__init__(self._opened, timeout=30.0, clock="host", first_request=1)

    def _opened(self) -> AgentLink:
        from holdfast._core import LocalAgent

        if self._agent is None:
            self._agent = LocalAgent(self._model)
        return AgentLink(self._agent)

    def load(self, model: QuantizedModel) -> None:
        """Build the engine on the model."""
        self.close()
        self._model, self._agent = model.data(), None
        self._count_requests_anew()
        self.open()

    def open(self) -> DeviceDescription:
        """Say hello; this machine's times never repeat exactly."""
        said = super().open()
        said.deterministic = False
        return said
