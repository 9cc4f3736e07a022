"""What has to be cleaned up, by category."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self


class ResourceManager:
    """Holds resources until they are cleaned up; as a `with` block, at its end.

    A resource stays alive for as long as it is registered. Cleaning up happens outside of
    any lock, so that it may register and clean up itself.

    Attributes
    ----------
    active_resources : WeakSet
        Those registered that can be referred to weakly and are still alive.
    resource_registry : dict
        By category a list of `resource`, `created_at` and `cleanup_func`.
    """

    def __init__(self) -> None:
        self.active_resources: WeakSet[Any] = WeakSet()
        self.resource_registry: dict[str, list[dict[str, Any]]] = {}
        self._lock = Lock()

    def register_resource(
        self,
        resource: object,
        category: str = "general",
        cleanup_func: Callable[[], object] | None = None,
    ) -> dict[str, Any]:
        """Hold `resource`; the entry made for it.

        It is cleaned up by `cleanup_func`, else by its `close()`, else by its `cleanup()`.
        """
        if cleanup_func is not None and not callable(cleanup_func):
            raise InvalidParameterError(
                f"cleanup_func must be callable or None, got {cleanup_func!r}"
            )
        entry = {
            "resource": resource,
            "created_at": datetime.now().astimezone(),
            "cleanup_func": cleanup_func,
        }
        with self._lock:
            self.resource_registry.setdefault(category, []).append(entry)
            with suppress(TypeError):  # numbers, lists: nothing weak refers to them
                self.active_resources.add(resource)
        return entry

    def cleanup_resources(self, category: str | None = None) -> None:
        """Clean up one category, or all; what fails is logged and stays registered."""
        with self._lock:
            chosen = list(self.resource_registry) if category is None else [category]
            entries = [(c, e) for c in chosen for e in self.resource_registry.get(c, ())]
        for owner, entry in entries:
            self.release(owner, entry)

    def release(self, category: str, entry: dict[str, Any], *, keep: bool = True) -> None:
        """Clean up one entry, once; if that fails it stays registered unless `keep` is off."""
        with self._lock:
            held = self.resource_registry.get(category, [])
            place = next((i for i, other in enumerate(held) if other is entry), None)
            if place is None:
                return
            del held[place]
        try:
            _clean(entry)
        except Exception:
            logger = logging.getLogger("holdfast.resilience")
            logger.exception("cleaning up a resource (%s) failed", category)
            if keep:
                with self._lock:
                    self.resource_registry.setdefault(category, []).append(entry)
                return
        with self._lock, suppress(TypeError):
            self.active_resources.discard(entry["resource"])

    def get_resource_stats(self) -> dict[str, Any]:
        """How many there are, and since when."""
        with self._lock:
            by_category = {
                category: {
                    "count": len(entries),
                    "oldest": _when(entries, min),
                    "newest": _when(entries, max),
                }
                for category, entries in self.resource_registry.items()
            }
            return {
                "total_categories": len(by_category),
                "active_weak_refs": len(self.active_resources),
                "by_category": by_category,
            }

    def __enter__(self) -> Self:
        """Begin a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clean everything up."""
        self.cleanup_resources()


def _clean(entry: dict[str, Any]) -> None:
    resource = entry["resource"]
    clean = entry["cleanup_func"] or getattr(resource, "close", None)
    clean = clean or getattr(resource, "cleanup", None)
    if clean is not None:
        clean()


def _when(entries: list[dict[str, Any]], choose: Callable[..., Any]) -> str | None:
    if not entries:
        return None
    moment: datetime = choose(entry["created_at"] for entry in entries)
    return moment.isoformat()
