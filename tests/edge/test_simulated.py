import pytest

from holdfast.edge import (
    EdgeProfiler,
    ModelCompatibilityError,
    ProfilingConfig,
    QuantizedModel,
    compare,
    request_metrics,
)
from holdfast.errors import InvalidParameterError

PROMPTS = ["Once", "The dog"]


def profile(platform="sim-rv32", model=None, metrics=None, **settings):
    config = ProfilingConfig(**{"max_new_tokens": 4, **settings})
    with EdgeProfiler(platform, config=config) as profiler:
        results = profiler.profile_model(model, PROMPTS, metrics)
        report = profiler._backend.report()
    return results, report


def test_a_full_report_without_hardware_says_what_is_modelled(tiny_model):
    results, report = profile(model=tiny_model)
    found = results.measurements
    assert found["decode_tps"].clock == "virtual"
    assert found["decode_tps"].provenance.startswith("modelled(cycles of")
    assert results.latency_profile.sample_count == len(PROMPTS)
    assert results.memory_profile.method.startswith("exact")
    assert found["stack_peak"].value == report["stack_high_water_bytes"]
    assert results.peak_memory_kb * 1024 <= report["ram_bytes"]
    assert results.power_profile is None
    assert all(one.reported["instructions"] > 0 for one in results.records)


def test_every_run_gives_the_same_hash(tiny_model):
    first, _ = profile(model=tiny_model)
    hashes = {first.content_hash()}
    for _ in range(3):
        again, _ = profile(model=tiny_model)
        hashes.add(again.content_hash())
    assert hashes == {first.content_hash()}
    assert compare(first, again).verdict == "same"
    assert compare(first, again).method == "exact"


@pytest.mark.parametrize("model", [None, "tiny"])
def test_every_profile_of_one_session_gives_the_same_hash(model, tiny_model):
    given = tiny_model if model else None
    config = ProfilingConfig(max_new_tokens=8, seed=3)
    with EdgeProfiler("sim-rv32", config=config) as profiler:
        found = [profiler.profile_model(given, PROMPTS) for _ in range(3)]
    assert len({one.content_hash() for one in found}) == 1
    ticks = [[(one.start_ticks, *one.ticks) for one in result.records] for result in found]
    assert ticks[0] == ticks[1] == ticks[2]


def test_the_simulator_says_what_this_machine_says(tiny_model):
    simulated, _ = profile(model=tiny_model)
    config = ProfilingConfig(max_new_tokens=4, measurement_iterations=1, warmup_iterations=0)
    with EdgeProfiler("host", config=config) as profiler:
        native = profiler.profile_model(tiny_model, PROMPTS)
    digests = [
        {one.prompt: one.digest for one in results.records} for results in (simulated, native)
    ]
    assert digests[0] == digests[1]


def test_another_part_has_another_clock_and_a_stated_power(tiny_model):
    results, _ = profile("sim-rv32-esp32-c3", tiny_model, ["latency", "power"])
    part = results.power_profile
    assert part.simulated
    assert part.source.startswith("modelled(stated power of Espressif")
    each = [request_metrics(one) for one in results.records]
    tokens = sum(len(one.itl_ms) for one in each)
    spent = sum(sum(one.itl_ms) for one in each)
    assert part.energy_per_token_mj == pytest.approx(
        part.active_power_mw * spent / 1e3 / tokens
    )


def test_a_part_without_a_stated_power_has_no_energy(tiny_model):
    results, _ = profile(model=tiny_model, metrics=["latency", "power"])
    assert results.power_profile is None
    assert "no power is stated" in results.session_metadata["causes"]["power"]


def test_an_unknown_part_is_named():
    with pytest.raises(InvalidParameterError, match="esp32-c3"):
        EdgeProfiler("sim-rv32-z80").connect()


def model_of(**shape):
    from gguf_files import tiny_llama

    return QuantizedModel.from_bytes("big", tiny_llama(**shape))


def test_weights_that_do_not_fit_the_flash_are_refused_by_how_much(tiny_model):
    with pytest.raises(ModelCompatibilityError, match=r"flash.*too many"):
        profile(model=model_of(dimension=256, hidden=1024, layers=3))
