"""Older path of `EdgeProfiler`."""

from holdfast.edge import EdgeProfiler, ProfilingConfig

__all__ = ["EdgeProfiler", "ProfilingConfig"]
