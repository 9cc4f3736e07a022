import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import _sources
from holdfast.errors import InvalidDataError, InvalidParameterError
from holdfast.telemetry import Registry, expose

finite = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


@pytest.fixture
def registry():
    return Registry()


def test_a_counter_only_goes_up(registry):
    counter = registry.counter("jobs", "Jobs done.")
    counter.inc()
    counter.inc(2.5)
    assert (counter.name, counter.value) == ("jobs_total", 3.5)
    for amount in (-1, math.nan):
        with pytest.raises(InvalidDataError, match="amount must be zero or more"):
            counter.inc(amount)
    assert counter.value == 3.5


def test_a_gauge_goes_both_ways(registry):
    gauge = registry.gauge("load")
    gauge.set(3)
    gauge.inc()
    gauge.dec(2)
    assert gauge.value == 2
    gauge.set_to_current_time()
    assert gauge.value > 1.6e9


def test_the_same_declaration_gives_the_same_series(registry):
    registry.counter("x", labels=("a",)).labels("1").inc()
    registry.counter("x_total", labels=("a",)).labels(a=1).inc()
    assert registry.counter("x", labels=("a",)).labels("1").value == 2


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda r: r.counter("1x"), "name must match"),
        (lambda r: r.gauge("a-b"), "name must match"),
        (lambda r: r.gauge("x", labels=("__a",)), "reserved"),
        (lambda r: r.histogram("x", labels=("le",)), "must not be a label"),
        (lambda r: r.summary("x", labels=("quantile",)), "must not be a label"),
        (lambda r: r.gauge("x", labels=("a", "a")), "given once"),
        (lambda r: r.gauge("x", limit=0), "limit must be 1 or more"),
        (lambda r: r.gauge("x", limit=-1), "limit must be zero or more, got -1"),
        (lambda r: r.histogram("x", buckets=[2, 1]), "increasing order"),
        (lambda r: r.histogram("x", buckets=[]), "one or more finite"),
        (lambda r: r.summary("x", quantiles=[2]), "quantiles must be between 0 and 1, got 2"),
        (lambda r: r.summary("x", window=0), "window must be positive"),
        (lambda r: (r.gauge("x"), r.counter("x")), "already declared"),
        (lambda r: (r.gauge("x_sum"), r.summary("x")), "already declared"),
        (lambda r: r.gauge("x", labels=("a",)).set(1), "labels of x must be given"),
        (lambda r: r.gauge("x", labels=("a",)).labels("1", "2"), "labels of x must be"),
        (lambda r: r.gauge("x", labels=("a",)).labels(b="1"), "labels of x must be"),
        (lambda r: r.gauge("x", labels=("a",)).labels("1", a="1"), "by position"),
        (lambda r: r.expose("xml"), "format must be"),
    ],
)
def test_wrong_parameters_are_refused_with_their_rule(registry, declare, message):
    with pytest.raises(InvalidParameterError, match=message):
        declare(registry)


def test_label_values_become_text_and_keep_their_order(registry):
    gauge = registry.gauge("x", labels=("a", "b"))
    gauge.labels(1, None).set(1)
    assert gauge.labels(b="None", a="1").value == 1
    assert gauge.labels("1", "None") is gauge.labels(1, None)


def test_label_sets_beyond_the_limit_share_one_series_and_are_counted(registry):
    counter = registry.counter("users", labels=("user",), limit=3)
    for user in range(10):
        counter.labels(user).inc()
    lines = registry.expose().decode().splitlines()
    assert 'users_total{user="__overflow__"} 7' in lines
    assert 'holdfast_label_sets_refused_total{family="users_total"} 7' in lines
    assert len([line for line in lines if line.startswith("users_total")]) == 4


def test_a_removed_series_starts_from_nothing(registry):
    counter = registry.counter("x", labels=("a",), limit=1)
    counter.labels("1").inc()
    assert counter.remove(a="1")
    assert not counter.remove("1")
    assert counter.labels("1").value == 0
    counter.clear()
    counter.labels("2").inc()
    assert b'x_total{a="2"} 1' in registry.expose()
    assert registry.remove("x_total")
    assert registry.expose() == b""


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=30))
def test_series_are_as_distinct_as_their_labels(pairs):
    counter = Registry().counter("x", labels=("a", "b"))
    expected = {}
    for pair in pairs:
        counter.labels(*pair).inc()
        expected[pair] = expected.get(pair, 0) + 1
    assert {pair: counter.labels(*pair).value for pair in expected} == expected


@given(
    st.lists(finite, min_size=1, max_size=100),
    st.lists(finite, min_size=1, max_size=60, unique=True).map(sorted),
)
def test_a_histogram_counts_as_a_slow_one_would(values, bounds):
    histogram = Registry().histogram("x", buckets=bounds)
    for value in values:
        histogram.observe(value)
    expected = [(b, sum(v <= b for v in values)) for b in [*bounds, math.inf]]
    assert histogram.buckets == expected
    assert histogram.count == len(values)
    assert histogram.sum == pytest.approx(sum(values), abs=1e-6)


@given(st.lists(finite, min_size=1, max_size=200), st.floats(0, 1))
def test_the_quantile_of_a_summary_is_within_one_percent(values, q):
    summary = Registry().summary("x", quantiles=[q])
    for value in values:
        summary.observe(value)
    exact = sorted(values)[int(q * (len(values) - 1))]
    assert summary.quantile(q) == pytest.approx(exact, rel=0.0101, abs=1e-12)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=200), st.floats(0.001, 1))
def test_the_quantile_of_a_histogram_is_in_the_right_bucket(values, q):
    bounds = [1.0, 2.0, 5.0, 10.0]
    histogram = Registry().histogram("x", buckets=bounds)
    for value in values:
        histogram.observe(value)
    exact = sorted(values)[max(math.ceil(q * len(values)) - 1, 0)]
    estimate = histogram.quantile(q)
    edges = [0.0, *bounds]
    inside = next(i for i in range(4) if exact <= bounds[i])
    assert edges[inside] <= estimate <= edges[inside + 1]


def test_quantiles_of_nothing_are_absent(registry):
    assert registry.histogram("h").quantile(0.5) is None
    assert registry.summary("s").quantile(0.5) is None
    with pytest.raises(InvalidDataError, match="NaN"):
        registry.histogram("h").observe(math.nan)


def test_a_timer_times_blocks_functions_and_coroutines(registry):
    import asyncio

    histogram = registry.histogram("seconds")

    @histogram.time()
    def fib(n):
        """Recursive."""
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    @histogram.time()
    async def later():
        return 1

    with histogram.time():
        assert fib(3) == 2
    assert asyncio.run(later()) == 1
    assert fib.__doc__ == "Recursive."
    assert histogram.count == 1 + 5 + 1
    with pytest.raises(ZeroDivisionError), histogram.time():
        1 / 0  # noqa: B018
    assert histogram.count == 8


def test_no_count_is_lost_between_threads(registry):
    counter = registry.counter("x", labels=("a",))
    barrier = threading.Barrier(8)

    def work():
        barrier.wait()
        for i in range(2000):
            counter.labels(i % 7).inc()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counter.labels(i).value for i in range(7)) == 16_000


class Guard:
    def __init__(self, name):
        self.name = name

    def samples(self):
        labels = {"name": self.name}
        yield _sources.Sample("guard_calls", "counter", "Calls.", labels, 3.0)
        yield _sources.Sample("guard_level", "gauge", "Level.", labels, 1.0)


class Broken:
    def samples(self):
        raise OSError("gone")


def test_what_counts_for_itself_is_exposed_and_its_totals_stay():
    guard = Guard("passing")
    _sources.register(guard)
    total, level = b'guard_calls_total{name="passing"} 3', b'guard_level{name="passing"} 1'
    assert total in expose()
    assert level in expose()
    del guard
    assert total in expose()
    assert level not in expose()


def test_a_source_that_fails_hides_no_other(caplog):
    guard, broken = Guard("sound"), Broken()
    _sources.register(broken)
    _sources.register(guard)
    assert b'guard_calls_total{name="sound"} 3' in expose()
    assert "a source failed" in caplog.text
