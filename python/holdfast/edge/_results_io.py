"""Results as files, and back."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.edge._profiles import (
    AccuracyProfile,
    LatencyProfile,
    Measurement,
    MemoryProfile,
    PowerProfile,
    ThroughputProfile,
)
from holdfast.edge._results import ProfileResults
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from os import PathLike

SCHEMA = "holdfast.edge.results/1"
_PARTS: dict[str, type] = {
    "latency": LatencyProfile,
    "memory": MemoryProfile,
    "power": PowerProfile,
    "accuracy": AccuracyProfile,
    "throughput": ThroughputProfile,
}


def write_whole(path: str | PathLike[str], content: bytes) -> None:
    """Write beside the target, then rename: a reader sees the old or the new file."""
    target = Path(path)
    handle, beside = tempfile.mkstemp(prefix=target.name + ".", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).chmod(0o644)
        Path(beside).replace(target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def about(results: ProfileResults) -> dict[str, Any]:
    """What was measured and how, and what token records do not hold: memory."""
    found = to_dict(results)
    parts = {name: found["profiles"][name] for name in ("memory",) if name in found["profiles"]}
    kept = {
        name: one
        for name, one in found["measurements"].items()
        if name in {"ram_peak", "stack_peak", "heap_peak", "flash"}
    }
    return {"metadata": found["metadata"], "profiles": parts, "measurements": kept}


def from_about(content: dict[str, Any], path: str | PathLike[str]) -> ProfileResults:
    """A result without times; records of older releases say nothing about themselves."""
    if not content:
        return ProfileResults("unknown", Path(path).stem)
    try:
        return from_dict(content)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidDataError(
            f"{os.fspath(path)} does not say what was measured: {error!r}"
        ) from error


def write_through(path: str | PathLike[str], text: str, **how: Any) -> None:
    """Write through the built-in `open`, which older tests replace.

    Whatever fails on the way, the file that was there is back.
    """
    target = Path(path)
    old = target.read_bytes() if target.is_file() else None
    try:
        with open(path, "w", **how) as file:  # noqa: PTH123
            file.write(text)
    except BaseException:
        if old is not None:
            write_whole(target, old)
        raise


def to_dict(results: ProfileResults) -> dict[str, Any]:
    """Everything but the raw token records, as plain values."""
    parts = {name: getattr(results, f"{name}_profile") for name in _PARTS}
    return {
        "schema": SCHEMA,
        "metadata": {
            "platform": results.platform,
            "model_name": results.model_name,
            "model_size_mb": results.model_size_mb,
            "quantization": results.quantization,
            "timestamp": results.timestamp.isoformat(),
            "start_time": results.start_time.isoformat(),
            "session_id": results.session_id,
            "test_configuration": results.test_configuration,
            "environment_info": results.environment_info,
            "session_metadata": results.session_metadata,
        },
        "profiles": {name: asdict(part) for name, part in parts.items() if part is not None},
        "measurements": {name: asdict(one) for name, one in results.measurements.items()},
        "raw_measurements": results.raw_measurements,
        "summary": results.get_summary(),
        "efficiency_score": results.calculate_efficiency_score(),
        "recommendations": results.get_recommendations(),
    }


def _part(kind: type, values: dict[str, Any]) -> Any:
    known = {one.name for one in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})


def from_dict(content: dict[str, Any]) -> ProfileResults:
    """The inverse of `to_dict`; fields of a newer release are left out."""
    metadata = content["metadata"]
    results = ProfileResults(
        metadata["platform"],
        metadata["model_name"],
        metadata["model_size_mb"],
        metadata["quantization"],
        datetime.fromisoformat(metadata["timestamp"]),
        metadata.get("session_id"),
        datetime.fromisoformat(metadata.get("start_time") or metadata["timestamp"]),
        test_configuration=metadata.get("test_configuration", {}),
        environment_info=metadata.get("environment_info", {}),
        session_metadata=metadata.get("session_metadata", {}),
        raw_measurements=content.get("raw_measurements", {}),
    )
    for name, kind in _PARTS.items():
        if (values := content.get("profiles", {}).get(name)) is not None:
            setattr(results, f"{name}_profile", _part(kind, values))
    results.measurements = {
        name: _part(Measurement, values)
        for name, values in content.get("measurements", {}).items()
    }
    return results


def write_json(results: ProfileResults, path: str | PathLike[str]) -> None:
    """See `ProfileResults.export_json`."""
    text = io.StringIO()
    json.dump(to_dict(results), text, indent=2, default=str)
    write_through(path, text.getvalue())


def read_json(path: str | PathLike[str]) -> ProfileResults:
    """See `ProfileResults.from_json`."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            return from_dict(json.load(file))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidDataError(f"{os.fspath(path)} is not a saved result: {error!r}") from error


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            row |= _flat(value, f"{prefix}{name}_")
        else:
            row[prefix + name] = value
    return row


def write_csv(results: ProfileResults, path: str | PathLike[str]) -> None:
    """See `ProfileResults.export_csv`."""
    row = _flat(results.get_summary())
    row["efficiency_score"] = results.calculate_efficiency_score()
    row["num_recommendations"] = len(results.get_recommendations())
    for name, one in results.measurements.items():
        row |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    write_through(path, text.getvalue(), newline="")
