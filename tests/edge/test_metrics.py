import random

import pytest

from holdfast.edge import Generation, request_metrics
from holdfast.edge._measurement.metrics import theil_sen


def test_every_metric_of_a_known_request(make_generation):
    found = request_metrics(make_generation(tokens=16, ttft_ms=20, itl_ms=5, link_ms=2))
    assert found.clock == "device"
    assert found.ttft_ms == pytest.approx(20)
    assert found.ttft_host_ms == pytest.approx(22)
    assert found.link_ms == pytest.approx(2)
    assert found.itl_ms == pytest.approx([5.0] * 15)
    assert found.tpot_ms == pytest.approx(5)
    assert found.decode_tps == pytest.approx(200)
    assert found.e2e_ms == pytest.approx(20 + 75)
    assert found.e2e_tps == pytest.approx(16 / 0.095)
    assert found.prefill_tps == pytest.approx(4 / 0.020)
    assert found.itl_slope_us == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("delay", [0.0, 5.0, 50.0, 200.0])
def test_the_link_does_not_touch_the_devices_times(make_generation, delay):
    noise = random.Random(3)
    late = make_generation(ttft_ms=20, itl_ms=5)
    late.host_ns = [time + round((delay + 20 * noise.random()) * 1e6) for time in late.host_ns]
    found = request_metrics(late)
    assert found.ttft_ms == pytest.approx(20, rel=0.01)
    assert found.tpot_ms == pytest.approx(5, rel=0.01)
    assert found.ttft_host_ms >= 20 + delay


def test_the_slope_over_context_is_found_and_robust(make_generation):
    growing = make_generation(
        tokens=60, itl_ms=5, jitter=lambda i: 1 + 0.01 * i + (i == 30) * 20
    )
    assert request_metrics(growing).itl_slope_us == pytest.approx(50, rel=0.02)


def test_theil_sen_ignores_a_quarter_of_outliers():
    x = list(range(40))
    y = [3.0 * value + (1000 if value % 4 == 0 else 0) for value in x]
    assert theil_sen(x, y) == pytest.approx(3, abs=1.5)


def host_only(times_ms, counts, *, tokens=None, granularity="chunk", end_ms=None, pieces=None):
    one = Generation(0, granularity=granularity, start_host_ns=10**12)
    for index, (time, count) in enumerate(zip(times_ms, counts, strict=True)):
        piece = "x" if pieces is None else pieces[index]
        one.add(10**12 + round(time * 1e6), count=count, piece=piece)
    one.token_count = tokens
    one.end_host_ns = 10**12 + round((end_ms or times_ms[-1]) * 1e6)
    return one


def test_chunks_with_unknown_content_give_chunk_gaps_and_no_rate():
    found = request_metrics(host_only([100, 120, 140], [0, 0, 0], tokens=12))
    assert found.decode_tps is None
    assert found.itl_ms == []
    assert found.icl_ms == pytest.approx([20, 20])
    assert "chunk" in found.missing["decode_tps"]
    assert found.e2e_tps == pytest.approx(12 / 0.140)


def test_one_chunk_per_token_gives_token_gaps():
    found = request_metrics(host_only([100, 110, 120, 130], [0] * 4, tokens=4))
    assert found.itl_ms == pytest.approx([10, 10, 10])
    assert found.decode_tps == pytest.approx(100)


@pytest.mark.parametrize("pieces", [1, 2, 3, 8, 63])
def test_a_burst_cut_by_the_link_never_gives_a_rate(pieces):
    """64 tokens made in a second arrive at once, split by the network at any place."""
    times = [1000 + 0.01 * min(i // (64 // pieces or 1), pieces) for i in range(64)]
    found = request_metrics(host_only(times, [1] * 64, tokens=64))
    assert found.decode_tps is None
    assert found.itl_ms == []
    assert "burst" in found.missing["decode_tps"]


@pytest.mark.parametrize("flush", [2, 4, 16])
def test_a_server_that_flushes_every_few_tokens_gives_the_true_rate(flush):
    """10 ms per token, sent in groups: tokens after the first group over the time they took."""
    times = [100 + 10 * flush * (i // flush + 1) + 0.001 * (i % flush) for i in range(64)]
    found = request_metrics(host_only(times, [1] * 64, tokens=64))
    assert found.decode_tps == pytest.approx(100, rel=0.01)
    assert found.itl_ms == []


def test_a_role_chunk_is_no_first_token():
    found = request_metrics(
        host_only([1, 100, 110], [0, 0, 0], tokens=2, pieces=["", "a", "b"])
    )
    assert found.ttft_host_ms == pytest.approx(100)


def test_rates_of_servers_are_marked_as_reported():
    one = Generation(0, granularity="summary", start_host_ns=1, end_host_ns=2_000_001)
    one.reported = {"predicted_n": 11, "predicted_ms": 100.0, "prompt_n": 4, "prompt_ms": 8.0}
    found = request_metrics(one)
    assert found.decode_tps == pytest.approx(100)
    assert found.prefill_tps == pytest.approx(500)
    assert found.reported == {"decode_tps", "tpot_ms", "prefill_tps"}


def test_cached_prompt_tokens_are_left_out_of_the_prefill_rate(make_generation):
    one = make_generation(prompt_tokens=10)
    one.cached_tokens = 6
    assert request_metrics(one).prefill_tps == pytest.approx(4 / 0.020)
    one.cached_tokens = 10
    assert request_metrics(one).prefill_tps is None


def test_one_token_has_a_first_but_no_rate(make_generation):
    found = request_metrics(make_generation(tokens=1))
    assert found.ttft_ms == pytest.approx(20)
    assert found.decode_tps is None


def test_a_partial_request_has_no_end_to_end_rate(make_generation):
    one = make_generation()
    one.status = "partial"
    assert request_metrics(one).e2e_tps is None
    assert request_metrics(one).decode_tps == pytest.approx(200)
