"""Profiling of small language models on real, emulated and simulated devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.edge._agent_server import serve_agent as serve_agent
    from holdfast.edge._backends.base import DeviceDescription as DeviceDescription
    from holdfast.edge._backends.base import MemoryReading as MemoryReading
    from holdfast.edge._backends.mlperf_tiny import InferenceRun as InferenceRun
    from holdfast.edge._backends.mlperf_tiny import MLPerfTiny as MLPerfTiny
    from holdfast.edge._comparison.analysis import BottleneckInfo as BottleneckInfo
    from holdfast.edge._comparison.analysis import MetricsAnalyzer as MetricsAnalyzer
    from holdfast.edge._comparison.comparison import Comparison as Comparison
    from holdfast.edge._comparison.comparison import compare as compare
    from holdfast.edge._comparison.gate import Difference as Difference
    from holdfast.edge._comparison.gate import ProfileComparison as ProfileComparison
    from holdfast.edge._comparison.gate import compare_profiles as compare_profiles
    from holdfast.edge._comparison.ranking import ComparativeAnalyzer as ComparativeAnalyzer
    from holdfast.edge._comparison.ranking import ComparisonResult as ComparisonResult
    from holdfast.edge._comparison.ranking import PairScore as PairScore
    from holdfast.edge._config import ProfilingConfig as ProfilingConfig
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
    from holdfast.edge._links.discovery import Found as Found
    from holdfast.edge._links.discovery import identify as identify
    from holdfast.edge._links.serial import Port as Port
    from holdfast.edge._links.serial import list_ports as list_ports
    from holdfast.edge._measurement.clock import ClockFit as ClockFit
    from holdfast.edge._measurement.clock import Ping as Ping
    from holdfast.edge._measurement.clock import fit_clock as fit_clock
    from holdfast.edge._measurement.clock import unwrap as unwrap
    from holdfast.edge._measurement.goodput import Goodput as Goodput
    from holdfast.edge._measurement.goodput import goodput as goodput
    from holdfast.edge._measurement.metrics import RequestMetrics as RequestMetrics
    from holdfast.edge._measurement.metrics import request_metrics as request_metrics
    from holdfast.edge._measurement.records import Generation as Generation
    from holdfast.edge._measurement.statistics import Interval as Interval
    from holdfast.edge._measurement.statistics import Percentile as Percentile
    from holdfast.edge._measurement.statistics import median_interval as median_interval
    from holdfast.edge._measurement.statistics import percentile as percentile
    from holdfast.edge._measurement.statistics import supporting_samples as supporting_samples
    from holdfast.edge._measurement.stopping import StopRule as StopRule
    from holdfast.edge._measurement.summary import recompute as recompute
    from holdfast.edge._measurement.summary import summarize as summarize
    from holdfast.edge._measurement.warmup import warm_up_length as warm_up_length
    from holdfast.edge._models.model import QuantizedModel as QuantizedModel
    from holdfast.edge._models.platform_table import Architecture as Architecture
    from holdfast.edge._models.platform_table import MemoryConfiguration as MemoryConfiguration
    from holdfast.edge._models.platform_table import (
        PlatformCapabilities as PlatformCapabilities,
    )
    from holdfast.edge._models.platform_table import PlatformConfig as PlatformConfig
    from holdfast.edge._models.platforms import PlatformManager as PlatformManager
    from holdfast.edge._models.preflight import Fit as Fit
    from holdfast.edge._models.preflight import check_fit as check_fit
    from holdfast.edge._models.preflight import require_fit as require_fit
    from holdfast.edge._models.quantization import ModelFormat as ModelFormat
    from holdfast.edge._models.quantization import ModelMetadata as ModelMetadata
    from holdfast.edge._models.quantization import QuantizationType as QuantizationType
    from holdfast.edge._pool import DevicePool as DevicePool
    from holdfast.edge._power.energy import PowerTrace as PowerTrace
    from holdfast.edge._power.energy import power_profile as power_profile
    from holdfast.edge._power.ina219 import INA219Sensor as INA219Sensor
    from holdfast.edge._power.ina219 import PowerConfig as PowerConfig
    from holdfast.edge._power.ina219 import PowerMeasurement as PowerMeasurement
    from holdfast.edge._power.ina219 import PowerSensor as PowerSensor
    from holdfast.edge._power.meter_files import read_trace as read_trace
    from holdfast.edge._power.profiler import PowerProfiler as PowerProfiler
    from holdfast.edge._profiler import EdgeProfiler as EdgeProfiler
    from holdfast.edge._progress import ProgressBar as ProgressBar
    from holdfast.edge._results.html import write_report as write_report
    from holdfast.edge._results.profiles import AccuracyProfile as AccuracyProfile
    from holdfast.edge._results.profiles import LatencyProfile as LatencyProfile
    from holdfast.edge._results.profiles import Measurement as Measurement
    from holdfast.edge._results.profiles import MemoryProfile as MemoryProfile
    from holdfast.edge._results.profiles import PowerProfile as PowerProfile
    from holdfast.edge._results.profiles import ThroughputProfile as ThroughputProfile
    from holdfast.edge._results.record_files import load_records as load_records
    from holdfast.edge._results.record_files import save_records as save_records
    from holdfast.edge._results.results import ProfileResults as ProfileResults
    from holdfast.edge._turns import profile_in_turns as profile_in_turns

_ERRORS = """DeviceConnectionError DeviceError DeviceNotSupportedError DeviceRebootError
DeviceTimeoutError EdgeError InsufficientDataError InsufficientMemoryError
ModelCompatibilityError ModelError ModelFormatError ModelLoadError PlatformError ProfilingError
ProfilingTimeoutError ProtocolError ResourceError UnknownProtocolError"""

_HOMES = {
    "_agent_server": "serve_agent",
    "_comparison.analysis": "BottleneckInfo MetricsAnalyzer",
    "_backends.base": "DeviceDescription MemoryReading",
    "_measurement.clock": "ClockFit Ping fit_clock unwrap",
    "_comparison.comparison": "Comparison compare",
    "_config": "ProfilingConfig",
    "_errors": _ERRORS,
    "_links.discovery": "Found identify",
    "_power.energy": "PowerTrace power_profile",
    "_fleet": "FleetResults profile_fleet",
    "_measurement.goodput": "Goodput goodput",
    "_results.html": "write_report",
    "_power.ina219": "INA219Sensor PowerConfig PowerMeasurement PowerSensor",
    "_power.meter_files": "read_trace",
    "_backends.mlperf_tiny": "InferenceRun MLPerfTiny",
    "_pool": "DevicePool",
    "_power.profiler": "PowerProfiler",
    "_comparison.gate": "Difference ProfileComparison compare_profiles",
    "_profiler": "EdgeProfiler",
    "_links.serial": "Port list_ports",
    "_measurement.metrics": "RequestMetrics request_metrics",
    "_models.model": "QuantizedModel",
    "_models.platform_table": "Architecture MemoryConfiguration PlatformCapabilities "
    "PlatformConfig",
    "_models.platforms": "PlatformManager",
    "_models.preflight": "Fit check_fit require_fit",
    "_results.profiles": "AccuracyProfile LatencyProfile Measurement MemoryProfile "
    "PowerProfile ThroughputProfile",
    "_models.quantization": "ModelFormat ModelMetadata QuantizationType",
    "_progress": "ProgressBar",
    "_comparison.ranking": "ComparativeAnalyzer ComparisonResult PairScore",
    "_results.record_files": "load_records save_records",
    "_measurement.records": "Generation",
    "_results.results": "ProfileResults",
    "_measurement.statistics": "Interval Percentile median_interval percentile "
    "supporting_samples",
    "_measurement.stopping": "StopRule",
    "_measurement.summary": "recompute summarize",
    "_turns": "profile_in_turns",
    "_measurement.warmup": "warm_up_length",
}

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        name: f"holdfast.edge.{module}"
        for module, names in _HOMES.items()
        for name in names.split()
    },
)
