"""What Linux tells of the machine, this process and its container.

What cannot be read here is absent, never estimated.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from glob import glob
from typing import TYPE_CHECKING

from holdfast.errors import _parameters as parameters

if TYPE_CHECKING:
    from os import PathLike

_GIB = 2.0**30
_GROUPS = "sys/fs/cgroup"
_TICKS = 10  # of each processor, over which a share says something


class Machine:
    """Reads `/proc` and `/sys` below `root`.

    CPU shares are of the time between two readings at least a tenth of a second apart: over
    less they say nothing, and the one before is told. Absent until then.

    Raises
    ------
    InvalidParameterError
        `root` is no path.
    """

    def __init__(self, root: str | PathLike[str] = "/") -> None:
        parameters.instance("root", root, (str, os.PathLike))
        self.root = os.fspath(root)
        self._least = float(_TICKS)
        self._share: float | None = None
        self._busy = self._cpu_times()

    def sample(self) -> dict[str, float]:
        """Every value that can be had now, by name."""
        found: dict[str, float] = {}
        for part in (self.cpu, self._memory, self._disk, self._temperature):
            found |= part()
        return found | self.process() | self._container()

    def _at(self, path: str) -> str:
        return os.path.join(self.root, path)  # noqa: PTH118 (likewise)

    def _text(self, path: str) -> str | None:
        try:
            with open(self._at(path)) as file:  # noqa: PTH123 (pathlib is not loaded for it)
                return file.read()
        except (OSError, UnicodeDecodeError):
            return None

    def _cpu_times(self) -> tuple[float, float] | None:
        """Busy and total time of all processors, in ticks."""
        first, *rest = (self._text("proc/stat") or "").splitlines() or [""]
        line = first.split()
        if len(line) < 5 or line[0] != "cpu":  # noqa: PLR2004 (the idle column)
            return None
        times = [float(word) for word in line[1:9]]
        self._least = _TICKS * max(sum(other.startswith("cpu") for other in rest), 1)
        return sum(times) - sum(times[3:5]), sum(times)

    def cpu(self) -> dict[str, float]:
        """The share of all processors that was busy, if it can be told."""
        now, before = self._cpu_times(), self._busy
        if now is None:
            return {}
        if before is None or now[1] < before[1]:
            self._busy = now
        elif now[1] - before[1] >= self._least:
            self._busy = now
            share = (now[0] - before[0]) / (now[1] - before[1])
            self._share = 100.0 * min(max(share, 0.0), 1.0)
        return {} if self._share is None else {"system_cpu_percent": self._share}

    def settle(self) -> None:
        """Wait until the share of the processors can be told: at most 0.2 s, once."""
        for _ in range(2):
            if self._share is None and self._busy is not None:
                time.sleep(0.1)
                self.cpu()

    def _memory(self) -> dict[str, float]:
        lines = (self._text("proc/meminfo") or "").splitlines()
        kib = {
            name: float(rest.split()[0])
            for name, _, rest in (line.partition(":") for line in lines)
            if rest.split()
        }
        total, available = kib.get("MemTotal"), kib.get("MemAvailable")
        if not total or available is None:
            return {}
        return {
            "system_memory_percent": 100.0 * (1.0 - available / total),
            "system_memory_available_mb": available / 1024.0,
        }

    def _disk(self) -> dict[str, float]:
        try:
            disk = os.statvfs(self.root)
        except (AttributeError, OSError):  # no such call on Windows
            return {}
        # As df: what is reserved for root counts neither as used nor as free.
        used, free = disk.f_blocks - disk.f_bfree, disk.f_bavail
        share = 100.0 * used / (used + free) if used + free else 0.0
        return {
            "system_disk_percent": share,
            "system_disk_free_gb": free * disk.f_frsize / _GIB,
        }

    def _temperature(self) -> dict[str, float]:
        paths = glob("sys/class/hwmon/hwmon*/temp*_input", root_dir=self.root)  # noqa: PTH207
        zones = "sys/class/thermal/thermal_zone*/temp"
        paths = paths or glob(zones, root_dir=self.root)  # noqa: PTH207
        texts = [self._text(path) for path in paths]
        degrees = [int(t) / 1000.0 for t in texts if t and t.strip().lstrip("-").isdigit()]
        if not degrees:
            return {}
        return {
            "system_temperature_avg": sum(degrees) / len(degrees),
            "system_temperature_max": max(degrees),
        }

    def process(self) -> dict[str, float]:
        """What can be had of this process, by the names of Prometheus' process collectors."""
        found: dict[str, float] = {}
        stat = self._text("proc/self/stat")
        if stat:
            # The name, in brackets, may hold blanks and brackets.
            fields = stat.rpartition(")")[2].split()
            ticks = float(fields[11]) + float(fields[12])
            found["process_cpu_seconds_total"] = ticks / os.sysconf("SC_CLK_TCK")
            found["process_threads"] = float(fields[17])
            found["process_virtual_memory_bytes"] = float(fields[20])
            booted = self._stat("proc/stat", "btime")
            if booted is not None:
                since = float(fields[19]) / os.sysconf("SC_CLK_TCK")
                found["process_start_time_seconds"] = booted + since
            pages = float(fields[21])
            found["process_resident_memory_bytes"] = pages * os.sysconf("SC_PAGE_SIZE")
        with suppress(OSError):
            found["process_open_fds"] = float(len(os.listdir(self._at("proc/self/fd"))))  # noqa: PTH208
        for line in (self._text("proc/self/limits") or "").splitlines():
            words = line.split()
            if line.startswith("Max open files") and words[3].isdigit():
                found["process_max_fds"] = float(words[3])
        return found

    def process_name(self) -> str:
        """What the system calls this process."""
        name = (self._text("proc/self/comm") or "").strip()
        return name or os.path.basename(sys.executable or "python")  # noqa: PTH119 (likewise)

    def disks_used(self) -> dict[str, float]:
        """Bytes in use by mount point: of the root and of the working directory."""
        found = {}
        for mount in (self.root, _mount(os.curdir)):
            with suppress(AttributeError, OSError):  # no such call on Windows
                disk = os.statvfs(mount)
                found[mount] = float((disk.f_blocks - disk.f_bfree) * disk.f_frsize)
        return found

    def _container(self) -> dict[str, float]:
        """Of the control group (cgroup v2) this process is in, or the nearest above it."""
        lines = (self._text("proc/self/cgroup") or "").splitlines()
        path = next((line[3:] for line in lines if line.startswith("0::")), None)
        if path is None:
            return {}
        found: dict[str, float] = {}
        group = f"{_GROUPS}/{path.strip('/')}".rstrip("/")
        while self._text(f"{group}/memory.current") is None:
            if group == _GROUPS:
                return {}
            group = group.rpartition("/")[0]
        current = self._number(f"{group}/memory.current")
        inactive = self._stat(f"{group}/memory.stat", "inactive_file")
        limit = self._number(f"{group}/memory.max")
        if current is not None:
            # The page cache that can be dropped at once is not in use (as the kubelet counts).
            used = max(current - (inactive or 0.0), 0.0)
            found["container_memory_used_bytes"] = used
            if limit:
                found["container_memory_limit_bytes"] = limit
                found["container_memory_percent"] = 100.0 * used / limit
        quota = (self._text(f"{group}/cpu.max") or "").split()
        if len(quota) == 2 and quota[0].isdigit():  # noqa: PLR2004 (quota and period)
            found["container_cpu_limit_cores"] = int(quota[0]) / int(quota[1])
        throttled = self._stat(f"{group}/cpu.stat", "throttled_usec")
        if throttled is not None:
            found["container_cpu_throttled_seconds_total"] = throttled / 1e6
        return found

    def _number(self, path: str) -> float | None:
        text = (self._text(path) or "").strip()
        return float(text) if text.isdigit() else None

    def _stat(self, path: str, name: str) -> float | None:
        for line in (self._text(path) or "").splitlines():
            words = line.split()
            if len(words) == 2 and words[0] == name and words[1].isdigit():  # noqa: PLR2004
                return float(words[1])
        return None


def _mount(path: str) -> str:
    """The mount point that `path` is below; the root where that cannot be found."""
    with suppress(OSError):  # a working directory that was removed
        path = os.path.realpath(path)
        while not os.path.ismount(path) and os.path.dirname(path) != path:  # noqa: PTH120
            path = os.path.dirname(path)  # noqa: PTH120
        return path
    return os.sep
