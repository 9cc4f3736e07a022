import pytest

from holdfast.edge import (
    ComparativeAnalyzer,
    LatencyProfile,
    MemoryProfile,
    MetricsAnalyzer,
    PowerProfile,
    ProfileResults,
)
from holdfast.edge._measurement.summary import fill
from holdfast.edge._results.html import page
from holdfast.edge._results.svg import ticks
from holdfast.errors import InvalidParameterError


def result(rate=50.0, peak=100.0, energy=None, std=10.0):
    one = ProfileResults("esp32", "tiny", 0.3, "4bit")
    one.add_latency_profile(LatencyProfile(250, 1000 / rate, 100, rate, std))
    one.add_memory_profile(MemoryProfile(50, peak, peak - 50))
    if energy is not None:
        one.add_power_profile(PowerProfile(active_power_mw=100, energy_per_token_mj=energy))
    return one


def test_numbers_by_subject():
    found = MetricsAnalyzer().analyze(result(energy=2.0))
    assert found["latency"]["latency_variability"] == pytest.approx(0.1)
    assert found["memory"]["tokens_per_kb"] == pytest.approx(1.0)
    assert found["power"]["power_efficiency"] == pytest.approx(500)


def test_nothing_is_divided_by_zero():
    found = MetricsAnalyzer().analyze(result(peak=50.0))
    assert found["memory"]["tokens_per_kb"] is None


def test_bottlenecks_come_worst_first():
    analyzer = MetricsAnalyzer()
    analyzer.analyze(result(rate=10, peak=500, energy=9, std=20))
    found = analyzer.find_bottlenecks()
    assert [one.component for one in found] == [
        "Memory Usage", "First Token Generation", "Energy Efficiency", "Token Generation Speed",
        "Latency Consistency",
    ]  # fmt: skip
    with pytest.raises(InvalidParameterError, match="results"):
        MetricsAnalyzer().find_bottlenecks()


def test_deployments_are_ranked_by_what_all_of_them_measured():
    ranked = ComparativeAnalyzer()
    found = ranked.compare([
        ("a", "esp32", result(rate=20, energy=1.0)),
        ("b", "esp32", result(rate=40)),
    ])  # fmt: skip
    assert [one.model_name for one in found] == ["b", "a"]
    assert found[0].relative_performance == 1
    assert found[1].relative_performance == pytest.approx(0.5**0.5)


def test_what_was_not_measured_keeps_no_constraint():
    ranked = ComparativeAnalyzer()
    ranked.compare([("a", "x", result(energy=1.0)), ("b", "x", result())])
    assert [one.model_name for one in ranked.recommend_deployment({"max_power_mw": 150})] == [
        "a"
    ]
    assert len(ranked.recommend_deployment({"max_memory_kb": 150})) == 2
    with pytest.raises(InvalidParameterError, match="max_speed"):
        ranked.recommend_deployment({"max_speed": 1})


def test_the_report_is_one_page_that_loads_nothing(results, tmp_path):
    results.model_name = "<script>alert(1)</script>"
    results.session_metadata = {"stopped": "timeout", "failed_metrics": ["power"]}
    fill(results)
    results.add_memory_profile(MemoryProfile(10, 30, 20, stack_usage_kb=2, method="exact"))
    results.export_html(tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http" not in text.replace("http-equiv", "").replace(
        "http://www.w3.org/2000/svg", ""
    )
    for title in ("Tokens over time", "over context", "percentiles", "Memory"):
        assert title in text
    assert "power failed" in text
    assert "need 622 more" in text


def test_a_result_without_numbers_still_has_a_page():
    assert "&ndash;" in page([ProfileResults("esp32", "tiny")])


def test_notebooks_show_the_headlines(results):
    fill(results)
    assert "device clock" in results._repr_html_()


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 97), (3.2, 3.3), (0, 1e-9), (5, 5)])
def test_axes_have_a_few_round_numbers_inside_the_range(low, high):
    found = ticks(low, high)
    assert 1 <= len(found) <= 11
    assert all(low - 1e-12 <= value <= high * 1.001 for value in found)
