"""What the profiler itself uses, and whether the machine is busy with something else."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def memory_mb() -> float | None:
    """Resident memory of this process, MB; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return _highest_mb()
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def host_memory() -> tuple[float | None, float | None]:
    """Memory of this machine in use, percent, and still to be had, MB; None: it is not told."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        kb = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()}
        total, available = kb["MemTotal"], kb["MemAvailable"]
    except (OSError, ValueError, IndexError, KeyError):
        return None, None
    return (1 - available / total) * 100, available * 1024 / 1e6


def _highest_mb() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / 1e6 if sys.platform == "darwin" else highest * 1024 / 1e6


class CpuShare:
    """Processor time of this process over wall-clock time, in percent of one core."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def percent(self) -> float | None:
        """Since the last call; None when no time has passed."""
        wall, cpu = time.monotonic(), time.process_time()
        passed, used = wall - self._wall, cpu - self._cpu
        self._wall, self._cpu = wall, cpu
        return used / passed * 100 if passed > 0 else None

    def rest_needed(self, limit: float) -> float:
        """Seconds to sleep so that the share since the last `percent` falls to `limit`."""
        passed = time.monotonic() - self._wall
        used = time.process_time() - self._cpu
        return max(used * 100 / limit - passed, 0.0)


def pressure() -> float | None:
    """Share of the last 10 s in which some task waited for a processor, percent (Linux PSI)."""
    try:
        text = Path("/proc/pressure/cpu").read_text(encoding="ascii")
    except OSError:
        return None
    for word in text.split():
        if word.startswith("avg10="):
            return float(word[6:])
    return None


def system() -> dict[str, object]:
    """Facts about this machine that belong to a result."""
    import platform

    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "cpu_pressure_percent": pressure(),
    }
