"""Guarded blocks in coroutines: the waiting belongs to the event loop."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast._core import Block


async def enter(block: Block) -> None:
    """Wait until the block may begin."""
    import asyncio

    step = block.ask(0)
    while step is not None:
        queue, seconds, stage = step
        if queue:
            await _queue(block, seconds, stage)
            stage += 1
        else:
            try:
                await asyncio.sleep(seconds)
            except BaseException as error:
                block.interrupted(stage, error)
                raise
        step = block.ask(stage)


async def _queue(block: Block, seconds: float, stage: int) -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    place = loop.create_future()
    number = block.queue(stage, loop, place)
    if number is not None:
        try:
            await asyncio.wait_for(place, seconds)
        except asyncio.TimeoutError:
            block.give_up(stage, number, None)
        except BaseException as error:
            block.give_up(stage, number, error)
            raise
    block.entered(stage)


class Alarm:
    """Cancels the task when the deadline of the block has come."""

    def __init__(self, loop: Any, task: Any, stage: int, seconds: float) -> None:
        self._task = task
        self._stage = stage
        self._rung = False
        self._pending = task.cancelling() if hasattr(task, "cancelling") else 0
        self._handle = loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._rung = True
        self._task.cancel()

    def stop(self) -> int | None:
        """Stop watching; the stage whose deadline had come, if it had."""
        self._handle.cancel()
        if not self._rung:
            return None
        # From Python 3.11 on tasks count: if there is another cancellation than ours, somebody
        # else wants the task to end, and that goes first.
        left = self._task.uncancel() if hasattr(self._task, "uncancel") else 0
        return self._stage if left <= self._pending else None


def alarm(block: Block) -> Alarm | None:
    """Watch the earliest deadline of the block, if it has one."""
    deadline = block.deadline()
    if deadline is None:
        return None
    import asyncio

    task = asyncio.current_task()
    if task is None:
        return None
    return Alarm(asyncio.get_running_loop(), task, *deadline)
