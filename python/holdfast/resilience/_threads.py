"""Threads that can be left behind: daemons, kept for the next call when they come back."""

from __future__ import annotations

import os
import threading
from contextvars import copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue
    from typing import Any


class Job:
    """A call in another thread."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = copy_context().run, call
        self._done = threading.Event()
        self._tell: Callable[[Job], object] | None = None
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Make the call, in the thread it was given to."""
        run, call = self._call
        try:
            self.value = run(call)
        except BaseException as error:  # noqa: BLE001 (handed to the caller)
            self.error = error
        self._done.set()
        if self._tell is not None:
            self._tell(self)

    def wait(self, timeout: float | None) -> bool:
        """Whether the call came to an end in time."""
        return self._done.wait(timeout)

    def result(self) -> Any:
        """What the call gave or raised."""
        if self.error is not None:
            raise self.error
        return self.value


_idle: list[SimpleQueue[Job]] = []
os.register_at_fork(after_in_child=_idle.clear) if hasattr(os, "register_at_fork") else None


def start(call: Callable[[], Any], tell: Callable[[Job], object] | None = None) -> Job:
    """Make `call` in another thread, and `tell` when it is done."""
    job = Job(call)
    job._tell = tell  # noqa: SLF001
    try:
        queue = _idle.pop()
    except IndexError:
        from queue import SimpleQueue

        queue = SimpleQueue()
        name = "holdfast-call"
        threading.Thread(target=_work, args=(queue,), name=name, daemon=True).start()
    queue.put(job)
    return job


def _work(queue: SimpleQueue[Job]) -> None:
    while True:
        job = queue.get()
        job.run()
        del job
        _idle.append(queue)
