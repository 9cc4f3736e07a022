"""How a profiler and its device are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.edge._measurement.own_process import host_memory, memory_mb

if TYPE_CHECKING:
    from holdfast.edge._device_calls import DeviceCalls


def status(profiler: DeviceCalls) -> dict[str, Any]:
    """See `EdgeProfiler.get_health_status`."""
    health = dict(profiler.device_health)
    if health["last_check"] is not None:
        health["last_check"] = health["last_check"].isoformat()
    heard = profiler.last_heartbeat
    percent, available = host_memory()
    return {
        "platform": profiler.platform,
        "connection_type": profiler.connection_type,
        "is_connected": profiler.is_connected,
        "device_health": health,
        "circuit_breaker": profiler.guard.status(),
        "last_heartbeat": None if heard is None else heard.isoformat(),
        "connection_attempts": profiler.connection_attempts,
        "managed_resources": len(profiler.managed_resources),
        "profiling_active": profiler.profiling_active,
        "resource_stats": {
            "memory_mb": memory_mb(),
            "memory_percent": percent,
            "memory_available_mb": available,
            "managed_resources_count": len(profiler.managed_resources),
            "cpu_percent": profiler.cpu.percent(),
            "connection_attempts": profiler.connection_attempts,
            "device_health_status": health["status"],
        },
    }
