"""Older import paths, behind `holdfast.compat.`, and where their names live now."""

import importlib
import subprocess
import sys

import pytest

from holdfast import clustering, compat, edge, errors, resilience, telemetry

PATHS = {
    "insights_clustering": (
        "DataValidator InsightsDataParser KMeansClusterer NeuromorphicClusterer"
    ),
    "insights_clustering.parser": "InsightsDataParser",
    "insights_clustering.validator": "DataValidator",
    "insights_clustering.clustering": "KMeansClusterer logger",
    "insights_clustering.neuromorphic_clustering": (
        "CUPY_AVAILABLE CircuitBreaker CircuitBreakerConfig CircuitBreakerState "
        "ClusteringMetrics EchoStateNetwork GEN3_CONFIG LiquidStateMachine "
        "NeuromorphicClusterer REDIS_AVAILABLE "
        "NeuromorphicClusteringMethod NeuromorphicErrorType NeuromorphicException "
        "ResourceMetrics RetryManager SpikingNeuralCluster get_correlation_id "
        "resource_monitor set_correlation_id timeout_operation"
    ),
    "insights_clustering.resilience": (
        "ClusteringQualityGates QualityGate ResilienceManager ResilienceMetrics "
        "ResilienceStatus ResourceMonitor ResourceThresholds ResourceType "
        "resilience_manager resilient_operation"
    ),
    "insights_clustering.monitoring": (
        "ClusteringMonitor ClusteringOperationMetrics ClusteringPerformanceBaseline "
        "ClusteringPhase MetricType clustering_monitor monitor_clustering_operation "
        "performance_monitor"
    ),
    "error_handling": (
        "AlertThreshold CircuitBreakerError ClusteringError DataValidationError "
        "EnhancedErrorHandler ErrorCategory ErrorDetails ErrorPattern ErrorSeverity "
        "FallbackError FileIOError NeuromorphicClusteringError ObserverCoordinatorError "
        "ResourceExhaustionError SecurityError TeamSimulationError TimeoutError "
        "enhanced_error_handler error_handler handle_exceptions"
    ),
    "monitoring": (
        "AlertRule EnhancedMetricsCollector HealthCheckResult MetricValue PROMETHEUS_AVAILABLE "
        "PerformanceBaseline enhanced_metrics metrics"
    ),
    "tiny_llm_profiler": (
        "AlertManager CircuitBreaker ComparativeAnalyzer EdgeProfiler MetricCollector "
        "MetricsAnalyzer MonitoringSystem PlatformManager PowerProfiler ProfileResults "
        "ProfilingConfig QuantizedModel ReliabilityManager RetryMechanism TimeoutManager "
        "SecurityAuditor SecurityValidator circuit_breaker get_health_summary "
        "get_monitoring_system managed_resource record_metric retry sanitize_filename "
        "start_monitoring stop_monitoring validate_environment validate_file_path "
        "validate_identifier with_timeout"
    ),
    "tiny_llm_profiler.reliability": (
        "CircuitBreaker CircuitBreakerConfig CircuitOpenError CircuitState "
        "GracefulDegradation ReliabilityManager ResourceManager RetryConfig RetryMechanism "
        "RetryStrategy RetryableError TimeoutConfig TimeoutManager circuit_breaker "
        "logger managed_resource reliability_manager retry with_fallback with_timeout"
    ),
    "tiny_llm_profiler.advanced_monitoring": (
        "Alert AlertManager AlertRule AlertSeverity AlertState Metric MetricCollector "
        "MetricType MonitoringSystem get_health_summary get_monitoring_system logger "
        "monitoring_system record_metric start_monitoring stop_monitoring"
    ),
    "tiny_llm_profiler.health": (
        "HealthChecker HealthStatus SystemMetrics get_health_status health_checker "
        "run_health_checks"
    ),
    "tiny_llm_profiler.logging_config": (
        "ContextAwareLogger JSONFormatter LoggingContextManager PerformanceLogger "
        "analysis_logger auto_configure_logging device_logger get_logger "
        "get_performance_logger log_function_call main_logger model_logger profiler_logger "
        "setup_logging"
    ),
    "tiny_llm_profiler.exceptions": (
        "AnalysisError BenchmarkError ConfigurationError DataCorruptionError "
        "DeviceConnectionError DeviceError DeviceNotSupportedError DeviceTimeoutError "
        "DiskSpaceError EnvironmentError InputValidationError InsufficientDataError "
        "InsufficientMemoryError InsufficientResultsError MissingDependencyError "
        "ModelCompatibilityError ModelError ModelFormatError ModelLoadError "
        "ModelValidationError NetworkError PermissionError PlatformError "
        "ProfilerConfigurationError ProfilerError ProfilingError ProfilingTimeoutError "
        "ResourceError SecurityError TinyLLMProfilerError UnsafePathError ValidationError "
        "handle_device_error handle_model_error safe_file_path validate_input"
    ),
    "tiny_llm_profiler.profiler": "EdgeProfiler ProfilingConfig",
    "tiny_llm_profiler.platforms": (
        "Architecture MemoryConfiguration PlatformCapabilities PlatformConfig PlatformManager"
    ),
    "tiny_llm_profiler.models": "ModelFormat ModelMetadata QuantizationType QuantizedModel",
    "tiny_llm_profiler.results": (
        "AccuracyProfile LatencyProfile MemoryProfile PowerProfile ProfileResults "
        "ThroughputProfile"
    ),
    "tiny_llm_profiler.analyzer": (
        "BottleneckInfo ComparativeAnalyzer ComparisonResult MetricsAnalyzer"
    ),
    "tiny_llm_profiler.power": (
        "INA219Sensor PowerConfig PowerMeasurement PowerProfile PowerProfiler PowerSensor "
        "SimulatedPowerSensor"
    ),
    "tiny_llm_profiler.security": (
        "FileValidator InputSanitizer SecureTemporaryDirectory SecurityAuditor SecurityError "
        "SecurityValidator compute_file_hash generate_session_id safe_file_path "
        "sanitize_filename secure_delete_file security_auditor security_validator "
        "validate_device_path validate_environment validate_file_path validate_identifier "
        "validate_model_file"
    ),
    "tiny_llm_profiler.validation": (
        "ModelValidator PlatformValidator RobustProfilingWrapper SystemValidator "
        "ValidationCategory ValidationIssue ValidationLevel ValidationResult"
    ),
}


def older(path):
    return importlib.import_module(f"holdfast.compat.{path}")


@pytest.mark.parametrize("path", PATHS)
def test_a_path_has_its_names_and_no_others(path):
    assert sorted(older(path).__all__) == sorted(PATHS[path].split())
    for name in PATHS[path].split():
        assert hasattr(older(path), name)


HOMES = (clustering, errors, resilience, telemetry, edge)
# What shares its name with something else.
OTHERS = {
    ("monitoring", "AlertRule"),
    ("tiny_llm_profiler.health", "HealthStatus"),
    ("tiny_llm_profiler.logging_config", "get_logger"),
    ("insights_clustering.neuromorphic_clustering", "CircuitBreaker"),
    ("insights_clustering.neuromorphic_clustering", "CircuitBreakerConfig"),
    ("insights_clustering.neuromorphic_clustering", "NeuromorphicClusterer"),
    ("insights_clustering", "NeuromorphicClusterer"),
    ("insights_clustering.monitoring", "MetricType"),
    ("tiny_llm_profiler.exceptions", "SecurityError"),
    ("tiny_llm_profiler.security", "SecurityError"),
    # Looked up where older tests replace them.
    ("tiny_llm_profiler", "get_health_summary"),
    ("tiny_llm_profiler", "get_monitoring_system"),
    ("tiny_llm_profiler", "record_metric"),
    ("tiny_llm_profiler", "retry"),
    ("tiny_llm_profiler", "start_monitoring"),
    ("tiny_llm_profiler", "stop_monitoring"),
    ("tiny_llm_profiler.advanced_monitoring", "get_health_summary"),
    ("tiny_llm_profiler.advanced_monitoring", "get_monitoring_system"),
    ("tiny_llm_profiler.advanced_monitoring", "record_metric"),
    ("tiny_llm_profiler.advanced_monitoring", "start_monitoring"),
    ("tiny_llm_profiler.advanced_monitoring", "stop_monitoring"),
    ("tiny_llm_profiler.reliability", "retry"),
    # By their older exception, and known to `reliability_manager`.
    ("tiny_llm_profiler", "managed_resource"),
    ("tiny_llm_profiler", "with_timeout"),
    ("tiny_llm_profiler.reliability", "managed_resource"),
    ("tiny_llm_profiler.reliability", "with_fallback"),
    ("tiny_llm_profiler.reliability", "with_timeout"),
}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (path, name)
        for path, names in PATHS.items()
        for name in names.split()
        if any(name in home.__all__ for home in HOMES) and (path, name) not in OTHERS
    ],
)
def test_a_name_that_holdfast_has_is_the_same_object_or_a_kind_of_it(path, name):
    known = [getattr(home, name) for home in HOMES if name in home.__all__]
    found = getattr(older(path), name)
    kinds = tuple(one for one in known if isinstance(one, type))
    assert found in known or issubclass(found, kinds)


@pytest.mark.parametrize("path", [path for path in PATHS if "." in path])
def test_a_module_can_be_had_from_its_package(path):
    package, _, name = path.partition(".")
    script = f"import holdfast.compat.{package} as p; assert p.{name}.__all__"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_short_name_is_that_of_a_path():
    for name in compat.__all__:
        paths = [path for path, names in PATHS.items() if name in names.split()]
        assert getattr(compat, name) is getattr(older(paths[0]), name)


def test_older_paths_start_nothing_and_write_nothing(tmp_path):
    script = "\n".join(f"import holdfast.compat.{path}" for path in PATHS)
    script += "\nimport threading, os"
    script += "\nassert threading.active_count() == 1 and os.listdir('.') == []"
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
