"""Profile a small language model on a simulated microcontroller; no hardware needed."""

from holdfast.edge import EdgeProfiler, ProfilingConfig, compare_profiles

config = ProfilingConfig(max_new_tokens=12)


def profile():
    with EdgeProfiler("sim-rv32", config=config) as profiler:
        return profiler.profile_model(None, ["Once upon a time", "The little dog"])


results, again = profile(), profile()
print(results)
for name in ("ttft_ms", "decode_tps", "itl_slope_us", "ram_peak"):
    one = results.measurements[name]
    print(f"{name}: {one.value:.4g} {one.unit}, {one.provenance}, clock: {one.clock}")

# A simulated part that was just started always does the same, to the tick.
print(compare_profiles(results, again))
print("same content:", results.content_hash() == again.content_hash())

results.export_json("profile.json")
results.export_html("profile.html")
results.save_records("profile-records")
