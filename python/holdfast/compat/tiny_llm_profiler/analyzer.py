"""Analysis of results; pages and pictures need no plotly."""

from holdfast.edge import BottleneckInfo, ComparativeAnalyzer, ComparisonResult, MetricsAnalyzer

__all__ = ["BottleneckInfo", "ComparativeAnalyzer", "ComparisonResult", "MetricsAnalyzer"]
