"""Who is on a port, found by asking at the usual speeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.edge._config import ProfilingConfig
from holdfast.edge._connect import make_backend
from holdfast.edge._errors import EdgeError
from holdfast.edge._links.serial import RATES_TO_SCAN

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Found:
    """Who answered; `protocol` is None and `cause` says why when nobody did."""

    target: str
    baudrate: int | None = None
    protocol: str | None = None
    board: str | None = None
    cause: str | None = None


def identify(
    target: str, baudrates: Sequence[int] | None = None, config: ProfilingConfig | None = None
) -> Found:
    """Ask in every protocol, on serial ports at every speed.

    Opening a port restarts many boards; `ProfilingConfig.control_lines` has a say in that.
    """
    config = config or ProfilingConfig(boot_timeout=1.0, connection_timeout=2.0)
    one_speed = "://" in target and not target.startswith("serial://")
    cause = None
    for rate in baudrates or RATES_TO_SCAN[: 1 if one_speed else None]:
        try:
            backend = make_backend(target, baudrate=rate, config=config)
            try:
                said = backend.open()
            finally:
                backend.close()
        except EdgeError as error:
            cause = str(error)
            continue
        return Found(target, None if one_speed else rate, said.protocol, said.board)
    return Found(target, cause=cause)
