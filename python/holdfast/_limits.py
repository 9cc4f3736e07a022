"""What a call of the core may use: threads, time, memory, and where its seed comes from."""

from __future__ import annotations

import math
import numbers
import os
import secrets
from contextlib import suppress
from pathlib import Path

from holdfast import _core
from holdfast.errors import MemoryBudgetError
from holdfast.errors._parameters import real, refuse

# Where control groups, version 2 and 1, say how much memory their processes may use.
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def threads(n_jobs: object) -> int:
    """Return the number of threads `n_jobs` asks for; 0 stands for all there are.

    As in joblib, `None` and -1 mean all processors and -2 all but one.
    """
    if n_jobs is None:
        return 0
    if not isinstance(n_jobs, numbers.Integral) or n_jobs == 0:
        refuse("n_jobs", "None or not 0", n_jobs)
    n = int(n_jobs)
    return n if n > 0 else max(1, _core.available_threads() + 1 + n)


def time_budget(max_seconds: object) -> float | None:
    """Return `max_seconds` as a number above 0, or `None` for no limit."""
    return (
        None if max_seconds is None else real("max_seconds", max_seconds, above=0, finite=False)
    )


def memory() -> float:
    """Bytes this process may use: of the machine or its control group; inf if unknown."""
    bounds = [math.inf]
    with suppress(AttributeError, ValueError, OSError):  # neither Windows nor macOS tell
        bounds.append(float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # "max", or no such control group
            bounds.append(float(Path(path).read_text()))
    return min(bound for bound in bounds if bound > 0)


def fits(what: str, shape: tuple[int, ...], item: int, copies: int = 1) -> None:
    """Refuse to make an array that could not be held: the core would end the process.

    Parameters
    ----------
    what
        Name of the array in the message.
    shape, item
        Of the array; bytes of a number.
    copies
        How many such arrays the computation needs at a time.

    Raises
    ------
    MemoryBudgetError
        If all copies together exceed `memory()`.
    """
    size = math.prod(shape) * item * copies
    if size > memory():
        raise MemoryBudgetError(
            f"{what} of shape {shape} would need {size / 2**30:,.1f} GiB, this process may "
            f"use {memory() / 2**30:,.1f} GiB"
        )


def seed(random_state: object) -> int:
    """Return a seed: an integer itself, or drawn; `None` draws from the system."""
    if random_state is None:
        return secrets.randbits(64)
    if isinstance(random_state, numbers.Integral) and 0 <= int(random_state) < 1 << 64:
        return int(random_state)
    # numpy.random.Generator, RandomState
    draw = getattr(random_state, "integers", None) or getattr(random_state, "randint", None)
    if draw is None:
        rule = "None, an integer from 0 to 2**64 - 1 or a NumPy generator"
        refuse("random_state", rule, random_state)
    return int(draw(1 << 31))
