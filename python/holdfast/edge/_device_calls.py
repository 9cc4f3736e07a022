"""What a profiler does with its device besides profiling it."""

from __future__ import annotations

import logging
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.edge._backends.lines import one_line
from holdfast.edge._connection import Connection
from holdfast.edge._errors import DeviceError, PlatformError
from holdfast.edge._links.serial import Port, check_port, list_ports
from holdfast.edge._performance_log import PerformanceLog
from holdfast.errors import InvalidParameterError
from holdfast.resilience import RetryConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._links.discovery import Found

_FLASH_SECONDS = 600.0


class DeviceCalls(Connection):
    """Calls and attributes of `EdgeProfiler` that need nothing but its link and platform."""

    logger = logging.getLogger("holdfast.edge.profiler")
    perf_logger = PerformanceLog()

    @property
    def connection_retry(self) -> RetryConfig:
        """How connections and requests are tried again."""
        config = self.config
        return RetryConfig(max_attempts=config.max_retries + 1, base_delay=config.retry_delay)

    @property
    def serial_conn(self) -> Any:
        """The open link, with `read`, `write` and `close`; None while there is none."""
        backend = getattr(self._backend, "chosen", self._backend)
        if not self.is_connected or backend is None:
            return None
        channel = getattr(backend, "_channel", None)
        return getattr(backend, "_link", None) if channel is None else channel.link

    @property
    def managed_resources(self) -> list[Any]:
        """What is open and will be closed by `disconnect`."""
        held = (self.serial_conn or (self._backend if self.is_connected else None),
                self._heartbeat)  # fmt: skip
        return [one for one in held if one is not None]

    @staticmethod
    def discover_devices(
        *, ask: bool = False, baudrates: Sequence[int] | None = None
    ) -> list[Port] | list[Found]:
        """Serial ports that may have a board on them.

        Parameters
        ----------
        ask : bool
            Open each and say who answers in which protocol; this restarts many boards.
        baudrates : sequence of int, optional
            Speeds to ask at; the usual ones by default.
        """
        from holdfast.edge._links.discovery import identify

        ports = list_ports()
        return [identify(port.path, baudrates) for port in ports] if ask else ports

    def send_command(self, command: str, timeout: float | None = None) -> str:
        """Send one line of text and return what the device answers.

        Raises
        ------
        InvalidDataError
            When `command` holds control characters: it would be several commands.
        InvalidParameterError
            When the protocol carries no text of the user's.
        DeviceError
            When the device does not answer within `timeout` seconds (`operation_timeout`).
        """
        one_line(command, "command")
        self.connect()
        backend = getattr(self._backend, "chosen", self._backend)
        ask = getattr(backend, "command", None)
        if ask is None:
            raise InvalidParameterError(
                f"send_command needs a protocol of text lines, this is {self.connection_type}"
            )
        limit = self.config.operation_timeout if timeout is None else timeout
        with self.connection_lock:
            answer = self.guard.call(lambda: ask(command, limit))
        return "\n".join(line for line, _ in answer)

    def get_device_info(self) -> dict[str, Any]:
        """What the device says about itself, and how it is reached; connects if needed."""
        self.connect()
        assert self.description is not None  # noqa: S101 (connect made it)
        return {
            "platform": self.platform,
            "device": self.device,
            "connection_type": self.connection_type,
            **asdict(self.description),
        }

    def flash_firmware(self, firmware: str | Path, timeout: float = _FLASH_SECONDS) -> str:
        """Write an image with the platform's own tool, given an argument list, never a shell.

        Returns what the tool printed. The device is disconnected before.

        Raises
        ------
        InvalidParameterError
            When there is no such file, or the device is no serial port.
        PlatformError
            When the platform has no flash tool, or it is not installed.
        DeviceError
            When the tool fails, with what it printed last.
        """
        if not Path(firmware).is_file():
            raise InvalidParameterError(f"firmware must be a file, got {str(firmware)!r}")
        if self.device is not None:
            check_port(self.device)
        command = self.platform_manager.flash_arguments(str(firmware), self.device)
        program = shutil.which(command[0])
        if program is None:
            raise PlatformError(f"{command[0]} is not installed")
        self.disconnect()
        try:
            done = subprocess.run(  # noqa: S603 (an argument list)
                [program, *command[1:]], check=False, capture_output=True, text=True,
                timeout=timeout,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise DeviceError(
                f"{command[0]} took longer than {timeout:g} s", "FLASH_FAILED"
            ) from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise DeviceError(
                f"{command[0]} ended with {done.returncode}: {said}", "FLASH_FAILED"
            )
        return done.stdout
