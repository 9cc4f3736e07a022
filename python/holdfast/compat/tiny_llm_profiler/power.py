"""Older path of power."""

from holdfast.edge import PowerProfiler

__all__ = ["PowerProfiler"]
