"""What must be cleaned up in the end."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from holdfast.errors import InvalidParameterError
from holdfast.errors._base import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self


@dataclass(eq=False)
class _Registered:
    resource: Any
    created_at: datetime
    cleanup_func: Callable[[], object] | None

    def __getitem__(self, name: str) -> Any:
        """The same by name: older scripts look them up."""
        return getattr(self, name)

    def clean(self) -> None:
        clean = self.cleanup_func
        clean = clean or getattr(self.resource, "close", None)
        clean = clean or getattr(self.resource, "cleanup", None)
        if clean is not None:
            clean()


class ResourceManager:
    """Keeps resources until they are cleaned up: by hand, or at the end of a `with` block.

    Attributes
    ----------
    active_resources : WeakSet
        Those that can be referred to weakly.
    resource_registry : dict
        What is registered, by category.
    """

    def __init__(self) -> None:
        self.active_resources: WeakSet[Any] = WeakSet()
        self.resource_registry: dict[str, list[_Registered]] = {}
        self._lock = Lock()

    def register_resource(
        self,
        resource: Any,
        category: str = "general",
        cleanup_func: Callable[[], object] | None = None,
    ) -> None:
        """Keep `resource`; it ends by `cleanup_func`, its `close()` or its `cleanup()`.

        Raises
        ------
        InvalidParameterError
            `cleanup_func` cannot be called.
        """
        if cleanup_func is not None and not callable(cleanup_func):
            raise InvalidParameterError(
                f"cleanup_func must be callable or None, got {cleanup_func!r}"
            )
        with self._lock:
            kept = self.resource_registry.setdefault(category, [])
            kept.append(_Registered(resource, utc_now(), cleanup_func))
            with suppress(TypeError):  # numbers, lists: nothing weak refers to them
                self.active_resources.add(resource)

    def cleanup_resources(self, category: str | None = None) -> None:
        """Clean up those of one category, or all; what fails is logged and kept."""
        with self._lock:
            wanted = list(self.resource_registry) if category is None else [category]
            kept = [
                (name, one) for name in wanted for one in self.resource_registry.get(name, ())
            ]
        for name, one in kept:
            self._end(name, one)

    def release(self, resource: Any, category: str = "general") -> None:
        """Clean up `resource` alone, and forget it even if that fails."""
        with self._lock:
            kept = self.resource_registry.get(category, ())
            last = next((one for one in reversed(kept) if one.resource is resource), None)
        if last is not None:
            self._end(category, last, keep=False)

    def _end(self, category: str, one: _Registered, *, keep: bool = True) -> None:
        """Clean up without the lock, for a cleanup may use this object; and only once."""
        with self._lock:
            if one not in self.resource_registry[category]:
                return
            self.resource_registry[category].remove(one)
        try:
            one.clean()
        except Exception:
            logging.getLogger("holdfast.resilience").exception(
                "cleaning up a resource (%s) failed", category
            )
            if keep:
                with self._lock:
                    self.resource_registry[category].append(one)
                return
        with self._lock, suppress(TypeError):
            self.active_resources.discard(one.resource)

    def get_resource_stats(self) -> dict[str, Any]:
        """How many there are, and from when, by category."""
        with self._lock:
            return {
                "total_categories": len(self.resource_registry),
                "active_weak_refs": len(self.active_resources),
                "by_category": {
                    name: {
                        "count": len(kept),
                        "oldest": kept[0].created_at.isoformat() if kept else None,
                        "newest": kept[-1].created_at.isoformat() if kept else None,
                    }
                    for name, kept in self.resource_registry.items()
                },
            }

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clean up everything."""
        self.cleanup_resources()
