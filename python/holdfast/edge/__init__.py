"""Profiling of small language models on real, emulated and simulated devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.edge._clock import ClockFit as ClockFit
    from holdfast.edge._clock import Ping as Ping
    from holdfast.edge._clock import fit_clock as fit_clock
    from holdfast.edge._comparison import Comparison as Comparison
    from holdfast.edge._comparison import compare as compare
    from holdfast.edge._config import ProfilingConfig as ProfilingConfig
    from holdfast.edge._errors import DeviceConnectionError as DeviceConnectionError
    from holdfast.edge._model import QuantizedModel as QuantizedModel
    from holdfast.edge._platforms import PlatformManager as PlatformManager
    from holdfast.edge._results import ProfileResults as ProfileResults

_ERRORS = """DeviceConnectionError DeviceError DeviceNotSupportedError DeviceRebootError
DeviceTimeoutError EdgeError InsufficientDataError InsufficientMemoryError
ModelCompatibilityError ModelError ModelFormatError ModelLoadError PlatformError ProfilingError
ProfilingTimeoutError ProtocolError ResourceError"""

_HOMES = {
    "_analysis": "BottleneckInfo ComparativeAnalyzer ComparisonResult MetricsAnalyzer",
    "_backend": "DeviceDescription MemoryReading",
    "_clock": "ClockFit Ping fit_clock unwrap",
    "_comparison": "Comparison compare",
    "_config": "ProfilingConfig",
    "_errors": _ERRORS,
    "_energy": "PowerTrace power_profile",
    "_fleet": "FleetResults profile_fleet",
    "_meter_files": "read_trace",
    "_mlperf_tiny": "InferenceRun MLPerfTiny",
    "_power": "PowerProfiler",
    "_profiler": "EdgeProfiler",
    "_serial": "Port list_ports",
    "_metrics": "RequestMetrics request_metrics",
    "_model": "QuantizedModel",
    "_platform_table": "Architecture MemoryConfiguration PlatformCapabilities PlatformConfig",
    "_platforms": "PlatformManager",
    "_preflight": "Fit check_fit require_fit",
    "_profiles": "AccuracyProfile LatencyProfile Measurement MemoryProfile PowerProfile "
    "ThroughputProfile",
    "_quantization": "ModelFormat ModelMetadata QuantizationType",
    "_record_files": "load_records save_records",
    "_records": "Generation",
    "_results": "ProfileResults",
    "_statistics": "Interval Percentile median_interval percentile supporting_samples",
    "_stopping": "StopRule",
    "_summary": "recompute summarize",
    "_warmup": "warm_up_length",
}

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        name: f"holdfast.edge.{module}"
        for module, names in _HOMES.items()
        for name in names.split()
    },
)
