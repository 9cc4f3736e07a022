import json
import time

import pytest
from edge_peers import (
    Agent,
    AgentDevice,
    LineDevice,
    Proxy,
    PtyPeer,
    Silent,
    TcpPeer,
    TinyDevice,
)
from http_peers import HttpPeer, sse

from holdfast import _events, _sources
from holdfast.edge import (
    DeviceConnectionError,
    DeviceNotSupportedError,
    EdgeProfiler,
    ModelCompatibilityError,
    ProfileResults,
    ProfilingConfig,
    ProfilingError,
    QuantizedModel,
    load_records,
    profile_fleet,
    recompute,
)
from holdfast.edge._backends.inprocess import LocalEngine
from holdfast.edge._measurement.loop import order_of_prompts
from holdfast.errors import HoldfastError, InvalidParameterError


def quick(**changes):
    return ProfilingConfig(**{
        "measurement_iterations": 3, "warmup_iterations": 1, "max_new_tokens": 8,
        "max_retries": 1, "retry_delay": 0.0, "heartbeat_interval": 0.0,
        "max_cpu_percent": None, **changes,
    })  # fmt: skip


@pytest.fixture
def host(tiny_model):
    with EdgeProfiler("host", config=quick()) as profiler:
        yield profiler, tiny_model


def test_one_line_gives_a_full_report(host):
    profiler, model = host
    results = profiler.profile_model(model, ["abc", "ab"])
    assert results.tokens_per_second > 0
    assert results.first_token_latency_ms > 0
    assert results.peak_memory_kb > 0
    assert results.energy_per_token_mj is None
    assert len(results.session_id) == 32
    assert results.session_metadata["successful_metrics"] == ["latency", "memory"]
    assert results.session_metadata["stopped"] == "complete"
    assert results.latency_profile.sample_count == 6
    assert results.latency_profile.success_rate == 1.0
    assert results.measurements["decode_tps"].clock == "host"
    assert results.measurements["itl_p99_ms"].value is None


def test_power_without_a_meter_is_absent_with_its_cause(host):
    profiler, model = host
    results = profiler.profile_model(model, ["abc"], ["latency", "power"])
    assert results.power_profile is None
    assert results.session_metadata["failed_metrics"] == ["power"]
    assert "no meter" in results.session_metadata["causes"]["power"]
    assert results.measurements["energy_per_token"].status == "absent"


def test_everything_asked_for_failing_is_an_error(host):
    profiler, model = host
    with pytest.raises(ProfilingError, match="no meter"):
        profiler.profile_model(model, ["abc"], ["power"])


def test_results_can_be_saved_and_computed_again(host, tmp_path):
    profiler, model = host
    results = profiler.profile_model(model, ["abc"])
    results.export_json(tmp_path / "r.json")
    results.save_records(tmp_path / "r")
    back = recompute(
        ProfileResults.from_json(tmp_path / "r.json"), load_records(tmp_path / "r.npz")
    )
    assert back.measurements == results.measurements


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((None, []), "test_prompts"), ((None, "abc"), "test_prompts"), ((None, [3]), "test_prompts"),
        ((None, [""]), "test_prompts"), ((None, ["x"] * 101), "test_prompts"),
        ((None, ["x" * 10_001]), "test_prompts"), ((None, ["x"], ["speed"]), "metrics"),
        ((3, ["x"]), "model"),
    ],
)  # fmt: skip
def test_wrong_input_is_named_and_leaves_no_trace(arguments, named):
    profiler = EdgeProfiler("host", config=quick())
    with pytest.raises(ValueError, match=named):
        profiler.profile_model(*arguments)
    assert not profiler.get_health_status()["profiling_active"]
    assert not profiler.is_connected


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("esp99",), DeviceNotSupportedError), (("esp32", "/etc/passwd"), InvalidParameterError),
        (("esp32", None, 921600, "local"), InvalidParameterError),
        (("esp32", None, 921600, "pigeon"), InvalidParameterError),
    ],
)  # fmt: skip
def test_wrong_devices_are_refused_at_once(arguments, error):
    with pytest.raises(error):
        EdgeProfiler(*arguments)


def test_a_board_that_is_not_attached_never_yields_numbers():
    with pytest.raises(DeviceConnectionError, match="attached"):
        EdgeProfiler("esp32", config=quick()).profile_model(None, ["x"])


def test_a_model_that_cannot_fit_is_refused_before_it_is_sent(peer, tiny_model):
    agent = peer(Agent)
    big = QuantizedModel("big", size_mb=1.0, context_length=100_000)
    profiler = EdgeProfiler("nrf52840", agent.url, config=quick())
    with profiler, pytest.raises(ModelCompatibilityError, match="KB too many"):
        profiler.profile_model(big, ["abc"])


def test_a_board_on_the_native_protocol_is_found_by_asking(peer, tiny_model):
    agent = peer(Agent)
    with EdgeProfiler("esp32", agent.url, config=quick()) as profiler:
        results = profiler.profile_model(tiny_model, ["abc"])
    assert results.session_metadata["connection_type"] == "holdfast"
    assert results.measurements["decode_tps"].clock == "device"
    assert results.measurements["rtt_ms"].value > 0
    assert results.session_metadata["clock_fit"]["error_ns"] > 0
    assert results.session_metadata["link"]["frames_in"] > 0


def test_the_older_protocol_is_found_and_gives_what_it_can(peer):
    device = peer(PtyPeer, LineDevice(tokens=12))
    with EdgeProfiler("esp32", device.path, config=quick(), protocol="line") as profiler:
        results = profiler.profile_model(None, ["abc"], ["latency", "memory"])
        assert results.tokens_per_second > 0
        assert results.latency_profile.inter_token_latency_ms is None
        assert results.peak_memory_kb == pytest.approx(123.5)
        item = next(profiler.stream_metrics(600.0))
        assert item["memory_kb"] == 200


def test_tiny_firmware_gives_inference_times_and_no_tokens(peer):
    device = peer(PtyPeer, TinyDevice(us_per_inference=2000))
    with EdgeProfiler("stm32f4", device.path, config=quick(), protocol="mlperf-tiny") as one:
        results = one.profile_model(None, ["abc"], ["latency"])
    assert results.model_name == "kws01"
    assert results.first_token_latency_ms is None
    assert results.measurements["e2e_ms"].clock == "device"
    assert results.measurements["e2e_ms"].value == pytest.approx(2.0)


def test_a_server_is_profiled_like_a_board(peer):
    script = [(0.01, sse({"choices": [{"text": word}]})) for word in "abcd"]
    usage = {"usage": {"completion_tokens": 4, "prompt_tokens": 3}, "choices": []}
    server = peer(HttpPeer, {"/v1/models": {"data": [{"id": "m"}]},
                             "/v1/completions": [*script, (0, sse(usage, "[DONE]"))]})  # fmt: skip
    with EdgeProfiler("rpi_zero", server.url, config=quick()) as profiler:
        results = profiler.profile_model(None, ["Hello"])
    assert results.model_name == "m"
    assert results.measurements["decode_tps"].clock == "host"
    assert results.session_metadata["failed_metrics"] == ["memory"]


def test_a_prompt_that_the_protocol_cannot_carry_fails_alone(peer):
    device = peer(PtyPeer, LineDevice())
    with EdgeProfiler("esp32", device.path, config=quick(), protocol="line") as profiler:
        results = profiler.profile_model(None, ["abc", "a\nINFER:b"], ["latency"])
    assert results.session_metadata["requests"] == {"ok": 3, "partial": 0, "failed": 3}
    assert results.measurements["e2e_tps"].status == "partial"
    assert results.measurements["e2e_tps"].coverage == 0.5
    assert all("INFER:b" not in command for command in device.device.commands)
    assert profiler.get_health_status()["circuit_breaker"]["state"] == "closed"


def test_strict_settings_raise_what_lenient_ones_report(peer):
    device = peer(PtyPeer, LineDevice(answers={"INFER": "what?"}))
    config = quick(graceful_degradation=False, max_retries=0)
    profiler = EdgeProfiler("esp32", device.path, config=config, protocol="line")
    with profiler, pytest.raises(ProfilingError, match="INFER"):
        profiler.profile_model(None, ["abc"], ["latency"])


def test_the_breaker_opens_after_its_threshold_and_can_be_reset(peer):
    device = peer(PtyPeer, LineDevice(answers={"INFER": "what?"}))
    config = quick(failure_threshold=4, max_retries=0, measurement_iterations=10)
    with EdgeProfiler("esp32", device.path, config=config, protocol="line") as profiler:
        with pytest.raises(ProfilingError):
            profiler.profile_model(None, ["abc"], ["latency"])
        status = profiler.get_health_status()["circuit_breaker"]
        assert (status["state"], status["failure_count"]) == ("open", 4)
        assert sum("INFER" in command for command in device.device.commands) == 4
        counted = {one.name: one.value for one in _sources.samples()}
        assert counted["circuit_breaker_open"] >= 1
        profiler.reset_circuit_breaker()
        assert profiler.get_health_status()["circuit_breaker"]["state"] == "closed"


def test_health_is_plain_data(host):
    profiler, model = host
    profiler.profile_model(model, ["abc"])
    health = profiler.get_health_status()
    assert json.loads(json.dumps(health)) == health
    assert health["is_connected"]
    assert health["device_health"]["status"] == "healthy"
    assert set(health) == {
        "platform", "connection_type", "is_connected", "device_health", "circuit_breaker",
        "last_heartbeat", "connection_attempts", "managed_resources", "profiling_active",
        "resource_stats",
    }  # fmt: skip


def test_a_lost_device_is_told_and_counted(peer):
    device = peer(PtyPeer, LineDevice())
    heard = []
    stop = _events.subscribe(heard.append)
    before = {one.name: one.value for one in _sources.samples()}
    profiler = EdgeProfiler("esp32", device.path, config=quick(), protocol="line")
    profiler.connect()
    device.unplug()
    with pytest.raises(HoldfastError):
        profiler.profile_model(None, ["abc"], ["latency"])
    assert profiler.force_reconnect() is False
    stop()
    after = {one.name: one.value for one in _sources.samples()}
    name = "device_connection_failures"
    assert after[name] > before[name]
    assert any(event.kind == f"edge.{name}" for event in heard)
    profiler.disconnect()


def test_partial_results_say_what_is_missing(peer, tiny_model):
    sent = [0]

    def down(data, total):
        # The link dies for good in the middle of the run.
        sent[0] += len(data)
        return None if sent[0] > 4000 else data

    agent = peer(Agent, tiny_model.data())
    proxy = peer(Proxy, agent.url, down=down)
    config = quick(measurement_iterations=20, max_retries=0, connection_timeout=0.2)
    profiler = EdgeProfiler("generic", proxy.url, config=config, protocol="holdfast")
    profiler.connect()
    profiler._loaded = tiny_model
    results = profiler.profile_model(tiny_model, ["abc"], ["latency"])
    found = results.measurements["decode_tps"]
    assert found.status == "partial"
    assert 0 < found.coverage < 1
    assert results.session_metadata["stopped"] == "breaker"
    assert results.session_metadata["failures"]
    profiler.disconnect()


def test_the_budget_of_time_ends_a_profile_with_what_there_is(peer, monkeypatch):
    # Every request takes a minute of five.
    spent = property(lambda self: lambda: 60.0 * len(self.run.records))
    monkeypatch.setattr("holdfast.edge._measurement.loop.Measuring._elapsed", spent)
    device = peer(TcpPeer, LineDevice)
    config = quick(timeout_seconds=300.0, measurement_iterations=500)
    with EdgeProfiler("esp32", device.url, config=config, protocol="line") as profiler:
        results = profiler.profile_model(None, ["abc"], ["latency"])
    assert results.session_metadata["stopped"] == "timeout"
    assert results.session_metadata["requests"] == {"ok": 4, "partial": 0, "failed": 0}
    assert results.measurements["e2e_tps"].coverage == 4 / 500


def test_the_profilers_own_memory_is_limited(host):
    profiler, model = host
    results = profiler.profile_model(model, ["abc"])
    config = quick(max_memory_mb=1.0)
    with pytest.raises(ProfilingError, match="nothing was measured"):
        profiler.profile_model(model, ["abc"], ["latency"], config)
    assert results.tokens_per_second


def test_a_recorded_trace_gives_energy(peer, tmp_path):
    (tmp_path / "bad.csv").write_text("time_s,power_mw\n0,1\n1,1\n")
    device = peer(PtyPeer, LineDevice())
    config = quick(energy=str(tmp_path / "bad.csv"))
    with EdgeProfiler("esp32", device.path, config=config, protocol="line") as profiler:
        results = profiler.profile_model(None, ["abc"], ["latency", "power"])
    assert "does not overlap" in results.session_metadata["causes"]["power"]


def test_heartbeats_share_the_link_and_are_seen(peer):
    device = peer(PtyPeer, LineDevice())
    config = quick(heartbeat_interval=0.02)
    with EdgeProfiler("esp32", device.path, config=config, protocol="line") as profiler:
        until = time.monotonic() + 60
        while profiler.last_heartbeat is None and time.monotonic() < until:
            time.sleep(0.005)
        assert profiler.last_heartbeat is not None
        results = profiler.profile_model(None, ["abc"] * 3, ["latency"])
    assert results.session_metadata["requests"]["ok"] == 9
    assert not any(t.name == "holdfast-heartbeat" for t in __import__("threading").enumerate())


def test_profiles_do_not_overlap(host):
    profiler, model = host

    def again(done, planned, last):
        with pytest.raises(InvalidParameterError, match="while it runs"):
            profiler.profile_model(model, ["abc"])

    assert profiler.profile_model(model, ["abc"], progress=again).tokens_per_second


def test_a_fleet_reports_each_device_and_each_failure(peer, tiny_model):
    good, bad = peer(Agent), peer(PtyPeer, Silent())
    found = profile_fleet(
        {
            "a": EdgeProfiler("esp32", good.url, config=quick()),
            "b": EdgeProfiler("host", config=quick()),
            "c": EdgeProfiler("esp32", bad.path, config=quick(max_retries=0), protocol="line"),
        },
        tiny_model,
        ["abc"],
    )
    assert set(found.results) == {"a", "b"}
    assert set(found.failures) == {"c"}
    with pytest.raises(InvalidParameterError):
        profile_fleet({})


def test_streaming_measures_request_by_request(host):
    profiler, model = host
    profiler.profile_model(model, ["abc"])
    item = next(profiler.stream_metrics(600.0, "abc"))
    assert item["tokens_per_second"] > 0
    assert item["memory_kb"] > 0
    profiler.disconnect()
    with pytest.raises(RuntimeError, match="connect"):
        next(profiler.stream_metrics(1.0))


def test_prompts_are_interleaved_in_a_repeatable_order():
    order = order_of_prompts(4, 5, seed=1)
    assert order == order_of_prompts(4, 5, seed=1)
    assert sorted(order) == [(prompt, turn) for prompt in range(4) for turn in range(5)]
    assert all(
        {prompt for prompt, _ in order[i : i + 4]} == set(range(4)) for i in range(0, 20, 4)
    )
    assert [prompt for prompt, _ in order[:4]] != [prompt for prompt, _ in order[4:8]]


class Restarting(LocalEngine):
    """Restarts once in the middle of a request."""

    restarts = 1

    def _take(self, out, event, request):
        if self.restarts and len(out.token_ids) >= 3:
            self.restarts -= 1
            self._agent.reset()
        return super()._take(out, event, request)


def test_a_restarted_device_gets_its_model_back_and_the_request_again(tiny_model, monkeypatch):
    monkeypatch.setattr("holdfast.edge._backends.inprocess.LocalEngine", Restarting)
    config = quick(measurement_iterations=4, operation_timeout=300.0)
    with EdgeProfiler("host", config=config) as profiler:
        results = profiler.profile_model(tiny_model, ["abc"], ["latency"])
    assert results.session_metadata["requests"] == {"ok": 4, "partial": 0, "failed": 0}
    assert results.session_metadata["retries"] == 1
    assert len({one.digest for one in results.records}) == 1


def test_a_board_on_a_serial_line_says_how_much_the_line_takes(peer, tiny_model):
    path = peer(PtyPeer, AgentDevice(tiny_model.data())).path
    profiler = EdgeProfiler("generic", path, 9600, config=quick(), protocol="holdfast")
    with profiler:
        profiler._loaded = tiny_model
        results = profiler.profile_model(tiny_model, ["abc"], ["latency"])
    each = results.measurements["link_ms_per_token"]
    assert each.value > 10
    assert "9600 baud" in each.provenance
    assert results.session_metadata["marks"]["baud_limited"] == 3
