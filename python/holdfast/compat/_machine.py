"""The load of this machine, by psutil where that is installed: older tests replace it there."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from holdfast.telemetry import Machine

_FIRST_SECONDS = 0.02
_MIB, _GIB = 2.0**20, 2.0**30
_asked: WeakSet[Machine] = WeakSet()


def find_psutil() -> Any:
    """psutil, or None."""
    if importlib.util.find_spec("psutil") is None:
        return None
    return importlib.import_module("psutil")


def lazy_psutil(module: str, name: str) -> Any:
    """Psutil for the `__getattr__` of a module that had it as a name.

    Raises
    ------
    AttributeError
        For any other name, and where it is not installed.
    """
    found = find_psutil() if name == "psutil" else None
    if found is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return found


def sample(machine: Machine) -> dict[str, float]:
    """What `machine` tells, with processors, memory and disk by psutil, of no container.

    Its first answer about processors is over a moment, later ones since the last.
    """
    found = machine.sample()
    psutil = find_psutil()
    if psutil is None:
        return found
    found = {name: one for name, one in found.items() if not name.startswith("container_")}
    memory, disk = psutil.virtual_memory(), psutil.disk_usage("/")
    first = None if machine in _asked else _FIRST_SECONDS
    _asked.add(machine)
    found["system_cpu_percent"] = psutil.cpu_percent(interval=first)
    for name, there, attribute, unit in (
        ("system_memory_percent", memory, "percent", 1.0),
        ("system_memory_available_mb", memory, "available", _MIB),
        ("system_disk_percent", disk, "percent", 1.0),
        ("system_disk_free_gb", disk, "free", _GIB),
    ):
        value = getattr(there, attribute, None)
        if isinstance(value, (int, float)):  # what a test puts in its place may lack some
            found[name] = value / unit
    return found
