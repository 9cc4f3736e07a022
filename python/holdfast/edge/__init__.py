"""Profiling of small language models on real, emulated and simulated devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.edge._agent_server import serve_agent as serve_agent
    from holdfast.edge._analysis import BottleneckInfo as BottleneckInfo
    from holdfast.edge._analysis import MetricsAnalyzer as MetricsAnalyzer
    from holdfast.edge._backend import DeviceDescription as DeviceDescription
    from holdfast.edge._backend import MemoryReading as MemoryReading
    from holdfast.edge._clock import ClockFit as ClockFit
    from holdfast.edge._clock import Ping as Ping
    from holdfast.edge._clock import fit_clock as fit_clock
    from holdfast.edge._clock import unwrap as unwrap
    from holdfast.edge._comparison import Comparison as Comparison
    from holdfast.edge._comparison import compare as compare
    from holdfast.edge._config import ProfilingConfig as ProfilingConfig
    from holdfast.edge._discovery import Found as Found
    from holdfast.edge._discovery import identify as identify
    from holdfast.edge._energy import PowerTrace as PowerTrace
    from holdfast.edge._energy import power_profile as power_profile
    from holdfast.edge._errors import DeviceConnectionError as DeviceConnectionError
    from holdfast.edge._errors import DeviceError as DeviceError
    from holdfast.edge._errors import DeviceNotSupportedError as DeviceNotSupportedError
    from holdfast.edge._errors import DeviceRebootError as DeviceRebootError
    from holdfast.edge._errors import DeviceTimeoutError as DeviceTimeoutError
    from holdfast.edge._errors import EdgeError as EdgeError
    from holdfast.edge._errors import InsufficientDataError as InsufficientDataError
    from holdfast.edge._errors import InsufficientMemoryError as InsufficientMemoryError
    from holdfast.edge._errors import ModelCompatibilityError as ModelCompatibilityError
    from holdfast.edge._errors import ModelError as ModelError
    from holdfast.edge._errors import ModelFormatError as ModelFormatError
    from holdfast.edge._errors import ModelLoadError as ModelLoadError
    from holdfast.edge._errors import PlatformError as PlatformError
    from holdfast.edge._errors import ProfilingError as ProfilingError
    from holdfast.edge._errors import ProfilingTimeoutError as ProfilingTimeoutError
    from holdfast.edge._errors import ProtocolError as ProtocolError
    from holdfast.edge._errors import ResourceError as ResourceError
    from holdfast.edge._errors import UnknownProtocolError as UnknownProtocolError
    from holdfast.edge._fleet import FleetResults as FleetResults
    from holdfast.edge._fleet import profile_fleet as profile_fleet
    from holdfast.edge._goodput import Goodput as Goodput
    from holdfast.edge._goodput import goodput as goodput
    from holdfast.edge._html import write_report as write_report
    from holdfast.edge._ina219 import INA219Sensor as INA219Sensor
    from holdfast.edge._ina219 import PowerConfig as PowerConfig
    from holdfast.edge._ina219 import PowerMeasurement as PowerMeasurement
    from holdfast.edge._ina219 import PowerSensor as PowerSensor
    from holdfast.edge._meter_files import read_trace as read_trace
    from holdfast.edge._metrics import RequestMetrics as RequestMetrics
    from holdfast.edge._metrics import request_metrics as request_metrics
    from holdfast.edge._mlperf_tiny import InferenceRun as InferenceRun
    from holdfast.edge._mlperf_tiny import MLPerfTiny as MLPerfTiny
    from holdfast.edge._model import QuantizedModel as QuantizedModel
    from holdfast.edge._platform_table import Architecture as Architecture
    from holdfast.edge._platform_table import MemoryConfiguration as MemoryConfiguration
    from holdfast.edge._platform_table import PlatformCapabilities as PlatformCapabilities
    from holdfast.edge._platform_table import PlatformConfig as PlatformConfig
    from holdfast.edge._platforms import PlatformManager as PlatformManager
    from holdfast.edge._pool import DevicePool as DevicePool
    from holdfast.edge._power import PowerProfiler as PowerProfiler
    from holdfast.edge._preflight import Fit as Fit
    from holdfast.edge._preflight import check_fit as check_fit
    from holdfast.edge._preflight import require_fit as require_fit
    from holdfast.edge._profile_comparison import Difference as Difference
    from holdfast.edge._profile_comparison import ProfileComparison as ProfileComparison
    from holdfast.edge._profile_comparison import compare_profiles as compare_profiles
    from holdfast.edge._profiler import EdgeProfiler as EdgeProfiler
    from holdfast.edge._profiles import AccuracyProfile as AccuracyProfile
    from holdfast.edge._profiles import LatencyProfile as LatencyProfile
    from holdfast.edge._profiles import Measurement as Measurement
    from holdfast.edge._profiles import MemoryProfile as MemoryProfile
    from holdfast.edge._profiles import PowerProfile as PowerProfile
    from holdfast.edge._profiles import ThroughputProfile as ThroughputProfile
    from holdfast.edge._progress import ProgressBar as ProgressBar
    from holdfast.edge._quantization import ModelFormat as ModelFormat
    from holdfast.edge._quantization import ModelMetadata as ModelMetadata
    from holdfast.edge._quantization import QuantizationType as QuantizationType
    from holdfast.edge._ranking import ComparativeAnalyzer as ComparativeAnalyzer
    from holdfast.edge._ranking import ComparisonResult as ComparisonResult
    from holdfast.edge._ranking import PairScore as PairScore
    from holdfast.edge._record_files import load_records as load_records
    from holdfast.edge._record_files import save_records as save_records
    from holdfast.edge._records import Generation as Generation
    from holdfast.edge._results import ProfileResults as ProfileResults
    from holdfast.edge._serial import Port as Port
    from holdfast.edge._serial import list_ports as list_ports
    from holdfast.edge._statistics import Interval as Interval
    from holdfast.edge._statistics import Percentile as Percentile
    from holdfast.edge._statistics import median_interval as median_interval
    from holdfast.edge._statistics import percentile as percentile
    from holdfast.edge._statistics import supporting_samples as supporting_samples
    from holdfast.edge._stopping import StopRule as StopRule
    from holdfast.edge._summary import recompute as recompute
    from holdfast.edge._summary import summarize as summarize
    from holdfast.edge._turns import profile_in_turns as profile_in_turns
    from holdfast.edge._warmup import warm_up_length as warm_up_length

_ERRORS = """DeviceConnectionError DeviceError DeviceNotSupportedError DeviceRebootError
DeviceTimeoutError EdgeError InsufficientDataError InsufficientMemoryError
ModelCompatibilityError ModelError ModelFormatError ModelLoadError PlatformError ProfilingError
ProfilingTimeoutError ProtocolError ResourceError UnknownProtocolError"""

_HOMES = {
    "_agent_server": "serve_agent",
    "_analysis": "BottleneckInfo MetricsAnalyzer",
    "_backend": "DeviceDescription MemoryReading",
    "_clock": "ClockFit Ping fit_clock unwrap",
    "_comparison": "Comparison compare",
    "_config": "ProfilingConfig",
    "_errors": _ERRORS,
    "_discovery": "Found identify",
    "_energy": "PowerTrace power_profile",
    "_fleet": "FleetResults profile_fleet",
    "_goodput": "Goodput goodput",
    "_html": "write_report",
    "_ina219": "INA219Sensor PowerConfig PowerMeasurement PowerSensor",
    "_meter_files": "read_trace",
    "_mlperf_tiny": "InferenceRun MLPerfTiny",
    "_pool": "DevicePool",
    "_power": "PowerProfiler",
    "_profile_comparison": "Difference ProfileComparison compare_profiles",
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
    "_progress": "ProgressBar",
    "_ranking": "ComparativeAnalyzer ComparisonResult PairScore",
    "_record_files": "load_records save_records",
    "_records": "Generation",
    "_results": "ProfileResults",
    "_statistics": "Interval Percentile median_interval percentile supporting_samples",
    "_stopping": "StopRule",
    "_summary": "recompute summarize",
    "_turns": "profile_in_turns",
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
