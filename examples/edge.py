"""Profile a small language model on a simulated microcontroller; no hardware needed."""

from holdfast.edge import EdgeProfiler, ProfilingConfig, compare

config = ProfilingConfig(max_new_tokens=12)

with EdgeProfiler("sim-rv32", config=config) as profiler:
    results = profiler.profile_model(None, ["Once upon a time", "The little dog"])
    again = profiler.profile_model(None, ["Once upon a time", "The little dog"])

print(results)
for name in ("ttft_ms", "decode_tps", "itl_slope_us", "ram_peak"):
    one = results.measurements[name]
    print(f"{name}: {one.value:.4g} {one.unit}, {one.provenance}, clock: {one.clock}")

# The simulated part always does the same: not a tick of difference is accepted.
print(compare(results, again).verdict, results.content_hash() == again.content_hash())

results.export_json("profile.json")
results.export_html("profile.html")
results.save_records("profile-records")
