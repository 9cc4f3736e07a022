"""Older path of the analysis of results."""

from holdfast.edge import BottleneckInfo, ComparativeAnalyzer, ComparisonResult, MetricsAnalyzer

__all__ = ["BottleneckInfo", "ComparativeAnalyzer", "ComparisonResult", "MetricsAnalyzer"]
