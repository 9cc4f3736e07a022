"""Older path of the platforms."""

from holdfast.edge import (
    Architecture,
    MemoryConfiguration,
    PlatformCapabilities,
    PlatformConfig,
    PlatformManager,
)

__all__ = [
    "Architecture",
    "MemoryConfiguration",
    "PlatformCapabilities",
    "PlatformConfig",
    "PlatformManager",
]
