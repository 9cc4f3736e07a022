"""Results as files, and back."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.edge._files import write_through
from holdfast.edge._results import advice
from holdfast.edge._results.findings import Findings
from holdfast.edge._results.profiles import (
    AccuracyProfile,
    LatencyProfile,
    Measurement,
    MemoryProfile,
    PowerProfile,
    ThroughputProfile,
)
from holdfast.edge._results.saved import checked, decoded, entry, of_schema, part
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from os import PathLike

Found = TypeVar("Found", bound=Findings)

SCHEMA = "holdfast.edge.results/1"
_PARTS: dict[str, type] = {
    "latency": LatencyProfile,
    "memory": MemoryProfile,
    "power": PowerProfile,
    "accuracy": AccuracyProfile,
    "throughput": ThroughputProfile,
}


def about(results: Findings) -> dict[str, Any]:
    """What was measured and how, and what token records do not hold: memory."""
    found = to_dict(results)
    parts = {name: found["profiles"][name] for name in ("memory",) if name in found["profiles"]}
    kept = {
        name: one
        for name, one in found["measurements"].items()
        if name in {"ram_peak", "stack_peak", "heap_peak", "flash"}
    }
    return {"metadata": found["metadata"], "profiles": parts, "measurements": kept}


def from_about(kind: type[Found], content: dict[str, Any], path: str | PathLike[str]) -> Found:
    """A result without times; records of older releases say nothing about themselves."""
    if not content:
        return kind("unknown", Path(path).stem)
    try:
        return from_dict(kind, content)
    except InvalidDataError as error:
        raise InvalidDataError(
            f"{os.fspath(path)} does not say what was measured: {error}"
        ) from error


def to_dict(results: Findings) -> dict[str, Any]:
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
        "efficiency_score": advice.efficiency_score(results),
        "recommendations": advice.recommendations(results),
    }


def _time(metadata: dict[str, Any], name: str) -> datetime:
    text = entry(metadata, name, "str", "metadata")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidDataError(
            f"metadata.{name} must be a date and time as ISO 8601 writes them, got {text!r}"
        ) from error


def from_dict(kind: type[Found], content: Any) -> Found:
    """The inverse of `to_dict`; fields of a newer release are left out.

    Raises
    ------
    InvalidDataError
        Naming the entry that is missing or is not what it must be.
    """
    of_schema(checked(content, "dict", "the whole"), SCHEMA)
    metadata = entry(content, "metadata", "dict", "")

    def own(name: str, annotation: str) -> Any:
        return entry(metadata, name, annotation, "metadata")

    def section(of: dict[str, Any], name: str, where: str = "") -> dict[str, Any]:
        found: dict[str, Any] = entry(of, name, "dict", where) if of.get(name) else {}
        return found

    raw = section(content, "raw_measurements")
    for name, values in raw.items():
        checked(values, "list", f"raw_measurements.{name}")
    results = kind(
        own("platform", "str"),
        own("model_name", "str"),
        own("model_size_mb", "float | None"),
        own("quantization", "str"),
        _time(metadata, "timestamp"),
        own("session_id", "str | None") if "session_id" in metadata else None,
        _time(metadata, "start_time" if metadata.get("start_time") else "timestamp"),
        test_configuration=section(metadata, "test_configuration", "metadata"),
        environment_info=section(metadata, "environment_info", "metadata"),
        session_metadata=section(metadata, "session_metadata", "metadata"),
        raw_measurements=raw,
    )
    for name, profile in _PARTS.items():
        if (values := section(content, "profiles").get(name)) is not None:
            setattr(results, f"{name}_profile", part(profile, values, f"profiles.{name}"))
    results.measurements = {
        name: part(Measurement, values, f"measurements.{name}")
        for name, values in section(content, "measurements").items()
    }
    return results


def write_json(results: Findings, path: str | PathLike[str]) -> None:
    """See `ProfileResults.export_json`."""
    text = io.StringIO()
    json.dump(to_dict(results), text, indent=2, default=str)
    write_through(path, text.getvalue())


def read_json(kind: type[Found], path: str | PathLike[str]) -> Found:
    """See `ProfileResults.from_json`."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            return from_dict(kind, decoded(file))
    except InvalidDataError as error:
        raise InvalidDataError(f"{os.fspath(path)} is not a saved result: {error}") from error


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            row |= _flat(value, f"{prefix}{name}_")
        else:
            row[prefix + name] = value
    return row


def write_csv(results: Findings, path: str | PathLike[str]) -> None:
    """See `ProfileResults.export_csv`."""
    row = _flat(results.get_summary())
    row["efficiency_score"] = advice.efficiency_score(results)
    row["num_recommendations"] = len(advice.recommendations(results))
    for name, one in results.measurements.items():
        row |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    write_through(path, text.getvalue(), newline="")
